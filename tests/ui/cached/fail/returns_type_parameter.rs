//! A type parameter without the bounds that storing needs.

use afresh::cached;

#[cached(ttl = 60)]
async fn f<T: Default>(id: u32) -> Vec<T> {
    (0..id).map(|_| T::default()).collect()
}

fn main() {
    let _ = f::<u32>(1);
}
