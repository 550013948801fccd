//! Records of this process's own: whoever begins after one was acknowledged is not given what it
//! outdates.

use std::sync::Arc;

use super::explore;
use super::oracle::{ID, Source, Threads, attached, caught_up, entry, key, number, record, tag};
use crate::local::Local;
use crate::log::View;

/// A read as calls make it, of the parts alone: look, note, compute, store.
fn read(view: &View, local: &Local, source: &Source) -> u64 {
    let key = key(1);
    let hit = local.read(&key.as_ref(), |entry| {
        entry.is_current(view).then(|| number(entry))
    });
    hit.unwrap_or_else(|| {
        let at = view.position();
        let value = source.read();
        local.insert(key, entry(value, at, &[tag(1)]));
        value
    })
}

#[test]
fn a_record_is_applied_before_it_is_acknowledged() {
    explore("a_record_is_applied_before_it_is_acknowledged", || {
        let parts = Arc::new((View::in_memory(), Local::new(4, None, 0), Source::default()));
        let mut threads = Threads::new();
        for _ in 0..2 {
            let parts = Arc::clone(&parts);
            threads.start(move || {
                let (view, local, source) = &*parts;
                for _ in 0..2 {
                    let least = source.least();
                    let got = read(view, local, source);
                    assert!(got >= least, "{got} after {least} was acknowledged");
                }
            });
        }
        let writer = Arc::clone(&parts);
        threads.start(move || {
            let (view, _, source) = &*writer;
            for _ in 0..2 {
                let number = source.change();
                view.append(&[tag(1)]);
                source.acknowledge(number);
            }
        });
        threads.join();
    });
}

/// A catch-up that was read before it, or a gap, comes in between.
#[test]
fn an_own_record_is_not_taken_back() {
    explore("an_own_record_is_not_taken_back", || {
        let view = attached(5);
        let source = Arc::new(Source::default());
        let entry = Arc::new(entry(0, view.position(), &[tag(1)]));
        let mut threads = Threads::new();
        let (writer, truth) = (Arc::clone(&view), Arc::clone(&source));
        threads.start(move || {
            writer.confirm(&ID, 0, &record(6, &[tag(1)]));
            truth.acknowledge(1);
        });
        let follower = Arc::clone(&view);
        threads.start(move || {
            // Sent at 5 both, and answered before the record was there.
            follower.catch_up(5, &caught_up(5, 0, vec![record(5, &[])], Vec::new()));
            follower.catch_up(4, &caught_up(5, 0, Vec::new(), Vec::new()));
        });
        let judge = (Arc::clone(&view), Arc::clone(&entry));
        threads.start(move || {
            let (view, entry) = judge;
            for _ in 0..2 {
                let least = source.least();
                assert!(!(entry.is_current(&view) && least > 0));
            }
        });
        threads.join();
        assert!(!entry.is_current(&view));
    });
}

/// The put of an older value is refused, or goes with the record that outdates it.
#[test]
fn what_is_put_is_no_older_than_its_handle() {
    explore("what_is_put_is_no_older_than_its_handle", || {
        let view = Arc::new(View::in_memory());
        let (noted, own) = (view.position(), tag(9));
        let source = Arc::new(Source::default());
        let mut threads = Threads::new();
        let (writer, truth) = (Arc::clone(&view), Arc::clone(&source));
        threads.start(move || {
            writer.append(&[tag(1)]);
            truth.acknowledge(1);
        });
        for _ in 0..2 {
            let (view, source) = (Arc::clone(&view), Arc::clone(&source));
            threads.start(move || {
                let tags = [tag(1), own];
                let Some(at) = view.append_if(noted, &tags, &[own]) else {
                    return;
                };
                let entry = entry(0, at, &tags);
                let least = source.least();
                assert!(!(entry.is_current(&view) && least > 0));
                // Of two from one handle, one at the most was stored.
                assert_eq!(view.append_if(noted, &tags, &[own]), None);
            });
        }
        threads.join();
    });
}
