//! One cache's side of a simulated store: how an operation goes from there to the store and back,
//! what is done in the background, and what is owed. What an operation does is not here.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::watch;

use super::operation::{Operation, OperationKind};
use super::world::{Done, Effects, Stored, World};
use crate::clock::{Millis, millis};
use crate::error::{Error, ErrorKind};
use crate::log::{MarkId, View};
use crate::observe::{Event, Reporter};
use crate::shared::{Appended, Unfinished};
use crate::sync::{AtomicBool, Mutex, MutexGuard};
use crate::tag::TagHash;
use crate::timer::{self, Alarm};

/// An invalidation that is owed to the log.
#[derive(Clone, Debug)]
struct Debt {
    tags: Vec<TagHash>,
    ends: Option<MarkId>,
}

#[derive(Debug)]
pub(super) struct Member {
    /// Which cache of the store's it is.
    pub(super) number: usize,
    pub(super) world: Arc<World>,
    pub(super) view: Arc<View>,
    pub(super) reporter: Arc<Reporter>,
    /// How long an operation may take.
    op_timeout: Duration,
    closed: AtomicBool,
    debts: Mutex<VecDeque<Debt>>,
    /// Whether they are being appended.
    settling: AtomicBool,
    /// Told whenever one has been.
    settled: watch::Sender<()>,
    /// What was left to be done and is not done yet.
    errands: AtomicUsize,
}

