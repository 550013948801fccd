//! One connection through the gate: a thread for each direction, which end with it.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::{Arc, PoisonError};
use std::thread;

use super::{Exchange, Held, Inside, Point, State};
use crate::gate::frames::{Frames, is_push};
use crate::resp::words;

/// Carries one connection. A server that is away closes it.
pub(super) fn relay(inside: &Arc<Inside>, client: TcpStream) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, inside.server)) else {
        return;
    };
    let again = |socket: &TcpStream| {
        // What waits for more to send would change the order of things.
        socket.set_nodelay(true).expect("a socket without delay");
        socket.try_clone().expect("a second handle on a socket")
    };
    let number = {
        let mut state = inside.lock();
        state.sockets.extend([again(&client), again(&server)]);
        state.asked.push(VecDeque::new());
        state.asked.len() - 1
    };
    let (to_client, to_server) = (again(&client), again(&server));
    thread::spawn({
        let inside = Arc::clone(inside);
        move || pump(client, to_server, |frame| ask(&inside, number, frame))
    });
    let inside = Arc::clone(inside);
    thread::spawn(move || {
        pump(server, to_client, |frame| answer(&inside, number, frame));
        // Nobody answers what is left.
        inside.lock().asked[number].clear();
        inside.changed.notify_all();
    });
}

/// Before a command is handed to the server.
fn ask(inside: &Inside, connection: usize, command: &[u8]) {
    let mut state = inside.lock();
    let words = words(command).unwrap_or_default();
    state.seen.push(Exchange {
        words,
        answer: None,
    });
    let (round, number) = (state.round, state.seen.len());
    let here = Point::Before(number);
    if state.point == Some(here) {
        let early = |state: &mut State| !state.asked[connection].is_empty() && !state.closed;
        let answered = inside.changed.wait_while(state, early);
        state = answered.unwrap_or_else(PoisonError::into_inner);
    }
    inside.stop_at(&mut state, here, Held::Commands(connection));
    drop(state);
    let mut state = inside.pass(Held::Commands(connection));
    state.asked[connection].push_back((round, number));
}

/// Before an answer or a push is handed to the client.
fn answer(inside: &Inside, connection: usize, frame: &[u8]) {
    let answers = Held::Answers(connection);
    let mut state = inside.pass(answers);
    if is_push(frame) {
        return;
    }
    let next = state.asked[connection].pop_front();
    inside.changed.notify_all();
    let Some((_, number)) = next.filter(|&(round, _)| round == state.round) else {
        return;
    };
    inside.stop_at(&mut state, Point::Answer(number), answers);
    drop(state);
    let mut state = inside.pass(answers);
    if let Some(exchange) = state.seen.get_mut(number - 1) {
        exchange.answer = Some(frame.to_vec());
    }
    inside.stop_at(&mut state, Point::After(number), answers);
}

/// Hands over each frame that arrives, after `before` it, until either end closes.
fn pump(mut from: TcpStream, mut to: TcpStream, mut before: impl FnMut(&[u8])) {
    let mut buffer = [0; 16_384];
    let mut frames = Frames::default();
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        frames.add(&buffer[..length]);
        let whole = std::iter::from_fn(|| frames.next());
        let mut whole = whole.inspect(|frame| before(frame));
        if whole.try_for_each(|frame| to.write_all(&frame)).is_err() {
            break;
        }
    }
    for socket in [&from, &to] {
        // Its other end may have gone first.
        let _ = socket.shutdown(Shutdown::Both);
    }
}
