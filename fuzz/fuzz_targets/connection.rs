//! Drives `afresh_runtime::fuzzing::CONNECTION`.

#![no_main]

use afresh_runtime::fuzzing::CONNECTION;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&CONNECTION, bytes));
