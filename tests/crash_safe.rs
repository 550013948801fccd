//! `crash_safe`: what it invalidates after each end of a body, what it does where its mark cannot be
//! placed, and what is refused while it stands. What a process that dies leaves behind is not tried
//! here.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};

use afresh::{Cache, ErrorKind, cached, entry, invalidates};
use futures_util::FutureExt;

#[derive(Debug, PartialEq)]
enum Failure {
    OfTheBody,
    OfTheCache(ErrorKind),
}

impl From<afresh::Error> for Failure {
    fn from(error: afresh::Error) -> Self {
        Self::OfTheCache(error.kind())
    }
}

struct Shop {
    cache: Cache,
    runs: AtomicUsize,
}

impl Shop {
    fn on(cache: Cache) -> Self {
        Self {
            cache,
            runs: AtomicUsize::new(0),
        }
    }

    #[cached(ttl = 60, key = "{id}", tags = ["page:{id}"], cache = self.cache)]
    async fn page(&self, id: u32) -> u32 {
        id
    }

    /// Which of pages 1 to 3 are cached, after they all were.
    async fn cached_after<T>(&self, change: impl Future<Output = T>) -> [bool; 3] {
        for id in 1..=3 {
            self.page(id).await;
        }
        AssertUnwindSafe(change).catch_unwind().await.ok();
        let peek = async |id| entry(self.page(id)).peek().await.expect("cached").is_some();
        [peek(1).await, peek(2).await, peek(3).await]
    }
}

/// What a body comes to.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Badly,
    Panic,
    Never,
}

const ENDS: [End; 4] = [End::Well, End::Badly, End::Panic, End::Never];

impl End {
    async fn come(self) -> Result<u32, Failure> {
        match self {
            Self::Well => Ok(2),
            Self::Badly => Err(Failure::OfTheBody),
            Self::Panic => panic!("by design"),
            Self::Never => std::future::pending().await,
        }
    }
}

#[invalidates(tags = ["page:1"], crash_safe, cache = shop.cache)]
async fn on_success(shop: &Shop, end: End) -> Result<u32, Failure> {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    end.come().await
}

#[invalidates(tags = ["page:1"], crash_safe(deadline = "1s", required), cache = shop.cache)]
async fn required(shop: &Shop, end: End) -> Result<u32, Failure> {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    end.come().await
}

#[invalidates(
    tags = ["page:1"],
    result_tags = |id| ["page:{id}"],
    when = always,
    crash_safe(deadline = "1h"),
    cache = shop.cache
)]
async fn always(shop: &Shop, end: End) -> Result<u32, Failure> {
    shop.runs.fetch_add(1, Ordering::SeqCst);
    end.come().await
}

#[tokio::test]
async fn whatever_the_body_comes_to_is_followed_by_the_invalidation() {
    for end in ENDS {
        let shop = Shop::on(Cache::in_memory());
        let once = |change: bool| [false, !change, true];
        // A body that never ends is dropped where it waits.
        let left = shop.cached_after(async { on_success(&shop, end).now_or_never() });
        assert_eq!(left.await, once(false), "{end:?}");
        let left = shop.cached_after(async { required(&shop, end).now_or_never() });
        assert_eq!(left.await, once(false), "{end:?}");
        let left = shop.cached_after(async { always(&shop, end).now_or_never() });
        assert_eq!(left.await, once(matches!(end, End::Well)), "{end:?}");
        assert_eq!(shop.runs.load(Ordering::SeqCst), 3);
        assert_eq!(shop.cache.stats().invalidations, 3, "{end:?}");
    }
}

#[tokio::test]
async fn the_body_says_what_is_returned() {
    let shop = Shop::on(Cache::in_memory());
    assert_eq!(on_success(&shop, End::Well).await, Ok(2));
    assert_eq!(required(&shop, End::Well).await, Ok(2));
    let failed = Err(Failure::OfTheBody);
    assert_eq!(on_success(&shop, End::Badly).await, failed);
    assert_eq!(required(&shop, End::Badly).await, failed);
}

