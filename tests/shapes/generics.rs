//! Generic functions and implementations: each instantiation has entries of its own. Bounds and
//! lifetimes in each place where they may be written.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;

use afresh::{KeyPart, cached};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::apart;

#[cached(ttl = 60)]
async fn size<T>(id: u32) -> usize {
    size_of::<T>() + id as usize
}

#[cached(ttl = 60)]
fn size_sync<T>(id: u32) -> usize {
    size_of::<T>() + id as usize
}

#[cached(ttl = 60)]
async fn filled<const N: usize, const ON: bool>(with: u8) -> Vec<u8> {
    vec![with + u8::from(ON); N]
}

#[cached(ttl = 60)]
fn filled_sync<const N: usize, const ON: bool>(with: u8) -> Vec<u8> {
    vec![with + u8::from(ON); N]
}

#[cached(ttl = 60, key = "{part}")]
async fn shown<T: Display + Send + Sync>(part: T) -> String {
    part.to_string()
}

#[cached(ttl = 60, key = "{part}")]
fn shown_sync<T: Display + ?Sized>(part: &T) -> String {
    part.to_string()
}

#[cached(ttl = 60)]
async fn same<T>(value: T) -> Option<T>
where
    T: KeyPart + Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    Some(value)
}

#[cached(ttl = 60)]
fn same_sync<T>(value: T) -> Result<T, String>
where
    T: KeyPart + Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
{
    Ok(value)
}

struct Shelf<T, const N: usize> {
    name: String,
    holds: PhantomData<T>,
}

impl<T, const N: usize> Shelf<T, N> {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            holds: PhantomData,
        }
    }
}

impl<T: Default + Display + Sync, const N: usize> Shelf<T, N> {
    #[cached(ttl = 60, key = "{self.name}")]
    async fn content(&self) -> String {
        format!("{}{N}{}", self.name, T::default())
    }

    #[cached(ttl = 60, key = "{self.name}")]
    fn content_sync(&self) -> String {
        format!("{}{N}{}", self.name, T::default())
    }

    #[cached(ttl = 60)]
    async fn associated(id: u32) -> String {
        format!("{id}{N}{}", T::default())
    }

    #[cached(ttl = 60)]
    fn associated_sync<U: Default + Display>(id: u32) -> String {
        format!("{id}{N}{}{}", T::default(), U::default())
    }
}

trait Read<K: ?Sized> {
    type Value;

    async fn read(&self, key: &K) -> Self::Value;

    fn read_sync(&self, key: &K) -> Option<Self::Value>;
}

struct Table<V, S>(HashMap<String, V, S>);

impl<V, S> Read<str> for Table<V, S>
where
    V: Clone + Default + Send + Sync + Serialize + DeserializeOwned + 'static,
    S: BuildHasher + Sync,
{
    type Value = V;

    #[cached(ttl = 60, skip(self))]
    async fn read(&self, key: &str) -> V {
        self.0.get(key).cloned().unwrap_or_default()
    }

    #[cached(ttl = 60, skip(self))]
    fn read_sync(&self, key: &str) -> Option<Self::Value> {
        self.0.get(key).cloned()
    }
}

#[cached(ttl = 60)]
async fn named<'a, 'b>(long: &'b str, short: &'a str) -> usize
where
    'b: 'a,
{
    long.len() * 10 + short.len()
}

#[cached(ttl = 60, key = "{long}:{short}")]
fn named_sync<'a, 'b: 'a>(long: &'b str, short: &'a str) -> Result<usize, &'a str> {
    if short.is_empty() {
        return Err(long);
    }
    Ok(long.len() * 10 + short.len())
}

#[cached(ttl = 60, key = "{text}")]
async fn elided(text: Cow<'_, str>) -> usize {
    text.len()
}

