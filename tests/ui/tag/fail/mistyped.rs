//! A mistyped tag does not compile.

use afresh::{Tag, cached};

#[derive(Tag)]
enum Shop {
    Books,
    Book(i64),
}

#[cached(key = "{id}", tags = [Shop::Books, Shop::Bok(id)])]
async fn f(id: i64) -> i64 {
    id
}

fn main() {
    let _ = Shop::Book(1);
}
