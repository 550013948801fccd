//! The scoreboard's questions and its judgement: each behaviour in a file of its own, the same code
//! for every library. A library's program has only its set-up, its cached functions, and which of
//! them answers which behaviour; nothing in here knows a library.
//!
//! One process asks one behaviour: the [`source`] that the cached functions read is the process's.

mod board;
mod client;
mod list;
pub mod source;

mod clock_skew;
mod failing_stampede;
mod head_of_line;
mod invalidate_during_compute;
mod key_collisions;
mod leader_cancelled;
mod long_body;
mod old_flight;
mod redis_away;
mod same_name;
mod sequential_hits;
mod tag_orphaned;
mod tag_shortened;

pub use board::{Judged, Library, Redis, Row, main};
pub use client::{Client, Invalidates, Outcome, Tags};
pub use list::Behaviour;

pub use clock_skew::clock_skew;
pub use failing_stampede::failing_stampede;
pub use head_of_line::head_of_line;
pub use invalidate_during_compute::invalidate_during_compute;
pub use key_collisions::key_collisions;
pub use leader_cancelled::leader_cancelled;
pub use long_body::long_body;
pub use old_flight::old_flight;
pub use redis_away::{redis_absent, redis_down, redis_restarted};
pub use same_name::same_name;
pub use sequential_hits::sequential_hits;
pub use tag_orphaned::tag_orphaned;
pub use tag_shortened::tag_shortened;
