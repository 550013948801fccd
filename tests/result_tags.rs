//! Tags that follow from what a function returned: on entries, where they are a test of every hit
//! and of every follower, and of mutations, where they are known only after the body.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use afresh::{Cache, ErrorKind, Event, Outcome, Tier, cached, entry, invalidates, outcome};
use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

const HIT: Outcome = Outcome::Hit(Tier::Local);
const MISS: Outcome = Outcome::Computed;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Book {
    id: i64,
    author: i64,
    genres: Vec<String>,
}

type Answer<T> = Result<T, &'static str>;

/// A cache, what the source says now, and how often it was read.
struct Shop {
    name: String,
    cache: Cache,
    author: AtomicI64,
    runs: AtomicUsize,
    begun: Semaphore,
    gate: Semaphore,
    told: Arc<Mutex<Vec<String>>>,
}

impl Shop {
    fn new() -> Arc<Self> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let observed = Arc::clone(&told);
        let observer = move |event: &Event<'_>| {
            if let Event::Fault { error, .. } = event {
                let mut told = observed.lock().expect("no panic");
                told.push(error.to_string());
            }
        };
        let cache = Cache::builder().observer(observer).build().now_or_never();
        Arc::new(Self {
            name: "corner".to_owned(),
            cache: cache.expect("in memory").expect("in memory"),
            author: AtomicI64::new(3),
            runs: AtomicUsize::new(0),
            begun: Semaphore::new(0),
            gate: Semaphore::new(0),
            told,
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("no panic").clone()
    }

    /// Book 0 is not there; the author of the others is whatever the source says.
    fn load(&self, id: i64) -> Answer<Book> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        if id == 0 {
            return Err("no such book");
        }
        Ok(Book {
            id,
            author: self.author.load(Ordering::SeqCst),
            genres: vec!["crime".to_owned(), "sea".to_owned()],
        })
    }

    /// Reads, and waits to be let through.
    async fn load_slowly(&self, id: i64) -> Answer<Book> {
        let book = self.load(id);
        self.begun.add_permits(1);
        self.gate.acquire().await.expect("never closed").forget();
        book
    }

    async fn invalidate(&self, tag: &str) {
        self.cache.invalidate([tag]).await.expect("in memory");
    }
}

/// That a call is a hit until one of these tags is invalidated, each in turn, and not by others.
macro_rules! carries {
    ($shop:ident, $call:expr, $($tag:expr),+) => {{
        drop(outcome($call).await);
        for other in ["author:{book.author}", "author:9", "other", "book", "{}"] {
            $shop.invalidate(other).await;
            assert_eq!(outcome($call).await.1, HIT, "after `{other}`");
        }
        $(
            $shop.invalidate($tag).await;
            assert_eq!(outcome($call).await.1, MISS, "after `{}`", $tag);
            assert_eq!(outcome($call).await.1, HIT);
        )+
    }};
}

#[tokio::test]
async fn templates_name_the_value_and_the_arguments() {
    #[cached(
        ttl = 60,
        key = "{id}",
        tags = ["books"],
        result_tags = |book| ["author:{book.author}", "at:{shop.name}:{id}", "all", format!("id:{}", book.id)],
        cache = shop.cache
    )]
    async fn book(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }

    let shop = Shop::new();
    carries!(
        shop,
        book(&shop, 7),
        "books",
        "author:3",
        "at:corner:7",
        "all",
        "id:7"
    );
}

#[tokio::test]
async fn the_closure_may_take_the_value_apart() {
    #[cached(ttl = 60, key = "{id}", result_tags = |Book { author, id, .. }| ["author:{author}", "book:{id}"], cache = shop.cache)]
    async fn book(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id / 10)
    }

    let shop = Shop::new();
    carries!(shop, book(&shop, 71), "author:3", "book:7");
}

