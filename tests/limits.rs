//! Bad input, and the bounds of the local tier: what cannot work is refused or reported, and
//! nothing panics.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afresh::testing::ManualClock;
use afresh::{
    Builder, Cache, ErrorKind, Event, Outcome, Tier, cached, entry, invalidates, outcome,
};

/// A cache that writes down the faults it reports.
async fn observed(builder: Builder) -> (Cache, Arc<Mutex<Vec<String>>>) {
    let faults = Arc::new(Mutex::new(Vec::new()));
    let seen = faults.clone();
    let builder = builder.observer(move |event: &Event<'_>| {
        if let Event::Fault { error, .. } = event {
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
            seen.lock().expect("no panic").push(error.to_string());
        }
    });
    (builder.build().await.expect("in memory"), faults)
}

/// Asserts that exactly one fault was reported, with these words.
fn is_one(faults: &Mutex<Vec<String>>, words: &[&str]) {
    let faults = faults.lock().expect("no panic");
    let [fault] = &faults[..] else {
        panic!("reported: {faults:?}");
    };
    for word in words {
        assert!(fault.contains(word), "{word:?} in {fault}");
    }
}

#[tokio::test]
async fn an_empty_tag_or_namespace_is_refused() {
    #[cached(ttl = 60, key = (), tags = ["a"], cache = cache)]
    async fn tagged(cache: &Cache) {}

    let cache = Cache::in_memory();
    tagged(&cache).await;
    let refused = [
        cache.invalidate([""]).await,
        cache.invalidate(["a", ""]).await,
        cache.invalidate_namespace("").await,
    ];
    for refused in refused {
        assert_eq!(refused.expect_err("empty").kind(), ErrorKind::Config);
    }
    assert_eq!(cache.stats().invalidations, 0);
    let hit = outcome(tagged(&cache)).await.1;
    assert_eq!(hit, Outcome::Hit(Tier::Local), "nothing was invalidated");
}

#[tokio::test]
async fn what_carries_an_empty_tag_is_not_stored_and_reported_once() {
    #[cached(ttl = 60, key = "{tag}", tags = ["good", tag], cache = cache)]
    async fn tagged(cache: &Cache, tag: &str) {}

    let (cache, faults) = observed(Cache::builder()).await;
    for _ in 0..2 {
        assert_eq!(outcome(tagged(&cache, "")).await.1, Outcome::Computed);
    }
    is_one(&faults, &["`tagged`", "limits.rs", "tag is empty"]);
    tagged(&cache, "b").await;
    let hit = outcome(tagged(&cache, "b")).await.1;
    assert_eq!(hit, Outcome::Hit(Tier::Local));
}

#[tokio::test]
async fn a_mutation_with_an_empty_tag_invalidates_the_others_and_is_reported() {
    #[cached(ttl = 60, key = (), tags = ["a"], cache = cache)]
    async fn tagged(cache: &Cache) {}
    #[invalidates(tags = ["a", tag], cache = cache)]
    async fn change(cache: &Cache, tag: &str) {}

    let (cache, faults) = observed(Cache::builder()).await;
    tagged(&cache).await;
    change(&cache, "").await;
    is_one(&faults, &["`change`", "limits.rs", "tag is empty"]);
    assert_eq!(outcome(tagged(&cache)).await.1, Outcome::Computed);
}

