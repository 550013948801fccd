//! Drives `afresh_runtime::fuzzing::LOG`.

#![no_main]

use afresh_runtime::fuzzing::LOG;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&LOG, bytes));
