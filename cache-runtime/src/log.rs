//! The local view of the invalidation log, and the judgement of entries by it. In memory the view
//! *is* the log. It decides freshness and nothing else: expiry, storage and traffic are elsewhere.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::clock::{Instant, Millis};
use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard};
use crate::tag::TagHash;

mod acknowledged;
mod change;
mod judge;
mod table;
mod writer;

use table::TagTable;
use writer::{Held, Writer};

/// A log's identity: 16 random bytes, drawn when the log begins.
pub(crate) type LogId = [u8; 16];

/// A position in a log, as this process numbers the logs it has seen. `log` 0 is no log at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) log: u64,
    pub(crate) head: u64,
}

impl Position {
    /// Where nothing can be current: no log is known.
    pub(crate) const NOWHERE: Self = Self { log: 0, head: 0 };
}

/// Where a compute starts from, and the shared log's id where there is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noted {
    pub(crate) at: Position,
    pub(crate) id: Option<LogId>,
    /// How many invalidations this process owed the log by then, all in all.
    pub(crate) owes: u64,
}

impl Noted {
    pub(crate) const NOWHERE: Self = Self {
        at: Position::NOWHERE,
        id: None,
        owes: 0,
    };
}

/// One record of the log: its position, the tags that it moves there, and what it does to a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) version: u64,
    pub(crate) tags: Vec<TagHash>,
    pub(crate) mark: Option<Marking>,
}

/// What names a mark: random, one per mutation.
pub(crate) type MarkId = [u8; 16];

/// A mutation under way, wherever it runs: until it ends, nothing that carries one of its tags is
/// current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) id: MarkId,
    /// In milliseconds of the server's time. Once it has passed, anyone may end the mark.
    pub(crate) deadline: Millis,
    pub(crate) tags: Vec<TagHash>,
}

/// What a record does to marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Marking {
    Placed(Mark),
    Ended(Vec<MarkId>),
}

/// What a catch-up read of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    pub(crate) id: LogId,
    pub(crate) head: u64,
    pub(crate) floor: u64,
    pub(crate) records: Vec<Record>,
    /// The marks that stood at the head or later, where they were read.
    pub(crate) marks: Option<Vec<Mark>>,
}

impl CaughtUp {
    /// Whether the records join up with one known at `from`, and reach the head.
    fn joins(&self, from: u64) -> bool {
        let Some(first) = self.records.first() else {
            // The records were evicted or trimmed, but none has been added since.
            return self.head == from;
        };
        // Nothing precedes the first record of a log.
        if first.version != from.max(1) {
            return false;
        }
        let expected = (first.version..).take(self.records.len());
        let contiguous = self
            .records
            .iter()
            .map(|record| record.version)
            .eq(expected);
        contiguous
            && self
                .records
                .last()
                .is_some_and(|last| last.version >= self.head)
    }
}

/// What a judge says of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Nothing that it carries has been invalidated since it was written.
    Current,
    /// It is of another log, below the floor, or one of its tags has moved past it.
    Outdated,
    /// It is older than what this view knows of some tag: the log itself must be asked.
    Unknown,
    /// It was written above this view's head: the view must be brought up to date first.
    Ahead,
}

/// What an ask brought back: the state of the log and of the tags in question, in one moment.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) id: LogId,
    pub(crate) head: u64,
    pub(crate) floor: u64,
    /// The version of each tag asked for, in order; 0 where it was never invalidated, the highest
    /// there can be where a mark is on it.
    pub(crate) versions: Vec<u64>,
}

impl Answer {
    /// Judges an entry by this answer alone.
    pub(crate) fn judge(&self, id: &LogId, version: u64) -> Judgement {
        let outdated = self.id != *id
            || version < self.floor
            || version > self.head
            || self.versions.iter().any(|&moved| moved > version);
        if outdated {
            Judgement::Outdated
        } else {
            Judgement::Current
        }
    }
}

/// A tag that is owed to the log, or under a mark, is above every entry.
const HELD: u64 = u64::MAX;

/// The local view. Reading it takes no lock; every change goes through `writer`.
///
/// Each change publishes tags, floor, `since` and log before it raises `epoch`; a judge reads the
/// epoch first and once more at the end, and starts over where it moved. An entry judged at an
/// epoch is therefore current for as long as the epoch stands. A judged epoch is always even.
#[derive(Debug)]
pub(crate) struct View {
    epoch: AtomicU64,
    log: AtomicU64,
    /// The two halves of the log's id; zero in memory, where the log needs none.
    id: [AtomicU64; 2],
    head: AtomicU64,
    floor: AtomicU64,
    /// The position from which on this view has seen every record.
    since: AtomicU64,
    /// Whether it is believed only where it has just been proven.
    strict: bool,
    /// Until when the view may be believed without a sign of life, on both clocks.
    trusted_monotonic: AtomicU64,
    trusted_wall: AtomicU64,
    /// Whether it is followed no longer, and never believed again.
    ended: AtomicBool,
    tags: TagTable,
    /// How many invalidations of this process's own have been taken on as debts or acknowledged.
    owes: AtomicU64,
    /// Changes are rare and short (one record), and never made under another lock.
    writer: Mutex<Writer>,
}

impl View {
    /// The log of a cache without a server: it begins now, and nobody else writes to it.
    pub(crate) fn in_memory() -> Self {
        let view = Self::unattached(false);
        view.log.store(1, Ordering::Release);
        view.trusted_monotonic.store(Millis::MAX, Ordering::Release);
        view.trusted_wall.store(Millis::MAX, Ordering::Release);
        view
    }

