//! Functions with a policy: what one without background work leaves borrowed, and what one with it
//! owns. Each is run both where its caller waits and behind a caller that has its answer.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use afresh::testing::{self, ManualClock};
use afresh::{Background, Cache, Inline, KeyPart, Limited, Outcome, Policy, Tier, cached, outcome};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::apart;

const MINUTE: Duration = Duration::from_mins(1);
const STEADY: Policy = Policy::new().stale_if_error(MINUTE);
const BOUNDED: Policy<Inline, Limited> = STEADY.hard_timeout(MINUTE);
const SWIFT: Policy<Background> = STEADY.stale_for(MINUTE);
const SWIFT_BOUNDED: Policy<Background, Limited> = SWIFT.hard_timeout(MINUTE);

/// Asserts of some calls with background work that each misses, then hits; that it is served
/// stale when its ttl of a minute is over, and that what it owns makes the same value behind it.
macro_rules! swift {
    ($($call:expr => $value:expr),+ $(,)?) => {{
        let clock = ManualClock::new();
        let cache = Cache::builder().clock(&clock).build().await.expect("in memory");
        testing::with_cache(cache.clone(), async {
            for (expected, after) in [
                (Outcome::Computed, Duration::ZERO),
                (Outcome::Hit(Tier::Local), MINUTE + Duration::from_secs(1)),
                (Outcome::Stale, Duration::ZERO),
                (Outcome::Hit(Tier::Local), Duration::ZERO),
            ] {
                $({
                    let came = outcome(async { $call }).await;
                    assert_eq!(came, ($value, expected), stringify!($call));
                })+
                testing::idle(&cache).await;
                clock.advance(after);
            }
        })
        .await;
    }};
}

/// Neither `Clone` nor `Sync`.
struct Local(Cell<u32>);

impl Local {
    #[cached(ttl = 60, key = "{id}", policy = STEADY)]
    async fn borrowed(&self, id: u32, name: Option<&str>, changed: &mut Vec<u32>) -> u32 {
        let kept = Rc::new(id);
        tokio::task::yield_now().await;
        changed.push(id);
        self.0.get() + *kept + name.map_or(0, |_| 1)
    }

    #[cached(ttl = 60, key = "{id}", policy = STEADY)]
    async fn captured(&self, id: u32) -> String {
        format!("{self:?}{id}")
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.get().fmt(f)
    }
}

#[cached(ttl = 60, policy = BOUNDED)]
async fn destructured((name, id): &(String, u32)) -> Result<String, afresh::Error> {
    Ok(format!("{name}{id}"))
}

#[cached(ttl = 60, skip(rest), policy = STEADY, store_if = |found| found.len() > *least)]
async fn rest(rest: Rc<Cell<u32>>, least: &usize) -> String {
    tokio::task::yield_now().await;
    rest.get().to_string()
}

#[cached(ttl = 60, policy = STEADY)]
async fn borrowed_error<'a>(name: &'a str) -> Result<String, &'a str> {
    if name.is_empty() {
        return Err(name);
    }
    Ok(name.to_owned())
}

#[cached(ttl = 60, policy = STEADY)]
fn plain(name: &str) -> String {
    name.to_owned()
}

#[cached(ttl = 60, policy = STEADY)]
async fn fibonacci(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    Box::pin(fibonacci(n - 1)).await + Box::pin(fibonacci(n - 2)).await
}

#[tokio::test]
async fn without_background_work_nothing_is_owned() {
    let local = Local(Cell::new(10));
    let mut changed = Vec::new();
    apart!(
        local.borrowed(1, None, &mut changed).await => 11,
        local.borrowed(2, Some(""), &mut changed).await => 13,
    );
    assert_eq!(changed, [1, 2]);
    let count = Rc::new(Cell::new(77));
    let pair = (String::from("a"), 1);
    apart!(
        local.captured(1).await => "101".to_owned(),
        destructured(&pair).await.map_err(drop) => Ok("a1".to_owned()),
        rest(Rc::clone(&count), &1).await => "77".to_owned(),
        borrowed_error("b").await => Ok("b".to_owned()),
        plain("c") => "c".to_owned(),
    );
    crate::isolated(async {
        assert_eq!(fibonacci(20).await, 6_765);
    })
    .await;
}

