//! Inherited tags are handed over with a claim: that the value was current when the compute began.
//! Here are the ways in which that could be untrue, and what else a compute is told of.

use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::task::Poll;

use afresh::{Cache, Outcome, Tier, bypass, cached, carry, carry_sync, entry, outcome, testing};
use futures_util::FutureExt as _;
use tokio::sync::{Notify, Semaphore};

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

async fn isolated<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = Cache::in_memory();
    testing::with_cache(cache.clone(), test(cache)).await
}

/// Polls a future once. It is not ready.
async fn poll_once<T>(future: &mut Boxed<T>) {
    let once = |cx: &mut std::task::Context<'_>| Poll::Ready(future.as_mut().poll(cx).is_pending());
    assert!(poll_fn(once).await);
}

/// What is read, and when it may be.
struct Source {
    bad: AtomicBool,
    started: Notify,
    gate: Semaphore,
}

impl Source {
    const fn new() -> Self {
        Self {
            bad: AtomicBool::new(true),
            started: Notify::const_new(),
            gate: Semaphore::const_new(0),
        }
    }

    async fn pass(&self) {
        self.started.notify_one();
        let _permit = self.gate.acquire().await.expect("open");
    }
}

#[tokio::test]
async fn a_failure_that_was_outdated_when_the_compute_began_is_not_believed() {
    static SOURCE: Source = Source::new();

    #[cached(ttl = 60, tags = ["leaf"])]
    async fn leaf() -> bool {
        SOURCE.bad.load(Ordering::SeqCst)
    }
    #[cached(ttl = 60, singleflight)]
    async fn middle() -> Result<u32, String> {
        if leaf().await {
            SOURCE.pass().await;
            return Err("bad".into());
        }
        Ok(1)
    }
    #[cached(ttl = 60)]
    async fn outer() -> u32 {
        middle().await.unwrap_or(0)
    }

    isolated(async |cache| {
        let later = async {
            SOURCE.started.notified().await;
            SOURCE.bad.store(false, Ordering::SeqCst);
            cache.invalidate(["leaf"]).await.expect("memory");
            // It joins the flight that read the leaf before.
            let mut outer: Boxed<u32> = Box::pin(outer());
            poll_once(&mut outer).await;
            SOURCE.gate.add_permits(1);
            outer.await
        };
        let (first, outer_value) = tokio::join!(middle(), later);
        assert_eq!((first, outer_value), (Err("bad".into()), 1));
        assert_eq!(outcome(outer()).await, (1, HIT));
    })
    .await;
}

#[tokio::test]
async fn a_future_that_was_polled_before_the_compute_spoils_it() {
    static SOURCE: Source = Source::new();

    #[cached(ttl = 60, tags = ["leaf"])]
    async fn leaf() -> bool {
        let bad = SOURCE.bad.load(Ordering::SeqCst);
        if bad {
            SOURCE.pass().await;
        }
        bad
    }
    #[cached(ttl = 60, skip(leaf), singleflight)]
    async fn outer(leaf: Boxed<bool>) -> bool {
        leaf.await
    }
    #[cached(ttl = 60, skip(leaf))]
    async fn around(leaf: Boxed<bool>) -> bool {
        outer(leaf).await
    }

    isolated(async |cache| {
        let mut early: Boxed<bool> = Box::pin(leaf());
        poll_once(&mut early).await;
        SOURCE.bad.store(false, Ordering::SeqCst);
        cache.invalidate(["leaf"]).await.expect("memory");
        SOURCE.gate.add_permits(1);
        // Whoever gave it gets it; nobody else does, on any level.
        assert!(around(early).await);
        assert_eq!(outcome(outer(Box::pin(leaf()))).await, (false, MISS));
        assert_eq!(outcome(around(Box::pin(leaf()))).await, (false, MISS));
        assert_eq!(outcome(around(Box::pin(leaf()))).await, (false, HIT));
    })
    .await;
}

