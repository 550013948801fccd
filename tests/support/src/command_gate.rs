//! A proxy before a server that stands between every two commands of its clients: it numbers them,
//! hands each to the server by itself, also where several were written at once, and holds one of
//! them, its answer, or what comes after its answer, until it is told to go on. It remembers what
//! was asked and answered; what that means, it does not know.

mod relay;

use std::collections::VecDeque;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::proxy::{self, Port};
use crate::server::Server;
use crate::wait::PATIENCE;

/// Where a [`CommandGate`] holds. Commands are counted from 1 on, over all connections, in the
/// order in which the gate got them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The command has not reached the server, nor has any later one of its connection; all
    /// earlier ones have been answered.
    Before(usize),
    /// The server has run it; its answer, and all that follows it on its connection, has not
    /// reached the client. What the client sends reaches the server.
    Answer(usize),
    /// As [`Answer`](Self::Answer), but the answer itself has been handed over.
    After(usize),
}

/// One command and what it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The command and its arguments.
    pub words: Vec<Vec<u8>>,
    /// The answer as the server wrote it, once it has come.
    pub answer: Option<Vec<u8>>,
}

/// A proxy before a server. Everything passes until it is [armed](Self::arm).
#[derive(Debug)]
pub struct CommandGate {
    port: Port,
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    server: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    point: Option<Point>,
    held: Option<Held>,
    /// Since it was armed.
    seen: Vec<Exchange>,
    /// How often it has been armed: answers to what was asked before are not counted.
    round: u64,
    /// What the server has not answered yet, by connection: in which round it was counted, and as
    /// which.
    asked: Vec<VecDeque<(u64, usize)>>,
    closed: bool,
    sockets: Vec<TcpStream>,
}

/// What is held, on the connection of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Commands(usize),
    Answers(usize),
}

impl CommandGate {
    /// A proxy on a port of its own before this server.
    #[must_use]
    pub fn before(server: &Server) -> Self {
        let inside = Arc::new(Inside {
            server: server.port(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let port = Port::before(server, {
            let inside = Arc::clone(&inside);
            move |client| {
                let takes = !inside.lock().closed;
                if takes {
                    relay::relay(&inside, client);
                }
                takes
            }
        });
        Self { port, inside }
    }

    /// As the server's own [`url`](Server::url), with the proxy's port.
    #[must_use]
    pub fn url(&self) -> String {
        self.port.url()
    }

    /// Counts from 1 again, and holds at this point, once.
    pub fn arm(&self, point: Option<Point>) {
        let mut state = self.inside.lock();
        state.point = point;
        state.held = None;
        state.seen.clear();
        state.round += 1;
        drop(state);
        self.inside.changed.notify_all();
    }

    /// What has been asked since it was made or armed, and what was answered.
    #[must_use]
    pub fn seen(&self) -> Vec<Exchange> {
        self.inside.lock().seen.clone()
    }

    /// Waits until it holds at its point (true), or until `done` is true. Whatever makes that true
    /// says so by [`nudge`](Self::nudge).
    ///
    /// # Panics
    /// Where neither happens in time.
    #[must_use]
    pub fn holds_before(&self, done: impl Fn() -> bool) -> bool {
        let neither = |state: &mut State| state.held.is_none() && !done();
        let (inside, state) = (&self.inside, self.inside.lock());
        let waited = inside.changed.wait_timeout_while(state, PATIENCE, neither);
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(
            !waited.timed_out(),
            "neither the point nor the end was reached; seen: {:?}",
            state.seen
        );
        state.held.is_some()
    }

    /// Has [`holds_before`](Self::holds_before) look again.
    pub fn nudge(&self) {
        // Under the lock, so that it is not missed between a look and the wait.
        drop(self.inside.lock());
        self.inside.changed.notify_all();
    }

    /// Lets pass what was held, and all that follows.
    pub fn release(&self) {
        let mut state = self.inside.lock();
        state.point = None;
        state.held = None;
        drop(state);
        self.inside.changed.notify_all();
    }

    /// Cuts every connection: what is held is lost. New ones are carried.
    pub fn cut(&self) {
        let mut state = self.inside.lock();
        proxy::cut(&std::mem::take(&mut state.sockets));
        state.held = None;
        drop(state);
        self.inside.changed.notify_all();
    }
}

impl Drop for CommandGate {
    fn drop(&mut self) {
        self.inside.lock().closed = true;
        self.cut();
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while this is held.
    fn pass(&self, what: Held) -> MutexGuard<'_, State> {
        let holds = |state: &mut State| state.held == Some(what) && !state.closed;
        let state = self.changed.wait_while(self.lock(), holds);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds this from now on, if it is what was to be held.
    fn stop_at(&self, state: &mut State, point: Point, what: Held) {
        if state.point == Some(point) {
            state.point = None;
            state.held = Some(what);
            self.changed.notify_all();
        }
    }
}
