//! The log of a simulated store: what `append`, `ask` and `mark` do there, on plain collections.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Millis;
use crate::log::{Answer, CaughtUp, LogId, Mark, MarkId, Marking, Record};
use crate::shared::Claim;
use crate::tag::TagHash;

/// A mark, and who keeps it standing.
#[derive(Debug)]
struct Standing {
    mark: Mark,
    keeper: usize,
}

#[derive(Debug)]
pub(super) struct Log {
    pub(super) id: LogId,
    head: u64,
    tags: HashMap<TagHash, u64>,
    records: Vec<Record>,
    marks: HashMap<MarkId, Standing>,
}

impl Log {
    /// A log of its own in this process.
    pub(super) fn new() -> Self {
        static LOGS: AtomicU64 = AtomicU64::new(1);

        Self {
            id: u128::from(LOGS.fetch_add(1, Ordering::Relaxed)).to_le_bytes(),
            head: 0,
            tags: HashMap::new(),
            records: Vec::new(),
            marks: HashMap::new(),
        }
    }

    fn record(&mut self, tags: Vec<TagHash>, mark: Option<Marking>) -> Record {
        self.head += 1;
        self.tags.extend(tags.iter().map(|&tag| (tag, self.head)));
        let record = Record {
            version: self.head,
            tags,
            mark,
        };
        self.records.push(record.clone());
        record
    }

    /// Adds a record that moves these tags and ends a mark.
    pub(super) fn append(&mut self, tags: Vec<TagHash>, ends: Option<MarkId>) -> Record {
        if let Some(id) = &ends {
            self.marks.remove(id);
        }
        self.record(tags, ends.map(|id| Marking::Ended(vec![id])))
    }

    /// Whether none of a claim's tags has moved past it or is under a mark.
    pub(super) fn admits(&self, claim: &Claim) -> bool {
        let is_free = |&tag: &TagHash| self.version(tag) <= claim.head;
        claim.log == self.id && claim.tags.iter().all(is_free)
    }

    /// Where a tag stands: above everything under a mark.
    fn version(&self, tag: TagHash) -> u64 {
        let mut marks = self.marks.values();
        if marks.any(|standing| standing.mark.tags.contains(&tag)) {
            return u64::MAX;
        }
        self.tags.get(&tag).copied().unwrap_or(0)
    }

    pub(super) fn ask(&self, tags: &[TagHash]) -> Answer {
        Answer {
            id: self.id,
            head: self.head,
            floor: 0,
            versions: tags.iter().map(|&tag| self.version(tag)).collect(),
        }
    }

    /// Places a mark; the record of it, unless it stood already.
    pub(super) fn mark(&mut self, mark: Mark, keeper: usize) -> Option<Record> {
        if let Some(standing) = self.marks.get_mut(&mark.id) {
            standing.mark.deadline = mark.deadline;
            return None;
        }
        let standing = Standing {
            mark: mark.clone(),
            keeper,
        };
        self.marks.insert(mark.id, standing);
        Some(self.record(Vec::new(), Some(Marking::Placed(mark))))
    }

    /// Ends the marks whose time is over and whose keeper is gone. Returns whether there were any.
    pub(super) fn expire(&mut self, now: Millis, is_kept: impl Fn(usize) -> bool) -> bool {
        let is_over =
            |standing: &&Standing| standing.mark.deadline < now && !is_kept(standing.keeper);
        let over = self.marks.values().filter(is_over);
        let over: Vec<_> = over.map(|standing| standing.mark.clone()).collect();
        let any = !over.is_empty();
        for mark in over {
            self.append(mark.tags, Some(mark.id));
        }
        any
    }

    /// What a view reads that knows everything up to the record at `from`: that one, and all later
    /// ones; and the marks that stand.
    pub(super) fn since(&self, from: u64) -> CaughtUp {
        let first = self
            .records
            .partition_point(|record| record.version < from.max(1));
        CaughtUp {
            id: self.id,
            head: self.head,
            floor: 0,
            records: self.records[first..].to_vec(),
            marks: Some(self.marks()),
        }
    }

    pub(super) fn head(&self) -> u64 {
        self.head
    }

    fn marks(&self) -> Vec<Mark> {
        let marks = self.marks.values();
        marks.map(|standing| standing.mark.clone()).collect()
    }
}
