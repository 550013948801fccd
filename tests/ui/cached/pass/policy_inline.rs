//! A policy without background work asks nothing of a function: it may borrow everything, and its
//! future need not be `Send`.

#![deny(warnings, unused, clippy::all, clippy::pedantic)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use afresh::{Limited, Policy, cached};

const STEADY: Policy = Policy::new()
    .stale_if_error(Duration::from_secs(60))
    .jitter(0.1);
const BOUNDED: Policy<afresh::Inline, Limited> =
    Policy::new().hard_timeout(Duration::from_secs(1));

/// Neither `Clone` nor `Sync`.
struct Db(RefCell<u32>);

impl Db {
    #[cached(ttl = 60, key = "{id}", policy = STEADY)]
    async fn book(&self, id: u32) -> u32 {
        *self.0.borrow_mut() += 1;
        let kept = Rc::new(id);
        std::future::ready(()).await;
        *self.0.borrow() + *kept
    }

    #[cached(ttl = 60, key = "{id}", policy = STEADY)]
    async fn changed(&mut self, id: u32) -> u32 {
        *self.0.get_mut() += id;
        id
    }
}

#[cached(ttl = 60, skip(db, name, most, counts, kept), policy = STEADY, store_if = |found| found.len() < *most)]
async fn search(
    db: &Db,
    name: Option<&str>,
    (first, second): &(String, u32),
    most: &usize,
    counts: &mut Vec<u32>,
    kept: Rc<u32>,
) -> String {
    counts.push(*second);
    let found = db.book(*kept).await;
    format!("{found}{first}{}", name.unwrap_or("none"))
}

#[cached(ttl = 60, policy = BOUNDED)]
async fn bounded(name: &str) -> Result<String, Box<afresh::Error>> {
    Ok(name.to_owned())
}

#[cached(ttl = 60, policy = STEADY)]
async fn borrowed_error<'a>(name: &'a str) -> Result<String, &'a str> {
    if name.is_empty() { Err(name) } else { Ok(name.to_owned()) }
}

#[cached(ttl = 60, policy = STEADY)]
fn plain(name: &str) -> String {
    name.to_owned()
}

#[cached(ttl = 60, policy = STEADY)]
async fn recursive(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    Box::pin(recursive(n - 1)).await + Box::pin(recursive(n - 2)).await
}

fn main() {
    let mut db = Db(RefCell::new(0));
    drop(db.book(1));
    drop(db.changed(1));
    drop(search(&db, None, &(String::new(), 1), &1, &mut Vec::new(), Rc::new(1)));
    drop(bounded(""));
    drop(borrowed_error(""));
    drop(recursive(1));
    plain("");
}