#[cached(ttl = 60)]
async fn constant(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

#[cached(ttl = 60, local)]
fn constant_sync(text: &'static str) -> &'static str {
    text
}

#[cached(ttl = 60, skip(with))]
async fn higher<F>(id: u32, with: F) -> usize
where
    F: for<'x> Fn(&'x str) -> &'x str,
{
    with("name").len() + id as usize
}

#[cached(ttl = 60, key = (names.len(), names.get("a")))]
fn mapped_sync<S: BuildHasher, V: KeyPart>(names: &HashMap<&str, V, S>) -> usize {
    names.len()
}

#[cached(ttl = 60)]
async fn keyed<K: KeyPart + Hash + Eq + ?Sized>(key: &K) -> String {
    let _ = key;
    std::any::type_name::<K>().to_owned()
}

fn first(text: &str) -> &str {
    &text[..1]
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn type_parameters() {
    apart!(
        size::<u8>(0).await => 1,
        size::<u16>(0).await => 2,
        size::<u8>(1).await => 2,
        size::<[u8; 3]>(0).await => 3,
        size::<[u8; 4]>(0).await => 4,
    );
    apart!(size_sync::<u8>(0) => 1, size_sync::<u16>(0) => 2, size_sync::<[u8; 4]>(0) => 4);
    apart!(shown(1_u32).await => text("1"), shown("1").await => text("1"));
    apart!(shown_sync(&1_u32) => text("1"), shown_sync("1") => text("1"));
    apart!(same(1_u32).await => Some(1), same(1_u64).await => Some(1), same(2_u32).await => Some(2));
    apart!(same_sync(1_u32) => Ok(1), same_sync(text("1")) => Ok(text("1")));
    apart!(keyed("a").await => text("str"), keyed(&1_u8).await => text("u8"));
}

#[tokio::test]
async fn constant_parameters() {
    apart!(
        filled::<1, false>(1).await => vec![1],
        filled::<2, false>(1).await => vec![1, 1],
        filled::<2, true>(1).await => vec![2, 2],
    );
    apart!(
        filled_sync::<1, false>(1) => vec![1],
        filled_sync::<2, false>(1) => vec![1, 1],
        filled_sync::<2, true>(1) => vec![2, 2],
    );
}

#[tokio::test]
async fn methods_of_generic_types() {
    let (a, b) = (Shelf::<u32, 1>::new("a"), Shelf::<u32, 2>::new("a"));
    let c = Shelf::<String, 1>::new("a");
    apart!(
        a.content().await => text("a10"),
        b.content().await => text("a20"),
        c.content().await => text("a1"),
    );
    apart!(
        a.content_sync() => text("a10"),
        b.content_sync() => text("a20"),
        c.content_sync() => text("a1"),
    );
    apart!(
        Shelf::<u32, 1>::associated(5).await => text("510"),
        Shelf::<u32, 2>::associated(5).await => text("520"),
        Shelf::<String, 2>::associated(5).await => text("52"),
    );
    apart!(
        Shelf::<u32, 1>::associated_sync::<u8>(5) => text("5100"),
        Shelf::<u32, 1>::associated_sync::<String>(5) => text("510"),
        Shelf::<u32, 2>::associated_sync::<u8>(5) => text("5200"),
    );
}

#[tokio::test]
async fn methods_of_generic_traits() {
    let numbers = Table(HashMap::from([(text("a"), 1_u32)]));
    let texts = Table(HashMap::from([(text("a"), text("x"))]));
    apart!(
        numbers.read("a").await => 1,
        numbers.read("b").await => 0,
        texts.read("a").await => text("x"),
    );
    apart!(
        numbers.read_sync("a") => Some(1),
        numbers.read_sync("b") => None,
        texts.read_sync("a") => Some(text("x")),
    );
}

#[tokio::test]
async fn lifetimes() {
    let (long, short) = (text("long"), text("s"));
    apart!(named(&long, &short).await => 41, named(&short, &long).await => 14);
    apart!(named_sync(&long, &short) => Ok(41), named_sync(&short, &long) => Ok(14));
    assert_eq!(named_sync(&long, ""), Err("long"));
    apart!(elided(Cow::Borrowed("ab")).await => 2, elided(Cow::Owned(text("c"))).await => 1);
    apart!(constant("a").await => Cow::Borrowed("a"), constant("b").await => Cow::Borrowed("b"));
    apart!(constant_sync("a") => "a", constant_sync("b") => "b");
    apart!(higher(1, first).await => 2, higher(2, first).await => 3);
    apart!(
        mapped_sync(&HashMap::from([("a", 1)])) => 1,
        mapped_sync(&HashMap::from([("a", 2)])) => 1,
        mapped_sync::<std::hash::RandomState, u8>(&HashMap::new()) => 0,
    );
}
