//! A shared tier in this process, for tests: what the caches of one store share is what a server
//! would keep for them, and each is to the others what another process would be. A test says what
//! fails, waits or is lost; nothing happens here by itself.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Appended, Bid, Bidden, Claim, Fill, Filled, Found, Operation as Pending, Shared, Slot, Token,
    Unfinished,
};
use crate::clock::Millis;
use crate::log::{Answer, Mark, MarkId, View};
use crate::observe::Reporter;
use crate::tag::TagHash;
use crate::timer::Alarm;

mod entries;
mod faults;
mod log;
mod member;
mod operation;
mod world;

pub(crate) use faults::Gate;
use member::{Member, append, out_of_reach};
pub use operation::{Operation, OperationKind};
pub(crate) use world::World;
use world::{Effects, Stored};

/// One cache's handle on a simulated store.
#[derive(Debug)]
pub(crate) struct Simulated(Arc<Member>);

impl Simulated {
    pub(crate) fn new(
        world: &Arc<World>,
        view: Arc<View>,
        reporter: Arc<Reporter>,
        op_timeout: Duration,
    ) -> Self {
        let make = |number| Arc::new(Member::new(number, world, view, reporter, op_timeout));
        Self(world.join(make))
    }

    /// An operation on a key, or on the log where there is none.
    fn operate<T: Send + 'static>(
        &self,
        kind: OperationKind,
        slot: Option<&Slot>,
        act: impl FnOnce(&mut Stored, Millis) -> (T, Effects) + Send + 'static,
    ) -> Pending<T> {
        let (member, key) = (Arc::clone(&self.0), slot.map(key_of));
        Box::pin(async move { member.ask(kind, key, act).await })
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.close();
    }
}

/// An answer by whose arrival the view is up to date, as replies and notes come in order.
fn proves<T>(answer: T) -> (T, Effects) {
    let effects = Effects {
        proves: true,
        ..Effects::default()
    };
    (answer, effects)
}

fn wakes(slot: &Slot) -> Effects {
    Effects {
        wakes: Some(slot.lease()),
        ..Effects::default()
    }
}

fn key_of(slot: &Slot) -> String {
    operation::key_of(&String::from_utf8_lossy(&slot.entry))
}

impl Shared for Simulated {
    fn is_away(&self, _: &Slot) -> bool {
        !self.is_attached()
    }

    fn is_attached(&self) -> bool {
        !self.is_closed() && self.0.world.is_connected()
    }

    fn is_tracked(&self) -> bool {
        true
    }

    fn now(&self) -> Millis {
        self.0.world.clock.wall()
    }

    fn alarm(&self, after: Duration) -> Alarm {
        let clock = &self.0.world.clock;
        Alarm::at(clock, clock.now() + crate::clock::millis(after))
    }

    fn summon(&self) {}

    fn reached(&self) -> Pending<()> {
        let is_reached = self.is_attached();
        Box::pin(async move { is_reached.then_some(()).ok_or_else(out_of_reach) })
    }

    fn slot(&self, subject: &str) -> Slot {
        // The two are kept in maps of their own.
        Slot {
            entry: subject.into(),
            kind: None,
        }
    }

    fn get(&self, slot: &Arc<Slot>, _: bool) -> Pending<Found> {
        let at = Arc::clone(slot);
        self.operate(OperationKind::Get, Some(slot), move |stored, now| {
            let entry = stored.entries.get(&at, now).map(Arc::new);
            proves(Found {
                entry,
                proven: true,
            })
        })
    }

    fn barrier(&self) -> Pending<()> {
        self.operate(OperationKind::Barrier, None, |_, _| proves(()))
    }

    fn ask(&self, tags: Arc<[TagHash]>) -> Pending<Answer> {
        let member = Arc::clone(&self.0);
        Box::pin(async move {
            let act = |stored: &mut Stored, _| (stored.log.ask(&tags), Effects::default());
            let answer = member.ask(OperationKind::Ask, None, act).await?;
            member.view.learn(&tags, &answer);
            Ok(answer)
        })
    }

    fn catch_up(&self) -> Pending<()> {
        self.operate(OperationKind::CatchUp, None, |_, _| proves(()))
    }

    fn append(
        &self,
        tags: Vec<TagHash>,
        ends: Option<MarkId>,
        claim: Option<Claim>,
    ) -> Pending<Option<Appended>> {
        self.operate(OperationKind::Append, None, move |stored, _| {
            if claim.is_some_and(|claim| !stored.log.admits(&claim)) {
                return (None, Effects::default());
            }
            let (appended, effects) = append(stored, tags, ends);
            (Some(appended), effects)
        })
    }

    fn owe(&self, tags: Vec<TagHash>, ends: Option<MarkId>) {
        self.0.owe(tags, ends);
    }

    fn mark(&self, id: MarkId, tags: Vec<TagHash>, lasts: Duration) -> Pending<()> {
        let keeper = self.0.number;
        self.operate(OperationKind::Mark, None, move |stored, now| {
            let deadline = now + crate::clock::millis(lasts).max(1);
            let record = stored.log.mark(Mark { id, deadline, tags }, keeper);
            let effects = Effects {
                record,
                ..Effects::default()
            };
            ((), effects)
        })
    }

    fn finish(&self, limit: Duration) -> Pending<()> {
        let member = Arc::clone(&self.0);
        Box::pin(async move {
            member.finish(limit).await;
            Ok(())
        })
    }

    fn unfinished(&self) -> Unfinished {
        self.0.unfinished()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&self) {
        self.0.close();
    }

    fn bid(&self, slot: &Arc<Slot>, bid: Bid) -> Pending<Bidden> {
        let at = Arc::clone(slot);
        self.operate(OperationKind::Bid, Some(slot), move |stored, now| {
            proves(stored.entries.bid(&at, &bid, now))
        })
    }

    fn lease_change(&self, slot: &Arc<Slot>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.world.leases.change(&slot.lease()))
    }

    fn renew(&self, slot: &Arc<Slot>, token: Token, ttl: Duration) -> Pending<bool> {
        let (member, at) = (Arc::clone(&self.0), Arc::clone(slot));
        let renewed = self.operate(OperationKind::Renew, Some(slot), move |stored, now| {
            let renewed = stored.entries.renew(&at, token, ttl, now);
            (renewed, Effects::default())
        });
        Box::pin(async move {
            renewed.await.inspect_err(|error| {
                member.reporter.counters.store_errors.add();
                member.reporter.fault("renewing a lease", error);
            })
        })
    }

    fn fill(&self, slot: &Arc<Slot>, fill: Fill) -> Pending<Filled> {
        let at = Arc::clone(slot);
        self.operate(OperationKind::Fill, Some(slot), move |stored, now| {
            let filled = stored.entries.fill(&at, fill, now);
            (filled, wakes(&at))
        })
    }

    fn release(&self, slot: &Arc<Slot>, token: Token, failure: Option<String>) {
        let at = Arc::clone(slot);
        let key = key_of(slot);
        self.0
            .leave(OperationKind::Release, key, move |stored, now| {
                if stored.entries.release(&at, token, failure, now) {
                    wakes(&at)
                } else {
                    Effects::default()
                }
            });
    }

    fn discard(&self, slot: &Arc<Slot>, bytes: &[u8]) {
        let (at, bytes) = (Arc::clone(slot), bytes.to_vec());
        let key = key_of(slot);
        self.0.leave(OperationKind::Discard, key, move |stored, _| {
            stored.entries.discard(&at, &bytes);
            Effects::default()
        });
    }
}
