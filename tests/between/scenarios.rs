//! What is done while commands are held: each way in which a call, a mutation or a connection
//! speaks with the server.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use afresh::{Consistency, testing};
use afresh_test_support::Exchange;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};

use crate::shop::{Kind, put, refresh};
use crate::stage::{Stage, poll};

type Play = fn(Arc<Stage>) -> BoxFuture<'static, ()>;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) consistency: Consistency,
    pub(crate) connections: usize,
    /// Whether the one whose commands are held keeps values of its own.
    pub(crate) keeps: bool,
    /// Before commands are counted.
    pub(crate) prepare: Play,
    pub(crate) subject: Play,
    /// Whether a body of the subject's can be held too.
    pub(crate) has_body: bool,
    /// How often it computes at the most where nothing intervenes.
    pub(crate) computes: Option<u64>,
}

/// Strict, on one connection, with a body.
const fn scenario(name: &'static str, kind: Kind, prepare: Play, subject: Play) -> Scenario {
    Scenario {
        name,
        kind,
        consistency: Consistency::Strict,
        connections: 1,
        keeps: true,
        prepare,
        subject,
        has_body: true,
        computes: None,
    }
}

impl Scenario {
    const fn bounded(mut self) -> Self {
        self.consistency = Consistency::Bounded;
        self
    }

    const fn on_two(mut self) -> Self {
        self.connections = 2;
        self.keeps_nothing()
    }

    const fn keeps_nothing(mut self) -> Self {
        self.keeps = false;
        self
    }

    const fn without_body(mut self) -> Self {
        self.has_body = false;
        self
    }

    const fn computes(mut self, most: u64) -> Self {
        self.computes = Some(most);
        self
    }
}

#[rustfmt::skip]
pub(crate) static ALL: [Scenario; 26] = [
    scenario("a miss", Kind::Plain, connected, reads),
    scenario("a miss with a lease", Kind::Flown, connected, reads).computes(1),
    scenario("a miss with tags of its result", Kind::Labelled, connected, reads),
    scenario("a hit in the server", Kind::Plain, stored, reads).without_body(),
    scenario("a hit in the server, on two connections", Kind::Plain, stored, reads_twice).on_two().without_body(),
    scenario("a hit in the server after a note", Kind::Plain, stored, reads_after_a_note).keeps_nothing().without_body(),
    scenario("a hit in the server after a record of its own", Kind::Plain, stored, reads_after_its_own_record).keeps_nothing().without_body(),
    scenario("a hit in the server after a note of nothing", Kind::Plain, stored, reads_after_a_note_of_nothing).keeps_nothing().without_body(),
    scenario("a hit here, proven", Kind::Plain, kept, reads).without_body(),
    scenario("a hit here after a note", Kind::Plain, kept, reads_after_a_note).bounded().without_body(),
    scenario("a hit that the log is asked about", Kind::Plain, unknown, reads).without_body(),
    scenario("a hit that the log is asked about, on two connections", Kind::Plain, unknown, reads_twice).on_two().without_body(),
    scenario("a follower", Kind::Flown, led_elsewhere, follows).computes(0).without_body(),
    scenario("a leader that is followed", Kind::Flown, connected, leads).computes(1).without_body(),
    scenario("a lease that is renewed", Kind::Renewed, connected, computes_for_long).without_body(),
    scenario("a call that is dropped", Kind::Flown, connected, is_dropped).computes(2).without_body(),
    scenario("an entry that cannot be read", Kind::Plain, garbled, reads),
    scenario("a stale value, computed in the background", Kind::Graced, stale, refreshes_behind),
    scenario("a put", Kind::Plain, kept, puts).without_body(),
    scenario("a refresh", Kind::Plain, kept, refreshes),
    scenario("an invalidation", Kind::Plain, kept, changes).bounded(),
    scenario("an invalidation that no call waits for", Kind::Flown, connected, changes_while_computing).bounded().computes(3),
    scenario("a crash-safe mutation", Kind::Plain, kept, reprices).bounded(),
    scenario("a rotation", Kind::Plain, due, rotates).without_body(),
    scenario("a reconnection", Kind::Plain, kept, reconnects).without_body(),
    scenario("a connection", Kind::Plain, known_elsewhere, connects).without_body(),
];

