//! A bound that does not make the parameter a part of a key.

use afresh::KeyPart;

#[derive(KeyPart)]
#[key(bound = "T: Copy")]
struct Page<T>(T);

fn main() {}