#[derive(Clone)]
struct Db {
    name: &'static str,
    policy: Policy<Background>,
}

impl Db {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            policy: SWIFT,
        }
    }

    async fn load(&self, id: u32) -> String {
        tokio::task::yield_now().await;
        format!("{}{id}", self.name)
    }

    #[cached(ttl = 60, key = "{self.name}:{id}", policy = self.policy)]
    async fn book(&self, id: u32) -> String {
        let load = |id| self.load(id);
        load(id).await
    }

    #[cached(ttl = 60, key = "{self.name}:{id}", policy = SWIFT)]
    async fn of_an_arc(self: Arc<Self>, id: u32) -> String {
        self.load(id).await
    }

    #[cached(ttl = 60, key = "{self.name}:{id}", policy = SWIFT)]
    async fn of_a_borrowed_arc(self: &Arc<Self>, id: u32) -> String {
        let shared = Arc::clone(self);
        shared.load(id).await
    }

    #[cached(ttl = 60, policy = SWIFT)]
    async fn associated(name: &str) -> String {
        Self::new("own").load(1).await + name
    }

    #[cached(
        key = "{self.name}:{id}",
        policy = SWIFT,
        store_if = |found| found.starts_with(self.name),
        ttl = |found| if found.is_empty() { Duration::ZERO } else { self.minutes(least) },
        result_tags = |found| ["{self.name}", found.clone()],
    )]
    async fn judged(&self, id: u32, least: u64) -> Result<String, afresh::Error> {
        Ok(self.load(id).await)
    }

    fn minutes(&self, count: u64) -> Duration {
        MINUTE * count as u32
    }
}

/// Not `Clone`.
struct Unused;

impl Unused {
    #[cached(ttl = 60, key = "{id}", policy = SWIFT)]
    async fn left_alone(&self, id: u32, _unused: &Unused) -> u32 {
        struct Inner(u32);
        impl Inner {
            fn get(&self) -> u32 {
                self.0
            }
        }
        Inner(id).get()
    }
}

#[cached(ttl = 60, skip(shared), policy = Policy::new().stale_for(MINUTE).jitter(0.0))]
async fn arguments(
    mut name: &str,
    ids: &[u64],
    path: &Path,
    shared: &Arc<Unused>,
    &from: &u32,
    (a, mut b): (u32, String),
    fixed: &'static str,
) -> String {
    name = name.trim();
    b.push_str(fixed);
    let shared = Arc::clone(shared);
    tokio::task::yield_now().await;
    let count = Arc::strong_count(&shared).min(1);
    format!(
        "{name}{ids:?}{}{b}{}",
        path.display(),
        a + from + u32::try_from(count).unwrap_or(0)
    )
}

#[cached(ttl = 60, policy = SWIFT)]
async fn raw_and_present(
    r#type: &str,
    #[cfg(any())] absent: &Unused,
    #[cfg(not(any()))] present: &u8,
) -> String {
    format!("{type}{present}")
}

#[cached(ttl = 60, skip(value), policy = SWIFT_BOUNDED)]
async fn generic<K, V>(key: &K, value: &V) -> Result<V, afresh::Error>
where
    K: KeyPart + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    let _: &K = key;
    Ok(value.clone())
}

#[cached(ttl = 60, key = "a", policy = SWIFT)]
async fn called(call: impl Fn(&str) -> usize + Send + 'static) -> usize {
    call("text")
}

#[cached(ttl = 60, skip(policy), policy = policy)]
async fn of_an_argument(policy: &Policy<Background>, id: u32) -> u32 {
    id
}

#[cached(ttl = 60, policy = SWIFT)]
async fn recursive(n: u32) -> u64 {
    fn next(n: u32) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(recursive(n))
    }
    if n < 2 {
        return n.into();
    }
    next(n - 1).await + next(n - 2).await
}

trait Native {
    async fn native(&self, name: &str) -> String;

    fn opaque(&self, name: &str) -> impl Future<Output = String> + Send;
}

