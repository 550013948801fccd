//! What is left to the driver: errands, done once; debts, done until they are acknowledged; and
//! the marks of mutations under way here, kept standing until those have ended.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::clock::Millis;
use crate::log::{LogId, MarkId};
use crate::shared::{Slot, Token, Unfinished};
use crate::tag::TagHash;

/// Debts kept one by one; beyond that, everything is owed.
const MAX_DEBTS: usize = 10_000;
/// Errands that go out at once: what is urgent does not wait behind thousands.
const ERRANDS_AT_ONCE: usize = 256;
/// Marks renewed at once.
const MARKS_AT_ONCE: usize = 128;
/// Errands kept while the server is away. Leases end by themselves, and an unreadable entry is
/// replaced by the next fill.
const MAX_ERRANDS: usize = 10_000;

/// Something to do in the background, once.
#[derive(Debug)]
pub(super) enum Errand {
    Release {
        slot: Arc<Slot>,
        token: Token,
        failure: Option<String>,
    },
    /// The entry is removed if it still has this length and begins with these bytes.
    Discard {
        slot: Arc<Slot>,
        length: usize,
        begins: Vec<u8>,
    },
}

/// An invalidation that is owed to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Debt {
    pub(super) tags: Vec<TagHash>,
    /// The mark that ends with it.
    pub(super) ends: Option<MarkId>,
    /// Whether another log has acknowledged it already.
    pub(super) repeats: bool,
}

/// A mark that this process keeps standing.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) tags: Vec<TagHash>,
    /// How long it stands without being renewed.
    pub(super) lasts: Millis,
    /// The log that it is known to stand in.
    pub(super) log: Option<LogId>,
    /// When it is to be renewed, on this process's clock.
    due: Millis,
}

