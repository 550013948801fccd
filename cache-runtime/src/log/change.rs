//! Changing the view: appending where it is the log, following one where it is not, and what this
//! process owes it. Every change goes through the writer's lock, and ends with a new epoch.

use std::sync::atomic::Ordering;

use super::table::Known;
use super::writer::{Held, Writer};
use super::{
    Answer, CaughtUp, HELD, Judgement, LogId, Mark, MarkId, Marking, Position, Record, View,
};
use crate::clock::Millis;
use crate::tag::TagHash;

impl View {
    /// Appends to the log of a cache without a server.
    pub(crate) fn append(&self, tags: &[TagHash]) -> u64 {
        let mut writer = self.writer();
        let version = self.head.load(Ordering::Acquire) + 1;
        self.publish(&mut writer, version, tags);
        self.head.store(version, Ordering::Release);
        self.stir();
        version
    }

    /// Appends like [`append`](Self::append), unless what was noted at `at` with `tags` has been
    /// outdated since. Returns where the record stands.
    pub(crate) fn append_if(
        &self,
        at: Position,
        tags: &[TagHash],
        record: &[TagHash],
    ) -> Option<Position> {
        let mut writer = self.writer();
        if self.judge_once(at, tags) != Judgement::Current {
            return None;
        }
        let version = self.head.load(Ordering::Acquire) + 1;
        self.publish(&mut writer, version, record);
        self.head.store(version, Ordering::Release);
        self.stir();
        Some(Position {
            log: at.log,
            head: version,
        })
    }

    fn publish(&self, writer: &mut Writer, version: u64, tags: &[TagHash]) {
        writer.newest = writer.newest.max(version);
        for &tag in tags {
            if let Some(held) = writer.held.get_mut(&tag) {
                held.moved = held.moved.max(version);
                continue;
            }
            match self.tags.get(tag) {
                Known::Exactly(known) if known >= version => {}
                Known::Exactly(_) => self.tags.set(tag, version),
                // It may have moved again between this record and where the view began.
                Known::AtMost(_) if version < self.since.load(Ordering::Acquire) => {}
                // What was folded may be a later move of this very tag.
                Known::AtMost(most) => self.tags.set(tag, version.max(most)),
            }
        }
    }

    fn apply(&self, writer: &mut Writer, record: &Record) {
        self.publish(writer, record.version, &record.tags);
        match &record.mark {
            None => {}
            Some(Marking::Placed(mark)) => self.place(writer, mark),
            Some(Marking::Ended(ids)) => {
                for id in ids {
                    self.end(writer, id, record.version);
                }
            }
        }
    }

    /// Holds the tags of a mark. One that stands already is extended.
    fn place(&self, writer: &mut Writer, mark: &Mark) {
        writer.left_over.remove(&mark.id);
        if let Some(known) = writer.marks.get_mut(&mark.id) {
            known.deadline = known.deadline.max(mark.deadline);
            return;
        }
        writer.marks.insert(mark.id, mark.clone());
        for &tag in &mark.tags {
            self.hold(writer, tag).marks += 1;
        }
    }

