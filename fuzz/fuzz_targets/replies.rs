//! Drives `afresh_runtime::fuzzing::REPLIES`.

#![no_main]

use afresh_runtime::fuzzing::REPLIES;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&REPLIES, bytes));
