//! Leases: the time-bounded right to compute and commit a key, across processes. A guard that
//! renews while it is polled and frees the right when dropped; bidding and waiting are `call`'s.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::error::Error;
use crate::shared::{Operation, Shared, Slot, Token};
use crate::sync::{Mutex, MutexGuard};
use crate::timer::{self, Alarm};

/// The leases that this process holds or bids for, each with whether a sync call does.
#[derive(Debug, Default)]
pub(crate) struct Holders(Mutex<HashMap<Token, bool>>);

impl Holders {
    fn all(&self) -> MutexGuard<'_, HashMap<Token, bool>> {
        // One insertion or removal at a time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }

    /// Whether this process holds it for a call of this kind.
    pub(crate) fn has(&self, token: Token, sync: bool) -> bool {
        self.all().get(&token) == Some(&sync)
    }
}

/// One of them, until dropped.
#[derive(Debug)]
struct Holder {
    holders: Arc<Holders>,
    token: Token,
}

impl Drop for Holder {
    fn drop(&mut self) {
        self.holders.all().remove(&self.token);
    }
}

/// A lease that is held, or is being bid for: from the bid on, dropping it frees the right.
pub(crate) struct Lease {
    shared: Arc<dyn Shared>,
    slot: Arc<Slot>,
    token: Token,
    ttl: Duration,
    renewal: Renewal,
    /// Whether there may still be something to free.
    open: bool,
    _holder: Holder,
}

enum Renewal {
    /// The next one is due when the alarm rings. The alarm is set at the first wait.
    Due(Option<Alarm>),
    /// Never locked: the mutex makes a lease, and with it the future of a call, `Sync`.
    Sent(Mutex<Operation<bool>>),
    /// The lease was lost: there is nothing left to renew, and the commit will be refused.
    Lost,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

impl Lease {
    /// Before the bid is sent: a bid whose future is dropped may have been granted.
    pub(crate) fn sought(
        shared: &Arc<dyn Shared>,
        slot: &Arc<Slot>,
        ttl: Duration,
        holders: &Arc<Holders>,
        sync: bool,
    ) -> Result<Self, Error> {
        let token = Token::random()?;
        holders.all().insert(token, sync);
        Ok(Self {
            shared: Arc::clone(shared),
            slot: Arc::clone(slot),
            token,
            ttl,
            renewal: Renewal::Due(None),
            open: true,
            _holder: Holder {
                holders: Arc::clone(holders),
                token,
            },
        })
    }

    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Renews when a third of the time is over. Polled together with the body: whoever computes
    /// keeps the right, whoever is parked loses it.
    pub(crate) fn poll_renewal(&mut self, cx: &mut Context<'_>) {
        loop {
            match &mut self.renewal {
                Renewal::Due(alarm) => {
                    let alarm = alarm.get_or_insert_with(|| self.shared.alarm(self.ttl / 3));
                    if Pin::new(alarm).poll(cx).is_pending() {
                        return;
                    }
                    let renewed = self.shared.renew(&self.slot, self.token, self.ttl);
                    self.renewal = Renewal::Sent(Mutex::new(renewed));
                }
                Renewal::Sent(renewed) => {
                    let renewed = renewed.get_mut().unwrap_or_else(PoisonError::into_inner);
                    match renewed.as_mut().poll(cx) {
                        Poll::Ready(Ok(false)) => self.renewal = Renewal::Lost,
                        // Not known: tried again at the next third, the lease lasts for three.
                        Poll::Ready(Ok(true) | Err(_)) => self.renewal = Renewal::Due(None),
                        Poll::Pending => return,
                    }
                }
                Renewal::Lost => return,
            }
        }
    }

    /// Renews in the background until what this returns is dropped: for a body that is not polled.
    /// Nothing where not even a thread of ours could be started: then it lasts as long as it was
    /// granted for.
    pub(crate) fn kept(&self) -> Option<Kept> {
        let (shared, slot) = (Arc::clone(&self.shared), Arc::clone(&self.slot));
        let (token, ttl) = (self.token, self.ttl);
        // An heir does not know how much time is left.
        let mut soon = matches!(self.renewal, Renewal::Sent(_));
        let renewals = async move {
            loop {
                if !std::mem::take(&mut soon) {
                    shared.alarm(ttl / 3).await;
                }
                // What is not known is tried again at the next third.
                if let Ok(false) = shared.renew(&slot, token, ttl).await {
                    return;
                }
            }
        };
        // The caller's own runtime may stand still for as long as the body runs.
        let task = timer::own()?.spawn(renewals);
        Some(Kept(task.abort_handle()))
    }

    /// Renews at the next poll: an heir does not know how much time is left.
    pub(crate) fn renew_soon(&mut self) {
        if !matches!(self.renewal, Renewal::Lost) {
            let renewed = self.shared.renew(&self.slot, self.token, self.ttl);
            self.renewal = Renewal::Sent(Mutex::new(renewed));
        }
    }

    /// The fill that this lease was for has been answered: the server has freed it.
    pub(crate) fn spent(mut self) {
        self.open = false;
    }

    /// Another holds it: there is nothing to free.
    pub(crate) fn denied(&mut self) {
        self.open = false;
    }

    /// A new bid is about to be sent.
    pub(crate) fn sought_again(&mut self) {
        self.open = true;
    }

    /// The compute failed. Its followers elsewhere are woken and may read why.
    pub(crate) fn fail(mut self, message: Option<String>) {
        self.open = false;
        self.shared.release(&self.slot, self.token, message);
    }
}

/// A lease that is renewed in the background, until this is dropped.
#[derive(Debug)]
pub(crate) struct Kept(AbortHandle);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.open {
            self.shared.release(&self.slot, self.token, None);
        }
    }
}
