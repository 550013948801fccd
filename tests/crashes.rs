//! Mutations that are `crash_safe`, in real processes and with a real database: whatever becomes
//! of the process between the database's commit and the invalidation, nobody is served what was
//! stored before; and where nothing becomes of it, the mark is gone as soon as the mutation is.
#![cfg(feature = "redis")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fmt, fs, process};

use afresh::{Cache, Consistency, Outcome, Tier, cached, invalidates, outcome};
use afresh_test_support::{Client, ReplyGate, Server, Steer, Stop, Worker, eventually};
use rusqlite::Connection;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);
const LOCAL: Outcome = Outcome::Hit(Tier::Local);

const META: &str = "{shop}:afresh:1:log";
const MARKS: &str = "{shop}:afresh:1:marks";

/// A database in a file of its own, which several processes open.
#[derive(Clone, Debug)]
struct Database(PathBuf);

impl Database {
    fn open(&self) -> Connection {
        let database = Connection::open(&self.0).expect("the database");
        let patience = Duration::from_secs(10);
        database.busy_timeout(patience).expect("a limit");
        database
    }

    fn price(&self, id: i64) -> i64 {
        let price = "SELECT price FROM books WHERE id = ?1";
        let row = self.open().query_row(price, [id], |row| row.get(0));
        row.expect("a book")
    }

    /// When this returns, it is committed.
    fn set_price(&self, id: i64, price: i64) {
        let set = "INSERT OR REPLACE INTO books VALUES (?1, ?2)";
        self.open().execute(set, [id, price]).expect("a change");
    }
}

/// A folder with a database in it, removed with this.
struct Folder(Database);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("afresh-crashes-{}-{count}", process::id());
        let path = env::temp_dir().join(name);
        // A process of the same number may have left one behind.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        let database = Database(path.join("shop.db"));
        let table = "CREATE TABLE books (id INTEGER PRIMARY KEY, price INTEGER NOT NULL)";
        database.open().execute(table, []).expect("a table");
        database.set_price(1, 10);
        Self(database)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder harms nobody.
        let _ = self.0.0.parent().map(fs::remove_dir_all::<&Path>);
    }
}

#[cached(ttl = 1800, key = "{id}", tags = ["book:{id}"], cache = cache)]
async fn price(cache: &Cache, database: &Database, id: i64) -> i64 {
    database.price(id)
}

#[derive(Debug)]
struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<afresh::Error> for Failed {
    fn from(error: afresh::Error) -> Self {
        Self(error.to_string())
    }
}

/// What the bodies below do: commit, and end as they are told.
async fn body(database: Database, id: i64, to: i64, told: Told) -> Result<(), Failed> {
    told.begun();
    told.commit.await.expect("a word");
    database.set_price(id, to);
    (told.say)("committed");
    match told.end.await.as_deref() {
        Ok("go") => Ok(()),
        Ok("fail") => Err(Failed("as it was told".to_owned())),
        other => panic!("it was told {other:?}"),
    }
}

/// How a body is steered.
struct Told {
    say: Box<dyn Fn(&str) + Send + Sync>,
    commit: oneshot::Receiver<()>,
    end: oneshot::Receiver<String>,
}

impl Told {
    fn begun(&self) {
        (self.say)("begun");
    }

    /// Commits and goes on by itself.
    fn at_once() -> Self {
        let ((commit, commits), (end, ends)) = (oneshot::channel(), oneshot::channel());
        commit.send(()).expect("a body");
        end.send("go".to_owned()).expect("a body");
        Self {
            say: Box::new(|_| ()),
            commit: commits,
            end: ends,
        }
    }
}

/// With a deadline that passes in a test.
#[invalidates(tags = ["book:{id}"], crash_safe(deadline = "4s"), cache = cache)]
async fn reprice(
    cache: &Cache,
    database: Database,
    id: i64,
    to: i64,
    told: Told,
) -> Result<(), Failed> {
    body(database, id, to, told).await
}

