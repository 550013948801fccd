//! When a primary may have been replaced while processes were still connected to it: the limit that
//! the promise names. What is stale then is counted apart.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::board::{Nanos, nanos, now};
use crate::history::History;
use crate::judge::Stale;

/// For so long after the old primary has learned of the new one, some still believe what it said:
/// the two seconds of the promise, and what clocks may be apart.
const AFTER: Nanos = nanos(Duration::from_millis(2_100));

/// All such times.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    all: Mutex<Vec<(Nanos, Option<Nanos>)>>,
    /// Where they are told once they are over.
    history: History,
}

impl Windows {
    pub(crate) fn told(history: History) -> Self {
        Self {
            all: Mutex::default(),
            history,
        }
    }

    /// Runs what may leave two primaries for a while.
    pub(crate) fn around(&self, fault: impl FnOnce()) {
        self.change(|windows| windows.push((now(), None)));
        fault();
        self.change(|windows| {
            if let Some((start, end)) = windows.last_mut() {
                let ended = *end.insert(now());
                self.history.window(*start, ended);
            }
        });
    }

    /// Whether the limit covers a stale read: it was made in such a time, or what it missed was
    /// acknowledged in one, by a primary that was no longer one.
    pub(crate) fn cover(&self, stale: &Stale) -> bool {
        self.change(|windows| {
            windows.iter().any(|&(start, end)| {
                let end = end.unwrap_or(Nanos::MAX);
                let read = stale.began <= end.saturating_add(AFTER) && stale.ended >= start;
                let missed = (start..=end).contains(&stale.missed);
                read || missed
            })
        })
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<(Nanos, Option<Nanos>)>) -> T) -> T {
        // Each change is one step.
        change(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::Promise;

    #[test]
    fn only_what_a_window_touches_is_covered() {
        let windows = Windows::default();
        let stale = |missed, began, ended| Stale {
            promise: Promise::Strict,
            how: String::new(),
            item: 0,
            column: 0,
            value: 0,
            wanted: 1,
            missed,
            began,
            ended,
        };
        let before = now();
        assert!(!windows.cover(&stale(before, before, before)));
        windows.around(|| assert!(windows.cover(&stale(before, now(), now()))));
        let later = now() + 2 * AFTER;
        assert!(!windows.cover(&stale(before, before - 2, before - 1)));
        assert!(!windows.cover(&stale(before - 1, later, later)));
        assert!(windows.cover(&stale(before - 1, now(), later)));
    }
}
