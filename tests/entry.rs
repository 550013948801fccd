//! Handles on one entry, and the scopes around calls: `entry`, `outcome`, `bypass`, `with_cache`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use afresh::{
    Cache, ErrorKind, Outcome, Tier, bypass, cached, entry, invalidates, outcome, testing,
};
use async_trait::async_trait;
use futures_util::FutureExt;
use tokio::sync::Semaphore;

struct Db {
    cache: Cache,
    runs: AtomicUsize,
    fails: AtomicUsize,
    /// Bodies pass one by one; held, it is closed.
    gate: Semaphore,
}

impl Db {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::in_memory(),
            runs: AtomicUsize::new(0),
            fails: AtomicUsize::new(0),
            gate: Semaphore::new(1),
        })
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    fn run(&self) -> usize {
        self.runs.fetch_add(1, Ordering::SeqCst) + 1
    }
}

#[cached(ttl = 60, key = "{id}", tags = ["rows"], namespace = "row", singleflight, cache = db.cache)]
async fn row(db: &Db, id: usize) -> Result<usize, String> {
    let run = db.run();
    drop(db.gate.acquire().await);
    match db.fails.load(Ordering::SeqCst) {
        0 => Ok(run),
        _ => Err(format!("run {run}")),
    }
}

#[tokio::test]
async fn the_key_is_told_and_nothing_runs() {
    let db = Db::new();
    let key = entry(row(&db, 7)).key().await.expect("a cached call");
    assert_eq!(key.as_str(), "row:7");
    assert_eq!((key.namespace(), key.version()), ("row", 0));
    assert_eq!(db.runs(), 0);
}

#[tokio::test]
async fn a_call_may_be_inspected_while_another_is() {
    let db = Db::new();
    let outer = entry(async {
        let inner = entry(row(&db, 1)).key().await.expect("a cached call");
        assert_eq!(inner.as_str(), "row:1");
        row(&db, 2).await
    });
    assert_eq!(outer.key().await.expect("a cached call").as_str(), "row:2");
    assert_eq!(db.runs(), 0);
}

#[tokio::test]
async fn peek_finds_what_is_there_and_runs_nothing() {
    let db = Db::new();
    assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
    row(&db, 1).await.expect("well");
    let found = entry(row(&db, 1)).peek().await.expect("cached");
    assert_eq!(found, Some(Ok(1)));
    db.cache.invalidate(["rows"]).await.expect("in memory");
    assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
    assert_eq!(db.runs(), 1);
}

#[tokio::test]
async fn what_is_put_is_a_hit_until_it_is_invalidated() {
    let db = Db::new();
    entry(row(&db, 1)).put(Ok(70)).await.expect("nothing moved");
    let hit = outcome(row(&db, 1)).await;
    assert_eq!(hit, (Ok(70), Outcome::Hit(Tier::Local)));
    entry(row(&db, 1)).put(Ok(71)).await.expect("nothing moved");
    assert_eq!(row(&db, 1).await, Ok(71), "it replaces what is there");
    assert_eq!(db.runs(), 0);
    db.cache.invalidate(["rows"]).await.expect("in memory");
    assert_eq!(row(&db, 1).await, Ok(1), "a put carries the tags");
}

#[tokio::test]
async fn an_error_is_not_put() {
    let db = Db::new();
    let put = entry(row(&db, 1)).put(Err("no".to_owned())).await;
    assert_eq!(put.expect_err("an `Err`").kind(), ErrorKind::Refused);
    assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
}

#[tokio::test]
async fn what_is_older_than_an_invalidation_is_not_put() {
    for moved in ["rows", "other"] {
        let db = Db::new();
        row(&db, 1).await.expect("well");
        let handle = entry(row(&db, 1));
        db.cache.invalidate([moved]).await.expect("in memory");
        let put = handle.put(Ok(70)).await;
        if moved == "rows" {
            assert_eq!(put.expect_err("too old").kind(), ErrorKind::Refused);
            assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
        } else {
            put.expect("it does not carry that tag");
            assert_eq!(row(&db, 1).await, Ok(70));
        }
    }
}

#[tokio::test]
async fn of_two_handles_the_second_put_is_refused() {
    let db = Db::new();
    let (first, second) = (entry(row(&db, 1)), entry(row(&db, 1)));
    second.put(Ok(2)).await.expect("nothing moved");
    let put = first.put(Ok(1)).await;
    assert_eq!(put.expect_err("it has moved").kind(), ErrorKind::Refused);
    assert_eq!(row(&db, 1).await, Ok(2));
}

/// A flight that began before a put may not be joined after it, nor replace it.
#[tokio::test]
async fn a_put_overtakes_a_compute() {
    let db = Db::new();
    let closed = db.gate.acquire().await.expect("open");
    let mut older = Box::pin(row(&db, 1));
    assert!((&mut older).now_or_never().is_none());
    entry(row(&db, 1)).put(Ok(70)).await.expect("nothing moved");
    assert_eq!(row(&db, 1).await, Ok(70));
    drop(closed);
    assert_eq!(older.await, Ok(1), "its caller gets its own");
    assert_eq!(row(&db, 1).await, Ok(70));
}

