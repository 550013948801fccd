//! Numbers by chance, to spread moments in time. Quick, and no secret: tokens and seeds come from the
//! operating system.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

/// A number above 0 and up to 1.
pub(crate) fn share() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0_u8) | 1);
    }
    // xorshift64*: never zero if it did not begin there.
    let next = STATE.try_with(|state| {
        let mut bits = state.get();
        bits ^= bits >> 12;
        bits ^= bits << 25;
        bits ^= bits >> 27;
        state.set(bits);
        bits.wrapping_mul(0x2545_F491_4F6C_DD1D)
    });
    // 53 bits fit exactly; the thread's locals may be gone already.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds")]
    let share = ((next.unwrap_or(u64::MAX) >> 11) + 1) as f64 / (1_u64 << 53) as f64;
    share
}

/// A number from 0 on with a mean of 1, the larger the rarer: what the time to the first of many
/// independent events is like.
pub(crate) fn exponential() -> f64 {
    -share().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_spread_over_their_range() {
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
    fn exponential_numbers_have_a_mean_of_one() {
        let sum: f64 = (0..20_000).map(|_| exponential()).sum();
        assert!((sum / 20_000.0 - 1.0).abs() < 0.1, "{sum}");
    }
}
