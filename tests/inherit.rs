//! Inherited tags: what a compute is made of outdates its value, with no tag written on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use afresh::{
    Cache, Outcome, Tier, bypass, cached, carry, carry_sync, invalidates, outcome, testing,
};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

async fn isolated<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = Cache::in_memory();
    testing::with_cache(cache.clone(), test(cache)).await
}

#[cached(ttl = 60, key = "{id}", tags = ["books", "book:{id}"])]
async fn book(id: u32) -> String {
    format!("book {id}")
}

#[cached(ttl = 60, key = "{id}", tags = ["author:{id}"], namespace = "authors")]
async fn author(id: u32) -> String {
    format!("author {id}")
}

#[cached(ttl = 60, key = "{id}", tags = ["price:{id}"])]
fn price(id: u32) -> u32 {
    id * 100
}

#[cached(ttl = 60, key = "{id}")]
async fn page(id: u32) -> String {
    format!("{} by {}", book(id).await, author(id).await)
}

#[invalidates(tags = ["book:{id}"])]
async fn rename(id: u32) {}

/// Asserts that a call is computed, then hits, and is computed again after this.
macro_rules! outdates {
    ($call:expr, $then:expr) => {
        let _ = $call.await;
        assert_eq!(outcome($call).await.1, HIT);
        $then;
        assert_eq!(outcome($call).await.1, MISS, "after {}", stringify!($then));
        assert_eq!(outcome($call).await.1, HIT);
    };
}

#[tokio::test]
async fn a_value_goes_when_one_that_it_is_made_of_goes() {
    isolated(async |cache| {
        outdates!(page(7), rename(7).await);
        outdates!(
            page(7),
            cache.invalidate(["author:7"]).await.expect("memory")
        );
        outdates!(page(7), cache.invalidate(["books"]).await.expect("memory"));
        outdates!(
            page(7),
            cache.invalidate_namespace("authors").await.expect("memory")
        );
        outdates!(
            page(7),
            afresh::entry(book(7)).invalidate().await.expect("cached")
        );
        outdates!(
            page(7),
            afresh::entry(author(7))
                .put("another".to_owned())
                .await
                .expect("cached")
        );
        outdates!(page(7), drop(afresh::entry(book(7)).refresh().await));
        // What it is not made of leaves it alone.
        rename(8).await;
        cache
            .invalidate(["author:8", "pages"])
            .await
            .expect("memory");
        assert_eq!(outcome(page(7)).await.1, HIT);
    })
    .await;
}

/// No scope is open here, as in nearly all calls: a hit takes the shortest way.
#[tokio::test]
async fn the_shortest_way_hands_over_too() {
    #[cached(ttl = 60, key = "{id}", tags = ["part:{id}"], cache = cache)]
    async fn part(cache: &Cache, id: u32, runs: &AtomicU32) -> u32 {
        runs.fetch_add(1, Ordering::SeqCst)
    }
    #[cached(ttl = 60, key = "{id}", cache = cache)]
    async fn whole(cache: &Cache, id: u32, runs: &AtomicU32) -> u32 {
        part(cache, 1, runs).await
    }

    let (cache, runs) = (Cache::in_memory(), AtomicU32::new(0));
    for round in 0..3 {
        assert_eq!(part(&cache, 1, &runs).await, round);
        assert_eq!(whole(&cache, 1, &runs).await, round);
        assert_eq!(whole(&cache, 1, &runs).await, round);
        assert_eq!(cache.stats().hits_local, 2 * u64::from(round) + 2);
        cache.invalidate(["part:1"]).await.expect("memory");
    }
}

#[tokio::test]
async fn hits_computes_and_followers_hand_over_alike() {
    #[cached(ttl = 60, key = "{id}", tags = ["slow"], singleflight)]
    async fn slow(id: u32, gate: &tokio::sync::Semaphore) -> u32 {
        let _permit = gate.acquire().await.expect("open");
        id
    }
    #[cached(ttl = 60, key = "{id}")]
    async fn outer(id: u32, gate: &tokio::sync::Semaphore) -> u32 {
        slow(0, gate).await + id
    }

    isolated(async |cache| {
        let gate = tokio::sync::Semaphore::new(0);
        let open = async { gate.add_permits(1) };
        // One leads, one follows; then one hits.
        let (first, second, ()) =
            tokio::join!(outcome(outer(1, &gate)), outcome(outer(2, &gate)), open);
        assert_eq!((first.1, second.1), (MISS, MISS));
        assert_eq!(outcome(outer(3, &gate)).await.1, MISS);
        assert_eq!(cache.stats().coalesced, 1);
        gate.add_permits(10);
        cache.invalidate(["slow"]).await.expect("memory");
        for id in 1..=3 {
            assert_eq!(outcome(outer(id, &gate)).await.1, MISS, "{id}");
        }
    })
    .await;
}

