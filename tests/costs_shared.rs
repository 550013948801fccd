//! What each path costs on the wire, command by command, once the scripts are loaded and the view
//! is up to date. Two things go on beside the calls and are told apart by their commands: the
//! heartbeat, once a second (`HDEL`, `HMGET`, `TIME`), and the catch-up that follows a note
//! (`HDEL`, `HMGET`, `CLIENT CACHING`, `XRANGE`), both run by the connection's own task.
#![cfg(feature = "redis")]

use std::sync::atomic::{AtomicU64, Ordering};

use afresh::{Cache, Outcome, Tier, cached, entry, invalidates, outcome};
use afresh_test_support::{Monitor, Server, eventually, until};
use futures_util::future::join_all;
use tokio::sync::Semaphore;

#[cached(ttl = 1800, key = "{id}", tags = ["books", "book:{id}"], cache = cache)]
async fn book(cache: &Cache, id: u32) -> u32 {
    id
}

#[cached(ttl = 1800, key = "{id}", tags = ["books", "book:{id}"], singleflight, cache = cache)]
async fn flown(cache: &Cache, id: u32) -> u32 {
    id
}

async fn connect(server: &Server) -> Cache {
    let builder = Cache::builder().url(server.url()).prefix("shop");
    builder.build().await.expect("a cache")
}

/// What one cache sends, heartbeats left out.
struct Wire {
    monitor: Monitor,
    /// The server's address of the cache's connection.
    from: String,
    seen: usize,
    /// Servers before 7.0 do not show `CLIENT` to those who watch.
    shows_client: bool,
}

impl Wire {
    /// Watches the connection of a cache, by a heartbeat of its own.
    fn of(server: &Server, cache: &Cache) -> Self {
        let monitor = server.monitor();
        // Nothing else is connected yet that beats.
        eventually("a heartbeat", || {
            let commands = monitor.commands();
            commands.iter().any(|seen| seen.words[0] == "TIME")
        });
        let commands = monitor.commands();
        let beat = commands.iter().find(|seen| seen.words[0] == "TIME");
        let from = beat.expect("a heartbeat").from.clone();
        assert_eq!(cache.stats().owed, 0);
        let seen = commands.len();
        Self {
            monitor,
            from,
            seen,
            shows_client: server
                .info("commandstats")
                .contains_key("cmdstat_client|tracking"),
        }
    }

    /// The commands since the last look, by name; a catch-up as one word.
    fn sent(&mut self) -> Vec<String> {
        let commands = self.monitor.commands();
        let new = commands[self.seen..].iter();
        let sent = new.filter(|seen| seen.from == self.from);
        let mut names: Vec<String> = Vec::new();
        for seen in sent {
            match seen.words[0].as_str() {
                // Of the heartbeat; or they begin a catch-up, which is known by its end.
                "HDEL" | "HMGET" | "TIME" => {}
                "XRANGE" => {
                    if self.shows_client {
                        assert_eq!(names.pop().as_deref(), Some("CLIENT"));
                    }
                    names.push("catch-up".to_owned());
                }
                name => names.push(name.to_owned()),
            }
        }
        self.seen = commands.len();
        names
    }

    /// Asserts what has been sent since the last look, catch-ups left out.
    #[track_caller]
    fn expect(&mut self, commands: &[&str]) {
        let shown = |name: &&&str| self.shows_client || **name != "CLIENT";
        let expected: Vec<_> = commands.iter().filter(shown).copied().collect();
        let sent = self.sent();
        let sent: Vec<_> = sent.iter().filter(|name| *name != "catch-up").collect();
        assert_eq!(sent, expected);
    }

