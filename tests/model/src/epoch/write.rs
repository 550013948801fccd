//! The writer: what the changes of a view store, one after the other, in the product's order.

use std::fmt;

use super::{Epoch, Memory, R, State, Tag};

/// A change of the view, under the writers' mutex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Change {
    /// A record that moves `a`, or `b`.
    AppendA,
    AppendB,
    /// An answer about `b`: it moved before anything that is known here.
    LearnB,
    /// After a gap: the same log, at its head, nothing older known.
    Again,
    /// Another log.
    Anew,
}

impl Change {
    pub(super) const ALL: [Self; 5] = [
        Self::AppendA,
        Self::AppendB,
        Self::LearnB,
        Self::Again,
        Self::Anew,
    ];
}

/// One store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Store {
    Epoch(u8),
    Log(u8),
    Since(u8),
    Head(u8),
    Slot(Tag),
    Version(u8),
    Folded(u8),
}

impl Store {
    pub(super) fn take(self, memory: &mut Memory) {
        match self {
            Self::Epoch(epoch) => memory.epoch = epoch,
            Self::Log(log) => memory.log = log,
            Self::Since(since) => memory.since = since,
            Self::Head(head) => memory.head = head,
            Self::Slot(tag) => memory.slot = tag,
            Self::Version(version) => memory.version = version,
            Self::Folded(folded) => memory.folded = folded,
        }
    }
}

/// The next store; with the last one, the change is acknowledged.
pub(super) fn write(state: &mut State, store: Store) {
    state.stores.remove(0);
    store.take(&mut state.memory);
    if state.stores.is_empty() {
        match state.change.take() {
            Some(Change::AppendA) => state.acknowledged += 1,
            Some(Change::Anew) => state.started = state.memory.log,
            _ => {}
        }
    }
}

impl Epoch {
    /// The mutex is taken: what will be stored is decided by what stands there.
    pub(super) fn begin(&self, state: &mut State, change: Change) {
        state.changes += 1;
        state.change = Some(change);
        let memory = state.memory;
        let epoch = memory.epoch;
        state.stores = match change {
            Change::AppendA | Change::AppendB => {
                let tag = if change == Change::AppendA {
                    Tag::A
                } else {
                    Tag::B
                };
                let head = memory.head + 1;
                let mut stores = self.publish(memory, tag, head);
                stores.push(Store::Head(head));
                self.stirred(stores, epoch)
            }
            Change::LearnB => {
                // Kept only where it says more than is known.
                let stores = if memory.slot == Tag::B {
                    Vec::new()
                } else {
                    self.set(memory, Tag::B, 1)
                };
                self.stirred(stores, epoch)
            }
            Change::Again => vec![
                Store::Epoch(epoch + 1),
                Store::Since(memory.head),
                Store::Head(memory.head),
                Store::Slot(Tag::None),
                Store::Folded(0),
                Store::Epoch(epoch + 2),
            ],
            Change::Anew => vec![
                Store::Epoch(epoch + 1),
                Store::Log(memory.log + 1),
                Store::Since(0),
                Store::Head(0),
                Store::Slot(Tag::None),
                Store::Folded(0),
                Store::Epoch(epoch + 2),
            ],
        };
        if change == Change::AppendA {
            // The mutation was committed before its append began.
            state.begun += 1;
        }
    }

    /// These stores, and then the epoch.
    fn stirred(&self, mut stores: Vec<Store>, epoch: u8) -> Vec<Store> {
        let place = if self.keeps(R::TagsFirst) {
            stores.len()
        } else {
            0
        };
        stores.insert(place, Store::Epoch(epoch + 2));
        stores
    }

    /// A tag that is not in its slot may have been folded at a later version.
    fn publish(&self, memory: Memory, tag: Tag, version: u8) -> Vec<Store> {
        let version = if memory.slot == tag {
            version
        } else {
            version.max(memory.folded)
        };
        self.set(memory, tag, version)
    }

    fn set(&self, memory: Memory, tag: Tag, version: u8) -> Vec<Store> {
        let put = [Store::Version(version), Store::Slot(tag)];
        if memory.slot == tag {
            return vec![Store::Version(version)];
        }
        if memory.slot == Tag::None {
            return put.to_vec();
        }
        let mut stores = vec![
            Store::Folded(memory.folded.max(memory.version)),
            Store::Slot(Tag::None),
        ];
        if !self.keeps(R::FoldedFirst) {
            stores.reverse();
        }
        stores.extend(put);
        stores
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AppendA => "append a record that moves tag a",
            Self::AppendB => "append a record that moves tag b",
            Self::LearnB => "keep an answer: tag b moved at 1",
            Self::Again => "start anew at the head of the same log",
            Self::Anew => "start another log",
        })
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Epoch(epoch) => write!(f, "epoch := {epoch}"),
            Self::Log(log) => write!(f, "log := {log}"),
            Self::Since(since) => write!(f, "since := {since}"),
            Self::Head(head) => write!(f, "head := {head}"),
            Self::Slot(Tag::None) => write!(f, "the slot is emptied"),
            Self::Slot(tag) => write!(f, "the slot is tag {tag}'s"),
            Self::Version(version) => write!(f, "the slot's version := {version}"),
            Self::Folded(folded) => write!(f, "folded maximum := {folded}"),
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::A => "a",
            Self::B => "b",
        })
    }
}
