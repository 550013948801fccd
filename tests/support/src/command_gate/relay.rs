//! One connection through the gate: a thread for each direction, which end with it.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, PoisonError};
use std::thread;

use super::{Exchange, Held, Inside, Point, State};
use crate::gate::frames::is_push;
use crate::proxy::{again, pump, reach};
use crate::resp::words;

/// Carries one connection. A server that is away closes it.
pub(super) fn relay(inside: &Arc<Inside>, client: TcpStream) {
    let Some(server) = reach(inside.server) else {
        return;
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
        move || {
            pump(client, &to_server, |frame| {
                ask(&inside, number, frame);
                (&to_server).write_all(frame).ok()
            });
        }
    });
    let inside = Arc::clone(inside);
    thread::spawn(move || {
        pump(server, &to_client, |frame| {
            answer(&inside, number, frame);
            (&to_client).write_all(frame).ok()
        });
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
