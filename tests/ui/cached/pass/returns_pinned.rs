//! What is pinned is not for that a future.

use std::pin::Pin;

use afresh::{cached, invalidates};

#[cached(ttl = 60, local)]
fn book(id: u32) -> Pin<Box<u32>> {
    Box::pin(id)
}

#[invalidates(tags = ["books"])]
fn remove(id: u32) -> Result<Pin<Box<u32>>, String> {
    Ok(Box::pin(id))
}

#[invalidates(tags = ["books"])]
fn change<T>(value: T) -> Option<T> {
    Some(value)
}

fn main() {
    assert_eq!(*book(1), 1);
    assert!(remove(1).is_ok());
    assert!(change(1).is_some());
}
