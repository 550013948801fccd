//! Without a judge that names them, arguments need not be `Sync`.

use afresh::cached;

use std::cell::Cell;

#[cached(key = "{id}", store_if = |v| *v > 0)]
async fn f(id: u32, cell: Cell<u32>) -> u32 {
    tokio::task::yield_now().await;
    cell.replace(id)
}

fn is_send<T: Send>(_: T) {}

fn main() {
    is_send(f(1, Cell::new(2)));
}