#[tokio::test]
async fn any_iterator_of_the_value_will_do() {
    fn labels(book: &Book) -> Vec<String> {
        vec![format!("author:{}", book.author)]
    }
    fn genres(book: &Book) -> impl Iterator<Item = &str> {
        book.genres.iter().map(String::as_str)
    }
    fn labels_at(name: &str) -> impl Fn(&Book) -> [String; 1] {
        let name = name.to_owned();
        move |book| [format!("{name}:{}", book.id)]
    }

    #[cached(ttl = 60, key = "{id}", result_tags = labels, cache = shop.cache)]
    async fn by_path(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }
    #[cached(ttl = 60, key = "{id}", result_tags = genres, cache = shop.cache)]
    async fn that_borrows(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }
    #[cached(ttl = 60, key = "{id}", result_tags = labels_at(&shop.name), cache = shop.cache)]
    async fn made(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }
    #[cached(ttl = 60, key = "{id}", result_tags = |book| book.genres.iter(), cache = shop.cache)]
    async fn a_field(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }
    #[cached(
        ttl = 60,
        key = (),
        result_tags = |books| books.iter().map(|book| format!("book:{}:{}", book.id, shop.name)),
        cache = shop.cache
    )]
    async fn list(shop: &Shop) -> Vec<Book> {
        vec![shop.load(1).expect("there"), shop.load(2).expect("there")]
    }

    let shop = Shop::new();
    carries!(shop, by_path(&shop, 7), "author:3");
    carries!(shop, that_borrows(&shop, 7), "crime", "sea");
    carries!(shop, made(&shop, 7), "corner:7");
    carries!(shop, a_field(&shop, 7), "crime", "sea");
    carries!(shop, list(&shop), "book:1:corner", "book:2:corner");
}

#[tokio::test]
async fn an_option_is_given_whole_and_an_error_is_not_asked() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);

    #[cached(ttl = 60, key = "{id}", result_tags = |found| found.iter().map(|book| format!("author:{}", book.author)), cache = shop.cache)]
    async fn find(shop: &Shop, id: i64) -> Option<Book> {
        shop.load(id).ok()
    }
    #[cached(ttl = 60, key = "{id}", result_tags = |book| { ASKED.fetch_add(1, Ordering::SeqCst); Some(book.author.to_string()) }, cache = shop.cache)]
    async fn counted(shop: &Shop, id: i64) -> Answer<Book> {
        if id == 1 {
            return Err("returned early");
        }
        let book = shop.load(id)?;
        if id == 2 {
            return Ok(book);
        }
        Ok(Book { author: 4, ..book })
    }

    let shop = Shop::new();
    carries!(shop, find(&shop, 7), "author:3");
    assert_eq!(outcome(find(&shop, 0)).await, (None, MISS));
    assert_eq!(outcome(find(&shop, 0)).await, (None, HIT));

    assert_eq!(counted(&shop, 0).await, Err("no such book"));
    assert_eq!(counted(&shop, 1).await, Err("returned early"));
    assert_eq!(ASKED.load(Ordering::SeqCst), 0);
    carries!(shop, counted(&shop, 2), "3");
    carries!(shop, counted(&shop, 3), "4");
    assert_eq!(ASKED.load(Ordering::SeqCst), shop.runs() - 4);
}

impl Shop {
    #[cached(
        ttl = 60,
        key = "{id}",
        result_tags = |book| ["{self.name}:{book.author}"],
        store_if = |book| book.author < limit,
        cache = self.cache
    )]
    async fn book(&self, id: i64, limit: i64) -> Answer<Book> {
        self.load(id)
    }
}

#[tokio::test]
async fn methods_name_self_and_other_closures_are_asked_too() {
    let shop = Shop::new();
    carries!(shop, shop.book(7, 5), "corner:3");
    assert_eq!(outcome(shop.book(8, 3)).await.1, MISS);
    assert_eq!(outcome(shop.book(8, 3)).await.1, MISS);
}

#[cached(ttl = 60, key = "{id}", tags = ["books"], result_tags = |book| ["author:{book.author}"], namespace = "slow", singleflight, cache = shop.cache)]
async fn slow(shop: Arc<Shop>, id: i64) -> Answer<Book> {
    shop.load_slowly(id).await
}

#[tokio::test]
async fn what_moved_during_the_compute_is_not_served() {
    let shop = Shop::new();
    let mut call = Box::pin(slow(shop.clone(), 7));
    assert!((&mut call).now_or_never().is_none());
    shop.invalidate("author:3").await;
    shop.gate.add_permits(2);
    assert_eq!(call.await.map(|book| book.author), Ok(3));
    assert_eq!(outcome(slow(shop.clone(), 7)).await.1, MISS);
    assert_eq!(outcome(slow(shop.clone(), 7)).await.1, HIT);
}

#[tokio::test]
async fn a_follower_judges_by_the_tags_of_the_value() {
    let shop = Shop::new();
    let call = || Box::pin(outcome(slow(shop.clone(), 7)));
    let (mut leader, mut before) = (call(), call());
    assert!((&mut leader).now_or_never().is_none());
    assert!((&mut before).now_or_never().is_none());
    // No tag that the flight is known to carry: whoever comes now joins it all the same.
    shop.invalidate("author:3").await;
    shop.author.store(4, Ordering::SeqCst);
    let mut after = call();
    assert!((&mut after).now_or_never().is_none());
    assert_eq!(shop.runs(), 1, "it has joined");

    shop.gate.add_permits(2);
    let (value, came) = leader.await;
    assert_eq!((value.map(|book| book.author), came), (Ok(3), MISS));
    let (value, came) = before.await;
    let expected = (Ok(3), Outcome::Coalesced);
    assert_eq!((value.map(|book| book.author), came), expected);
    let (value, came) = after.await;
    assert_eq!((value.map(|book| book.author), came), (Ok(4), MISS));
    assert_eq!(shop.runs(), 2);
}

