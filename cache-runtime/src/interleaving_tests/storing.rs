//! The local tier: look-ups, stores and evictions of the same keys.

use std::sync::Arc;

use super::explore;
use super::oracle::{Threads, entry, key, number};
use crate::local::Local;
use crate::log::Position;

fn at(head: u64) -> Position {
    Position { log: 1, head }
}

fn read(local: &Local, word: u64) -> Option<u64> {
    local.read(&key(word).as_ref(), |entry| Some(number(entry)))
}

#[test]
fn an_older_value_replaces_no_newer_one() {
    explore("an_older_value_replaces_no_newer_one", || {
        let local = Arc::new(Local::new(4, None, 0));
        let mut threads = Threads::new();
        for head in [1, 2, 3] {
            let local = Arc::clone(&local);
            threads.start(move || local.insert(key(1), entry(head, at(head), &[])));
        }
        let reader = Arc::clone(&local);
        threads.start(move || {
            let (first, second) = (read(&reader, 1), read(&reader, 1));
            assert!(first <= second, "{first:?}, then {second:?}");
        });
        threads.join();
        assert_eq!(read(&local, 1), Some(3));
    });
}

/// One entry has room. What was pushed out is dropped, once, and not under the guard.
#[test]
fn a_look_up_beside_evictions_gets_its_own_value() {
    explore("a_look_up_beside_evictions_gets_its_own_value", || {
        let local = Arc::new(Local::new(1, None, 0));
        let mut threads = Threads::new();
        for word in [1, 2] {
            let local = Arc::clone(&local);
            threads.start(move || {
                for head in [1, 2] {
                    local.insert(key(word), entry(word * 10 + head, at(head), &[]));
                    let found = read(&local, word);
                    assert!(found.is_none_or(|found| found == word * 10 + head));
                }
            });
        }
        let reader = Arc::clone(&local);
        threads.start(move || {
            for word in [1, 2, 1] {
                let found = read(&reader, word);
                assert!(found.is_none_or(|found| found / 10 == word));
            }
        });
        threads.join();
        assert!(local.len() <= 1);
    });
}
