//! A policy with background work owns what the function borrows, and nothing that the body does
//! not use.

#![deny(warnings, unused, clippy::all, clippy::pedantic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use afresh::{Background, KeyPart, Policy, cached};
use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

const SHOP: Policy<Background> = Policy::new().stale_for(Duration::from_secs(60));

#[derive(Clone)]
struct Db {
    policy: Policy<Background>,
}

/// Not `Clone`.
struct Unused;

impl Db {
    async fn load(&self, id: u32) -> u32 {
        std::future::ready(id).await
    }

    #[cached(ttl = 60, key = "{id}", policy = self.policy)]
    async fn book(&self, id: u32) -> u32 {
        let load = || self.load(id);
        load().await
    }

    #[cached(ttl = 60, key = "{id}", policy = SHOP)]
    async fn of_an_arc(self: Arc<Self>, id: u32) -> u32 {
        self.load(id).await
    }

    #[cached(ttl = 60, key = "{id}", policy = SHOP)]
    async fn of_a_borrowed_arc(self: &Arc<Self>, id: u32) -> u32 {
        self.load(id).await
    }

    #[cached(ttl = 60, policy = SHOP)]
    async fn associated(name: &str) -> String {
        name.to_owned()
    }
}

impl Unused {
    #[cached(ttl = 60, key = "{id}", policy = SHOP)]
    async fn leaves_self_alone(&self, id: u32, _unused: &Unused) -> u32 {
        struct Inner(u32);
        impl Inner {
            fn get(&self) -> u32 {
                self.0
            }
        }
        Inner(id).get()
    }
}

#[cached(ttl = 60, skip(db, options), policy = Policy::new().refresh_ahead(0.8).jitter(0.1))]
async fn page(
    db: &Db,
    mut name: &str,
    ids: &[u64],
    path: &Path,
    options: &Arc<Unused>,
    &from: &u32,
    (a, mut b): (u32, String),
    fixed: &'static str,
    r#type: &str,
    #[cfg(any())] absent: &Unused,
    #[cfg(not(any()))] present: &u8,
) -> String {
    name = name.trim();
    b.push_str(fixed);
    let Unused = **options;
    let loaded = db.load(a + from).await;
    format!("{name}{ids:?}{}{b}{type}{loaded}{present}", path.display())
}

#[cached(
    policy = SHOP,
    store_if = |found| found.len() > least,
    ttl = |found| Duration::from_secs(found.len() as u64),
)]
async fn judged(name: &str, least: usize) -> Result<String, String> {
    std::future::ready(()).await;
    Ok(name.to_owned())
}

#[cached(ttl = 60, skip(value), policy = SHOP)]
async fn generic<K, V>(key: &K, value: &V) -> V
where
    K: KeyPart + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    let _: &K = key;
    value.clone()
}

#[cached(ttl = 60, skip(part), policy = const { afresh::Policy::new().refresh_ahead(0.8) })]
async fn bound_as_rustc_suggests<T: ToString + afresh::Ownable>(part: &T) -> String {
    std::future::ready(()).await;
    part.to_string()
}

#[cached(ttl = 60, skip(call), policy = SHOP)]
async fn of_a_function(call: impl Fn(&str) -> usize + Send + 'static) -> usize {
    call("text")
}

#[cached(ttl = 60, skip(policy), policy = policy)]
async fn of_an_argument(policy: &Policy<Background, afresh::Limited>) -> Result<u32, afresh::Error> {
    std::future::ready(Ok(1)).await
}

trait Native {
    async fn native(&self, name: &str) -> String;

    fn opaque(&self, name: &str) -> impl Future<Output = String> + Send;
}

impl Native for Db {
    #[cached(ttl = 60, skip(self), policy = SHOP)]
    async fn native(&self, name: &str) -> String {
        format!("{}{name}", self.load(1).await)
    }

    #[cached(ttl = 60, skip(self), policy = SHOP)]
    async fn opaque(&self, name: &str) -> String {
        format!("{}{name}", self.load(1).await)
    }
}

#[async_trait]
trait Boxed {
    async fn boxed(&self, id: u32, name: &str, unused: &Unused) -> String;
}

#[async_trait]
impl Boxed for Db {
    #[cached(ttl = 60, skip(self, _unused), policy = SHOP)]
    async fn boxed(&self, mut id: u32, name: &str, _unused: &Unused) -> String {
        id += 1;
        format!("{}{name}", self.load(id).await)
    }
}

#[cached(ttl = 60, policy = SHOP)]
async fn recursive(n: u32) -> u64 {
    fn next(n: u32) -> std::pin::Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(recursive(n))
    }
    if n < 2 {
        return u64::from(n);
    }
    next(n - 1).await + next(n - 2).await
}

fn sent<T: Send>(_: T) {}

fn main() {
    let db = Db { policy: SHOP };
    sent(db.book(1));
    sent(db.opaque(""));
    sent(judged("", 1));
    sent(bound_as_rustc_suggests(&1));
    sent(recursive(1));
    drop(db.native(""));
    drop(db.boxed(1, "", &Unused));
    drop(Unused.leaves_self_alone(1, &Unused));
}
