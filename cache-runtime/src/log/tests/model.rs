//! Random histories of a log and of the ways its news reach a view, against a model that
//! remembers everything it was told. What the view calls current, the model must call current.

use std::collections::HashMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// More than a bucket has room for.
const TAGS: u64 = 12;

#[derive(Clone, Debug)]
enum Step {
    /// Another process appends.
    Other(Vec<u64>),
    /// This one appends; the answer is on its way.
    Append(Vec<u64>),
    /// One of the answers on their way arrives.
    Confirm(prop::sample::Index),
    /// The records from the view's head on are read, or arrive.
    CatchUp,
    /// The oldest records are trimmed: a catch-up from below finds a gap.
    Trim,
    Ask(Vec<u64>),
    Answer,
    Owe(Vec<u64>),
    /// The oldest debt is appended, or its end is applied.
    Settle,
    /// The server's log is lost, and another begins.
    Lose,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let tags = || vec(0..TAGS, 1..4);
    let step = prop_oneof![
        4 => tags().prop_map(Step::Other),
        4 => tags().prop_map(Step::Append),
        4 => any::<prop::sample::Index>().prop_map(Step::Confirm),
        6 => Just(Step::CatchUp),
        1 => Just(Step::Trim),
        2 => tags().prop_map(Step::Ask),
        2 => Just(Step::Answer),
        1 => tags().prop_map(Step::Owe),
        2 => Just(Step::Settle),
        1 => Just(Step::Lose),
    ];
    vec(step, 1..60)
}

/// The server.
#[derive(Debug)]
struct Log {
    id: LogId,
    records: Vec<Record>,
    trimmed: u64,
}

impl Log {
    fn new(number: u8) -> Self {
        Self {
            id: [number; 16],
            records: Vec::new(),
            trimmed: 0,
        }
    }

    fn head(&self) -> u64 {
        self.records.len() as u64
    }

    fn append(&mut self, tags: &[u64]) -> Record {
        let record = record(self.head() + 1, tags);
        self.records.push(record.clone());
        record
    }

    fn version(&self, wanted: TagHash) -> u64 {
        let names = |record: &&Record| record.tags.contains(&wanted);
        let last = self.records.iter().rev().find(names);
        last.map_or(0, |record| record.version)
    }
}

/// The view under test, the server, what is on its way between them, and all that was told.
#[derive(Debug)]
struct World {
    view: View,
    log: Log,
    confirms: Vec<(LogId, Record)>,
    catch_up: Option<(u64, CaughtUp)>,
    answer: Option<(Vec<TagHash>, Answer)>,
    debts: Vec<Vec<TagHash>>,
    settling: Option<(Vec<TagHash>, LogId, Record)>,
    told: HashMap<(LogId, TagHash), u64>,
}

impl World {
    fn new() -> Self {
        Self {
            view: View::unattached(false),
            log: Log::new(1),
            confirms: Vec::new(),
            catch_up: None,
            answer: None,
            debts: Vec::new(),
            settling: None,
            told: HashMap::new(),
        }
    }

    fn tell(&mut self, id: LogId, record: &Record) {
        for &tag in &record.tags {
            let told = self.told.entry((id, tag)).or_default();
            *told = record.version.max(*told);
        }
    }

    fn confirm(&mut self, id: LogId, record: &Record) {
        self.view.confirm(&id, 0, record);
        self.tell(id, record);
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Other(tags) => {
                self.log.append(&tags);
            }
            Step::Append(tags) => {
                let record = self.log.append(&tags);
                self.confirms.push((self.log.id, record));
            }
            Step::Confirm(which) => {
                if !self.confirms.is_empty() {
                    let which = which.index(self.confirms.len());
                    let (id, record) = self.confirms.remove(which);
                    self.confirm(id, &record);
                }
            }
            Step::CatchUp => self.catch_up(),
            Step::Trim => self.log.trimmed = self.log.head(),
            Step::Ask(tags) => {
                let asked: Vec<_> = tags.into_iter().map(tag).collect();
                let versions = asked.iter().map(|&tag| self.log.version(tag)).collect();
                let answer = Answer {
                    id: self.log.id,
                    head: self.log.head(),
                    floor: 0,
                    versions,
                };
                self.answer = Some((asked, answer));
            }
            Step::Answer => {
                if let Some((asked, answer)) = self.answer.take() {
                    self.view.learn(&asked, &answer);
                }
            }
            Step::Owe(tags) => {
                let tags: Vec<_> = tags.into_iter().map(tag).collect();
                self.view.owe(&tags);
                self.debts.push(tags);
            }
            Step::Settle => self.settle(),
            Step::Lose => self.log = Log::new(self.log.id[0] + 1),
        }
    }

    fn catch_up(&mut self) {
        if let Some((from, caught)) = self.catch_up.take() {
            self.view.catch_up(from, &caught);
            for record in &caught.records {
                self.tell(caught.id, record);
            }
            return;
        }
        let from = self.view.identity().map_or(0, |(_, at)| at.head);
        let read = |record: &&Record| record.version >= from.max(self.log.trimmed);
        let caught = CaughtUp {
            id: self.log.id,
            head: self.log.head(),
            floor: 0,
            records: self.log.records.iter().filter(read).cloned().collect(),
            marks: Some(Vec::new()),
        };
        self.catch_up = Some((from, caught));
    }

    fn settle(&mut self) {
        if let Some((tags, id, record)) = self.settling.take() {
            self.confirm(id, &record);
            self.view.settle(&tags, record.version);
        } else if !self.debts.is_empty() {
            let tags = self.debts.remove(0);
            let numbers: Vec<_> = tags.iter().map(|tag| tag.get() - 1).collect();
            let record = self.log.append(&numbers);
            self.settling = Some((tags, self.log.id, record));
        }
    }

    fn is_owed(&self, tag: TagHash) -> bool {
        let settling = self.settling.as_ref().map(|(tags, ..)| tags);
        let mut owed = self.debts.iter().chain(settling);
        owed.any(|tags| tags.contains(&tag))
    }

    /// Everything that an entry could be, judged by both.
    fn check(&self) -> Result<(), TestCaseError> {
        let Some((id, _)) = self.view.identity() else {
            return Ok(());
        };
        for number in 0..TAGS {
            let tag = tag(number);
            let told = self.told.get(&(id, tag)).copied().unwrap_or(0);
            for version in 0..self.log.head() + 2 {
                let at = self.view.locate(&id, version);
                if self.view.judge(at, &[tag]) == Current {
                    prop_assert!(told <= version, "tag {number} at {version}, told {told}");
                    prop_assert!(!self.is_owed(tag), "tag {number} at {version} is owed");
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_was_told_is_forgotten(steps in steps()) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
            world.check()?;
        }
    }

    /// With room for all tags and every record seen, the view is exact.
    #[test]
    fn a_view_that_has_seen_everything_is_exact(records in vec(vec(0..8_u64, 1..4), 1..20)) {
        let mut log = Log::new(1);
        let view = View::unattached(false);
        catch_up(&view, 0, log.id, 0, 0, &[]);
        for tags in records {
            let known = log.head();
            log.append(&tags);
            let read = &log.records[(known.max(1) - 1) as usize..];
            prop_assert!(catch_up(&view, known, log.id, log.head(), 0, read));
        }
        for number in 0..8 {
            for version in 0..=log.head() {
                let is_current = log.version(tag(number)) <= version;
                let judged = view.judge(view.locate(&log.id, version), &[tag(number)]);
                prop_assert_eq!(judged, if is_current { Current } else { Outdated });
            }
        }
    }
}
