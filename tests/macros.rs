//! What the options of `#[cached]` do at run time, and the forms of functions it stands on. Keys are
//! in `keys.rs`; what does not compile is in `ui/`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use afresh::testing::{self, ManualClock};
use afresh::{Cache, Outcome, Tier, cached, invalidates, outcome};

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

async fn isolated<F: Future>(test: impl FnOnce(Cache) -> F) -> F::Output {
    let cache = Cache::in_memory();
    testing::with_cache(cache.clone(), test(cache)).await
}

/// Asserts that a call hits until its ttl has passed, and misses from then on.
macro_rules! lives {
    ($call:expr, $ttl:expr) => {{
        let ttl: Duration = $ttl;
        let clock = ManualClock::new();
        let cache = Cache::builder().clock(&clock).build().await;
        testing::with_cache(cache.expect("in memory"), async {
            let least = Duration::from_millis(1);
            assert_eq!(outcome($call).await.1, MISS);
            clock.advance(ttl - least);
            assert_eq!(outcome($call).await.1, HIT, "before {ttl:?}");
            clock.advance(least);
            assert_eq!(outcome($call).await.1, MISS, "after {ttl:?}");
            assert_eq!(outcome($call).await.1, HIT, "stored anew");
        })
        .await;
    }};
}

const WEEK: Duration = Duration::from_hours(7 * 24);

#[tokio::test]
async fn a_ttl_in_each_form_ends_when_it_says() {
    #[cached(ttl = 90)]
    async fn seconds() {}
    #[cached(ttl = "2m30s")]
    async fn text() {}
    #[cached(ttl = "1h")]
    async fn hour() {}
    #[cached(ttl = Duration::from_millis(5_500) * 2)]
    async fn expression() {}
    #[cached(ttl = Duration::from_secs(id), key = "{id}")]
    async fn from_argument(id: u64) {}

    lives!(seconds(), Duration::from_secs(90));
    lives!(text(), Duration::from_secs(150));
    lives!(hour(), Duration::from_hours(1));
    lives!(expression(), Duration::from_secs(11));
    lives!(from_argument(20), Duration::from_secs(20));
}

#[cached(ttl = Duration::MAX)]
async fn forever() {}

#[tokio::test]
async fn the_longest_ttl_is_cut_to_max_ttl() {
    lives!(forever(), WEEK);
}

#[tokio::test]
async fn without_a_bound_the_longest_ttl_never_ends() {
    let cache = Cache::builder().max_ttl(Duration::MAX).build().await;
    let cache = cache.expect("in memory");
    testing::with_cache(cache.clone(), async {
        assert_eq!(outcome(forever()).await.1, MISS);
        testing::advance(&cache, WEEK * 52 * 1_000);
        assert_eq!(outcome(forever()).await.1, HIT);
    })
    .await;
}

#[tokio::test]
async fn a_ttl_that_follows_from_the_value_ends_when_it_says() {
    const SECOND: Duration = Duration::from_secs(1);

    #[cached(key = "{id}", ttl = |found| if found.is_none() { SECOND } else { SECOND * *id })]
    async fn found(id: &u32) -> Option<u32> {
        (*id > 0).then_some(*id)
    }
    #[cached(ttl = |length| Duration::from_secs(*length))]
    async fn fails(name: &str) -> Result<u64, String> {
        name.parse().map_err(|_| name.to_owned())
    }
    #[cached(ttl = |name| Duration::from_secs(name.len() as u64), store_if = |name| name != "no")]
    fn plain(name: String) -> String {
        name
    }

    lives!(found(&0), SECOND);
    lives!(found(&5), SECOND * 5);
    lives!(fails("7"), SECOND * 7);
    lives!(async { plain("four".to_owned()) }, SECOND * 4);
    isolated(async |cache| {
        for _ in 0..2 {
            assert_eq!(outcome(fails("x")).await, (Err("x".to_owned()), MISS));
            // Zero seconds, and refused.
            assert_eq!(outcome(fails("0")).await, (Ok(0), MISS));
            assert_eq!(outcome(async { plain("no".to_owned()) }).await.1, MISS);
        }
        assert_eq!(cache.stats().stored, 0);
    })
    .await;
}

#[cached]
async fn by_default() {}

#[tokio::test]
async fn the_default_ttl_is_for_functions_that_name_none() {
    let cache = Cache::builder().default_ttl(Duration::from_secs(5));
    let cache = cache.build().await.expect("in memory");
    testing::with_cache(cache.clone(), async {
        assert_eq!(outcome(by_default()).await.1, MISS);
        testing::advance(&cache, Duration::from_secs(4));
        assert_eq!(outcome(by_default()).await.1, HIT);
        testing::advance(&cache, Duration::from_secs(1));
        assert_eq!(outcome(by_default()).await.1, MISS);
    })
    .await;
}

