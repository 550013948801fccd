//! The network between one process and its servers, as a proxy before each of them: it can be cut
//! without a word, in one direction or in both, be slow, or break every connection. What servers say
//! of each other's addresses is changed on the way, so that the process reaches all of them through
//! it, without the privileges that a network of the system's would need. It knows nothing of commands.

mod carry;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::server::Server;

/// In which direction nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// What the process sends does not arrive; what the servers send does.
    Requests,
    /// The servers get everything, and their answers and notes do not arrive.
    Answers,
    /// Nothing arrives anywhere.
    Both,
}

/// A network before some servers. Everything passes until it is told otherwise, and again from
/// [`heal`](Self::heal) on.
#[derive(Debug)]
pub struct Network {
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    /// By the port of each server: the port of the proxy before it.
    ports: BTreeMap<u16, u16>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    cut: Option<(Cut, Option<u16>)>,
    delay: Duration,
    closed: bool,
    /// How often every connection was broken.
    breaks: u64,
    sockets: Vec<TcpStream>,
}

/// Where something is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Towards the servers.
    Out,
    /// Back to the process.
    Back,
}

impl Network {
    /// A network before these servers.
    #[must_use]
    pub fn before<'a>(servers: impl IntoIterator<Item = &'a Server>) -> Self {
        let bind = |server: &Server| {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            (server.port(), listener)
        };
        let listeners: Vec<_> = servers.into_iter().map(bind).collect();
        let port = |listener: &TcpListener| listener.local_addr().expect("a bound socket").port();
        let inside = Arc::new(Inside {
            ports: listeners
                .iter()
                .map(|(server, ours)| (*server, port(ours)))
                .collect(),
            state: Mutex::new(State {
                cut: None,
                delay: Duration::ZERO,
                closed: false,
                breaks: 0,
                sockets: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        for (server, listener) in listeners {
            let inside = Arc::clone(&inside);
            thread::spawn(move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if inside.lock().closed {
                        return;
                    }
                    carry::carry(&inside, client, server);
                }
            });
        }
        Self { inside }
    }

    /// The same URL, by way of this network.
    #[must_use]
    pub fn through(&self, url: &str) -> String {
        let lead = |url: String, (server, ours): (&u16, &u16)| {
            url.replace(&format!(":{server}"), &format!(":{ours}"))
        };
        self.inside.ports.iter().fold(url.to_owned(), lead)
    }

    /// Cuts it: between the process and all servers, or only the one with this port. Connections
    /// stay, and what is sent is kept for later, as by senders that try again and again. New
    /// connections are kept waiting.
    pub fn cut(&self, cut: Cut, only: Option<u16>) {
        self.inside.change(|state| state.cut = Some((cut, only)));
    }

    /// Everything takes so much longer, in both directions.
    pub fn slow(&self, delay: Duration) {
        self.inside.change(|state| state.delay = delay);
    }

    /// Lets everything pass, what was kept first.
    pub fn heal(&self) {
        self.inside.change(|state| {
            state.cut = None;
            state.delay = Duration::ZERO;
        });
    }

    /// Breaks every connection, and loses what was kept. New ones are as the network is.
    pub fn reset(&self) {
        self.inside.change(|state| {
            state.breaks += 1;
            for socket in state.sockets.drain(..) {
                // Its other end may have gone first.
                let _ = socket.shutdown(Shutdown::Both);
            }
        });
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.inside.change(|state| state.closed = true);
        self.reset();
        for port in self.inside.ports.values() {
            // Wakes the thread that accepts.
            let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, *port));
        }
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until something of a connection may go one of these ways to or from a server; then
    /// whether it does: not where connections have been broken since it was made.
    fn pass(&self, ways: &[Way], server: u16, made: u64) -> Option<()> {
        let is_cut = |state: &mut State| {
            let Some((cut, only)) = state.cut else {
                return false;
            };
            let stops = |way: &Way| match cut {
                Cut::Requests => *way == Way::Out,
                Cut::Answers => *way == Way::Back,
                Cut::Both => true,
            };
            let stands = !state.closed && state.breaks == made;
            stands && only.is_none_or(|port| port == server) && ways.iter().any(stops)
        };
        let state = self.changed.wait_while(self.lock(), is_cut);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let (stands, delay) = (state.breaks == made, state.delay);
        drop(state);
        thread::sleep(delay);
        stands.then_some(())
    }
}

#[cfg(test)]
mod tests;