#[tokio::test]
async fn a_follower_does_not_mind_what_the_value_does_not_carry() {
    let shop = Shop::new();
    let call = || Box::pin(outcome(slow(shop.clone(), 7)));
    let mut leader = call();
    assert!((&mut leader).now_or_never().is_none());
    shop.invalidate("author:4").await;
    let mut after = call();
    assert!((&mut after).now_or_never().is_none());
    shop.gate.add_permits(1);
    assert_eq!(leader.await.1, MISS);
    assert_eq!(after.await.1, Outcome::Coalesced);
}

fn by(author: i64) -> Book {
    Book {
        id: 7,
        author,
        genres: Vec::new(),
    }
}

#[tokio::test]
async fn a_put_carries_the_tags_of_what_is_put() {
    let shop = Shop::new();
    let handle = || entry(slow(shop.clone(), 7));
    for author in [5, 6] {
        handle().put(Ok(by(author))).await.expect("in memory");
        shop.invalidate("author:3").await;
        let found = handle().peek().await.expect("cached");
        assert_eq!(found, Some(Ok(by(author))));
    }
    shop.invalidate("author:5").await;
    assert!(handle().peek().await.expect("cached").is_some());
    shop.invalidate("author:6").await;
    assert_eq!(handle().peek().await.expect("cached"), None);
    assert_eq!(shop.runs(), 0, "the body is not run");

    let late = handle();
    shop.invalidate("author:8").await;
    let refused = late.put(Ok(by(8))).await.expect_err("it may be older");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let refused = handle().put(Err("none")).await.expect_err("an error");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    assert_eq!(handle().peek().await.expect("cached"), None);
}

#[tokio::test]
async fn a_put_is_stored_whatever_store_if_says() {
    #[cached(ttl = 60, key = "{id}", result_tags = |book| ["author:{book.author}"], store_if = |_| panic!("asked"), cache = shop.cache)]
    async fn book(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }

    let shop = Shop::new();
    entry(book(&shop, 7))
        .put(Ok(by(5)))
        .await
        .expect("in memory");
    let found = entry(book(&shop, 7)).peek().await.expect("cached");
    assert_eq!(found, Some(Ok(by(5))));
    shop.invalidate("author:5").await;
    let found = entry(book(&shop, 7)).peek().await.expect("cached");
    assert_eq!(found, None);
}

#[tokio::test]
async fn a_refresh_leaves_the_new_tags_only() {
    let shop = Shop::new();
    shop.gate.add_permits(10);
    let call = || slow(shop.clone(), 7);
    call().await.expect("there");
    shop.author.store(4, Ordering::SeqCst);
    assert_eq!(entry(call()).refresh().await, call().await);
    assert_eq!(shop.runs(), 2);
    shop.invalidate("author:3").await;
    let (value, came) = outcome(call()).await;
    assert_eq!((value.map(|book| book.author), came), (Ok(4), HIT));
    shop.invalidate("author:4").await;
    assert_eq!(outcome(call()).await.1, MISS);
}

#[tokio::test]
async fn a_refresh_that_a_tag_of_its_value_overtakes_leaves_the_entry() {
    let shop = Shop::new();
    shop.gate.add_permits(1);
    let call = || slow(shop.clone(), 7);
    call().await.expect("there");
    shop.author.store(4, Ordering::SeqCst);
    let mut refresh = Box::pin(entry(call()).refresh());
    assert!((&mut refresh).now_or_never().is_none());
    shop.invalidate("author:4").await;
    shop.gate.add_permits(1);
    assert_eq!(refresh.await.map(|book| book.author), Ok(4));
    let (value, came) = outcome(call()).await;
    assert_eq!((value.map(|book| book.author), came), (Ok(3), HIT));
    assert_eq!(shop.cache.stats().refused, 1);
}

