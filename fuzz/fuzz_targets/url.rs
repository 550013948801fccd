//! Drives `afresh_runtime::fuzzing::URL`.

#![no_main]

use afresh_runtime::fuzzing::URL;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&URL, bytes));
