//! Every shape of function that an attribute may be put on: it compiles, its first call is a miss,
//! its second a hit in this process, and other calls have entries of their own. Async and sync.
//! What lints say of the expansions is in `strict_lints.rs`; what does not compile is in `ui/`.

#[path = "shapes/arguments.rs"]
mod arguments;
#[path = "shapes/attributes.rs"]
mod attributes;
#[path = "shapes/caches.rs"]
mod caches;
#[path = "shapes/futures.rs"]
mod futures;
#[path = "shapes/generics.rs"]
mod generics;
#[path = "shapes/made.rs"]
mod made;
#[path = "shapes/methods.rs"]
mod methods;
#[path = "shapes/names.rs"]
mod names;
#[path = "shapes/policies.rs"]
mod policies;
#[path = "shapes/recursion.rs"]
mod recursion;
#[path = "shapes/traits.rs"]
mod traits;

use afresh::{Cache, Outcome, Tier, testing};

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

/// Runs a test with a default cache of its own.
async fn isolated<F: Future>(test: F) -> F::Output {
    testing::with_cache(Cache::in_memory(), test).await
}

/// Asserts of some calls that each has an entry of its own: all miss, then all hit, with the values
/// that are expected of them.
macro_rules! apart {
    ($($call:expr => $value:expr),+ $(,)?) => {
        crate::isolated(async {
            $({
                let came = afresh::outcome(async { $call }).await;
                assert_eq!(came, ($value, crate::MISS), stringify!($call));
            })+
            $({
                let came = afresh::outcome(async { $call }).await;
                assert_eq!(came, ($value, crate::HIT), stringify!($call));
            })+
        })
        .await
    };
}
use apart;