/// With one that never does.
#[invalidates(tags = ["book:{id}"], crash_safe(deadline = "1h"), cache = cache)]
async fn reprice_in_time(
    cache: &Cache,
    database: Database,
    id: i64,
    to: i64,
    told: Told,
) -> Result<(), Failed> {
    body(database, id, to, told).await
}

/// With one that passes while the body runs.
#[invalidates(tags = ["book:{id}"], crash_safe(deadline = "1s"), cache = cache)]
async fn reprice_late(
    cache: &Cache,
    database: Database,
    id: i64,
    to: i64,
    told: Told,
) -> Result<(), Failed> {
    body(database, id, to, told).await
}

#[invalidates(tags = ["book:{id}"], crash_safe(deadline = "1h", required), cache = cache)]
async fn reprice_guarded_only(
    cache: &Cache,
    database: Database,
    id: i64,
    to: i64,
    told: Told,
) -> Result<(), Failed> {
    body(database, id, to, told).await
}

/// Without any.
#[invalidates(tags = ["book:{id}"], cache = cache)]
async fn reprice_unguarded(
    cache: &Cache,
    database: Database,
    id: i64,
    to: i64,
    told: Told,
) -> Result<(), Failed> {
    body(database, id, to, told).await
}

async fn connect(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    builder.build().await.expect("a cache")
}

/// In `Strict`, so that everyone has heard of what is done elsewhere, and patient: a busy machine
/// is not what is tested.
async fn connect_strictly(url: &str) -> Cache {
    let builder = Cache::builder().url(url).prefix("shop");
    let builder = builder.consistency(Consistency::Strict);
    let builder = builder.op_timeout(Duration::from_secs(5));
    builder.build().await.expect("a cache")
}

/// Runs a future from a closure that cannot await.
fn now<F: Future>(future: F) -> F::Output {
    tokio::task::block_in_place(|| Handle::current().block_on(future))
}

/// A process with a cache: it reads, and makes one mutation at a time, step by step.
#[test]
fn shop() {
    let Some(steer) = Steer::take() else { return };
    let steer = Arc::new(steer);
    let runtime = Runtime::new().expect("a runtime");
    let variable = |name| env::var(name).expect("a variable");
    let database = Database(variable("DATABASE").into());
    runtime.block_on(async {
        let cache = connect_strictly(&variable("URL")).await;
        let mut mutation = None;
        while let Some(order) = steer.hear_async().await {
            let words: Vec<_> = order.split(' ').collect();
            match words[..] {
                ["read"] => steer.say(price(&cache, &database, 1).await),
                ["marks"] => steer.say(cache.stats().marks),
                ["commit"] => {
                    let (_, commit, _): &mut (_, Option<oneshot::Sender<()>>, _) =
                        mutation.as_mut().expect("a mutation");
                    let commit = commit.take().expect("one that has not committed");
                    commit.send(()).expect("a body");
                }
                ["end", how] => {
                    let (task, _, end) = mutation.take().expect("a mutation");
                    let task: JoinHandle<Result<(), Failed>> = task;
                    if how == "drop" {
                        task.abort();
                    } else {
                        let end: oneshot::Sender<String> = end;
                        end.send(how.to_owned()).expect("a body");
                    }
                    steer.say(match task.await {
                        Ok(Ok(())) => "done",
                        Ok(Err(_)) => "failed",
                        Err(error) if error.is_cancelled() => "dropped",
                        Err(_) => "panicked",
                    });
                }
                [how, to] => {
                    let ((commit, commits), (end, ends)) = (oneshot::channel(), oneshot::channel());
                    let says = Arc::clone(&steer);
                    let told = Told {
                        say: Box::new(move |line| says.say(line)),
                        commit: commits,
                        end: ends,
                    };
                    let to = to.parse().expect("a price");
                    let (cache, database, how) = (cache.clone(), database.clone(), how.to_owned());
                    let task = tokio::spawn(async move {
                        match how.as_str() {
                            "reprice" => reprice(&cache, database, 1, to, told).await,
                            "in_time" => reprice_in_time(&cache, database, 1, to, told).await,
                            "late" => reprice_late(&cache, database, 1, to, told).await,
                            "unguarded" => reprice_unguarded(&cache, database, 1, to, told).await,
                            other => panic!("what is `{other}`?"),
                        }
                    });
                    mutation = Some((task, Some(commit), end));
                }
                _ => panic!("what is `{order}`?"),
            }
        }
    });
}

