//! `#[invalidates]`: what each option names, when it is invalidated, and that a mutation which
//! panics or is dropped invalidates all the same.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use afresh::{Cache, cached, entry, invalidates};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

struct Shop {
    cache: Cache,
    runs: AtomicUsize,
    gate: Semaphore,
}

impl Shop {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            cache: Cache::in_memory(),
            runs: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        })
    }

    async fn wait(&self) {
        self.gate.acquire().await.expect("never closed").forget();
    }

    #[cached(ttl = 60, key = "{id}", tags = ["pages", "page:{id}"], cache = self.cache)]
    async fn page(&self, id: u32) -> u32 {
        self.runs.fetch_add(1, Ordering::SeqCst);
        id
    }

    /// Caches pages 1 to 3.
    async fn fill(&self) {
        for id in 1..=3 {
            self.page(id).await;
        }
    }

    /// Which of pages 1 to 3 are cached.
    async fn cached(&self) -> [bool; 3] {
        let peek = async |id| entry(self.page(id)).peek().await.expect("cached").is_some();
        [peek(1).await, peek(2).await, peek(3).await]
    }

    fn records(&self) -> u64 {
        self.cache.stats().invalidations
    }
}

/// What a body comes to.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    Badly,
    Panic,
}

impl End {
    fn come(self) -> Result<(), &'static str> {
        match self {
            Self::Well => Ok(()),
            Self::Badly => Err("refused"),
            Self::Panic => panic!("by design"),
        }
    }
}

#[invalidates(tags = ["page:1"], cache = shop.cache)]
async fn on_success(shop: &Shop, end: End) -> Result<(), &'static str> {
    assert_eq!(shop.cached().await, [true; 3], "not before the body");
    end.come()
}

#[invalidates(tags = ["page:1"], when = always, cache = shop.cache)]
async fn always(shop: &Shop, end: End) -> Result<(), &'static str> {
    assert_eq!(shop.cached().await, [true; 3], "not before the body");
    end.come()
}

#[invalidates(tags = ["page:1"], when = before, cache = shop.cache)]
async fn before(shop: &Shop, end: End) -> Result<(), &'static str> {
    assert_eq!(shop.cached().await, [false, true, true], "before the body");
    end.come()
}

/// Runs a mutation for each end of its body, and says after which ends page 1 was left.
macro_rules! left_after {
    ($mutation:ident) => {{
        let mut left = [false; 3];
        for (at, end) in [End::Well, End::Badly, End::Panic].into_iter().enumerate() {
            let shop = Shop::new();
            shop.fill().await;
            let output = AssertUnwindSafe($mutation(&shop, end)).catch_unwind().await;
            match end {
                End::Well => assert_eq!(output.expect("no panic"), Ok(())),
                End::Badly => assert_eq!(output.expect("no panic"), Err("refused")),
                End::Panic => assert!(output.is_err(), "the body's own panic"),
            }
            let cached = shop.cached().await;
            assert_eq!(cached[1..], [true, true], "after {end:?}");
            assert_eq!(shop.records(), u64::from(!cached[0]), "after {end:?}");
            left[at] = cached[0];
        }
        left
    }};
}

#[tokio::test]
async fn on_success_an_error_invalidates_nothing_and_a_panic_does() {
    assert_eq!(left_after!(on_success), [false, true, false]);
}

#[tokio::test]
async fn always_means_after_every_end() {
    assert_eq!(left_after!(always), [false, false, false]);
}

#[tokio::test]
async fn before_means_whatever_comes() {
    assert_eq!(left_after!(before), [false, false, false]);
}

#[tokio::test]
async fn a_mutation_that_is_dropped_at_any_wait_invalidates() {
    #[invalidates(tags = ["page:1"], cache = shop.cache)]
    async fn three_waits(shop: &Shop) -> Result<(), ()> {
        for _ in 0..3 {
            shop.wait().await;
        }
        Err(())
    }

    for polls in 0..=3 {
        let shop = Shop::new();
        shop.fill().await;
        let mut mutation = Box::pin(three_waits(&shop));
        for _ in 0..polls {
            assert!((&mut mutation).now_or_never().is_none());
            shop.gate.add_permits(1);
        }
        drop(mutation);
        let expected = polls == 0;
        assert_eq!(shop.cached().await, [expected, true, true], "{polls} polls");
    }
}

#[tokio::test]
async fn several_targets_are_one_record() {
    #[invalidates(tags = ["page:1", "page:{id}"], namespaces = ["none"], entries = [shop.page(3)], cache = shop.cache)]
    async fn several(shop: &Shop, id: u32) {
        let _ = id;
    }

    let shop = Shop::new();
    shop.fill().await;
    several(&shop, 2).await;
    assert_eq!(shop.cached().await, [false; 3]);
    assert_eq!(shop.records(), 1);
}

#[tokio::test]
async fn entries_are_named_by_calls_whose_bodies_never_run() {
    #[invalidates(entries = [shop.page(id), shop.page(id + 1)], cache = shop.cache)]
    async fn two(shop: &Shop, id: u32) {
        let _ = id;
    }

    let shop = Shop::new();
    two(&shop, 1).await;
    assert_eq!(shop.runs.load(Ordering::SeqCst), 0);
    shop.fill().await;
    two(&shop, 1).await;
    assert_eq!(shop.runs.load(Ordering::SeqCst), 3);
    assert_eq!(shop.cached().await, [false, false, true]);
}

