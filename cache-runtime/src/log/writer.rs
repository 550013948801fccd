//! What the view's changes go by and its readers never see: which log it follows, what was heard of
//! others, what logs have acknowledged, and which tags are held: owed, or under a mark. The changes
//! themselves are the view's.

use std::collections::{HashMap, HashSet};

use super::acknowledged::Acknowledged;
use super::{LogId, Mark, MarkId};
use crate::tag::TagHash;

/// What only changes look at.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub(super) id: Option<LogId>,
    /// How many logs there have been.
    pub(super) logs: u64,
    /// The highest position heard of in this log; above the head where there is a gap.
    pub(super) newest: u64,
    /// What was heard of logs that this view does not follow: answers may come in any order.
    others: Vec<(LogId, u64)>,
    pub(super) held: HashMap<TagHash, Held>,
    pub(super) marks: HashMap<MarkId, Mark>,
    /// Those of them that were heard of in another log, and not in this one.
    pub(super) left_over: HashSet<MarkId>,
    pub(super) acknowledged: Acknowledged,
    /// What another log has acknowledged, and this one has to be told. It is owed already.
    pub(super) to_repeat: Vec<TagHash>,
}

/// How many other logs are remembered. Logs begin rarely, and answers are not late for long.
const OTHERS: usize = 8;

impl Writer {
    /// Takes note of a position in a log that this view does not follow.
    pub(super) fn hear(&mut self, id: LogId, version: u64) {
        let version = self.forget(id).max(version);
        if self.others.len() == OTHERS {
            self.others.remove(0);
        }
        self.others.push((id, version));
    }

    /// What was heard of a log, which is no longer another.
    pub(super) fn forget(&mut self, id: LogId) -> u64 {
        let known = self.others.iter().position(|&(other, _)| other == id);
        known.map_or(0, |at| self.others.remove(at).1)
    }
}

/// A tag that nothing may carry and be current.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// How many debts name it.
    pub(super) debts: u32,
    /// How many marks name it.
    pub(super) marks: u32,
    /// Its last move that was heard of meanwhile: a debt's own record may be older.
    pub(super) moved: u64,
}
