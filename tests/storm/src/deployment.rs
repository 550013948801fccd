//! The servers under the storm, and what can happen to each kind of them. Each fault returns when
//! its servers are well again.

use std::thread;
use std::time::Duration;

use afresh_test_support::{Server, Stop};

use crate::random::Random;
use crate::windows::Windows;
use crate::worker::PREFIX;

/// One kind of servers.
pub(crate) trait Deployment: Sync {
    fn url(&self) -> String;

    /// What can happen, by name; a name that is there twice happens twice as often.
    fn faults(&self) -> Vec<&'static str>;

    /// Lets it happen, and waits until it is over.
    fn inject(&self, fault: &str, random: &Random, windows: &Windows);
}

/// What can happen to any server that has the log.
const TO_ANY: [&str; 5] = [
    "connections cut",
    "FLUSHALL",
    "a key of the log evicted",
    "a key of the log evicted",
    "scripts flushed",
];

/// Lets one of `TO_ANY` happen.
fn inject_to(server: &Server, fault: &str, random: &Random) {
    match fault {
        "connections cut" => {
            server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
        "FLUSHALL" => {
            server.cli(&["FLUSHALL"]);
        }
        "scripts flushed" => {
            server.cli(&["SCRIPT", "FLUSH"]);
        }
        "a key of the log evicted" => {
            let keys = server.cli(&["KEYS", &format!("{{{PREFIX}}}:*")]);
            let keys: Vec<_> = keys.lines().collect();
            // There is none just after a flush.
            if !keys.is_empty() {
                let key = *random.pick(keys.as_slice());
                server.cli(&["DEL", key]);
            }
        }
        other => panic!("there is no fault `{other}`"),
    }
}

fn pause(server: &Server, random: &Random) {
    server.pause();
    thread::sleep(Duration::from_millis(1_000 + random.below(4_000)));
    server.resume();
}

/// One server that keeps nothing.
pub(crate) struct Standalone(Server);

impl Standalone {
    pub(crate) fn start() -> Self {
        Self(Server::start())
    }
}

impl Deployment for Standalone {
    fn url(&self) -> String {
        self.0.url()
    }

    fn faults(&self) -> Vec<&'static str> {
        [&TO_ANY[..], &["server halted", "server restarted"]].concat()
    }

    fn inject(&self, fault: &str, random: &Random, _: &Windows) {
        match fault {
            "server halted" => pause(&self.0, random),
            "server restarted" => {
                self.0.stop(Stop::Kill);
                thread::sleep(Duration::from_millis(random.below(1_500)));
                self.0.restart();
            }
            other => inject_to(&self.0, other, random),
        }
    }
}
