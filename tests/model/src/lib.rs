//! Models of the protocol: what the promises rest on, as states and steps small enough that every
//! order of events can be visited. They share no code with the product: a model says what the
//! product must do, and the tests of the product say that it does.
//!
//! Each model is a [`case::Case`]: with every rule in force nothing that it promises is broken in
//! any state that can be reached, and with any one rule left out something is, in a few steps that
//! can be read. [`all`] lists the cases, `cargo xtask model` explores and prints them.

pub mod case;
mod circle;
mod epoch;
pub mod explore;
mod fleet;
pub mod report;
mod trust;

use case::Case;

/// Every case, in the order in which they are shown.
pub fn all() -> Vec<Case> {
    let mut cases = fleet::cases();
    cases.extend([trust::case(), circle::case()]);
    cases.extend(epoch::cases());
    cases
}