/// A server, a database, two processes, and a cache in this one that has the price of book 1.
struct Shop {
    server: Server,
    folder: Folder,
    mutates: Worker,
    reads: Worker,
    here: Cache,
}

impl Shop {
    async fn open() -> Self {
        let (server, folder) = (Server::start(), Folder::new());
        let url = server.url();
        let path = folder.0.0.to_str().expect("a path in UTF-8");
        let spawn = || Worker::spawn_with("shop", &[("URL", &url), ("DATABASE", path)]);
        let (mutates, mut reads) = (spawn(), spawn());
        let here = connect_strictly(&url).await;
        assert_eq!(now(price(&here, &folder.0, 1)), 10);
        assert_eq!(reads.ask("read"), "10");
        let shop = Self {
            server,
            folder,
            mutates,
            reads,
            here,
        };
        assert_eq!(shop.read(&shop.here), (10, LOCAL));
        shop
    }

    /// How the price of book 1 is answered by a cache of this process.
    fn read(&self, cache: &Cache) -> (i64, Outcome) {
        now(outcome(price(cache, &self.folder.0, 1)))
    }

    /// A process that has just begun, in effect.
    fn newcomer(&self) -> Cache {
        now(connect_strictly(&self.server.url()))
    }

    /// Begins a mutation to 20, which has its mark by then.
    fn begin(&mut self, how: &str) {
        self.mutates.say(format!("{how} 20"));
        self.mutates.expect("begun");
    }

    fn commit(&mut self) {
        self.mutates.say("commit");
        self.mutates.expect("committed");
    }

    /// How many marks the server knows of.
    fn marks(&self) -> i64 {
        let fields: i64 = self.server.cli(&["HLEN", MARKS]).parse().expect("a number");
        // One is no mark: it tells that the others are complete.
        fields.saturating_sub(1)
    }

    /// The database has been changed, and the mark stands: everyone computes, and nothing is kept.
    #[track_caller]
    fn assert_guarded(&mut self) {
        let newcomer = self.newcomer();
        for cache in [&self.here, &newcomer] {
            for _ in 0..2 {
                assert_eq!(self.read(cache), (20, Outcome::Computed));
            }
            assert_eq!(cache.stats().marks, 1);
        }
        for _ in 0..2 {
            assert_eq!(self.reads.ask("read"), "20");
        }
        assert_eq!(self.reads.ask("marks"), "1");
        assert_eq!(self.marks(), 1, "it still stands");
    }

