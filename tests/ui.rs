//! What the attributes and the derives accept and refuse, one rule for each file in `tests/ui/`. The messages are
//! those of the pinned toolchain; set `TRYBUILD=overwrite` to write them anew, and review them.

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/cached/pass/*.rs");
    cases.pass("tests/ui/invalidates/pass/*.rs");
    cases.pass("tests/ui/key_part/pass/*.rs");
    cases.pass("tests/ui/tag/pass/*.rs");
    cases.compile_fail("tests/ui/cached/fail/*.rs");
    cases.compile_fail("tests/ui/invalidates/fail/*.rs");
    cases.compile_fail("tests/ui/key_part/fail/*.rs");
    cases.compile_fail("tests/ui/tag/fail/*.rs");
}
