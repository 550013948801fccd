//! Two texts as arguments, cut at another place.

use crate::board::Judged;
use crate::client::unwound;
use crate::source;

/// What keys are put together with, or escaped by; the arguments' names are `first` and `second`.
const SEPARATORS: [&str; 16] = [
    "", ":", "|", ",", "/", "&", "=", "-", "_", "::", "%3A", "\0", "\",\"", "second", ":second:",
    "&second=",
];

/// `pair` is a cached function whose body is [`source::join`].
pub async fn key_collisions(
    pair: impl AsyncFn(String, String) -> Result<String, String>,
) -> Judged {
    for separator in SEPARATORS {
        for (first, second) in [
            (format!("a{separator}b"), "c".to_owned()),
            ("a".to_owned(), format!("b{separator}c")),
        ] {
            let outcome = unwound(pair(first.clone(), second.clone())).await;
            match outcome.and_then(|outcome| outcome) {
                Ok(value) if value == source::join(&first, &second) => {}
                Ok(value) => {
                    return Judged::wrong(format!("f({first:?}, {second:?}) is {value:?}"));
                }
                Err(error) => return Judged::wrong(error),
            }
        }
    }
    Judged::new(true, format!("{} pairs apart", SEPARATORS.len()))
}
