//! What the shared tier promises, between every two commands: each way to speak with the server is
//! played up to each of its commands, held there, and gone on with after something else has
//! happened. On a real server, and with a gate that holds a command, its answer, or what follows
//! that. In the end nobody may have read what was invalid when the read began, nothing hangs, and
//! nothing stays owed, marked or leased.
//!
//! Where each rule is tried:
//!
//! | rule | scenario | intervention |
//! | --- | --- | --- |
//! | the head is noted before the compute | a miss, a refresh, in the body | `Changes` |
//! | joining passes the test of a hit | a miss with a lease, in the body | `Changes` |
//! | followers judge for themselves | a miss with tags of its result, in the body | `Changes` |
//! | a fill commits by its token | a miss with a lease, before the fill | `LeaseGone`, `LeaseTaken`, `ChangesAndStores` |
//! | nothing newer is replaced | a miss, before the fill | `ChangesAndStores` |
//! | another's lease is neither freed nor renewed | a call that is dropped, a lease that is renewed | `LeaseHeld` |
//! | one compute while a lease holds | a follower, a leader that is followed | `Nothing`, `Stores` |
//! | the server's identity is compared | any | `ComesBack` |
//! | a missing sentinel raises the floor | a put, a refresh; one that knows nothing | `ChangesAndLoses(Tags)`, `ChangesAndMovesOn(Tags)` |
//! | an answer is kept only if the view has not moved past it | asked about, on two connections | `ChangesAndMovesOn(Records)` |
//! | a rotation raises the floor, and keeps marks | any | `Rotates`, `Commits` |
//! | a catch-up joins up with what is known, in one log | after a note, after a record of its own | `ChangesAndMovesOn(Records)`, `LosesAndChanges` |
//! | one that reads nothing counts only if nothing has moved | after a note of nothing | `ChangesAndLoses(Records)` |
//! | the own record is applied before it is acknowledged | an invalidation | any |
//! | what is owed is invalid here | an invalidation | `Kills`, `Cuts`, `Restarts` |
//! | a put is refused where a tag has moved | a put, a refresh | `Changes` |
//! | a reply is judged by the notes before it, of its own connection | a hit in the server | `Changes` |
//! | only a fresh proof proves | a hit here, proven | `Changes` |
//! | under a mark, nothing is served or stored | any | `Commits`, `IsAboutToCommit` |
//! | connections have generations | a reconnection, a connection | `Kills`, `Cuts` |
//!
//! For every commit some cells of each scenario are played; with `AFRESH_TEST_BETWEEN=all`, as
//! `cargo xtask proof` has it, all. Processes that die are in `crashes.rs`.
#![cfg(feature = "redis")]

#[path = "between/cell.rs"]
mod cell;
#[path = "between/interventions.rs"]
mod interventions;
#[path = "between/names.rs"]
mod names;
#[path = "between/scenarios.rs"]
mod scenarios;
#[path = "between/shop.rs"]
mod shop;
#[path = "between/stage.rs"]
mod stage;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, fmt, thread};

use afresh_test_support::Point;
use cell::{Spot, Theatre, shown};
use interventions::Intervention;
use scenarios::Scenario;

/// The cells are played in as many at one time: a server each. Most of a cell is waiting.
const THEATRES: [&str; 4] = ["one", "two", "three", "four"];

/// One cell that is to be played.
#[derive(Clone, Copy)]
struct Cell {
    scenario: &'static Scenario,
    spot: Spot,
    intervention: Intervention,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scenario, spot) = (self.scenario.name, self.spot);
        write!(f, "{scenario}, {spot}, {:?}", self.intervention)
    }
}

/// The cells of a scenario with so many commands: all, or about as many of each scenario, so that
/// each of its points meets some intervention, and each intervention some of its points.
fn cells(scenario: &'static Scenario, commands: usize, all: bool) -> Vec<Cell> {
    let points = (1..=commands).flat_map(|at| {
        let points = [Point::Before(at), Point::Answer(at), Point::After(at)];
        points.map(Spot::At)
    });
    let body = scenario.has_body.then_some(Spot::Body);
    let spots: Vec<_> = points.chain(body).collect();
    let interventions = interventions::ALL;
    let stride = if all { 1 } else { spots.len() / 3 };
    let stride = stride.clamp(1, interventions.len());
    let mut cells = Vec::new();
    for (at, &spot) in spots.iter().enumerate() {
        for (nth, &intervention) in interventions.iter().enumerate() {
            if (at + nth) % stride == 0 {
                cells.push(Cell {
                    scenario,
                    spot,
                    intervention,
                });
            }
        }
    }
    cells
}

#[test]
fn whatever_happens_between_two_commands_nothing_stale_is_read() {
    let all = env::var_os("AFRESH_TEST_BETWEEN").is_some_and(|value| value == "all");
    // Some cells, by parts of what a failure names, with `|` between them.
    let only = env::var("AFRESH_TEST_BETWEEN_ONLY").unwrap_or_default();
    let is_asked_for = |cell: &Cell| only.split('|').any(|part| cell.to_string().contains(part));
    let began = Instant::now();
    let mut theatre = Theatre::open("alone");
    let (mut plan, mut failed) = (Vec::new(), Vec::new());
    for scenario in &scenarios::ALL {
        let undisturbed = theatre.play(scenario, None, Intervention::Nothing);
        println!("{}: {}", scenario.name, shown(&undisturbed.commands));
        if !undisturbed.failures.is_empty() {
            failed.push(format!("{}: {:?}", scenario.name, undisturbed.failures));
        }
        if undisturbed.commands.is_empty() {
            failed.push(format!("{}: the server is not asked", scenario.name));
        }
        plan.extend(cells(scenario, undisturbed.commands.len(), all));
    }
    drop(theatre);
    plan.retain(is_asked_for);
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failed = Mutex::new(failed);
    let play = &|prefix| {
        let mut theatre = Theatre::open(prefix);
        while let Some(cell) = plan.get(next.fetch_add(1, Ordering::SeqCst)) {
            let played = theatre.play(cell.scenario, Some(cell.spot), cell.intervention);
            missed.fetch_add(usize::from(!played.reached), Ordering::SeqCst);
            if !played.failures.is_empty() {
                let commands = shown(&played.commands);
                let failure = format!("{cell}: {:?}; {commands}", played.failures);
                // At once: a run of all may not come to its end.
                println!("{failure}");
                failed.lock().expect("no panic").push(failure);
            }
        }
    };
    thread::scope(|scope| {
        for prefix in THEATRES {
            scope.spawn(move || play(prefix));
        }
    });
    let (cells, missed) = (plan.len(), missed.into_inner());
    println!(
        "{cells} cells (scenario, point, intervention) in {:?}; {missed} ended before their point",
        began.elapsed()
    );
    let failed = failed.into_inner().expect("no panic");
    assert!(
        failed.is_empty(),
        "{} of {cells} cells:\n{}",
        failed.len(),
        failed.join("\n")
    );
    // How calls and the driver take turns is not always the same; but the points are there.
    assert!(missed * 20 <= cells, "{missed} points were not reached");
}
