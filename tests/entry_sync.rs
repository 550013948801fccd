//! Handles on one entry of a sync function: what each operation does, and that a call which has
//! nothing to return ends without a trace.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use afresh::{Cache, ErrorKind, Outcome, Tier, cached, entry, entry_sync, invalidates, outcome};
use afresh_test_support::PATIENCE;

struct Db {
    cache: Cache,
    runs: AtomicUsize,
    fails: AtomicBool,
    panics: AtomicBool,
}

impl Db {
    fn new() -> Self {
        Self {
            cache: Cache::in_memory(),
            runs: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            panics: AtomicBool::new(false),
        }
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    fn run(&self) -> usize {
        self.runs.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn invalidate(&self, tag: &str) {
        let invalidated = now(self.cache.invalidate([tag]));
        invalidated.expect("in memory");
    }

    /// What a call of a row is answered, and how.
    fn row(&self, id: usize) -> (Result<usize, String>, Outcome) {
        now(outcome(async { row(self, id) }))
    }
}

/// Drives a future that never waits.
fn now<F: Future>(future: F) -> F::Output {
    futures_util::FutureExt::now_or_never(future).expect("it waits")
}

const HIT: Outcome = Outcome::Hit(Tier::Local);

#[cached(ttl = 60, key = "{id}", tags = ["rows"], namespace = "row", singleflight, cache = db.cache)]
fn row(db: &Db, id: usize) -> Result<usize, String> {
    let run = db.run();
    assert!(!db.panics.load(Ordering::SeqCst), "by design, in run {run}");
    if db.fails.load(Ordering::SeqCst) {
        return Err(format!("run {run}"));
    }
    Ok(run)
}

#[cached(ttl = 60, key = "{id}", namespace = "async_row", cache = db.cache)]
async fn async_row(db: &Db, id: usize) -> usize {
    db.run() + id
}

#[test]
fn the_key_is_told_and_nothing_runs() {
    let db = Db::new();
    let key = entry_sync(|| row(&db, 7)).key().expect("a cached call");
    assert_eq!((key.as_str(), key.namespace()), ("row:7", "row"));
    assert_eq!(db.runs(), 0);
}

#[test]
fn peek_finds_what_is_there_and_runs_nothing() {
    let db = Db::new();
    assert_eq!(entry_sync(|| row(&db, 1)).peek().expect("cached"), None);
    assert_eq!(row(&db, 1), Ok(1));
    assert_eq!(
        entry_sync(|| row(&db, 1)).peek().expect("cached"),
        Some(Ok(1))
    );
    db.invalidate("rows");
    assert_eq!(entry_sync(|| row(&db, 1)).peek().expect("cached"), None);
    assert_eq!(db.runs(), 1);
}

#[test]
fn what_is_put_is_a_hit_until_it_is_invalidated() {
    let db = Db::new();
    entry_sync(|| row(&db, 1))
        .put(Ok(70))
        .expect("nothing moved");
    assert_eq!(db.row(1), (Ok(70), HIT));
    entry_sync(|| row(&db, 1))
        .put(Ok(71))
        .expect("nothing moved");
    assert_eq!(db.row(1), (Ok(71), HIT), "it replaces what is there");
    db.invalidate("rows");
    assert_eq!(
        db.row(1),
        (Ok(1), Outcome::Computed),
        "a put carries the tags"
    );
}

#[test]
fn an_error_is_not_put() {
    let db = Db::new();
    let put = entry_sync(|| row(&db, 1)).put(Err("no".to_owned()));
    assert_eq!(put.expect_err("an `Err`").kind(), ErrorKind::Refused);
    assert_eq!(entry_sync(|| row(&db, 1)).peek().expect("cached"), None);
}

#[test]
fn closure_options_are_asked_about_what_is_put() {
    #[cached(
        ttl = 60,
        key = (),
        store_if = |value| *value > 5,
        result_tags = |value| ["value:{value}"],
        cache = db.cache
    )]
    fn judged(db: &Db) -> usize {
        db.run()
    }

