//! Without any one rule something that was promised is broken: so each rule is needed, and each
//! model can see what it prevents.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use afresh_model::all;
use afresh_model::case::{Case, Size};
use afresh_model::explore::Limits;
use afresh_model::report;

#[test]
fn every_rule_is_needed() {
    let cases = all();
    let rules = |case: &Case| 0..case.rules.len();
    let places = cases
        .iter()
        .flat_map(|case| rules(case).map(move |place| (case, place)));
    let places: Vec<_> = places.collect();
    let next = AtomicUsize::new(0);
    let toothless = Mutex::new(Vec::new());
    // Each is explored by one thread, so that its counter-example is the shortest.
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(&(case, place)) = places.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = case.without(place, Size::Small, Limits::default());
                    let rule = &case.rules[place];
                    println!("{}", report::brief(case, rule, &found));
                    if found.violation.is_none() {
                        let mut toothless = toothless.lock().expect("a list");
                        toothless.push(report::refutation(case, rule, &found));
                    }
                }
            });
        }
    });
    let toothless = toothless.into_inner().expect("a list");
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