#[tokio::test]
async fn a_value_with_an_empty_tag_is_not_stored() {
    #[cached(ttl = 60, key = "{id}", result_tags = |book| book.genres.iter().map(|genre| genre.replace("sea", "")), cache = shop.cache)]
    async fn book(shop: &Shop, id: i64) -> Answer<Book> {
        shop.load(id)
    }

    let shop = Shop::new();
    for _ in 0..2 {
        assert_eq!(outcome(book(&shop, 7)).await.1, MISS);
    }
    let told = shop.told();
    assert!(
        told.len() == 1 && told[0].contains("`book`") && told[0].contains("empty"),
        "{told:?}"
    );
    let sea = Book {
        genres: vec!["sea".to_owned()],
        ..by(5)
    };
    let refused = entry(book(&shop, 7)).put(Ok(sea)).await;
    assert_eq!(refused.expect_err("empty").kind(), ErrorKind::Refused);
}

#[cached(ttl = 60, key = "{author}", tags = ["author:{author}"], cache = shop.cache)]
async fn shelf(shop: &Shop, author: i64) -> i64 {
    author
}

/// Which shelves of authors 1 to 3 are cached, after they all were.
async fn shelves_after<T>(shop: &Shop, change: impl Future<Output = T>) -> [bool; 3] {
    for author in 1..=3 {
        shelf(shop, author).await;
    }
    AssertUnwindSafe(change).catch_unwind().await.ok();
    let peek = async |author| {
        let shelf = entry(shelf(shop, author)).peek().await;
        shelf.expect("cached").is_some()
    };
    [peek(1).await, peek(2).await, peek(3).await]
}

/// What a body comes to.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Badly,
    Panic,
}

impl End {
    fn come(self) -> Answer<Book> {
        match self {
            Self::Well => Ok(by(2)),
            Self::Badly => Err("refused"),
            Self::Panic => panic!("by design"),
        }
    }
}

#[invalidates(tags = ["author:1"], result_tags = |book| ["author:{book.author}"], cache = shop.cache)]
async fn on_success(shop: &Shop, end: End) -> Answer<Book> {
    end.come()
}

#[invalidates(tags = ["author:1"], result_tags = |book| ["author:{book.author}"], when = always, cache = shop.cache)]
async fn always(shop: &Shop, end: End) -> Answer<Book> {
    end.come()
}

#[tokio::test]
async fn a_mutation_invalidates_what_its_value_names() {
    let shop = Shop::new();
    for (end, success, after_all) in [
        (End::Well, [false, false, true], [false, false, true]),
        (End::Badly, [true; 3], [false, true, true]),
        (End::Panic, [false, true, true], [false, true, true]),
    ] {
        let left = shelves_after(&shop, on_success(&shop, end)).await;
        assert_eq!(left, success, "{end:?}");
        let left = shelves_after(&shop, always(&shop, end)).await;
        assert_eq!(left, after_all, "{end:?}");
    }
}

#[tokio::test]
async fn known_tags_and_those_of_the_value_are_one_record() {
    let shop = Shop::new();
    on_success(&shop, End::Well).await.expect("by design");
    assert_eq!(shop.cache.stats().invalidations, 1);
}

#[tokio::test]
async fn a_mutation_that_is_dropped_invalidates_what_was_known() {
    #[invalidates(tags = ["author:1"], result_tags = |book| ["author:{book.author}"], cache = shop.cache)]
    async fn waiting(shop: &Shop) -> Answer<Book> {
        shop.load_slowly(7).await
    }

    let shop = Shop::new();
    let left = shelves_after(&shop, async {
        let mut mutation = Box::pin(waiting(&shop));
        assert!((&mut mutation).now_or_never().is_none());
        drop(mutation);
    });
    assert_eq!(left.await, [false, true, true]);
}

#[tokio::test]
async fn a_panic_of_the_closure_is_one_of_the_mutation() {
    #[invalidates(tags = ["author:1"], result_tags = |book| { assert!(book.author < 0, "by design"); ["author:2"] }, cache = shop.cache)]
    async fn failing(shop: &Shop) -> Answer<Book> {
        End::Well.come()
    }

    let shop = Shop::new();
    let left = shelves_after(&shop, failing(&shop)).await;
    assert_eq!(left, [false, true, true]);
}

#[tokio::test]
async fn the_value_may_be_all_that_names_tags() {
    #[invalidates(result_tags = |authors| authors.iter().map(|author| format!("author:{author}")), cache = shop.cache)]
    async fn whole(shop: &Shop) -> Vec<i64> {
        vec![1, 3]
    }
    #[invalidates(result_tags = |id: &Option<i64>| id.map(|id| format!("author:{}", id + offset)), cache = shop.cache)]
    async fn of_an_option(shop: &Shop, id: Option<i64>, offset: i64) -> Option<i64> {
        let id = id?;
        Some(id)
    }

    let shop = Shop::new();
    let left = shelves_after(&shop, whole(&shop)).await;
    assert_eq!(left, [false, true, false]);
    let left = shelves_after(&shop, of_an_option(&shop, Some(1), 1)).await;
    assert_eq!(left, [true, false, true]);
    let left = shelves_after(&shop, of_an_option(&shop, None, 1)).await;
    assert_eq!(left, [true; 3]);
}

