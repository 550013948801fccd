//! What an entry takes on the server, over its payload: its name and whatever stands around the
//! value. What the server itself needs for a key is not in it.

use afresh::{Cache, cached};
use afresh_measure::{Book, Point, Series};
use afresh_test_support::Server;

use crate::peers::Shelf;
use crate::peers::amalgam::Amalgam;
use crate::peers::cachekit::Cachekit;
use crate::peers::hitbox::Hitbox;
use crate::peers::ours::Ours;

const ENTRIES: i64 = 1_000;

#[cached(ttl = 3600, key = "{id}", cache = cache)]
async fn untagged(cache: &Cache, id: i64) -> Book {
    Book::new(id)
}

struct Untagged(Cache);

impl Shelf for Untagged {
    const SUBJECT: &'static str = "afresh #[cached], no tags";

    async fn book(&self, id: i64) {
        untagged(&self.0, id).await;
    }
}

pub(crate) fn all() {
    let runtime = crate::runtime();
    runtime.block_on(async {
        let server = Server::start();
        let cache = Cache::builder().url(server.plain_url()).local(false);
        taken(&server, Untagged(cache.build().await.expect("a cache"))).await;
        let server = Server::start();
        taken(&server, Ours::new(&server.plain_url()).await).await;
        let server = Server::start();
        taken(&server, Hitbox::new(&server.plain_url())).await;
        let server = Server::start();
        taken(&server, Cachekit::new(&server.plain_url()).await).await;
        let server = Server::start();
        taken(&server, Amalgam::new(&server.plain_url()).await).await;
    });
}

async fn taken<S: Shelf>(server: &Server, shelf: S) {
    for id in 0..ENTRIES {
        shelf.book(id).await;
    }
    // The value as ours encodes it: what others need more for it is theirs.
    let payload: usize = (0..ENTRIES)
        .map(|id| {
            postcard::to_stdvec(&Book::new(id))
                .expect("plain data")
                .len()
        })
        .sum();
    let names = server.cli(&["KEYS", "*"]);
    let mut all = 0;
    let mut entries = 0;
    for name in names.lines().filter(|name| !name.is_empty()) {
        // Each library's entries are strings or hashes of their own; its bookkeeping is less than
        // a hundredth of them.
        let length = match server.cli(&["TYPE", name]).trim() {
            "string" => server.cli(&["STRLEN", name]),
            "hash" => server.cli(&["EVAL", SUM, "1", name]),
            _ => continue,
        };
        let length: usize = length.trim().parse().expect("a length");
        if length >= 100 {
            all += name.len() + length;
            entries += 1;
        }
    }
    assert!(entries >= ENTRIES, "{} has {entries} entries", S::SUBJECT);
    Series {
        point: Point::new("memory", "on the server", "bytes"),
        subject: S::SUBJECT.to_owned(),
        rounds: vec![(all as f64 - payload as f64) / ENTRIES as f64],
    }
    .write();
}

/// The bytes of a hash.
const SUM: &str =
    "local n = 0 for _, v in ipairs(redis.call('HGETALL', KEYS[1])) do n = n + #v end return n";
