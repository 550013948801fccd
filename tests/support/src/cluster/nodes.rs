//! What a node says of its cluster (`CLUSTER NODES`), and which slot a key is in. It asks nobody.

/// How many slots a cluster has.
pub(super) const SLOTS: u16 = 16_384;

/// One node, as some node sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) id: String,
    /// The primary that it follows; of a primary nothing.
    pub(super) primary: Option<String>,
    /// Its ranges of slots, both ends included, in order.
    pub(super) slots: Vec<(u16, u16)>,
    /// The number of the last change of who owns its slots.
    pub(super) epoch: u64,
    /// Whether this is the node that was asked.
    pub(super) myself: bool,
    /// Whether it is known and, by the node that was asked, not held to be gone.
    pub(super) well: bool,
}

impl Line {
    pub(super) fn owns(&self, slot: u16) -> bool {
        let holds = |&(first, last): &(u16, u16)| (first..=last).contains(&slot);
        self.slots.iter().any(holds)
    }
}

/// Reads the answer to `CLUSTER NODES`, sorted by id. A line that is no such line fails the test.
#[track_caller]
pub(super) fn parse(text: &str) -> Vec<Line> {
    let mut lines: Vec<_> = text
        .lines()
        .map(|line| parse_line(line).unwrap_or_else(|| panic!("no line on a node: {line:?}")))
        .collect();
    lines.sort();
    lines
}

/// `<id> <address> <flags> <primary> <ping> <pong> <epoch> <link> <slots…>`.
fn parse_line(line: &str) -> Option<Line> {
    let words: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
    let [id, _, flags, primary, _, _, epoch, _, slots @ ..] = &words[..] else {
        return None;
    };
    let says = |wanted: &str| flags.split(',').any(|flag| flag == wanted);
    // In brackets: a slot that is on its way to or from this node.
    let settled = slots.iter().filter(|slot| !slot.starts_with('['));
    Some(Line {
        id: (*id).to_owned(),
        primary: (*primary != "-").then(|| (*primary).to_owned()),
        slots: settled
            .map(|range| parse_range(range))
            .collect::<Option<_>>()?,
        epoch: epoch.parse().ok()?,
        myself: says("myself"),
        well: !["fail", "fail?", "handshake", "noaddr"]
            .into_iter()
            .any(says),
    })
}

/// `7` or `0-5460`.
fn parse_range(range: &str) -> Option<(u16, u16)> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The slot of a key: of what stands in its first braces, unless that is nothing.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tag = || {
        let rest = &key[key.iter().position(|byte| *byte == b'{')? + 1..];
        let tag = &rest[..rest.iter().position(|byte| *byte == b'}')?];
        (!tag.is_empty()).then_some(tag)
    };
    crc16(tag().unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM.
fn crc16(bytes: &[u8]) -> u16 {
    let shift = |crc: u16, _| (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 };
    let add = |crc: u16, byte: &u8| (0..8).fold(crc ^ (u16::from(*byte) << 8), shift);
    bytes.iter().fold(0, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_apart() {
        let text = "b 127.0.0.1:2@10002 slave,fail? a 0 0 3 connected\n\
                    a 127.0.0.1:1@10001,host myself,master - 0 0 1 connected 0-5 7 [9->-b]\n";
        let [a, b] = &parse(text)[..] else {
            panic!("two lines");
        };
        assert_eq!((a.id.as_str(), a.epoch, &a.primary), ("a", 1, &None));
        assert_eq!(a.slots, [(0, 5), (7, 7)]);
        assert!(a.myself && a.well && a.owns(5) && a.owns(7));
        assert!(!a.owns(6) && !a.owns(9));
        assert_eq!(b.primary.as_deref(), Some("a"));
        assert!(!b.well && !b.myself);
    }

    #[test]
    #[should_panic(expected = "no line on a node")]
    fn what_is_no_line_is_told() {
        parse("ERR");
    }

    #[test]
    fn keys_have_the_slots_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
        assert_eq!(slot_of(b"foo{bar}{zap}"), slot_of(b"bar"));
        assert_eq!(slot_of(b"foo{}{bar}"), crc16(b"foo{}{bar}") % SLOTS);
        assert_eq!(slot_of(b"foo{bar"), crc16(b"foo{bar") % SLOTS);
    }
}
