//! Changing the view: appending where it is the log, following one where it is not, and what this
//! process owes it. Every change goes through the writer's lock, and ends with a new epoch.

use std::sync::atomic::Ordering;

use super::table::Known;
use super::writer::Writer;
use super::{Answer, CaughtUp, Judgement, LogId, OWED, Position, Record, View};
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
            if let Some(owing) = writer.owed.get_mut(&tag) {
                owing.moved = owing.moved.max(version);
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

    /// Applies this process's own record, before its append is acknowledged to the caller.
    /// Records of others may be missing below it: the head moves only where there is no gap.
    pub(crate) fn confirm(&self, id: &LogId, floor: u64, record: &Record) {
        let mut writer = self.writer();
        self.owes.fetch_add(1, Ordering::AcqRel);
        if writer.id != Some(*id) {
            // A log that has just begun, or one that has just been left: a catch-up will tell.
            self.leave(&mut writer);
            writer.hear(*id, record.version);
            return;
        }
        self.publish(&mut writer, record.version, &record.tags);
        self.floor.fetch_max(floor, Ordering::AcqRel);
        if record.version == self.head.load(Ordering::Acquire) + 1 {
            self.head.store(record.version, Ordering::Release);
        }
        self.stir();
    }

    /// Applies what a catch-up read: every record from `from`, the head when it was sent, to the
    /// log's head, both inclusive, of the log with this id. Where that is not what came, the view
    /// starts anew at that head. Returns whether it could go on from what it knew.
    pub(crate) fn catch_up(&self, from: u64, caught: &CaughtUp) -> bool {
        let mut writer = self.writer();
        if writer.id != Some(caught.id) || !caught.joins(from) {
            self.start(&mut writer, caught.id, caught.head, caught.floor);
            return false;
        }
        // Records of this process's own may have been applied since it was sent.
        let known = self.head.load(Ordering::Acquire);
        for record in &caught.records {
            if record.version > known {
                self.publish(&mut writer, record.version, &record.tags);
            }
        }
        self.floor.fetch_max(caught.floor, Ordering::AcqRel);
        let newest = caught.records.last().map_or(known, |record| record.version);
        self.head.fetch_max(newest, Ordering::AcqRel);
        self.stir();
        true
    }

    /// Begins to follow the log that an attach has found, unless this view follows it already. The
    /// catch-up that comes next joins up with it.
    pub(crate) fn follow(&self, id: LogId, head: u64, floor: u64) {
        let mut writer = self.writer();
        if writer.id != Some(id) {
            self.start(&mut writer, id, head, floor);
        }
    }

    /// Begins to follow a log, or the same one after a gap, at its head: of what is older, this
    /// view knows nothing until it asks.
    fn start(&self, writer: &mut Writer, id: LogId, head: u64, floor: u64) {
        self.overhaul(|| {
            if writer.id != Some(id) {
                if let Some(left) = writer.id.replace(id) {
                    writer.hear(left, writer.newest);
                }
                writer.newest = writer.forget(id);
                writer.owed.values_mut().for_each(|owing| owing.moved = 0);
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
            for &tag in writer.owed.keys() {
                self.tags.set(tag, OWED);
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
            match writer.owed.get_mut(&tag) {
                Some(owing) => owing.moved = owing.moved.max(version),
                None => self.tags.raise(tag, version),
            }
        }
        self.stir();
    }

    /// These tags are owed to the log: until the debt lands, nothing that carries one is current.
    pub(crate) fn owe(&self, tags: &[TagHash]) {
        let mut writer = self.writer();
        self.owes.fetch_add(1, Ordering::AcqRel);
        for &tag in tags {
            writer.owed.entry(tag).or_default().debts += 1;
            self.tags.set(tag, OWED);
        }
        self.stir();
    }

    /// The debt for these tags has landed at `version`.
    pub(crate) fn settle(&self, tags: &[TagHash], version: u64) {
        let mut writer = self.writer();
        for tag in tags {
            let Some(owing) = writer.owed.get_mut(tag) else {
                continue;
            };
            owing.moved = owing.moved.max(version);
            owing.debts -= 1;
            if owing.debts == 0 {
                // It may have moved again below where the view began.
                let moved = owing.moved.max(self.since.load(Ordering::Acquire));
                writer.owed.remove(tag);
                self.tags.set(*tag, moved);
            }
        }
        if writer.owed.is_empty() && self.tags.is_saturated() {
            // A whole bucket was owed at once and shut out its neighbours for good.
            self.overhaul(|| {
                self.since.store(writer.newest, Ordering::Release);
                self.tags.clear();
            });
        }
        self.stir();
    }
}
