//! One storm over one deployment, from the first process to the table: what is measured while all
//! is well, what is done while it is not, and what must hold when it is over.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::board::{Board, millis, now};
use crate::deployment::Deployment;
use crate::fleet::Fleet;
use crate::history::{self, History};
use crate::items::{ITEMS, ROWS};
use crate::judge::Stale;
use crate::networks::Networks;
use crate::random::Random;
use crate::table;
use crate::windows::Windows;
use crate::worker::Part;

/// How often the push is measured.
const PUSHES: u64 = 300;
/// Longer than a process believes what it knows.
const BEYOND_TRUST: Duration = Duration::from_millis(2_300);

/// What was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seconds: u64,
    pub(crate) processes: usize,
    pub(crate) seed: u64,
    /// Where what everyone does is written, a folder for each deployment.
    pub(crate) history: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) deployment: &'static str,
    pub(crate) settings: Settings,
    pub(crate) lasted: Duration,
    pub(crate) fleet: Fleet,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// What could happen, and was not tried.
    pub(crate) lacks: Option<&'static str>,
    /// From an acknowledgement in one process to the end of the local copy in another, in order.
    pub(crate) pushes: Vec<u64>,
}

/// A folder that is gone with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> io::Result<Self> {
        let name = format!("afresh-storm-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs it. Whether it held, the report knows.
pub(crate) fn run(name: &'static str, deployment: &dyn Deployment, settings: &Settings) -> Report {
    let folder = Folder::new(name).expect("a folder for the board");
    prepare(&folder.0, settings);
    let part = Part {
        folder: folder.0.clone(),
        url: deployment.url(),
        slot: 0,
        slots: settings.processes,
        seed: settings.seed,
        run: 0,
        history: settings.history.as_deref().map(|folder| {
            history::prepare(folder, name).unwrap_or_else(|why| panic!("the history: {why}"))
        }),
    };
    let history = history_of(&part, name);
    let windows = Windows::told(history.clone());
    let networks = Networks::before(&deployment.servers(), settings.processes);
    let mut fleet = Fleet::start(&part, networks, history.clone());
    for slot in 0..fleet.len() {
        fleet.expect(slot, "up", &windows);
    }
    let pushes = measure(&mut fleet, &windows);
    fleet.all("storm", "storming", &windows);
    let began = Instant::now();
    let faults = blow(&mut fleet, deployment, settings, &windows, &history);
    let lasted = began.elapsed();
    if fleet.verdicts.violations.is_empty() {
        settle(&mut fleet, &windows);
    }
    Report {
        deployment: name,
        settings: settings.clone(),
        lasted,
        fleet,
        faults,
        lacks: deployment.lacks(),
        pushes,
    }
}

fn prepare(folder: &Path, settings: &Settings) {
    let columns = Part::columns(settings.processes);
    Board::create(folder, columns).expect("the board's files");
}

/// The storm's own.
fn history_of(part: &Part, name: &str) -> History {
    let Some(folder) = &part.history else {
        return History::default();
    };
    let history = History::create(&history::of_parent(folder)).expect("a file of the history");
    let cells = (ROWS, Part::columns(part.slots));
    history.storm(name, part.seed, cells, now());
    history
}

/// How long a note takes while all is well.
fn measure(fleet: &mut Fleet, windows: &Windows) -> Vec<u64> {
    let mut pushes = Vec::new();
    for round in 0..PUSHES {
        let item = round % ITEMS;
        fleet.tell(1, &format!("watch {item}"));
        fleet.expect(1, "watching", windows);
        fleet.tell(0, &format!("change {item}"));
        let mut time = |slot| {
            let answer = fleet.answer(slot, windows);
            answer.parse::<u64>().expect("a time")
        };
        let (acknowledged, gone) = (time(0), time(1));
        // The note may arrive before the acknowledgement.
        pushes.push(gone.saturating_sub(acknowledged));
    }
    pushes.sort_unstable();
    pushes
}

/// Lets things happen until the time is over, or a read was stale.
fn blow(
    fleet: &mut Fleet,
    deployment: &dyn Deployment,
    settings: &Settings,
    windows: &Windows,
    history: &History,
) -> BTreeMap<&'static str, u64> {
    let random = Random::new(settings.seed);
    // What a fault chooses is a sequence of its own: the servers' take turns with the workers'.
    let servers = Random::new(settings.seed ^ u64::MAX);
    let mut faults = BTreeMap::new();
    let mut deck = Deck::new(deployment.faults());
    let until = Instant::now() + Duration::from_secs(settings.seconds);
    thread::scope(|scope| {
        let mut busy: Option<thread::ScopedJoinHandle<'_, ()>> = None;
        let mut next = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until && fleet.verdicts.violations.is_empty() {
            fleet.hear(windows);
            fleet.mend(false, windows);
            if let Some(done) = busy.take_if(|busy| busy.is_finished()) {
                well_again(deployment, done.join());
            }
            if Instant::now() >= next {
                next = Instant::now() + Duration::from_millis(100 + random.below(700));
                if busy.is_none() && random.below(100) < 60 {
                    let fault = deck.draw(&servers);
                    *faults.entry(fault).or_default() += 1;
                    let servers = &servers;
                    busy = Some(scope.spawn(move || {
                        let began = now();
                        deployment.inject(fault, servers, windows);
                        history.fault(fault, began, now());
                    }));
                } else if let Some(fault) = trouble_a_worker(fleet, &random, windows) {
                    *faults.entry(fault).or_default() += 1;
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
        // The workers go on until the servers are well.
        while busy.as_ref().is_some_and(|busy| !busy.is_finished()) {
            fleet.hear(windows);
            fleet.mend(false, windows);
            thread::sleep(Duration::from_millis(2));
        }
        if let Some(busy) = busy {
            well_again(deployment, busy.join());
        }
    });
    fleet.hear(windows);
    faults
}

/// A fault of the servers' is over. Where they are not well, there is nothing to hold a read to.
fn well_again(deployment: &dyn Deployment, done: thread::Result<()>) {
    assert!(
        done.is_ok(),
        "the servers are not well again:\n{}",
        deployment.state()
    );
}

/// Halts or kills a worker, or cuts it off, unless too few are well.
fn trouble_a_worker(fleet: &mut Fleet, random: &Random, windows: &Windows) -> Option<&'static str> {
    let slot = random.below(fleet.len() as u64) as usize;
    let kills = random.one_in(2);
    let time = match random.below(3) {
        0 => 1_000 + random.below(4_000),
        _ => random.below(1_000),
    };
    let time = Duration::from_millis(time);
    if !fleet.is_well(slot) || fleet.well() <= fleet.len() / 2 {
        return None;
    }
    if !fleet.networks.are_near(slot) && !random.one_in(3) {
        return fleet.cut_off(slot, time, random);
    }
    if kills {
        fleet.kill(slot, time, windows);
        Some("process killed")
    } else {
        fleet.halt(slot, time);
        Some("process halted")
    }
}

/// Ends the storm, and looks at what is left.
fn settle(fleet: &mut Fleet, windows: &Windows) {
    fleet.mend(true, windows);
    fleet.all("calm", "calm", windows);
    fleet.all("check", "checked", windows);
    fleet.all("close", "closed", windows);
    thread::sleep(BEYOND_TRUST);
    fleet.all("verify", "verified", windows);
    fleet.all("end", "ended", windows);
    fleet.hear(windows);
}

/// The faults in an order by chance: each comes once before any comes again.
struct Deck {
    all: Vec<&'static str>,
    left: Vec<&'static str>,
}

impl Deck {
    fn new(all: Vec<&'static str>) -> Self {
        let left = Vec::new();
        Self { all, left }
    }

    fn draw(&mut self, random: &Random) -> &'static str {
        if self.left.is_empty() {
            self.left.clone_from(&self.all);
        }
        let at = random.below(self.left.len() as u64) as usize;
        self.left.swap_remove(at)
    }
}

impl Report {
    /// Whether everything that is promised was kept.
    pub(crate) fn held(&self) -> bool {
        self.fleet.verdicts.violations.is_empty()
    }

    pub(crate) fn table(&self) -> String {
        table::of(self)
    }

    /// The push at this share of all, in milliseconds.
    pub(crate) fn push(&self, percent: usize) -> f64 {
        let at = (self.pushes.len() * percent / 100).min(self.pushes.len() - 1);
        millis(self.pushes[at])
    }

    /// What was stale, one line each, the first ones.
    pub(crate) fn violations(&self) -> String {
        const SHOWN: usize = 10;
        let violations = &self.fleet.verdicts.violations;
        let mut lines: Vec<_> = violations.iter().take(SHOWN).map(told).collect();
        if violations.len() > SHOWN {
            lines.push(format!("  and {} more", violations.len() - SHOWN));
        }
        lines.join("\n")
    }
}

fn told(stale: &Stale) -> String {
    let missed = match stale.missed {
        0 => "long".to_owned(),
        missed => format!("{:.3} ms", millis(stale.began.saturating_sub(missed))),
    };
    format!(
        "  {} read of item {} ({}): process {} had acknowledged {}, it returned {}; the first that \
         it missed was acknowledged {missed} before it began; it took {:.3} ms",
        stale.promise,
        stale.item,
        stale.how,
        stale.column / 2,
        stale.wanted,
        stale.value,
        millis(stale.ended.saturating_sub(stale.began)),
    )
}
