//! A function of any number of arguments, which only C has.

use afresh::cached;

#[cached(ttl = 60)]
unsafe extern "C" fn f(id: u32, ...) -> u32 {
    id
}

fn main() {
    let _ = unsafe { f(1) };
}
