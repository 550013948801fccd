//! A worker process: two caches on one log, one of each consistency, with readers and a writer on
//! each, as its parent orders.

use std::env;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use afresh::{Cache, Consistency, Outcome, Tier, outcome};
use afresh_test_support::{PATIENCE, Steer, until};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::sleep;

use crate::board::{Board, nanos, now};
use crate::history::{self, History};
use crate::items::{ROWS, Source, single};
use crate::judge::Promise;
use crate::random::Random;
use crate::side::Side;
use crate::tally::Figure;
use crate::way::Way;

/// What all names in the server begin with.
pub(crate) const PREFIX: &str = "storm";

/// How many tasks read, on each of the two caches.
const READERS: usize = 3;
/// How often a worker tells what it has counted.
const TELLING: Duration = Duration::from_millis(200);

/// What a worker is told about itself.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) folder: PathBuf,
    pub(crate) url: String,
    pub(crate) slot: usize,
    pub(crate) slots: usize,
    /// How many processes have been started for this slot, this one included.
    pub(crate) run: u64,
    pub(crate) seed: u64,
    /// The folder of the history, where one is wanted.
    pub(crate) history: Option<PathBuf>,
}

impl Part {
    pub(crate) fn columns(slots: usize) -> usize {
        2 * slots
    }

    /// As variables of the worker's environment.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("STORM_FOLDER", self.folder.display().to_string()),
            ("STORM_URL", self.url.clone()),
            ("STORM_SLOT", self.slot.to_string()),
            ("STORM_SLOTS", self.slots.to_string()),
            ("STORM_RUN", self.run.to_string()),
            ("STORM_SEED", self.seed.to_string()),
        ];
        if let Some(folder) = &self.history {
            variables.push(("STORM_HISTORY", folder.display().to_string()));
        }
        variables
    }

    fn from_environment() -> Self {
        fn text(name: &str) -> String {
            env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"))
        }
        let number = |name| text(name).parse::<u64>().expect("a number");
        Self {
            folder: text("STORM_FOLDER").into(),
            url: text("STORM_URL"),
            slot: number("STORM_SLOT") as usize,
            slots: number("STORM_SLOTS") as usize,
            run: number("STORM_RUN"),
            seed: number("STORM_SEED"),
            history: env::var_os("STORM_HISTORY").map(PathBuf::from),
        }
    }

    /// The column that a cache of this process writes.
    fn column(&self, promise: Promise) -> usize {
        2 * self.slot + usize::from(promise == Promise::Bounded)
    }

    /// This process's own.
    fn history_of_process(&self) -> History {
        let Some(folder) = &self.history else {
            return History::default();
        };
        let path = history::of_worker(folder, self.slot, self.run);
        let history = History::create(&path).expect("a file of the history");
        let columns = [Promise::Strict, Promise::Bounded].map(|promise| self.column(promise));
        history.process(self.slot, self.run, columns, now());
        history
    }
}

/// A worker with both its sides.
struct Worker {
    steer: Arc<Steer>,
    source: Arc<Source>,
    sides: [Arc<Side>; 2],
    reads: Arc<AtomicBool>,
    writes: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Takes orders until there are no more.
pub(crate) fn run(steer: Steer) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let mut worker = Worker::start(steer).await;
        worker.steer.say("up");
        while let Some(order) = Arc::clone(&worker.steer).hear_async().await {
            worker.obey(&order).await;
        }
    });
}

impl Worker {
    async fn start(steer: Steer) -> Self {
        let part = Part::from_environment();
        let columns = Part::columns(part.slots);
        let steer = Arc::new(steer);
        let source = Arc::new(Source {
            board: Board::open(&part.folder, columns, part.history_of_process())
                .expect("the board"),
            random: Random::new(part.seed),
            computes: AtomicU64::new(0),
        });
        let side = async |promise| {
            let consistency = match promise {
                Promise::Strict => Consistency::Strict,
                Promise::Bounded => Consistency::Bounded,
            };
            let builder = Cache::builder().url(&part.url).prefix(PREFIX);
            let builder = builder.consistency(consistency);
            // Some read over several connections.
            let builder = builder.connections(1 + part.slot % 2);
            let column = part.column(promise);
            let inherited = (0..ROWS).map(|item| source.board.acknowledged(item)[column]);
            Arc::new(Side {
                cache: builder.build().await.expect("a URL of a cache"),
                promise,
                column,
                inherited: inherited.collect(),
                owed: Mutex::default(),
                source: Arc::clone(&source),
                tally: crate::tally::Tally::default(),
                steer: Arc::clone(&steer),
            })
        };
        let sides = [side(Promise::Strict).await, side(Promise::Bounded).await];
        let worker = Self {
            steer,
            source,
            sides,
            reads: Arc::default(),
            writes: Arc::default(),
            tasks: Vec::new(),
        };
        worker.tell_regularly();
        worker
    }

    async fn obey(&mut self, order: &str) {
        let (word, item) = order.split_once(' ').unwrap_or((order, "0"));
        let item: u64 = item.parse().expect("an item");
        match word {
            "watch" => self.watch(item).await,
            "change" => self.change(item).await,
            "storm" => self.storm(),
            "calm" => self.calm().await,
            "check" => self.check().await,
            "close" => self.close().await,
            "verify" => self.verify().await,
            "end" => self.end().await,
            other => panic!("there is no order `{other}`"),
        }
    }

