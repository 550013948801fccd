//! A run: many tasks that step until the calls are made, a reading at each hundredth of them, and
//! what was there before the first and after the last. Which caches, and what is looked at when all
//! is over, is said by who makes it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use afresh::testing::{ManualClock, idle};
use afresh::{Cache, Stats};
use afresh_test_support::until;
use tokio::runtime::Handle;
use tokio::sync::Barrier;
use tokio::task::yield_now;

use crate::Settings;
use crate::chance::Chance;
use crate::gauge::{Gauge, Sample};
use crate::leak::Leak;
use crate::step::Place;
use crate::world::World;

/// So many readings are taken, and one more at the beginning.
const SAMPLES: u64 = 100;

/// So many times in a run it says how far it is.
const TOLD: u64 = 10;

/// So many times in a run all connections to the server are cut.
const CUTS: u64 = 20;

/// What to run.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) calls: u64,
    pub(crate) tasks: usize,
    pub(crate) caches: Vec<Cache>,
    pub(crate) world: Arc<World>,
    /// The clock that some of the caches go by: it moves with the calls.
    pub(crate) clock: Option<ManualClock>,
    pub(crate) gauge: Option<Gauge>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) name: &'static str,
    pub(crate) time: Duration,
    pub(crate) before: Sample,
    pub(crate) samples: Vec<Sample>,
    /// When all caches were closed and dropped.
    pub(crate) after: Sample,
    pub(crate) stats: Vec<Stats>,
    /// How many tags were owed, or marks stood, when the caches were closed.
    pub(crate) owed: u64,
    pub(crate) world: Arc<World>,
}

struct Run {
    plan: Plan,
    leak: Option<Leak>,
    next: AtomicU64,
    done: AtomicU64,
    samples: Mutex<Vec<Sample>>,
    /// No task ends before the last reading.
    end: Barrier,
    /// Asked by one task at a time, and seldom.
    gauge: Mutex<Option<Gauge>>,
}

/// Runs it, on this runtime.
pub(crate) async fn run(mut plan: Plan, before: Sample, settings: &Settings) -> Ran {
    let began = Instant::now();
    let gauge = Mutex::new(plan.gauge.take());
    let run = Arc::new(Run {
        end: Barrier::new(plan.tasks),
        plan,
        leak: settings.leak,
        next: AtomicU64::new(0),
        done: AtomicU64::new(0),
        samples: Mutex::default(),
        gauge,
    });
    let task = |at| {
        let chance = Chance::new(settings.seed, at);
        tokio::spawn(Arc::clone(&run).work(at, chance))
    };
    let tasks: Vec<_> = (0..run.plan.tasks).map(task).collect();
    run.sample(0);
    for task in tasks {
        task.await.expect("a task that does not panic");
    }
    let time = began.elapsed();
    let run = Arc::into_inner(run).expect("no task has it any more");
    let Plan {
        name,
        caches,
        world,
        clock,
        ..
    } = run.plan;
    for cache in &caches {
        // What waits for the clock ends when that moves.
        if let Some(clock) = &clock {
            clock.advance(Duration::from_mins(5));
        }
        idle(cache).await;
    }
    let open = |caches: &[Cache]| {
        let open = |cache| {
            let stats = Cache::stats(cache);
            stats.owed + stats.marks
        };
        caches.iter().map(open).sum::<u64>()
    };
    until("that nothing is owed, and no mark stands", async || {
        tokio::time::sleep(Duration::from_millis(5)).await;
        open(&caches) == 0
    })
    .await;
    let mut owed = open(&caches);
    for cache in &caches {
        owed += u64::from(cache.shutdown().await.is_err());
    }
    let stats = caches.iter().map(Cache::stats).collect();
    drop(caches);
    let after = settled(&before).await;
    Ran {
        name,
        time,
        before,
        samples: run
            .samples
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner),
        after,
        stats,
        owed,
        world,
    }
}

/// A reading when what was closed has ended, or when that takes too long.
async fn settled(before: &Sample) -> Sample {
    let began = Instant::now();
    loop {
        let now = Sample::read(0, &[]);
        let is_over = (now.tasks, now.files) == (before.tasks, before.files);
        if is_over || began.elapsed() > Duration::from_secs(5) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

impl Run {
    async fn work(self: Arc<Self>, at: usize, chance: Chance) {
        let Plan {
            caches,
            world,
            calls,
            ..
        } = &self.plan;
        let mut place = Place {
            cache: caches[at % caches.len()].clone(),
            world: Arc::clone(world),
            chance,
        };
        let batch = (calls / (SAMPLES * 10)).clamp(1, 500);
        loop {
            let from = self.next.fetch_add(batch, Ordering::Relaxed);
            let count = calls.saturating_sub(from).min(batch);
            if count == 0 {
                break;
            }
            for step in 0..count {
                place.step().await;
                if let Some(leak) = self.leak {
                    leak.one(from + step);
                }
            }
            // In memory nothing else would let the others have their turn.
            yield_now().await;
            self.has_done(count);
        }
        self.end.wait().await;
    }

    fn has_done(&self, count: u64) {
        let from = self.done.fetch_add(count, Ordering::Relaxed);
        let part = |done: u64, parts: u64| done * parts / self.plan.calls;
        let passes = |parts| part(from, parts) != part(from + count, parts);
        if passes(SAMPLES) {
            self.sample(from + count);
        }
        if passes(TOLD) {
            let (name, all) = (self.plan.name, self.plan.calls);
            eprintln!("{name}: {} of {all} calls", from + count);
        }
        if passes(CUTS)
            && from + count < self.plan.calls
            && let Some(gauge) = &mut *self.gauge.lock().unwrap_or_else(PoisonError::into_inner)
        {
            gauge.cut_all();
        }
        // Minutes in a run, in steps that are shorter than any ttl.
        if passes(SAMPLES * 10)
            && let Some(clock) = &self.plan.clock
        {
            clock.advance(Duration::from_millis(500));
        }
    }

    fn sample(&self, calls: u64) {
        let mut sample = Sample::read(calls, &self.plan.caches);
        let mut gauge = self.gauge.lock().unwrap_or_else(PoisonError::into_inner);
        sample.server = gauge.as_mut().map(Gauge::read);
        drop(gauge);
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.push(sample);
    }
}

/// What there is before a run: with what the first cache of a process begins, and what stays.
pub(crate) async fn warmed(caches: Vec<Cache>, world: &Arc<World>) -> Sample {
    for cache in caches {
        let mut place = Place {
            cache: cache.clone(),
            world: Arc::clone(world),
            chance: Chance::new(0, 0),
        };
        for _ in 0..1_000 {
            place.step().await;
        }
        // An error is told by the run itself.
        let _ = cache.shutdown().await;
    }

    until("that the runtime has nothing to do", async || {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Handle::current().metrics().num_alive_tasks() == 0
    })
    .await;
    Sample::read(0, &[])
}
