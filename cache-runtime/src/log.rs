//! The local view of the invalidation log, and the judgement of entries by it. In memory the view
//! *is* the log. It decides freshness and nothing else: expiry, storage and traffic are elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{Instant, Millis};
use crate::tag::TagHash;

mod table;
mod writer;

use table::{Known, TagTable};
use writer::Writer;

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

/// One invalidation: its position and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) version: u64,
    pub(crate) tags: Vec<TagHash>,
}

/// What a catch-up read of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    pub(crate) id: LogId,
    pub(crate) head: u64,
    pub(crate) floor: u64,
    pub(crate) records: Vec<Record>,
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
    /// The version of each tag asked for, in order; 0 where it was never invalidated.
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

/// A tag that is owed to the log is above every entry.
const OWED: u64 = u64::MAX;

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
    /// Until when the view may be believed without a sign of life, on both clocks.
    trusted_monotonic: AtomicU64,
    trusted_wall: AtomicU64,
    tags: TagTable,
    /// How many debts have ever been taken on.
    owes: AtomicU64,
    /// Changes are rare and short (one record), and never made under another lock.
    writer: Mutex<Writer>,
}

impl View {
    /// The log of a cache without a server: it begins now, and nobody else writes to it.
    pub(crate) fn in_memory() -> Self {
        let view = Self::unattached();
        view.log.store(1, Ordering::Release);
        view.trusted_monotonic.store(Millis::MAX, Ordering::Release);
        view.trusted_wall.store(Millis::MAX, Ordering::Release);
        view
    }

    /// A view of a log that has not been reached yet: nothing is current.
    pub(crate) fn unattached() -> Self {
        Self {
            epoch: AtomicU64::new(2),
            log: AtomicU64::new(0),
            id: [AtomicU64::new(0), AtomicU64::new(0)],
            head: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            since: AtomicU64::new(0),
            trusted_monotonic: AtomicU64::new(0),
            trusted_wall: AtomicU64::new(0),
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
        self.trusted_monotonic
            .fetch_max(deadline.monotonic, Ordering::AcqRel);
        self.trusted_wall.store(deadline.wall, Ordering::Release);
    }

    /// Judges what was written at `at` with these tags.
    pub(crate) fn judge(&self, at: Position, tags: &[TagHash]) -> Judgement {
        self.judge_at(at, tags).0
    }

    /// Judges, and says at which epoch the judgement holds.
    pub(crate) fn judge_at(&self, at: Position, tags: &[TagHash]) -> (Judgement, u64) {
        self.observe(|| self.judge_once(at, tags))
    }

    /// Whether a compute that noted `at` when `owes` debts had been taken on may still be joined
    /// while the log is out of reach: nothing has been invalidated here since, as far as can be
    /// known. A debt that is older than the compute does not count against it.
    pub(crate) fn admits_unattached(&self, at: Position, owes: u64, tags: &[TagHash]) -> bool {
        let read = || {
            let moved = |tag: &TagHash| {
                let version = self.tags.get(*tag).version();
                version > at.head && version != OWED
            };
            self.owes() == owes
                && at.log == self.log.load(Ordering::Acquire)
                && !tags.iter().any(moved)
        };
        self.observe(read).0
    }

    /// How many debts have ever been taken on here.
    pub(crate) fn owes(&self) -> u64 {
        self.owes.load(Ordering::Acquire)
    }

    fn judge_once(&self, at: Position, tags: &[TagHash]) -> Judgement {
        if at.log == 0 || at.log != self.log.load(Ordering::Acquire) {
            return Judgement::Outdated;
        }
        if at.head < self.floor.load(Ordering::Acquire) {
            return Judgement::Outdated;
        }
        let seen_all = at.head >= self.since.load(Ordering::Acquire);
        let mut judgement = Judgement::Current;
        for &tag in tags {
            match self.tags.get(tag) {
                Known::Exactly(version) | Known::AtMost(version) if version > at.head => {
                    return Judgement::Outdated;
                }
                Known::AtMost(_) if !seen_all => judgement = Judgement::Unknown,
                Known::Exactly(_) | Known::AtMost(_) => {}
            }
        }
        if at.head > self.head.load(Ordering::Acquire) {
            return Judgement::Ahead;
        }
        judgement
    }

    /// Whether a follower that joined at `joined` may take a value written at `at`: none of its
    /// tags has moved between the flight's start and the joining. `tested` are the tags for which
    /// that was established at the joining; of the others only the last move is known, so any
    /// move refuses.
    pub(crate) fn accepts(
        &self,
        at: Position,
        joined: Position,
        tags: &[TagHash],
        tested: Option<&[TagHash]>,
    ) -> bool {
        self.observe(|| self.accepts_once(at, joined, tags, tested))
            .0
    }

    fn accepts_once(
        &self,
        at: Position,
        joined: Position,
        tags: &[TagHash],
        tested: Option<&[TagHash]>,
    ) -> bool {
        if at.log != joined.log || at.log != self.log.load(Ordering::Acquire) {
            return false;
        }
        // Joined before the head was noted: whatever moved since moved after the joining.
        if at.head >= joined.head {
            return true;
        }
        if at.head < self.floor.load(Ordering::Acquire)
            || at.head < self.since.load(Ordering::Acquire)
        {
            return false;
        }
        tags.iter().all(|tag| {
            tested.is_some_and(|tested| tested.contains(tag))
                || self.tags.get(*tag).version() <= at.head
        })
    }

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

    /// Whether one of these tags is owed.
    pub(crate) fn owes_any(&self, tags: &[TagHash]) -> bool {
        let writer = self.writer();
        !writer.owed.is_empty() && tags.iter().any(|tag| writer.owed.contains_key(tag))
    }

    /// How many tags are owed.
    pub(crate) fn owed(&self) -> usize {
        self.writer().owed.len()
    }
}

#[cfg(test)]
mod tests;
