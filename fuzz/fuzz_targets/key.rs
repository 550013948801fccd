//! Drives `afresh_runtime::fuzzing::KEY`.

#![no_main]

use afresh_runtime::fuzzing::KEY;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&KEY, bytes));
