//! Histories of a log that may be anything: what the server answers is built as a reply, read by the
//! readers of replies, and told to a view as the driver would. Whatever it was told, and took over,
//! the view does not forget: what carries a tag that has moved past it is never current.

use std::collections::HashMap;

use redis::Value;

use super::super::reply;
use crate::fuzzing::Source;
use crate::log::{CaughtUp, Judgement, LogId, Mark, MarkId, Marking, Record, View};
use crate::tag::TagHash;

/// More than one bucket of the view's table has room for; all of them are in one.
const TAGS: u8 = 12;
/// So many logs there are. A view remembers some that it has left, not any number.
const LOGS: u8 = 5;
const MARKS: u8 = 4;

pub(crate) fn run(bytes: &[u8]) {
    let mut world = World {
        view: View::unattached(false),
        told: HashMap::new(),
        standing: HashMap::new(),
        owed: Vec::new(),
        from: None,
    };
    let mut source = Source::new(bytes);
    while !source.is_empty() {
        world.step(&mut source);
        world.check();
    }
}

struct World {
    view: View,
    /// Where each tag stands in each log, by what the view has taken over.
    told: HashMap<(LogId, TagHash), u64>,
    /// The marks that stand, by the same.
    standing: HashMap<MarkId, Vec<TagHash>>,
    owed: Vec<Vec<TagHash>>,
    /// Where the catch-up that is under way begins.
    from: Option<u64>,
}

impl World {
    fn step(&mut self, source: &mut Source<'_>) {
        match source.below(12) {
            0 => self.from = self.view.identity().map(|(_, at)| at.head),
            1..=4 => self.catch_up(source),
            5 => self.begin(source),
            6 => self.start_anew(source),
            7 => self.confirm(source),
            8 => self.learn(source),
            9 => {
                let tags = tags(source);
                self.view.owe(&tags);
                self.owed.push(tags);
            }
            10 => self.settle(source),
            _ => self.mark_ended(source),
        }
    }

    fn following(&self) -> Option<LogId> {
        self.view.identity().map(|(id, _)| id)
    }

    fn head(&self) -> u64 {
        self.view.position().head
    }

    /// A note has come, and the records from the view's head on were read.
    fn catch_up(&mut self, source: &mut Source<'_>) {
        let from = self.from.take().unwrap_or_else(|| self.head());
        let state = state(source, self.head());
        let Some(log) = reply::log(&state) else {
            return;
        };
        let Some(records) = reply::records(&records(source, &log.id, from), &log.id) else {
            return;
        };
        let mut caught = CaughtUp {
            id: log.id,
            head: log.head,
            floor: log.floor,
            records,
            marks: None,
        };
        if !self.view.can_go_on(from, &caught) {
            caught.marks = reply::marks(&standing(source));
        }
        let before = self.view.position();
        let was = self.following();
        if self.view.catch_up(from, &caught) {
            let after = self.view.position();
            assert_eq!(after.log, before.log);
            assert!(after.head >= before.head, "it went back");
            for record in &caught.records {
                if record.version > before.head {
                    self.tell(caught.id, record);
                }
            }
        } else if let Some(marks) = &caught.marks {
            self.started(was, caught.id, marks);
        }
    }

    fn begin(&mut self, source: &mut Source<'_>) {
        let state = state(source, self.head());
        let mut found = reply::array(&state).unwrap_or_default().to_vec();
        found.truncate(3);
        found.push(standing(source));
        if let Some((log, marks)) = reply::found(&Value::Array(found)) {
            let was = self.following();
            self.view.follow(log.id, log.head, log.floor, &marks);
            if was != Some(log.id) {
                self.started(was, log.id, &marks);
            }
        }
    }

    fn start_anew(&mut self, source: &mut Source<'_>) {
        let state = state(source, self.head());
        if let Some(log) = reply::log(&state) {
            let caught = CaughtUp {
                id: log.id,
                head: log.head,
                floor: log.floor,
                records: Vec::new(),
                marks: reply::marks(&standing(source)),
            };
            let was = self.following();
            assert!(!self.view.catch_up(u64::MAX, &caught));
            if let Some(marks) = &caught.marks {
                self.started(was, caught.id, marks);
            }
        }
    }

    /// The view began to follow a log, or the same one after a gap, with these marks.
    fn started(&mut self, was: Option<LogId>, id: LogId, marks: &[Mark]) {
        if was == Some(id) {
            self.standing
                .retain(|id, _| marks.iter().any(|mark| mark.id == *id));
        }
        for mark in marks {
            self.tell_mark(mark);
        }
    }

    /// The answer to an append of this process's own.
    fn confirm(&mut self, source: &mut Source<'_>) {
        let (tags, mark) = (tags(source), source.below(4));
        let Some(log) = reply::log(&state(source, self.head())) else {
            return;
        };
        let id = [source.below(MARKS); 16];
        let record = Record {
            version: log.head,
            mark: match mark {
                0 => Some(Marking::Ended(vec![id])),
                1 => Some(Marking::Placed(Mark {
                    id,
                    deadline: source.number(),
                    tags: tags.clone(),
                })),
                _ => None,
            },
            tags,
        };
        let before = self.view.position();
        self.view.confirm(&log.id, log.floor, &record);
        let after = self.view.position();
        assert!(after.log != before.log || after.head >= before.head);
        self.tell(log.id, &record);
    }