#[tokio::test]
async fn tags_go_up_through_every_level() {
    #[cached(ttl = 60)]
    async fn shelf() -> String {
        page(1).await + &page(2).await
    }
    #[cached(ttl = 60)]
    async fn shop() -> String {
        shelf().await
    }

    isolated(async |_| {
        outdates!(shop(), rename(2).await);
        // The levels between were hits this time.
        drop(shelf().await);
        outdates!(shop(), rename(1).await);
    })
    .await;
}

struct Library;

trait Titles: Send + Sync {
    fn title(&self, id: u32) -> std::pin::Pin<Box<dyn Future<Output = String> + Send + '_>>;
}

impl Library {
    #[cached(ttl = 60, key = "{id}", tags = ["title:{id}"])]
    async fn title(&self, id: u32) -> String {
        format!("title {id}")
    }
}

impl Titles for Library {
    fn title(&self, id: u32) -> std::pin::Pin<Box<dyn Future<Output = String> + Send + '_>> {
        Box::pin(Self::title(self, id))
    }
}

#[tokio::test]
async fn through_methods_trait_objects_and_combinators() {
    #[cached(ttl = 60)]
    async fn by_method() -> String {
        Library.title(1).await
    }
    #[cached(ttl = 60)]
    async fn by_object() -> String {
        let titles: Arc<dyn Titles> = Arc::new(Library);
        titles.title(1).await
    }
    #[cached(ttl = 60)]
    async fn by_join() -> String {
        let (first, second) = tokio::join!(Library.title(1), Library.title(2));
        first + &second
    }
    #[cached(ttl = 60)]
    async fn by_join_all() -> Vec<String> {
        join_all((1..4).map(|id| Library.title(id))).await
    }
    #[cached(ttl = 60)]
    async fn by_unordered() -> Vec<String> {
        let titles: FuturesUnordered<_> = (1..4).map(|id| Library.title(id)).collect();
        titles.collect().await
    }
    #[cached(ttl = 60)]
    async fn by_sync_call() -> u32 {
        price(1)
    }
    #[cached(ttl = 60)]
    fn sync_by_sync_call() -> u32 {
        price(1)
    }
    #[cached(ttl = 60)]
    async fn by_entry() -> Option<String> {
        afresh::entry(Library.title(1))
            .peek()
            .await
            .expect("cached")
    }

    isolated(async |cache| {
        let title = || async { cache.invalidate(["title:1"]).await.expect("memory") };
        outdates!(by_method(), title().await);
        outdates!(by_object(), title().await);
        outdates!(by_join(), title().await);
        outdates!(by_join_all(), title().await);
        outdates!(by_unordered(), title().await);
        let price = || async { cache.invalidate(["price:1"]).await.expect("memory") };
        outdates!(by_sync_call(), price().await);
        outdates!(async { sync_by_sync_call() }, price().await);
        drop(Library.title(1).await);
        outdates!(by_entry(), title().await);
    })
    .await;
}

#[tokio::test]
async fn a_function_may_decline() {
    #[cached(ttl = 60, inherit = false)]
    async fn alone() -> String {
        page(1).await
    }
    #[cached(ttl = 60)]
    async fn around() -> String {
        alone().await
    }

    isolated(async |cache| {
        drop(around().await);
        rename(1).await;
        assert_eq!(outcome(alone()).await.1, HIT);
        // What is declined inside does not go past it to the outside.
        assert_eq!(outcome(around()).await.1, HIT);
        drop(afresh::entry(alone()).refresh().await);
        assert_eq!(outcome(around()).await.1, MISS, "its own entry counts");
        drop(cache);
    })
    .await;
}

