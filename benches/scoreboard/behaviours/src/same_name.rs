//! Two functions of one name in two modules, called with the same argument.

use crate::board::Judged;
use crate::client::{Outcome, unwound};

/// `first` returns 1 and `second` returns 2; each is called twice, so that each is a hit once.
pub async fn same_name(
    first: impl AsyncFn() -> Outcome,
    second: impl AsyncFn() -> Outcome,
) -> Judged {
    for _ in 0..2 {
        for (expected, outcome) in [(1, unwound(first()).await), (2, unwound(second()).await)] {
            match outcome.and_then(|outcome| outcome) {
                Ok(value) if value == expected => {}
                Ok(value) => {
                    return Judged::wrong(format!("returns {value}, which is the other's"));
                }
                Err(error) => return Judged::wrong(error),
            }
        }
    }
    Judged::new(true, "each has its own")
}
