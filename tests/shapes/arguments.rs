//! What arguments and return types may be.

use std::num::ParseIntError;

use afresh::{KeyPart, cached};

use crate::apart;

/// Neither `Clone` nor `Debug` nor a part of a key.
struct Db(u32);

#[derive(Clone, Copy)]
struct Point {
    x: u32,
    y: u32,
}

struct Line(Point, Point);

#[cached(ttl = 60)]
async fn text(name: &str) -> usize {
    name.len()
}

#[cached(ttl = 60)]
fn text_sync(name: &str) -> usize {
    name.len()
}

#[cached(ttl = 60)]
async fn slice(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[cached(ttl = 60)]
fn slice_sync(numbers: &[u64]) -> u64 {
    numbers.iter().sum()
}

#[cached(ttl = 60)]
async fn maybe(name: Option<&String>) -> usize {
    name.map_or(99, String::len)
}

#[cached(ttl = 60)]
fn maybe_sync(name: Option<&String>) -> usize {
    name.map_or(99, String::len)
}

#[cached(ttl = 60)]
async fn tuple((a, b): (u32, u32), [c, ..]: [u32; 3]) -> u32 {
    a * 100 + b * 10 + c
}

#[cached(ttl = 60)]
fn tuple_sync((a, b): (u32, u32), [c, ..]: [u32; 3]) -> u32 {
    a * 100 + b * 10 + c
}

#[cached(ttl = 60)]
async fn structure(Point { x, y: height }: Point) -> u32 {
    x * 10 + height
}

#[cached(ttl = 60, key = "{x}:{height}")]
fn structure_sync(&Point { x, y: height }: &Point) -> u32 {
    x * 10 + height
}

#[cached(ttl = 60)]
async fn nested((Line(Point { x, .. }, Point { y, .. }), [_, a @ b]): (Line, [u32; 2])) -> u32 {
    x * 100 + y * 10 + a.max(b)
}

#[cached(ttl = 60)]
fn nested_sync((Line(Point { x, .. }, Point { y, .. }), [_, mut a]): (Line, [u32; 2])) -> u32 {
    a += 1;
    x * 100 + y * 10 + a
}

#[cached(ttl = 60, key = name.as_ref(), namespace = "as_ref")]
async fn by_trait(name: impl AsRef<str>) -> usize {
    name.as_ref().len()
}

#[cached(ttl = 60, namespace = "as_ref_sync")]
fn by_trait_sync(name: impl AsRef<str> + KeyPart) -> usize {
    name.as_ref().len()
}

/// The key is that of the values at entry, whatever the body makes of them.
#[cached(ttl = 60)]
async fn mutable(mut x: u32, mut names: Vec<String>) -> u32 {
    x += 1;
    names.clear();
    x
}

#[cached(ttl = 60, key = "{x}")]
fn mutable_sync(mut x: u32, mut names: Vec<String>) -> u32 {
    x += 1;
    names.clear();
    x
}

#[cached(ttl = 60)]
async fn unit(id: u32) {}

#[cached(ttl = 60)]
fn unit_sync(id: u32) {}

#[cached(ttl = 60)]
async fn float(ratio: f64, small: f32) -> f64 {
    ratio * f64::from(small)
}

#[cached(ttl = 60)]
fn float_sync(ratio: f64, small: f32) -> f64 {
    ratio * f64::from(small)
}

#[cached(ttl = 60, skip(db, also))]
async fn database(db: &Db, id: u32, also: &mut Vec<u32>) -> u32 {
    also.push(id);
    db.0 + id
}

#[cached(ttl = 60, skip(db, also))]
fn database_sync(db: &Db, id: u32, also: &mut Vec<u32>) -> u32 {
    also.push(id);
    db.0 + id
}

#[cached(ttl = 60)]
async fn parsed(text: &str) -> Result<u32, ParseIntError> {
    let Some(number) = text.strip_prefix('#') else {
        return Ok(0);
    };
    Ok(number.parse::<u32>()? + 1)
}

#[cached(ttl = 60)]
fn parsed_sync(text: &str) -> Result<u32, ParseIntError> {
    let Some(number) = text.strip_prefix('#') else {
        return Ok(0);
    };
    Ok(number.parse::<u32>()? + 1)
}

#[cached(ttl = 60)]
fn optional_sync(text: &str) -> Option<u32> {
    let number = text.strip_prefix('#')?;
    number.parse().ok()
}

/// An argument of a function type, which is no part of a key.
#[cached(ttl = 60, key = "{id}")]
async fn function(id: u32, with: impl Fn(u32) -> u32) -> u32 {
    with(id)
}

#[cached(ttl = 60, key = "{id}")]
fn function_sync(id: u32, with: &dyn Fn(u32) -> u32) -> u32 {
    with(id)
}

const A: Point = Point { x: 1, y: 2 };
const B: Point = Point { x: 1, y: 3 };

#[tokio::test]
async fn borrowed_arguments() {
    let (a, bc) = ("a".to_owned(), "bc".to_owned());
    apart!(text("a").await => 1, text("bc").await => 2, text("").await => 0);
    apart!(text_sync("a") => 1, text_sync(&bc) => 2, text_sync("") => 0);
    apart!(slice(&[1, 2]).await => 3, slice(&[3]).await => 3, slice(&[]).await => 0);
    apart!(slice_sync(&[1, 2]) => 3, slice_sync(&[3]) => 3, slice_sync(&[]) => 0);
    apart!(
        maybe(Some(&a)).await => 1,
        maybe(Some(&String::new())).await => 0,
        maybe(None).await => 99,
    );
    apart!(maybe_sync(Some(&a)) => 1, maybe_sync(Some(&bc)) => 2, maybe_sync(None) => 99);
}

#[tokio::test]
async fn destructured_arguments() {
    apart!(
        tuple((1, 2), [3, 4, 5]).await => 123,
        tuple((1, 3), [3, 4, 5]).await => 133,
        tuple((1, 2), [4, 4, 5]).await => 124,
    );
    apart!(
        tuple_sync((1, 2), [3, 4, 5]) => 123,
        tuple_sync((1, 3), [3, 4, 5]) => 133,
        tuple_sync((1, 2), [4, 4, 5]) => 124,
    );
    apart!(structure(A).await => 12, structure(B).await => 13);
    apart!(structure_sync(&A) => 12, structure_sync(&B) => 13);
    apart!(nested((Line(A, A), [0, 5])).await => 125, nested((Line(A, B), [0, 5])).await => 135);
    apart!(
        nested_sync((Line(A, A), [0, 5])) => 126,
        nested_sync((Line(A, B), [0, 5])) => 136,
        nested_sync((Line(A, B), [0, 6])) => 137,
    );
}

#[tokio::test]
async fn what_a_pattern_leaves_out_is_no_part_of_the_key() {
    crate::isolated(async {
        assert_eq!(tuple((1, 2), [3, 4, 5]).await, 123);
        let same = afresh::outcome(tuple((1, 2), [3, 6, 7])).await;
        assert_eq!(same, (123, crate::HIT));
    })
    .await;
}

#[tokio::test]
async fn arguments_of_a_trait() {
    apart!(by_trait("a").await => 1, by_trait("bc").await => 2);
    apart!(by_trait("a".to_owned()).await => 1);
    apart!(by_trait_sync("a") => 1, by_trait_sync("bc") => 2);
    // Each closure is a type of its own, and so is a function that is instantiated for it.
    let (with, other) = (|x| x + 1, |x| x * 5);
    apart!(
        function(1, with).await => 2,
        function(2, with).await => 3,
        function(1, other).await => 5,
    );
    apart!(function_sync(1, &|x| x + 1) => 2, function_sync(2, &|x| x * 5) => 10);
}

#[tokio::test]
async fn mutable_arguments() {
    let names = || vec!["a".to_owned()];
    apart!(
        mutable(1, names()).await => 2,
        mutable(2, names()).await => 3,
        mutable(2, vec![]).await => 3,
    );
    apart!(mutable_sync(1, names()) => 2, mutable_sync(2, names()) => 3);
}

#[tokio::test]
async fn numbers_and_nothing() {
    apart!(unit(1).await => (), unit(2).await => ());
    apart!(unit_sync(1) => (), unit_sync(2) => ());
    apart!(float(1.5, 2.0).await => 3.0, float(1.5, 4.0).await => 6.0);
    apart!(float_sync(1.5, 2.0) => 3.0, float_sync(1.5, 4.0) => 6.0);
}

#[tokio::test]
async fn skipped_arguments() {
    let (db, mut seen) = (Db(10), Vec::new());
    crate::isolated(async {
        for _ in 0..2 {
            assert_eq!(database(&db, 1, &mut seen).await, 11);
            assert_eq!(database(&Db(20), 2, &mut seen).await, 22);
            assert_eq!(database_sync(&db, 3, &mut seen), 13);
            assert_eq!(database_sync(&Db(20), 4, &mut seen), 24);
        }
    })
    .await;
    assert_eq!(seen, [1, 2, 3, 4], "each body ran once");
}

#[tokio::test]
async fn early_returns() {
    apart!(parsed("none").await => Ok(0), parsed("#7").await => Ok(8));
    apart!(parsed_sync("none") => Ok(0), parsed_sync("#7") => Ok(8));
    apart!(optional_sync("7") => None, optional_sync("#7") => Some(7));
    crate::isolated(async {
        for _ in 0..2 {
            assert!(parsed("#x").await.is_err() && parsed_sync("#x").is_err());
            let came = afresh::outcome(async { parsed_sync("#") }).await;
            assert_eq!(came.1, crate::MISS, "an `Err` is not stored");
        }
    })
    .await;
}
