//! A proxy before a server that holds back or swallows what the server answers, answers in its place,
//! cuts its connections, or leads new ones to another server. It knows where a reply ends, and
//! nothing of commands.

mod carry;
pub(crate) mod frames;

use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::proxy::{self, Port};
use crate::server::Server;

/// A proxy before a server. Everything passes until it is told otherwise, and again from
/// [`release`](Self::release) on.
#[derive(Debug)]
pub struct ReplyGate {
    port: Port,
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    server: u16,
    holds: Holds,
    swallows: Swallows,
    /// The connection on which commands are kept from the server.
    asks_wait: Option<usize>,
    /// What each command is answered with, in the server's place.
    answer: Option<String>,
    refuses: bool,
    closed: bool,
    /// How many connections have been carried.
    carried: usize,
    sockets: Vec<TcpStream>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Nothing,
    /// The answers on the connection of this number.
    One(usize),
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swallows {
    Nothing,
    Pushes,
    All,
}

impl ReplyGate {
    /// A proxy on a port of its own before this server.
    #[must_use]
    pub fn before(server: &Server) -> Self {
        let inside = Arc::new(Inside {
            state: Mutex::new(State {
                server: server.port(),
                holds: Holds::Nothing,
                swallows: Swallows::Nothing,
                asks_wait: None,
                answer: None,
                refuses: false,
                closed: false,
                carried: 0,
                sockets: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let port = Port::before(server, {
            let inside = Arc::clone(&inside);
            move |client| {
                let (takes, refuses) = {
                    let state = inside.lock();
                    (!state.closed, state.refuses)
                };
                if takes && !refuses {
                    carry::carry(&inside, client);
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

    /// The proxy's port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number
    }

    /// Keeps back what the server answers from now on. Requests still reach it.
    pub fn hold(&self) {
        self.inside.lock().holds = Holds::All;
    }

    /// As [`hold`](Self::hold), for one connection only: in the order they were made, from 0 on.
    pub fn hold_one(&self, number: usize) {
        self.inside.lock().holds = Holds::One(number);
    }

    /// Keeps from the server what is asked on one connection, as a slow one does: in the order they
    /// were made, from 0 on.
    pub fn hold_asks_of(&self, number: usize) {
        self.inside.lock().asks_wait = Some(number);
    }

    /// How many connections have been carried so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.inside.lock().carried
    }

    /// Drops what the server answers from now on. Requests still reach it, and connections stay
    /// open.
    pub fn swallow(&self) {
        self.inside.lock().swallows = Swallows::All;
    }

    /// Drops the pushes of the server's from now on, and lets its replies pass: as a proxy does that
    /// answers `OK` to `CLIENT TRACKING` and never sends a note.
    pub fn swallow_pushes(&self) {
        self.inside.lock().swallows = Swallows::Pushes;
    }

    /// Answers every command from now on with this error line, e.g. `-LOADING not yet`. The server
    /// gets none; what it has is answered first.
    ///
    /// # Panics
    /// Where it is not one line that begins with `-`.
    pub fn answer_all_with(&self, line: &str) {
        let is_error = line.starts_with('-') && !line.contains(['\r', '\n']);
        assert!(is_error, "not the line of an error: {line:?}");
        self.inside.lock().answer = Some(format!("{line}\r\n"));
    }

    /// Closes every new connection at once. Those that are there stay.
    pub fn refuse(&self) {
        self.inside.lock().refuses = true;
    }

    /// Hands over what was kept back, in order, and lets pass what follows. A connection that has
    /// lost replies is out of step: [`cut`](Self::cut) it.
    pub fn release(&self) {
        let mut state = self.inside.lock();
        state.holds = Holds::Nothing;
        state.swallows = Swallows::Nothing;
        state.asks_wait = None;
        state.answer = None;
        state.refuses = false;
        drop(state);
        self.inside.changed.notify_all();
    }

    /// Cuts every connection. New ones are carried.
    pub fn cut(&self) {
        proxy::cut(&std::mem::take(&mut self.inside.lock().sockets));
        self.inside.changed.notify_all();
    }

    /// Leads to another server from now on, and cuts the connections to the one before.
    pub fn lead_to(&self, server: &Server) {
        self.inside.lock().server = server.port();
        self.cut();
    }
}

impl Drop for ReplyGate {
    fn drop(&mut self) {
        self.inside.lock().closed = true;
        self.cut();
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while what is asked on this connection is held.
    fn ask(&self, connection: usize) {
        let holds = |state: &mut State| state.asks_wait == Some(connection) && !state.closed;
        drop(self.changed.wait_while(self.lock(), holds));
    }

    /// Waits while the replies on this connection are held; then whether this one passes.
    fn pass(&self, connection: usize, push: bool) -> bool {
        let holds = |state: &mut State| {
            let held = [Holds::All, Holds::One(connection)].contains(&state.holds);
            held && !state.closed
        };
        let state = self.changed.wait_while(self.lock(), holds);
        match state.unwrap_or_else(PoisonError::into_inner).swallows {
            Swallows::Nothing => true,
            Swallows::Pushes => !push,
            Swallows::All => false,
        }
    }
}
