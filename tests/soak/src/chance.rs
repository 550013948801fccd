//! Chance, from a seed: `SplitMix64`, one sequence for each task. The same seed gives the same
//! sequence; how the tasks take turns is left to the machine.

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// One task's sequence.
#[derive(Debug)]
pub(crate) struct Chance(u64);

/// A number that has nothing of its source's order.
pub(crate) fn mixed(number: u64) -> u64 {
    let z = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Chance {
    pub(crate) fn new(seed: u64, task: usize) -> Self {
        Self(mixed(seed.wrapping_mul(STEP)) ^ mixed(task as u64 + 1))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// One of so many keys: half of the time any of them alike; else the lower the likelier, each as
    /// often as all between it and its double together.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a key more or less is nothing here, and none is below 0"
    )]
    pub(crate) fn key(&mut self, keys: u64) -> u64 {
        let number = self.next();
        if number.is_multiple_of(2) {
            return (number >> 1) % keys;
        }
        let share = (number >> 11) as f64 / (1_u64 << 53) as f64;
        (((share * (keys as f64).ln()).exp() as u64).max(1) - 1).min(keys - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_sequence() {
        let draw = |seed, task| {
            let mut chance = Chance::new(seed, task);
            [(); 8].map(|()| chance.below(1_000))
        };
        assert_eq!(draw(7, 0), draw(7, 0));
        assert_ne!(draw(7, 0), draw(7, 1));
        assert_ne!(draw(7, 0), draw(8, 0));
    }

    #[test]
    fn keys_are_any_and_some_are_hot() {
        let mut chance = Chance::new(7, 0);
        let drawn: Vec<_> = (0..10_000).map(|_| chance.key(1_000_000)).collect();
        assert!(drawn.iter().all(|key| *key < 1_000_000));
        let low = drawn.iter().filter(|key| **key < 1_000).count();
        assert!((2_000..3_000).contains(&low), "a quarter: {low}");
        let high = drawn.iter().filter(|key| **key >= 500_000).count();
        assert!(
            (2_400..3_200).contains(&high),
            "half of a half, and some: {high}"
        );
    }
}