#[tokio::test]
async fn a_ttl_of_zero_stores_nothing_and_is_shared_all_the_same() {
    #[cached(ttl = Duration::from_secs(0), key = "{id}", singleflight)]
    async fn never(id: u32) -> u32 {
        tokio::task::yield_now().await;
        id
    }

    isolated(async |cache| {
        let (a, b) = tokio::join!(outcome(never(1)), outcome(never(1)));
        assert_eq!((a, b), ((1, MISS), (1, Outcome::Coalesced)));
        assert_eq!(outcome(never(1)).await.1, MISS);
        let stats = cache.stats();
        assert_eq!((stats.stored, stats.not_stored), (0, 2));
    })
    .await;
}

#[tokio::test]
async fn store_if_decides_by_the_value() {
    #[cached(ttl = 60, key = "{id}", store_if = |value| value.is_some_and(|id| id < 9))]
    async fn found(id: u32) -> Option<u32> {
        (id > 0).then_some(id)
    }
    #[cached(ttl = 60, key = "{id}", store_if = Option::is_some)]
    async fn by_path(id: u32) -> Result<Option<u32>, String> {
        Ok((id > 0).then_some(id))
    }
    #[cached(ttl = 60, key = "{id}", store_if = |value| *value < limit)]
    async fn by_argument(id: u32, limit: u32) -> u32 {
        id
    }

    isolated(async |_| {
        for (id, second) in [(0, MISS), (1, HIT)] {
            assert_eq!(outcome(found(id)).await.1, MISS);
            assert_eq!(outcome(found(id)).await.1, second);
            assert_eq!(outcome(by_path(id)).await.1, MISS);
            assert_eq!(outcome(by_path(id)).await.1, second);
        }
        assert_eq!(outcome(by_argument(5, 5)).await.1, MISS);
        assert_eq!(outcome(by_argument(5, 6)).await.1, MISS);
        assert_eq!(outcome(by_argument(5, 6)).await.1, HIT);
    })
    .await;
}

#[tokio::test]
async fn none_is_a_value_and_an_error_is_none() {
    type Res<T> = Result<T, String>;

    #[cached(ttl = 60)]
    async fn nothing() -> Option<u32> {
        None
    }
    #[cached(ttl = 60)]
    async fn fails() -> Result<u32, String> {
        Err("no".to_owned())
    }
    #[cached(ttl = 60)]
    async fn alias(fails: bool) -> Res<u32> {
        if fails { Err("no".to_owned()) } else { Ok(1) }
    }

    isolated(async |cache| {
        assert_eq!(outcome(nothing()).await, (None, MISS));
        assert_eq!(outcome(nothing()).await, (None, HIT));
        for _ in 0..2 {
            assert_eq!(outcome(fails()).await, (Err("no".to_owned()), MISS));
            assert_eq!(outcome(alias(true)).await, (Err("no".to_owned()), MISS));
        }
        assert_eq!(outcome(alias(false)).await, (Ok(1), MISS));
        assert_eq!(outcome(alias(false)).await, (Ok(1), HIT));
        assert_eq!(cache.stats().failed, 4);
    })
    .await;
}

#[tokio::test]
async fn local_needs_no_serde() {
    #[derive(Clone, Debug, PartialEq)]
    struct Plain(u32);

    #[cached(ttl = 60, local)]
    async fn plain(id: u32) -> Result<Plain, String> {
        Ok(Plain(id))
    }

    isolated(async |_| {
        assert_eq!(outcome(plain(1)).await, (Ok(Plain(1)), MISS));
        assert_eq!(outcome(plain(1)).await, (Ok(Plain(1)), HIT));
    })
    .await;
}

#[tokio::test]
async fn a_body_may_return_early() {
    #[cached(ttl = 60)]
    async fn early(id: &str) -> Result<u32, std::num::ParseIntError> {
        let Some(text) = id.strip_prefix('#') else {
            return Ok(0);
        };
        let number = text.parse::<u32>()?;
        if number == 7 {
            return Ok(number * 10);
        }
        Ok(number)
    }

    isolated(async |_| {
        for (id, value) in [("none", 0), ("#7", 70), ("#8", 8)] {
            assert_eq!(outcome(early(id)).await, (Ok(value), MISS), "{id}");
            assert_eq!(outcome(early(id)).await, (Ok(value), HIT), "{id}");
        }
        early("#x").await.expect_err("no number");
    })
    .await;
}