    let db = Db::new();
    // Whoever puts a value wants it stored.
    entry_sync(|| judged(&db)).put(5).expect("nothing moved");
    assert_eq!((judged(&db), db.runs()), (5, 0));
    db.invalidate("value:5");
    assert_eq!(entry_sync(|| judged(&db)).peek().expect("cached"), None);
}

#[test]
fn what_is_older_than_an_invalidation_is_not_put() {
    for (moved, refused) in [("rows", true), ("other", false)] {
        let db = Db::new();
        assert_eq!(row(&db, 1), Ok(1));
        let handle = entry_sync(|| row(&db, 1));
        db.invalidate(moved);
        let put = handle.put(Ok(70));
        if refused {
            assert_eq!(put.expect_err("too old").kind(), ErrorKind::Refused);
            assert_eq!(entry_sync(|| row(&db, 1)).peek().expect("cached"), None);
        } else {
            put.expect("it does not carry that tag");
            assert_eq!(db.row(1), (Ok(70), HIT));
        }
    }
}

#[test]
fn of_two_handles_the_second_put_is_refused() {
    let db = Db::new();
    let (first, second) = (entry_sync(|| row(&db, 1)), entry_sync(|| row(&db, 1)));
    second.put(Ok(2)).expect("nothing moved");
    let put = first.put(Ok(1));
    assert_eq!(put.expect_err("it has moved").kind(), ErrorKind::Refused);
    assert_eq!(db.row(1), (Ok(2), HIT));
}

#[test]
fn refresh_computes_and_replaces() {
    let db = Db::new();
    assert_eq!(row(&db, 1), Ok(1));
    assert_eq!(entry_sync(|| row(&db, 1)).refresh(), Ok(2));
    assert_eq!(db.row(1), (Ok(2), HIT));
    assert_eq!(entry_sync(|| row(&db, 2)).refresh(), Ok(3), "nothing there");
    assert_eq!(db.row(2), (Ok(3), HIT));
    db.fails.store(true, Ordering::SeqCst);
    let refreshed = entry_sync(|| row(&db, 1)).refresh();
    assert_eq!(refreshed, Err("run 4".to_owned()));
    assert_eq!(db.row(1), (Ok(2), HIT), "a failed one leaves what is there");
}

#[test]
fn one_entry_is_invalidated_and_no_other() {
    let db = Db::new();
    let (one, two) = (row(&db, 1), row(&db, 2));
    assert_eq!((one, two), (Ok(1), Ok(2)));
    entry_sync(|| row(&db, 1)).invalidate().expect("in memory");
    assert_eq!(entry_sync(|| row(&db, 1)).peek().expect("cached"), None);
    assert_eq!(
        entry_sync(|| row(&db, 2)).peek().expect("cached"),
        Some(Ok(2))
    );
}

#[test]
fn what_is_no_cached_call_is_an_error_that_says_so() {
    let runs = AtomicUsize::new(0);
    let plain = || runs.fetch_add(1, Ordering::SeqCst);
    let kinds = [
        entry_sync(plain).key().expect_err("plain").kind(),
        entry_sync(plain).peek().expect_err("plain").kind(),
        entry_sync(plain).put(1).expect_err("plain").kind(),
        entry_sync(plain).invalidate().expect_err("plain").kind(),
    ];
    assert_eq!(kinds, [ErrorKind::NotCached; 4]);
    assert_eq!(
        runs.load(Ordering::SeqCst),
        4,
        "each has run, as it is told"
    );
    entry_sync(plain).refresh();
    let error = entry_sync(plain).key().expect_err("plain").to_string();
    assert!(error.contains("it has been run"), "{error}");
}

