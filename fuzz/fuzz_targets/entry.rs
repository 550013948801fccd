//! Drives `afresh_runtime::fuzzing::ENTRY`.

#![no_main]

use afresh_runtime::fuzzing::ENTRY;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| afresh_fuzz::run(&ENTRY, bytes));
