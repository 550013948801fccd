//! A view that catches up with its log, loses it, asks it or finds another, beside those who judge.

use std::sync::Arc;

use shuttle::sync::Mutex;

use super::explore;
use super::oracle::{ID, OTHER, Source, Threads, attached, caught_up, entry, record, tag};
use crate::clock::Instant;
use crate::log::{Answer, Judgement, View};

/// Its tags are cleared, and what they said is in `since`: nobody sees the one without the other.
#[test]
fn a_view_that_starts_anew_is_not_judged_meanwhile() {
    explore("a_view_that_starts_anew_is_not_judged_meanwhile", || {
        let view = attached(5);
        let before = view.position();
        let records = vec![record(5, &[]), record(6, &[tag(1)])];
        view.catch_up(5, &caught_up(6, 0, records, Vec::new()));
        let mut threads = Threads::new();
        for _ in 0..2 {
            let view = Arc::clone(&view);
            threads.start(move || {
                for _ in 0..2 {
                    assert_ne!(view.judge(before, &[tag(1)]), Judgement::Current);
                }
            });
        }
        let follower = Arc::clone(&view);
        threads.start(move || {
            let gap = caught_up(9, 0, vec![record(9, &[])], Vec::new());
            assert!(!follower.catch_up(6, &gap));
        });
        threads.join();
        assert_eq!(view.judge(before, &[tag(1)]), Judgement::Unknown);
    });
}

/// Not of the log that was left, nor by the head of one and the tags of the other.
#[test]
fn a_view_that_leaves_its_log_calls_nothing_current() {
    explore("a_view_that_leaves_its_log_calls_nothing_current", || {
        let view = attached(5);
        let at = view.position();
        let source = Arc::new(Source::default());
        let kept = Arc::new(entry(0, at, &[tag(1)]));
        let mut threads = Threads::new();
        let (follower, truth) = (Arc::clone(&view), Arc::clone(&source));
        threads.start(move || {
            follower.confirm(&OTHER, 0, &record(1, &[tag(2)]));
            truth.acknowledge(1);
            follower.follow(OTHER, 9, 0, &[]);
        });
        let judge = Arc::clone(&view);
        threads.start(move || {
            for _ in 0..3 {
                let least = source.least();
                assert!(!(kept.is_current(&judge) && least > 0));
            }
        });
        threads.join();
    });
}

#[test]
fn a_catch_up_and_own_records_lose_nothing() {
    explore("a_catch_up_and_own_records_lose_nothing", || {
        let view = attached(5);
        let at = view.position();
        let mut threads = Threads::new();
        let writer = Arc::clone(&view);
        threads.start(move || writer.confirm(&ID, 0, &record(7, &[tag(2)])));
        let late = Arc::clone(&view);
        threads.start(move || {
            late.catch_up(5, &caught_up(5, 0, vec![record(5, &[])], Vec::new()));
        });
        for _ in 0..2 {
            let follower = Arc::clone(&view);
            threads.start(move || {
                let from = follower.position().head;
                let all = [record(5, &[]), record(6, &[tag(1)]), record(7, &[tag(2)])];
                let read = all.into_iter().filter(|record| record.version >= from);
                follower.catch_up(from, &caught_up(7, 0, read.collect(), Vec::new()));
            });
        }
        threads.join();
        assert_eq!(view.position().head, 7);
        for moved in [tag(1), tag(2)] {
            assert_eq!(view.judge(at, &[moved]), Judgement::Outdated);
        }
        let seen = view.position();
        assert_eq!(view.judge(seen, &[tag(1), tag(2)]), Judgement::Current);
    });
}

/// The log moves on, and so does the view; an answer of before arrives at any time.
#[test]
fn an_answer_that_the_view_has_moved_past_is_not_kept() {
    explore("an_answer_that_the_view_has_moved_past_is_not_kept", || {
        let view = attached(5);
        let older = view.locate(&ID, 3);
        // The log's head, and where the tag was moved last.
        let log = Arc::new(Mutex::new((5, 0)));
        let mut threads = Threads::new();
        let (asker, asked) = (Arc::clone(&view), Arc::clone(&log));
        threads.start(move || {
            let (head, moved) = *asked.lock().expect("no panic");
            let answer = Answer {
                id: ID,
                head,
                floor: 0,
                versions: vec![moved],
            };
            asker.learn(&[tag(1)], &answer);
        });
        let follower = Arc::clone(&view);
        threads.start(move || {
            *log.lock().expect("no panic") = (7, 7);
            // What was in between is gone: the view starts anew, and knows nothing of the tag.
            follower.catch_up(5, &caught_up(7, 0, Vec::new(), Vec::new()));
            assert_ne!(follower.judge(older, &[tag(1)]), Judgement::Current);
        });
        threads.join();
        assert_ne!(view.judge(older, &[tag(1)]), Judgement::Current);
    });
}

#[test]
fn trust_that_has_ended_does_not_come_back() {
    explore("trust_that_has_ended_does_not_come_back", || {
        let view = Arc::new(View::unattached(false));
        let mut threads = Threads::new();
        for monotonic in [10, 20] {
            let view = Arc::clone(&view);
            threads.start(move || {
                view.trust_until(Instant {
                    monotonic,
                    wall: 10,
                });
            });
        }
        let ender = Arc::clone(&view);
        threads.start(move || ender.end_trust());
        threads.join();
        assert!(!view.is_trusted(1, || 1));
    });
}
