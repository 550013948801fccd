//! Look-ups on a connection whose other end is in the test: what is sent, and who gets what.

use std::io;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::join;
use redis::{AsyncConnectionConfig, RedisConnectionInfo};
use tokio::net::UnixStream;
use tokio::runtime::{Builder, Runtime};

use super::super::wire::Wire;
use super::*;

/// Longer than anything here lasts that does not hang.
const HANGS: Duration = Duration::from_secs(10);

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// A connection and the server's end of it.
async fn connection(together: usize) -> (Wire, Server) {
    let (client, server) = UnixStream::pair().expect("two sockets");
    let info = RedisConnectionInfo::default().set_skip_set_lib_name();
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let agreed = MultiplexedConnection::new_with_config(&info, client, config).await;
    let (redis, work) = agreed.expect("nothing to agree on");
    (
        Wire::new(redis, work, &Arc::new(Together::new(together))),
        Server(server),
    )
}

fn slot(name: &str) -> Arc<Slot> {
    Arc::new(Slot {
        entry: name.into(),
        kind: None,
    })
}

/// A command as it is sent.
fn command(words: &[&str]) -> String {
    let words_of = words
        .iter()
        .map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), words_of.collect::<String>())
}

/// The other end.
struct Server(UnixStream);

impl Server {
    /// As much as has come, or an error where there is nothing more.
    async fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            let readable = tokio::time::timeout(HANGS, self.0.readable()).await;
            readable.expect("something comes")?;
            match self.0.try_read(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// What is sent next is this.
    async fn gets(&self, expected: &str) {
        let mut bytes = vec![0; expected.len()];
        let mut read = 0;
        while read < bytes.len() {
            let more = self.read(&mut bytes[read..]).await.expect("a connection");
            assert!(more > 0, "the connection has ended");
            read += more;
        }
        assert_eq!(String::from_utf8_lossy(&bytes), expected);
    }

    /// Small enough for the socket to take it at once.
    async fn answers(&self, answer: &str) {
        self.0.writable().await.expect("a connection");
        assert_eq!(
            self.0.try_write(answer.as_bytes()).expect("room"),
            answer.len()
        );
    }
}

fn text(answer: Option<RedisResult<Looked>>) -> Option<String> {
    match answer.expect("an end").expect("an answer") {
        Looked::Entry(bytes) => Some(String::from_utf8(bytes.to_vec()).expect("text")),
        Looked::Nothing => None,
        Looked::Other => panic!("something else"),
    }
}

#[test]
fn what_waits_at_one_moment_is_one_command_with_each_key_once() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let keys = [slot("a"), slot("b"), slot("a"), slot("c"), slot("b")];
        let reads = join_all(keys.iter().map(|key| wire.read(HANGS, key)));
        let serve = async {
            server.gets(&command(&["MGET", "a", "b", "c"])).await;
            server.answers("*3\r\n$1\r\n1\r\n$1\r\n2\r\n$-1\r\n").await;
        };
        let (answers, ()) = join(reads, serve).await;
        let answers: Vec<_> = answers.into_iter().map(text).collect();
        let [one, two] = ["1", "2"].map(|text| Some(text.to_owned()));
        assert_eq!(answers, [one.clone(), two.clone(), one, None, two]);
    });
}

#[test]
fn one_key_is_one_get_whoever_wants_it() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let key = slot("a");
        let reads = join_all((0..250).map(|_| wire.read(HANGS, &key)));
        let serve = async {
            server.gets(&command(&["GET", "a"])).await;
            server.answers("$1\r\n1\r\n").await;
        };
        let (answers, ()) = join(reads, serve).await;
        assert!(
            answers
                .into_iter()
                .all(|answer| text(answer).as_deref() == Some("1"))
        );
        // What is asked afterwards is looked up afterwards: an answer that was sent for before
        // would say nothing to whoever proves something by it.
        let serve = async {
            server.gets(&command(&["GET", "a"])).await;
            server.answers("$1\r\n2\r\n").await;
        };
        let (answer, ()) = join(wire.read(HANGS, &key), serve).await;
        assert_eq!(text(answer).as_deref(), Some("2"));
    });
}

