//! An `Instant` means nothing to another process.

use afresh::KeyPart;

#[derive(KeyPart)]
struct Since {
    at: std::time::Instant,
}

fn main() {}
