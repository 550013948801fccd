//! What hangs on a link's connections: the notes that each has delivered, and those who wait for a
//! proof that no note is missing. Catching up and proving are the driver's.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;

/// Which notes a catch-up has covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Caught {
    pub(super) generation: u64,
    pub(super) notes: u64,
}

/// The notes of one connection. Each arms its own tracking: a reply is judged by what its own
/// connection has delivered.
#[derive(Debug)]
pub(super) struct Lane {
    /// How many notes of the log's records this generation has delivered.
    notes: AtomicU64,
    pub(super) caught: watch::Sender<Caught>,
    /// Whether the next catch-up begins anew at the head, instead of reading what came since.
    skips: AtomicBool,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            notes: AtomicU64::new(0),
            caught: watch::Sender::new(Caught {
                generation: 0,
                notes: 0,
            }),
            skips: AtomicBool::new(false),
        }
    }

    /// Another generation begins.
    pub(super) fn reset(&self) {
        self.notes.store(0, Ordering::Release);
    }

    /// Those who wait for a catch-up look whether there will be one.
    pub(super) fn wake(&self) {
        self.caught.send_modify(|_| {});
    }

    pub(super) fn note(&self) {
        self.notes.fetch_add(1, Ordering::AcqRel);
    }

    /// A catch-up could not be read.
    pub(super) fn skip(&self) {
        self.skips.store(true, Ordering::Release);
    }

    pub(super) fn take_skip(&self) -> bool {
        self.skips.swap(false, Ordering::AcqRel)
    }

    pub(super) fn notes(&self) -> u64 {
        self.notes.load(Ordering::Acquire)
    }

    /// Whether every note of this generation is covered.
    pub(super) fn is_caught_up(&self, generation: u64) -> bool {
        let caught = *self.caught.borrow();
        caught.generation == generation && caught.notes >= self.notes()
    }
}

/// Those who wait for a proof that the view has all that the log had when they asked.
#[derive(Debug)]
pub(super) struct Barriers {
    asked: AtomicU64,
    /// Up to which one they have been answered, and whether with the proof.
    answered: watch::Sender<(u64, bool)>,
}

impl Barriers {
    pub(super) fn new() -> Self {
        Self {
            asked: AtomicU64::new(0),
            answered: watch::Sender::new((0, true)),
        }
    }

    /// Asks for a proof from here on. What is returned waits until there is one, or none to be had,
    /// and says which.
    pub(super) fn ask(&self) -> impl Future<Output = bool> + Send + use<> {
        let mut answered = self.answered.subscribe();
        let ticket = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        async move {
            let passed = answered.wait_for(|&(up_to, _)| up_to >= ticket).await;
            passed.is_ok_and(|answer| answer.1)
        }
    }

    /// How many have been asked for. Those are served by a write that is sent from now on.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    pub(super) fn are_waited_for(&self) -> bool {
        self.answered.borrow().0 < self.asked()
    }

    pub(super) fn answer(&self, up_to: u64, proven: bool) {
        self.answered.send_if_modified(|answered| {
            let is_news = answered.0 < up_to;
            if is_news {
                *answered = (up_to, proven);
            }
            is_news
        });
    }
}
