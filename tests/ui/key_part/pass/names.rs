//! Names like those that are generated, and what is deprecated: neither is in the way.

#![deny(warnings)]

mod core {}
mod std {}

#[derive(afresh::KeyPart)]
pub struct Filter<'key, T, const N: usize> {
    pub key: &'key str,
    pub value0: T,
    pub value1: [u8; N],
    #[key(skip)]
    pub skipped: fn(),
}

#[derive(afresh::KeyPart)]
pub enum Either<L, R = ()> {
    L(L),
    R { r#match: R },
    #[deprecated]
    Neither,
}

#[derive(afresh::KeyPart)]
pub enum Never {}

#[derive(afresh::KeyPart)]
#[deprecated]
pub struct Old {
    #[deprecated]
    pub id: u8,
}

fn main() {
    fn part(_: impl afresh::KeyPart) {}
    part(Filter {
        key: "a",
        value0: (1, 2),
        value1: [1],
        skipped: main,
    });
    part(Either::<u8>::R { r#match: () });
    part(Either::<_>::L(Some(1)));
}
