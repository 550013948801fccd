//! What the bodies of all cells ask: a shop of each cell's own, which says what a test has told it,
//! counts how often it was asked, and asks a rate of its own that is cached itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use afresh::{Cache, KeyPart, KeyWriter, cached};
use tokio::sync::watch;

/// What went wrong in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    Source,
    Cache(afresh::ErrorKind),
}

impl From<afresh::Error> for Broken {
    fn from(error: afresh::Error) -> Self {
        Self::Cache(error.kind())
    }
}

/// What every cell returns.
pub(crate) type Answer = Result<u32, Broken>;

/// A price that is not stored by a cell with `store_if`.
pub(crate) const UNLUCKY: u32 = 13;
/// A price that is not stored by a cell whose ttl follows from the value.
pub(crate) const FLEETING: u32 = 14;

#[derive(Clone)]
pub(crate) struct Shop(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) cache: Cache,
    pub(crate) number: u32,
    price: AtomicU32,
    fails: AtomicBool,
    /// Calls of the rate that bodies have made.
    asked: AtomicU32,
    runs: watch::Sender<u32>,
    held: watch::Sender<bool>,
}

impl std::ops::Deref for Shop {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl KeyPart for Shop {
    fn encode(&self, key: &mut KeyWriter) {
        key.part(&self.number);
    }
}

#[cached(ttl = "6d", namespace = "rates", key = shop.number, tags = ["rate:{shop.number}"], cache = shop.cache)]
async fn rate(shop: &Shop) -> u32 {
    shop.number
}

#[cached(ttl = "6d", namespace = "blocking rates", key = shop.number, tags = ["rate:{shop.number}"], cache = shop.cache)]
fn rate_sync(shop: &Shop) -> u32 {
    shop.number
}

impl Shop {
    pub(crate) fn new(cache: &Cache, number: u32) -> Self {
        Self(Arc::new(Inside {
            cache: cache.clone(),
            number,
            price: AtomicU32::new(0),
            fails: AtomicBool::new(false),
            asked: AtomicU32::new(0),
            runs: watch::Sender::new(0),
            held: watch::Sender::new(false),
        }))
    }

    /// What a body does.
    pub(crate) async fn compute(&self, id: u32) -> Answer {
        self.asked.fetch_add(1, Ordering::SeqCst);
        rate(self).await;
        // What it reads, it reads before it waits.
        let price = self.price.load(Ordering::SeqCst);
        self.runs.send_modify(|runs| *runs += 1);
        let mut held = self.held.subscribe();
        held.wait_for(|held| !held).await.expect("a sender");
        self.answer(id, price)
    }

    /// As [`compute`](Self::compute), for a function that is not async.
    pub(crate) fn compute_sync(&self, id: u32) -> Answer {
        self.asked.fetch_add(1, Ordering::SeqCst);
        rate_sync(self);
        self.runs.send_modify(|runs| *runs += 1);
        self.answer(id, self.price.load(Ordering::SeqCst))
    }

    fn answer(&self, id: u32, price: u32) -> Answer {
        if self.fails.load(Ordering::SeqCst) {
            return Err(Broken::Source);
        }
        Ok(self.value(id, price))
    }

    /// What is said of this entry at this price: of no other entry, of no other cell.
    pub(crate) fn value(&self, id: u32, price: u32) -> u32 {
        self.number * 10_000 + id * 100 + price
    }

    pub(crate) fn runs(&self) -> u32 {
        *self.runs.borrow()
    }

    pub(crate) fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn costs(&self, price: u32) {
        self.price.store(price, Ordering::SeqCst);
    }

    pub(crate) fn breaks(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// From here on, bodies wait before they return; or no longer.
    pub(crate) fn hold(&self, held: bool) {
        self.held.send_replace(held);
    }

    /// So many bodies have run, or run now.
    pub(crate) async fn reached(&self, runs: u32) {
        let mut seen = self.runs.subscribe();
        seen.wait_for(|seen| *seen >= runs).await.expect("a sender");
    }
}

/// The price that is in a value.
pub(crate) fn price(value: u32) -> u32 {
    value % 100
}

/// Tags that follow from the arguments.
pub(crate) fn labels(shop: &Shop) -> impl Iterator<Item = String> + use<> {
    ["shops".to_owned(), format!("shop:{}", shop.number)].into_iter()
}

/// Tags that follow from the value.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "`result_tags` gives a reference"
)]
pub(crate) fn result_labels(value: &u32) -> [String; 1] {
    [format!("result:{}", value / 10_000)]
}
