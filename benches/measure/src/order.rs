//! In which order keys are asked for.

/// Keys below `keys` in an order that no prefetcher guesses; the same for all in a round.
pub fn order(round: usize, keys: i64) -> impl Iterator<Item = i64> {
    let mut state = round as u64 * 2 + 1;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33).cast_signed() % keys
    })
}
