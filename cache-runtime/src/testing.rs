//! What tests of cached code need: isolation from the process-wide cache, time, and a check that no
//! tag is misspelled.

use std::time::Duration;

use crate::cache::Cache;
use crate::catalog::{Orphan, catalog};

mod answers;
mod left;
mod store;

pub use answers::{assert_outcome, idle, refreshed};
#[doc(hidden)]
pub use left::{Left, left};
pub use store::{Held, Store};

pub use crate::clock::ManualClock;
pub use crate::inspect::with_cache;
pub use crate::shared::simulated::{Operation, OperationKind};

/// Moves a cache's clock forward: what was stored before ages by as much. For this cache in this
/// process only; a server keeps its own time, but this process judges what it reads by the moved
/// clock. With a [`ManualClock`] it is that which moves, for every cache that has it.
///
/// ```
/// # use afresh_runtime as afresh;
/// let cache = afresh::Cache::in_memory();
/// afresh::testing::advance(&cache, std::time::Duration::from_secs(60));
/// ```
pub fn advance(cache: &Cache, by: Duration) {
    cache.0.clock.advance(by);
}

/// Checks that each tag is written on both sides: that what mutations invalidate is carried by a
/// cached function, and that what cached functions carry is invalidated. It knows the annotated
/// functions of every crate that is linked into the test, and what is written at them: see
/// [`Catalog::orphans`] for what it cannot see, and [`assert_no_orphan_tags_but`] for tags that are
/// invalidated or carried by other means.
///
/// A test in `tests/` that names nothing of your crate is not linked with it: write
/// `use your_crate as _;`.
///
/// ```no_run
/// # use afresh_runtime as afresh;
/// // #[test]
/// fn every_tag_is_written_on_both_sides() {
///     afresh::testing::assert_no_orphan_tags();
/// }
/// ```
///
/// # Panics
///
/// If there is such a tag or namespace: with where it is written, and what is spelled nearly like
/// it. Also if there is no annotated function at all.
///
/// [`Catalog::orphans`]: crate::catalog::Catalog::orphans
#[track_caller]
pub fn assert_no_orphan_tags() {
    assert_no_orphan_tags_but([""; 0]);
}

/// [`assert_no_orphan_tags`], except for these tags and namespaces, in which `*` stands for any
/// text: those that are invalidated by [`Cache::invalidate`], say, or carried by values of
/// [`Cache::get_or_compute`].
///
/// ```no_run
/// # use afresh_runtime as afresh;
/// afresh::testing::assert_no_orphan_tags_but(["all", "import:*"]);
/// ```
///
/// # Panics
///
/// As [`assert_no_orphan_tags`].
#[track_caller]
pub fn assert_no_orphan_tags_but<T: AsRef<str>>(others: impl IntoIterator<Item = T>) {
    let others: Vec<T> = others.into_iter().collect();
    let catalog = catalog();
    assert!(
        !catalog.is_empty(),
        "there is no annotated function in this program: where they are in a library, name it, as \
         in `use your_crate as _;`"
    );
    let is_meant = |text: &T, orphan: &Orphan| orphan.is_covered_by(text.as_ref());
    let mut orphans = catalog.orphans();
    orphans.retain(|orphan| !others.iter().any(|text| is_meant(text, orphan)));
    let lines: Vec<_> = orphans.iter().map(|one| format!("  {one}")).collect();
    assert!(
        orphans.is_empty(),
        "what is written on one side only:\n{}\nwhere that is meant, name it in \
         `assert_no_orphan_tags_but`",
        lines.join("\n")
    );
}
