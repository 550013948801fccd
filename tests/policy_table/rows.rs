//! The rows of the table: no policy, each alone, and every pair of them.

use std::time::Duration;

use crate::cell::Cell;
use crate::shop::{FLEETING, price};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// How long every value is fresh, but for a tenth by chance where there is `jitter`.
pub(crate) const TTL: Duration = secs(600);
pub(crate) const STALE_FOR: Duration = secs(1_200);
pub(crate) const STALE_IF_ERROR: Duration = secs(3_000);
/// Less than how long a silent server's view is believed: a value past its ttl is served where it is
/// known not to have been invalidated, and nowhere else.
pub(crate) const SOFT: Duration = secs(1);
pub(crate) const HARD: Duration = secs(30);
/// The longest wait of a first failure, with the option or without.
pub(crate) const BACKOFF: Duration = secs(60);

/// The ttl of a value, where that is a closure.
pub(crate) fn ttl_of(value: u32) -> Duration {
    if price(value) == FLEETING {
        Duration::ZERO
    } else {
        TTL
    }
}

/// A policy of these settings.
macro_rules! policy {
    ($($setting:ident)+) => {
        policy!(@ afresh::Policy::new(); $($setting)+)
    };
    (@ $policy:expr;) => { $policy };
    (@ $policy:expr; stale_for $($rest:tt)*) => {
        policy!(@ $policy.stale_for(crate::rows::STALE_FOR); $($rest)*)
    };
    (@ $policy:expr; stale_if_error $($rest:tt)*) => {
        policy!(@ $policy.stale_if_error(crate::rows::STALE_IF_ERROR); $($rest)*)
    };
    (@ $policy:expr; refresh_ahead $($rest:tt)*) => {
        policy!(@ $policy.refresh_ahead(0.5); $($rest)*)
    };
    (@ $policy:expr; soft_timeout $($rest:tt)*) => {
        policy!(@ $policy.soft_timeout(crate::rows::SOFT); $($rest)*)
    };
    (@ $policy:expr; hard_timeout $($rest:tt)*) => {
        policy!(@ $policy.hard_timeout(crate::rows::HARD); $($rest)*)
    };
    (@ $policy:expr; jitter $($rest:tt)*) => {
        policy!(@ $policy.jitter(0.1); $($rest)*)
    };
    (@ $policy:expr; backoff $($rest:tt)*) => {
        policy!(@ $policy.backoff(crate::rows::BACKOFF, crate::rows::BACKOFF); $($rest)*)
    };
}
pub(crate) use policy;

/// Every async function: of each row, every column. A `soft_timeout` serves what `stale_if_error`
/// allows, so it is nowhere without; and the two together are no row of their own.
mod every {
    use crate::cell::rows;
    use crate::columns::columns;

    rows! {
        columns:
        none;

        stale_for = stale_for;
        stale_if_error = stale_if_error;
        refresh_ahead = refresh_ahead;
        soft_timeout = stale_if_error soft_timeout;
        hard_timeout = hard_timeout;
        jitter = jitter;
        backoff = backoff;

        stale_for_stale_if_error = stale_for stale_if_error;
        stale_for_refresh_ahead = stale_for refresh_ahead;
        stale_for_soft_timeout = stale_if_error stale_for soft_timeout;
        stale_for_hard_timeout = stale_for hard_timeout;
        stale_for_jitter = stale_for jitter;
        stale_for_backoff = stale_for backoff;

        stale_if_error_refresh_ahead = stale_if_error refresh_ahead;
        stale_if_error_hard_timeout = stale_if_error hard_timeout;
        stale_if_error_jitter = stale_if_error jitter;
        stale_if_error_backoff = stale_if_error backoff;

        refresh_ahead_soft_timeout = stale_if_error refresh_ahead soft_timeout;
        refresh_ahead_hard_timeout = refresh_ahead hard_timeout;
        refresh_ahead_jitter = refresh_ahead jitter;
        refresh_ahead_backoff = refresh_ahead backoff;

        soft_timeout_hard_timeout = stale_if_error soft_timeout hard_timeout;
        soft_timeout_jitter = stale_if_error soft_timeout jitter;
        soft_timeout_backoff = stale_if_error soft_timeout backoff;

        hard_timeout_jitter = hard_timeout jitter;
        hard_timeout_backoff = hard_timeout backoff;

        jitter_backoff = jitter backoff;
    }
}

/// Other shapes of functions, with each policy alone.
mod shaped {
    use crate::cell::rows;
    use crate::shapes::shapes;

    rows! {
        shapes:
        none;
        stale_for = stale_for;
        stale_if_error = stale_if_error;
        refresh_ahead = refresh_ahead;
        soft_timeout = stale_if_error soft_timeout;
        hard_timeout = hard_timeout;
        jitter = jitter;
        backoff = backoff;
    }
}

/// Functions that are not async, with the policies that they may have.
mod sync {
    use crate::blocking::blocking;
    use crate::cell::rows;

    rows! {
        blocking:
        none;
        stale_if_error = stale_if_error;
        jitter = jitter;
        backoff = backoff;
        stale_if_error_jitter = stale_if_error jitter;
        stale_if_error_backoff = stale_if_error backoff;
        jitter_backoff = jitter backoff;
    }
}

pub(crate) fn cells() -> Vec<Cell> {
    [every::cells(), shaped::cells(), sync::cells()].concat()
}
