//! Without any one rule something that was promised is broken: so each rule is needed, and each
//! model can see what it prevents.

use std::collections::HashSet;

use afresh_model::all;
use afresh_model::case::Size;
use afresh_model::explore::Limits;
use afresh_model::report;

#[test]
fn every_rule_is_needed() {
    let mut toothless = Vec::new();
    for case in all() {
        for (place, rule) in case.rules.iter().enumerate() {
            let found = case.without(place, Size::Small, Limits::default());
            println!("{}", report::brief(&case, rule, &found));
            if found.violation.is_none() {
                toothless.push(report::refutation(&case, rule, &found));
            }
        }
    }
    assert!(toothless.is_empty(), "{}", toothless.join("\n"));
}

#[test]
fn names_are_told_apart() {
    let mut cases = HashSet::new();
    for case in all() {
        assert!(
            cases.insert(case.name),
            "two cases are called {}",
            case.name
        );
        let mut rules = HashSet::new();
        for rule in &case.rules {
            let (name, of) = (rule.name, case.name);
            assert!(rules.insert(name), "two rules of {of} are called {name}");
        }
    }
}
