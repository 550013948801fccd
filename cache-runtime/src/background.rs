//! Work that nobody waits for: how much of it there is, whose it is, and an end for it. What the work
//! is, is not known here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::tag::TagHash;
use crate::timer;

/// The background work of one cache.
#[derive(Debug)]
pub(crate) struct Background {
    most: usize,
    state: Mutex<State>,
    /// Notified whenever something has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    closed: bool,
    next: u64,
    works: HashMap<u64, Work>,
}

#[derive(Debug)]
struct Work {
    /// Which entry it is for.
    key: TagHash,
    /// `None` until it has been started.
    task: Option<AbortHandle>,
}

impl Background {
    /// At most so much at one time.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            state: Mutex::default(),
            ended: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // One insertion or removal at a time; nothing of a user's runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to work on an entry in the background. None where there is enough of that
    /// already, or no more is wanted.
    pub(crate) fn permit(self: &Arc<Self>, key: TagHash) -> Option<Permit> {
        let mut state = self.state();
        if state.closed || state.works.len() >= self.most {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.works.insert(id, Work { key, task: None });
        drop(state);
        let background = Arc::clone(self);
        Some(Permit { background, id })
    }

    /// Whether there is any for this entry.
    pub(crate) fn has(&self, key: TagHash) -> bool {
        self.state().works.values().any(|work| work.key == key)
    }

    /// How much there is.
    pub(crate) fn len(&self) -> usize {
        self.state().works.len()
    }

    /// Waits until there is none, or none for this entry.
    pub(crate) async fn idle(&self, key: Option<TagHash>) {
        let is_wanted = |work: &Work| key.is_none_or(|key| work.key == key);
        loop {
            // Armed before the look, so that an end between the two is not missed.
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if !self.state().works.values().any(is_wanted) {
                return;
            }
            ended.await;
        }
    }

    /// From here on, there is no right to any.
    pub(crate) fn close(&self) {
        self.state().closed = true;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    /// Gives up all that there is, and says how much that was.
    pub(crate) fn abandon(&self) -> usize {
        let mut state = self.state();
        state.closed = true;
        let tasks: Vec<_> = state.works.drain().map(|(_, work)| work.task).collect();
        drop(state);
        let left = tasks.len();
        for task in tasks.into_iter().flatten() {
            task.abort();
        }
        self.ended.notify_waiters();
        left
    }
}

/// The right to work in the background, until dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    background: Arc<Background>,
    id: u64,
}

impl Permit {
    /// Starts the work: on the caller's runtime where there is one, else on threads of ours. Where
    /// not even these could be started, it is dropped.
    pub(crate) fn start<F: Future<Output = ()> + Send + 'static>(self, work: F) {
        let (background, id) = (Arc::clone(&self.background), self.id);
        let Some(handle) = timer::for_work() else {
            return;
        };
        let task = handle.spawn(async move {
            let _permit = self;
            work.await;
        });
        let abort = task.abort_handle();
        let mut state = background.state();
        if let Some(work) = state.works.get_mut(&id) {
            work.task = Some(abort);
        } else if state.closed {
            // Given up between its beginning and this; or it has ended.
            drop(state);
            abort.abort();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.background.state().works.remove(&self.id);
        self.background.ended.notify_waiters();
    }
}
