//! The gate itself: what it holds, swallows, answers and refuses.

use std::thread;
use std::time::Duration;

use afresh_test_support::{Client, Reply, ReplyGate, Server, eventually};

fn through(gate: &ReplyGate) -> Client {
    Client::connect(gate.port()).expect("the gate takes connections")
}

fn ask(client: &mut Client, line: &str) -> Reply {
    let words: Vec<_> = line.split(' ').collect();
    client.command(&words).expect("an answer")
}

fn ok() -> Reply {
    Reply::Status("OK".into())
}

fn pong() -> Reply {
    Reply::Status("PONG".into())
}

#[test]
fn everything_passes() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let url = format!("redis://tester:tester-s3cret@127.0.0.1:{}/", gate.port());
    assert_eq!(gate.url(), url);
    let mut client = through(&gate);
    let large = vec![b'\n'; 1_000_000];
    let set: [&[u8]; 3] = [b"SET", b"a", &large];
    assert_eq!(client.command(&set).expect("an answer"), ok());
    assert_eq!(ask(&mut client, "GET a"), Reply::Bytes(large));
    assert_eq!(ask(&mut client, "GET b"), Reply::Nil);
}

#[test]
fn what_is_held_comes_in_order() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let mut client = through(&gate);
    gate.hold();
    client.send(&["SET", "a", "1"]).expect("a connection");
    client.send(&["PING"]).expect("a connection");
    eventually("the first command", || server.cli(&["GET", "a"]) == "1");
    thread::scope(|scope| {
        let answers = scope.spawn(|| [client.read(), client.read()].map(|read| read.expect("one")));
        thread::sleep(Duration::from_millis(30));
        assert!(!answers.is_finished());
        gate.release();
        assert_eq!(answers.join().expect("a reader"), [ok(), pong()]);
    });
}

#[test]
fn what_is_swallowed_never_comes() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let mut client = through(&gate);
    assert_eq!(ask(&mut client, "PING"), pong());
    gate.swallow();
    client.send(&["SET", "a", "1"]).expect("a connection");
    eventually("the command", || server.cli(&["GET", "a"]) == "1");
    client.send(&["CLIENT", "ID"]).expect("a connection");
    thread::scope(|scope| {
        let answer = scope.spawn(|| client.read());
        thread::sleep(Duration::from_millis(30));
        assert!(!answer.is_finished());
        gate.cut();
        assert!(answer.join().expect("a reader").is_err(), "nothing came");
    });
    gate.release();
    assert_eq!(ask(&mut through(&gate), "PING"), pong());
}

#[test]
fn pushes_alone_are_swallowed() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let mut client = through(&gate);
    assert!(matches!(ask(&mut client, "HELLO 3"), Reply::Map(_)));
    assert_eq!(ask(&mut client, "CLIENT TRACKING ON"), ok());
    let changed = |client: &mut Client| {
        assert!(!ask(client, "GET a").is_error());
        server.cli(&["SET", "a", "1"]);
        ask(client, "PING")
    };
    assert!(matches!(changed(&mut client), Reply::Push(_)));
    assert_eq!(client.read().expect("the reply after it"), pong());
    gate.swallow_pushes();
    assert_eq!(changed(&mut client), pong());
    gate.release();
    assert!(matches!(changed(&mut client), Reply::Push(_)));
}

#[test]
fn commands_are_answered_in_the_servers_place() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let mut client = through(&gate);
    client.send(&["BLPOP", "q", "0"]).expect("a connection");
    eventually("the command", || {
        server.info("clients")["blocked_clients"] == "1"
    });
    gate.answer_all_with("-LOADING not yet");
    client.send(&["SET", "a", "1"]).expect("a connection");
    client.send(&["GET", "a\r\n*1"]).expect("a connection");
    let loading = || Reply::Error("LOADING not yet".into());
    // Another connection's answers wait for nothing of this one's.
    assert_eq!(ask(&mut through(&gate), "PING"), loading());
    server.cli(&["RPUSH", "q", "x"]);
    let popped = client.read().expect("an answer").to_string();
    assert_eq!(popped, "q\nx");
    let answers = [(); 2].map(|()| client.read().expect("an answer"));
    assert_eq!(answers, [loading(), loading()]);
    gate.release();
    assert_eq!(ask(&mut client, "GET a"), Reply::Nil);
}

#[test]
#[should_panic(expected = "not the line of an error")]
fn what_is_no_error_line_is_told() {
    ReplyGate::before(Server::shared()).answer_all_with("+OK");
}

#[test]
fn what_is_refused_is_closed_at_once() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let mut early = through(&gate);
    assert_eq!(ask(&mut early, "PING"), pong());
    gate.refuse();
    let refused = Client::connect(gate.port()).and_then(|mut late| late.command(&["PING"]));
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(ask(&mut early, "PING"), pong());
    gate.release();
    assert_eq!(ask(&mut through(&gate), "PING"), pong());
}

#[test]
fn a_cut_connection_ends_and_another_server_can_be_led_to() {
    let (one, other) = (Server::start(), Server::start());
    let gate = ReplyGate::before(&one);
    other.cli(&["SET", "a", "other"]);
    let mut client = through(&gate);
    assert_eq!(ask(&mut client, "GET a"), Reply::Nil);
    gate.lead_to(&other);
    assert!(client.command(&["PING"]).is_err());
    let found = ask(&mut through(&gate), "GET a");
    assert_eq!(found, Reply::Bytes(b"other".into()));
}
