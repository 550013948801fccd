//! One connection through the proxy: a thread for each direction, which end with it. What passes is
//! the gate's to say.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::Inside;
use super::frames::is_push;
use crate::proxy::{again, pump, reach};

/// What both directions share.
#[derive(Debug)]
struct Carried {
    /// Which connection of the gate's this is.
    number: usize,
    answers: Mutex<Answers>,
    changed: Condvar,
}

/// The way back to the client. Both directions use it: the gate may answer in the server's place.
#[derive(Debug)]
struct Answers {
    client: TcpStream,
    /// Commands that the server has and has not answered: what the gate answers comes after those.
    owed: u64,
}

/// Carries one connection. A server that is away closes it.
pub(super) fn carry(inside: &Arc<Inside>, client: TcpStream) {
    let port = inside.lock().server;
    let Some(server) = reach(port) else {
        return;
    };
    let (to_client, to_server) = (again(&client), again(&server));
    let number = {
        let mut state = inside.lock();
        state.sockets.extend([again(&client), again(&server)]);
        state.carried += 1;
        state.carried - 1
    };
    let carried = Arc::new(Carried {
        number,
        answers: Mutex::new(Answers {
            client: to_client,
            owed: 0,
        }),
        changed: Condvar::new(),
    });
    thread::spawn({
        let (inside, carried) = (Arc::clone(inside), Arc::clone(&carried));
        let ask = move |frame: &[u8]| carried.ask(&inside, &to_server, frame);
        let server = again(&server);
        move || pump(client, &server, ask)
    });
    let inside = Arc::clone(inside);
    thread::spawn(move || {
        let to_client = carried.lock().client.try_clone();
        let to_client = to_client.expect("a second handle on a socket");
        pump(server, &to_client, |frame| carried.answer(&inside, frame));
        // Nobody will answer what is owed.
        carried.lock().owed = 0;
        carried.changed.notify_all();
    });
}

impl Carried {
    fn lock(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one command to the server, or answers it.
    fn ask(&self, inside: &Inside, mut server: &TcpStream, command: &[u8]) -> Option<()> {
        inside.ask(self.number);
        let Some(line) = inside.lock().answer.clone() else {
            self.lock().owed += 1;
            return server.write_all(command).ok();
        };
        let owes = |answers: &mut Answers| answers.owed > 0;
        let answers = self.changed.wait_while(self.lock(), owes);
        let mut answers = answers.unwrap_or_else(PoisonError::into_inner);
        answers.client.write_all(line.as_bytes()).ok()
    }

    /// Takes one answer or push of the server's to the client, when and if the gate lets it.
    fn answer(&self, inside: &Inside, frame: &[u8]) -> Option<()> {
        let passes = inside.pass(self.number, is_push(frame));
        let mut answers = self.lock();
        if !is_push(frame) {
            // A `MONITOR` has one answer and then lines that nobody asked for.
            answers.owed = answers.owed.saturating_sub(1);
            self.changed.notify_all();
        }
        if passes {
            answers.client.write_all(frame).ok()
        } else {
            Some(())
        }
    }
}
