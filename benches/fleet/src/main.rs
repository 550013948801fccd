//! Several processes on one server: a stampede on one key, and how soon an invalidation is
//! everywhere. This program starts itself again for each process of a fleet.

mod coherence;
mod libraries;
mod process;
mod stampede;

use afresh_measure::{number, option};
use afresh_test_support::Server;

fn main() {
    if let Some(role) = option("--role") {
        let url = option("--redis").expect("a process of a fleet is told its server");
        match role.as_str() {
            "keeper" => coherence::keep(&url),
            library => stampede::call(library, &url),
        }
        return;
    }
    let rounds = number("--rounds", 15);
    let only = option("--only");
    let is_wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if is_wanted("stampede") {
        for library in libraries::ALL {
            // A server for each: what one has left does not weigh on the others.
            stampede::measure(library, &Server::start(), rounds);
        }
    }
    if is_wanted("coherence") {
        coherence::measure(&Server::start(), rounds * 20);
    }
}
