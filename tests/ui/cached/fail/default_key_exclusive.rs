//! An argument by `&mut` is not part of the default key.

use afresh::cached;

#[cached]
async fn f(id: &mut u32) -> u32 {
    *id
}

fn main() {
    let _ = f(&mut 1);
}