    /// Says when a local copy is there, and when it is gone.
    async fn watch(&self, item: u64) {
        let side = &self.sides[1];
        let read = || outcome(single(&side.cache, &self.source, item));
        let is_local = |answered| answered == Outcome::Hit(Tier::Local);
        let mut hits = 0;
        while hits < 3 {
            hits = if is_local(read().await.1) {
                hits + 1
            } else {
                0
            };
        }
        self.steer.say("watching");
        loop {
            let began = now();
            if !is_local(read().await.1) {
                self.steer.say(began);
                return;
            }
            yield_now().await;
        }
    }

    /// Invalidates an item, and says when that was acknowledged.
    async fn change(&self, item: u64) {
        let side = &self.sides[1];
        let number = self.source.board.change(item, side.column);
        let tags = [crate::items::tag_of_item(item)];
        let done = side.cache.invalidate(tags).await;
        if done.is_err() {
            // A machine that is too busy to answer in time: it is tried again until it is made.
            until("the invalidation", async || side.owes_nothing()).await;
        }
        let at = now();
        side.publish(&[(item, number)], true);
        self.steer.say(at);
    }

    fn storm(&mut self) {
        self.reads.store(true, Ordering::Relaxed);
        self.writes.store(true, Ordering::Relaxed);
        for side in &self.sides {
            for _ in 0..READERS {
                let (side, goes_on) = (Arc::clone(side), Arc::clone(&self.reads));
                self.tasks.push(tokio::spawn(read(side, goes_on)));
            }
            let (writer, goes_on) = (Arc::clone(side), Arc::clone(&self.writes));
            self.tasks.push(tokio::spawn(write(writer, goes_on)));
            let (side, goes_on) = (Arc::clone(side), Arc::clone(&self.writes));
            self.tasks.push(tokio::spawn(settle(side, goes_on)));
        }
        self.steer.say("storming");
    }

    /// Ends readers and writers, and waits until nothing is owed.
    async fn calm(&mut self) {
        self.reads.store(false, Ordering::Relaxed);
        self.writes.store(false, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.expect("a task that does not panic");
        }
        let began = Instant::now();
        for side in &self.sides {
            while !side.owes_nothing() {
                assert!(
                    began.elapsed() < PATIENCE,
                    "{} side: still owed, and nothing is amiss:\n{}",
                    side.promise,
                    side.cache.stats()
                );
                sleep(Duration::from_millis(20)).await;
            }
        }
        self.steer.say("calm");
    }

    /// Reads everything in every way; each read is judged.
    async fn check(&self) {
        for side in &self.sides {
            for (way, item) in Way::all() {
                side.look(way, item).await;
            }
        }
        self.steer.say("checked");
    }

    /// Makes the invalidations that those who were killed could not.
    async fn close(&self) {
        let began = Instant::now();
        for side in &self.sides {
            while !side.close().await {
                assert!(
                    began.elapsed() < PATIENCE,
                    "{} side: no invalidation is acknowledged, and nothing is amiss",
                    side.promise
                );
                sleep(Duration::from_millis(50)).await;
            }
        }
        self.steer.say("closed");
    }

    /// Reads everything in every way; each read must be the truth.
    async fn verify(&self) {
        let truth = |item| self.source.board.truth(item);
        for side in &self.sides {
            for (way, item) in Way::all() {
                side.look_for(way, item, truth).await;
            }
        }
        self.steer.say("verified");
    }

    async fn end(&self) {
        for side in &self.sides {
            let done = side.cache.shutdown().await;
            done.expect("nothing is owed");
        }
        self.tell();
        self.steer.say("ended");
    }

    fn tell(&self) {
        tell(&self.sides, &self.source, &self.steer);
    }

    fn tell_regularly(&self) {
        let sides = self.sides.clone();
        let (source, steer) = (Arc::clone(&self.source), Arc::clone(&self.steer));
        tokio::spawn(async move {
            loop {
                sleep(TELLING).await;
                tell(&sides, &source, &steer);
            }
        });
    }
}

fn tell(sides: &[Arc<Side>; 2], source: &Source, steer: &Steer) {
    let bodies = source.computes.swap(0, Ordering::Relaxed);
    sides[0].tally.add(Figure::Bodies, bodies);
    for side in sides {
        steer.say(format!("tally {} {}", side.promise, side.tally.take()));
    }
}

/// Reads in bursts, so that the other processes get their turn.
async fn read(side: Arc<Side>, goes_on: Arc<AtomicBool>) {
    while goes_on.load(Ordering::Relaxed) {
        for _ in 0..=side.source.random.below(20) {
            side.read().await;
        }
        let pause = side.source.random.below(6_000);
        sleep(Duration::from_micros(pause)).await;
    }
}

/// Changes things, now often and now seldom: some hits should have the time to grow old. Now and
/// then all of them do little but leave changes to be made: what every change outdates is hit then,
/// and no change hides that another was lost.
async fn write(side: Arc<Side>, goes_on: Arc<AtomicBool>) {
    const PAUSES: [u64; 5] = [2, 30, 100, 300, 600];
    while goes_on.load(Ordering::Relaxed) {
        let pause = *side.source.random.pick(&PAUSES);
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until && goes_on.load(Ordering::Relaxed) {
            if is_quiet() {
                side.abandon().await;
                sleep(Duration::from_millis(side.source.random.below(1_000))).await;
                continue;
            }
            side.write().await;
            let pause = side.source.random.below(2_000 * pause);
            sleep(Duration::from_micros(pause)).await;
        }
    }
}

/// One second of three, the same for all processes.
fn is_quiet() -> bool {
    (now() / nanos(Duration::from_secs(1))).is_multiple_of(3)
}

/// Watches for what is owed to be made.
async fn settle(side: Arc<Side>, goes_on: Arc<AtomicBool>) {
    while goes_on.load(Ordering::Relaxed) {
        side.settle();
        sleep(Duration::from_millis(3)).await;
    }
}