#[tokio::test]
async fn refresh_computes_and_replaces() {
    let db = Db::new();
    assert_eq!(row(&db, 1).await, Ok(1));
    assert_eq!(entry(row(&db, 1)).refresh().await, Ok(2));
    let hit = outcome(row(&db, 1)).await;
    assert_eq!(hit, (Ok(2), Outcome::Hit(Tier::Local)));
    assert_eq!(entry(row(&db, 2)).refresh().await, Ok(3), "nothing there");
    assert_eq!(row(&db, 2).await, Ok(3));
}

#[tokio::test]
async fn a_failed_refresh_leaves_what_is_there() {
    let db = Db::new();
    assert_eq!(row(&db, 1).await, Ok(1));
    db.fails.store(1, Ordering::SeqCst);
    let refreshed = entry(row(&db, 1)).refresh().await;
    assert_eq!(refreshed, Err("run 2".to_owned()));
    let hit = outcome(row(&db, 1)).await;
    assert_eq!(hit, (Ok(1), Outcome::Hit(Tier::Local)));
}

#[tokio::test]
async fn a_refresh_that_an_invalidation_overtook_is_not_stored() {
    let db = Db::new();
    assert_eq!(row(&db, 1).await, Ok(1));
    let closed = db.gate.acquire().await.expect("open");
    let mut refresh = Box::pin(entry(row(&db, 1)).refresh());
    assert!((&mut refresh).now_or_never().is_none());
    db.cache.invalidate(["rows"]).await.expect("in memory");
    drop(closed);
    assert_eq!(refresh.await, Ok(2));
    assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
}

#[tokio::test]
async fn one_entry_is_invalidated_and_no_other() {
    let db = Db::new();
    row(&db, 1).await.expect("well");
    row(&db, 2).await.expect("well");
    entry(row(&db, 1)).invalidate().await.expect("in memory");
    assert_eq!(entry(row(&db, 1)).peek().await.expect("cached"), None);
    assert!(entry(row(&db, 2)).peek().await.expect("cached").is_some());
}

#[tokio::test]
async fn what_is_no_cached_call_is_an_error_that_says_so() {
    async fn plain(waits: bool) -> u32 {
        if waits {
            tokio::task::yield_now().await;
        }
        5
    }

    for waits in [false, true] {
        let kinds = [
            entry(plain(waits)).key().await.expect_err("plain").kind(),
            entry(plain(waits)).peek().await.expect_err("plain").kind(),
            entry(plain(waits)).put(1).await.expect_err("plain").kind(),
            entry(plain(waits))
                .invalidate()
                .await
                .expect_err("plain")
                .kind(),
        ];
        assert_eq!(kinds, [ErrorKind::NotCached; 4]);
        assert_eq!(entry(plain(waits)).refresh().await, 5);
    }
}

#[tokio::test]
async fn a_handle_that_is_dropped_leaves_no_trace() {
    let db = Db::new();
    drop(entry(row(&db, 1)));
    let handle = entry(async {});
    assert_eq!(outcome(row(&db, 1)).await, (Ok(1), Outcome::Computed));
    drop(handle);
    assert_eq!(db.runs(), 1);
}

struct Shelf {
    db: Arc<Db>,
    name: &'static str,
}

trait Pages {
    fn page(&self, id: usize) -> impl Future<Output = usize>;
}

impl Pages for Shelf {
    #[cached(ttl = 60, key = "{self.name}:{id}", cache = self.db.cache)]
    async fn page(&self, id: usize) -> usize {
        self.db.run() + id
    }
}

#[async_trait]
trait Covers {
    async fn cover(&self, id: usize) -> usize;
}

#[async_trait]
impl Covers for Shelf {
    #[cached(ttl = 60, key = "{self.name}:{id}", cache = self.db.cache)]
    async fn cover(&self, id: usize) -> usize {
        self.db.run() + id
    }
}

impl Shelf {
    #[cached(ttl = 60, key = "{self.name}:{id}", cache = self.db.cache)]
    async fn spine(&self, id: usize) -> usize {
        self.db.run() + id
    }

    #[invalidates(entries = [self.page(id), self.cover(id), self.spine(id)], cache = self.db.cache)]
    async fn burn(&self, id: usize) {
        let _ = id;
    }
}

/// Put, hit, invalidate: through whatever kind of call.
macro_rules! handles {
    ($shelf:ident, $call:expr) => {
        entry($call).put(70).await.expect("nothing moved");
        assert_eq!(outcome($call).await, (70, Outcome::Hit(Tier::Local)));
        assert_eq!(entry($call).peek().await.expect("cached"), Some(70));
        $shelf.burn(1).await;
        assert_eq!(entry($call).peek().await.expect("cached"), None);
    };
}

