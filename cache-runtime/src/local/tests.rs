//! The map by itself: whose entry is whose, what replaces what, and that no guard is held while
//! users' code runs.

use std::sync::OnceLock;
use std::sync::atomic::AtomicUsize;

use super::*;
use crate::log::{Position, View};
use crate::tag::TagHash;

struct One;
struct Two;

fn key(home: Home, word: u64) -> LocalKey {
    LocalKey {
        hash: 7,
        home,
        words: [8, word].into(),
    }
}

fn entry(number: u32, at: Position) -> LocalEntry {
    LocalEntry::new(
        Arc::new(number),
        at,
        Arc::from([]),
        Term::until(Millis::MAX),
        4,
    )
}

fn position(log: u64, head: u64) -> Position {
    Position { log, head }
}

fn read(local: &Local, key: &LocalKey) -> Option<u32> {
    local.read(&key.as_ref(), |entry| entry.value.downcast_ref().copied())
}

#[test]
fn keys_with_one_hash_are_told_apart_by_home_and_words() {
    let (one, two) = (TypeId::of::<One>(), TypeId::of::<Two>());
    let homes = [
        Home::function(one),
        Home::function(two),
        Home::namespace("a", 0, KeyForm::Parts, one),
        Home::namespace("a", 0, KeyForm::Parts, two),
        Home::namespace("a", 0, KeyForm::Text, one),
        Home::namespace("a", 1, KeyForm::Parts, one),
        Home::namespace("b", 0, KeyForm::Parts, one),
    ];
    let keys: Vec<_> = homes
        .into_iter()
        .flat_map(|home| [key(home, 1), key(home, 2)])
        .collect();
    let local = Local::new(1_000, None, 0);
    for (number, key) in (0..).zip(&keys) {
        assert_eq!(read(&local, key), None, "{key:?}");
        local.insert(key.clone(), entry(number, position(1, 1)));
    }
    for (number, key) in (0..).zip(&keys) {
        assert_eq!(read(&local, key), Some(number), "{key:?}");
    }
    assert_eq!(local.len(), keys.len());
}

#[test]
fn a_namespace_is_the_same_wherever_its_name_stands() {
    let copy: &'static str = String::from("name").leak();
    let of = TypeId::of::<One>();
    let here = Home::namespace("name", 0, KeyForm::Text, of);
    assert_eq!(here, Home::namespace(copy, 0, KeyForm::Text, of));
    assert_eq!(
        here.seed(),
        Home::namespace(copy, 0, KeyForm::Text, of).seed()
    );
}

#[test]
fn only_an_older_entry_of_the_same_log_is_turned_away() {
    let key = key(Home::function(TypeId::of::<One>()), 1);
    for (there, comes, stays) in [
        (position(1, 5), position(1, 4), false),
        (position(1, 5), position(1, 5), true),
        (position(1, 5), position(1, 6), true),
        (position(1, 5), position(2, 4), true),
        (position(2, 5), position(1, 6), true),
    ] {
        let local = Local::new(10, None, 0);
        local.insert(key.clone(), entry(1, there));
        local.insert(key.clone(), entry(2, comes));
        let expected = if stays { 2 } else { 1 };
        assert_eq!(read(&local, &key), Some(expected), "{there:?} {comes:?}");
    }
}

#[test]
fn an_entry_is_judged_again_after_every_change_of_the_view() {
    let view = View::in_memory();
    let tags = Arc::from([TagHash::tag("a")]);
    let entry = LocalEntry::new(
        Arc::new(()),
        view.position(),
        tags,
        Term::until(Millis::MAX),
        0,
    );
    assert!(entry.is_current(&view) && entry.is_current(&view));
    view.append(&[TagHash::tag("b")]);
    assert!(entry.is_current(&view));
    view.append(&[TagHash::tag("a")]);
    assert!(!entry.is_current(&view) && !entry.is_current(&view));
}

#[test]
fn what_weighs_more_than_the_whole_map_is_not_kept() {
    let local = Local::new(4, Some(1_000), 0);
    let key = key(Home::function(TypeId::of::<One>()), 1);
    let heavy = LocalEntry::new(
        Arc::new(1_u32),
        position(1, 1),
        Arc::from([]),
        Term::until(0),
        2_000,
    );
    local.insert(key.clone(), heavy);
    assert_eq!(read(&local, &key), None);
    local.insert(key.clone(), entry(2, position(1, 1)));
    assert_eq!(read(&local, &key), Some(2));
}

static WATCHED: OnceLock<Local> = OnceLock::new();
static DROPPED: AtomicUsize = AtomicUsize::new(0);
static GUARDED: AtomicUsize = AtomicUsize::new(0);

/// Looks, when dropped, whether it could use the map.
struct Probe;

impl Drop for Probe {
    fn drop(&mut self) {
        use std::sync::atomic::Ordering::SeqCst;
        DROPPED.fetch_add(1, SeqCst);
        let local = WATCHED.get().expect("made first");
        if local.shard(7).try_write().is_err() {
            GUARDED.fetch_add(1, SeqCst);
        }
    }
}

#[test]
fn values_are_dropped_with_no_guard_held() {
    use std::sync::atomic::Ordering::SeqCst;
    let local = WATCHED.get_or_init(|| Local::new(8, None, 0));
    let home = Home::function(TypeId::of::<One>());
    let probe = |at| {
        LocalEntry::new(
            Arc::new(Probe),
            at,
            Arc::from([]),
            Term::until(Millis::MAX),
            0,
        )
    };
    // Replaced, turned away, pushed out.
    local.insert(key(home, 0), probe(position(1, 5)));
    local.insert(key(home, 0), probe(position(1, 6)));
    assert_eq!(DROPPED.load(SeqCst), 1);
    local.insert(key(home, 0), probe(position(1, 4)));
    assert_eq!(DROPPED.load(SeqCst), 2);
    for word in 1..100 {
        local.insert(key(home, word), probe(position(1, 1)));
    }
    assert_eq!(DROPPED.load(SeqCst), 101 - local.len() + 1);
    assert_eq!(GUARDED.load(SeqCst), 0);
}