    /// The commands run inside scripts since the last look.
    fn run_inside(&mut self) -> usize {
        let commands = self.monitor.commands();
        let new = commands[self.seen..].iter();
        let inside = new.filter(|seen| seen.from == "lua").count();
        self.seen = commands.len();
        inside
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_hit_sends_nothing() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    book(&cache, 1).await;
    flown(&cache, 1).await;
    wire.sent();
    for _ in 0..1_000 {
        assert_eq!(outcome(book(&cache, 1)).await.1, Outcome::Hit(Tier::Local));
        assert_eq!(flown(&cache, 1).await, 1);
    }
    assert_eq!(wire.sent(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_hit_is_one_get() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let other = connect(&server).await;
    book(&other, 1).await;
    flown(&other, 1).await;
    for (call, way) in [
        (outcome(book(&cache, 1)).await, "plain"),
        (outcome(flown(&cache, 1)).await, "with singleflight"),
    ] {
        assert_eq!(call, (1, Outcome::Hit(Tier::Shared)), "{way}");
    }
    assert_eq!(wire.sent(), ["GET", "GET"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_hit_on_an_older_entry_is_one_get_while_the_view_has_seen_it_all() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let other = connect(&server).await;
    book(&other, 1).await;
    for round in 0..3 {
        let tag = format!("round:{round}");
        cache.invalidate([tag]).await.expect("an invalidation");
    }
    eventually("the catch-up", || {
        wire.sent().contains(&"catch-up".to_owned())
    });
    assert_eq!(book(&cache, 1).await, 1);
    let sent = wire.sent();
    let sent: Vec<_> = sent.iter().filter(|name| *name != "catch-up").collect();
    assert_eq!(sent, ["GET"]);
    assert_eq!(cache.stats().hits_shared, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_miss_is_a_look_up_and_a_fill() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    assert_eq!(book(&cache, 1).await, 1);
    assert_eq!(wire.sent(), ["GET", "EVALSHA"]);
    assert_eq!(cache.stats().stored, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cold_miss_with_singleflight_takes_three_round_trips() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    assert_eq!(flown(&cache, 1).await, 1);
    // `CLIENT CACHING` arms the tracking for the next command, the bid, and goes in one pipeline
    // with it: three round trips, the last of which stores the entry and frees the lease.
    wire.expect(&["GET", "CLIENT", "EVALSHA", "EVALSHA"]);
    assert_eq!(cache.stats().stored, 1);
    assert_eq!(server.cli(&["KEYS", "*:l:*"]), "", "the lease is free");
}

// On one worker: all of them have asked when the connection's task comes to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn shared_hits_at_once_are_one_command() {
    let server = Server::start();
    // As many entries of the largest size as one reply may bring.
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let cache = builder.max_value(1 << 20).build().await.expect("a cache");
    let mut wire = Wire::of(&server, &cache);
    let other = connect(&server).await;
    for id in 0..240 {
        flown(&other, id).await;
    }
    // To begin with they are few at a time, until it is known how large entries are.
    for (ids, commands) in [(0..60, 8), (60..120, 4), (120..180, 2), (180..240, 1)] {
        let cache = cache.clone();
        let called = ids.clone().cycle().take(240);
        let calls = called.clone().map(move |id| {
            let cache = cache.clone();
            async move { outcome(flown(&cache, id)).await }
        });
        let values = tokio::spawn(join_all(calls)).await.expect("no panic");
        for (id, (value, outcome)) in called.zip(values) {
            assert_eq!((value, outcome), (id, Outcome::Hit(Tier::Shared)));
        }
        assert_eq!(wire.sent(), vec!["MGET"; commands]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_stampede_in_a_process_looks_once_and_bids_once() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let called = cache.clone();
    let calls = async move { join_all((0..250).map(|_| flown(&called, 1))).await };
    assert_eq!(tokio::spawn(calls).await.expect("no panic"), [1; 250]);
    wire.expect(&["GET", "CLIENT", "EVALSHA", "EVALSHA"]);
    assert_eq!(cache.stats().stored, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_contended_miss_bids_once_and_looks_once_when_it_is_woken() {
    #[cached(ttl = 1800, key = "{id}", singleflight, cache = cache)]
    async fn slow(cache: &Cache, runs: &AtomicU64, gate: &Semaphore, id: u32) -> u64 {
        gate.acquire().await.expect("an open gate").forget();
        runs.fetch_add(1, Ordering::SeqCst)
    }

    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let other = connect(&server).await;
    let (runs, gate) = (AtomicU64::new(0), Semaphore::new(0));
    let leader = slow(&other, &runs, &gate, 1);
    let follower = async {
        until("the lease", async || {
            !server.cli(&["KEYS", "*:l:*"]).is_empty()
        })
        .await;
        let open = async {
            until("the bid", async || {
                let seen = wire.monitor.commands();
                let bids = seen.iter().filter(|seen| seen.words[0] == "EVALSHA");
                bids.filter(|seen| seen.from == wire.from).count() > 0
            })
            .await;
            gate.add_permits(1);
        };
        tokio::join!(outcome(slow(&cache, &runs, &gate, 1)), open).0
    };
    let (led, followed) = tokio::join!(leader, follower);
    assert_eq!((led, followed), (0, (0, Outcome::Coalesced)));
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    wire.expect(&["GET", "CLIENT", "EVALSHA", "GET"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_put_is_a_record_and_a_fill() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    entry(book(&cache, 1)).put(7).await.expect("stored");
    wire.expect(&["EVALSHA", "EVALSHA"]);
    entry(book(&cache, 1)).refresh().await;
    wire.expect(&["EVALSHA", "EVALSHA"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_safe_mutation_is_a_mark_and_a_record() {
    #[invalidates(tags = ["books"], crash_safe, cache = cache)]
    async fn change(cache: &Cache) {}

    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    change(&cache).await;
    wire.expect(&["EVALSHA", "EVALSHA"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalidation_is_one_script_however_many_tags_and_entries() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let many: Vec<_> = (0..100).map(|id| format!("book:{id}")).collect();
    for tags in [&many[..1], &many] {
        cache.invalidate(tags).await.expect("an invalidation");
        let sent = wire.sent();
        let sent: Vec<_> = sent.iter().filter(|name| *name != "catch-up").collect();
        assert_eq!(sent, ["EVALSHA"], "{} tags", tags.len());
    }
    let mut inside = Vec::new();
    for entries in [0, 100] {
        for id in 0..entries {
            book(&cache, id).await;
        }
        wire.run_inside();
        cache.invalidate(["books"]).await.expect("an invalidation");
        inside.push(wire.run_inside());
        assert_eq!(book(&cache, 0).await, 0);
    }
    assert_eq!(inside[0], inside[1], "it touches no entry");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_process_sends_its_heartbeat_and_nothing_else() {
    let server = Server::start();
    let cache = connect(&server).await;
    let mut wire = Wire::of(&server, &cache);
    let beats = |wire: &Wire| {
        let commands = wire.monitor.commands();
        let beats = commands.iter().filter(|seen| seen.words[0] == "TIME");
        beats.count()
    };
    let began = beats(&wire);
    eventually("two heartbeats", || beats(&wire) >= began + 2);
    assert_eq!(wire.sent(), [""; 0]);
}
