//! The rules of the shared log, one by one, under the faults that they are there for: answers that
//! are lost, records and keys that are gone, servers that forget, are replaced or put in their
//! place, a proxy that sends no notes, and a process that stood still. Entries outlive each of
//! these: only the log tells that they are stale.
#![cfg(feature = "redis")]

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use afresh::{Builder, Cache, Consistency, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{
    Client, CommandGate, Point, ReplyGate, Server, Steer, Stop, Worker, eventually,
};
use tokio::runtime::Handle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);

const META: &str = "{shop}:afresh:1:log";
const TAGS: [&str; 2] = ["{shop}:afresh:1:tags:0", "{shop}:afresh:1:tags:1"];
const RECORDS: &str = "{shop}:afresh:1:records";
const MARKS: &str = "{shop}:afresh:1:marks";

/// The longest that a note may be missing.
const TRUST: Duration = Duration::from_secs(2);

/// A busy machine is not what is tested here.
const PATIENT: Duration = Duration::from_secs(5);

/// Reads its source, a number.
#[cached(ttl = 1800, key = "{id}", tags = ["books", "book:{id}"], cache = cache)]
async fn book(cache: &Cache, source: &AtomicU64, id: u64) -> u64 {
    source.load(Ordering::SeqCst)
}

async fn connect(url: &str) -> Cache {
    connect_as(url, Consistency::Bounded).await
}

async fn connect_as(url: &str, consistency: Consistency) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    let builder = builder.consistency(consistency).op_timeout(PATIENT);
    builder.build().await.expect("a cache")
}

/// Without entries of its own: what it serves, the server has.
async fn connect_without_local(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop").local(false);
    builder.build().await.expect("a cache")
}

/// Counts how often a cache is connected.
fn counting(builder: Builder) -> (Builder, Arc<AtomicU64>) {
    let connections = Arc::<AtomicU64>::default();
    let counts = Arc::clone(&connections);
    let builder = builder.observer(move |event: &Event<'_>| {
        if matches!(event, Event::Connected) {
            counts.fetch_add(1, Ordering::SeqCst);
        }
    });
    (builder, connections)
}

/// How the call of a book is answered.
fn read(cache: &Cache, source: &AtomicU64, id: u64) -> (u64, Outcome) {
    let call = outcome(book(cache, source, id));
    tokio::task::block_in_place(|| Handle::current().block_on(call))
}

/// Waits until two caches share entries: the second one reads what the first one stored.
fn await_sharing(one: &Cache, two: &Cache) {
    let source = AtomicU64::new(7);
    let mut id = 1_000;
    eventually("a hit in the server", || {
        id += 1;
        assert_eq!(read(one, &source, id).0, 7);
        read(two, &source, id) == (7, SHARED)
    });
}

/// Changes the source and invalidates, so that what is stored is stale from now on.
async fn change(cache: &Cache, source: &AtomicU64, to: u64) {
    source.store(to, Ordering::SeqCst);
    cache.invalidate(["books"]).await.expect("an invalidation");
}

/// Records that are nobody's business.
async fn move_on(cache: &Cache, records: u64) {
    for other in 0..records {
        let tag = format!("other:{other}");
        cache.invalidate([tag]).await.expect("an invalidation");
    }
}

fn log_id(server: &Server) -> String {
    let id = server.command(&[b"HGET", META.as_bytes(), b"id"]);
    format!("{id:?}")
}

fn head(server: &Server) -> u64 {
    let head = server.cli(&["HGET", META, "head"]);
    head.parse().expect("a number")
}