    /// Everyone is served the new price, from what is stored, and nothing is left to do.
    #[track_caller]
    fn await_hits(&mut self) {
        let newcomer = self.newcomer();
        eventually("the end of the mark", || {
            assert_eq!(self.read(&newcomer).0, 20);
            assert_eq!(self.reads.ask("read"), "20");
            self.marks() == 0 && newcomer.stats().marks == 0
        });
        for cache in [&self.here, &newcomer] {
            eventually("a hit", || {
                let (value, how) = self.read(cache);
                assert_eq!(value, 20);
                matches!(how, Outcome::Hit(_))
            });
            eventually("the end of the mark here", || cache.stats().marks == 0);
            assert_eq!(cache.stats().owed, 0);
        }
        let another = self.newcomer();
        assert_eq!(self.read(&another), (20, SHARED));
        eventually("the end of the mark there", || {
            self.reads.ask("marks") == "0"
        });
        assert_eq!(self.reads.ask("read"), "20");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_after_its_commit_leaves_nothing_old() {
    let mut shop = Shop::open().await;
    shop.begin("reprice");
    assert_eq!(shop.read(&shop.here), (10, Outcome::Computed), "not stored");
    shop.commit();
    shop.mutates.kill();
    shop.assert_guarded();
    shop.await_hits();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_mark_a_process_killed_after_its_commit_leaves_the_old_value() {
    // What the others here are to be compared with.
    let mut shop = Shop::open().await;
    shop.begin("unguarded");
    shop.commit();
    shop.mutates.kill();
    assert_eq!(shop.read(&shop.here), (10, LOCAL));
    assert_eq!(shop.reads.ask("read"), "10");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_before_its_commit_leaves_no_mark_for_long() {
    let mut shop = Shop::open().await;
    shop.begin("reprice");
    shop.mutates.kill();
    eventually("the end of the mark", || {
        assert_eq!(shop.read(&shop.here).0, 10);
        shop.marks() == 0
    });
    eventually("a hit", || shop.read(&shop.here) == (10, LOCAL));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_a_mutation_ends_its_mark_ends_with_it() {
    for (how, said) in [
        ("go", "done"),
        ("fail", "failed"),
        ("panic", "panicked"),
        ("drop", "dropped"),
    ] {
        let mut shop = Shop::open().await;
        shop.begin("in_time");
        assert_eq!(shop.marks(), 1, "{how}");
        shop.commit();
        shop.assert_guarded();
        assert_eq!(shop.mutates.ask(format!("end {how}")), said);
        // Its deadline is an hour away.
        shop.await_hits();
        // Others may hear of it before the answer is here.
        eventually("the end of the mark", || shop.mutates.ask("marks") == "0");
        assert_eq!(shop.mutates.ask("read"), "20", "{how}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_longer_than_its_deadline_keeps_its_mark() {
    let mut shop = Shop::open().await;
    shop.begin("late");
    let began = Instant::now();
    // Everyone here would end it, were it not renewed.
    eventually("three deadlines", || {
        assert_eq!(shop.read(&shop.here), (10, Outcome::Computed));
        assert_eq!(shop.marks(), 1);
        began.elapsed() > Duration::from_secs(3)
    });
    shop.commit();
    shop.assert_guarded();
    assert_eq!(shop.mutates.ask("end go"), "done");
    shop.await_hits();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_a_body_runs_unguarded_unless_that_is_forbidden() {
    let (server, folder) = (Server::start(), Folder::new());
    let database = &folder.0;
    let (one, two) = (connect(&server.url()).await, connect(&server.url()).await);
    assert_eq!(price(&one, database, 1).await, 10);
    assert_eq!(price(&two, database, 1).await, 10);
    server.stop(Stop::Kill);
    let refused = reprice_guarded_only(&one, database.clone(), 1, 30, Told::at_once()).await;
    let refused = refused.expect_err("it was not to run");
    assert!(refused.0.contains("guarded"), "{refused}");
    assert_eq!(database.price(1), 10);
    assert_eq!(one.stats().unguarded, 1);
    let done = reprice_in_time(&one, database.clone(), 1, 20, Told::at_once()).await;
    done.expect("its body runs");
    assert_eq!(database.price(1), 20);
    assert_eq!(one.stats().unguarded, 2);
    assert_eq!(price(&one, database, 1).await, 20);
    server.restart();
    eventually("the debts", || one.stats().owed == 0);
    for cache in [&one, &two] {
        eventually("the new price", || now(price(cache, database, 1)) == 20);
        eventually("a hit", || {
            matches!(
                now(outcome(price(cache, database, 1))),
                (20, Outcome::Hit(_))
            )
        });
        assert_eq!(cache.stats().marks, 0);
    }
    assert_eq!(server.cli(&["HLEN", MARKS]), "1");
    // Guarded again.
    let done = reprice_guarded_only(&one, database.clone(), 1, 30, Told::at_once()).await;
    done.expect("its body runs");
    assert_eq!(one.stats().unguarded, 2);
    assert_eq!(price(&one, database, 1).await, 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_whose_answer_is_lost_ends_all_the_same() {
    let (server, folder) = (Server::start(), Folder::new());
    let database = &folder.0;
    let gate = ReplyGate::before(&server);
    let (one, two) = (connect(&gate.url()).await, connect(&server.url()).await);
    assert_eq!(price(&two, database, 1).await, 10);
    gate.hold();
    let stands = Arc::<AtomicU32>::default();
    let (port, stood) = (server.port(), Arc::clone(&stands));
    let told = Told {
        say: Box::new(move |_| {
            let mut client = Client::connect(port).expect("the server");
            let marks = client.command(&["HLEN", MARKS]).expect("a number").int();
            stood.store(u32::try_from(marks).expect("a few"), Ordering::SeqCst);
        }),
        ..Told::at_once()
    };
    let done = reprice_in_time(&one, database.clone(), 1, 20, told).await;
    done.expect("its body runs");
    assert_eq!(one.stats().unguarded, 1, "it cannot know");
    assert_eq!(stands.load(Ordering::SeqCst), 2, "but it stood");
    gate.release();
    eventually("the end of the mark", || {
        assert_eq!(now(price(&one, database, 1)), 20);
        server.cli(&["HLEN", MARKS]) == "1"
    });
    eventually("its news", || {
        two.stats().marks == 0 && one.stats().marks == 0
    });
    eventually("a hit", || {
        matches!(
            now(outcome(price(&two, database, 1))),
            (20, Outcome::Hit(_))
        )
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_is_seen_across_a_gap() {
    let mut shop = Shop::open().await;
    let gate = ReplyGate::before(&shop.server);
    let behind = connect(&gate.url()).await;
    assert_eq!(shop.read(&behind), (10, SHARED));
    gate.hold();
    gate.cut();
    shop.begin("in_time");
    for other in 0..1_100 {
        let tag = format!("other:{other}");
        shop.here.invalidate([tag]).await.expect("an invalidation");
    }
    shop.commit();
    gate.release();
    eventually("the mark", || behind.stats().marks == 1);
    eventually("the new price", || shop.read(&behind).0 == 20);
    assert_eq!(shop.read(&behind), (20, Outcome::Computed));
    shop.assert_guarded();
    // And that it ended in one.
    gate.hold();
    gate.cut();
    assert_eq!(shop.mutates.ask("end go"), "done");
    for other in 0..1_100 {
        let tag = format!("other:{other}");
        shop.here.invalidate([tag]).await.expect("an invalidation");
    }
    gate.release();
    eventually("its end", || behind.stats().marks == 0);
    eventually("a hit", || {
        matches!(shop.read(&behind), (20, Outcome::Hit(_)))
    });
}

/// What may happen to the log while a mutation is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Rotations,
    Flush,
    Restart,
    /// The marks' key alone is lost, which is seen when someone appends, or comes.
    EvictionThenAppend,
    EvictionThenNewcomer,
}

impl Fault {
    const ALL: [Self; 5] = [
        Self::Rotations,
        Self::Flush,
        Self::Restart,
        Self::EvictionThenAppend,
        Self::EvictionThenNewcomer,
    ];

    fn happen(self, shop: &Shop) {
        match self {
            Self::Rotations => (0..3).for_each(|_| {
                let current = || shop.server.cli(&["HGET", META, "current"]);
                let before = current();
                shop.server.cli(&["HSET", META, "due", "0"]);
                eventually("the rotation", || current() != before);
            }),
            Self::Flush => {
                shop.server.cli(&["FLUSHALL"]);
            }
            Self::Restart => shop.server.restart(),
            Self::EvictionThenAppend => {
                assert_eq!(shop.server.cli(&["DEL", MARKS]), "1");
                now(shop.here.invalidate(["other"])).expect("an invalidation");
            }
            Self::EvictionThenNewcomer => {
                assert_eq!(shop.server.cli(&["DEL", MARKS]), "1");
                shop.newcomer();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_outlasts_what_happens_to_the_log_before_the_commit() {
    for fault in Fault::ALL {
        let mut shop = Shop::open().await;
        shop.begin("in_time");
        fault.happen(&shop);
        // Long before it would be renewed.
        eventually("the mark, where it was lost", || shop.marks() == 1);
        let newcomer = shop.newcomer();
        eventually("the mark in each view", || {
            newcomer.stats().marks == 1 && shop.here.stats().marks == 1
        });
        assert_eq!(shop.read(&newcomer), (10, Outcome::Computed), "{fault:?}");
        shop.commit();
        shop.mutates.kill();
        eventually("a newcomer's connection", || {
            shop.newcomer().stats().marks == 1
        });
        shop.assert_guarded();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mark_whose_holder_is_gone_outlasts_what_happens_to_the_log() {
    for fault in Fault::ALL {
        let mut shop = Shop::open().await;
        shop.begin("reprice");
        shop.commit();
        shop.mutates.kill();
        fault.happen(&shop);
        // It may be gone with the log, and what was stored is then gone too.
        let newcomer = shop.newcomer();
        for _ in 0..2 {
            assert_eq!(shop.read(&newcomer).0, 20, "{fault:?}");
            assert_eq!(shop.read(&shop.here).0, 20, "{fault:?}");
            assert_eq!(shop.reads.ask("read"), "20", "{fault:?}");
        }
        shop.await_hits();
    }
}

// Many at once

/// As many as several batches of whatever is done with marks.
const MANY: u64 = 300;

#[invalidates(tags = ["book:{id}"], crash_safe(deadline = "1s"), cache = cache)]
async fn linger(cache: &Cache, id: u64, time: Duration) {
    tokio::time::sleep(time).await;
}

/// Begins as many mutations, each with a mark of its own.
fn linger_all(cache: &Cache, time: Duration) -> Vec<JoinHandle<()>> {
    let linger_at = |id| {
        let cache = cache.clone();
        tokio::spawn(async move { linger(&cache, id, time).await })
    };
    (0..MANY).map(linger_at).collect()
}

fn head(server: &Server) -> u64 {
    let head = server.cli(&["HGET", META, "head"]);
    head.parse().expect("a number")
}

/// Has as many mutations under way until it is killed.
#[test]
fn lingerer() {
    let Some(steer) = Steer::take() else { return };
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let cache = connect_strictly(&env::var("URL").expect("a URL")).await;
        let all = linger_all(&cache, Duration::from_hours(1));
        steer.hear_async().await;
        drop(all);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_marks_stand_as_long_as_their_mutations_and_are_kept_in_few_round_trips() {
    let server = Server::start();
    let cache = connect_strictly(&server.url()).await;
    let other = connect_strictly(&server.url()).await;
    let before = head(&server);
    let all = linger_all(&cache, Duration::from_secs(4));
    eventually("all marks", || other.stats().marks == MANY);
    assert_eq!(cache.stats().unguarded, 0);
    assert_eq!(head(&server), before + MANY);
    server.reset_stats();
    let stand = Instant::now();
    // Each would be over twice.
    eventually("two deadlines", || {
        assert_eq!(other.stats().marks, MANY);
        stand.elapsed() > Duration::from_secs(2)
    });
    let renewals = server.commandstats()["hexists"];
    let requests = &server.info("stats")["total_reads_processed"];
    let requests: u64 = requests.parse().expect("a number");
    assert!(renewals > 3 * MANY, "{renewals}");
    assert!(requests < MANY, "{requests} reads for {renewals} renewals");
    for mutation in all {
        mutation.await.expect("its end");
    }
    eventually("their end", || other.stats().marks == 0);
    assert_eq!(head(&server), before + 2 * MANY, "one that ends each");
    assert_eq!(server.cli(&["HLEN", MARKS]), "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_marks_of_a_process_that_was_killed_are_ended_once_each() {
    let server = Server::start();
    let url = server.url();
    let others = futures_util::future::join_all((0..3).map(|_| connect_strictly(&url))).await;
    let before = head(&server);
    let mut worker = Worker::spawn_with("lingerer", &[("URL", &url)]);
    let marks = |other: &Cache| other.stats().marks;
    eventually("all marks", || {
        others.iter().all(|other| marks(other) == MANY)
    });
    worker.kill();
    assert_eq!(head(&server), before + MANY);
    eventually("their end", || others.iter().all(|other| marks(other) == 0));
    assert_eq!(server.cli(&["HLEN", MARKS]), "1");
    assert_eq!(head(&server), before + 2 * MANY, "one that ends each");
}
