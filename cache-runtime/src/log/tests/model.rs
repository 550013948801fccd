//! Random histories of a log and of the ways its news reach a view, against a model that
//! remembers everything it was told. What the view calls current, the model must call current.

use std::collections::{HashMap, HashSet};

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
    /// A mark is placed, by this process (its answer is on its way) or another.
    Mark(bool, Vec<u64>),
    /// The holder of one of the marks places it again where it is gone.
    MarkAgain(prop::sample::Index),
    /// One of the marks is ended.
    Unmark(prop::sample::Index),
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
        2 => (any::<bool>(), tags()).prop_map(|(own, tags)| Step::Mark(own, tags)),
        1 => any::<prop::sample::Index>().prop_map(Step::MarkAgain),
        2 => any::<prop::sample::Index>().prop_map(Step::Unmark),
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
    marks: Vec<Mark>,
}

impl Log {
    fn new(number: u8) -> Self {
        Self {
            id: [number; 16],
            records: Vec::new(),
            trimmed: 0,
            marks: Vec::new(),
        }
    }

    fn head(&self) -> u64 {
        self.records.len() as u64
    }

    fn append(&mut self, tags: &[u64]) -> Record {
        self.add(record(self.head() + 1, tags))
    }

    fn add(&mut self, record: Record) -> Record {
        self.records.push(record.clone());
        record
    }

    fn has(&self, mark: &Mark) -> bool {
        self.marks.iter().any(|stands| stands.id == mark.id)
    }

    fn mark(&mut self, mark: &Mark) -> Record {
        self.marks.push(mark.clone());
        self.add(Record {
            version: self.head() + 1,
            tags: Vec::new(),
            mark: Some(Marking::Placed(mark.clone())),
        })
    }

    fn unmark(&mut self, mark: &Mark) -> Record {
        self.marks.retain(|stands| stands.id != mark.id);
        self.add(Record {
            version: self.head() + 1,
            tags: mark.tags.clone(),
            mark: Some(Marking::Ended(vec![mark.id])),
        })
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
    /// With the records that were there when it was read, trimmed or not.
    catch_up: Option<(u64, CaughtUp, Vec<Record>)>,
    answer: Option<(Vec<TagHash>, Answer)>,
    debts: Vec<Vec<TagHash>>,
    settling: Option<(Vec<TagHash>, LogId, Record)>,
    /// The marks whose holders are at work, and whether that is this process.
    held: Vec<(bool, Mark)>,
    marks: u8,
    told: HashMap<(LogId, TagHash), u64>,
    told_marks: HashMap<MarkId, Mark>,
    told_ends: HashSet<MarkId>,
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
            held: Vec::new(),
            marks: 0,
            told: HashMap::new(),
            told_marks: HashMap::new(),
            told_ends: HashSet::new(),
        }
    }

    fn tell(&mut self, id: LogId, record: &Record) {
        for &tag in &record.tags {
            let told = self.told.entry((id, tag)).or_default();
            *told = record.version.max(*told);
        }
        match &record.mark {
            None => {}
            Some(Marking::Placed(mark)) => self.tell_mark(mark),
            Some(Marking::Ended(ids)) => {
                for id in ids {
                    self.told_marks.remove(id);
                    self.told_ends.insert(*id);
                }
            }
        }
    }

    fn tell_mark(&mut self, mark: &Mark) {
        if !self.told_ends.contains(&mark.id) {
            self.told_marks.insert(mark.id, mark.clone());
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
            Step::Mark(own, tags) => {
                self.marks += 1;
                let mark = Mark {
                    id: [self.marks; 16],
                    deadline: 1_000,
                    tags: tags.into_iter().map(tag).collect(),
                };
                self.held.push((own, mark));
                self.mark(self.held.len() - 1);
            }
            Step::MarkAgain(which) => {
                if !self.held.is_empty() {
                    self.mark(which.index(self.held.len()));
                }
            }
            Step::Unmark(which) => {
                if !self.held.is_empty() {
                    let (own, mark) = self.held.remove(which.index(self.held.len()));
                    let record = self.log.unmark(&mark);
                    self.answer_own(own, record);
                }
            }
            Step::Lose => self.log = Log::new(self.log.id[0] + 1),
        }
    }

    /// Places a mark, unless it stands.
    fn mark(&mut self, which: usize) {
        let (own, mark) = self.held[which].clone();
        if !self.log.has(&mark) {
            let record = self.log.mark(&mark);
            self.answer_own(own, record);
        }
    }

    fn answer_own(&mut self, own: bool, record: Record) {
        if own {
            self.confirms.push((self.log.id, record));
        }
    }

    fn catch_up(&mut self) {
        if let Some((from, caught, all)) = self.catch_up.take() {
            let followed = self.view.identity().map(|(id, _)| id);
            if self.view.catch_up(from, &caught) {
                for record in &caught.records {
                    self.tell(caught.id, record);
                }
                return;
            }
            // It knows nothing older than this by itself, so that all of it is as good as told.
            for record in &all {
                self.tell(
                    caught.id,
                    &Record {
                        mark: None,
                        ..record.clone()
                    },
                );
            }
            let stand = caught.marks.unwrap_or_default();
            if followed == Some(caught.id) {
                self.told_marks
                    .retain(|id, _| stand.iter().any(|mark| mark.id == *id));
            }
            for mark in &stand {
                self.tell_mark(mark);
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
            marks: Some(self.log.marks.clone()),
        };
        self.catch_up = Some((from, caught, self.log.records.clone()));
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
                    let mut marks = self.told_marks.values();
                    let is_marked = marks.any(|mark| mark.tags.contains(&tag));
                    prop_assert!(!is_marked, "tag {number} at {version} is under a mark");
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
