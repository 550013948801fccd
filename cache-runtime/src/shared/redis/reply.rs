//! Reading the server's replies. Whatever does not have the expected form is `None`.

use redis::Value;

use crate::clock::Millis;
use crate::log::{Answer, LogId, Mark, MarkId, Marking, Record};
use crate::tag::TagHash;

/// The log's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) id: LogId,
    pub(super) head: u64,
    pub(super) floor: u64,
}

/// The first position that there is not: the scripts count in numbers of 53 bits. A view that stood
/// further on would have no room for what it holds, nor for a next record.
const FURTHEST: u64 = 1 << 53;

pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

pub(super) fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => std::str::from_utf8(bytes(other)?).ok()?.parse().ok(),
    }
}

/// A place in a log.
pub(super) fn position(value: &Value) -> Option<u64> {
    number(value).filter(|position| *position < FURTHEST)
}

/// What the server's clock says: seconds, and microseconds of the next.
pub(super) fn time(value: &Value) -> Option<Millis> {
    let [seconds, micros] = array(value)? else {
        return None;
    };
    let millis = number(seconds)?.checked_mul(1_000)?;
    let millis = millis.checked_add(number(micros)? / 1_000)?;
    Some(millis).filter(|&moment| is_near(moment))
}

/// A moment by the server's clock.
pub(super) fn moment(value: &Value) -> Option<Millis> {
    number(value).filter(|&moment| is_near(moment))
}

/// Whether a moment is so far from any end that it can be added to and taken from. A mark whose
/// deadline is further away than that nobody would end.
fn is_near(moment: Millis) -> bool {
    moment < FURTHEST
}

pub(super) fn id(value: &Value) -> Option<LogId> {
    bytes(value)?.try_into().ok()
}

