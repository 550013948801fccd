//! Fields that cannot be borrowed where they are.

#![deny(warnings)]

use afresh::KeyPart;

#[derive(KeyPart, Clone, Copy)]
#[repr(C, packed(2))]
struct Header<'a, const N: usize> {
    kind: u8,
    id: u64,
    #[key(with = |it| it.len())]
    name: &'a str,
    bytes: [u8; N],
    #[key(skip)]
    check: u32,
}

#[derive(KeyPart)]
#[key(bound = "T: KeyPart + Copy")]
#[repr(packed)]
struct Pair<T>(u8, T);

#[derive(KeyPart)]
#[repr(packed)]
struct Skipping(u8, #[key(skip)] String);

fn main() {
    fn part(_: impl KeyPart) {}
    let (name, bytes) = ("a", [1, 2, 3]);
    let header = Header { kind: 1, id: 2, name, bytes, check: 3 };
    let _ = header.check;
    part(header);
    part(Pair(1, 2_u32));
    part(Skipping(1, String::new()));
}
