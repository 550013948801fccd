//! What logs have acknowledged to this process: the tags of its own records, each with the log that
//! moved it last. Where another log is followed they have to be moved there too; who does that, and
//! when, is not here.
//!
//! None of it ages: how long an entry may live that another process has computed is not known here.
//! To make an invalidation once more costs misses, at a moment when most entries are misses anyway.

use std::collections::HashMap;

use super::LogId;
use crate::tag::TagHash;

/// As many tags are told apart.
const TAGS: usize = 4_096;

/// No log has this id.
const NONE: LogId = [0; 16];

/// Bounded: of more tags than that, what every entry carries stands for all.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    tags: HashMap<TagHash, LogId>,
}

impl Acknowledged {
    /// A log has acknowledged a record of this process's own.
    pub(super) fn add(&mut self, log: LogId, tags: &[TagHash]) {
        if self.tags.get(&TagHash::all()) == Some(&log) {
            // Whatever is moved because of that tag covers these.
            return;
        }
        self.tags.extend(tags.iter().map(|&tag| (tag, log)));
        if self.tags.len() > TAGS {
            let is_one_log = self.tags.values().all(|other| *other == log);
            // Of several logs none has acknowledged everything.
            let by = if is_one_log { log } else { NONE };
            self.tags = HashMap::from([(TagHash::all(), by)]);
        }
    }

    /// Takes out what another log than this one has acknowledged.
    pub(super) fn take_others(&mut self, log: &LogId) -> Vec<TagHash> {
        let others = self.tags.extract_if(|_, by| by != log);
        others.map(|(tag, _)| tag).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Acknowledged, TAGS};
    use crate::tag::TagHash;

    const ONE: [u8; 16] = [1; 16];
    const TWO: [u8; 16] = [2; 16];

    fn tags(numbers: std::ops::Range<usize>) -> Vec<TagHash> {
        numbers
            .map(|number| TagHash::tag(&number.to_string()))
            .collect()
    }

    #[test]
    fn what_a_log_has_acknowledged_is_not_due_there() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.add(ONE, &tags(0..2));
        assert_eq!(acknowledged.take_others(&ONE), []);
        acknowledged.add(TWO, &tags(1..2));
        assert_eq!(acknowledged.take_others(&TWO), tags(0..1));
        assert_eq!(acknowledged.take_others(&TWO), [], "once");
        assert_eq!(acknowledged.take_others(&ONE), tags(1..2));
    }

    #[test]
    fn too_many_tags_are_everything() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.add(ONE, &tags(0..TAGS));
        acknowledged.add(ONE, &tags(0..TAGS));
        assert_eq!(acknowledged.tags.len(), TAGS, "each is known once");
        acknowledged.add(ONE, &tags(TAGS..TAGS + 1));
        acknowledged.add(ONE, &tags(0..2 * TAGS));
        assert_eq!(acknowledged.take_others(&ONE), []);
        assert_eq!(acknowledged.take_others(&TWO), [TagHash::all()]);
    }

    #[test]
    fn too_many_tags_of_several_logs_are_due_in_each() {
        for last in [ONE, TWO] {
            let mut acknowledged = Acknowledged::default();
            acknowledged.add(ONE, &tags(0..1));
            acknowledged.add(TWO, &tags(1..TAGS + 1));
            assert_eq!(acknowledged.take_others(&last), [TagHash::all()]);
        }
    }
}
