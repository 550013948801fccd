//! The value of an expression is a part of a key.

use afresh::cached;

struct Db;

#[cached(ttl = 60, key = (db, id))]
fn f(db: &Db, id: u32) -> u32 {
    let _ = db;
    id
}

fn main() {
    let _ = f(&Db, 1);
}
