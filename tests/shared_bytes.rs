//! The bytes in the server: what is planted there is a counted miss that is replaced, never a
//! panic and never a wrong value; and the names and bytes that a fleet agrees on are frozen.
#![cfg(feature = "redis")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use afresh::{Cache, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{Server, eventually};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

const SHARED: Outcome = Outcome::Hit(Tier::Shared);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Book {
    id: u32,
    title: String,
}

/// Of the same layout, with another meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Loan {
    id: u32,
    reader: String,
}

fn title(id: u32) -> String {
    format!("book {id}")
}

fn written(id: u32) -> Book {
    let title = title(id);
    Book { id, title }
}

/// How a call is answered, from a closure that cannot await.
fn now<T>(call: impl Future<Output = T>) -> (T, Outcome) {
    tokio::task::block_in_place(|| Handle::current().block_on(outcome(call)))
}

#[cached(ttl = 1800, key = "book:{id}", namespace = "books", version = 3, tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, id: u32) -> Book {
    written(id)
}

#[cached(ttl = 1800, key = "book:{id}", namespace = "books", version = 3, tags = ["books"], cache = cache)]
async fn loan(cache: &Cache, id: u32) -> Loan {
    let reader = "a reader".to_owned();
    Loan { id, reader }
}

/// A cache that keeps nothing of its own, so that each call reads the server.
async fn connect(server: &Server) -> Cache {
    let builder = Cache::builder().url(server.url()).prefix("shop");
    builder.local(false).build().await.expect("a cache")
}

fn get(server: &Server, key: &str) -> Vec<u8> {
    let bytes = server.command(&[b"GET", key.as_bytes()]).bytes();
    bytes.unwrap_or_default()
}

fn plant(server: &Server, key: &str, bytes: &[u8]) {
    let reply = server.command(&[b"SET", key.as_bytes(), bytes, b"PX", b"600000"]);
    assert!(!reply.is_error(), "{reply}");
}

/// The only entry there.
fn only_entry(server: &Server) -> String {
    let keys = server.cli(&["KEYS", "*:e:*"]);
    assert_eq!(keys.lines().count(), 1, "{keys}");
    keys
}

