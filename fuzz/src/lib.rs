//! Runs a target on one input, and sees to it that it holds no more memory than it may. What is to
//! hold otherwise is said where the targets are, in the runtime and the macros.

use std::sync::Once;

use afresh_runtime::fuzzing::Target;
use allocation_counter::measure;

/// Panics where these bytes break a promise.
pub fn run(target: &Target, bytes: &[u8]) {
    static FIRST: Once = Once::new();

    // What is allocated once is no input's.
    FIRST.call_once(|| (target.run)(&[]));
    let held = measure(|| (target.run)(bytes)).bytes_max;
    let most = target.most(bytes.len()) as u64;
    assert!(held <= most, "it held {held} bytes, and may hold {most}");
}
