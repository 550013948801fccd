//! The primitives of what calls share in this process: the view of the log, the flights, the local
//! tier, and what they stand in. They are std's and Tokio's, under their own names; in the tests of
//! `interleaving_tests`, which are built with `--cfg afresh_shuttle`, they are such that each use of
//! one is a point where another thread may go on. Counters, registers and tasks of Tokio are not here: no
//! answer depends on the order in which they are used.

#[cfg(not(all(test, afresh_shuttle)))]
mod primitives {
    pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};
    pub(crate) use std::sync::{Condvar, Mutex, MutexGuard, RwLock};
    pub(crate) use std::thread_local;

    pub(crate) use tokio::sync::Notify;
    pub(crate) use tokio::sync::futures::OwnedNotified;

    /// A static that is made when it is first used.
    macro_rules! lazy {
        ($(#[$attribute:meta])* static $name:ident: $type:ty = $make:expr;) => {
            $(#[$attribute])*
            static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $make);
        };
    }
    pub(crate) use lazy;
}

#[cfg(all(test, afresh_shuttle))]
mod notify;

#[cfg(all(test, afresh_shuttle))]
mod primitives {
    pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU64};
    pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard, RwLock};
    pub(crate) use shuttle::thread_local;

    pub(crate) use super::notify::{Notify, OwnedNotified};

    /// A static that is made when it is first used in a schedule, and gone at the schedule's end.
    macro_rules! lazy {
        ($(#[$attribute:meta])* static $name:ident: $type:ty = $make:expr;) => {
            shuttle::lazy_static! { $(#[$attribute])* static ref $name: $type = $make; }
        };
    }
    pub(crate) use lazy;
}

pub(crate) use primitives::*;

#[cfg(all(test, not(afresh_shuttle)))]
mod tests {
    use std::any::TypeId;

    #[test]
    fn in_an_ordinary_build_they_are_the_usual_types() {
        for (ours, usual) in [
            (
                TypeId::of::<super::AtomicBool>(),
                TypeId::of::<std::sync::atomic::AtomicBool>(),
            ),
            (
                TypeId::of::<super::AtomicU64>(),
                TypeId::of::<std::sync::atomic::AtomicU64>(),
            ),
            (
                TypeId::of::<super::Condvar>(),
                TypeId::of::<std::sync::Condvar>(),
            ),
            (
                TypeId::of::<super::Mutex<u8>>(),
                TypeId::of::<std::sync::Mutex<u8>>(),
            ),
            (
                TypeId::of::<super::RwLock<u8>>(),
                TypeId::of::<std::sync::RwLock<u8>>(),
            ),
            (
                TypeId::of::<super::Notify>(),
                TypeId::of::<tokio::sync::Notify>(),
            ),
            (
                TypeId::of::<super::OwnedNotified>(),
                TypeId::of::<tokio::sync::futures::OwnedNotified>(),
            ),
        ] {
            assert_eq!(ours, usual);
        }
    }
}