#[test]
fn who_asks_while_a_look_up_is_under_way_gets_another() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let key = slot("a");
        let mut first = pin!(wire.read(HANGS, &key));
        assert!(first.as_mut().now_or_never().is_none());
        server.gets(&command(&["GET", "a"])).await;
        // The server has answered, and changed its mind; the answer has not been read.
        server.answers("$1\r\n1\r\n").await;
        let mut second = pin!(wire.read(HANGS, &key));
        assert!(second.as_mut().now_or_never().is_none());
        server.gets(&command(&["GET", "a"])).await;
        server.answers("$1\r\n2\r\n").await;
        assert_eq!(text(first.await).as_deref(), Some("1"));
        assert_eq!(text(second.await).as_deref(), Some("2"));
    });
}

#[test]
fn more_keys_than_one_command_takes_are_several() {
    runtime().block_on(async {
        let (wire, server) = connection(2).await;
        let keys = ["a", "b", "c", "d", "e"].map(slot);
        let reads = join_all(keys.iter().map(|key| wire.read(HANGS, key)));
        let serve = async {
            let all = [
                command(&["MGET", "a", "b"]),
                command(&["MGET", "c", "d"]),
                command(&["GET", "e"]),
            ];
            server.gets(&all.concat()).await;
            let answers = "*2\r\n$1\r\n1\r\n$1\r\n2\r\n*2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n";
            server.answers(answers).await;
        };
        let (answers, ()) = join(reads, serve).await;
        let answers: Vec<_> = answers.into_iter().filter_map(text).collect();
        assert_eq!(answers, ["1", "2", "3", "4", "5"]);
    });
}

#[test]
fn where_several_keys_are_refused_each_is_asked_for_by_itself_from_then_on() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let keys = ["a", "b"].map(slot);
        let serve = async {
            server.gets(&command(&["MGET", "a", "b"])).await;
            let refused = "-NOPERM this user has no permissions to run the 'mget' command\r\n";
            server.answers(refused).await;
            for _ in 0..2 {
                let each = [command(&["GET", "a"]), command(&["GET", "b"])];
                server.gets(&each.concat()).await;
                server.answers("$1\r\n1\r\n$1\r\n2\r\n").await;
            }
        };
        let read = async {
            for _ in 0..2 {
                let answers = join_all(keys.iter().map(|key| wire.read(HANGS, key))).await;
                let answers: Vec<_> = answers.into_iter().filter_map(text).collect();
                assert_eq!(answers, ["1", "2"]);
            }
        };
        join(serve, read).await;
    });
}

#[test]
fn who_does_not_wait_any_more_is_not_asked_for() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let (gone, stays) = (slot("gone"), slot("stays"));
        let mut stays = {
            let mut dropped = Box::pin(wire.read(HANGS, &gone));
            assert!(dropped.as_mut().now_or_never().is_none());
            let mut stays = Box::pin(wire.read(HANGS, &stays));
            assert!(stays.as_mut().now_or_never().is_none());
            stays
        };
        server.gets(&command(&["GET", "stays"])).await;
        server.answers("$1\r\n1\r\n").await;
        assert_eq!(text(stays.as_mut().await).as_deref(), Some("1"));
    });
}

#[test]
fn a_look_up_ends_with_its_connection() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let keys = ["a", "b"].map(slot);
        let reads = join_all(keys.iter().map(|key| wire.read(HANGS, key)));
        let serve = async {
            server.gets(&command(&["MGET", "a", "b"])).await;
            drop(server);
        };
        let (answers, ()) = join(reads, serve).await;
        assert!(
            answers
                .into_iter()
                .all(|answer| answer.expect("an end").is_err())
        );
        // Nor does one that comes afterwards wait.
        let after = tokio::time::timeout(HANGS, wire.read(HANGS, &keys[0])).await;
        assert!(after.expect("an end").expect("an answer").is_err());
    });
}

#[test]
fn a_look_up_ends_with_the_runtime_that_reads_its_answer() {
    let reading = runtime();
    let (wire, _server) = reading.block_on(connection(8));
    runtime().block_on(async {
        let key = slot("a");
        let mut read = pin!(wire.read(HANGS, &key));
        assert!(read.as_mut().now_or_never().is_none());
        reading.shutdown_background();
        assert!(read.await.expect("an end").is_err());
    });
}

