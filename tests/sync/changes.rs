//! What becomes of stored values: those that are not stored, those that mutations invalidate, and
//! those that an invalidation has overtaken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use afresh::{cached, invalidates};

use crate::world::{Caller, World, await_waiting, block_on};

#[cached(ttl = 60, key = "{id}", tags = ["rows", "row:{id}"], singleflight, cache = world.cache)]
fn row(world: &World, id: usize) -> usize {
    world.run() * 10 + id
}

/// Whether a call of the row is a hit; it is one afterwards.
fn is_cached(world: &World, id: usize) -> bool {
    let before = world.runs();
    row(world, id);
    world.runs() == before
}

#[test]
fn what_is_not_to_be_stored_is_not() {
    #[cached(ttl = 60, key = (fails, id), store_if = |value| *value > id, cache = world.cache)]
    fn judged(world: &World, fails: bool, id: usize) -> Result<usize, String> {
        let run = world.run();
        if fails {
            return Err(format!("run {run}"));
        }
        Ok(run)
    }

    let world = crate::in_memory();
    assert_eq!(judged(&world, true, 0), Err("run 1".to_owned()));
    assert_eq!(judged(&world, true, 0), Err("run 2".to_owned()));
    assert_eq!(judged(&world, false, 3), Ok(3), "not above");
    assert_eq!(judged(&world, false, 3), Ok(4));
    assert_eq!(judged(&world, false, 3), Ok(4), "stored");
    assert_eq!(world.cache.stats().stored, 1);
}

#[test]
fn tags_of_the_value_invalidate_it() {
    #[cached(ttl = 60, key = "{id}", result_tags = |value| ["by:{value.1}:{id}"], cache = world.cache)]
    fn tagged(world: &World, id: usize) -> (usize, String) {
        (world.run(), "me".to_owned())
    }

    let world = crate::in_memory();
    tagged(&world, 1);
    tagged(&world, 2);
    block_on(world.cache.invalidate(["by:me:1"])).expect("in memory");
    assert_eq!(tagged(&world, 1).0, 3);
    assert_eq!(tagged(&world, 2).0, 2);
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Well,
    Badly,
    Panic,
}

impl End {
    fn come(self, world: &World) -> Result<usize, String> {
        match self {
            Self::Well => Ok(1),
            Self::Badly => Err("no".to_owned()),
            Self::Panic => panic!("after {} runs", world.runs()),
        }
    }
}

#[invalidates(tags = ["row:1"], cache = world.cache)]
fn on_success(world: &World, end: End) -> Result<usize, String> {
    assert!(is_cached(world, 1), "the body runs before");
    end.come(world)
}

#[invalidates(tags = ["row:1"], when = always, cache = world.cache)]
fn always(world: &World, end: End) -> Result<usize, String> {
    assert!(is_cached(world, 1), "the body runs before");
    end.come(world)
}

#[invalidates(tags = ["row:1"], when = before, cache = world.cache)]
fn before(world: &World, end: End) -> Result<usize, String> {
    assert!(!is_cached(world, 1), "the body runs after");
    end.come(world)
}

#[invalidates(result_tags = |value| ["row:{value}"], cache = world.cache)]
fn by_value(world: &World, end: End) -> Result<usize, String> {
    end.come(world)
}

#[invalidates(tags = ["row:1"], crash_safe, cache = world.cache)]
fn crash_safe(world: &World, end: End) -> Result<usize, String> {
    end.come(world)
}

#[test]
fn mutations_invalidate_as_they_say() {
    use End::{Badly, Panic, Well};
    type Change = fn(&World, End) -> Result<usize, String>;
    let changes: [(&str, Change, &[End]); 5] = [
        ("on success", on_success, &[Well, Panic]),
        ("always", always, &[Well, Badly, Panic]),
        // What the body stored after the invalidation stays.
        ("before", before, &[]),
        ("by its value", by_value, &[Well]),
        ("crash safe", crash_safe, &[Well, Badly, Panic]),
    ];
    for (name, change, invalidating) in changes {
        for end in [Well, Badly, Panic] {
            let world = crate::in_memory();
            row(&world, 1);
            row(&world, 2);
            let came = catch_unwind(AssertUnwindSafe(|| change(&world, end)));
            assert_eq!(came.is_err(), end == Panic, "{name}");
            let was_invalidated = !is_cached(&world, 1);
            assert_eq!(
                was_invalidated,
                invalidating.contains(&end),
                "{name}, {end:?}"
            );
            assert!(is_cached(&world, 2), "{name}, {end:?}");
        }
    }
}

#[test]
fn one_step_for_all_that_a_mutation_names() {
    #[cached(ttl = 60, key = "{id}", cache = world.cache)]
    async fn page(world: &World, id: usize) -> usize {
        world.run() + id
    }

    #[invalidates(
        tags = ["rows"],
        entries = [page(world, id)],
        namespaces = ["shelf"],
        cache = world.cache
    )]
    fn change(world: &World, id: usize) -> usize {
        world.runs()
    }

    #[cached(ttl = 60, key = (), namespace = "shelf", cache = world.cache)]
    fn shelf(world: &World) -> usize {
        world.run()
    }

    let world = crate::in_memory();
    let all = || {
        (
            row(&world, 1),
            block_on(page(&world, 1)),
            block_on(page(&world, 2)),
            shelf(&world),
        )
    };
    let before = all();
    assert_eq!(all(), before);
    let invalidated = world.cache.stats().invalidations;
    assert_eq!(change(&world, 1), 4, "bodies of `entries` do not run");
    assert_eq!(world.cache.stats().invalidations, invalidated + 1);
    let after = all();
    assert_ne!((after.0, after.1, after.3), (before.0, before.1, before.3));
    assert_eq!(after.2, before.2, "the other page");
}

/// A compute that an invalidation overtakes answers those who waited for it, and nobody after.
#[test]
fn an_invalidation_overtakes_a_compute() {
    #[cached(ttl = 60, key = (), tags = ["slow"], singleflight, cache = world.cache)]
    fn slow(world: &World) -> usize {
        world.body()
    }

    #[invalidates(tags = ["slow"], cache = world.cache)]
    fn change(world: &World) {}

    let world = crate::in_memory();
    let call = || {
        let world = Arc::clone(&world);
        Caller::start(move || slow(&world))
    };
    let leader = call();
    world.await_runs(1);
    let earlier = call();
    await_waiting(std::slice::from_ref(&earlier));
    change(&world);
    let later = call();
    world.await_runs(2);
    world.gate.open(2);
    let (leader, earlier) = (leader.value(), earlier.value());
    let later = later.value();
    assert_eq!((leader.min(later), leader.max(later)), (1, 2));
    assert_eq!(earlier, leader);
    assert_eq!(slow(&world), later);
}
