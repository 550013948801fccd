//! What the tests stand on: a real Redis server per test, a client of its own to look at it with,
//! and worker processes. It uses nothing of afresh, nor of the client that afresh uses, so that a
//! fault in those cannot hide itself.
//!
//! Everything here panics when something is not as it should be, and says what and why: a test
//! is never skipped because the machine lacks something. Every wait is bounded by [`PATIENCE`].

#![expect(
    clippy::missing_panics_doc,
    reason = "every function here panics where a test should fail; the head says so once"
)]

mod certs;
mod cluster;
mod command_gate;
mod gate;
mod launch;
mod monitor;
mod network;
mod process;
mod proxy;
mod resp;
mod rights;
mod sentinels;
mod server;
mod wait;
mod worker;

pub use certs::Certs;
pub use cluster::Cluster;
pub use command_gate::{CommandGate, Exchange, Point};
pub use gate::ReplyGate;
pub use launch::{INSTALL, find_server, find_server_in};
pub use monitor::{Monitor, Seen};
pub use network::{Cut, Network};
pub use resp::{Client, Reply};
pub use sentinels::Sentinels;
pub use server::{Server, Stop};
pub use wait::{PATIENCE, eventually, until};
pub use worker::{Steer, Worker};
