//! What one cell is played on: a server, two caches and the gate before each, and what is looked
//! at in the end. Each cell has a prefix, caches and gates of its own; the server it shares with
//! the cells before it.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use afresh::{Cache, Consistency};
use afresh_test_support::{CommandGate, Server};
use tokio::task::JoinHandle;

use crate::scenarios::Scenario;
use crate::shop::{Reader, Source};

/// What takes longer hangs.
pub(crate) const GUARD: Duration = Duration::from_secs(12);

/// A busy machine is not what is tested.
const PATIENT: Duration = Duration::from_secs(4);

pub(crate) struct Stage {
    pub(crate) server: Arc<Server>,
    pub(crate) prefix: String,
    pub(crate) source: Arc<Source>,
    pub(crate) gate: Arc<CommandGate>,
    /// The one whose commands are held, once it is connected.
    pub(crate) a: OnceLock<Reader>,
    /// Another process's, which keeps nothing: what it serves, the server has.
    pub(crate) b: Reader,
    pub(crate) failures: Mutex<Vec<String>>,
    /// What goes on beside the subject and has to end too.
    pub(crate) beside: Mutex<Vec<JoinHandle<()>>>,
    pub(crate) scenario: &'static Scenario,
}

impl Stage {
    pub(crate) async fn set(
        server: Arc<Server>,
        prefix: String,
        scenario: &'static Scenario,
    ) -> Arc<Self> {
        let source = Arc::<Source>::default();
        let gate = Arc::new(CommandGate::before(&server));
        let other = Arc::new(CommandGate::before(&server));
        let b = reader("B", &other, &prefix, &source, &STRANGER).await;
        Arc::new(Self {
            server,
            prefix,
            source,
            gate,
            a: OnceLock::new(),
            b,
            failures: Mutex::default(),
            beside: Mutex::default(),
            scenario,
        })
    }

    /// Connects the one whose commands are held.
    pub(crate) async fn connect(&self) {
        let scenario = self.scenario;
        let manner = Manner {
            consistency: scenario.consistency,
            connections: scenario.connections,
            keeps: scenario.keeps,
        };
        let a = reader("A", &self.gate, &self.prefix, &self.source, &manner).await;
        assert!(self.a.set(a).is_ok(), "connected twice");
    }

    /// One that knows nothing by itself.
    pub(crate) async fn late(&self) -> Reader {
        reader("late", &self.b.gate, &self.prefix, &self.source, &STRANGER).await
    }

    pub(crate) fn a(&self) -> &Reader {
        self.a.get().expect("connected")
    }

    pub(crate) fn fail(&self, what: String) {
        self.failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what);
    }

    /// Reads, and says where that is older than it may be, or does not end.
    pub(crate) async fn read(&self, reader: &Reader, id: u64, when: &str) -> u64 {
        let floor = reader.floor();
        let read = self.scenario.kind.read(reader, id);
        let Ok(value) = tokio::time::timeout(GUARD, read).await else {
            let (name, cache) = (reader.name, &reader.cache);
            self.fail(format!(
                "{name}'s read {when} hangs: {cache:?} {}",
                cache.stats()
            ));
            return u64::MAX;
        };
        if value < floor {
            let name = reader.name;
            self.fail(format!("{name}'s read {when} is {value}, not {floor}"));
        }
        value
    }

    /// As [`read`](Self::read), and stores nothing: what it finds is there for the others as it was.
    pub(crate) async fn peek(&self, reader: &Reader, id: u64, when: &str) {
        let (floor, name) = (reader.floor(), reader.name);
        let peek = self.scenario.kind.peek(reader, id);
        match tokio::time::timeout(GUARD, peek).await {
            Err(_) => self.fail(format!("{name}'s look {when} hangs: {:?}", reader.cache)),
            Ok(Some(value)) if value < floor => {
                self.fail(format!("{name}'s look {when} finds {value}, not {floor}"));
            }
            Ok(_) => {}
        }
    }

    /// Goes on beside the subject. When this returns, it has got as far as it gets by itself.
    pub(crate) async fn beside(&self, task: impl Future<Output = ()> + Send + 'static) {
        let (says, begun) = tokio::sync::oneshot::channel();
        let task = tokio::spawn(async move {
            let mut task = Box::pin(task);
            let mut says = Some(says);
            poll_fn(|context| {
                let polled = task.as_mut().poll(context);
                if let Some(says) = says.take() {
                    // Nobody waits where the cell has ended already.
                    let _ = says.send(());
                }
                polled
            })
            .await;
        });
        begun.await.expect("a task that begins");
        self.beside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(task);
    }

    /// A key of the log.
    pub(crate) fn log(&self, part: &str) -> String {
        format!("{{{}}}:afresh:1:{part}", self.prefix)
    }

    /// The entries (`e`) or leases (`l`).
    pub(crate) fn keys(&self, kind: char) -> Vec<Vec<u8>> {
        let pattern = format!("{}:afresh:1:{kind}:*", self.prefix);
        let keys = self.server.command(&[b"KEYS", pattern.as_bytes()]).list();
        keys.into_iter().filter_map(|key| key.bytes()).collect()
    }

    pub(crate) fn delete(&self, kind: char) {
        for key in self.keys(kind) {
            let _ = self.server.command(&[b"DEL", &key]);
        }
    }

    /// How often a reader has been told that another holds the lease.
    pub(crate) fn denied(reader: &Reader) -> usize {
        let seen = reader.gate.seen();
        // The bid's answer begins with 1 where the lease is held.
        let denied = |answer: &&Vec<u8>| answer.starts_with(b"*5\r\n:1\r\n");
        let answers = seen.iter().filter_map(|one| one.answer.as_ref());
        answers.filter(denied).count()
    }
}

/// How a cache is set up.
struct Manner {
    consistency: Consistency,
    connections: usize,
    keeps: bool,
}

/// One that serves what the server has, and nothing else.
const STRANGER: Manner = Manner {
    consistency: Consistency::Strict,
    connections: 1,
    keeps: false,
};

async fn reader(
    name: &'static str,
    gate: &Arc<CommandGate>,
    prefix: &str,
    source: &Arc<Source>,
    manner: &Manner,
) -> Reader {
    let &Manner {
        consistency,
        connections,
        keeps,
    } = manner;
    let builder = Cache::builder().url(gate.url()).prefix(prefix).local(keeps);
    let builder = builder.consistency(consistency).connections(connections);
    let cache = builder.op_timeout(PATIENT).build().await;
    Reader {
        name,
        cache: cache.expect("a cache"),
        gate: Arc::clone(gate),
        source: Arc::clone(source),
        body: Arc::default(),
        runs: Arc::default(),
        consistency,
        own: Arc::default(),
    }
}

/// Looks every millisecond until `done` holds; a hang is for who reads to say.
pub(crate) async fn poll(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < 2 * GUARD, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The sum of a counter over both readers.
pub(crate) fn runs(stage: &Stage) -> u64 {
    let readers = stage.a.get().into_iter().chain([&stage.b]);
    readers
        .map(|reader| reader.runs.load(Ordering::SeqCst))
        .sum()
}