pub(super) fn array(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

/// Id, head and floor, perhaps with more behind them.
pub(super) fn log(value: &Value) -> Option<Log> {
    match array(value)? {
        [log, head, floor, ..] => Some(Log {
            id: id(log)?,
            head: position(head)?,
            floor: position(floor)?,
        }),
        _ => None,
    }
}

/// When the log's hashes are to be rotated, where the log's state was asked for.
pub(super) fn due(value: &Value) -> Option<Millis> {
    moment(array(value)?.get(3)?)
}

/// Records of the log with this id. One of another log, or one that cannot be read, spoils all:
/// a gap is then seen, instead of being stepped over.
pub(super) fn records(value: &Value, log: &LogId) -> Option<Vec<Record>> {
    array(value)?
        .iter()
        .map(|record| self::record(record, log))
        .collect()
}

fn record(value: &Value, log: &LogId) -> Option<Record> {
    let [position, fields] = array(value)? else {
        return None;
    };
    let position = std::str::from_utf8(bytes(position)?).ok()?;
    let version = position.strip_suffix("-0")?.parse().ok();
    let version = version.filter(|version| *version < FURTHEST)?;
    let mut of = None;
    let mut moved = None;
    let mut ended = None;
    let (mut placed, mut deadline, mut held) = (None, None, None);
    for field in array(fields)?.chunks_exact(2) {
        match bytes(&field[0])? {
            b"i" => of = id(&field[1]),
            b"t" => moved = tags(bytes(&field[1])?),
            b"u" => ended = tokens(bytes(&field[1])?),
            b"m" => placed = id(&field[1]),
            b"d" => deadline = moment(&field[1]),
            b"p" => held = tags(bytes(&field[1])?),
            // A field that a later release adds within this layout.
            _ => {}
        }
    }
    if of? != *log {
        return None;
    }
    let mark = match (placed, ended) {
        (Some(id), _) => Some(Marking::Placed(Mark {
            id,
            deadline: deadline?,
            tags: held?,
        })),
        (None, Some(ids)) => Some(Marking::Ended(ids)),
        (None, None) => None,
    };
    Some(Record {
        version,
        tags: moved?,
        mark,
    })
}

/// The marks that stand, as their hash holds them: token, then deadline and tags. The sentinel is
/// no mark; without it, the hash has been evicted. That, or one that cannot be read, spoils all.
pub(super) fn marks(value: &Value) -> Option<Vec<Mark>> {
    let pairs: Vec<(&Value, &Value)> = match value {
        Value::Map(pairs) => pairs.iter().map(|(token, mark)| (token, mark)).collect(),
        value => {
            let pairs = array(value)?.chunks_exact(2);
            pairs.map(|pair| (&pair[0], &pair[1])).collect()
        }
    };
    let is_mark = |(token, _): &(&Value, &Value)| !bytes(token).is_some_and(<[u8]>::is_empty);
    let (marks, sentinel): (Vec<_>, Vec<_>) = pairs.into_iter().partition(is_mark);
    sentinel.first()?;
    marks
        .into_iter()
        .map(|(token, held)| mark(token, held))
        .collect()
}

fn mark(token: &Value, held: &Value) -> Option<Mark> {
    let id: MarkId = id(token)?;
    let (deadline, held) = bytes(held)?.split_at_checked(16)?;
    let deadline: Millis = std::str::from_utf8(deadline).ok()?.parse().ok()?;
    let deadline = Some(deadline).filter(|&moment| is_near(moment))?;
    let tags = tags(held)?;
    Some(Mark { id, deadline, tags })
}

/// What an attach found: the log, and the marks that stand.
pub(super) fn found(value: &Value) -> Option<(Log, Vec<Mark>)> {
    let (standing, log) = array(value)?.split_last()?;
    let log = self::log(&Value::Array(log.to_vec()))?;
    Some((log, marks(standing)?))
}

/// Marks, 16 bytes each.
fn tokens(packed: &[u8]) -> Option<Vec<MarkId>> {
    let chunks = packed.chunks(16);
    chunks.map(|chunk| chunk.try_into().ok()).collect()
}

/// Tags, 8 bytes each.
fn tags(packed: &[u8]) -> Option<Vec<TagHash>> {
    if !packed.len().is_multiple_of(8) {
        return None;
    }
    let hash = |chunk: &[u8]| Some(u64::from_le_bytes(chunk.try_into().ok()?));
    packed
        .chunks_exact(8)
        .map(|chunk| TagHash::from_u64(hash(chunk)?))
        .collect()
}

/// The inverse of reading them.
pub(super) fn pack(tags: &[TagHash]) -> Vec<u8> {
    tags.iter()
        .flat_map(|tag| tag.get().to_le_bytes())
        .collect()
}

/// The answer to an ask about this many tags.
pub(super) fn answer(value: &Value, asked: usize) -> Option<Answer> {
    let values = array(value)?;
    if values.len() != 3 + asked {
        return None;
    }
    let log = log(&Value::Array(values[..3].to_vec()))?;
    // Where a mark is on it, a tag is further on than anything.
    let is_one = |version: &u64| *version < FURTHEST || *version == u64::MAX;
    let versions = values[3..].iter().map(|value| number(value).filter(is_one));
    let versions = versions.collect::<Option<_>>()?;
    Some(Answer {
        id: log.id,
        head: log.head,
        floor: log.floor,
        versions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: impl ToString) -> Value {
        Value::BulkString(text.to_string().into_bytes())
    }

    #[test]
    fn a_position_that_no_script_can_reach_is_none() {
        let id = Value::BulkString(vec![7; 16]);
        let state = |head, floor| Value::Array(vec![id.clone(), text(head), text(floor)]);
        let record = |version: u64| {
            let fields = [text("i"), id.clone(), text("t"), text("")];
            let record = [text(format!("{version}-0")), Value::Array(fields.into())];
            Value::Array(vec![Value::Array(record.into())])
        };
        let answer = |version| {
            let values = [id.clone(), text(1), text(0), text(version)];
            Value::Array(values.into())
        };
        assert!(log(&state(FURTHEST - 1, FURTHEST - 1)).is_some());
        assert!(records(&record(FURTHEST - 1), &[7; 16]).is_some());
        assert!(self::answer(&answer(u64::MAX), 1).is_some());
        for far in [FURTHEST, i64::MAX as u64, u64::MAX - 1, u64::MAX] {
            assert!(log(&state(far, 0)).is_none() && log(&state(0, far)).is_none());
            assert!(records(&record(far), &[7; 16]).is_none());
            assert!(far == u64::MAX || self::answer(&answer(far), 1).is_none());
        }
    }

    #[test]
    fn a_time_that_cannot_be_counted_with_is_none() {
        let time = |seconds, micros| time(&Value::Array(vec![text(seconds), text(micros)]));
        assert_eq!(time(1_700_000_000, 999_999), Some(1_700_000_000_999));
        for far in [u64::MAX, u64::MAX / 1_000, FURTHEST / 1_000 + 1] {
            assert_eq!(time(far, 0), None, "{far}");
        }
        assert_eq!(time(1, u64::MAX), None);
    }

    #[test]
    fn a_deadline_that_never_comes_is_none() {
        let id = || Value::BulkString(vec![7; 16]);
        let record = |deadline: u64| {
            let fields = [
                [text("i"), id()],
                [text("t"), text("")],
                [text("m"), id()],
                [text("d"), text(deadline)],
                [text("p"), text("")],
            ];
            let record = [text("1-0"), Value::Array(fields.concat())];
            records(&Value::Array(vec![Value::Array(record.into())]), &[7; 16])
        };
        let standing = |deadline: u64| {
            let sentinel = [text(""), text("")];
            let mark = [id(), text(format!("{deadline:016}"))];
            marks(&Value::Array([sentinel, mark].concat()))
        };
        let due = |due: u64| super::due(&Value::Array(vec![id(), text(1), text(0), text(due)]));
        let last = FURTHEST - 1;
        assert!(record(last).is_some_and(|records| records[0].mark.is_some()));
        assert!(standing(last).is_some_and(|marks| marks.len() == 1));
        assert_eq!(due(last), Some(last));
        for far in [FURTHEST, 9_999_999_999_999_999, u64::MAX] {
            assert_eq!(record(far), None, "{far}");
            assert_eq!(due(far), None, "{far}");
        }
        assert_eq!(standing(9_999_999_999_999_999), None);
    }
}