/// The lists; each is locked for a push or a take.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    errands: Mutex<VecDeque<Errand>>,
    /// Whether some have been taken off the list and are being run.
    running: AtomicBool,
    debts: Mutex<Debts>,
    marks: Mutex<HashMap<MarkId, Kept>>,
    /// Told whenever something has been worked off.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Debts {
    each: VecDeque<Debt>,
    /// How many of the first ones are being appended: what comes now is not covered by them.
    sending: usize,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is pushed to or taken from in single steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backlog {
    /// Returns whether there was room.
    pub(super) fn add_errand(&self, errand: Errand) -> bool {
        let mut errands = locked(&self.errands);
        let fits = errands.len() < MAX_ERRANDS;
        if fits {
            errands.push_back(errand);
        }
        fits
    }

    /// Some of the errands, to be run now. Until [`errands_run`](Self::errands_run) they count as
    /// left to do.
    pub(super) fn take_errands(&self) -> Vec<Errand> {
        let mut errands = locked(&self.errands);
        let now = errands.len().min(ERRANDS_AT_ONCE);
        self.running.store(now > 0, Ordering::Release);
        errands.drain(..now).collect()
    }

    /// What was taken has been run.
    pub(super) fn errands_run(&self) {
        self.running.store(false, Ordering::Release);
        self.changed.send_replace(());
    }

    pub(super) fn has_errands(&self) -> bool {
        !locked(&self.errands).is_empty()
    }

    /// Takes on a debt. `owe` is told what is owed in the end: where there are too many debts,
    /// everything, once.
    pub(super) fn add_debt(&self, debt: Debt, owe: impl FnOnce(&[TagHash])) {
        if let Some(mark) = &debt.ends {
            // It ends with the debt, or by itself, should that never land.
            locked(&self.marks).remove(mark);
        }
        let mut debts = locked(&self.debts);
        if debts.each.len() - debts.sending < MAX_DEBTS {
            owe(&debt.tags);
            debts.each.push_back(debt);
            return;
        }
        let everything = [TagHash::all()];
        if debts
            .each
            .back()
            .is_some_and(|last| last.tags == everything && !last.repeats)
        {
            owe(&[]);
        } else {
            owe(&everything);
            debts.each.push_back(Debt {
                tags: everything.to_vec(),
                ends: None,
                repeats: false,
            });
        }
    }

    /// Takes on a debt that the view owes by itself: what another log has acknowledged, all of it.
    pub(super) fn add_repeats(&self, tags: Vec<TagHash>) {
        // However many there are: there was a log for each, that acknowledged something.
        locked(&self.debts).each.push_back(Debt {
            tags,
            ends: None,
            repeats: true,
        });
    }

    pub(super) fn has_debts(&self) -> bool {
        !locked(&self.debts).each.is_empty()
    }

    /// The debts there are, to be appended now. They stay on the list until they are paid: the
    /// task that appends them may end at any await.
    pub(super) fn send_debts(&self) -> Vec<Debt> {
        let mut debts = locked(&self.debts);
        debts.sending = debts.each.len();
        debts.each.iter().cloned().collect()
    }

    /// The debts that were sent have been acknowledged.
    pub(super) fn debts_paid(&self) {
        let mut debts = locked(&self.debts);
        let sent = std::mem::take(&mut debts.sending);
        debts.each.drain(..sent);
        drop(debts);
        self.changed.send_replace(());
    }

    /// The debts that were sent have not been acknowledged.
    pub(super) fn debts_unpaid(&self) {
        locked(&self.debts).sending = 0;
    }

    /// A mark is about to be placed. It is kept standing until [`drop_mark`](Self::drop_mark).
    pub(super) fn keep_mark(&self, id: MarkId, tags: Vec<TagHash>, lasts: Millis, now: Millis) {
        let kept = Kept {
            tags,
            lasts,
            log: None,
            due: now + lasts / 3,
        };
        locked(&self.marks).insert(id, kept);
    }

    /// A mark stands in this log.
    pub(super) fn mark_stands(&self, id: &MarkId, log: LogId) {
        if let Some(kept) = locked(&self.marks).get_mut(id) {
            kept.log = Some(log);
        }
    }

    /// A mark has ended, or is left to end by itself.
    pub(super) fn drop_mark(&self, id: &MarkId) {
        locked(&self.marks).remove(id);
    }

    /// The marks that are to be renewed now: those whose time it is, and those that stand in a log
    /// other than this one, which they are to be placed in. Each is due again a third of its time
    /// later.
    pub(super) fn marks_due(&self, now: Millis, log: Option<LogId>) -> Vec<(MarkId, Kept)> {
        let mut marks = locked(&self.marks);
        let is_due = |kept: &Kept| {
            kept.due <= now || (kept.log.is_some() && log.is_some() && kept.log != log)
        };
        let due = marks.iter_mut().filter(|(_, kept)| is_due(kept));
        due.take(MARKS_AT_ONCE)
            .map(|(id, kept)| {
                kept.due = now + kept.lasts / 3;
                (*id, kept.clone())
            })
            .collect()
    }

    /// When the next mark is to be renewed.
    pub(super) fn next_mark(&self) -> Option<Millis> {
        locked(&self.marks).values().map(|kept| kept.due).min()
    }

    /// Whether there is nothing left to do.
    pub(super) fn is_empty(&self) -> bool {
        !self.has_errands() && !self.running.load(Ordering::Acquire) && !self.has_debts()
    }

    /// How much there is of each. What is being run counts as one errand more.
    pub(super) fn unfinished(&self) -> Unfinished {
        let running = usize::from(self.running.load(Ordering::Acquire));
        Unfinished {
            errands: locked(&self.errands).len() + running,
            debts: locked(&self.debts).each.len(),
            marks: locked(&self.marks).len(),
            watched: 0,
        }
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::{Backlog, Debt, MAX_DEBTS};
    use crate::tag::TagHash;

    fn tag(number: usize) -> Debt {
        let tags = vec![TagHash::tag(&number.to_string())];
        Debt {
            tags,
            ends: None,
            repeats: false,
        }
    }

    #[test]
    fn a_debt_stays_until_it_is_paid() {
        let backlog = Backlog::default();
        backlog.add_debt(tag(1), |_| ());
        assert_eq!(backlog.send_debts(), [tag(1)]);
        // The task that was sending ended; another begins.
        backlog.add_debt(tag(2), |_| ());
        assert_eq!(backlog.send_debts(), [tag(1), tag(2)]);
        backlog.add_debt(tag(3), |_| ());
        backlog.debts_paid();
        assert_eq!(backlog.send_debts(), [tag(3)]);
        backlog.debts_unpaid();
        assert!(backlog.has_debts());
    }

    #[test]
    fn too_many_debts_are_one_for_everything_that_comes_after_what_is_sent() {
        let backlog = Backlog::default();
        (0..MAX_DEBTS).for_each(|number| backlog.add_debt(tag(number), |_| ()));
        let everything = [TagHash::all()];
        backlog.add_debt(tag(0), |owed| assert_eq!(owed, everything));
        backlog.add_debt(tag(0), |owed| {
            assert!(owed.is_empty(), "it is owed already");
        });
        assert_eq!(backlog.send_debts().len(), MAX_DEBTS + 1);
        backlog.add_debt(tag(7), |owed| {
            assert_eq!(owed, tag(7).tags, "not covered by what is sent");
        });
        backlog.debts_paid();
        assert_eq!(backlog.send_debts(), [tag(7)]);
    }
}
