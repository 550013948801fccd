//! Whole calls of several caches that share a store, a simulated one: each is to the others what
//! another process would be. What goes over a network is not here, nor the scripts of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::future::block_on;
use shuttle::rand::{Rng as _, thread_rng};

use super::calling::{Form, Setting, call, get, named};
use super::explore;
use super::handing_over::CutOff;
use super::oracle::Threads;
use crate::cache::Consistency::{self, Bounded, Strict};
use crate::clock::Clock;
use crate::shared::simulated::World;

const FLIES: Form = Form {
    flies: true,
    by_result: false,
    fails: false,
};

/// A store, and two processes that share it.
fn fleet(consistency: Consistency) -> (Arc<World>, [Arc<Setting>; 2]) {
    let store = World::new(Arc::new(Clock::manual()));
    let source = Arc::default();
    let processes = [(); 2].map(|()| Setting::of(&store, consistency, &source));
    (store, processes)
}

/// Reads in both processes, while the second invalidates.
fn read_in(threads: &mut Threads, processes: &[Arc<Setting>; 2], form: Form) {
    for process in processes {
        let process = Arc::clone(process);
        threads.start(move || {
            for _ in 0..2 {
                call(&process, form);
            }
        });
    }
    let writer = Arc::clone(&processes[1]);
    threads.start(move || writer.invalidate());
}

/// Notes are there at once: then what is acknowledged anywhere is seen everywhere.
#[test]
fn no_process_serves_what_another_has_outdated() {
    explore("no_process_serves_what_another_has_outdated", || {
        let (_store, processes) = fleet(Bounded);
        let form = Form {
            flies: thread_rng().gen_bool(0.5),
            ..Form::default()
        };
        let mut threads = Threads::new();
        read_in(&mut threads, &processes, form);
        threads.join();
        for process in &processes {
            assert_eq!(call(process, form), 1);
            assert_eq!(process.flights(), 0);
        }
    });
}

/// They are held back, and come at any time: a barrier does not wait for them.
#[test]
fn strict_reads_wait_for_no_note() {
    explore("strict_reads_wait_for_no_note", || {
        let (store, processes) = fleet(Strict);
        let form = Form {
            flies: thread_rng().gen_bool(0.5),
            ..Form::default()
        };
        // Both have the value at hand.
        for process in &processes {
            call(process, form);
        }
        let gate = store.hold_notes();
        let mut threads = Threads::new();
        read_in(&mut threads, &processes, form);
        threads.start(move || store.open(&gate));
        threads.join();
        for process in &processes {
            assert_eq!(call(process, form), 1);
        }
    });
}

/// Who does not hold it is woken when the value is there.
#[test]
fn a_lease_has_one_holder() {
    explore("a_lease_has_one_holder", || {
        let (_store, processes) = fleet(Bounded);
        let running = Arc::new(AtomicUsize::new(0));
        let mut threads = Threads::new();
        for process in [&processes[0], &processes[1], &processes[0]] {
            let (process, running) = (Arc::clone(process), Arc::clone(&running));
            threads.start(move || {
                let body = async {
                    let others = running.fetch_add(1, Ordering::SeqCst);
                    assert_eq!(others, 0, "two computes at a time");
                    let number = process.source.read();
                    running.fetch_sub(1, Ordering::SeqCst);
                    Ok(number)
                };
                assert_eq!(block_on(named(&process, "one", body)), 0);
            });
        }
        threads.join();
        let computed = processes.map(|process| process.cache.stats().computed);
        assert_eq!(computed.iter().sum::<u64>(), 1);
    });
}

/// Or leaves it to an heir. The clock stands still: a lease that nobody frees is never over.
#[test]
fn a_call_that_is_dropped_frees_its_lease() {
    explore("a_call_that_is_dropped_frees_its_lease", || {
        let (_store, processes) = fleet(Bounded);
        let mut threads = Threads::new();
        for process in [&processes[0], &processes[1], &processes[0]] {
            let process = Arc::clone(process);
            threads.start(move || {
                let left = thread_rng().gen_range(1..4);
                let future = Box::pin(get(&process, FLIES));
                block_on(CutOff { future, left });
            });
        }
        let reader = Arc::clone(&processes[1]);
        threads.start(move || {
            call(&reader, FLIES);
        });
        threads.join();
        for process in &processes {
            call(process, FLIES);
            assert_eq!(process.flights(), 0);
        }
    });
}