// Answers and records

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_is_lost_is_made_again_and_serves_nothing_old_meanwhile() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&gate.url()).await, connect(&server.url()).await);
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    let before = head(&server);
    gate.hold();
    source.store(2, Ordering::SeqCst);
    let invalidation = one.invalidate(["books"]);
    let cut = async {
        let other = &server;
        tokio::task::block_in_place(|| eventually("the append", || head(other) > before));
        gate.cut();
        gate.release();
    };
    let (unacknowledged, ()) = tokio::join!(invalidation, cut);
    unacknowledged.expect_err("its answer was lost");
    // It is in the log, but this process cannot know; others can.
    assert_eq!(read(&one, &source, 1).0, 2);
    eventually("the other's note", || read(&two, &source, 1).0 == 2);
    eventually("the second append", || one.stats().owed == 0);
    assert_eq!(head(&server), before + 2);
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_behind_a_gap_serves_nothing_that_was_invalidated_in_it() {
    // More than a catch-up reads, and what is trimmed behind its back.
    for (records, trim) in [(1_100, false), (20, true)] {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let source = AtomicU64::new(1);
        let (one, two) = (connect(&server.url()).await, connect(&gate.url()).await);
        for id in [1, 2] {
            assert_eq!(read(&one, &source, id).0, 1);
        }
        assert_eq!(read(&two, &source, 1), (1, SHARED));
        gate.hold();
        gate.cut();
        change(&one, &source, 2).await;
        move_on(&one, records).await;
        if trim {
            server.cli(&["XTRIM", RECORDS, "MAXLEN", "5"]);
        }
        gate.release();
        eventually("the end of the copy", || read(&two, &source, 1).0 == 2);
        assert_eq!(read(&two, &source, 2).0, 2, "of what is in the server too");
        await_sharing(&one, &two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_that_has_read_part_of_what_it_missed_proves_nothing() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let one = connect(&server.url()).await;
    let builder = Cache::builder().url(gate.url()).prefix("shop");
    let builder = builder.consistency(Consistency::Strict).op_timeout(PATIENT);
    let (builder, connections) = counting(builder);
    let two = builder.build().await.expect("a cache");
    move_on(&one, 1).await;
    assert_eq!(read(&two, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, LOCAL));
    gate.hold();
    gate.cut();
    // The change is the last of more than several catch-ups read.
    move_on(&one, 6_000).await;
    change(&one, &source, 2).await;
    gate.release();
    eventually("the connection", || connections.load(Ordering::SeqCst) == 2);
    assert_eq!(read(&two, &source, 1), (2, Outcome::Computed));
    assert_eq!(read(&two, &source, 1), (2, LOCAL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_catch_up_that_finds_no_records_proves_nothing_by_that() {
    let server = Server::start();
    let gate = CommandGate::before(&server);
    let source = AtomicU64::new(1);
    let one = connect(&server.url()).await;
    move_on(&one, 1).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    let two = connect_as(&gate.url(), Consistency::Strict).await;
    // An attach asks for the time, and so does a heartbeat: the next one is a second away.
    eventually("the first heartbeat", || {
        let seen = gate.seen();
        let times = seen.iter().filter(|one| one.words[0] == b"TIME");
        times.filter(|one| one.answer.is_some()).count() == 2
    });
    // A note of no record is followed by a catch-up: four commands, the last reads the records.
    gate.arm(Some(Point::Before(4)));
    server.cli(&["EXPIRE", RECORDS, "3600"]);
    assert!(tokio::task::block_in_place(|| gate.holds_before(|| false)));
    assert_eq!(gate.seen()[3].words[0], b"XRANGE");
    // The head has been read: nothing has come since, it seems.
    change(&one, &source, 2).await;
    assert_eq!(server.cli(&["DEL", RECORDS]), "1");
    gate.release();
    assert_eq!(read(&two, &source, 1), (2, Outcome::Computed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_in_time_is_not_read_at_all() {
    // 30 MB, which no debug build reads through a proxy within its timeout.
    const RECORDS: usize = 480;
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let one = connect(&server.url()).await;
    let builder = Cache::builder().url(gate.url()).prefix("shop");
    let builder = builder.op_timeout(Duration::from_millis(100));
    let two = builder.build().await.expect("a cache");
    for id in [1, 2] {
        assert_eq!(read(&one, &source, id).0, 1);
    }
    eventually("a copy", || read(&two, &source, 1) == (1, LOCAL));
    gate.hold();
    gate.cut();
    change(&one, &source, 2).await;
    let tags: Vec<_> = (0..8_000).map(|tag| format!("other:{tag}")).collect();
    for _ in 0..RECORDS {
        one.invalidate(&tags).await.expect("an invalidation");
    }
    gate.release();
    await_sharing(&one, &two);
    for id in [1, 2] {
        assert_eq!(read(&two, &source, id).0, 2);
    }
    await_sharing(&two, &one);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_log_that_has_passed_the_old_head_is_another_log() {
    let server = Server::start();
    let gate = ReplyGate::before(&server);
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&gate.url()).await);
    move_on(&one, 3).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    eventually("the copy", || read(&two, &source, 1) == (1, LOCAL));
    gate.hold();
    server.cli(&["FLUSHALL"]);
    // The first records of the new log; the known one is among them by its number.
    change(&one, &source, 2).await;
    move_on(&one, 5).await;
    gate.release();
    eventually("the end of the copy", || read(&two, &source, 1).0 == 2);
    await_sharing(&one, &two);
}

// Lost keys

/// Has the log rotated by one that is connected.
fn rotate(server: &Server) {
    let current = || server.cli(&["HGET", META, "current"]);
    let before = current();
    server.cli(&["HSET", META, "due", "0"]);
    eventually("the rotation", || current() != before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_key_of_the_log_is_lost_nothing_comes_back() {
    // The key that is lost, and the rotations before and after the invalidation: that is what
    // tells in which of the two hashes its tags are.
    let cases = [
        (META, 0, 0),
        (TAGS[0], 0, 0),
        (TAGS[0], 0, 1),
        (TAGS[1], 0, 0),
        (TAGS[1], 1, 0),
        (RECORDS, 0, 0),
        (MARKS, 0, 0),
    ];
    for (key, before, after) in cases {
        // What is missing is seen when the log is asked, and when it is written to.
        for appends in [false, true] {
            let case = format!("{key}, {before} and {after} rotations, appends: {appends}");
            let server = Server::start();
            let source = AtomicU64::new(1);
            let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
            (0..before).for_each(|_| rotate(&server));
            assert_eq!(read(&one, &source, 1).0, 1, "{case}");
            assert_eq!(read(&two, &source, 1), (1, SHARED), "{case}");
            change(&one, &source, 2).await;
            (0..after).for_each(|_| rotate(&server));
            assert_eq!(server.cli(&["DEL", key]), "1", "{case}");
            if appends {
                move_on(&one, 1).await;
            }
            let late = connect(&server.url()).await;
            assert_eq!(read(&late, &source, 1), (2, Outcome::Computed), "{case}");
            assert_eq!(read(&one, &source, 1).0, 2, "{case}");
            eventually("the other's note", || read(&two, &source, 1).0 == 2);
            change(&late, &source, 3).await;
            eventually("the note after it", || {
                read(&one, &source, 1).0 == 3 && read(&two, &source, 1).0 == 3
            });
            await_sharing(&one, &late);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flushed_server_serves_nothing_old_from_any_tier() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let server = Server::start();
        let source = AtomicU64::new(1);
        let one = connect_as(&server.url(), consistency).await;
        let two = connect_as(&server.url(), consistency).await;
        assert_eq!(read(&one, &source, 1).0, 1);
        assert_eq!(read(&two, &source, 1), (1, SHARED));
        server.cli(&["FLUSHALL"]);
        change(&one, &source, 2).await;
        assert_eq!(read(&one, &source, 1).0, 2);
        if consistency == Consistency::Strict {
            assert_eq!(read(&two, &source, 1).0, 2, "at once");
        }
        eventually("the other's note", || read(&two, &source, 1).0 == 2);
        await_sharing(&one, &two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_was_swapped_away_takes_what_was_stored_with_it() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let server = Server::start();
        let source = AtomicU64::new(1);
        let one = connect_as(&server.url(), consistency).await;
        let two = connect_as(&server.url(), consistency).await;
        move_on(&one, 1).await;
        assert_eq!(read(&one, &source, 1).0, 1);
        assert_eq!(read(&two, &source, 1), (1, SHARED));
        // The server sends no note of this, and in the other database there is no log.
        server.cli(&["SWAPDB", "0", "1"]);
        source.store(2, Ordering::SeqCst);
        if consistency == Consistency::Strict {
            assert_eq!(read(&two, &source, 1).0, 2, "at once");
        }
        for cache in [&one, &two] {
            eventually("the heartbeat", || read(cache, &source, 1).0 == 2);
        }
        change(&one, &source, 3).await;
        eventually("the other's note", || read(&two, &source, 1).0 == 3);
        await_sharing(&one, &two);
    }
}

// Other servers

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_server_that_remembers_too_little_is_believed_in_nothing() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    move_on(&one, 1).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&two, &source, 1), (1, SHARED));
    server.cli(&["SAVE"]);
    let id = log_id(&server);
    // Acknowledged, and not on disk.
    change(&one, &source, 2).await;
    server.restart();
    // What it loaded, for a cache may have begun another log already. Redis 6 does not say it.
    if let Some(loaded) = server.info("persistence").get("rdb_last_load_keys_loaded") {
        let loaded: u32 = loaded.parse().expect("a number");
        assert!(loaded >= 2, "it has its old data: {loaded}");
    }
    let late = connect(&server.url()).await;
    assert_eq!(read(&late, &source, 1), (2, Outcome::Computed));
    assert_ne!(log_id(&server), id);
    for cache in [&one, &two] {
        eventually("the end of the copy", || read(cache, &source, 1).0 == 2);
    }
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_started_anew_on_the_old_port_is_another_log() {
    let server = Server::start();
    let source = AtomicU64::new(1);
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    move_on(&one, 1).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    eventually("the copy", || read(&two, &source, 1) == (1, LOCAL));
    server.stop(Stop::Kill);
    server.restart();
    let late = connect(&server.url()).await;
    // Past the old head, in the new log.
    change(&late, &source, 2).await;
    move_on(&late, 3).await;
    for cache in [&one, &two, &late] {
        eventually("the end of the copy", || read(cache, &source, 1).0 == 2);
    }
    await_sharing(&one, &two);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_server_is_believed_only_by_those_who_say_so() {
    for trusts in [false, true] {
        let primary = Server::start();
        let replica = Server::replica_of(&primary);
        let source = AtomicU64::new(1);
        let builder = || {
            Cache::builder()
                .prefix("shop")
                .op_timeout(PATIENT)
                .trust_failover(trusts)
        };
        let one = builder().url(primary.url()).build().await.expect("a cache");
        move_on(&one, 1).await;
        assert_eq!(read(&one, &source, 1).0, 1);
        primary.await_copy(&replica);
        replica.cli(&["REPLICAOF", "NO", "ONE"]);
        // Acknowledged by the old one; the new one goes past it, unaware.
        change(&one, &source, 2).await;
        let id = log_id(&primary);
        let two = builder().url(replica.url()).build().await.expect("a cache");
        move_on(&two, 5).await;
        assert!(head(&replica) > head(&primary) || !trusts);
        let late = builder().url(replica.url()).build().await.expect("a cache");
        if trusts {
            assert_eq!(log_id(&replica), id, "the log is kept");
            assert_eq!(read(&late, &source, 1), (1, SHARED), "as documented");
        } else {
            assert_ne!(log_id(&replica), id);
            assert_eq!(read(&late, &source, 1), (2, Outcome::Computed));
        }
        change(&two, &source, 3).await;
        assert_eq!(read(&two, &source, 1).0, 3);
        eventually("the other's note", || read(&late, &source, 1).0 == 3);
        await_sharing(&two, &late);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_led_to_a_promoted_server_misses_what_was_invalidated_there() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let primary = Server::start();
        let replica = Server::replica_of(&primary);
        let gate = ReplyGate::before(&primary);
        let source = AtomicU64::new(1);
        let connect = async |url: String| {
            let builder = Cache::builder().url(url).prefix("shop").op_timeout(PATIENT);
            let builder = builder.consistency(consistency).trust_failover(true);
            builder.build().await.expect("a cache")
        };
        let one = connect(gate.url()).await;
        move_on(&one, 1).await;
        for id in [1, 2] {
            assert_eq!(read(&one, &source, id).0, 1);
        }
        assert_eq!(read(&one, &source, 1), (1, LOCAL));
        primary.await_copy(&replica);
        replica.cli(&["REPLICAOF", "NO", "ONE"]);
        // Acknowledged by the old one, and never copied: the promoted one does not know of these.
        move_on(&one, 3).await;
        let (id, left_at) = (log_id(&primary), head(&primary));
        let two = connect(replica.url()).await;
        change(&two, &source, 2).await;
        move_on(&two, 5).await;
        assert_eq!(log_id(&replica), id, "the log is kept");
        gate.lead_to(&replica);
        eventually("the end of the copy", || read(&one, &source, 1).0 == 2);
        assert_eq!(read(&one, &source, 2).0, 2, "of what is in the server too");
        assert!(head(&replica) > left_at + u64::from(u32::MAX));
        change(&one, &source, 3).await;
        eventually("the other's note", || read(&two, &source, 1).0 == 3);
        await_sharing(&one, &two);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_cut_off_is_not_believed_for_longer_than_a_heartbeat() {
    let primary = Server::start_with(&["--min-replicas-to-write", "1"]);
    let replica = Server::replica_of(&primary);
    let source = AtomicU64::new(1);
    eventually("a replica that counts", || {
        !primary.command(&[b"SET", b"a", b"1"]).is_error()
    });
    let one = connect(&primary.url()).await;
    let without = connect_without_local(&primary.url()).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    assert_eq!(read(&without, &source, 1), (1, SHARED));
    primary.await_copy(&replica);
    // Promoted: the old primary has no replica left, answers reads, and refuses writes.
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let two = connect(&replica.url()).await;
    change(&two, &source, 2).await;
    eventually("the end of the writes", || {
        primary.command(&[b"SET", b"a", b"1"]).is_error()
    });
    let cut_off = Instant::now();
    for cache in [&one, &without] {
        eventually("the heartbeat that is refused", || {
            read(cache, &source, 1) == (2, Outcome::Computed)
        });
    }
    let took = cut_off.elapsed();
    assert!(took < TRUST + TRUST, "{took:?}");
    assert!(primary.cli(&["KEYS", "*"]).contains(META), "it answers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_demoted_primary_is_left() {
    let primary = Server::start();
    let replica = Server::replica_of(&primary);
    let source = AtomicU64::new(1);
    let one = connect(&primary.url()).await;
    assert_eq!(read(&one, &source, 1).0, 1);
    primary.await_copy(&replica);
    replica.cli(&["REPLICAOF", "NO", "ONE"]);
    let two = connect(&replica.url()).await;
    change(&two, &source, 2).await;
    let port = replica.port().to_string();
    primary.cli(&["REPLICAOF", "127.0.0.1", &port]);
    eventually("the end of the copy", || {
        read(&one, &source, 1) == (2, Outcome::Computed)
    });
    // Now it has the new log, and all that is in it; but as a replica.
    eventually("the link", || {
        primary.info("replication")["master_link_status"] == "up"
    });
    assert_eq!(read(&two, &source, 1).0, 2);
    change(&two, &source, 3).await;
    replica.await_copy(&primary);
    assert_eq!(read(&one, &source, 1), (3, Outcome::Computed));
}

// Notes that never come

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_proxy_that_sends_no_notes_the_log_is_asked_each_time() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        gate.swallow_pushes();
        let source = AtomicU64::new(1);
        let one = connect(&server.url()).await;
        let two = connect_as(&gate.url(), consistency).await;
        assert_eq!(read(&one, &source, 1).0, 1);
        for round in 2..=5 {
            // What it stores is as old as its last heartbeat: that may be too old for a while.
            eventually("a hit", || {
                let (value, how) = read(&two, &source, 1);
                assert_eq!(value, round - 1, "{how:?}");
                how == SHARED
            });
            let again = read(&two, &source, 1);
            assert_eq!(again, (round - 1, SHARED), "from the server each time");
            change(&one, &source, round).await;
            // It was told nothing, and asked.
            assert_eq!(read(&two, &source, 1), (round, Outcome::Computed));
        }
        change(&two, &source, 6).await;
        assert_eq!(read(&two, &source, 1), (6, Outcome::Computed));
        eventually("the other's note", || read(&one, &source, 1).0 == 6);
        await_sharing(&two, &one);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notes_that_cease_are_missed_by_the_next_heartbeat() {
    for consistency in [Consistency::Bounded, Consistency::Strict] {
        let server = Server::start();
        let gate = ReplyGate::before(&server);
        let source = AtomicU64::new(1);
        let one = connect(&server.url()).await;
        let builder = Cache::builder().url(gate.url()).prefix("shop");
        let builder = builder.consistency(consistency).op_timeout(PATIENT);
        let (builder, connections) = counting(builder);
        let two = builder.build().await.expect("a cache");
        move_on(&one, 1).await;
        eventually("a copy", || read(&two, &source, 1) == (1, LOCAL));
        gate.swallow_pushes();
        let ceased = Instant::now();
        change(&one, &source, 2).await;
        if consistency == Consistency::Strict {
            // The proof of the copy finds it out.
            assert_eq!(read(&two, &source, 1), (2, Outcome::Computed));
        } else {
            eventually("the heartbeat", || read(&two, &source, 1).0 == 2);
            let took = ceased.elapsed();
            assert!(took < TRUST + TRUST, "{took:?}");
        }
        eventually("another connection", || {
            connections.load(Ordering::SeqCst) == 2
        });
        // What it was told before that is believed for as long as it would have been.
        eventually("the end of the trust", || {
            read(&two, &source, 1).1 == SHARED
        });
        // From here on it knows that it is told nothing, and asks.
        for round in 3..=5 {
            change(&one, &source, round).await;
            assert_eq!(read(&two, &source, 1), (round, Outcome::Computed));
            eventually("a hit", || {
                let (value, how) = read(&two, &source, 1);
                assert_eq!(value, round, "{how:?}");
                how == SHARED
            });
            assert_eq!(read(&two, &source, 1), (round, SHARED), "each time");
        }
        assert_eq!(connections.load(Ordering::SeqCst), 2);
    }
}

// A process that stood still

/// Reads its source from the server, and goes on when it is told to.
#[cached(ttl = 1800, key = "{id}", tags = ["books"], cache = cache)]
async fn slow(
    cache: &Cache,
    port: u16,
    id: u64,
    began: impl FnOnce(),
    go: impl Future<Output = ()>,
) -> String {
    let value = source_of(port).await;
    began();
    go.await;
    value
}

async fn source_of(port: u16) -> String {
    let read = tokio::task::spawn_blocking(move || {
        let mut client = Client::connect(port).expect("the server");
        client
            .command(&["GET", "source"])
            .expect("a source")
            .to_string()
    });
    read.await.expect("the source")
}

/// Reads what it is told to: at once, or with a body that ends at the next order.
#[test]
fn reader() {
    let Some(steer) = Steer::take() else { return };
    let variable = |name| env::var(name).expect("a variable");
    let port: u16 = variable("PORT").parse().expect("a port");
    let consistency = match variable("CONSISTENCY").as_str() {
        "Strict" => Consistency::Strict,
        _ => Consistency::Bounded,
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let cache = connect_as(&variable("URL"), consistency).await;
        while let Some(order) = steer.hear_async().await {
            let (how, id) = order.split_once(' ').expect("how, and an id");
            let id = id.parse().expect("an id");
            let (began, go) = (|| steer.say("began"), async {
                assert_eq!(steer.hear_async().await.as_deref(), Some("go"));
            });
            let value = match how {
                "read" => slow(&cache, port, id, || (), async {}).await,
                "slow" => slow(&cache, port, id, began, go).await,
                other => panic!("what is `{other}`?"),
            };
            steer.say(value);
        }
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stood_still_serves_and_stores_nothing_old() {
    for consistency in ["Bounded", "Strict"] {
        let server = Server::start();
        let port = server.port();
        let cache = connect(&server.url()).await;
        let read = |id| {
            let call = slow(&cache, port, id, || (), async {});
            tokio::task::block_in_place(|| Handle::current().block_on(call))
        };
        server.cli(&["SET", "source", "old"]);
        let (port_text, url) = (port.to_string(), server.url());
        let variables = [
            ("PORT", port_text.as_str()),
            ("URL", &url),
            ("CONSISTENCY", consistency),
        ];
        let mut worker = Worker::spawn_with("reader", &variables);
        for id in 1..=20 {
            assert_eq!(worker.ask(format!("read {id}")), "old");
        }
        assert_eq!(worker.ask("slow 100"), "began");
        worker.pause();
        let paused = Instant::now();
        server.cli(&["SET", "source", "new"]);
        cache.invalidate(["books"]).await.expect("an invalidation");
        assert_eq!(read(1), "new");
        // All this waits for it, so that it reads before it has been told anything.
        worker.say("go");
        for id in 1..=20 {
            worker.say(format!("read {id}"));
        }
        eventually("five seconds", || paused.elapsed() > Duration::from_secs(5));
        worker.resume();
        worker.expect("old"); // The call that was under way, and had read it.
        for _ in 1..=20 {
            worker.expect("new");
        }
        assert_eq!(
            worker.ask("read 100"),
            "new",
            "what it stored, if it did, is stale"
        );
        assert_eq!(read(100), "new");
        server.cli(&["SET", "source", "newer"]);
        cache.invalidate(["books"]).await.expect("an invalidation");
        eventually("the note", || worker.ask("read 1") == "newer");
        worker.finish();
    }
}