    /// A debt or a mark of this tag begins. What the tag had moved to is not forgotten: news of
    /// the end may come late, and of an older version.
    fn hold<'a>(&self, writer: &'a mut Writer, tag: TagHash) -> &'a mut Held {
        let newest = writer.newest;
        let held = writer.held.entry(tag).or_insert_with(|| {
            let moved = match self.tags.get(tag).version() {
                // Its bucket is full of others that are held: it moved at some time.
                HELD => newest,
                moved => moved,
            };
            Held {
                moved,
                ..Held::default()
            }
        });
        self.tags.set(tag, HELD);
        held
    }

    /// Lets the tags of a mark go, at this version.
    pub(super) fn end(&self, writer: &mut Writer, id: &MarkId, version: u64) {
        writer.left_over.remove(id);
        let Some(mark) = writer.marks.remove(id) else {
            return;
        };
        for &tag in &mark.tags {
            if let Some(held) = writer.held.get_mut(&tag) {
                held.marks -= 1;
                self.let_go(writer, tag, version);
            }
        }
    }

    /// A debt or a mark of this tag has ended at `version`. Where it was the last, the tag stands
    /// at its last move from here on.
    fn let_go(&self, writer: &mut Writer, tag: TagHash, version: u64) {
        let Some(held) = writer.held.get_mut(&tag) else {
            return;
        };
        held.moved = held.moved.max(version);
        if held.debts == 0 && held.marks == 0 {
            // It may have moved again below where the view began.
            let moved = held.moved.max(self.since.load(Ordering::Acquire));
            writer.held.remove(&tag);
            self.tags.set(tag, moved);
        }
    }

    /// The deadline of a mark turned out to be later.
    pub(crate) fn extend_mark(&self, id: &MarkId, deadline: Millis) {
        if let Some(known) = self.writer().marks.get_mut(id) {
            known.deadline = known.deadline.max(deadline);
        }
    }

    /// Applies this process's own record, before its append is acknowledged to the caller.
    /// Records of others may be missing below it: the head moves only where there is no gap.
    pub(crate) fn confirm(&self, id: &LogId, floor: u64, record: &Record) {
        let mut writer = self.writer();
        self.owes.fetch_add(1, Ordering::AcqRel);
        writer.acknowledged.add(*id, &record.tags);
        if writer.id != Some(*id) {
            // A log that has just begun, or one that has just been left: a catch-up will tell.
            self.leave(&mut writer);
            writer.hear(*id, record.version);
            // What it did to a mark holds wherever it did it.
            match &record.mark {
                None => {}
                Some(Marking::Placed(mark)) => self.place(&mut writer, mark),
                Some(Marking::Ended(marks)) => {
                    for mark in marks {
                        self.end(&mut writer, mark, 0);
                    }
                }
            }
            return;
        }
        self.apply(&mut writer, record);
        self.floor.fetch_max(floor, Ordering::AcqRel);
        if record.version == self.head.load(Ordering::Acquire) + 1 {
            self.head.store(record.version, Ordering::Release);
        }
        self.open_up(&writer);
        self.stir();
    }

    /// Applies what a catch-up read: every record from `from`, the head when it was sent, to the
    /// log's head, both inclusive, of the log with this id. Where that is not what came, the view
    /// starts anew at that head with the marks that were read, or, where they were not, follows no
    /// log until it is found again. Returns whether it could go on from what it knew.
    pub(crate) fn catch_up(&self, from: u64, caught: &CaughtUp) -> bool {
        let mut writer = self.writer();
        if !Self::goes_on(&writer, from, caught) {
            match &caught.marks {
                Some(marks) => {
                    self.start(&mut writer, caught.id, caught.head, caught.floor, marks);
                }
                None => self.leave(&mut writer),
            }
            return false;
        }
        // Records of this process's own may have been applied since it was sent.
        let known = self.head.load(Ordering::Acquire);
        for record in &caught.records {
            if record.version > known {
                self.apply(&mut writer, record);
            }
        }
        self.floor.fetch_max(caught.floor, Ordering::AcqRel);
        let newest = caught.records.last().map_or(known, |record| record.version);
        self.head.fetch_max(newest, Ordering::AcqRel);
        self.open_up(&writer);
        self.stir();
        true
    }

    /// Whether the view can take over what was read without starting anew.
    pub(crate) fn can_go_on(&self, from: u64, caught: &CaughtUp) -> bool {
        Self::goes_on(&self.writer(), from, caught)
    }

    fn goes_on(writer: &Writer, from: u64, caught: &CaughtUp) -> bool {
        writer.id == Some(caught.id) && caught.joins(from)
    }

    /// Begins to follow the log that an attach has found, unless this view follows it already. The
    /// catch-up that comes next joins up with it.
    pub(crate) fn follow(&self, id: LogId, head: u64, floor: u64, marks: &[Mark]) {
        let mut writer = self.writer();
        if writer.id != Some(id) {
            self.start(&mut writer, id, head, floor, marks);
        }
    }

    /// Begins to follow a log, or the same one after a gap, at its head: of what is older, this
    /// view knows nothing until it asks.
    fn start(&self, writer: &mut Writer, id: LogId, head: u64, floor: u64, marks: &[Mark]) {
        self.overhaul(|| {
            if writer.id == Some(id) {
                // Marks that ended meanwhile moved their tags below the head.
                let stands = |id: &MarkId| marks.iter().any(|mark| mark.id == *id);
                let ended: Vec<_> = writer.marks.keys().copied().collect();
                for id in ended.into_iter().filter(|id| !stands(id)) {
                    self.end(writer, &id, head);
                }
            } else {
                // Marks of the log that is left stay until their deadline: their holders may not
                // have heard of the new one yet.
                writer.left_over = writer.marks.keys().copied().collect();
                if let Some(left) = writer.id.replace(id) {
                    writer.hear(left, writer.newest);
                }
                writer.newest = writer.forget(id);
                writer.held.values_mut().for_each(|held| held.moved = 0);
                writer.logs += 1;
                self.log.store(writer.logs, Ordering::Release);
                let id = u128::from_le_bytes(id);
                self.id[0].store((id >> 64) as u64, Ordering::Release);
                self.id[1].store(id as u64, Ordering::Release);
            }
            // Own records above the head are forgotten with the rest.
            writer.newest = writer.newest.max(head);
            self.since.store(writer.newest, Ordering::Release);
            self.floor.store(floor, Ordering::Release);
            self.head.store(head, Ordering::Release);
            self.tags.clear();
            for &tag in writer.held.keys() {
                self.tags.set(tag, HELD);
            }
            // Others may have computed here before this process came, knowing nothing of what the
            // log before has acknowledged to it.
            for tag in writer.acknowledged.take_others(&id) {
                self.hold(writer, tag).debts += 1;
                writer.to_repeat.push(tag);
            }
            for mark in marks {
                self.place(writer, mark);
            }
        });
    }

    /// Follows no log until the next catch-up: nothing is current meanwhile.
    fn leave(&self, writer: &mut Writer) {
        self.overhaul(|| {
            if let Some(left) = writer.id.take() {
                writer.hear(left, writer.newest);
            }
            self.log.store(0, Ordering::Release);
            self.head.store(0, Ordering::Release);
        });
    }

    /// Keeps an answer, unless the view has moved past it: then what it says may be old.
    pub(crate) fn learn(&self, asked: &[TagHash], answer: &Answer) {
        let mut writer = self.writer();
        if writer.id != Some(answer.id) || answer.head < writer.newest {
            return;
        }
        self.floor.fetch_max(answer.floor, Ordering::AcqRel);
        for (&tag, &version) in asked.iter().zip(&answer.versions) {
            if version == HELD {
                // Under a mark, which this view hears of by itself.
                continue;
            }
            match writer.held.get_mut(&tag) {
                Some(held) => held.moved = held.moved.max(version),
                None => self.tags.raise(tag, version),
            }
        }
        self.stir();
    }

    /// Takes the tags that have to be appended in the log that is followed now, because another one
    /// has acknowledged them to this process. They are owed from the moment on that it is followed.
    pub(crate) fn take_repeats(&self) -> Vec<TagHash> {
        std::mem::take(&mut self.writer().to_repeat)
    }

    /// These tags are owed to the log: until the debt lands, nothing that carries one is current.
    pub(crate) fn owe(&self, tags: &[TagHash]) {
        let mut writer = self.writer();
        self.owes.fetch_add(1, Ordering::AcqRel);
        for &tag in tags {
            self.hold(&mut writer, tag).debts += 1;
        }
        self.stir();
    }

    /// The debt for these tags has landed at `version`.
    pub(crate) fn settle(&self, tags: &[TagHash], version: u64) {
        let mut writer = self.writer();
        for &tag in tags {
            if let Some(held) = writer.held.get_mut(&tag)
                && held.debts > 0
            {
                held.debts -= 1;
                self.let_go(&mut writer, tag, version);
            }
        }
        self.open_up(&writer);
        self.stir();
    }

    /// Where a whole bucket was held at once, its neighbours were shut out: for no longer than
    /// anything is held.
    fn open_up(&self, writer: &Writer) {
        if writer.held.is_empty() && self.tags.is_saturated() {
            self.overhaul(|| {
                self.since.store(writer.newest, Ordering::Release);
                self.tags.clear();
            });
        }
    }
}