#[tokio::test]
async fn too_many_tags_at_once_are_refused_or_are_everything() {
    const MOST: usize = 8_192;

    #[cached(ttl = 60, key = (), tags = ["one"], cache = cache)]
    async fn named(cache: &Cache) {}

    #[cached(ttl = 60, key = (), tags = ["other"], cache = cache)]
    async fn not_named(cache: &Cache) {}

    #[invalidates(tags = tags.to_vec(), cache = cache)]
    async fn change(cache: &Cache, tags: &[String]) {}

    let (cache, faults) = observed(Cache::builder()).await;
    let both_are = async |how| {
        assert_eq!(outcome(named(&cache)).await.1, how);
        assert_eq!(outcome(not_named(&cache)).await.1, how);
    };
    let many: Vec<_> = (1..MOST).map(|n| n.to_string()).collect();
    let most: Vec<_> = [vec!["one".to_owned()], many].concat();
    let more: Vec<_> = [most.clone(), vec!["more".to_owned()]].concat();
    both_are(Outcome::Computed).await;
    let refused = cache.invalidate(&more).await.expect_err("too many");
    assert_eq!(refused.kind(), ErrorKind::Config);
    assert!(refused.to_string().contains("8192"), "{refused}");
    both_are(Outcome::Hit(Tier::Local)).await;
    cache.invalidate(&most).await.expect("as many as may be");
    assert_eq!(outcome(named(&cache)).await.1, Outcome::Computed);
    both_are(Outcome::Hit(Tier::Local)).await;
    change(&cache, &most).await;
    assert_eq!(outcome(named(&cache)).await.1, Outcome::Computed);
    both_are(Outcome::Hit(Tier::Local)).await;
    // Its body has run.
    change(&cache, &more).await;
    both_are(Outcome::Computed).await;
    assert!(faults.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn without_any_ttl_nothing_is_stored_and_that_is_reported_once() {
    #[cached(key = (), cache = cache)]
    async fn timeless(cache: &Cache) {}

    let (cache, faults) = observed(Cache::builder()).await;
    for _ in 0..2 {
        assert_eq!(outcome(timeless(&cache)).await.1, Outcome::Computed);
    }
    is_one(&faults, &["`timeless`", "`ttl`", "`default_ttl`"]);
    let put = entry(timeless(&cache)).put(()).await;
    assert_eq!(put.expect_err("no ttl").kind(), ErrorKind::Refused);
}

/// In `entries`, a future that is no cached call.
mod misused {
    use super::*;

    async fn plain() {
        std::future::ready(()).await;
    }

    #[invalidates(tags = ["a"], entries = [plain()], cache = cache)]
    async fn change(cache: &Cache) {}

    #[tokio::test]
    #[cfg_attr(
        debug_assertions,
        should_panic(expected = "not a call of a cached async function")
    )]
    async fn is_a_panic_in_debug_builds() {
        let (cache, faults) = observed(Cache::builder()).await;
        change(&cache).await;
        is_one(&faults, &["`change`", "`entries`"]);
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_by_name() {
    let zero = Duration::ZERO;
    // What to write instead; or, where no URL would do, which feature is missing.
    let url = if cfg!(feature = "redis") {
        "`redis://"
    } else {
        "feature `redis`"
    };
    let builders = [
        (
            "`clock` with `url`",
            Cache::builder()
                .url("redis://localhost")
                .clock(&ManualClock::new()),
        ),
        ("`local_capacity`", Cache::builder().local_capacity(0)),
        ("`local_bytes`", Cache::builder().local_bytes(0)),
        ("`default_ttl`", Cache::builder().default_ttl(zero)),
        ("`max_ttl`", Cache::builder().max_ttl(zero)),
        ("`op_timeout`", Cache::builder().op_timeout(zero)),
        ("`local(false)`", Cache::builder().local(false)),
        (url, Cache::builder().url("")),
        (url, Cache::builder().url("http://localhost")),
    ];
    for (name, builder) in builders {
        let error = builder.build().await.expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(!error.is_transient());
        assert!(error.to_string().contains(name), "{name}: {error}");
    }
}

#[cached(ttl = 60, key = "{id}", cache = cache)]
async fn number(cache: &Cache, id: usize) -> usize {
    id
}

#[tokio::test]
async fn the_local_tier_holds_no_more_than_it_may() {
    for capacity in [1, 7, 64, 1_000] {
        let cache = Cache::builder().local_capacity(capacity).build().await;
        let cache = cache.expect("in memory");
        for id in 0..3_000 {
            assert_eq!(number(&cache, id).await, id);
        }
        let entries = cache.stats().local_entries as usize;
        assert!(entries > 0, "{capacity}");
        // Shards are of equal size, so the bound is rounded up by less than one entry each.
        assert!(entries <= capacity + 64, "{entries} of {capacity}");
    }
}

#[tokio::test]
async fn the_local_tier_takes_no_more_bytes_than_it_may() {
    #[cached(ttl = 60, key = "{id}", cache = cache)]
    async fn page(cache: &Cache, id: usize) -> [[u64; 16]; 8] {
        [[id as u64; 16]; 8]
    }

    let cache = Cache::builder().local_bytes(64 << 10).build().await;
    let cache = cache.expect("in memory");
    for id in 0..500 {
        page(&cache, id).await;
    }
    let entries = cache.stats().local_entries;
    assert!((1..=64).contains(&entries), "{entries} of a kilobyte each");
}

/// Runs one of this file's tests in a process of its own, because it has to be the first to use the
/// process-wide cache. True in that process.
fn in_own_process(test: &str) -> bool {
    const MARK: &str = "AFRESH_TEST_OWN_PROCESS";
    if std::env::var(MARK).is_ok_and(|of| of == test) {
        return true;
    }
    let output = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test])
        .env(MARK, test)
        .env_remove("AFRESH_URL")
        .env_remove("AFRESH_DISABLE")
        .output()
        .expect("this test runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
    false
}

#[cached(ttl = 60, key = ())]
async fn installed() {}

#[tokio::test]
async fn a_default_is_installed_once() {
    if in_own_process("a_default_is_installed_once") {
        let cache = Cache::in_memory();
        cache.clone().install().expect("the first");
        let second = Cache::in_memory().install().expect_err("the second");
        assert_eq!(second.kind(), ErrorKind::Config);
        installed().await;
        assert_eq!(cache.stats().computed, 1);
        assert_eq!(Cache::global().stats().computed, 1);
    }
}

#[tokio::test]
async fn once_a_default_was_used_none_is_installed() {
    if in_own_process("once_a_default_was_used_none_is_installed") {
        installed().await;
        let late = Cache::in_memory().install().expect_err("too late");
        assert_eq!(late.kind(), ErrorKind::Config);
        assert!(late.to_string().contains("`install()`"), "{late}");
        assert_eq!(Cache::global().stats().computed, 1);
    }
}