#[tokio::test]
async fn namespaces_are_invalidated_whole() {
    #[cached(ttl = 60, key = "{id}", namespace = "shelf", cache = cache)]
    async fn shelf(cache: &Cache, id: u32) -> u32 {
        id
    }
    #[cached(ttl = 60, key = "{id}", namespace = "shelves", cache = cache)]
    async fn shelves(cache: &Cache, id: u32) -> u32 {
        id
    }
    #[invalidates(namespaces = ["shelf"], cache = cache)]
    async fn clear(cache: &Cache) {}

    let cache = Cache::in_memory();
    shelf(&cache, 1).await;
    shelf(&cache, 2).await;
    shelves(&cache, 1).await;
    clear(&cache).await;
    assert_eq!(entry(shelf(&cache, 1)).peek().await.expect("cached"), None);
    assert_eq!(entry(shelf(&cache, 2)).peek().await.expect("cached"), None);
    let other = entry(shelves(&cache, 1)).peek().await.expect("cached");
    assert_eq!(other, Some(1));
}

#[tokio::test]
async fn entries_may_live_in_other_caches() {
    #[invalidates(tags = ["page:2"], entries = [there.page(1)], cache = here.cache)]
    async fn both(here: &Shop, there: &Shop) {}

    let (here, there) = (Shop::new(), Shop::new());
    here.fill().await;
    there.fill().await;
    both(&here, &there).await;
    assert_eq!(here.cached().await, [true, false, true]);
    assert_eq!(there.cached().await, [false, true, true]);
    assert_eq!((here.records(), there.records()), (1, 1));
}

#[tokio::test]
async fn an_alias_of_result_is_a_result() {
    type Outcome<T> = Result<T, &'static str>;

    #[invalidates(tags = ["page:1"], cache = shop.cache)]
    async fn aliased(shop: &Shop, end: End) -> Outcome<()> {
        end.come()
    }

    let shop = Shop::new();
    shop.fill().await;
    aliased(&shop, End::Badly).await.expect_err("by design");
    assert_eq!(shop.cached().await, [true; 3]);
    aliased(&shop, End::Well).await.expect("by design");
    assert_eq!(shop.cached().await, [false, true, true]);
}

#[tokio::test]
async fn targets_are_named_before_the_body_takes_the_arguments() {
    #[invalidates(tags = ["page:{name}"], cache = shop.cache)]
    async fn consuming(shop: &Shop, name: String) {
        drop(name);
    }

    let shop = Shop::new();
    shop.fill().await;
    consuming(&shop, "2".to_owned()).await;
    assert_eq!(shop.cached().await, [true, false, true]);
}

#[tokio::test]
async fn a_type_without_a_name_counts_as_a_success() {
    #[invalidates(tags = ["page:1"], cache = shop.cache)]
    async fn shown(shop: &Shop, id: u32) -> impl Display {
        if id == 0 {
            return "none".to_owned();
        }
        id.to_string()
    }

    #[invalidates(tags = ["page:2"], cache = shop.cache)]
    fn shown_sync<'a>(shop: &Shop, ids: &'a [u32]) -> impl Iterator<Item = &'a u32> + use<'a> {
        ids.iter()
    }

    let shop = Shop::new();
    shop.fill().await;
    assert_eq!(shown(&shop, 0).await.to_string(), "none");
    assert_eq!(shop.cached().await, [false, true, true]);
    assert_eq!(shown_sync(&shop, &[4]).collect::<Vec<_>>(), [&4]);
    assert_eq!(shop.cached().await, [false, false, true]);
}

#[tokio::test]
async fn a_result_of_a_type_without_a_name_is_a_result() {
    #[invalidates(tags = ["page:1"], cache = shop.cache)]
    async fn shown(shop: &Shop, end: End) -> Result<impl Display, &'static str> {
        end.come()?;
        Ok("shown")
    }

    #[invalidates(tags = ["page:2"], cache = shop.cache)]
    fn shown_sync(shop: &Shop, end: End) -> Result<(u32, Option<impl Display>), &'static str> {
        end.come()?;
        Ok((1, Some("shown")))
    }

    let shop = Shop::new();
    shop.fill().await;
    assert!(shown(&shop, End::Badly).await.is_err());
    assert!(shown_sync(&shop, End::Badly).is_err());
    assert_eq!(shop.cached().await, [true; 3]);
    assert!(shown(&shop, End::Well).await.is_ok());
    assert_eq!(shop.cached().await, [false, true, true]);
    assert!(shown_sync(&shop, End::Well).is_ok());
    assert_eq!(shop.cached().await, [false, false, true]);
}

#[tokio::test]
async fn what_is_behind_a_type_without_a_name_is_asked_for_its_tags() {
    #[invalidates(result_tags = |id| ["page:{id}"], cache = shop.cache)]
    async fn shown(shop: &Shop, id: u32) -> impl Display {
        id
    }

    #[invalidates(result_tags = |id| [format!("page:{}", id.trim())], cache = shop.cache)]
    fn shown_sync(shop: &Shop, id: &str) -> Result<impl Display + use<>, &'static str> {
        id.parse::<u32>().map_err(|_| "no number")?;
        Ok(id.to_owned())
    }

    let shop = Shop::new();
    shop.fill().await;
    shown(&shop, 1).await;
    assert_eq!(shop.cached().await, [false, true, true]);
    assert!(shown_sync(&shop, "two").is_err());
    assert!(shown_sync(&shop, "2").is_ok());
    assert_eq!(shop.cached().await, [false, false, true]);
}