    /// A view of a log that has not been reached yet: nothing is current. In `strict` nothing that
    /// happens makes it believed for a while.
    pub(crate) fn unattached(strict: bool) -> Self {
        Self {
            epoch: AtomicU64::new(2),
            log: AtomicU64::new(0),
            id: [AtomicU64::new(0), AtomicU64::new(0)],
            head: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            since: AtomicU64::new(0),
            strict,
            trusted_monotonic: AtomicU64::new(0),
            trusted_wall: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            tags: TagTable::new(),
            owes: AtomicU64::new(0),
            writer: Mutex::default(),
        }
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // Each change below leaves the writer consistent before anything that could panic.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of this view's state. An entry judged at it is current while it stands.
    #[inline]
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Says that the state may have changed: entries must be judged again.
    pub(crate) fn stir(&self) {
        self.epoch.fetch_add(2, Ordering::AcqRel);
    }

    /// Makes a change during which nothing may be judged. The epoch is odd meanwhile.
    fn overhaul(&self, change: impl FnOnce()) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        change();
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// Reads several parts of the state as they stood at one epoch, which it returns too.
    fn observe<T>(&self, read: impl Fn() -> T) -> (T, u64) {
        loop {
            let epoch = self.epoch();
            if epoch % 2 == 1 {
                // An overhaul is under way, under the writer's lock: wait for it to end.
                drop(self.writer());
                continue;
            }
            let seen = read();
            if self.epoch() == epoch {
                return (seen, epoch);
            }
        }
    }

    /// The position that a compute notes before it starts.
    pub(crate) fn position(&self) -> Position {
        let read = || Position {
            log: self.log.load(Ordering::Acquire),
            head: self.head.load(Ordering::Acquire),
        };
        self.observe(read).0
    }

    /// The log this view follows, with its id, if it follows one that has an id.
    pub(crate) fn identity(&self) -> Option<(LogId, Position)> {
        let read = || {
            let [first, second] = self.id.each_ref().map(|half| half.load(Ordering::Acquire));
            let at = Position {
                log: self.log.load(Ordering::Acquire),
                head: self.head.load(Ordering::Acquire),
            };
            let id = u128::from(first) << 64 | u128::from(second);
            (id != 0 && at.log != 0).then(|| (id.to_le_bytes(), at))
        };
        self.observe(read).0
    }

    /// A position in the log with this id; [`Position::NOWHERE`] if this view follows another.
    pub(crate) fn locate(&self, id: &LogId, head: u64) -> Position {
        match self.identity() {
            Some((known, position)) if known == *id => Position {
                log: position.log,
                head,
            },
            _ => Position::NOWHERE,
        }
    }

    /// Whether the view may be believed without asking, at this time on both clocks.
    #[inline]
    pub(crate) fn is_trusted(&self, now: Millis, wall: impl FnOnce() -> Millis) -> bool {
        let deadline = self.trusted_monotonic.load(Ordering::Acquire);
        deadline == Millis::MAX
            || (now < deadline && wall() < self.trusted_wall.load(Ordering::Acquire))
    }

    /// Extends the trust. Only forward: a late answer proves less than an earlier one did.
    pub(crate) fn trust_until(&self, deadline: Instant) {
        if self.strict {
            return;
        }
        self.trusted_monotonic
            .fetch_max(deadline.monotonic, Ordering::SeqCst);
        self.trusted_wall.store(deadline.wall, Ordering::Release);
        // After the two: an end that comes in between is not undone.
        if self.ended.load(Ordering::SeqCst) {
            self.trusted_monotonic.store(0, Ordering::SeqCst);
        }
    }

    /// Sets the end of the trust, for a tier that knows of itself whether the log is within reach:
    /// there, what was believed a moment ago may be so no longer.
    pub(crate) fn trust_only_until(&self, deadline: Instant) {
        if !self.strict {
            self.trusted_monotonic.store(0, Ordering::SeqCst);
            self.trust_until(deadline);
        }
    }

    /// Nobody follows the log for this view any more: it is not believed from here on.
    pub(crate) fn end_trust(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.trusted_monotonic.store(0, Ordering::SeqCst);
    }

    /// Whether one of these tags is owed, or under a mark.
    pub(crate) fn holds_any(&self, tags: &[TagHash]) -> bool {
        let writer = self.writer();
        !writer.held.is_empty() && tags.iter().any(|tag| writer.held.contains_key(tag))
    }

    /// How many tags are owed.
    pub(crate) fn owed(&self) -> usize {
        // Each debt also owes the tag that every record moves, which nobody wrote.
        let owed = |&(tag, held): &(&TagHash, &Held)| held.debts > 0 && *tag != TagHash::any();
        self.writer().held.iter().filter(owed).count()
    }

    /// How many mutations are known to be under way under a mark, in this process or another.
    pub(crate) fn marks(&self) -> usize {
        self.writer().marks.len()
    }

    /// Whether a mark was heard of in the log that is followed now, or is left over from another.
    pub(crate) fn stands_here(&self, id: &MarkId) -> bool {
        let writer = self.writer();
        writer.marks.contains_key(id) && !writer.left_over.contains(id)
    }

    /// Another process has ended this mark, by what the log's state at `head` says.
    pub(crate) fn mark_ended(&self, log: &LogId, id: &MarkId, head: u64) {
        let mut writer = self.writer();
        if writer.id == Some(*log) {
            self.end(&mut writer, id, head);
            self.stir();
        }
    }

    /// The marks whose deadline has passed at this time of the server's.
    pub(crate) fn marks_over(&self, now: Millis) -> Vec<Mark> {
        let writer = self.writer();
        let over = writer.marks.values().filter(|mark| mark.deadline < now);
        over.cloned().collect()
    }
}

#[cfg(test)]
mod tests;
