//! Real processes for a test: its own executable again, running one test that takes orders over
//! stdin and answers over stdout, line by line.
//!
//! ```no_run
//! use afresh_test_support::{Steer, Worker};
//!
//! #[test]
//! fn reader() {
//!     // An ordinary run of the tests: nothing to do here.
//!     let Some(steer) = Steer::take() else { return };
//!     while let Some(order) = steer.hear() {
//!         steer.say(format!("did {order}"));
//!     }
//! }
//!
//! #[test]
//! fn two_processes() {
//!     let mut worker = Worker::spawn("reader");
//!     worker.say("one thing");
//!     worker.expect("did one thing");
//!     worker.kill();
//! }
//! ```

mod inside;
mod outside;

pub use inside::Steer;
pub use outside::Worker;

/// Set in a worker's environment.
const VARIABLE: &str = "AFRESH_TEST_WORKER";

/// Begins each line of ours, to tell it from what the test harness and the test itself print.
const MARK: &str = "@worker ";

/// A worker's first line: the test was found, and it is a worker's.
const READY: &str = "(ready)";
