//! A link to one server and what hangs on it: its connections and their state, the notes they
//! deliver, and one request at a time. Attaching, catching up and retrying are the driver's.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use redis::{Cmd, FromRedisValue, Pipeline, PushInfo, PushKind, RedisError, Value};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};

use super::backlog::{Backlog, Debt, Errand};
use super::config::Config;
use super::dial;
use super::endpoint::Endpoint;
use super::fault::{Redirect, breaks, store_error};
use super::lanes::{Barriers, Caught, Lane};
use super::reads::{Looked, Together};
use super::reply;
use super::scripts::Loaded;
use super::wire::Wire;
use crate::clock::{Clock, Millis};
use crate::error::{Error, ErrorKind};
use crate::log::View;
use crate::observe::{Event, Reporter};
use crate::shared::Slot;
use crate::shared::watch::Watches;
use crate::spec;
use crate::timer;

/// How long the view is believed after the sending of a heartbeat that was answered.
pub(super) const TRUST: Millis = 2_000;
/// After so many operation timeouts without any answer, the connection is given up.
const SILENT: u64 = 3;

/// Whether the server can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Being tried for the first time, or for the first time since it was lost: worth a wait.
    Connecting,
    Ready,
    /// Tried and not reached: not worth one.
    Away,
}

/// What a link has when it is attached: one connection, or several, which come and go together.
/// Their generation tells their notes and replies from those of others.
pub(super) struct Connection {
    pub(super) generation: u64,
    pub(super) lanes: Box<[Wire]>,
    pub(super) scripts: Loaded,
    /// Whether notes are proven to arrive.
    pub(super) tracked: bool,
    next: AtomicUsize,
    /// Since when each lane has left its requests without an answer, on the coarse clock; 0 where
    /// the last one was answered. Others' answers say nothing about it.
    silent: Box<[AtomicU64]>,
}

impl Connection {
    pub(super) fn new(generation: u64, lanes: Box<[Wire]>, scripts: Loaded, tracked: bool) -> Self {
        Self {
            generation,
            silent: lanes.iter().map(|_| AtomicU64::new(0)).collect(),
            lanes,
            scripts,
            tracked,
            next: AtomicUsize::new(0),
        }
    }

    fn has_answered(&self, lane: usize) {
        let silent = &self.silent[lane];
        // Nearly always it has before, and a look takes nothing from other cores.
        if silent.load(Ordering::Relaxed) != 0 {
            silent.store(0, Ordering::Relaxed);
        }
    }

    /// The connection for requests about the leases of a slot.
    pub(super) fn of(&self, slot: u16) -> usize {
        usize::from(slot) % self.lanes.len()
    }

    /// The connection for the next request, in turn.
    pub(super) fn pick(&self) -> usize {
        match self.lanes.len() {
            1 => 0,
            lanes => self.next.fetch_add(1, Ordering::Relaxed) % lanes,
        }
    }
}

/// What all links of one cache have in common.
#[derive(Clone)]
pub(super) struct Common {
    pub(super) config: Arc<Config>,
    pub(super) view: Arc<View>,
    pub(super) clock: Arc<Clock>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) leases: Arc<Watches>,
}

/// What the handle, the driver and the connections' callbacks share.
pub(super) struct Link {
    pub(super) endpoint: Endpoint,
    pub(super) config: Arc<Config>,
    pub(super) view: Arc<View>,
    pub(super) clock: Arc<Clock>,
    pub(super) reporter: Arc<Reporter>,
    pub(super) leases: Arc<Watches>,
    /// Replaced at each attach; read, for a clone of the handle, by each request.
    connection: RwLock<Option<Arc<Connection>>>,
    generation: AtomicU64,
    state: watch::Sender<State>,
    /// Whether that is `Away`; and whether the connection, if there is one, is tracked. For those who
    /// only look, which is each call: a lock's count would go from core to core.
    away: AtomicBool,
    tracked: AtomicBool,
    /// What drives it: nothing here knows how.
    start: fn(&Handle, Arc<Self>),
    driving: AtomicBool,
    closed: AtomicBool,
    pub(super) lanes: Box<[Lane]>,
    pub(super) together: Arc<Together>,
    pub(super) barriers: Barriers,
    /// Wakes the driver: a note, a barrier, an errand, a debt, the end.
    pub(super) work: Notify,
    pub(super) backlog: Backlog,
    /// The key that the attach under way writes to, and whether its note has come.
    probe: Mutex<(Vec<u8>, bool)>,
    /// The server's clock minus this process's, in milliseconds.
    offset: AtomicI64,
}

