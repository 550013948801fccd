//! What the proxies before a server have in common: a port of their own, both ends of a connection,
//! and frames that are carried from one to the other. What passes, and when, is each proxy's to say.

use std::io::Read as _;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::thread;

use crate::gate::frames::Frames;
use crate::server::Server;

/// A port that clients connect to, instead of the server's.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    login: &'static str,
}

impl Port {
    /// Has each client taken by a thread, until `take` says that it takes no more.
    pub(crate) fn before(
        server: &Server,
        mut take: impl FnMut(TcpStream) -> bool + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let number = listener.local_addr().expect("a bound socket's port").port();
        thread::spawn(move || {
            let clients = listener.incoming().map_while(Result::ok);
            clients.map(&mut take).find(|takes_more| !takes_more)
        });
        Self {
            number,
            login: server.login(),
        }
    }

    /// As the server's own [`url`](Server::url), with this port.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}127.0.0.1:{}/", self.login, self.number)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Wakes the thread that accepts.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.number));
    }
}

/// The other end of a client's connection. A server that is away closes it.
pub(crate) fn reach(port: u16) -> Option<TcpStream> {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
}

/// A second handle on a socket.
pub(crate) fn again(socket: &TcpStream) -> TcpStream {
    // What waits for more to send would change the order of things.
    socket.set_nodelay(true).expect("a socket without delay");
    socket.try_clone().expect("a second handle on a socket")
}

/// Hands over each frame that arrives, until either end closes.
pub(crate) fn pump(
    mut from: TcpStream,
    to: &TcpStream,
    mut hand_over: impl FnMut(&[u8]) -> Option<()>,
) {
    let mut buffer = [0; 16_384];
    let mut frames = Frames::default();
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        frames.add(&buffer[..length]);
        let mut whole = std::iter::from_fn(|| frames.next());
        if whole.try_for_each(|frame| hand_over(&frame)).is_none() {
            break;
        }
    }
    cut([&from, to]);
}

/// Ends connections.
pub(crate) fn cut<'a>(sockets: impl IntoIterator<Item = &'a TcpStream>) {
    for socket in sockets {
        // Its other end may have gone first.
        let _ = socket.shutdown(Shutdown::Both);
    }
}