/// Plants bytes in the place of book 1, and expects a counted miss, and an entry in their place.
async fn is_a_miss(server: &Server, cache: &Cache, key: &str, bytes: &[u8], what: &str) {
    plant(server, key, bytes);
    let before = cache.stats().unreadable;
    let (value, came) = outcome(book(cache, 1)).await;
    assert_eq!((value, came), (written(1), Outcome::Computed), "{what}");
    // Once, also where the bytes are met again with the lease.
    assert_eq!(cache.stats().unreadable - before, 1, "{what}");
    // Bytes that look newer than the entry are removed first, and replaced by the call after.
    eventually("a hit again", || {
        let (value, came) = now(book(cache, 1));
        assert_eq!(value, written(1), "{what}");
        came == SHARED
    });
    assert_ne!(get(server, key), bytes, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_no_entry_are_replaced() {
    let server = Server::start();
    let cache = connect(&server).await;
    book(&cache, 1).await;
    let key = only_entry(&server);
    let whole = get(&server, &key);
    for length in 0..whole.len() {
        let what = format!("the first {length} bytes");
        is_a_miss(&server, &cache, &key, &whole[..length], &what).await;
    }
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        // Another format version, another codec, other flags, lengths, positions, times.
        bytes[at] ^= 0x55;
        is_a_miss(&server, &cache, &key, &bytes, &format!("byte {at}")).await;
    }
    let mut longer = whole.clone();
    longer.push(0);
    is_a_miss(&server, &cache, &key, &longer, "one byte more").await;
    let noise: Vec<u8> = (0..=255_u8).map(|n| n.wrapping_mul(167)).collect();
    is_a_miss(&server, &cache, &key, &noise, "noise").await;
    is_a_miss(
        &server,
        &cache,
        &key,
        b"AFR\x02 of a later release",
        "another format",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_takes_no_good_entry_with_it() {
    let server = Server::start();
    let (one, two) = (connect(&server).await, connect(&server).await);
    book(&one, 1).await;
    let key = only_entry(&server);
    for round in 0..300 {
        plant(&server, &key, b"noise");
        // Each finds the noise and has it removed, while the other may have stored already.
        let calls = tokio::join!(book(&one, 1), book(&two, 1));
        assert_eq!(calls, (written(1), written(1)));
        assert_eq!(outcome(book(&one, 1)).await.1, SHARED, "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_keys_entry_is_not_this_ones() {
    let server = Server::start();
    let cache = connect(&server).await;
    book(&cache, 1).await;
    let key = only_entry(&server);
    book(&cache, 2).await;
    let other = get(&server, &key.replace("book:1", "book:2"));
    assert!(!other.is_empty());
    is_a_miss(&server, &cache, &key, &other, "book 2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_types_entry_is_not_this_ones() {
    let server = Server::start();
    let cache = connect(&server).await;
    loan(&cache, 1).await;
    let foreign = only_entry(&server);
    let bytes = get(&server, &foreign);
    // Two versions of a program do not even overwrite each other's entries.
    assert_eq!(outcome(book(&cache, 1)).await.1, Outcome::Computed);
    assert_eq!(outcome(loan(&cache, 1)).await.1, SHARED);
    let keys = server.cli(&["KEYS", "*:e:*"]);
    let key = keys.lines().find(|key| *key != foreign).expect("its own");
    is_a_miss(&server, &cache, key, &bytes, "a loan").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_of_another_kind_is_no_entry() {
    let server = Server::start();
    let cache = connect(&server).await;
    book(&cache, 1).await;
    let key = only_entry(&server);
    server.cli(&["DEL", &key]);
    server.cli(&["LPUSH", &key, "a list"]);
    for _ in 0..2 {
        assert_eq!(book(&cache, 1).await.title, title(1));
    }
    assert!(cache.stats().store_errors > 0);
    server.cli(&["DEL", &key]);
    eventually("hits as before", || now(book(&cache, 1)).1 == SHARED);
}

/// Counts what an observer is told of values and bytes.
fn codec_faults() -> (Arc<Mutex<Vec<String>>>, impl Fn(&Event<'_>) + Send + Sync) {
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let observer = {
        let told = Arc::clone(&told);
        move |event: &Event<'_>| {
            if let Event::Fault { error, .. } = event
                && error.kind() == afresh::ErrorKind::Codec
            {
                told.lock()
                    .expect("no panic in here")
                    .push(error.to_string());
            }
        }
    };
    (told, observer)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u32,
    #[serde(flatten)]
    more: BTreeMap<String, u32>,
}

/// Encodes to fewer bytes than it is decoded from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Skipping {
    id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<u32>,
}

#[cached(ttl = 1800, key = "{id}", cache = cache)]
async fn skipping(cache: &Cache, id: u32) -> Skipping {
    Skipping { id, note: None }
}

#[cached(ttl = 1800, key = "{id}", cache = cache)]
async fn flat(cache: &Cache, id: u32) -> Flat {
    Flat {
        id,
        more: BTreeMap::from([("pages".to_owned(), 9)]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_type_that_does_not_come_back_is_told_and_not_stored() {
    let server = Server::start();
    let (told, observer) = codec_faults();
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let cache = builder.observer(observer).build().await.expect("a cache");
    let first = outcome(flat(&cache, 1)).await;
    assert_eq!(first.1, Outcome::Computed);
    assert_eq!(first.0.more["pages"], 9);
    assert_eq!(server.cli(&["KEYS", "*:e:*"]), "");
    // In this process it is as good as any.
    assert_eq!(
        outcome(flat(&cache, 1)).await,
        (first.0, Outcome::Hit(Tier::Local))
    );
    flat(&cache, 2).await;
    skipping(&cache, 1).await;
    skipping(&cache, 2).await;
    assert_eq!(server.cli(&["KEYS", "*:e:*"]), "");
    let told = told.lock().expect("no panic in there");
    assert_eq!(told.len(), 2, "each told once: {told:?}");
    for (line, name) in told.iter().zip(["Flat", "Skipping"]) {
        assert!(line.contains(name), "it names the type: {line}");
        let names = line.contains("Codec::Json");
        assert!(names, "it names what to choose: {line}");
    }
}

#[cfg(feature = "json")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_changes_its_codec_one_process_at_a_time() {
    use afresh::Codec;

    let server = Server::start();
    let postcard = connect(&server).await;
    let builder = Cache::builder().url(server.url()).prefix("shop");
    let json = builder.local(false).codec(Codec::Json).build().await;
    let json = json.expect("a cache");
    book(&json, 1).await;
    assert!(get(&server, &only_entry(&server)).ends_with(br#"{"id":1,"title":"book 1"}"#));
    let (value, came) = outcome(book(&postcard, 1)).await;
    assert_eq!((value.title, came), (title(1), SHARED));
    book(&postcard, 2).await;
    let (value, came) = outcome(book(&json, 2)).await;
    assert_eq!((value.title, came), (title(2), SHARED));
    // What postcard cannot carry, JSON can.
    assert_eq!(outcome(flat(&json, 1)).await.1, Outcome::Computed);
    assert_eq!(outcome(flat(&json, 1)).await.1, SHARED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_are_frozen() {
    let server = Server::start();
    let cache = connect(&server).await;
    let monitor = server.monitor();
    book(&cache, 7).await;
    cache.invalidate(["other"]).await.expect("an invalidation");
    let keys = server.cli(&["KEYS", "*"]);
    let mut keys: Vec<_> = keys
        .lines()
        .filter(|key| !key.contains(":probe:"))
        .collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "shop:afresh:1:e:{books/3/a9e9aac0ae1ac160:book:7}",
            "{shop}:afresh:1:log",
            "{shop}:afresh:1:marks",
            "{shop}:afresh:1:records",
            "{shop}:afresh:1:tags:0",
            "{shop}:afresh:1:tags:1",
        ]
    );
    let commands = monitor.commands();
    let lease = commands.iter().flat_map(|seen| &seen.words);
    let lease = lease
        .filter(|word| word.contains(":l:"))
        .collect::<Vec<_>>();
    assert!(!lease.is_empty());
    for name in lease {
        assert_eq!(name, "shop:afresh:1:l:{books/3/a9e9aac0ae1ac160:book:7}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entrys_bytes_are_frozen() {
    let server = Server::start();
    let cache = connect(&server).await;
    cache.invalidate(["other"]).await.expect("an invalidation");
    let began = server_time(&server);
    book(&cache, 7).await;
    let ended = server_time(&server);
    let bytes = get(&server, &only_entry(&server));
    assert_eq!(bytes[..4], *b"AFR\x02", "magic, format");
    assert_eq!(bytes[4..6], [1, 0], "postcard, no flags");
    assert_eq!(bytes[6..8], [4, 0], "tags");
    let log = server
        .command(&[b"HGET", b"{shop}:afresh:1:log", b"id"])
        .bytes();
    assert_eq!(Some(&bytes[8..24]), log.as_deref(), "log id");
    assert_eq!(
        bytes[24..32],
        [0, 0, 0, 0, 0, 0, 0, 1],
        "version, big-endian"
    );
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let (soft, hard) = (number(32), number(40));
    // The clock behind it is coarse, and its offset from the server's includes a request's way.
    let expected = began + 1_800_000 - 10..ended + 1_800_000 + 5_000;
    assert!(expected.contains(&soft), "{soft} is not in {expected:?}");
    assert_eq!(soft, hard, "no grace");
    assert_eq!(
        bytes[52..60],
        [0x40, 0x77, 0x1b, 0, 0, 0, 0, 0],
        "1,800,000 ms it is fresh for, and nothing ahead of that"
    );
    assert_eq!(
        hex(&bytes[60..76]),
        "4f68923e90c686adefa78aedc630647f",
        "key"
    );
    assert_eq!(hex(&bytes[76..84]), "60c11aaec0aae9a9", "shape");
    assert_eq!(
        hex(&bytes[92..124]),
        "5da66a74cb272a91f9328b062544b3a78b7d165e39b39e0198df6d2f74bb5b51",
        "all, namespace, key, tag"
    );
    assert_eq!(bytes[124..], *b"\x07\x06book 7", "payload");
}

fn server_time(server: &Server) -> u64 {
    let time = server.command(&[b"TIME"]).list();
    let part = |at: usize| time[at].to_string().parse::<u64>().expect("a number");
    part(0) * 1_000 + part(1) / 1_000
}

fn hex(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").expect("room in a string");
    }
    hex
}
