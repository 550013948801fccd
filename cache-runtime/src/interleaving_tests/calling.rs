//! Whole calls of a cache in memory, beside invalidations: what a read that begins after one was
//! acknowledged may still return.

use std::sync::Arc;
use std::time::Duration;

use shuttle::future::{block_on, yield_now};

use super::explore;
use super::oracle::{Source, Threads};
use crate::cache::{Cache, Consistency};
use crate::call::{enter, site};
use crate::clock::ManualClock;
use crate::key::KeyWriter;
use crate::output::Returns;
use crate::shared::simulated::World;
use crate::spec::Spec;

const TTL: Duration = Duration::from_hours(1);

/// What the function is like that is called.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Form {
    /// It has `singleflight`.
    pub(super) flies: bool,
    /// Its tag is known only from the result.
    pub(super) by_result: bool,
    /// It returns what it has read as an error, if it is odd.
    pub(super) fails: bool,
}

/// A cache, a function's database, and what is known of both.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) cache: Cache,
    pub(super) clock: ManualClock,
    pub(super) source: Arc<Source>,
}

impl Setting {
    pub(super) fn new() -> Arc<Self> {
        let clock = ManualClock::new();
        let cache = Cache::builder().clock(&clock).local_capacity(4);
        Arc::new(Self {
            cache: cache.by_default(),
            clock,
            source: Arc::default(),
        })
    }

    /// Another process that shares this store, and its database.
    pub(super) fn of(store: &Arc<World>, is: Consistency, source: &Arc<Source>) -> Arc<Self> {
        let cache = Cache::builder().store(store).consistency(is);
        Arc::new(Self {
            cache: cache.local_capacity(4).by_default(),
            clock: ManualClock(Arc::clone(store.clock())),
            source: Arc::clone(source),
        })
    }

    /// A mutation, and its invalidation.
    pub(super) fn invalidate(&self) {
        let number = self.source.change();
        block_on(self.cache.invalidate(["number"])).expect("a log in memory");
        self.source.acknowledge(number);
    }

    /// How many flights are in the air.
    pub(super) fn flights(&self) -> usize {
        self.cache.0.flights.len()
    }
}

fn spec(flies: bool) -> Spec {
    let spec = Spec::new("number", file!(), line!(), 0).namespace("numbers");
    if flies {
        spec.singleflight(10_000, 30_000)
    } else {
        spec
    }
}

fn key(name: &'static str) -> impl FnOnce(&mut KeyWriter) {
    move |writer| writer.part(name)
}

/// One call, with a body that reads the source.
pub(super) async fn get(setting: &Setting, form: Form) -> u64 {
    let kit = Returns::<Result<u64, u64>>::NEW.shape().errors().stored();
    let body = async {
        let number = setting.source.read();
        yield_now().await;
        if form.fails && number % 2 == 1 {
            Err(number)
        } else {
            Ok(number)
        }
    };
    let cache = Some(&setting.cache);
    let call = enter(kit, &spec(form.flies), site(&|| ()), cache, key("one"));
    let run = call.run(|start| {
        start.ttl(TTL);
        if !form.by_result {
            start.tags(["number"]);
        }
        start.judged(|finishing| async move {
            let mut finish = finishing.body(body).await;
            if form.by_result {
                finish.result_tags(|_| ["number"]);
            }
            finish.finish()
        })
    });
    match run.await {
        Ok(number) | Err(number) => number,
    }
}

/// One call of another key, with this body.
pub(super) async fn named<B>(setting: &Setting, name: &'static str, body: B) -> u64
where
    B: Future<Output = Result<u64, u64>>,
{
    let kit = Returns::<Result<u64, u64>>::NEW.shape().errors().stored();
    let cache = Some(&setting.cache);
    let call = enter(kit, &spec(true), site(&|| ()), cache, key(name));
    let run = call.run(|start| {
        start.ttl(TTL);
        start.body(body)
    });
    match run.await {
        Ok(number) | Err(number) => number,
    }
}

/// One call, which must return what has been acknowledged before it.
pub(super) fn call(setting: &Setting, form: Form) -> u64 {
    let least = setting.source.least();
    let got = block_on(get(setting, form));
    assert!(got >= least, "{got} after {least} was acknowledged");
    got
}

/// Readers and a writer, each of which goes on a few times.
pub(super) fn beside(threads: &mut Threads, setting: &Arc<Setting>, form: Form, times: usize) {
    for _ in 0..2 {
        let setting = Arc::clone(setting);
        threads.start(move || {
            for _ in 0..times {
                call(&setting, form);
            }
        });
    }
    let writer = Arc::clone(setting);
    threads.start(move || {
        for _ in 0..times {
            writer.invalidate();
        }
    });
}

#[test]
fn a_call_returns_nothing_older_than_what_was_acknowledged() {
    explore(
        "a_call_returns_nothing_older_than_what_was_acknowledged",
        || {
            let setting = Setting::new();
            let form = Form::default();
            let mut threads = Threads::new();
            beside(&mut threads, &setting, form, 2);
            threads.join();
            assert_eq!(call(&setting, form), 2);
            let computed = setting.cache.stats().computed;
            assert_eq!(call(&setting, form), 2);
            assert_eq!(
                setting.cache.stats().computed,
                computed,
                "the last is a hit"
            );
        },
    );
}

/// The outer value is made of the inner one, and has no tag of its own.
#[test]
fn an_outer_value_goes_with_the_inner_one() {
    fn outer(setting: &Setting, form: Form) -> u64 {
        block_on(named(setting, "outer", async {
            Ok(get(setting, form).await)
        }))
    }

    explore("an_outer_value_goes_with_the_inner_one", || {
        let setting = Setting::new();
        let form = Form {
            flies: true,
            ..Form::default()
        };
        let mut threads = Threads::new();
        for _ in 0..2 {
            let setting = Arc::clone(&setting);
            threads.start(move || {
                for _ in 0..2 {
                    let least = setting.source.least();
                    let got = outer(&setting, form);
                    assert!(got >= least, "{got} after {least} was acknowledged");
                }
            });
        }
        let writer = Arc::clone(&setting);
        threads.start(move || writer.invalidate());
        threads.join();
        assert_eq!(outer(&setting, form), 1);
        assert_eq!(setting.flights(), 0);
    });
}

/// A plain `fn`, which blocks its thread where it waits for another's compute.
#[test]
fn sync_calls_keep_the_promise_too() {
    fn get(setting: &Setting) -> u64 {
        let kit = Returns::<Result<u64, u64>>::NEW.shape().errors().stored();
        let cache = Some(&setting.cache);
        let call = enter(kit, &spec(true).sync(), site(&|| ()), cache, key("one"));
        let got = call.run_sync(|start| {
            start.ttl(TTL);
            start.tags(["number"]);
            start.body_sync(|| Ok(setting.source.read()))
        });
        match got {
            Ok(number) | Err(number) => number,
        }
    }

    explore("sync_calls_keep_the_promise_too", || {
        let setting = Setting::new();
        let mut threads = Threads::new();
        for _ in 0..2 {
            let setting = Arc::clone(&setting);
            threads.start(move || {
                for _ in 0..2 {
                    let least = setting.source.least();
                    let got = get(&setting);
                    assert!(got >= least, "{got} after {least} was acknowledged");
                }
            });
        }
        let writer = Arc::clone(&setting);
        threads.start(move || writer.invalidate());
        threads.join();
        assert_eq!(get(&setting), 1);
    });
}
