//! A value that cannot be sent to another thread.

use afresh::cached;

use std::rc::Rc;

#[cached(ttl = 60, local)]
async fn f(id: u32) -> Rc<u32> {
    Rc::new(id)
}

fn main() {
    let _ = f(1);
}
