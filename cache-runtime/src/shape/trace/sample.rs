//! The values that types are shown while they are traced. The first of each kind pleases nearly
//! every type (`NonZero`, `Uuid`); the others are for types that validate.

/// How many samples there are of each kind.
pub(super) const COUNT: usize = 16;

pub(super) const INTEGERS: [u8; COUNT] = [1, 0, 2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 32, 50, 64, 100];

pub(super) const TEXTS: [&str; COUNT] = [
    "a",
    "",
    "1",
    "00000000-0000-0000-0000-000000000001",
    "2000-01-01T00:00:00Z",
    "2000-01-01T00:00:00",
    "2000-01-01",
    "00:00:00",
    "http://a.example/",
    "a@a.example",
    "127.0.0.1",
    "1.0.0",
    "en",
    "USD",
    "Europe/Paris",
    "+33100000000",
];

pub(super) const CHARS: [char; COUNT] = [
    'a', 'A', '0', '1', ' ', 'b', 'c', 'd', 'x', 'y', 'z', '.', '-', '_', '/', '+',
];

/// Lengths of byte strings.
pub(super) const LENGTHS: [usize; COUNT] =
    [16, 0, 1, 4, 8, 12, 20, 24, 32, 33, 48, 64, 65, 96, 128, 2];
