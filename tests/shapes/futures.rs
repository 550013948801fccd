//! The futures of async functions: `Send` where their bodies are, and hardly larger.

use std::cell::Cell;
use std::rc::Rc;

use afresh::{cached, invalidates};
use async_trait::async_trait;

use crate::apart;

fn is_send<F: Send>(future: F) -> F {
    future
}

#[cached(ttl = 60, singleflight, tags = ["{id}"], result_tags = |value| ["{value}:{id}"])]
async fn sends(id: u32) -> u32 {
    tokio::task::yield_now().await;
    id
}

/// An argument that is `Send` and not `Sync`.
#[cached(ttl = 60, key = "{id}", store_if = |value| *value > 0)]
async fn sends_a_cell(id: u32, cell: Cell<u32>) -> u32 {
    tokio::task::yield_now().await;
    cell.get() + id
}

#[cached(ttl = 60, key = "{id}")]
async fn holds_an_rc(id: u32, with: Rc<u32>) -> u32 {
    tokio::task::yield_now().await;
    *with + id
}

#[cached(ttl = 60, key = "{id}", singleflight, result_tags = |value| ["{value}"])]
async fn makes_an_rc(id: u32) -> u32 {
    let id = Rc::new(id);
    tokio::task::yield_now().await;
    *id
}

#[invalidates(tags = ["rc"])]
async fn changes_with_an_rc() -> u32 {
    let id = Rc::new(1);
    tokio::task::yield_now().await;
    *id
}

struct Shop {
    name: String,
}

impl Shop {
    #[cached(ttl = 60, key = "{self.name}:{id}", singleflight)]
    async fn method(&self, id: u32) -> u32 {
        tokio::task::yield_now().await;
        id
    }
}

#[async_trait]
trait Boxed {
    async fn boxed(&self, id: u32) -> u32;
}

#[async_trait]
impl Boxed for Shop {
    #[cached(ttl = 60, key = "{self.name}:{id}")]
    async fn boxed(&self, id: u32) -> u32 {
        tokio::task::yield_now().await;
        id
    }
}

#[tokio::test]
async fn they_are_send_where_their_bodies_are() {
    let shop = Shop {
        name: "a".to_owned(),
    };
    apart!(is_send(sends(1)).await => 1, is_send(sends(2)).await => 2);
    let cell = || Cell::new(5);
    apart!(is_send(sends_a_cell(1, cell())).await => 6, sends_a_cell(2, cell()).await => 7);
    apart!(is_send(shop.method(1)).await => 1, is_send(shop.method(2)).await => 2);
    apart!(is_send(shop.boxed(1)).await => 1, is_send(shop.boxed(2)).await => 2);
}

#[tokio::test]
async fn they_need_not_be() {
    apart!(holds_an_rc(1, Rc::new(1)).await => 2, holds_an_rc(2, Rc::new(1)).await => 3);
    apart!(makes_an_rc(1).await => 1, makes_an_rc(2).await => 2);
    assert_eq!(changes_with_an_rc().await, 1);
}

/// Each body once without our attribute and once with it.
macro_rules! twins {
    ($($name:ident, [$($option:tt)*], ($($arg:ident: $ty:ty),*), $out:ty, $body:block;)+) => {
        mod bare {
            $(pub(super) async fn $name($($arg: $ty),*) -> $out $body)+
        }
        mod wrapped {
            $(
                #[afresh::cached(ttl = 60, $($option)*)]
                pub(super) async fn $name($($arg: $ty),*) -> $out $body
            )+
        }
    };
}

twins! {
    empty, [], (), (), {};
    small, [], (id: u32), u32, {
        tokio::task::yield_now().await;
        id
    };
    flying, [singleflight, tags = ["a", "b:{id}"]], (id: u32), u32, {
        tokio::task::yield_now().await;
        id
    };
    judged, [tags = ["b:{id}"], result_tags = |value| ["{value}:{id}"], store_if = |value| *value > 0],
        (id: u32), u32, {
        tokio::task::yield_now().await;
        id
    };
    large, [singleflight], (id: u32), u32, {
        let held = [id as u8; 10_000];
        tokio::task::yield_now().await;
        held.iter().map(|&byte| u32::from(byte)).sum()
    };
    arguments, [key = "{id}"], (id: u32, names: Vec<String>, page: [u64; 32]), usize, {
        tokio::task::yield_now().await;
        names.len() + page.len() + id as usize
    };
}

/// What may be added: room for the key's way in and for one pointer on the way out.
const ADDED: usize = 256;

macro_rules! grown {
    ($($name:ident($($arg:expr),*)),+ $(,)?) => {
        [$((
            stringify!($name),
            size_of_val(&bare::$name($($arg),*)),
            size_of_val(&wrapped::$name($($arg),*)),
        )),+]
    };
}

#[test]
fn they_are_hardly_larger() {
    let sizes = grown!(
        empty(),
        small(1),
        flying(1),
        judged(1),
        large(1),
        arguments(1, Vec::new(), [0; 32]),
    );
    for (name, bare, wrapped) in sizes {
        assert!(
            wrapped <= bare + ADDED,
            "{name}: {bare} bytes, then {wrapped}"
        );
    }
}