#[tokio::test]
async fn a_value_may_be_made_of_a_failure() {
    static STOCK: AtomicU32 = AtomicU32::new(0);

    #[derive(Clone, Debug)]
    struct SoldOut;

    #[cached(ttl = 60, tags = ["stock"], singleflight)]
    async fn stock() -> Result<u32, SoldOut> {
        price(1);
        tokio::task::yield_now().await;
        match STOCK.load(Ordering::SeqCst) {
            0 => Err(SoldOut),
            some => Ok(some),
        }
    }
    #[cached(ttl = 60, key = "{line}")]
    async fn label(line: u32) -> String {
        let stock = stock().await;
        stock.map_or_else(|_| "sold out".to_owned(), |some| format!("{some} left"))
    }

    isolated(async |cache| {
        // The second follows the first one's failure.
        let labels = tokio::join!(label(1), label(2));
        assert_eq!(labels, ("sold out".to_owned(), "sold out".to_owned()));
        assert!(cache.stats().coalesced > 0, "{}", cache.stats());
        cache.invalidate(["another"]).await.expect("memory");
        assert_eq!(outcome(label(1)).await.1, HIT);
        assert_eq!(outcome(label(2)).await.1, HIT);
        STOCK.store(3, Ordering::SeqCst);
        cache.invalidate(["stock"]).await.expect("memory");
        assert_eq!(label(1).await, "3 left");
        assert_eq!(label(2).await, "3 left");

        // And of what the failure was made of.
        STOCK.store(0, Ordering::SeqCst);
        cache.invalidate(["stock"]).await.expect("memory");
        let labels = tokio::join!(label(1), label(2));
        assert_eq!(labels, ("sold out".to_owned(), "sold out".to_owned()));
        STOCK.store(4, Ordering::SeqCst);
        cache.invalidate(["price:1"]).await.expect("memory");
        assert_eq!(label(1).await, "4 left");
        assert_eq!(label(2).await, "4 left");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_stored_is_handed_over_too() {
    #[cached(ttl = 60, tags = ["small"], store_if = |v| *v > 10)]
    async fn small() -> u32 {
        1
    }
    #[cached(ttl = 60)]
    async fn by_small() -> u32 {
        small().await
    }
    #[cached(ttl = 60)]
    async fn by_bypass() -> String {
        bypass(book(1)).await
    }

    isolated(async |cache| {
        outdates!(
            by_small(),
            cache.invalidate(["small"]).await.expect("memory")
        );
        outdates!(by_bypass(), rename(1).await);
    })
    .await;
}

#[tokio::test]
async fn a_spawned_task_hands_over_if_it_is_carried() {
    #[cached(ttl = 60)]
    async fn spawned() -> String {
        let cache = Cache::global();
        tokio::spawn(testing::with_cache(cache, book(1)))
            .await
            .expect("ran")
    }
    #[cached(ttl = 60)]
    async fn carried() -> String {
        tokio::spawn(carry(book(1))).await.expect("ran")
    }
    #[cached(ttl = 60)]
    async fn blocking() -> u32 {
        let price = tokio::task::spawn_blocking(carry_sync(|| price(1)));
        price.await.expect("ran")
    }
    #[cached(ttl = 60)]
    fn threads() -> u32 {
        let price = carry_sync(|| price(1));
        std::thread::spawn(price).join().expect("ran")
    }

    isolated(async |cache| {
        outdates!(carried(), rename(1).await);
        let price = || async { cache.invalidate(["price:1"]).await.expect("memory") };
        outdates!(blocking(), price().await);
        outdates!(async { threads() }, price().await);
        // The price of doing without, as documented: the task is on its own.
        drop(spawned().await);
        rename(1).await;
        assert_eq!(outcome(spawned()).await.1, HIT);
    })
    .await;
}

#[tokio::test]
async fn a_carried_task_is_in_the_scopes_around_it() {
    isolated(async |cache| {
        drop(book(1).await);
        let carried = tokio::spawn(carry(async { outcome(book(1)).await.1 }));
        assert_eq!(carried.await.expect("ran"), HIT);
        let carried = bypass(async { tokio::spawn(carry(outcome(book(1)))).await });
        assert_eq!(carried.await.expect("ran").1, Outcome::Bypassed);
        assert_eq!(cache.stats().bypassed, 1);
    })
    .await;
}

#[tokio::test]
async fn a_carried_task_does_not_wait_for_the_compute_it_belongs_to() {
    #[cached(ttl = 60, singleflight(wait = "1h"))]
    async fn of_itself(depth: u32) -> u32 {
        // Every depth has one key.
        if depth == 0 {
            return 1;
        }
        let inner: std::pin::Pin<Box<dyn Future<Output = u32> + Send>> =
            Box::pin(carry(of_itself_again(depth - 1)));
        tokio::spawn(inner).await.expect("ran")
    }
    fn of_itself_again(depth: u32) -> std::pin::Pin<Box<dyn Future<Output = u32> + Send>> {
        Box::pin(async move { of_itself(depth).await })
    }

    isolated(async |_| assert_eq!(of_itself(3).await, 1)).await;
}

/// 100 entries with a tag each, and with none.
mod many {
    use super::*;

    #[cached(ttl = 60, key = "{id}", tags = ["item:{id}"])]
    pub(super) async fn item(id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, key = "{id}")]
    pub(super) async fn bare(id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, key = "{count}")]
    pub(super) async fn items(count: u32) -> u32 {
        join_all((0..count).map(item)).await.into_iter().sum()
    }

    #[cached(ttl = 60, key = "{count}")]
    pub(super) async fn bares(count: u32) -> u32 {
        join_all((0..count).map(bare)).await.into_iter().sum()
    }
}

#[tokio::test]
async fn more_than_can_be_named_is_still_never_stale() {
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let observer = move |event: &afresh::Event<'_>| {
        if let afresh::Event::Fault { error, .. } = event {
            events.lock().expect("whole").push(error.to_string());
        }
    };
    let cache = Cache::builder()
        .observer(observer)
        .build()
        .await
        .expect("memory");
    testing::with_cache(cache.clone(), async {
        use many::{bare, bares, item, items};

        // Few enough to name each.
        outdates!(
            items(20),
            cache.invalidate(["item:7"]).await.expect("memory")
        );
        cache.invalidate(["another"]).await.expect("memory");
        assert_eq!(outcome(items(20)).await.1, HIT);
        // Keys alone: one tag stands for all single entries of their namespace.
        for of in [0, 99] {
            outdates!(
                bares(100),
                afresh::entry(bare(of)).invalidate().await.expect("cached")
            );
            outdates!(
                bares(100),
                assert_eq!(afresh::entry(bare(of)).refresh().await, of)
            );
        }
        cache.invalidate(["another"]).await.expect("memory");
        afresh::entry(item(1)).invalidate().await.expect("cached");
        assert_eq!(outcome(bares(100)).await.1, HIT);
        assert!(told.lock().expect("whole").is_empty());
        // Tags that somebody wrote: nothing narrower than any invalidation covers them.
        for of in [0, 99] {
            let tag = format!("item:{of}");
            outdates!(items(100), cache.invalidate([&tag]).await.expect("memory"));
        }
        outdates!(
            items(100),
            cache.invalidate(["another"]).await.expect("memory")
        );
        outdates!(
            items(100),
            afresh::entry(item(5)).invalidate().await.expect("cached")
        );
    })
    .await;
    let told = told.lock().expect("whole");
    let [once] = &told[..] else {
        panic!("{told:?}")
    };
    assert!(
        once.contains("`items`") && once.contains("`inherit = false`"),
        "{once}"
    );
}