impl Native for Db {
    #[cached(ttl = 60, key = (self.name, name), policy = SWIFT)]
    async fn native(&self, name: &str) -> String {
        self.load(1).await + name
    }

    #[cached(ttl = 60, key = (self.name, name), policy = SWIFT)]
    async fn opaque(&self, name: &str) -> String {
        self.load(2).await + name
    }
}

#[async_trait]
trait Boxed {
    async fn boxed(&self, id: u32, name: &str, unused: &Unused) -> String;

    async fn traced(&self, id: u32) -> String;
}

#[async_trait]
impl Boxed for Db {
    #[cached(ttl = 60, key = (self.name, id, name), policy = SWIFT)]
    async fn boxed(&self, mut id: u32, name: &str, _unused: &Unused) -> String {
        id += 1;
        self.load(id).await + name
    }

    #[tracing::instrument(skip(self))]
    #[cached(ttl = 60, key = "{self.name}:{id}", policy = SWIFT)]
    async fn traced(&self, id: u32) -> String {
        self.load(id).await
    }
}

#[tracing::instrument(skip(db))]
#[cached(ttl = 60, key = "{id}", policy = SWIFT)]
async fn traced_outside(db: &Db, id: u32) -> String {
    db.load(id).await
}

#[cached(ttl = 60, key = "{id}", policy = SWIFT)]
#[tracing::instrument(skip(db))]
async fn traced_inside(db: &Db, id: u32) -> String {
    db.load(id).await
}

/// Made by a macro, of which the names are its own.
macro_rules! made {
    ($name:ident, $of:expr) => {
        #[cached(ttl = 60, key = "{id}", policy = $of)]
        async fn $name(db: &Db, id: u32) -> String {
            db.load(id).await
        }
    };
}

made!(made_by_a_macro, SWIFT);

#[tokio::test]
async fn what_a_method_borrows_is_owned_behind_its_caller() {
    let (a, b) = (Db::new("a"), Db::new("b"));
    let shared = Arc::new(Db::new("c"));
    swift!(
        a.book(1).await => "a1".to_owned(),
        b.book(1).await => "b1".to_owned(),
        Arc::clone(&shared).of_an_arc(1).await => "c1".to_owned(),
        shared.of_a_borrowed_arc(2).await => "c2".to_owned(),
        Db::associated("x").await => "own1x".to_owned(),
        a.judged(3, 1).await.map_err(drop) => Ok("a3".to_owned()),
        Unused.left_alone(4, &Unused).await => 4,
    );
}

#[tokio::test]
async fn what_is_borrowed_is_owned_behind_the_caller() {
    let shared = Arc::new(Unused);
    let db = Db::new("a");
    swift!(
        arguments(" n ", &[1], Path::new("p"), &shared, &1, (2, "b".into()), "f").await
            => "n[1]pbf4".to_owned(),
        raw_and_present("t", &7).await => "t7".to_owned(),
        generic(&1_u8, &"one".to_owned()).await.map_err(drop) => Ok("one".to_owned()),
        generic(&"1", &1_u8).await.map_err(drop) => Ok(1),
        called(str::len).await => 4,
        of_an_argument(&SWIFT, 5).await => 5,
        traced_outside(&db, 6).await => "a6".to_owned(),
        traced_inside(&db, 7).await => "a7".to_owned(),
        made_by_a_macro(&db, 8).await => "a8".to_owned(),
    );
    crate::isolated(async {
        assert_eq!(recursive(20).await, 6_765);
    })
    .await;
}

#[tokio::test]
async fn what_a_method_of_a_trait_borrows_is_owned_behind_its_caller() {
    let (a, b) = (Db::new("a"), Db::new("b"));
    swift!(
        a.native("x").await => "a1x".to_owned(),
        b.native("x").await => "b1x".to_owned(),
        a.opaque("x").await => "a2x".to_owned(),
        a.boxed(1, "x", &Unused).await => "a2x".to_owned(),
        b.boxed(1, "x", &Unused).await => "b2x".to_owned(),
        a.traced(3).await => "a3".to_owned(),
    );
}
