//! The operations on one entry, but its invalidation.

use afresh::entry;

use super::{CALL, Value, stored, stored_elsewhere};
use crate::shop::{flown, plain};
use crate::stage::{Does, Scene};

const ENTRY: Scene = Scene {
    before: stored,
    run: run!(|cache, source, id| entry(flown(&cache, &source, id)).key().await),
    read: read!(flown),
    calls: 0,
    awaits: 0,
    ..CALL
};

pub(crate) const ENTRIES: &[Scene] = &[
    Scene {
        name: "a key",
        ..ENTRY
    },
    Scene {
        name: "a peek",
        before: stored_elsewhere,
        run: run!(|cache, source, id| entry(flown(&cache, &source, id)).peek().await),
        operations: 0,
        ..ENTRY
    },
    Scene {
        name: "a put",
        run: run!(|cache, source, id| {
            source.write();
            let value = source.value();
            entry(flown(&cache, &source, id)).put(value).await
        }),
        does: Does::Replaces,
        operations: 2,
        ..ENTRY
    },
    Scene {
        name: "a put where there is nothing",
        before: super::nothing,
        run: run!(|cache, source, id| {
            let value = source.value();
            entry(plain(&cache, &source, id)).put(value).await
        }),
        read: read!(plain),
        does: Does::Replaces,
        operations: 2,
        ..ENTRY
    },
    Scene {
        name: "a refresh",
        run: run!(|cache, source, id| {
            source.write();
            entry(flown(&cache, &source, id)).refresh().await
        }),
        does: Does::Replaces,
        calls: 1,
        awaits: 2,
        operations: 2,
        ..ENTRY
    },
];
