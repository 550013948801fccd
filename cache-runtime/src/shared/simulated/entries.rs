//! The entries and leases of a simulated store: what its operations on keys do, on plain maps. All
//! times are the store's.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::{Millis, millis};
use crate::log::LogId;
use crate::shared::{Bid, Bidden, Fill, Filled, Slot, Token};

/// How long the reason of a failed compute is left to those who waited for it.
const FAILURE_LASTS: Millis = 1_000;

#[derive(Debug, Default)]
pub(super) struct Entries {
    entries: HashMap<Vec<u8>, (Vec<u8>, Millis)>,
    leases: HashMap<Vec<u8>, Lease>,
}

#[derive(Debug)]
struct Lease {
    token: Token,
    until: Millis,
    state: Leased,
}

#[derive(Debug)]
enum Leased {
    Held { log: LogId, head: u64 },
    Failed(String),
}

impl Entries {
    pub(super) fn get(&self, slot: &Slot, now: Millis) -> Option<Vec<u8>> {
        let (bytes, _) = self
            .entries
            .get(&slot.entry)
            .filter(|(_, end)| *end > now)?;
        Some(bytes.clone())
    }

    fn lease(&mut self, slot: &Slot, now: Millis) -> Option<&mut Lease> {
        let lease = self.leases.get_mut(&slot.lease());
        lease.filter(|lease| lease.until > now)
    }

    /// The lease, if this token holds it.
    fn held(&mut self, slot: &Slot, token: Token, now: Millis) -> Option<&mut Lease> {
        self.lease(slot, now)
            .filter(|lease| lease.token == token && matches!(lease.state, Leased::Held { .. }))
    }

    pub(super) fn bid(&mut self, slot: &Slot, bid: &Bid, now: Millis) -> Bidden {
        if let Some(lease) = self.lease(slot, now) {
            match &lease.state {
                Leased::Failed(message) if bid.waited == Some(lease.token) => {
                    let message = message.clone();
                    return Bidden::Failed { message };
                }
                Leased::Held { log, head }
                    if bid.supersede != Some(lease.token) && bid.token != lease.token =>
                {
                    return Bidden::Held {
                        holder: lease.token,
                        log: *log,
                        head: *head,
                        remaining: Duration::from_millis(lease.until - now),
                        noted: true,
                    };
                }
                Leased::Failed(_) | Leased::Held { .. } => {}
            }
        }
        let lease = Lease {
            token: bid.token,
            until: now + millis(bid.ttl).max(1),
            state: Leased::Held {
                log: bid.log,
                head: bid.head,
            },
        };
        self.leases.insert(slot.lease(), lease);
        let entry = self.get(slot, now);
        Bidden::Granted { entry }
    }

    pub(super) fn renew(&mut self, slot: &Slot, token: Token, ttl: Duration, now: Millis) -> bool {
        match self.held(slot, token, now) {
            Some(lease) => {
                lease.until = now + millis(ttl).max(1);
                true
            }
            None => false,
        }
    }

    pub(super) fn fill(&mut self, slot: &Slot, fill: Fill, now: Millis) -> Filled {
        if let Some(token) = fill.token {
            if self.held(slot, token, now).is_none() {
                return Filled::LeaseLost;
            }
            self.leases.remove(&slot.lease());
        }
        let there = self.get(slot, now);
        if there.is_some_and(|there| is_newer(&there, &fill)) {
            return Filled::Superseded;
        }
        let end = now + millis(fill.ttl).max(1);
        self.entries.insert(slot.entry.clone(), (fill.bytes, end));
        Filled::Stored
    }

    /// Returns whether there was a lease to free.
    pub(super) fn release(
        &mut self,
        slot: &Slot,
        token: Token,
        failure: Option<String>,
        now: Millis,
    ) -> bool {
        let Some(lease) = self.held(slot, token, now) else {
            return false;
        };
        match failure {
            Some(message) => {
                lease.state = Leased::Failed(message);
                lease.until = now + FAILURE_LASTS;
            }
            None => {
                self.leases.remove(&slot.lease());
            }
        }
        true
    }

    pub(super) fn discard(&mut self, slot: &Slot, bytes: &[u8]) {
        let is_same = |(there, _): &(Vec<u8>, Millis)| there == bytes;
        if self.entries.get(&slot.entry).is_some_and(is_same) {
            self.entries.remove(&slot.entry);
        }
    }
}

/// Whether what is there is an entry of the same log with a higher version.
fn is_newer(there: &[u8], fill: &Fill) -> bool {
    there.starts_with(b"AFR")
        && there.get(8..24) == Some(&fill.log[..])
        && there
            .get(24..32)
            .is_some_and(|version| version > &fill.version.to_be_bytes()[..])
}