#[tokio::test]
async fn tags_of_the_value_are_those_of_the_mutations_own_cache() {
    #[invalidates(entries = [shelf(there, 1)], result_tags = |()| ["author:2"], cache = here.cache)]
    async fn both(here: &Shop, there: &Shop) {}

    let (here, there) = (Shop::new(), Shop::new());
    let left = shelves_after(&there, both(&here, &there)).await;
    assert_eq!(left, [false, true, true]);
    let left = shelves_after(&here, both(&here, &there)).await;
    assert_eq!(left, [true, false, true]);
}

#[tokio::test]
async fn an_empty_tag_of_a_mutation_is_reported_and_the_others_count() {
    #[invalidates(result_tags = |()| ["", "author:1"].map(str::to_owned), cache = shop.cache)]
    async fn partly(shop: &Shop) {}

    let shop = Shop::new();
    let left = shelves_after(&shop, partly(&shop)).await;
    assert_eq!(left, [false, true, true]);
    let told = shop.told();
    assert!(told.len() == 1 && told[0].contains("`partly`"), "{told:?}");
}

impl Shop {
    #[invalidates(result_tags = |book| ["author:{book.author}", "{self.name}"], cache = self.cache)]
    async fn change(&mut self, author: i64) -> Answer<Book> {
        self.name = format!("author:{}", author + 1);
        if author > 1 {
            return Err("too much");
        }
        let book = End::Well.come()?;
        Ok(Book { author, ..book })
    }
}

#[tokio::test]
async fn a_method_by_exclusive_reference_names_self_as_the_body_left_it() {
    let shop = Shop::new();
    let mut changed = Shop {
        name: String::new(),
        cache: shop.cache.clone(),
        author: AtomicI64::new(0),
        runs: AtomicUsize::new(0),
        begun: Semaphore::new(0),
        gate: Semaphore::new(0),
        told: Arc::default(),
    };
    let left = shelves_after(&shop, changed.change(1)).await;
    assert_eq!(left, [false, false, true]);
    let left = shelves_after(&shop, changed.change(2)).await;
    assert_eq!(left, [true; 3]);
}

#[cfg(feature = "redis")]
mod shared {
    //! The same through a server: the tags travel with the entry and with the record.

    use afresh::{Cache, Outcome, Tier, cached, entry, invalidates, outcome};
    use afresh_test_support::{Server, eventually};
    use futures_util::FutureExt;
    use tokio::runtime::Handle;

    #[cached(ttl = 1800, key = "{id}", namespace = "books", result_tags = |author| ["author:{author}"], singleflight, cache = cache)]
    async fn book(cache: &Cache, id: i64, author: i64) -> i64 {
        author
    }

    #[invalidates(result_tags = |author| ["author:{author}"], cache = cache)]
    async fn change(cache: &Cache, author: i64) -> i64 {
        author
    }

    async fn connect(url: &str) -> Cache {
        let builder = Cache::builder().url(url).prefix("shop");
        builder.build().await.expect("a cache")
    }

    /// How a call is answered, from a closure that cannot await.
    fn now<T>(call: impl Future<Output = T>) -> (T, Outcome) {
        tokio::task::block_in_place(|| Handle::current().block_on(outcome(call)))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn every_process_judges_by_the_tags_of_the_value() {
        let server = Server::start();
        let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
        assert_eq!(now(book(&one, 7, 3)), (3, Outcome::Computed));
        let shared = Outcome::Hit(Tier::Shared);
        assert_eq!(now(book(&two, 7, 4)), (3, shared));

        change(&one, 4).await;
        assert_eq!(now(book(&one, 7, 4)), (3, Outcome::Hit(Tier::Local)));
        change(&one, 3).await;
        eventually("the record", || now(book(&two, 7, 4)).0 == 4);

        // What is put carries its own, in both tiers.
        entry(book(&one, 7, 0)).put(5).await.expect("stored");
        eventually("the other's value", || now(book(&two, 7, 0)).0 == 5);
        change(&two, 5).await;
        assert_eq!(now(book(&two, 7, 6)).0, 6);
        eventually("the record", || now(book(&one, 7, 0)).0 == 6);
        // Dropped where it waits for the answer, if that has not come yet.
        let _ = change(&one, 6).now_or_never();
        eventually("a debt, or the record", || now(book(&two, 7, 8)).0 == 8);
    }
}
