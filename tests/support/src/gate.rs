//! A proxy before a server that holds back what the server answers, cuts its connections, or leads
//! new ones to another server. It does not look into what it carries.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::server::Server;

/// A proxy before a server. Replies pass unless it [holds](Self::hold) them.
#[derive(Debug)]
pub struct ReplyGate {
    port: u16,
    login: &'static str,
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
    holds: bool,
    closed: bool,
    sockets: Vec<TcpStream>,
}

impl ReplyGate {
    /// A proxy on a port of its own before this server.
    #[must_use]
    pub fn before(server: &Server) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket's port").port();
        let inside = Arc::new(Inside {
            state: Mutex::new(State {
                server: server.port(),
                holds: false,
                closed: false,
                sockets: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        thread::spawn({
            let inside = Arc::clone(&inside);
            move || {
                for client in listener.incoming().map_while(Result::ok) {
                    if inside.lock().closed {
                        return;
                    }
                    inside.carry(client);
                }
            }
        });
        let login = server.login();
        Self {
            port,
            login,
            inside,
        }
    }

    /// As the server's own [`url`](Server::url), with the proxy's port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}127.0.0.1:{}/", self.login, self.port)
    }

    /// Keeps back what the server answers from now on. Requests still reach it.
    pub fn hold(&self) {
        self.inside.lock().holds = true;
    }

    /// Hands over what was kept back, in order, and lets pass what follows.
    pub fn release(&self) {
        self.inside.lock().holds = false;
        self.inside.changed.notify_all();
    }

    /// Cuts every connection. New ones are carried.
    pub fn cut(&self) {
        for socket in self.inside.lock().sockets.drain(..) {
            // Its other end may have gone first.
            let _ = socket.shutdown(Shutdown::Both);
        }
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
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

impl Inside {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries one connection, on two threads that end with it. A server that is away closes it.
    fn carry(self: &Arc<Self>, client: TcpStream) {
        let port = self.lock().server;
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            return;
        };
        let pair = |socket: &TcpStream| {
            // What waits for more to send would change the order of things.
            socket.set_nodelay(true).expect("a socket without delay");
            socket.try_clone().expect("a second handle on a socket")
        };
        let (client_2, server_2) = (pair(&client), pair(&server));
        self.lock().sockets.extend([pair(&client), pair(&server)]);
        thread::spawn(move || pump(client, server, || ()));
        let inside = Arc::clone(self);
        thread::spawn(move || pump(server_2, client_2, || inside.pass()));
    }

    /// Waits while replies are held.
    fn pass(&self) {
        let holds = |state: &mut State| state.holds && !state.closed;
        let state = self.changed.wait_while(self.lock(), holds);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, gate: impl Fn()) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        gate();
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    for socket in [from, to] {
        let _ = socket.shutdown(Shutdown::Both);
    }
}
