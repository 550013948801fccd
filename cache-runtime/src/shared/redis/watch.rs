//! Who waits for which lease to change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The leases that calls of this process wait for.
#[derive(Debug, Default)]
pub(super) struct Watches(Mutex<HashMap<Vec<u8>, Watched>>);

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

    /// Whatever the leases did meanwhile was not noted: those who wait look for themselves.
    pub(super) fn wake_all(&self) {
        for watched in self.leases().values() {
            watched.changed.notify_waiters();
        }
    }

    /// Returns whether anyone waits for this lease.
    pub(super) fn wake(&self, lease: &[u8]) -> bool {
        let leases = self.leases();
        let watched = leases.get(lease);
        watched
            .inspect(|watched| watched.changed.notify_waiters())
            .is_some()
    }

    pub(super) fn watch(&self, lease: &[u8]) -> Arc<Notify> {
        let mut leases = self.leases();
        let watched = leases.entry(lease.to_vec()).or_default();
        watched.watchers += 1;
        Arc::clone(&watched.changed)
    }

    pub(super) fn unwatch(&self, lease: &[u8]) {
        let mut leases = self.leases();
        if let Some(watched) = leases.get_mut(lease) {
            watched.watchers -= 1;
            if watched.watchers == 0 {
                leases.remove(lease);
            }
        }
    }
}