impl Member {
    pub(super) fn new(
        number: usize,
        world: &Arc<World>,
        view: Arc<View>,
        reporter: Arc<Reporter>,
        op_timeout: Duration,
    ) -> Self {
        Self {
            number,
            world: Arc::clone(world),
            view,
            reporter,
            op_timeout,
            closed: AtomicBool::new(false),
            debts: Mutex::default(),
            settling: AtomicBool::new(false),
            settled: watch::Sender::new(()),
            errands: AtomicUsize::new(0),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Asks for an operation on behalf of a call, which waits no longer than the operation timeout.
    pub(super) async fn ask<T>(
        self: &Arc<Self>,
        kind: OperationKind,
        key: Option<String>,
        act: impl FnOnce(&mut Stored, Millis) -> (T, Effects),
    ) -> Result<T, Error> {
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Store, "the cache has been shut down"));
        }
        let answer = self.send(kind, key, Some(self.op_timeout), act).await?;
        // The store answers: whatever is owed is tried again.
        self.settle();
        Ok(answer)
    }

    async fn send<T>(
        &self,
        kind: OperationKind,
        key: Option<String>,
        limit: Option<Duration>,
        act: impl FnOnce(&mut Stored, Millis) -> (T, Effects),
    ) -> Result<T, Error> {
        let cache = self.number;
        if !self.world.asked(Operation { kind, key, cache }) {
            return Err(out_of_reach());
        }
        loop {
            let gate = self.world.state().faults.gate(kind);
            let Some(gate) = gate else { break };
            gate.arrive();
            gate.pass().await;
        }
        let delay = self.world.state().faults.delay(kind);
        let limit = limit.unwrap_or(Duration::MAX);
        if !delay.is_zero() {
            let clock = &self.world.clock;
            Alarm::at(clock, clock.now() + millis(delay.min(limit))).await;
        }
        if delay >= limit {
            let error = format!("no answer within {limit:?}");
            return Err(Error::new(ErrorKind::Timeout, error));
        }
        self.turn().await;
        let done = self.world.perform(self, kind, act);
        self.turn().await;
        match done {
            Done::Answered(answer) => Ok(answer),
            Done::OutOfReach => Err(out_of_reach()),
            Done::Failed => Err(Error::new(
                ErrorKind::Store,
                format!("the simulated store fails `{kind}`"),
            )),
            Done::Lost => Err(Error::new(
                ErrorKind::Store,
                format!("the simulated store has lost the reply to `{kind}`"),
            )),
        }
    }

    /// Where operations take turns, waits for one.
    async fn turn(&self) {
        let mut waits = self.world.state().faults.takes_turns;
        poll_fn(|cx| {
            if std::mem::take(&mut waits) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
    }

    /// Does something that nobody waits for. It takes as long as it takes.
    pub(super) fn leave(
        self: &Arc<Self>,
        kind: OperationKind,
        key: String,
        act: impl FnOnce(&mut Stored, Millis) -> Effects + Send + 'static,
    ) {
        let member = Arc::clone(self);
        self.errands.fetch_add(1, Ordering::AcqRel);
        in_background(async move {
            let act = |stored: &mut Stored, now| ((), act(stored, now));
            if member.send(kind, Some(key), None, act).await.is_err() {
                member.reporter.counters.store_errors.add();
            }
            member.errands.fetch_sub(1, Ordering::AcqRel);
        });
    }

    /// What there is to be done yet. That of marks is the store's.
    pub(super) fn unfinished(&self) -> Unfinished {
        Unfinished {
            errands: self.errands.load(Ordering::Acquire),
            debts: self.debts().len(),
            marks: 0,
            watched: self.world.leases.len(),
        }
    }

    // Debts

    fn debts(&self) -> MutexGuard<'_, VecDeque<Debt>> {
        // Pushed to and taken from in single steps.
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn owe(self: &Arc<Self>, tags: Vec<TagHash>, ends: Option<MarkId>) {
        if self.is_closed() {
            let error = Error::new(
                ErrorKind::Store,
                "an invalidation came after the cache was shut down, and is not made",
            );
            self.reporter.misuse("nothing was invalidated", &error);
            return;
        }
        self.view.owe(&tags);
        self.debts().push_back(Debt { tags, ends });
        let tags = self.view.owed();
        self.reporter.tell(&Event::Owed { tags });
        self.settle();
    }

    /// Appends what is owed, as far as the store lets it: here and now, unless it has to wait.
    pub(super) fn settle(self: &Arc<Self>) {
        /// Says that nobody does, however that came.
        struct Settling(Arc<Member>);

        impl Drop for Settling {
            fn drop(&mut self) {
                self.0.settling.store(false, Ordering::Release);
            }
        }

        if self.debts().is_empty() || self.settling.swap(true, Ordering::AcqRel) {
            return;
        }
        let settling = Settling(Arc::clone(self));
        in_background(async move {
            let member = Arc::clone(&settling.0);
            let ended = member.settle_all().await;
            drop(settling);
            match ended {
                // What was owed since the last look.
                Ok(()) => member.settle(),
                Err(error) => {
                    member.reporter.counters.store_errors.add();
                    let doing = "making an invalidation that is owed";
                    member.reporter.fault(doing, &error);
                }
            }
        });
    }

    async fn settle_all(&self) -> Result<(), Error> {
        loop {
            let first = self.debts().front().cloned();
            let Some(Debt { tags, ends }) = first else {
                return Ok(());
            };
            let owed = tags.clone();
            let act = move |stored: &mut Stored, _| append(stored, owed, ends);
            let appended = self.send(OperationKind::Append, None, None, act).await?;
            self.debts().pop_front();
            let version = appended.version;
            self.view.settle(&tags, version);
            self.reporter.counters.invalidations.add();
            self.settled.send_replace(());
            self.reporter.tell(&Event::Settled { version });
        }
    }

    /// Waits until nothing is owed, or the time is over.
    pub(super) async fn finish(self: &Arc<Self>, limit: Duration) {
        self.settle();
        let mut settled = self.settled.subscribe();
        let clock = &self.world.clock;
        let done = settled.wait_for(|()| self.debts().is_empty());
        let _ = timer::until(clock, clock.now() + millis(limit), done).await;
    }
}

/// Appends a record.
pub(super) fn append(
    stored: &mut Stored,
    tags: Vec<TagHash>,
    ends: Option<MarkId>,
) -> (Appended, Effects) {
    let record = stored.log.append(tags, ends);
    let appended = Appended {
        log: stored.log.id,
        version: record.version,
    };
    let effects = Effects {
        record: Some(record),
        ..Effects::default()
    };
    (appended, effects)
}

pub(super) fn out_of_reach() -> Error {
    Error::new(
        ErrorKind::Store,
        "the shared store cannot be reached at the moment",
    )
}

/// Runs a future that nobody waits for. What it can do without waiting is done when this returns, so
/// that a test sees the same each time; for the rest there is a task.
fn in_background(future: impl Future<Output = ()> + Send + 'static) {
    let mut future: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(future);
    let mut cx = Context::from_waker(Waker::noop());
    if future.as_mut().poll(&mut cx).is_pending()
        && let Some(runtime) = timer::handle()
    {
        runtime.spawn(future);
    }
}
