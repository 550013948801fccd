//! Numbers by chance, to spread moments in time. Quick, and no secret: tokens and seeds come from the
//! operating system.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A number above 0 and up to 1.
pub(crate) fn share() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8) | 1);
    }
    let state = STATE.try_with(|state| {
        state.set(following(state.get()));
        state.get()
    });
    // The thread's locals may be gone already.
    share_of(state.unwrap_or(u64::MAX))
}

/// Numbers that look like chance and are the same in each run, for tests.
#[derive(Debug)]
pub(crate) struct Sequence(AtomicU64);

impl Sequence {
    /// The next one, above 0 and up to 1.
    pub(crate) fn share(&self) -> f64 {
        let next = |state| Some(following(state));
        // Told `Some` each time, it cannot fail.
        let (Ok(state) | Err(state)) =
            self.0
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        share_of(following(state))
    }
}

impl Default for Sequence {
    fn default() -> Self {
        // As good as any number but zero.
        Self(AtomicU64::new(0x9E37_79B9_7F4A_7C15))
    }
}

/// xorshift64*: never zero if it did not begin there.
fn following(mut bits: u64) -> u64 {
    bits ^= bits >> 12;
    bits ^= bits << 25;
    bits ^ (bits >> 27)
}

#[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
fn share_of(state: u64) -> f64 {
    let bits = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
    ((bits >> 11) + 1) as f64 / (1_u64 << 53) as f64
}

/// Of a share, a number from 0 on with a mean of 1, the larger the rarer: what the time to the first
/// of many independent events is like.
pub(crate) fn exponential(share: f64) -> f64 {
    -share.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_spread(mut share: impl FnMut() -> f64) {
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            let share = share();
            assert!(share > 0.0 && share <= 1.0, "{share}");
            #[expect(clippy::cast_sign_loss, reason = "it is above zero")]
            let tenth = (share * 10.0).ceil() as usize - 1;
            tenths[tenth] += 1;
        }
        assert!(tenths.iter().all(|&count| count > 500), "{tenths:?}");
    }

    #[test]
    fn shares_are_spread_over_their_range() {
        are_spread(share);
        let sequence = Sequence::default();
        are_spread(|| sequence.share());
    }

    #[test]
    fn a_sequence_is_the_same_in_each_run() {
        let [one, other] = [Sequence::default(), Sequence::default()];
        let first = one.share();
        assert_eq!(first.to_bits(), other.share().to_bits());
        assert_ne!(first.to_bits(), one.share().to_bits());
    }

    #[test]
    fn exponential_numbers_have_a_mean_of_one() {
        let sum: f64 = (0..20_000).map(|_| exponential(share())).sum();
        assert!((sum / 20_000.0 - 1.0).abs() < 0.1, "{sum}");
    }
}