#[tokio::test]
async fn nothing_is_taken_over_from_another_cache() {
    static OTHER: std::sync::LazyLock<Cache> = std::sync::LazyLock::new(Cache::in_memory);

    #[cached(ttl = 60, tags = ["elsewhere"], cache = *OTHER)]
    async fn elsewhere() -> u32 {
        1
    }
    #[cached(ttl = 60)]
    async fn here() -> u32 {
        elsewhere().await
    }

    isolated(async |_| {
        let _ = here().await;
        OTHER.invalidate(["elsewhere"]).await.expect("memory");
        assert_eq!(outcome(here()).await.1, HIT, "as documented");
    })
    .await;
}

#[tokio::test]
async fn an_invalidation_during_the_compute_outdates_what_it_was_made_of() {
    #[cached(ttl = 60)]
    async fn overtaken() -> String {
        let book = book(1).await;
        rename(1).await;
        book
    }

    isolated(async |_| {
        drop(overtaken().await);
        assert_eq!(outcome(overtaken()).await.1, MISS);
    })
    .await;
}

#[tokio::test]
async fn recursion_takes_over_from_itself() {
    #[cached(ttl = 60, key = "{n}", tags = ["step:{n}"])]
    fn sum(n: u32) -> u32 {
        if n == 0 { 0 } else { n + sum(n - 1) }
    }

    isolated(async |cache| {
        outdates!(
            async { sum(20) },
            cache.invalidate(["step:0"]).await.expect("memory")
        );
        assert_eq!(outcome(async { sum(10) }).await.1, HIT);
    })
    .await;
}

#[tokio::test]
async fn a_hit_in_a_body_is_a_hit() {
    isolated(async |cache| {
        drop(book(1).await);
        drop(author(1).await);
        assert_eq!(outcome(page(1)).await.1, MISS);
        let stats = cache.stats();
        assert_eq!((stats.hits_local, stats.computed), (2, 3), "{stats}");
    })
    .await;
}