#[tokio::test]
async fn a_future_that_was_polled_before_the_compute_and_is_still_current_does_not() {
    static SOURCE: Source = Source::new();

    #[cached(ttl = 60, tags = ["leaf"])]
    async fn leaf() -> u32 {
        SOURCE.pass().await;
        1
    }
    #[cached(ttl = 60, skip(leaf))]
    async fn outer(leaf: Boxed<u32>) -> u32 {
        leaf.await
    }

    isolated(async |cache| {
        let mut early: Boxed<u32> = Box::pin(leaf());
        poll_once(&mut early).await;
        cache.invalidate(["another"]).await.expect("memory");
        SOURCE.gate.add_permits(1);
        assert_eq!(outer(early).await, 1);
        assert_eq!(outcome(outer(Box::pin(pending()))).await, (1, HIT));
        cache.invalidate(["leaf"]).await.expect("memory");
        assert_eq!(outcome(outer(Box::pin(async { 2 }))).await, (2, MISS));
    })
    .await;
}

/// What is made of many entries by way of others is as narrow as what is made of them directly.
#[tokio::test]
async fn levels_do_not_widen_what_is_taken_over() {
    #[cached(ttl = 60, key = "{id}")]
    async fn book(id: u32) -> u32 {
        id
    }
    #[cached(ttl = 60, key = "{id}")]
    async fn section(id: u32) -> u32 {
        let mut sum = 0;
        for book_id in 0..10 {
            sum += book(id * 10 + book_id).await;
        }
        sum
    }
    #[cached(ttl = 60)]
    async fn page() -> u32 {
        let mut sum = 0;
        for id in 0..10 {
            sum += section(id).await;
        }
        sum
    }
    #[cached(ttl = 60, key = "{n}")]
    async fn sum(n: u32) -> u32 {
        if n == 0 {
            0
        } else {
            n + Box::pin(sum(n - 1)).await
        }
    }

    isolated(async |cache| {
        assert_eq!((page().await, sum(100).await), (4_950, 5_050));
        cache.invalidate(["unrelated"]).await.expect("memory");
        assert_eq!(outcome(page()).await.1, HIT);
        assert_eq!(outcome(sum(100)).await.1, HIT);
        entry(book(57)).invalidate().await.expect("cached");
        assert_eq!(outcome(page()).await.1, MISS);
        assert_eq!(outcome(sum(100)).await.1, HIT);
        entry(sum(3)).invalidate().await.expect("cached");
        assert_eq!(outcome(sum(100)).await.1, MISS);
    })
    .await;
}

#[tokio::test]
async fn tags_pass_a_compute_of_another_cache() {
    #[cached(ttl = 60, tags = ["leaf"], key = (), cache = here)]
    async fn leaf(here: &Cache, of: u32) -> u32 {
        of
    }
    #[cached(ttl = 60, key = (), cache = there)]
    async fn middle(here: &Cache, there: &Cache, of: u32) -> u32 {
        leaf(here, of).await
    }
    #[cached(ttl = 60, key = (), cache = here)]
    async fn outer(here: &Cache, there: &Cache, of: u32) -> u32 {
        middle(here, there, of).await
    }

    let (here, there) = (Cache::in_memory(), Cache::in_memory());
    assert_eq!(outer(&here, &there, 1).await, 1);
    here.invalidate(["leaf"]).await.expect("memory");
    there.invalidate_all().await.expect("memory");
    assert_eq!(outer(&here, &there, 2).await, 2);
}

#[tokio::test]
async fn that_nothing_is_there_is_handed_over() {
    #[cached(ttl = 60, key = "{id}")]
    async fn price(id: u32) -> u32 {
        100
    }
    #[cached(ttl = 60)]
    async fn label() -> String {
        let known = entry(price(7)).peek().await.expect("cached");
        known.map_or_else(|| "ask us".to_owned(), |price| price.to_string())
    }

    isolated(async |_| {
        assert_eq!(label().await, "ask us");
        assert_eq!(outcome(label()).await.1, HIT);
        entry(price(7)).put(120).await.expect("memory");
        assert_eq!(label().await, "120");
    })
    .await;
}

/// What is put into an entry that the body has used makes a record: documented, and never stale.
#[tokio::test]
async fn a_body_that_refreshes_what_it_uses_is_computed_each_time() {
    #[cached(ttl = 60)]
    async fn inner() -> u32 {
        1
    }
    #[cached(ttl = 60)]
    async fn outer() -> u32 {
        entry(inner()).refresh().await
    }

    isolated(async |_| {
        assert_eq!(outcome(outer()).await.1, MISS);
        assert_eq!(outcome(outer()).await.1, MISS);
    })
    .await;
}

