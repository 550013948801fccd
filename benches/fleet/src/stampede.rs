//! 4 processes with 250 callers each, all at once on a key that nobody has, whose body takes 50 ms:
//! how often it runs, when the last caller has its value, and how many commands that takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use afresh_measure::{Point, Series};
use afresh_test_support::{Monitor, Server};

use crate::libraries::{self, ENDED, Library, RUNS};
use crate::process::{self, Process};

const PROCESSES: usize = 4;
const CALLERS: usize = 250;
/// In so many rounds the commands are counted.
const WATCHED: usize = 5;

pub(crate) fn measure(library: &str, server: &Server, rounds: usize) {
    let url = server.plain_url();
    let mut fleet: Vec<Process> = (0..PROCESSES)
        .map(|_| Process::start(library, &url))
        .collect();
    let (mut runs, mut late, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    // Of the first few, connections and scripts are a part.
    for round in 0..2 {
        stampede(&mut fleet, round);
    }
    for round in 2..rounds + 2 {
        let (ran, late_by) = stampede(&mut fleet, round);
        runs.push(ran);
        late.push(late_by);
    }
    // A server that is watched is slower: of these rounds nothing else is taken.
    let monitor = server.monitor();
    for round in rounds + 2..rounds + 2 + WATCHED {
        let before = sent(&monitor);
        stampede(&mut fleet, round);
        commands.push((sent(&monitor) - before) as f64 / PROCESSES as f64);
    }
    for (case, unit, figures) in [
        ("runs", "", runs),
        ("last caller after the body", "ms", late),
        ("commands per process", "", commands),
    ] {
        Series {
            point: Point::new("stampede", case, unit),
            subject: library.to_owned(),
            rounds: figures,
        }
        .write();
    }
}

/// How many commands clients have sent so far. What a script runs inside is the server's own affair.
fn sent(monitor: &Monitor) -> usize {
    let commands = monitor.commands();
    commands.iter().filter(|seen| seen.from != "lua").count()
}

/// All callers of all processes at once: how often the body ran, and how many milliseconds after its
/// end the last of them had its value.
fn stampede(fleet: &mut [Process], round: usize) -> (f64, f64) {
    for process in &mut *fleet {
        process.say(&round.to_string());
    }
    let answers: Vec<[u64; 3]> = fleet
        .iter_mut()
        .map(|process| read(&process.hear()))
        .collect();
    let runs: u64 = answers.iter().map(|answer| answer[0]).sum();
    // The first of the bodies that ended is the one that all could have had.
    let ended = answers
        .iter()
        .filter(|answer| answer[0] > 0)
        .map(|answer| answer[1])
        .min();
    let last = answers.iter().map(|answer| answer[2]).max();
    let late_by = last.unwrap_or(0).saturating_sub(ended.unwrap_or(0));
    (runs as f64, late_by as f64 / 1e6)
}

fn read(answer: &str) -> [u64; 3] {
    let numbers: Vec<u64> = answer
        .split(' ')
        .map_while(|word| word.parse().ok())
        .collect();
    numbers
        .try_into()
        .expect("runs, the body's end, the last caller's")
}

/// What a process of the fleet does.
pub(crate) fn call(library: &str, url: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        match library {
            "afresh" => take_orders(libraries::ours::Ours::new(url).await).await,
            "cachekit" => take_orders(libraries::cachekit::Cachekit::new(url).await).await,
            "amalgam" => take_orders(libraries::amalgam::Amalgam::new(url).await).await,
            "hitbox" => take_orders(libraries::hitbox::Hitbox::new(url)).await,
            "cached" => take_orders(libraries::cached::Cached::new(url)).await,
            other => panic!("no library `{other}` is known here"),
        }
    });
}

async fn take_orders<L: Library>(library: L) {
    let library = Arc::new(library);
    process::answer("ready");
    for order in process::orders() {
        let round: u64 = order.parse().expect("a number");
        RUNS.store(0, Ordering::SeqCst);
        let last = libraries::stampede(&library, CALLERS, round).await;
        let (runs, ended) = (RUNS.load(Ordering::SeqCst), ENDED.load(Ordering::SeqCst));
        process::answer(&format!("{runs} {ended} {last}"));
    }
}