/// A sync call in a future, and a future in a closure: neither is what the handle is made for.
#[test]
fn calls_of_the_other_kind_are_no_cached_calls() {
    let (said, heard) = std::sync::mpsc::channel();
    let calls = std::thread::spawn(move || {
        let db = Db::new();
        let of_a_future = entry(async { row(&db, 1) });
        let kind = now(of_a_future.key()).expect_err("not async").kind();
        assert_eq!((kind, db.runs()), (ErrorKind::NotCached, 1));
        let call = || now(async_row(&db, 1));
        let kind = entry_sync(call).key().expect_err("not sync").kind();
        assert_eq!(kind, ErrorKind::NotCached);
        assert_eq!(entry_sync(call).refresh(), 3, "a hit");
        assert_eq!(now(outcome(async_row(&db, 1))), (3, HIT));
        let peeked = entry_sync(call).peek().expect_err("not sync").kind();
        assert_eq!(peeked, ErrorKind::NotCached);
        // Before and after, calls are what they were.
        assert_eq!(db.row(1), (Ok(1), HIT));
        said.send(()).expect("heard");
    });
    heard
        .recv_timeout(PATIENCE)
        .expect("it hangs, or has failed");
    calls.join().expect("no panic");
}

#[test]
fn a_panic_of_the_body_passes_through() {
    let db = Db::new();
    let _hook = Hook::counting();
    assert_eq!(row(&db, 1), Ok(1));
    db.panics.store(true, Ordering::SeqCst);
    let refresh = AssertUnwindSafe(|| entry_sync(|| row(&db, 1)).refresh());
    let payload = catch_unwind(refresh).expect_err("it panics");
    let text = payload.downcast_ref::<String>().expect("its own");
    assert_eq!(text, "by design, in run 2");
    assert_eq!(db.row(1), (Ok(1), HIT), "what is there stays");
    let of_the_closure = AssertUnwindSafe(|| entry_sync(|| -> usize { panic!("before the call") }));
    catch_unwind(of_the_closure).expect_err("it panics");
    // The next handle is not disturbed by what those left behind.
    db.panics.store(false, Ordering::SeqCst);
    assert_eq!(entry_sync(|| row(&db, 1)).refresh(), Ok(3));
    assert_eq!(PANICS.load(Ordering::SeqCst), 2);
}

static PANICS: AtomicUsize = AtomicUsize::new(0);
static HOOKS: Mutex<()> = Mutex::new(());

/// A hook that counts panics, while it lives; one test at a time has it.
struct Hook(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Hook {
    fn counting() -> Self {
        let held = HOOKS.lock().unwrap_or_else(PoisonError::into_inner);
        PANICS.store(0, Ordering::SeqCst);
        let me = std::thread::current().id();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if std::thread::current().id() == me {
                PANICS.fetch_add(1, Ordering::SeqCst);
            } else {
                before(info);
            }
        }));
        Self(held)
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        // The default one: what other tests say goes there again.
        if !std::thread::panicking() {
            drop(panic::take_hook());
        }
    }
}

#[test]
fn the_panic_hook_does_not_run() {
    let db = Db::new();
    let hook = Hook::counting();
    let handle = entry_sync(|| row(&db, 1));
    assert_eq!(handle.peek().expect("cached"), None);
    entry_sync(|| row(&db, 1))
        .put(Ok(1))
        .expect("nothing moved");
    entry_sync(|| row(&db, 1)).invalidate().expect("in memory");
    entry_sync(|| row(&db, 1)).key().expect("cached");
    assert_eq!(PANICS.load(Ordering::SeqCst), 0);
    drop(hook);
}

#[test]
fn what_the_closure_holds_is_dropped_where_the_call_ends() {
    struct Held<'a>(&'a AtomicUsize);
    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    let db = Db::new();
    let dropped = AtomicUsize::new(0);
    let call = || {
        let _held = Held(&dropped);
        row(&db, 1)
    };
    assert_eq!(entry_sync(call).peek().expect("cached"), None);
    assert_eq!(
        dropped.load(Ordering::SeqCst),
        2,
        "for the handle, and for the look"
    );
}

#[test]
fn a_handle_that_is_dropped_leaves_no_trace() {
    let db = Db::new();
    drop(entry_sync(|| row(&db, 1)));
    let handle = entry_sync(|| ());
    assert_eq!(db.row(1), (Ok(1), Outcome::Computed));
    drop(handle);
}

#[test]
fn a_call_may_be_inspected_while_another_is() {
    let db = Db::new();
    let outer = entry_sync(|| {
        let inner = entry_sync(|| row(&db, 1)).key().expect("a cached call");
        assert_eq!(inner.as_str(), "row:1");
        row(&db, 2)
    });
    assert_eq!(outer.key().expect("a cached call").as_str(), "row:2");
    assert_eq!(db.runs(), 0);
}

