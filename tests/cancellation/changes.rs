//! Mutations and invalidations: each changes the source, of which everyone has a value.

use afresh::entry;

use super::{CALL, Value, stored};
use crate::shop::{
    change, change_always, change_before, change_by_result, change_entry, change_safely,
    change_safely_or_not_at_all, fails, fails_safely, flown,
};
use crate::stage::{Does, Scene};

const CHANGE: Scene = Scene {
    before: stored,
    run: run!(|cache, source, id| change(&cache, &source, id).await),
    read: read!(flown),
    does: Does::Changes,
    calls: 0,
    operations: 1,
    ..CALL
};

/// The same, by hand and without a body.
const INVALIDATION: Scene = Scene {
    awaits: 0,
    ..CHANGE
};

pub(crate) const CHANGES: &[Scene] = &[
    Scene {
        name: "a mutation",
        ..CHANGE
    },
    Scene {
        name: "a mutation, with tags of its result",
        run: run!(|cache, source, id| change_by_result(&cache, &source, id).await),
        ..CHANGE
    },
    Scene {
        name: "a mutation that always invalidates",
        run: run!(|cache, source, id| change_always(&cache, &source, id).await),
        ..CHANGE
    },
    Scene {
        name: "a mutation that invalidates before",
        run: run!(|cache, source, id| change_before(&cache, &source, id).await),
        ..CHANGE
    },
    Scene {
        name: "a mutation of an entry",
        run: run!(|cache, source, id| change_entry(&cache, &source, &id).await),
        ..CHANGE
    },
    Scene {
        name: "a mutation that fails",
        run: run!(|cache, source, id| fails(&cache, &source, id).await),
        does: Does::GivesUp,
        operations: 0,
        ..CHANGE
    },
    Scene {
        name: "a crash-safe mutation",
        run: run!(|cache, source, id| change_safely(&cache, &source, id).await),
        operations: 2,
        ..CHANGE
    },
    Scene {
        name: "a mutation that is crash-safe or nothing",
        run: run!(|cache, source, id| change_safely_or_not_at_all(&cache, &source, id).await),
        operations: 2,
        ..CHANGE
    },
    Scene {
        name: "a crash-safe mutation that fails",
        run: run!(|cache, source, id| fails_safely(&cache, &source, id).await),
        operations: 2,
        awaits: 1,
        ..CHANGE
    },
    Scene {
        name: "tags",
        run: run!(|cache, source, id| {
            source.write();
            cache.invalidate([format!("item:{id}")]).await
        }),
        ..INVALIDATION
    },
    Scene {
        name: "a namespace",
        run: run!(|cache, source, id| {
            let _ = id;
            source.write();
            cache.invalidate_namespace("flown").await
        }),
        ..INVALIDATION
    },
    Scene {
        name: "everything",
        run: run!(|cache, source, id| {
            let _ = id;
            source.write();
            cache.invalidate_all().await
        }),
        ..INVALIDATION
    },
    Scene {
        name: "an entry",
        run: run!(|cache, source, id| {
            source.write();
            entry(flown(&cache, &source, id)).invalidate().await
        }),
        ..INVALIDATION
    },
];