#[cfg(feature = "redis")]
mod on_a_server {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use afresh::{Cache, ErrorKind, Event, entry, invalidates};
    use afresh_test_support::{ReplyGate, Server, Stop, eventually, until};
    use futures_util::FutureExt;

    use super::{End, Failure, Shop, on_success, required};

    /// A shop whose server went away, which it has noticed.
    async fn orphan() -> Shop {
        let server = Server::start();
        let lost = Arc::new(AtomicBool::new(false));
        let noticed = Arc::clone(&lost);
        let builder = Cache::builder().url(server.url()).prefix("shop");
        let builder = builder.observer(move |event: &Event<'_>| {
            if let Event::Disconnected = event {
                noticed.store(true, Ordering::SeqCst);
            }
        });
        let shop = Shop::on(builder.build().await.expect("a cache"));
        assert_eq!(shop.page(1).await, 1);
        server.stop(Stop::Kill);
        eventually("the loss", || lost.load(Ordering::SeqCst));
        shop
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_body_that_requires_the_mark_does_not_run() {
        let shop = orphan().await;
        let refused = required(&shop, End::Well).await;
        assert!(
            matches!(
                refused,
                Err(Failure::OfTheCache(ErrorKind::Store | ErrorKind::Timeout))
            ),
            "{refused:?}"
        );
        assert_eq!(shop.runs.load(Ordering::SeqCst), 0);
        // No answer came, so the mark may stand: only an invalidation ends it.
        assert_eq!(shop.cache.stats().owed, 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn another_runs_and_owes_the_invalidation() {
        let shop = orphan().await;
        assert_eq!(on_success(&shop, End::Well).await, Ok(2));
        assert_eq!(shop.cache.stats().owed, 1);
        let failed = on_success(&shop, End::Badly).await;
        assert_eq!(failed, Err(Failure::OfTheBody));
        assert_eq!(shop.runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn under_a_mark_nothing_is_served_nor_put_where_no_note_tells_of_it() {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        gate.swallow_pushes();
        let shop = async |url: String| {
            let builder = Cache::builder().url(url).prefix("shop").local(false);
            Shop::on(builder.build().await.expect("a cache"))
        };
        let (marks, asks) = (shop(server.url()).await, shop(gate.url()).await);
        assert_eq!(marks.page(1).await, 1);
        let is_cached = async || entry(asks.page(1)).peek().await.expect("cached").is_some();
        until("a hit", is_cached).await;
        let mut mutation = pin!(on_success(&marks, End::Never));
        until("the body, behind the mark", async || {
            let ended = mutation.as_mut().now_or_never();
            ended.is_none() && marks.runs.load(Ordering::SeqCst) == 1
        })
        .await;
        // Before a heartbeat could have told.
        assert!(!is_cached().await);
        let put = entry(asks.page(1)).put(1).await;
        let refused = put.expect_err("it may be what is being changed");
        assert_eq!(refused.kind(), ErrorKind::Refused);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_cache_that_cannot_be_marked_is_enough() {
        #[invalidates(
            tags = ["page:1"],
            entries = [there.page(1)],
            crash_safe(required),
            cache = here.cache
        )]
        async fn both(here: &Shop, there: &Shop) -> Result<(), Failure> {
            here.runs.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        let (here, there) = (Shop::on(Cache::in_memory()), orphan().await);
        let left = here.cached_after(async {
            let refused = both(&here, &there).await;
            assert!(
                matches!(refused, Err(Failure::OfTheCache(_))),
                "{refused:?}"
            );
        });
        assert_eq!(left.await, [true; 3], "nothing was changed");
        assert_eq!(here.runs.load(Ordering::SeqCst), 0);
        // The entry, and what stands for all single entries of its namespace.
        assert_eq!(there.cache.stats().owed, 2);
    }
}
