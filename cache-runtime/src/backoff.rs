//! Which keys could not be computed of late, and when the next try is due. Nothing here waits or
//! tries.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Millis, millis};
use crate::local::{LocalKey, Passed};

/// So many keys are known at the most: beyond, those whose time is over are forgotten, and if there
/// are none, all.
const MOST: usize = 10_000;

/// A key that could not be computed.
#[derive(Clone, Copy, Debug)]
struct Failing {
    /// How often in a row.
    times: u32,
    /// When it is tried again.
    next: Millis,
}

/// The failing keys of one cache.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    keys: Mutex<HashMap<LocalKey, Failing, Passed>>,
    /// Whether there have been any: as long as there were none, nobody takes the lock.
    any: AtomicBool,
}

impl Backoff {
    fn all(&self) -> MutexGuard<'_, HashMap<LocalKey, Failing, Passed>> {
        // One insertion or removal at a time.
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next try of a key is due, if that is not now.
    pub(crate) fn until(&self, key: &LocalKey, now: Millis) -> Option<Millis> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let failing = self.all().get(key).copied()?;
        (now < failing.next).then_some(failing.next)
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
        if all.len() >= MOST && !all.contains_key(key) {
            all.retain(|_, failing| now < failing.next);
            if all.len() >= MOST {
                all.clear();
            }
        }
        let times = all.get(key).map_or(0, |failing| failing.times);
        let wait = first.saturating_mul(1 << times.min(31)).min(most);
        let next = now + millis(wait);
        let times = times.saturating_add(1);
        all.insert(key.clone(), Failing { times, next });
        self.any.store(true, Ordering::Release);
        next
    }

    /// A try has succeeded.
    pub(crate) fn succeeded(&self, key: &LocalKey) {
        if self.any.load(Ordering::Acquire) {
            self.all().remove(key);
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
            words: Box::new([number]),
        }
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_the_most() {
        let backoff = Backoff::default();
        let mut now = 100;
        for wait in [1_000, 2_000, 4_000, 5_000, 5_000] {
            assert_eq!(backoff.failed(&key(1), now, BOUNDS), now + wait);
            assert_eq!(backoff.until(&key(1), now), Some(now + wait));
            now += wait;
            assert_eq!(backoff.until(&key(1), now), None);
        }
    }

    #[test]
    fn a_success_begins_anew() {
        let backoff = Backoff::default();
        backoff.failed(&key(1), 0, BOUNDS);
        backoff.failed(&key(1), 1_000, BOUNDS);
        backoff.succeeded(&key(1));
        assert_eq!(backoff.until(&key(1), 1_000), None);
        assert_eq!(backoff.failed(&key(1), 1_000, BOUNDS), 2_000);
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