// Before

/// Its first heartbeat is over, on each connection: no other comes for a second.
fn connected(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.connect().await;
        let beats = || {
            let seen = stage.gate.seen();
            let answered = |name: &'static [u8]| {
                let is_it = move |one: &Exchange| one.words[0] == name && one.answer.is_some();
                let all = seen.iter().enumerate();
                all.filter_map(move |(at, one)| is_it(one).then_some(at))
            };
            // The first one came with the connection.
            let beat = answered(b"TIME").nth(1);
            beat.is_some_and(|beat| {
                let beside = answered(b"HMGET").filter(|&at| at > beat);
                beside.count() + 1 >= stage.scenario.connections
            })
        };
        poll("the first heartbeat", beats).await;
    }
    .boxed()
}

/// In the server.
fn stored(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        connected(Arc::clone(&stage)).await;
        moves_on(&stage).await;
        stage.read(&stage.b, 1, "before").await;
        // A look for something else: the note has been followed.
        stage.read(stage.a(), 9, "of something else").await;
    }
    .boxed()
}

/// A record that is nobody's business.
pub(crate) async fn moves_on(stage: &Stage) {
    let moved = stage.b.cache.invalidate(["others"]).await;
    moved.expect("an invalidation");
}

/// In the server and in the local tier.
fn kept(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        connected(Arc::clone(&stage)).await;
        stage.read(stage.a(), 1, "before").await;
        stage.read(stage.a(), 1, "before").await;
    }
    .boxed()
}

/// Something is stored, and something else is invalidated after that.
fn known_elsewhere(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        moves_on(&stage).await;
        stage.read(&stage.b, 1, "before").await;
        moves_on(&stage).await;
    }
    .boxed()
}

/// The view begins after what is stored.
fn unknown(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        known_elsewhere(Arc::clone(&stage)).await;
        connected(stage).await;
    }
    .boxed()
}

/// Another process has the lease, and computes until it is told to end.
fn led_elsewhere(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        connected(Arc::clone(&stage)).await;
        let body = &stage.b.body;
        body.waits.store(true, Ordering::SeqCst);
        let leads = Arc::clone(&stage);
        stage
            .beside(async move {
                leads.read(&leads.b, 1, "as the leader").await;
            })
            .await;
        poll("the leader's body", || body.entered.load(Ordering::SeqCst)).await;
    }
    .boxed()
}

fn garbled(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stored(Arc::clone(&stage)).await;
        for key in stage.keys('e') {
            let _ = stage
                .server
                .command(&[b"SETRANGE", &key, b"90", b"garbage"]);
        }
    }
    .boxed()
}

/// What is kept is past its ttl.
fn stale(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        kept(Arc::clone(&stage)).await;
        testing::advance(&stage.a().cache, Duration::from_secs(61));
    }
    .boxed()
}

/// The log's hashes are to be rotated at the next heartbeat.
fn due(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        kept(Arc::clone(&stage)).await;
        stage.server.cli(&["HSET", &stage.log("log"), "due", "0"]);
    }
    .boxed()
}

// The subject

fn reads(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.read(stage.a(), 1, "under way").await;
    }
    .boxed()
}

