//! The gate that stands between every two commands: what it holds, and what goes on meanwhile.

use std::thread;

use afresh_test_support::{Client, CommandGate, Exchange, Point, Reply, Server};

/// A client's connection through the gate.
fn through(gate: &CommandGate) -> Client {
    let url = gate.url();
    let port = url.trim_end_matches('/').rsplit(':').next();
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    Client::connect(port).expect("a connection")
}

fn answers(gate: &CommandGate) -> Vec<Option<Vec<u8>>> {
    let answer = |exchange: Exchange| exchange.answer;
    gate.seen().into_iter().map(answer).collect()
}

#[test]
fn what_another_does_between_two_commands_comes_between_them() {
    let server = Server::start();
    let gate = CommandGate::before(&server);
    let mut client = through(&gate);
    for (point, seen) in [
        // Its first command, and what the other has added by the second.
        (Point::Before(2), [1, 11]),
        (Point::Answer(1), [1, 2]),
        (Point::After(1), [1, 2]),
    ] {
        server.cli(&["DEL", "count"]);
        gate.arm(Some(point));
        // Both at once.
        client.send(&["INCR", "count"]).expect("a command");
        client.send(&["INCR", "count"]).expect("a command");
        assert!(gate.holds_before(|| false), "{point:?}");
        let first = thread::scope(|scope| {
            let first = scope.spawn(|| client.read().expect("an answer").int());
            if point == Point::Answer(1) {
                assert_eq!(answers(&gate)[0], None);
            }
            if matches!(point, Point::Before(_)) {
                assert_eq!(server.cli(&["INCRBY", "count", "9"]), "10");
            }
            gate.release();
            first.join().expect("an answer")
        });
        let second = client.read().expect("an answer").int();
        assert_eq!([first, second], seen, "{point:?}");
        let numbers = seen.map(|number| Some(format!(":{number}\r\n").into_bytes()));
        assert_eq!(answers(&gate), numbers, "{point:?}");
        assert_eq!(gate.seen()[1].words, [&b"INCR"[..], b"count"]);
    }
}

#[test]
fn what_is_cut_is_lost() {
    let server = Server::start();
    let gate = CommandGate::before(&server);
    for (point, count) in [(Point::Before(1), "(nil)"), (Point::Answer(1), "1")] {
        server.cli(&["DEL", "count"]);
        gate.arm(Some(point));
        let mut client = through(&gate);
        client.send(&["INCR", "count"]).expect("a command");
        assert!(gate.holds_before(|| false));
        gate.cut();
        client.read().expect_err("it is cut");
        assert_eq!(server.cli(&["GET", "count"]), count, "{point:?}");
        let mut client = through(&gate);
        let pong = client.command(&["PING"]).expect("an answer");
        assert_eq!(pong, Reply::Status("PONG".into()));
    }
}

#[test]
fn a_point_that_is_not_reached_holds_nobody() {
    let server = Server::start();
    let gate = CommandGate::before(&server);
    gate.arm(Some(Point::Before(2)));
    let mut client = through(&gate);
    let done = || answers(&gate).first().is_some_and(Option::is_some);
    client.command(&["PING"]).expect("an answer");
    assert!(!gate.holds_before(|| true) && done());
}