/// A request that was not answered as it should.
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) redirect: Option<Redirect>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            redirect: None,
        }
    }
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("config", &self.config)
            .field("state", &*self.state.borrow())
            .finish_non_exhaustive()
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these guard is pushed to or taken from in single steps.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(
        common: Common,
        endpoint: Endpoint,
        start: fn(&Handle, Arc<Self>),
    ) -> Arc<Self> {
        let lanes = common.config.settings.connections;
        let together = dial::together(&common.config.settings);
        Arc::new(Self {
            endpoint,
            config: common.config,
            view: common.view,
            clock: common.clock,
            reporter: common.reporter,
            leases: common.leases,
            connection: RwLock::new(None),
            generation: AtomicU64::new(0),
            state: watch::Sender::new(State::Connecting),
            away: AtomicBool::new(false),
            tracked: AtomicBool::new(false),
            start,
            driving: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            lanes: (0..lanes).map(|_| Lane::new()).collect(),
            together,
            barriers: Barriers::new(),
            work: Notify::new(),
            backlog: Backlog::default(),
            probe: Mutex::default(),
            offset: AtomicI64::new(0),
        })
    }

    // State

    pub(super) fn is_away(&self) -> bool {
        self.is_closed()
            || (self.away.load(Ordering::Acquire) && self.driving.load(Ordering::Acquire))
    }

    fn turn(&self, state: State) {
        self.state.send_modify(|now| {
            *now = state;
            // Under its lock: the two never tell different stories for long.
            self.away.store(state == State::Away, Ordering::Release);
        });
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Nobody holds the cache any more, or it is shut down: the driver ends after its errands.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.work.notify_one();
    }

    /// Sees to it that a driver runs: on this caller's runtime, if the one before is gone with
    /// the runtime it ran on; in a program with sync functions on a thread of ours.
    pub(super) fn drive(self: &Arc<Self>) {
        if self.is_closed()
            || self.driving.load(Ordering::Acquire)
            || self.driving.swap(true, Ordering::AcqRel)
        {
            return;
        }
        self.turn(State::Connecting);
        // A sync call blocks the runtime that it is made on: where there may be any, nothing that
        // they wait for may depend on one of those.
        let runtime = if spec::any_sync() {
            timer::own()
        } else {
            timer::handle()
        };
        match runtime {
            Some(runtime) => {
                (self.start)(&runtime, Arc::clone(self));
            }
            None => self.not_driven(),
        }
    }

    /// The driver has ended, by itself or with its runtime.
    pub(super) fn not_driven(&self) {
        // In this order: whoever finds the connection gone also finds that nobody drives.
        let generation = self.generation.load(Ordering::Acquire);
        self.driving.store(false, Ordering::Release);
        self.lose(generation);
    }

    /// The server was tried, and not reached.
    pub(super) fn not_reached(&self) {
        self.turn(State::Away);
    }

    /// A number for the connection about to be made. From here on, the one before decides nothing.
    pub(super) fn next_generation(&self) -> u64 {
        let generation = self.generation.fetch_add(1, Ordering::AcqRel) + 1;
        for lane in &self.lanes {
            lane.reset();
        }
        generation
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.generation.load(Ordering::Acquire) == generation
    }

    fn slot(&self) -> RwLockWriteGuard<'_, Option<Arc<Connection>>> {
        self.connection
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn attached(&self, connection: Arc<Connection>) {
        {
            let mut slot = self.slot();
            self.tracked.store(connection.tracked, Ordering::Release);
            *slot = Some(connection);
            // Under the slot's lock, here and below: the two never tell different stories.
            self.turn(State::Ready);
        }
        if self.endpoint.has_the_log() {
            self.reporter.tell(&Event::Connected);
        }
    }

    /// A connection is gone, or as good as gone. The view stays trusted until its deadline: what
    /// it says is no older for it.
    pub(super) fn lose(&self, generation: u64) {
        let lost = {
            let mut slot = self.slot();
            let lost = slot.take_if(|connection| connection.generation == generation);
            if lost.is_none() {
                return;
            }
            self.tracked.store(false, Ordering::Release);
            self.turn(State::Connecting);
            lost
        };
        drop(lost);
        self.barriers.answer(self.barriers.asked(), false);
        self.lanes.iter().for_each(Lane::wake);
        self.leases.wake_all();
        self.work.notify_one();
        if self.is_closed() {
            // Given up, not lost.
            return;
        }
        if !self.endpoint.has_the_log() {
            tracing::debug!(target: "afresh", endpoint = ?self.endpoint, "a node was lost");
            return;
        }
        self.view.stir();
        tracing::warn!(target: "afresh", "the shared store was lost; calls compute until it is back");
        self.reporter.tell(&Event::Disconnected);
    }

    /// The connection, if there is one at this moment.
    pub(super) fn connection(&self) -> Option<Arc<Connection>> {
        self.connection
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether the connection of this generation is made, and not lost yet.
    fn has(&self, generation: u64) -> bool {
        self.connection()
            .is_some_and(|connection| connection.generation == generation)
    }

    /// Whether notes are proven to arrive at this moment.
    pub(super) fn is_tracked_now(&self) -> bool {
        self.tracked.load(Ordering::Acquire)
    }

    /// The connection, where there is nothing to wait for.
    pub(super) fn ready(self: &Arc<Self>) -> Option<Arc<Connection>> {
        // First: the driver may not have given the connection up yet.
        if self.is_closed() {
            return None;
        }
        self.drive();
        self.connection()
    }

    /// The connection, after a wait if one is being made for the first time.
    pub(super) async fn connected(self: &Arc<Self>) -> Result<Arc<Connection>, Error> {
        self.connected_within(self.config.settings.op_timeout).await
    }

    pub(super) async fn connected_within(
        self: &Arc<Self>,
        wait: Duration,
    ) -> Result<Arc<Connection>, Error> {
        if let Some(connection) = self.ready() {
            return Ok(connection);
        }
        if self.is_closed() {
            return Err(Error::new(ErrorKind::Store, "the cache has been shut down"));
        }
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| *state != State::Connecting);
        if timer::timeout(wait, settled).await.is_none() {
            drop(state);
            // Whoever drives does not get anywhere: the next calls need not wait for it too.
            let slot = self
                .connection
                .read()
                .unwrap_or_else(PoisonError::into_inner);
            if slot.is_none() {
                self.turn(State::Away);
            }
        }
        self.connection().ok_or_else(|| {
            Error::new(
                ErrorKind::Store,
                "the shared store cannot be reached at the moment",
            )
        })
    }

    // Requests

    /// Looks an entry up, and waits for the answer no longer than the operation timeout.
    pub(super) async fn read(
        &self,
        connection: &Connection,
        lane: usize,
        slot: &Arc<Slot>,
    ) -> Result<Looked, Failed> {
        let limit = self.config.settings.op_timeout;
        let answer = connection.lanes[lane].read(limit, slot).await;
        self.answered(connection, lane, answer)
    }

    /// Sends one command and waits for its answer, no longer than the operation timeout.
    pub(super) async fn request<T: FromRedisValue>(
        &self,
        connection: &Connection,
        lane: usize,
        command: &Cmd,
    ) -> Result<T, Failed> {
        let limit = self.config.settings.op_timeout;
        let answer = connection.lanes[lane].ask(limit, command).await;
        self.answered(connection, lane, answer)
    }

    /// Sends several commands in one go, and waits for all their answers.
    pub(super) async fn request_all<T: FromRedisValue>(
        &self,
        connection: &Connection,
        lane: usize,
        commands: &Pipeline,
    ) -> Result<T, Failed> {
        let limit = self.config.settings.op_timeout;
        let answer = connection.lanes[lane].ask_all(limit, commands).await;
        self.answered(connection, lane, answer)
    }

    fn answered<T>(
        &self,
        connection: &Connection,
        lane: usize,
        answer: Option<Result<T, RedisError>>,
    ) -> Result<T, Failed> {
        let error = match answer {
            Some(Ok(answer)) => {
                connection.has_answered(lane);
                return Ok(answer);
            }
            Some(Err(error)) => {
                connection.has_answered(lane);
                if breaks(&error, self.endpoint.has_the_log()) {
                    self.lose(connection.generation);
                }
                return Err(Failed {
                    redirect: Redirect::of(&error),
                    error: store_error(&error),
                });
            }
            None => {
                self.is_silent(connection, lane);
                let waited = self.config.settings.op_timeout;
                Error::new(ErrorKind::Timeout, format!("no answer within {waited:?}"))
            }
        };
        Err(Failed {
            error,
            redirect: None,
        })
    }

    /// A request has had no answer in time. Many at once say no more than one; but a connection that
    /// answers none of several, one after the other, is given up.
    fn is_silent(&self, connection: &Connection, lane: usize) {
        let timeout = crate::clock::millis(self.config.settings.op_timeout);
        let now = self.clock.unadvanced();
        let asked = now.saturating_sub(timeout).max(1);
        let silent = &connection.silent[lane];
        let since = silent.compare_exchange(0, asked, Ordering::Relaxed, Ordering::Relaxed);
        let since = since.unwrap_or_else(|since| since);
        if since != 0 && now.saturating_sub(since) >= timeout * SILENT {
            self.lose(connection.generation);
        }
    }

    // Notes

    /// Called by a connection's own task for each push, before the reply that follows it.
    pub(super) fn on_push(&self, generation: u64, lane: usize, push: &PushInfo) {
        if !self.is_current(generation) {
            return;
        }
        match push.kind {
            PushKind::Disconnection => self.lose(generation),
            PushKind::Invalidate => {
                if let Some(Value::Array(keys)) = push.data.first() {
                    keys.iter()
                        .filter_map(reply::bytes)
                        .for_each(|key| self.on_change(lane, key));
                } else {
                    // No keys: the whole database was flushed.
                    self.note(lane);
                    self.leases.wake_all();
                }
            }
            _ => {}
        }
    }

    fn on_change(&self, lane: usize, key: &[u8]) {
        if key == self.config.names.records {
            self.note(lane);
        } else if !self.leases.wake(key) {
            let mut probe = locked(&self.probe);
            if probe.0 == key {
                probe.1 = true;
            }
        }
    }

    /// The log has moved: what the view knows is behind until a catch-up has covered this note.
    pub(super) fn note(&self, lane: usize) {
        if !self.endpoint.has_the_log() {
            return;
        }
        self.lanes[lane].note();
        self.view.stir();
        self.work.notify_one();
    }

    /// Whether every note that this lane has delivered by now is covered: nearly always, nothing has
    /// come since.
    pub(super) fn is_up_to_date(&self, generation: u64, lane: usize) -> bool {
        self.lanes[lane].is_caught_up(generation) && self.is_current(generation)
    }

    /// Waits until every note that this lane has delivered by now is covered.
    pub(super) async fn up_to_date(&self, generation: u64, lane: usize) -> Result<(), Error> {
        let lane = &self.lanes[lane];
        let wanted = lane.notes();
        let covered = |caught: &Caught| caught.generation == generation && caught.notes >= wanted;
        let mut caught = lane.caught.subscribe();
        // What is lost is not caught up with any more.
        let waited = caught.wait_for(|caught| covered(caught) || !self.has(generation));
        match timer::timeout(self.config.settings.op_timeout, waited).await {
            Some(Ok(caught)) if covered(&caught) && self.is_current(generation) => Ok(()),
            _ if !self.has(generation) => Err(lost()),
            _ => Err(behind()),
        }
    }

    /// Waits for a proof that the view has everything that was in the log when this was called.
    pub(super) async fn barrier(self: &Arc<Self>) -> Result<(), Error> {
        let connection = self.connected().await?;
        if !connection.tracked {
            return Err(Error::new(
                ErrorKind::Store,
                "no notes of invalidations arrive on this connection",
            ));
        }
        let passed = self.barriers.ask();
        if !self.has(connection.generation) {
            // Whoever was waiting has been told. The next one may be long in coming.
            return Err(lost());
        }
        self.work.notify_one();
        match timer::timeout(self.config.settings.op_timeout, passed).await {
            Some(true) => Ok(()),
            Some(false) if !self.has(connection.generation) => Err(lost()),
            _ => Err(behind()),
        }
    }

    pub(super) fn expect_probe(&self, key: Vec<u8>) {
        *locked(&self.probe) = (key, false);
    }

    pub(super) fn probe_came(&self) -> bool {
        locked(&self.probe).1
    }

    // Errands and debts

    pub(super) fn run_errand(&self, errand: Errand) {
        if !self.backlog.add_errand(errand) {
            self.reporter.counters.store_errors.add();
        }
        self.work.notify_one();
    }

    /// Keeps an invalidation that was not acknowledged. What it names is invalid here from now on.
    pub(super) fn owe(self: &Arc<Self>, debt: Debt) {
        if self.is_closed() {
            let error = Error::new(
                ErrorKind::Store,
                "an invalidation came after the cache was shut down, and is not made",
            );
            self.reporter.misuse("nothing was invalidated", &error);
            return;
        }
        self.backlog.add_debt(debt, |owed| self.view.owe(owed));
        let owed = self.view.owed();
        tracing::warn!(target: "afresh", owed, "an invalidation was not acknowledged; it is kept and tried again");
        self.reporter.tell(&Event::Owed { tags: owed });
        self.drive();
        self.work.notify_one();
    }

    /// Waits until nothing is left to do in the background, or until the time is over.
    pub(super) async fn finish(self: &Arc<Self>, limit: Duration) {
        // Once it is closed, nobody works anything off any more.
        if self.backlog.is_empty() || self.is_closed() {
            return;
        }
        self.drive();
        self.work.notify_one();
        let mut left = self.backlog.changes();
        let done = left.wait_for(|()| self.backlog.is_empty());
        let _ = timer::timeout(limit, done).await;
    }

    // Time

    /// Takes over the server's clock: `server` was read after `sent`, so this never lags. Both
    /// without what a test has advanced this process's clock by.
    pub(super) fn set_time(&self, sent: Millis, server: Millis) {
        self.offset
            .store(server.cast_signed() - sent.cast_signed(), Ordering::Release);
    }

    pub(super) fn server_now(&self) -> Millis {
        (self.clock.now().cast_signed() + self.offset.load(Ordering::Acquire)).cast_unsigned()
    }
}

fn lost() -> Error {
    Error::new(
        ErrorKind::Store,
        "the connection was lost before the log was caught up with",
    )
}

fn behind() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the log could not be caught up with in time",
    )
}
