//! A type of the user's that borrows.

use afresh::cached;

#[derive(Clone)]
struct Name<'a>(&'a str);

#[cached(ttl = 60, local)]
fn f<'a>(name: &'a str) -> Name<'a> {
    Name(name)
}

fn main() {
    let _ = f("a").0;
}