#[tokio::test]
async fn what_is_carried_leaves_nothing_behind() {
    #[cached(ttl = 60, key = "{id}")]
    async fn book(id: u32) -> u32 {
        id
    }

    // Without a scope of this test: it is what would be left open that is looked for.
    assert_eq!(book(1).await, 1);
    let carried = bypass(async { tokio::spawn(carry(book(1))).await }).await;
    assert_eq!(carried.expect("ran"), 1);
    assert_eq!(outcome(book(1)).await.1, HIT);
    let carried = bypass(async { carry_sync(|| ()) }).await;
    carried();
    assert_eq!(outcome(book(1)).await.1, HIT);
    let other = Cache::in_memory();
    let carried = testing::with_cache(other.clone(), async { carry_sync(|| ()) }).await;
    carried();
    assert_eq!(outcome(book(1)).await.1, HIT);
    assert_eq!(other.stats().computed, 0);
    let mut carried = None;
    let scoped = bypass(async { carried = Some(carry(outcome(book(1)))) });
    testing::with_cache(other, scoped).await;
    let carried = carried.expect("made inside");
    assert_eq!(carried.await.1, Outcome::Bypassed);
    assert_eq!(outcome(book(1)).await.1, HIT);
}

/// Of a compute that is given up, the body goes before another runs in its place.
#[tokio::test]
async fn an_heir_begins_when_the_body_before_is_gone() {
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static HEIR: Mutex<Option<Boxed<u32>>> = Mutex::new(None);

    /// Lets the heir take its chance while this body is being dropped.
    struct Guard;

    impl Drop for Guard {
        fn drop(&mut self) {
            let heir = HEIR.lock().expect("whole").take();
            if let Some(mut heir) = heir {
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                assert!(heir.as_mut().poll(&mut cx).is_pending());
                *HEIR.lock().expect("whole") = Some(heir);
            }
            INSIDE.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[cached(ttl = 60, key = (), singleflight)]
    async fn slow(panics: &AtomicBool) -> u32 {
        let inside = INSIDE.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(inside, Ordering::SeqCst);
        let _guard = Guard;
        let run = RUNS.fetch_add(1, Ordering::SeqCst);
        if run.is_multiple_of(2) {
            tokio::task::yield_now().await;
            assert!(!panics.load(Ordering::SeqCst), "as it was asked to");
            pending::<()>().await;
        }
        1
    }

    for panics in [false, true] {
        static PANICS: LazyLock<AtomicBool> = LazyLock::new(AtomicBool::default);
        PANICS.store(panics, Ordering::SeqCst);
        let cache = Cache::in_memory();
        let called =
            || -> Boxed<u32> { Box::pin(testing::with_cache(cache.clone(), slow(&PANICS))) };
        let (mut leader, mut heir) = (called(), called());
        poll_once(&mut leader).await;
        poll_once(&mut heir).await;
        *HEIR.lock().expect("whole") = Some(heir);
        if panics {
            let polled = AssertUnwindSafe(&mut leader).catch_unwind().await;
            polled.expect_err("it panicked");
            let again = AssertUnwindSafe(&mut leader).catch_unwind().await;
            again.expect_err("it cannot go on");
        }
        drop(leader);
        let heir = HEIR.lock().expect("whole").take().expect("it was offered");
        assert_eq!(heir.await, 1);
        assert_eq!(MOST.load(Ordering::SeqCst), 1, "one body at a time");
    }
}

/// When a thread ends, what its locals call is in no body; and it does not panic there.
#[test]
fn a_call_in_the_destructor_of_a_thread_local() {
    static ANSWER: AtomicU32 = AtomicU32::new(0);

    #[cached(ttl = 60, singleflight)]
    fn size(id: u32) -> u32 {
        id
    }

    struct Last;

    impl Drop for Last {
        fn drop(&mut self) {
            ANSWER.store(size(8), Ordering::SeqCst);
        }
    }

    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }

    let thread = std::thread::spawn(|| {
        // Its destructor is registered first, and so runs last.
        LAST.set(Some(Last));
        size(7)
    });
    assert_eq!(thread.join().expect("ran"), 7);
    assert_eq!(ANSWER.load(Ordering::SeqCst), 8, "computed at the end");
}
