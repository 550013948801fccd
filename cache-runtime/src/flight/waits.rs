//! Who waits for whom, between flights whose bodies make cached calls. A wait that would close a
//! circle is refused, so that no call ever waits for itself, directly or through other tasks.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

use crate::sync::{self, Mutex, MutexGuard};

sync::lazy! {
    /// From a flight to those that calls made in its body wait for. Only calls made inside a compute
    /// come here, and only when they would follow.
    static WAITS: Mutex<HashMap<u64, Vec<u64>>> = Mutex::default();
}

fn waits() -> MutexGuard<'static, HashMap<u64, Vec<u64>>> {
    // An edge is added or removed whole.
    WAITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many flights of this process wait for others.
pub(crate) fn waiting() -> usize {
    waits().len()
}

/// A wait, on record until dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The flights whose bodies are on hold.
    waiters: Vec<u64>,
    target: u64,
}

impl Waiting {
    /// Puts on record that calls inside these flights wait for `target`. `None` where `target`
    /// waits for one of them, or is one of them.
    pub(super) fn begin(waiters: Vec<u64>, target: u64) -> Option<Self> {
        if !waiters.is_empty() {
            let mut waits = waits();
            if comes_back(&waits, target, &waiters) {
                return None;
            }
            for &waiter in &waiters {
                waits.entry(waiter).or_default().push(target);
            }
        }
        Some(Self { waiters, target })
    }
}

/// Whether following the waits from `start` leads to one of `goals`.
fn comes_back(waits: &HashMap<u64, Vec<u64>>, start: u64, goals: &[u64]) -> bool {
    let mut seen = HashSet::from([start]);
    let mut ahead = vec![start];
    while let Some(flight) = ahead.pop() {
        if goals.contains(&flight) {
            return true;
        }
        let next = waits.get(&flight).into_iter().flatten().copied();
        ahead.extend(next.filter(|&flight| seen.insert(flight)));
    }
    false
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.waiters.is_empty() {
            return;
        }
        let mut waits = waits();
        for waiter in &self.waiters {
            let Some(targets) = waits.get_mut(waiter) else {
                continue;
            };
            if let Some(at) = targets.iter().position(|&target| target == self.target) {
                targets.swap_remove(at);
            }
            if targets.is_empty() {
                waits.remove(waiter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Waiting, waits};

    // Flight numbers far above those that other tests in this process draw.
    const F: u64 = u64::MAX - 1;
    const G: u64 = u64::MAX - 2;
    const H: u64 = u64::MAX - 3;

    #[test]
    fn a_circle_is_refused_at_its_last_edge() {
        assert!(
            Waiting::begin(vec![F], F).is_none(),
            "a body joining its own flight"
        );
        let f_for_g = Waiting::begin(vec![F], G).expect("no circle yet");
        let g_for_h = Waiting::begin(vec![G], H).expect("no circle yet");
        assert!(
            Waiting::begin(vec![H], F).is_none(),
            "three flights in a ring"
        );
        drop(g_for_h);
        let h_for_f = Waiting::begin(vec![H], F).expect("the ring was opened");
        drop((f_for_g, h_for_f));
        let waits = waits();
        assert!(
            [F, G, H].iter().all(|flight| !waits.contains_key(flight)),
            "no edge is left"
        );
    }
}
