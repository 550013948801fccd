//! The ways to read, and what each of them returns.

use crate::items::{FIRST_LEAF, GROUPS, ITEMS, ROWS, group_of, items_of};
use crate::nested::beside;
use crate::random::Random;

/// A way to read. Named after the function; where that stands for a group, it is that of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Single,
    Plain,
    Shelf,
    Leaf,
    Bundle,
    Tower,
    Wide,
    Summit,
    Leaves,
    Aging,
    Frail,
    Mosaic,
    #[cfg(feature = "sync")]
    Still,
    #[cfg(feature = "sync")]
    Twin,
    #[cfg(feature = "sync")]
    Rack,
    #[cfg(feature = "sync")]
    Mixed,
    Peek,
    Refresh,
}

/// Every way that leaves the cache as it is, and how often it is read.
const READS: &[(Way, u64)] = &[
    (Way::Single, 30),
    (Way::Plain, 20),
    (Way::Shelf, 6),
    (Way::Leaf, 4),
    (Way::Bundle, 12),
    (Way::Tower, 6),
    (Way::Wide, 2),
    (Way::Summit, 1),
    (Way::Leaves, 3),
    (Way::Aging, 12),
    (Way::Frail, 12),
    (Way::Mosaic, 6),
    #[cfg(feature = "sync")]
    (Way::Still, 8),
    #[cfg(feature = "sync")]
    (Way::Twin, 4),
    #[cfg(feature = "sync")]
    (Way::Rack, 4),
    #[cfg(feature = "sync")]
    (Way::Mixed, 6),
];

impl Way {
    /// One by chance.
    pub(crate) fn by_chance(random: &Random) -> Self {
        match random.below(100) {
            0..4 => return Self::Peek,
            4 => return Self::Refresh,
            _ => {}
        }
        let mut left = random.below(READS.iter().map(|(_, often)| often).sum());
        for &(way, often) in READS {
            if left < often {
                return way;
            }
            left -= often;
        }
        Self::Single
    }

    /// Every way that leaves the cache as it is, with every item that it makes sense for.
    pub(crate) fn all() -> impl Iterator<Item = (Self, u64)> {
        let of_each = |&(way, _): &(Self, u64)| {
            let items = match way {
                Self::Wide | Self::Summit | Self::Leaves => 0..1,
                Self::Leaf => FIRST_LEAF..ROWS,
                // An item less than the number of groups is in the group of that number.
                _ if way.items(0).len() > 1 => 0..GROUPS,
                _ => 0..ITEMS,
            };
            items.map(move |item| (way, item))
        };
        READS.iter().flat_map(of_each)
    }

    /// The item that is read in this way, where another sort was asked for.
    pub(crate) const fn item(self, item: u64) -> u64 {
        match (self, item) {
            (Self::Leaf, ..FIRST_LEAF) => FIRST_LEAF + item,
            (Self::Leaf, _) => item,
            _ => item % ITEMS,
        }
    }

    /// Whose rows it returns, in their order.
    pub(crate) fn items(self, item: u64) -> Vec<u64> {
        let group = group_of(item);
        match self {
            Self::Single | Self::Plain | Self::Leaf | Self::Peek | Self::Refresh => vec![item],
            Self::Aging | Self::Frail => vec![item],
            Self::Shelf | Self::Bundle | Self::Mosaic => items_of(group).collect(),
            Self::Tower => items_of(group).chain(items_of(beside(group))).collect(),
            Self::Wide => (0..ITEMS).collect(),
            Self::Summit => [item].into_iter().chain(0..ITEMS).collect(),
            Self::Leaves => (FIRST_LEAF..ROWS).collect(),
            #[cfg(feature = "sync")]
            Self::Still | Self::Twin => vec![item],
            #[cfg(feature = "sync")]
            Self::Rack | Self::Mixed => items_of(group).collect(),
        }
    }

    /// Whether it reads what is made of other cached values and has no tags of its own.
    pub(crate) const fn is_nested(self) -> bool {
        match self {
            Self::Bundle | Self::Tower | Self::Wide | Self::Summit | Self::Leaves => true,
            Self::Mosaic => true,
            #[cfg(feature = "sync")]
            Self::Rack | Self::Mixed => true,
            _ => false,
        }
    }

    /// Whether any invalidation at all outdates what it reads.
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Wide | Self::Summit)
    }

    /// Whether sync functions have a part in it.
    pub(crate) const fn is_sync(self) -> bool {
        match self {
            #[cfg(feature = "sync")]
            Self::Still | Self::Twin | Self::Rack | Self::Mixed => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_ways_return_all_items() {
        for &(way, _) in READS {
            let asked = Way::all().filter(|(one, _)| *one == way);
            let mut rows: Vec<_> = asked.flat_map(|(_, item)| way.items(item)).collect();
            rows.sort_unstable();
            rows.dedup();
            let whole = match way {
                Way::Leaf | Way::Leaves => FIRST_LEAF..ROWS,
                _ => 0..ITEMS,
            };
            assert!(rows.into_iter().eq(whole), "{way:?}");
        }
    }

    #[test]
    fn a_way_gets_an_item_of_its_sort() {
        for item in 0..ROWS {
            assert!((FIRST_LEAF..ROWS).contains(&Way::Leaf.item(item)), "{item}");
            assert!((0..ITEMS).contains(&Way::Tower.item(item)), "{item}");
        }
        assert_eq!(Way::Leaf.item(ROWS - 1), ROWS - 1);
        assert_eq!(Way::Plain.item(3), 3);
    }

    #[test]
    fn every_way_comes_by_chance() {
        let random = Random::new(1);
        let drawn: Vec<_> = (0..5_000).map(|_| Way::by_chance(&random)).collect();
        let reads = READS.iter().map(|(way, _)| way);
        for way in reads.chain(&[Way::Peek, Way::Refresh]) {
            assert!(drawn.contains(way), "{way:?}");
        }
    }
}