    fn learn(&mut self, source: &mut Source<'_>) {
        let asked = tags(source);
        let state = state(source, self.head());
        let mut answer = reply::array(&state).unwrap_or_default().to_vec();
        answer.truncate(3);
        answer.extend(asked.iter().map(|_| number(source, self.head())));
        let Some(mut answer) = reply::answer(&Value::Array(answer), asked.len()) else {
            return;
        };
        // A log that takes back what it has said cannot be helped: this one says no less.
        for (tag, version) in asked.iter().zip(&mut answer.versions) {
            let told = self.told.get(&(answer.id, *tag));
            *version = told.map_or(*version, |told| (*version).max(*told));
        }
        self.view.learn(&asked, &answer);
    }

    fn settle(&mut self, source: &mut Source<'_>) {
        let Some(tags) = self.owed.pop() else {
            return;
        };
        let Some(log) = reply::log(&state(source, self.head())) else {
            return self.owed.push(tags);
        };
        let record = Record {
            version: log.head,
            tags,
            mark: None,
        };
        self.view.confirm(&log.id, log.floor, &record);
        self.tell(log.id, &record);
        self.view.settle(&record.tags, record.version);
    }

    fn mark_ended(&mut self, source: &mut Source<'_>) {
        let id = [source.below(MARKS); 16];
        if let Some(log) = reply::log(&state(source, self.head())) {
            self.view.mark_ended(&log.id, &id, log.head);
            if self.following() == Some(log.id) {
                self.standing.remove(&id);
            }
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
            Some(Marking::Ended(ids)) => ids.iter().for_each(|id| drop(self.standing.remove(id))),
        }
    }

    fn tell_mark(&mut self, mark: &Mark) {
        let tags = || mark.tags.clone();
        self.standing.entry(mark.id).or_insert_with(tags);
    }

    fn check(&self) {
        for (&(id, tag), &moved) in &self.told {
            for version in [0, moved / 2, moved.saturating_sub(1)] {
                let judged = self.view.judge(self.view.locate(&id, version), &[tag]);
                let is_stale = judged == Judgement::Current && version < moved;
                assert!(
                    !is_stale,
                    "current at {version}, though it moved at {moved}"
                );
            }
        }
        let at = self.view.position();
        for tag in self.standing.values().chain(&self.owed).flatten() {
            assert!(self.view.holds_any(&[*tag]));
            let judged = self.view.judge(at, &[*tag]);
            assert_ne!(judged, Judgement::Current, "it is held");
        }
    }
}

fn text(text: impl ToString) -> Value {
    Value::BulkString(text.to_string().into_bytes())
}

/// A number as a server says it: mostly near this one.
fn number(source: &mut Source<'_>, near: u64) -> Value {
    match source.below(16) {
        0..=3 => text(near),
        4..=7 => text(near.wrapping_add(1)),
        8..=9 => text(near.wrapping_add(source.byte().into())),
        10 => text(near.wrapping_sub(source.byte().into())),
        11 => text(source.byte()),
        12 => {
            let extremes = [u64::MAX, u64::MAX - 1, 1 << 63, 1 << 53, (1 << 53) - 1, 0];
            text(extremes[usize::from(source.below(6))])
        }
        13 => Value::Int(source.number().cast_signed()),
        14 => text(source.number()),
        _ => Value::BulkString(source.bytes(4).to_vec()),
    }
}

/// Id, head and floor.
fn state(source: &mut Source<'_>, near: u64) -> Value {
    // An id of zeros is none, for those who ask which log the view follows.
    let id = Value::BulkString(vec![source.below(LOGS) + 1; 16]);
    let head = number(source, near);
    let floor = if source.rarely() {
        number(source, near)
    } else {
        Value::Int(0)
    };
    Value::Array(vec![id, head, floor])
}

/// Records, mostly as they would join up with one at `from`.
fn records(source: &mut Source<'_>, log: &LogId, from: u64) -> Value {
    let mut version = from.max(1);
    if source.rarely() {
        version = version.wrapping_add(source.byte().into());
    }
    let count = source.below(6);
    let record = |_| {
        let at = version;
        version = version.wrapping_add(if source.rarely() { 2 } else { 1 });
        record(source, log, at)
    };
    Value::Array((0..count).map(record).collect())
}

fn record(source: &mut Source<'_>, log: &LogId, version: u64) -> Value {
    let mut fields = vec![text("i"), Value::BulkString(log.to_vec())];
    let mut field = |name: &str, value: Vec<u8>| {
        fields.push(text(name));
        fields.push(Value::BulkString(value));
    };
    field("t", reply::pack(&tags(source)));
    match source.below(8) {
        0 => {
            field("m", vec![source.below(MARKS); 16]);
            field("d", source.byte().to_string().into_bytes());
            field("p", reply::pack(&tags(source)));
        }
        1 => field("u", vec![source.below(MARKS); 16]),
        2 => field("u", source.bytes(32).to_vec()),
        3 => field("t", source.bytes(16).to_vec()),
        _ => {}
    }
    Value::Array(vec![text(format!("{version}-0")), Value::Array(fields)])
}

/// The hash of the marks that stand.
fn standing(source: &mut Source<'_>) -> Value {
    let mut hash = vec![text(""), Value::BulkString(vec![1; 16])];
    for _ in 0..source.below(3) {
        hash.push(Value::BulkString(vec![source.below(MARKS); 16]));
        let mut mark = format!("{:016}", source.number() >> 12).into_bytes();
        mark.extend(reply::pack(&tags(source)));
        hash.push(Value::BulkString(mark));
    }
    if source.rarely() {
        hash.drain(..2);
    }
    Value::Array(hash)
}

fn tags(source: &mut Source<'_>) -> Vec<TagHash> {
    let count = source.below(4);
    let tag = |_| TagHash::from_u64(u64::from(source.below(TAGS)) + 1);
    (0..count).filter_map(tag).collect()
}