#[test]
fn a_connection_ends_after_its_handle() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let key = slot("a");
        {
            let mut read = pin!(wire.read(HANGS, &key));
            assert!(read.as_mut().now_or_never().is_none());
            server.gets(&command(&["GET", "a"])).await;
            server.answers("$1\r\n1\r\n").await;
            assert_eq!(text(read.await).as_deref(), Some("1"));
        }
        drop(wire);
        assert_eq!(server.read(&mut [0]).await.expect("no fault"), 0);
    });
}

#[test]
fn nor_does_a_look_up_that_is_not_answered_hold_it() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let key = slot("a");
        assert!(wire.read(HANGS, &key).now_or_never().is_none());
        let mut read = Box::pin(wire.read(HANGS, &key));
        assert!(read.as_mut().now_or_never().is_none());
        server.gets(&command(&["GET", "a"])).await;
        drop(read);
        drop(wire);
        assert_eq!(server.read(&mut [0]).await.expect("no fault"), 0);
    });
}

#[test]
fn answers_that_come_with_the_end_of_the_connection_are_handed_out() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let keys = ["a", "b"].map(slot);
        let reads = join_all(keys.iter().map(|key| wire.read(HANGS, key)));
        let serve = async {
            server.gets(&command(&["MGET", "a", "b"])).await;
            server.answers("*2\r\n$1\r\n1\r\n$1\r\n2\r\n").await;
            drop(server);
        };
        let (answers, ()) = join(reads, serve).await;
        let answers: Vec<_> = answers.into_iter().filter_map(text).collect();
        assert_eq!(answers, ["1", "2"]);
    });
}

#[test]
fn a_busy_server_is_asked_for_several_again() {
    runtime().block_on(async {
        let (wire, server) = connection(8).await;
        let keys = ["a", "b"].map(slot);
        let read = async {
            for _ in 0..2 {
                join_all(keys.iter().map(|key| wire.read(HANGS, key))).await;
            }
        };
        let serve = async {
            server.gets(&command(&["MGET", "a", "b"])).await;
            server.answers("-BUSY a script runs\r\n").await;
            let each = [command(&["GET", "a"]), command(&["GET", "b"])];
            server.gets(&each.concat()).await;
            server.answers("$1\r\n1\r\n$1\r\n2\r\n").await;
            server.gets(&command(&["MGET", "a", "b"])).await;
            server.answers("*2\r\n$1\r\n1\r\n$1\r\n2\r\n").await;
        };
        join(read, serve).await;
    });
}

#[test]
fn keys_of_one_hash_are_told_apart() {
    let read = |name| {
        let (answer, answered) = oneshot::channel();
        let slot = slot(name);
        (
            Read {
                slot,
                hash: 1,
                answer,
            },
            answered,
        )
    };
    let (reads, _answered): (Vec<_>, Vec<_>) = ["a", "b", "a"].map(read).into_iter().unzip();
    let batches = Batch::of(reads, 8);
    let [Batch(wanted)] = &batches[..] else {
        panic!("one batch");
    };
    let keys: Vec<_> = wanted
        .iter()
        .map(|one| (&one.slot.entry[..], one.others.len()))
        .collect();
    assert_eq!(keys, [(&b"a"[..], 1), (&b"b"[..], 0)]);
}

#[test]
fn how_many_go_together_follows_what_comes() {
    let together = Together::new(1_000);
    assert_eq!(together.now(), FIRST);
    for expected in [16, 32, 64, 64] {
        together.came(together.now(), 1_000);
        assert_eq!(together.now(), expected);
    }
    // Fewer than could have gone say nothing.
    together.came(2, 1_000);
    assert_eq!(together.now(), 64);
    // 2 MiB each: one answer's share is half of one.
    together.came(16, 32 << 20);
    assert_eq!(together.now(), 1);
    together.came(1, 100);
    together.came(2, 100);
    assert_eq!(together.now(), 4);
    // As often as the connection ends under several, they are fewer.
    for expected in [2, 1, 1] {
        together.broke(together.now());
        assert_eq!(together.now(), expected);
    }
    assert_eq!(Together::new(0).now(), 1);
}
