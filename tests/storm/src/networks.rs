//! The networks between some workers and their servers, and what can happen to them. It knows no
//! workers, but by their slots.

use std::time::Duration;

use afresh_test_support::{Cut, Network, Server};

use crate::random::Random;

/// The first workers are near: with two of them it is measured how long a note takes.
const NEAR: usize = 2;

/// By slot: a network of its own, where the worker is not near.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    by_slot: Vec<Option<Network>>,
    ports: Vec<u16>,
}

impl Networks {
    pub(crate) fn before(servers: &[&Server], slots: usize) -> Self {
        let network = |slot| (slot >= NEAR).then(|| Network::before(servers.iter().copied()));
        Self {
            by_slot: (0..slots).map(network).collect(),
            ports: servers.iter().map(|server| server.port()).collect(),
        }
    }

    /// How many workers have one.
    pub(crate) fn count(&self) -> usize {
        self.by_slot.iter().flatten().count()
    }

    /// The URL as the worker of this slot is to have it.
    pub(crate) fn through(&self, slot: usize, url: &str) -> String {
        let network = self.of(slot);
        network.map_or_else(|| url.to_owned(), |network| network.through(url))
    }

    pub(crate) fn are_near(&self, slot: usize) -> bool {
        self.of(slot).is_none()
    }

    /// Lets something happen to the network of a slot, and says what.
    pub(crate) fn trouble(&self, slot: usize, random: &Random) -> Option<&'static str> {
        let network = self.of(slot)?;
        let one = random.pick(&self.ports);
        Some(match random.below(6) {
            0 => {
                network.cut(Cut::Requests, None);
                "network cut, requests"
            }
            1 => {
                network.cut(Cut::Answers, None);
                "network cut, answers"
            }
            2 => {
                network.slow(Duration::from_millis(1 + random.below(100)));
                "network slow"
            }
            3 => {
                let cut = *random.pick(&[Cut::Requests, Cut::Answers, Cut::Both]);
                network.cut(cut, Some(*one));
                "network cut to one server"
            }
            _ => {
                network.cut(Cut::Both, None);
                "network cut"
            }
        })
    }

    /// Ends what happened; what was kept arrives, or is lost with every connection.
    pub(crate) fn heal(&self, slot: usize, is_lost: bool) {
        if let Some(network) = self.of(slot) {
            if is_lost {
                network.reset();
            }
            network.heal();
        }
    }

    fn of(&self, slot: usize) -> Option<&Network> {
        self.by_slot.get(slot)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_that_are_not_measured_are_far() {
        let networks = Networks::before(&[], 4);
        assert_eq!(networks.count(), 2);
        assert!(networks.are_near(1) && !networks.are_near(2));
        let random = Random::new(1);
        assert_eq!(networks.trouble(1, &random), None);
        assert_eq!(networks.through(1, "redis://a:1"), "redis://a:1");
    }
}
