//! The test server itself: started, steered, stopped, and gone without a trace.

use std::panic::catch_unwind;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;
use std::{env, fs, thread};

use afresh_test_support::{Client, Reply, Server, Stop, eventually, find_server_in};

#[test]
fn it_answers_and_is_binary_safe() {
    let server = Server::start();
    assert_eq!(server.cli(&["PING"]), "PONG");
    let value = b"\r\n\0\xff";
    assert_eq!(
        server.command(&[b"SET", b"a\0b", value]),
        Reply::Status("OK".into())
    );
    assert_eq!(
        server.command(&[b"GET", b"a\0b"]).bytes().as_deref(),
        Some(&value[..])
    );
    assert_eq!(server.cli(&["GET", "nothing"]), "(nil)");
    assert_eq!(server.cli(&["DBSIZE"]), "1");
    assert!(server.url().ends_with(&format!(":{}/", server.port())));
}

#[test]
fn two_servers_share_nothing() {
    let (one, other) = (Server::start(), Server::start());
    one.cli(&["SET", "a", "1"]);
    assert_ne!(one.port(), other.port());
    assert_eq!(other.cli(&["GET", "a"]), "(nil)");
}

#[test]
fn many_start_at_once() {
    let starts: Vec<_> = (0..8).map(|_| thread::spawn(Server::start)).collect();
    let servers: Vec<_> = starts
        .into_iter()
        .map(|start| start.join().expect("a server"))
        .collect();
    for server in &servers {
        assert_eq!(
            server.info("server")["process_id"],
            server.pid().to_string()
        );
    }
}

#[test]
fn it_comes_back_on_its_port_without_its_data() {
    let server = Server::start();
    for stop in [Stop::Kill, Stop::Terminate] {
        server.cli(&["SET", "a", "1"]);
        let pid = server.pid();
        server.stop(stop);
        assert!(Client::connect(server.port()).is_err(), "{stop:?}");
        server.restart();
        assert_ne!(server.pid(), pid);
        assert_eq!(server.cli(&["GET", "a"]), "(nil)");
    }
}

#[test]
fn a_restart_needs_no_stop() {
    let server = Server::start();
    let pid = server.pid();
    server.restart();
    assert_ne!(server.pid(), pid);
}

#[test]
fn a_paused_server_is_silent_and_goes_on() {
    let server = Server::start();
    let mut client = server.client();
    server.pause();
    client.send(&["INCR", "n"]).expect("an open connection");
    thread::scope(|scope| {
        let answer = scope.spawn(|| client.read().expect("an answer at last").int());
        thread::sleep(Duration::from_millis(50));
        assert!(!answer.is_finished());
        server.resume();
        assert_eq!(answer.join().expect("a reader"), 1);
    });
}

#[test]
fn a_replica_copies_what_was_and_what_comes() {
    let primary = Server::start();
    primary.cli(&["SET", "a", "1"]);
    let replica = Server::replica_of(&primary);
    assert_eq!(replica.cli(&["GET", "a"]), "1");
    replica.pause();
    primary.cli(&["SET", "a", "2"]);
    replica.resume();
    primary.await_copy(&replica);
    assert_eq!(replica.cli(&["GET", "a"]), "2");
    assert!(replica.command(&[b"SET", b"a", b"3"]).is_error());
}

#[test]
fn whether_it_serves_is_known() {
    let server = Server::start();
    assert!(server.serves());
    server.pause();
    assert!(!server.serves());
    server.resume();
    assert!(server.serves());
    server.stop(Stop::Kill);
    assert!(!server.serves());
    server.restart();
    assert!(server.serves());
}

#[test]
fn it_dies_paused() {
    let server = Server::start();
    server.pause();
    server.stop(Stop::Terminate);
    server.restart();
    server.pause();
    drop(server);
}

#[test]
fn it_is_gone_with_a_panic() {
    static PID: Mutex<u32> = Mutex::new(0);
    let died = catch_unwind(|| {
        let server = Server::start();
        *PID.lock().expect("a number") = server.pid();
        panic!("as a failing test does");
    });
    assert!(died.is_err());
    let pid = *PID.lock().expect("a number");
    assert!(pid > 0 && !runs(pid));
}

#[test]
fn commands_are_counted() {
    let server = Server::start();
    server.reset_stats();
    for _ in 0..3 {
        server.cli(&["GET", "a"]);
    }
    server.cli(&["EVAL", "return redis.call('GET', KEYS[1])", "1", "a"]);
    server.cli(&["CLIENT", "ID"]);
    let stats = server.commandstats();
    assert_eq!(stats["get"], 4);
    assert_eq!(stats["eval"], 1);
    assert_eq!(stats["client|id"], 1);
    assert!(!stats.contains_key("set"));
}

