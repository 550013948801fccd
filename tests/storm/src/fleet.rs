//! The workers, as their parent sees them: started, steered, halted, killed and started again; and
//! what they tell.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use afresh_test_support::{PATIENCE, Worker};

use crate::board::now;
use crate::history::History;
use crate::judge::{Promise, Stale};
use crate::networks::Networks;
use crate::random::Random;
use crate::tally::Tally;
use crate::windows::Windows;
use crate::worker::Part;

/// All workers.
#[derive(Debug)]
pub(crate) struct Fleet {
    part: Part,
    /// Where it is told what happens to workers.
    history: History,
    pub(crate) networks: Networks,
    slots: Vec<Slot>,
    /// By consistency: `Strict`, `Bounded`.
    pub(crate) tallies: [Tally; 2],
    pub(crate) verdicts: Verdicts,
}

/// What was stale.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Of each consistency, what no limit covers.
    pub(crate) violations: Vec<Stale>,
    /// Reads that the limit of a failover covers.
    pub(crate) covered: u64,
}

#[derive(Debug, Default)]
struct Slot {
    worker: Option<Worker>,
    answers: VecDeque<String>,
    runs: u64,
    /// What ends the fault that it is under, and when.
    fault: Option<(Instant, End)>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Resume,
    Start,
    /// Of the network's fault; with it, everything that was kept may be lost.
    Heal {
        is_lost: bool,
    },
}

impl Fleet {
    pub(crate) fn start(part: &Part, networks: Networks, history: History) -> Self {
        let mut fleet = Self {
            part: part.clone(),
            history,
            networks,
            slots: (0..part.slots).map(|_| Slot::default()).collect(),
            tallies: Default::default(),
            verdicts: Verdicts::default(),
        };
        for slot in 0..part.slots {
            fleet.launch(slot);
        }
        fleet
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    fn launch(&mut self, at: usize) {
        let slot = &mut self.slots[at];
        slot.runs += 1;
        let part = Part {
            slot: at,
            url: self.networks.through(at, &self.part.url),
            run: slot.runs,
            seed: self.part.seed ^ ((at as u64 + 1) << 32) ^ (slot.runs << 48),
            ..self.part.clone()
        };
        let variables = part.variables();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        slot.worker = Some(Worker::spawn_with("worker", &variables));
        slot.answers.clear();
    }

    /// Hears what has been told.
    pub(crate) fn hear(&mut self, windows: &Windows) {
        for slot in &mut self.slots {
            let Some(worker) = &mut slot.worker else {
                continue;
            };
            while let Some(line) = worker.hear_within(Duration::ZERO) {
                let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
                match word {
                    "tally" => {
                        let mut words = rest.split(' ');
                        let strict = words.next() == Some("strict");
                        self.tallies[usize::from(!strict)].give(words);
                    }
                    "stale" => self.verdicts.judge(rest, windows),
                    _ => slot.answers.push_back(line),
                }
            }
        }
    }

    /// Tells one worker something.
    pub(crate) fn tell(&mut self, slot: usize, order: &str) {
        let worker = self.slots[slot].worker.as_mut();
        worker.expect("a worker that lives").say(order);
    }

    /// Waits for a worker's next answer.
    pub(crate) fn answer(&mut self, slot: usize, windows: &Windows) -> String {
        let began = Instant::now();
        loop {
            self.hear(windows);
            if let Some(answer) = self.slots[slot].answers.pop_front() {
                return answer;
            }
            assert!(
                began.elapsed() < 2 * PATIENCE,
                "worker {slot} does not answer: {:?}",
                self.slots[slot].worker
            );
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    pub(crate) fn expect(&mut self, slot: usize, answer: &str, windows: &Windows) {
        let heard = self.answer(slot, windows);
        assert_eq!(heard, answer, "worker {slot}");
    }

    /// Has all workers do something at the same time, and waits for all.
    pub(crate) fn all(&mut self, order: &str, answer: &str, windows: &Windows) {
        for slot in 0..self.len() {
            self.tell(slot, order);
        }
        for slot in 0..self.len() {
            self.expect(slot, answer, windows);
        }
    }

    /// How many workers are well.
    pub(crate) fn well(&self) -> usize {
        self.slots
            .iter()
            .filter(|slot| slot.fault.is_none())
            .count()
    }

    pub(crate) fn is_well(&self, slot: usize) -> bool {
        self.slots[slot].fault.is_none()
    }

    pub(crate) fn halt(&mut self, at: usize, time: Duration) {
        let slot = &mut self.slots[at];
        if let Some(worker) = &slot.worker {
            worker.pause();
            self.history.event(at, "halted", now());
            slot.fault = Some((Instant::now() + time, End::Resume));
        }
    }

    pub(crate) fn kill(&mut self, at: usize, time: Duration, windows: &Windows) {
        let slot = &mut self.slots[at];
        if let Some(worker) = &mut slot.worker {
            worker.kill();
            self.history.event(at, "killed", now());
            slot.fault = Some((Instant::now() + time, End::Start));
        }
        // What it said before it was killed counts.
        self.hear(windows);
        self.slots[at].worker = None;
    }

    /// Lets something happen to the network of a worker.
    pub(crate) fn cut_off(
        &mut self,
        at: usize,
        time: Duration,
        random: &Random,
    ) -> Option<&'static str> {
        let fault = self.networks.trouble(at, random)?;
        self.history.event(at, fault, now());
        let is_lost = random.one_in(2);
        self.slots[at].fault = Some((Instant::now() + time, End::Heal { is_lost }));
        Some(fault)
    }

    /// Ends the faults whose time is over; with `all`, every one.
    pub(crate) fn mend(&mut self, all: bool, windows: &Windows) {
        for at in 0..self.len() {
            let at_present = Instant::now();
            let Some((_, end)) = self.slots[at]
                .fault
                .take_if(|(when, _)| all || *when <= at_present)
            else {
                continue;
            };
            match end {
                End::Resume => {
                    if let Some(worker) = &self.slots[at].worker {
                        self.history.event(at, "resumed", now());
                        worker.resume();
                    }
                }
                End::Heal { is_lost } => {
                    self.history.event(at, "reached again", now());
                    self.networks.heal(at, is_lost);
                }
                End::Start => {
                    self.launch(at);
                    self.expect(at, "up", windows);
                    self.tell(at, "storm");
                    self.expect(at, "storming", windows);
                }
            }
        }
    }
}

impl Verdicts {
    fn judge(&mut self, line: &str, windows: &Windows) {
        let stale: Stale = line.parse().expect("a stale read");
        if windows.cover(&stale) {
            self.covered += 1;
        } else {
            self.violations.push(stale);
        }
    }

    pub(crate) fn of(&self, promise: Promise) -> usize {
        let of = |stale: &&Stale| stale.promise == promise;
        self.violations.iter().filter(of).count()
    }
}
