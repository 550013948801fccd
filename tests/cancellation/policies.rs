//! Calls of functions with a policy: what is due, stale, late; and what goes on behind them.

use super::{CALL, Value, due, late, led, released, stale, stale_and_late};
use crate::shop::{ahead, fail_safe, hard, soft, stale_for};
use crate::stage::Scene;

/// A call that is answered at once, and leaves a compute in the background.
const BEHIND: Scene = Scene {
    before: stale,
    run: run!(|cache, source, id| stale_for(&cache, &source, id).await),
    read: read!(stale_for),
    awaits: 0,
    behind: true,
    ..CALL
};

pub(crate) const POLICIES: &[Scene] = &[
    Scene {
        name: "a miss, with stale_for",
        run: run!(|cache, source, id| stale_for(&cache, &source, id).await),
        read: read!(stale_for),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a follower, with stale_for",
        before: led,
        run: run!(|cache, source, id| stale_for(&cache, &source, id).await),
        goes_on: released,
        read: read!(stale_for),
        awaits: 1,
        ..CALL
    },
    Scene {
        name: "a stale value, with stale_for",
        ..BEHIND
    },
    Scene {
        name: "a value that is due",
        before: due,
        run: run!(|cache, source, id| ahead(&cache, &source, id).await),
        read: read!(ahead),
        ..BEHIND
    },
    Scene {
        name: "a stale value, with stale_if_error",
        before: stale,
        run: run!(|cache, source, id| fail_safe(&cache, &source, id).await),
        read: read!(fail_safe),
        operations: 3,
        ..CALL
    },
    Scene {
        name: "a stale value, and a soft timeout",
        before: stale_and_late,
        run: run!(|cache, source, id| soft(&cache, &source, id).await),
        read: read!(soft),
        awaits: 1,
        operations: 2,
        ..BEHIND
    },
    Scene {
        name: "a hard timeout",
        before: late,
        run: run!(|cache, source, id| hard(&cache, &source, id).await),
        read: read!(hard),
        awaits: 1,
        operations: 2,
        ..BEHIND
    },
];
