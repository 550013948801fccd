//! What a hit in the process costs: ours beside a raw `quick_cache` get and beside the peers', in
//! turn. The numbers are nanoseconds per call; what is promised of them is not said here.

mod drive;
mod growth;
mod hits;
mod memory;
mod peers;

use afresh_measure::{number, option};

fn main() {
    let rounds = number("--rounds", 21);
    let calls = number("--calls", 200_000);
    match option("--only").as_deref() {
        None => {
            hits::asynchronous(rounds, calls);
            hits::synchronous(rounds, calls);
            memory::all();
            growth::all(rounds, calls);
        }
        Some("memory") => memory::all(),
        Some("hits") => {
            hits::asynchronous(rounds, calls);
            hits::synchronous(rounds, calls);
        }
        Some("growth") => growth::all(rounds, calls),
        Some(other) => panic!("`--only` takes `hits`, `memory` or `growth`, not `{other}`"),
    }
}
