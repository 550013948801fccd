//! What a hit, a cold miss and an invalidation on a server cost: ours beside the raw commands with
//! the same client, and beside the peers, in turn. What is promised of the figures is not said here.

mod away;
mod cold;
mod hits;
mod memory;
mod peers;
mod strict;
mod tags;

use afresh_measure::{number, option};

/// Two workers: as many as the machine that the tables are of has cores.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

fn main() {
    let rounds = number("--rounds", 15);
    let calls = number("--calls", 4_000);
    let parts: [(&str, &dyn Fn()); 6] = [
        ("hits", &|| hits::all(rounds, calls)),
        ("cold", &|| cold::all(rounds, calls)),
        ("strict", &|| strict::all(rounds, calls)),
        ("away", &|| away::all(rounds, calls)),
        ("memory", &memory::all),
        ("tags", &|| tags::all(rounds)),
    ];
    let only = option("--only");
    for (name, run) in parts {
        if only.as_deref().is_none_or(|only| only == name) {
            run();
        }
    }
}
