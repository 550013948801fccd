//! The call of an entry is one of an asynchronous function.

use afresh::invalidates;

fn book(id: u32) -> u32 {
    id
}

#[invalidates(entries = [book(id)])]
async fn f(id: u32) {
    let _ = id;
}

fn main() {
    let _ = (f(1), book(1));
}