#[test]
fn it_works_inside_a_body() {
    #[cached(ttl = 60, key = (), cache = db.cache)]
    fn outer(db: &Db) -> Option<Result<usize, String>> {
        entry_sync(|| row(db, 1)).peek().expect("a cached call")
    }

    let db = Db::new();
    assert_eq!(outer(&db), None);
    assert_eq!(entry_sync(|| outer(&db)).refresh(), None);
    assert_eq!(row(&db, 1), Ok(1));
    assert_eq!(entry_sync(|| outer(&db)).refresh(), Some(Ok(1)));
    assert_eq!(db.runs(), 1);
}

struct Shelf {
    db: Arc<Db>,
    name: &'static str,
}

trait Pages {
    fn page(&self, id: usize) -> usize;
}

impl Pages for Shelf {
    #[cached(ttl = 60, key = "{self.name}:{id}", tags = ["shelf"], cache = self.db.cache)]
    fn page(&self, id: usize) -> usize {
        self.db.run() + id
    }
}

impl Shelf {
    #[cached(ttl = 60, key = "{self.name}:{id}", tags = ["shelf"], cache = self.db.cache)]
    fn spine<const BACK: bool>(&self, id: usize) -> usize {
        self.db.run() + id + usize::from(BACK)
    }

    #[invalidates(tags = ["shelf"], cache = self.db.cache)]
    fn burn(&self) {}
}

/// Put, hit, invalidate: through whatever kind of call.
macro_rules! handles {
    ($shelf:ident, $call:expr) => {
        entry_sync(|| $call).put(70).expect("nothing moved");
        assert_eq!($call, 70);
        assert_eq!(entry_sync(|| $call).peek().expect("cached"), Some(70));
        $shelf.burn();
        assert_eq!(entry_sync(|| $call).peek().expect("cached"), None);
    };
}

#[test]
fn methods_and_trait_methods_have_handles_too() {
    let db = Arc::new(Db::new());
    let shelf = Shelf {
        db: Arc::clone(&db),
        name: "a",
    };
    handles!(shelf, shelf.page(1));
    handles!(shelf, shelf.spine::<true>(1));
    let object: &dyn Pages = &shelf;
    handles!(shelf, object.page(1));
    assert_eq!(db.runs(), 0);
}

#[test]
fn a_call_for_an_argument_is_not_the_one_that_is_meant() {
    #[cached(ttl = 60, key = (), cache = db.cache)]
    fn user(db: &Db) -> u16 {
        7
    }
    #[cached(ttl = 60, key = "{id}", cache = db.cache)]
    fn price(db: &Db, id: u16) -> usize {
        db.run() + usize::from(id)
    }

    let db = Db::new();
    let key = |id| entry_sync(|| price(&db, id)).key().expect("cached");
    let nested = || entry_sync(|| price(&db, user(&db)));
    assert_eq!(
        nested().key().expect("cached").to_string(),
        key(7).to_string()
    );
    nested().put(700).expect("nothing moved");
    assert_eq!(price(&db, 7), 700);
    assert_eq!(nested().peek().expect("cached"), Some(700));
    nested().invalidate().expect("memory");
    assert_eq!(entry_sync(|| price(&db, 7)).peek().expect("cached"), None);
    assert_eq!(db.runs(), 0);
}

#[test]
fn a_closure_that_calls_for_another_entry_each_time_changes_nothing() {
    #[cached(ttl = 60, key = "{id}", cache = db.cache)]
    fn price(db: &Db, id: usize) -> usize {
        db.run() + id
    }

    let db = Db::new();
    let mut next = 0;
    let mut calls = || {
        next += 1;
        price(&db, next)
    };
    let refused = entry_sync(&mut calls).put(70).expect_err("another entry");
    assert_eq!(refused.kind(), ErrorKind::NotCached);
    assert!(refused.to_string().contains("another entry"), "{refused}");
    for id in 1..3 {
        assert_eq!(entry_sync(|| price(&db, id)).peek().expect("cached"), None);
    }
    assert_eq!(db.runs(), 0);
}