#[tokio::test]
async fn an_arc_is_handed_out_itself() {
    #[cached(ttl = 60)]
    async fn shared() -> Arc<Vec<u32>> {
        Arc::new(vec![1])
    }
    #[cached(ttl = 60)]
    async fn fallible() -> Result<Arc<str>, String> {
        Ok("text".into())
    }

    isolated(async |_| {
        assert!(Arc::ptr_eq(&shared().await, &shared().await));
        let (a, b) = (fallible().await, fallible().await);
        assert!(Arc::ptr_eq(&a.expect("well"), &b.expect("well")));
    })
    .await;
}

#[tokio::test]
async fn plans_are_evaluated_once_a_miss_and_never_on_a_hit() {
    static TTLS: AtomicUsize = AtomicUsize::new(0);
    static TAGS: AtomicUsize = AtomicUsize::new(0);
    fn ttl() -> Duration {
        TTLS.fetch_add(1, Ordering::SeqCst);
        Duration::from_mins(1)
    }
    fn tags() -> Vec<String> {
        TAGS.fetch_add(1, Ordering::SeqCst);
        vec!["planned".to_owned()]
    }
    #[cached(ttl = ttl(), tags = tags())]
    async fn planned() {}

    isolated(async |cache| {
        planned().await;
        planned().await;
        cache.invalidate(["planned"]).await.expect("in memory");
        planned().await;
        assert_eq!(TTLS.load(Ordering::SeqCst), 2);
        assert_eq!(TAGS.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test]
async fn the_body_may_take_the_arguments() {
    #[cached(ttl = Duration::from_secs(name.len() as u64 + 60), key = "{name}", tags = ["by:{name}"])]
    async fn consuming(name: String) -> String {
        let moved = name;
        moved + "!"
    }

    isolated(async |cache| {
        assert_eq!(consuming("a".to_owned()).await, "a!");
        assert_eq!(outcome(consuming("a".to_owned())).await.1, HIT);
        cache.invalidate(["by:a"]).await.expect("in memory");
        assert_eq!(outcome(consuming("a".to_owned())).await.1, MISS);
    })
    .await;
}

/// A return type that is a type parameter is taken whole; a `Result` in it is not stored.
#[tokio::test]
async fn a_result_behind_a_type_parameter_is_not_stored() {
    #[cached(ttl = 60, skip(value), local)]
    async fn whole<T: Clone + Send + Sync + 'static>(value: T) -> T {
        value
    }

    isolated(async |cache| {
        assert_eq!(outcome(whole(1)).await.1, MISS);
        assert_eq!(outcome(whole(1)).await.1, HIT);
        for _ in 0..2 {
            let call = whole(Ok::<u32, String>(1));
            assert_eq!(outcome(call).await, (Ok(1), MISS));
        }
        assert_eq!(cache.stats().stored, 1);
    })
    .await;
}

#[tokio::test]
async fn texts_that_a_macro_passes_on_are_read_in_lists_too() {
    macro_rules! functions {
        ($tag:literal, $namespace:literal) => {
            #[cached(ttl = 60, key = "{id}", tags = [$tag], namespace = $namespace)]
            async fn book(id: i64) -> i64 {
                id
            }
            #[invalidates(namespaces = [$namespace])]
            async fn outdate() {}
        };
    }
    functions!("book:{id}", "books");

    isolated(async |cache| {
        assert_eq!(outcome(book(7)).await.1, MISS);
        assert_eq!(outcome(book(8)).await.1, MISS);
        cache.invalidate(["book:7"]).await.expect("in memory");
        assert_eq!(outcome(book(7)).await.1, MISS, "the tag is a template");
        assert_eq!(outcome(book(8)).await.1, HIT);
        outdate().await;
        assert_eq!(outcome(book(8)).await.1, MISS);
    })
    .await;
}

/// A future may be sent to another thread though what it brings may not: only what is kept is.
#[tokio::test]
async fn an_error_need_not_be_send() {
    type Error = Box<dyn std::error::Error>;

    #[cached(ttl = 60, key = "{text}", tags = ["numbers"])]
    async fn number(text: &str) -> Result<u32, Error> {
        tokio::task::yield_now().await;
        Ok(text.parse()?)
    }
    #[cached(ttl = 60, key = "{text}", store_if = |n| *n > 0, result_tags = |n| ["number:{n}"])]
    async fn judged(text: &str) -> Result<u32, std::rc::Rc<str>> {
        tokio::task::yield_now().await;
        text.parse().map_err(|_| "no number".into())
    }

    fn sent<F: Future + Send>(future: F) -> F {
        future
    }

    isolated(async |cache| {
        for _ in 0..2 {
            assert_eq!(sent(number("7")).await.ok(), Some(7));
            assert!(sent(number("seven")).await.is_err());
            assert_eq!(sent(judged("7")).await.ok(), Some(7));
            assert!(sent(judged("seven")).await.is_err());
        }
        let stats = cache.stats();
        assert_eq!((stats.hits_local, stats.failed), (2, 4), "{stats}");
    })
    .await;
}
