//! What a server may say, and what a user may write as its URL: whatever it is, it is read without a
//! panic and without more room than was agreed to. A view's histories are in `log`, a connection's
//! bytes in `connection`.

use std::io::{self, Read};

use redis::Value;

use super::bounded::Frames;
use super::cluster::Map;
use super::{Bidden, bidden, reply, url as urls};
use crate::fuzzing::Source;
use crate::tag::TagHash;

mod connection;
mod log;

pub(crate) use connection::run as connection;
pub(crate) use log::run as log;

/// The most that a reply may announce here.
const MOST: usize = 64 << 10;

/// One byte at a time, so that no more is taken than a reply needs; bounded as on a connection.
struct Slowly<'a> {
    bytes: &'a [u8],
    frames: Frames,
}

impl Read for Slowly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some((&byte, rest)), Some(place)) = (self.bytes.split_first(), buffer.first_mut())
        else {
            return Ok(0);
        };
        if self.frames.follow(&[byte]).is_err() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        (*place, self.bytes) = (byte, rest);
        Ok(1)
    }
}

/// Replies, one after the other. The client and the frames that bound it must agree on where each of
/// them ends: else what is looked at is not what is read.
pub(crate) fn replies(bytes: &[u8]) {
    let frames = Frames::new(MOST);
    let mut replies = Slowly { bytes, frames };
    while !replies.bytes.is_empty() {
        let Ok(value) = redis::Parser::new().parse_value(&mut replies) else {
            return;
        };
        assert!(replies.frames.is_between_replies(), "{value:?} is not one");
        read(&value);
    }
}

/// What each reader of replies makes of one.
fn read(value: &Value) {
    let id = value_id(value);
    let _ = (reply::due(value), reply::number(value), reply::bytes(value));
    // It is added to, and taken from.
    assert!(reply::time(value).is_none_or(|time| time < 1 << 60));
    if let Some(log) = reply::log(value) {
        assert_eq!(Some(log.id), id);
    }
    if let Some(records) = id.and_then(|id| reply::records(value, &id)) {
        for record in &records {
            packs(&record.tags);
        }
    }
    if let Some((log, marks)) = reply::found(value) {
        assert_eq!(Some(log.id), id);
        for mark in &marks {
            packs(&mark.tags);
        }
    }
    let _ = reply::marks(value);
    for asked in 0..3 {
        if let Some(answer) = reply::answer(value, asked) {
            assert_eq!(answer.versions.len(), asked);
        }
    }
    if let Some(Bidden::Failed { message }) = bidden(value, true) {
        assert!(message.len() <= 3 * MOST);
    }
    let _ = Map::read(value, "host");
}

/// The id of a log, from where a reply would have one.
fn value_id(value: &Value) -> Option<[u8; 16]> {
    let values = reply::array(value)?;
    let of_a_record = || {
        let fields = reply::array(reply::array(values.first()?)?.get(1)?)?;
        reply::id(fields.get(1)?)
    };
    reply::id(values.first()?).or_else(of_a_record)
}

fn packs(tags: &[TagHash]) {
    assert_eq!(reply::pack(tags).len(), tags.len() * 8);
}

/// A URL with a password in it, which nothing that is shown repeats; and one that is anything.
pub(crate) fn url(bytes: &[u8]) {
    const PASSWORD: &str = "s3cret";
    const SCHEMES: [&str; 8] = [
        "redis",
        "rediss",
        "redis+unix",
        "redis-sentinel",
        "rediss-sentinel",
        "redis-cluster",
        "valkey",
        "unix",
    ];
    let whole = String::from_utf8_lossy(bytes);
    shown(&whole);
    let mut source = Source::new(bytes);
    let scheme = SCHEMES[usize::from(source.below(8))];
    let (user, before, after) = (source.text(), source.text(), source.text());
    let host = String::from_utf8_lossy(source.bytes(usize::MAX)).into_owned();
    let parts = [&user, &before, &after];
    // What comes behind an `@` of its own is a host, for all that anyone can tell; and what comes
    // where the path of a socket is, a path.
    let is_path = scheme.contains("unix") && user.starts_with('/');
    if is_path || parts.iter().any(|part| part.contains('@')) {
        return;
    }
    let url = format!("{scheme}://{user}:{before}{PASSWORD}{after}@{host}");
    if url.matches(PASSWORD).count() == 1 {
        let shown = shown(&url);
        assert!(!shown.contains(PASSWORD), "{url}: {shown}");
    }
}

/// All that is ever shown of a URL.
fn shown(url: &str) -> String {
    match urls::parse(url) {
        Ok(parsed) => format!("{:?} {:?}", parsed.target, parsed.tls),
        Err(error) => {
            let cause = std::error::Error::source(&error);
            format!("{error} {error:?} {cause:?}")
        }
    }
}
