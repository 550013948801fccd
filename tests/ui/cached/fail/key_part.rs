//! An argument that cannot be part of a key.

use afresh::cached;

struct Db;

#[cached]
async fn f(db: &Db, id: u32) -> u32 {
    let _ = db;
    id
}

fn main() {
    let _ = f(&Db, 1);
}