#[test]
fn commands_are_watched() {
    let server = Server::start();
    server.cli(&["SET", "before", "1"]);
    let monitor = server.monitor();
    server.cli(&["SET", "a b", "x\"\n"]);
    server.cli(&["EVAL", "return redis.call('GET', 'a b')", "0"]);
    let seen = monitor.commands();
    assert_eq!(seen[0].words, ["SET", "a b", "x\"\\n"]);
    assert_eq!(seen[1].words[0], "EVAL");
    assert_eq!(
        (seen[2].from.as_str(), seen[2].words[0].as_str()),
        ("lua", "GET")
    );
    assert_eq!(seen.len(), 3);
    assert_eq!(monitor.commands().len(), 3, "its own marks are left out");
}

#[test]
fn arguments_are_passed_on() {
    let server = Server::start_with(&["--maxmemory", "20mb", "--requirepass", "secret"]);
    assert!(server.command(&[b"PING"]).is_error());
    let mut client = server.client();
    client.command(&["AUTH", "secret"]).expect("an answer");
    let limit = client
        .command(&["CONFIG", "GET", "maxmemory"])
        .expect("an answer")
        .list();
    assert_eq!(limit[1], Reply::Bytes(b"20971520".into()));
}

#[test]
fn the_urls_user_may_do_what_the_cache_does_and_no_more() {
    let server = Server::start();
    let port = server.port();
    let url = format!("redis://tester:tester-s3cret@127.0.0.1:{port}/");
    assert_eq!(server.url(), url);
    assert_eq!(server.plain_url(), format!("redis://127.0.0.1:{port}/"));
    let mut client = server.client();
    let mut ask = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        client.command(&words).expect("an answer")
    };
    assert!(!ask("AUTH tester tester-s3cret").is_error());
    assert!(!ask("SET shop:afresh:1:e:{a} 1").is_error());
    assert!(!ask("HSET {shop}:afresh:1:log id 1").is_error());
    assert!(!ask("CLIENT TRACKING ON").is_error());
    for refused in [
        "SET shop:a 1",
        "SET shop:afresh:2:a 1",
        "SMEMBERS {shop}:afresh:1:log",
        "FLUSHALL",
        "KEYS *",
        "CONFIG GET *",
        "CLIENT LIST",
        "SUBSCRIBE a",
        "EVAL return 0",
    ] {
        let Reply::Error(error) = ask(refused) else {
            panic!("{refused} is allowed");
        };
        assert!(error.starts_with("NOPERM"), "{refused}: {error}");
    }
}

#[test]
fn a_test_may_have_its_own_users() {
    for arguments in [
        &["--requirepass", "secret"][..],
        &["--user", "default", "on", "nopass", "+@all", "~*"],
    ] {
        let server = Server::start_with(arguments);
        assert_eq!(server.url(), server.plain_url());
    }
}

#[test]
fn an_argument_it_does_not_know_is_told() {
    let died = catch_unwind(|| Server::start_with(&["--no-such-option", "1"]));
    let message = died
        .expect_err("no server")
        .downcast::<String>()
        .expect("a message");
    assert!(message.contains("could be started"), "{message}");
}

#[test]
fn a_refused_command_fails_the_test() {
    let server = Server::start();
    let died = catch_unwind(|| server.cli(&["SET", "a"]));
    let message = died
        .expect_err("refused")
        .downcast::<String>()
        .expect("a message");
    assert!(
        message.starts_with("`SET a`: (error) ERR wrong number"),
        "{message}"
    );
}

#[test]
fn pushes_are_read() {
    let server = Server::start();
    let mut client = server.client();
    assert!(matches!(
        client.command(&["HELLO", "3"]).expect("an answer"),
        Reply::Map(_)
    ));
    client
        .command(&["CLIENT", "TRACKING", "ON"])
        .expect("an answer");
    client.command(&["GET", "a"]).expect("an answer");
    server.cli(&["SET", "a", "1"]);
    let note = vec![
        Reply::Bytes(b"invalidate".into()),
        Reply::List(vec![Reply::Bytes(b"a".into())]),
    ];
    assert_eq!(client.read().expect("a push"), Reply::Push(note));
}

#[test]
fn a_server_is_found_by_its_name() {
    let folder = env::temp_dir().join(format!("afresh-find-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    let path = env::join_paths([Path::new("/nonexistent"), &folder]).expect("a path");
    assert_eq!(find_server_in(&path), None);
    for name in ["valkey-server", "redis-server"] {
        fs::write(folder.join(name), "").expect("a file");
        assert_eq!(find_server_in(&path), Some(folder.join(name)));
    }
    fs::remove_dir_all(&folder).expect("no folder");
}

#[test]
fn the_shared_one_is_one() {
    assert_eq!(Server::shared().pid(), Server::shared().pid());
    eventually("the shared server", || {
        Server::shared().cli(&["PING"]) == "PONG"
    });
}

fn runs(pid: u32) -> bool {
    // A reaped child has no entry; elsewhere than on Linux this says nothing.
    Path::new("/proc").join(pid.to_string()).exists()
}