#[tokio::test]
async fn methods_and_trait_methods_have_handles_too() {
    let db = Db::new();
    let shelf = Shelf {
        db: db.clone(),
        name: "a",
    };
    handles!(shelf, shelf.page(1));
    handles!(shelf, shelf.cover(1));
    handles!(shelf, shelf.spine(1));
    let object: &dyn Covers = &shelf;
    handles!(shelf, object.cover(1));
    assert_eq!(db.runs(), 0);
}

#[tokio::test]
async fn the_outcome_is_that_of_the_first_cached_call() {
    let db = Db::new();
    row(&db, 1).await.expect("well");
    let two = async { (row(&db, 1).await, row(&db, 2).await) };
    assert_eq!(
        outcome(two).await,
        ((Ok(1), Ok(2)), Outcome::Hit(Tier::Local))
    );
    assert_eq!(outcome(async { 5 }).await, (5, Outcome::Uncached));
    let nested = outcome(outcome(row(&db, 3))).await;
    assert_eq!(nested.0, (Ok(3), Outcome::Computed));
    let after = async {
        tokio::task::yield_now().await;
        row(&db, 4).await
    };
    assert_eq!(outcome(after).await, (Ok(4), Outcome::Computed));
}

#[tokio::test]
async fn the_calls_of_a_body_are_not_what_was_asked_about() {
    #[cached(ttl = 60, key = "{id}", cache = db.cache)]
    async fn outer(db: &Db, id: usize) -> usize {
        row(db, id).await.unwrap_or(0)
    }

    let db = Db::new();
    row(&db, 1).await.expect("well");
    assert_eq!(outcome(outer(&db, 1)).await, (1, Outcome::Computed));
}

#[tokio::test]
async fn a_bypass_neither_reads_nor_stores_but_invalidates() {
    #[invalidates(tags = ["rows"], cache = db.cache)]
    async fn change(db: &Db) {}

    let db = Db::new();
    row(&db, 1).await.expect("well");
    let bypassed = bypass(outcome(row(&db, 1))).await;
    assert_eq!(bypassed, (Ok(2), Outcome::Bypassed));
    assert_eq!(row(&db, 1).await, Ok(1), "what was stored is still there");
    bypass(row(&db, 2)).await.expect("well");
    assert_eq!(outcome(row(&db, 2)).await.1, Outcome::Computed);
    bypass(change(&db)).await;
    assert_eq!(outcome(row(&db, 1)).await.1, Outcome::Computed);
    assert_eq!(db.cache.stats().bypassed, 2);
    let put = bypass(entry(row(&db, 1)).put(Ok(70))).await;
    put.expect("the handle was made outside");
    let put = bypass(async { entry(row(&db, 1)).put(Ok(71)).await }).await;
    assert_eq!(put.expect_err("inside").kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn with_cache_holds_inside_and_may_be_nested() {
    #[cached(ttl = 60, key = ())]
    async fn which() -> usize {
        static RUNS: AtomicUsize = AtomicUsize::new(0);
        RUNS.fetch_add(1, Ordering::SeqCst)
    }

    let (a, b) = (Cache::in_memory(), Cache::in_memory());
    testing::with_cache(a.clone(), async {
        which().await;
        testing::with_cache(b.clone(), async {
            assert_eq!(outcome(which()).await.1, Outcome::Computed);
            tokio::task::yield_now().await;
            assert_eq!(outcome(which()).await.1, Outcome::Hit(Tier::Local));
        })
        .await;
        assert_eq!(outcome(which()).await.1, Outcome::Hit(Tier::Local));
        testing::with_cache(Cache::in_memory(), async {
            assert_eq!(outcome(which()).await.1, Outcome::Computed);
        })
        .await;
    })
    .await;
    assert_eq!((a.stats().computed, a.stats().hits_local), (1, 1));
    assert_eq!((b.stats().computed, b.stats().hits_local), (1, 1));
    assert_eq!(
        outcome(which()).await.1,
        Outcome::Computed,
        "outside: neither"
    );
}

#[tokio::test]
async fn two_scopes_side_by_side_do_not_mix() {
    #[cached(ttl = 60, key = (), tags = ["side"])]
    async fn side(value: usize) -> usize {
        tokio::task::yield_now().await;
        value
    }

    let run = |value| {
        testing::with_cache(Cache::in_memory(), async move {
            let first = outcome(side(value)).await;
            tokio::task::yield_now().await;
            (first, outcome(side(value + 10)).await)
        })
    };
    let (a, b) = tokio::join!(run(1), run(2));
    let expected = |v| ((v, Outcome::Computed), (v, Outcome::Hit(Tier::Local)));
    assert_eq!((a, b), (expected(1), expected(2)));
}
