//! Reading the server's replies. Whatever does not have the expected form is `None`.

use redis::Value;

use crate::log::{Answer, LogId, Record};
use crate::tag::TagHash;

/// The log's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) id: LogId,
    pub(super) head: u64,
    pub(super) floor: u64,
}

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

pub(super) fn id(value: &Value) -> Option<LogId> {
    bytes(value)?.try_into().ok()
}

pub(super) fn array(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(values) => Some(values),
        _ => None,
    }
}

/// Id, head and floor.
pub(super) fn log(value: &Value) -> Option<Log> {
    match array(value)? {
        [log, head, floor] => Some(Log {
            id: id(log)?,
            head: number(head)?,
            floor: number(floor)?,
        }),
        _ => None,
    }
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
    let version = position.strip_suffix("-0")?.parse().ok()?;
    let mut of = None;
    let mut named = None;
    for field in array(fields)?.chunks_exact(2) {
        match bytes(&field[0])? {
            b"i" => of = id(&field[1]),
            b"t" => named = tags(bytes(&field[1])?),
            // A field that a later release adds within this layout.
            _ => {}
        }
    }
    if of? != *log {
        return None;
    }
    Some(Record {
        version,
        tags: named?,
    })
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
    let versions = values[3..].iter().map(number).collect::<Option<_>>()?;
    Some(Answer {
        id: log.id,
        head: log.head,
        floor: log.floor,
        versions,
    })
}
