//! Which keys are not to be computed again yet, and why: they could not be of late, or it is seen to
//! already. Nothing here waits or tries.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::{Millis, millis};
use crate::local::{LocalKey, Passed};
use crate::sync::{AtomicBool, Mutex, MutexGuard};

/// So many keys are known at the most: beyond, those whose time is over are forgotten, and if there
/// are none, all.
const MOST: usize = 10_000;

/// A key that is not to be computed again yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pause {
    /// How often it has failed in a row.
    times: u32,
    /// Whether that is why it is paused.
    failing: bool,
    /// When it may be computed again.
    pub(crate) next: Millis,
}

impl Pause {
    /// Whether that is because it could not be.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing
    }
}

/// The paused keys of one cache.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    keys: Mutex<HashMap<LocalKey, Pause, Passed>>,
    /// Whether there have been any: as long as there were none, nobody takes the lock.
    any: AtomicBool,
}

impl Backoff {
    fn all(&self) -> MutexGuard<'_, HashMap<LocalKey, Pause, Passed>> {
        // One insertion or removal at a time.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a key is not to be computed yet.
    pub(crate) fn of(&self, key: &LocalKey, now: Millis) -> Option<Pause> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let pause = self.all().get(key).copied()?;
        (now < pause.next).then_some(pause)
    }

    /// A key is not to be computed before then, though it has not failed.
    pub(crate) fn pause(&self, key: &LocalKey, now: Millis, next: Millis) {
        let mut all = self.all();
        make_room(&mut all, key, now);
        let pause = all.entry(key.clone()).or_insert(Pause {
            times: 0,
            failing: false,
            next,
        });
        if pause.next <= now {
            pause.failing = false;
        }
        pause.next = pause.next.max(next);
        self.any.store(true, Ordering::Release);
    }

    /// A try has failed: the next one is due after `first`, or twice as long as the last time, but
    /// no longer than `most`. Returns when.
    pub(crate) fn failed(
        &self,
        key: &LocalKey,
        now: Millis,
        (first, most): (Duration, Duration),
    ) -> Millis {
        let mut all = self.all();
        make_room(&mut all, key, now);
        let times = all.get(key).map_or(0, |pause| pause.times);
        let wait = first.saturating_mul(1 << times.min(31)).min(most);
        let next = now + millis(wait);
        let times = times.saturating_add(1);
        all.insert(
            key.clone(),
            Pause {
                times,
                failing: true,
                next,
            },
        );
        self.any.store(true, Ordering::Release);
        next
    }

    /// A try has succeeded.
    pub(crate) fn succeeded(&self, key: &LocalKey) {
        if self.any.load(Ordering::Acquire) {
            let mut all = self.all();
            all.remove(key);
            if all.is_empty() {
                self.any.store(false, Ordering::Release);
            }
        }
    }
}

/// Forgets others where there are too many to know one more.
fn make_room(all: &mut HashMap<LocalKey, Pause, Passed>, key: &LocalKey, now: Millis) {
    if all.len() >= MOST && !all.contains_key(key) {
        all.retain(|_, pause| now < pause.next);
        if all.len() >= MOST {
            all.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::any::TypeId;

    use super::*;
    use crate::local::Home;

    const BOUNDS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

    fn key(number: u64) -> LocalKey {
        LocalKey {
            hash: number,
            home: Home::function(TypeId::of::<()>()),
            words: [number].into(),
        }
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_most() {
        let backoff = Backoff::default();
        let mut now = 100;
        for wait in [1_000, 2_000, 4_000, 5_000, 5_000] {
            assert_eq!(backoff.failed(&key(1), now, BOUNDS), now + wait);
            let pause = backoff.of(&key(1), now).expect("a pause");
            assert_eq!((pause.next, pause.is_failing()), (now + wait, true));
            now += wait;
            assert_eq!(backoff.of(&key(1), now), None);
        }
    }

    #[test]
    fn a_success_begins_anew() {
        let backoff = Backoff::default();
        backoff.failed(&key(1), 0, BOUNDS);
        backoff.failed(&key(1), 1_000, BOUNDS);
        backoff.succeeded(&key(1));
        assert_eq!(backoff.of(&key(1), 1_000), None);
        assert_eq!(backoff.failed(&key(1), 1_000, BOUNDS), 2_000);
    }

    #[test]
    fn a_pause_is_no_failure() {
        let backoff = Backoff::default();
        backoff.pause(&key(1), 0, 500);
        let pause = backoff.of(&key(1), 0).expect("a pause");
        assert_eq!((pause.next, pause.is_failing()), (500, false));
        assert_eq!(backoff.failed(&key(1), 500, BOUNDS), 1_500);
        // It takes nothing back.
        backoff.pause(&key(1), 500, 600);
        let pause = backoff.of(&key(1), 500).expect("a pause");
        assert_eq!((pause.next, pause.is_failing()), (1_500, true));
    }

    #[test]
    fn what_is_known_is_bounded() {
        let backoff = Backoff::default();
        for number in 0..2 * MOST as u64 {
            backoff.failed(&key(number), number, BOUNDS);
        }
        assert!(backoff.all().len() <= MOST);
    }
}
