//! A module is no function.

use afresh::cached;

#[cached(ttl = 60)]
mod books {}

fn main() {}