fn reads_twice(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn reads_after_its_own_record(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        // Where it is not acknowledged, it is owed.
        let _ = stage.a().cache.invalidate(["others"]).await;
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

/// The records have been touched, and are what they were.
fn reads_after_a_note_of_nothing(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let records = stage.log("records");
        stage.server.cli(&["EXPIRE", &records, "3600"]);
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn reads_after_a_note(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        // Only the note is waited for here: its connections may have been closed.
        let _ = stage.b.cache.invalidate(["others"]).await;
        stage.read(stage.a(), 1, "under way").await;
        // Found nowhere, and then nothing is behind.
        stage.read(stage.a(), 2, "of something else").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

/// The other leader goes on once this one follows it, or has given that up.
fn follows(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let denied = pin!(poll("the follower", || Stage::denied(stage.a()) > 0));
        let read = pin!(stage.read(stage.a(), 1, "under way"));
        let ended = select(read, denied).await;
        stage.b.body.go.notify_one();
        if let Either::Right(((), read)) = ended {
            read.await;
        }
    }
    .boxed()
}

/// Reads, with a body that waits, and does something once it does. Where no body is run, nothing
/// else is.
async fn reads_while(stage: &Stage, id: u64, other: impl Future<Output = ()>) {
    let body = &stage.a().body;
    body.waits.store(true, Ordering::SeqCst);
    let other = async {
        poll("the body", || body.entered.load(Ordering::SeqCst)).await;
        other.await;
        body.go.notify_one();
    };
    let read = pin!(stage.read(stage.a(), id, "under way"));
    if let Either::Right(((), read)) = select(read, pin!(other)).await {
        read.await;
    }
    body.waits.store(false, Ordering::SeqCst);
}

/// The body goes on once the other follows.
fn leads(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let other = Arc::clone(&stage);
        reads_while(&stage, 1, async {
            let ended = Arc::<AtomicBool>::default();
            let ends = Arc::clone(&ended);
            let follower = Arc::clone(&other);
            let follows = async move {
                follower.read(&follower.b, 1, "of a follower").await;
                ends.store(true, Ordering::SeqCst);
            };
            other.beside(follows).await;
            poll("the follower", || {
                Stage::denied(&other.b) > 0 || ended.load(Ordering::SeqCst)
            })
            .await;
        })
        .await;
    }
    .boxed()
}

/// The body goes on once its lease has been renewed; or might have been, had it one.
fn computes_for_long(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let is_renewed = || {
            // EVALSHA, digest, 1, lease, token, time.
            let renews = |one: &Exchange| one.words.len() == 6 && one.words[0] == b"EVALSHA";
            let seen = stage.gate.seen();
            seen.iter().any(|one| renews(one) && one.answer.is_some())
        };
        reads_while(&stage, 1, async {
            let renewed = poll("a renewal", is_renewed);
            // Where there is no lease, there is no renewal.
            let _ = tokio::time::timeout(Duration::from_millis(100), renewed).await;
        })
        .await;
    }
    .boxed()
}

/// Its caller goes away while it computes.
fn is_dropped(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let body = &stage.a().body;
        body.waits.store(true, Ordering::SeqCst);
        {
            let read = pin!(stage.read(stage.a(), 1, "that is dropped"));
            let entered = poll("the body", || body.entered.load(Ordering::SeqCst));
            select(read, pin!(entered)).await;
        }
        body.waits.store(false, Ordering::SeqCst);
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn refreshes_behind(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.read(stage.a(), 1, "under way").await;
        testing::idle(&stage.a().cache).await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn puts(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        put(stage.a()).await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn refreshes(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let floor = stage.a().floor();
        let value = refresh(stage.a()).await;
        if value < floor {
            stage.fail(format!("the refresh brought {value}, not {floor}"));
        }
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn changes(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.a().change().await;
        stage.read(stage.a(), 1, "after it").await;
        stage.read(stage.a(), 1, "once more").await;
    }
    .boxed()
}

/// While a body computes what is invalid by then. Where the body ends first, the invalidation is
/// dropped on its way, and made once more.
fn changes_while_computing(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        let again = Arc::clone(&stage);
        reads_while(&stage, 1, async {
            again.a().change().await;
            let reads = Arc::clone(&again);
            again
                .beside(async move {
                    reads.read(reads.a(), 1, "after it").await;
                })
                .await;
        })
        .await;
    }
    .boxed()
}

fn reprices(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.a().reprice().await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn rotates(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        testing::advance(&stage.a().cache, Duration::from_secs(1));
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
        stage.read(stage.a(), 2, "of something else").await;
    }
    .boxed()
}

fn reconnects(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.gate.cut();
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}

fn connects(stage: Arc<Stage>) -> BoxFuture<'static, ()> {
    async move {
        stage.connect().await;
        stage.read(stage.a(), 1, "under way").await;
        stage.read(stage.a(), 1, "after it").await;
    }
    .boxed()
}
