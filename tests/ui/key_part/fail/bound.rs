//! What is not a text of bounds.

use afresh::KeyPart;

#[derive(KeyPart)]
#[key(bound = T)]
struct First<T>(T);

#[derive(KeyPart)]
#[key(bound = "T")]
struct Second<T>(T);

#[derive(KeyPart)]
#[key(bound)]
struct Third<T>(T);

#[derive(KeyPart)]
struct Fourth<T>(#[key(bound = "T: KeyPart")] T);

fn main() {}
