//! What is left to the driver: errands, done once, and debts, done until they are acknowledged.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::shared::{Slot, Token};
use crate::tag::TagHash;

/// Debts kept one by one; beyond that, everything is owed.
const MAX_DEBTS: usize = 10_000;
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

/// Both lists; each is locked for a push or a take.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    errands: Mutex<VecDeque<Errand>>,
    debts: Mutex<Debts>,
}

#[derive(Debug, Default)]
struct Debts {
    each: VecDeque<Vec<TagHash>>,
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

    pub(super) fn take_errands(&self) -> VecDeque<Errand> {
        std::mem::take(&mut locked(&self.errands))
    }

    /// Takes on a debt. `owe` is told what is owed in the end: where there are too many debts,
    /// everything, once.
    pub(super) fn add_debt(&self, tags: Vec<TagHash>, owe: impl FnOnce(&[TagHash])) {
        let mut debts = locked(&self.debts);
        if debts.each.len() - debts.sending < MAX_DEBTS {
            owe(&tags);
            debts.each.push_back(tags);
            return;
        }
        let everything = [TagHash::all()];
        if debts.each.back().is_some_and(|last| *last == everything) {
            owe(&[]);
        } else {
            owe(&everything);
            debts.each.push_back(everything.to_vec());
        }
    }

    pub(super) fn has_debts(&self) -> bool {
        !locked(&self.debts).each.is_empty()
    }

    /// The debts there are, to be appended now. They stay on the list until they are paid: the
    /// task that appends them may end at any await.
    pub(super) fn send_debts(&self) -> Vec<Vec<TagHash>> {
        let mut debts = locked(&self.debts);
        debts.sending = debts.each.len();
        debts.each.iter().cloned().collect()
    }

    /// The debts that were sent have been acknowledged.
    pub(super) fn debts_paid(&self) {
        let mut debts = locked(&self.debts);
        let sent = std::mem::take(&mut debts.sending);
        debts.each.drain(..sent);
    }

    /// The debts that were sent have not been acknowledged.
    pub(super) fn debts_unpaid(&self) {
        locked(&self.debts).sending = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Backlog, MAX_DEBTS};
    use crate::tag::TagHash;

    fn tag(number: usize) -> Vec<TagHash> {
        vec![TagHash::tag(&number.to_string())]
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
            assert_eq!(owed, tag(7), "not covered by what is sent");
        });
        backlog.debts_paid();
        assert_eq!(backlog.send_debts(), [tag(7)]);
    }
}
