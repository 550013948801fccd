//! How long a value is good for, from its ttl and what the policy makes of that: worked out once, when
//! it is stored, for both tiers.

use std::time::Duration;

use super::Call;
use crate::chance;
use crate::clock::{Clock, Millis, millis};
use crate::local::Term;

/// How long a value is good for, in milliseconds from now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    /// Until it is to be computed anew, ahead of its end: no longer than `fresh`.
    pub(super) due: Millis,
    /// Until it is stale.
    pub(super) fresh: Millis,
    /// Until it is of no use any more.
    pub(super) total: Millis,
    /// How long the compute took, in microseconds.
    pub(super) compute_micros: u32,
}

/// How much earlier this process computes anew, by chance: a fleet that knows one value would do so
/// at one moment otherwise, and the longer it takes, the earlier one must begin. (As `XFetch` does, but drawn once
/// for each value instead of at each look-up.) No more than half of the time until it is due anyway: a
/// value is there to be used.
pub(super) fn ahead(compute_micros: u32, clock: &Clock) -> Millis {
    let by = chance::exponential(clock.share());
    scaled(Millis::from(compute_micros) / 1_000, by)
}

/// A time multiplied.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a time to live is far below 2^53 ms, and neither factor is negative"
)]
fn scaled(time: Millis, by: f64) -> Millis {
    (time as f64 * by) as Millis
}

impl Call {
    pub(super) fn lifetime(&self) -> Lifetime {
        *self.lifetime.get_or_init(|| self.live())
    }

    fn live(&self) -> Lifetime {
        let longest = millis(self.inner().max_ttl);
        let ttl = millis(self.ttl.unwrap_or_default());
        // What was put was not computed.
        let took = match self.started {
            0 => 0,
            started => self.inner().clock.now().saturating_sub(started),
        };
        let compute_micros = u32::try_from(took.saturating_mul(1_000)).unwrap_or(u32::MAX);
        let Some(rules) = self.rules() else {
            let fresh = ttl.min(longest);
            return Lifetime {
                due: fresh,
                fresh,
                total: fresh,
                compute_micros,
            };
        };
        let mut fresh = ttl.min(longest);
        if rules.jitter > 0.0 {
            let by = 1.0 + rules.jitter * (2.0 * self.inner().clock.share() - 1.0);
            // What is stored at all lives for a moment.
            fresh = scaled(fresh, by).max(1);
        }
        fresh = fresh.min(longest);
        let due = rules
            .refresh_ahead
            .map_or(fresh, |part| scaled(fresh, part));
        Lifetime {
            due,
            fresh,
            total: (fresh + millis(rules.grace())).min(longest),
            compute_micros,
        }
    }

    /// How long what is stored now is good for in this process.
    pub(super) fn term(&self) -> Term {
        let clock = &self.inner().clock;
        let now = clock.now();
        let Lifetime {
            due,
            fresh,
            total,
            compute_micros,
        } = self.lifetime();
        let mut moment = due;
        if due < fresh {
            moment -= ahead(compute_micros, clock).min(due / 2);
        }
        Term {
            due: now + moment,
            expires: now + fresh,
            ends: now + total,
        }
    }

    /// How long a server keeps what is stored now.
    pub(super) fn kept_for(&self) -> Duration {
        Duration::from_millis(self.lifetime().total)
    }
}
