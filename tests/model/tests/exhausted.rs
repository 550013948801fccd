//! With every rule in force each case holds in all its states: in as many of them as can be
//! visited in seconds. The larger sizes are `cargo xtask model`'s.

use afresh_model::all;
use afresh_model::case::Size;
use afresh_model::explore::Limits;
use afresh_model::report;

#[test]
fn every_case_holds() {
    let mut faults = Vec::new();
    for case in all() {
        let found = case.whole(Size::Small, Limits::default());
        println!("{}", report::line(&case, &found));
        for fault in case.faults(&found) {
            faults.push(format!("{}: {fault}", case.name));
        }
        faults.extend(found.violation.as_ref().map(report::steps));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
