//! What the tests of interleavings have in common: tags, keys, entries of a number, threads, and a
//! source of truth that tells which of its numbers a reader may still get.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::sync::atomic::AtomicU64;

use crate::clock::Millis;
use crate::local::{Home, LocalEntry, LocalKey, Term};
use crate::log::{CaughtUp, LogId, Mark, Position, Record, View};
use crate::tag::TagHash;

pub(super) const ID: LogId = [1; 16];
pub(super) const OTHER: LogId = [2; 16];

/// Tags that all fall into one bucket of the table.
pub(super) fn tag(number: u64) -> TagHash {
    TagHash::from_u64(number + 1).expect("not zero")
}

pub(super) fn key(word: u64) -> LocalKey {
    LocalKey {
        hash: 7,
        home: Home::function(std::any::TypeId::of::<()>()),
        words: [word].into(),
    }
}

/// A number as it is stored, computed from this position on.
pub(super) fn entry(number: u64, at: Position, tags: &[TagHash]) -> LocalEntry {
    let term = Term::until(Millis::MAX);
    LocalEntry::new(Arc::new(number), at, Arc::from(tags), term, 8)
}

pub(super) fn number(entry: &LocalEntry) -> u64 {
    *entry.value.downcast_ref().expect("a number")
}

pub(super) fn record(version: u64, tags: &[TagHash]) -> Record {
    Record {
        version,
        tags: tags.to_vec(),
        mark: None,
    }
}

pub(super) fn caught_up(head: u64, floor: u64, records: Vec<Record>, marks: Vec<Mark>) -> CaughtUp {
    CaughtUp {
        id: ID,
        head,
        floor,
        records,
        marks: Some(marks),
    }
}

/// A view that follows the log `ID` from this head on, and knows nothing older.
pub(super) fn attached(head: u64) -> Arc<View> {
    let view = View::unattached(false);
    view.follow(ID, head, 0, &[]);
    Arc::new(view)
}

/// What runs beside the test.
pub(super) struct Threads(Vec<shuttle::thread::JoinHandle<()>>);

impl Threads {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn start(&mut self, run: impl FnOnce() + Send + 'static) {
        self.0.push(shuttle::thread::spawn(run));
    }

    /// Waits for all of them. That one waits for ever is seen here.
    pub(super) fn join(self) {
        for thread in self.0 {
            thread.join().expect("no panic");
        }
    }
}

/// The database: a number, which only grows. Whether a step of it was acknowledged is not a point
/// at which others go on, so that what is asked at the beginning of a read is of that very moment.
#[derive(Debug, Default)]
pub(super) struct Source {
    number: AtomicU64,
    acknowledged: std::sync::atomic::AtomicU64,
}

impl Source {
    /// What a body reads.
    pub(super) fn read(&self) -> u64 {
        self.number.load(Ordering::SeqCst)
    }

    /// What a mutation does, before it invalidates.
    pub(super) fn change(&self) -> u64 {
        self.number.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The invalidation of what led to this number has returned.
    pub(super) fn acknowledge(&self, number: u64) {
        self.acknowledged.fetch_max(number, Ordering::SeqCst);
    }

    /// What a read that begins now must bring at the least.
    pub(super) fn least(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }
}
