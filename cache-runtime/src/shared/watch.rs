//! Who waits for which lease to change. Noticing that one has, and waking them, is each tier's.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use crate::sync::{Mutex, MutexGuard, Notify, OwnedNotified};

/// The leases that calls wait for.
#[derive(Debug, Default)]
pub(crate) struct Watches(Mutex<HashMap<Vec<u8>, Watched>>);

#[derive(Debug, Default)]
struct Watched {
    watchers: usize,
    changed: Arc<Notify>,
}

impl Watches {
    fn leases(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Watched>> {
        // Locked for one look-up or one change of a count.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many leases there are that anyone waits for.
    pub(crate) fn len(&self) -> usize {
        self.leases().len()
    }

    /// Whatever the leases did meanwhile was not noted: those who wait look for themselves.
    pub(crate) fn wake_all(&self) {
        for watched in self.leases().values() {
            watched.changed.notify_waiters();
        }
    }

    /// Returns whether anyone waits for this lease.
    pub(crate) fn wake(&self, lease: &[u8]) -> bool {
        let leases = self.leases();
        let watched = leases.get(lease);
        watched
            .inspect(|watched| watched.changed.notify_waiters())
            .is_some()
    }

    /// A future that ends when this lease is woken, if that is after this call.
    pub(crate) fn change(self: &Arc<Self>, lease: &[u8]) -> Change {
        let changed = {
            let mut leases = self.leases();
            let watched = leases.entry(lease.to_vec()).or_default();
            watched.watchers += 1;
            Arc::clone(&watched.changed)
        };
        let mut changed = Box::pin(changed.notified_owned());
        changed.as_mut().enable();
        Change {
            watches: Arc::clone(self),
            lease: lease.to_vec(),
            changed,
        }
    }

    fn unwatch(&self, lease: &[u8]) {
        let mut leases = self.leases();
        if let Some(watched) = leases.get_mut(lease) {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                leases.remove(lease);
            }
        }
    }
}

/// Ends when a lease has changed; stops watching when dropped.
#[derive(Debug)]
pub(crate) struct Change {
    watches: Arc<Watches>,
    lease: Vec<u8>,
    changed: Pin<Box<OwnedNotified>>,
}

impl Future for Change {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.changed.as_mut().poll(cx)
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.watches.unwatch(&self.lease);
    }
}
