//! The stored form of an entry: a fixed header, tags, payload. A script on the server reads the
//! log id and the version out of it by their offsets. What the payload means is the codec's.

use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use crate::codec::Codec;
use crate::error::{Error, ErrorKind};
use crate::tag::TagHash;

/// The first three bytes of every entry.
const MAGIC: [u8; 3] = *b"AFR";
/// The fourth.
const FORMAT: u8 = 2;

// Where each field begins. Frozen: another layout is another format version.
const CODEC: usize = 4;
const FLAGS: usize = 5;
const TAG_COUNT: usize = 6;
const LOG: usize = 8;
const VERSION: usize = 24;
const SOFT_EXPIRY: usize = 32;
const HARD_EXPIRY: usize = 40;
const COMPUTE_TIME: usize = 48;
const LIVES: usize = 52;
const AHEAD: usize = 56;
const KEY: usize = 60;
const SHAPE: usize = 76;
const CHECKSUM: usize = 84;
/// The length of the header.
const HEADER: usize = 92;

/// What an entry says about its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// The log that the version is a position in.
    pub(crate) log: [u8; 16],
    /// The head of the log when the compute began.
    pub(crate) version: u64,
    /// From when on the entry is stale, in milliseconds of the server's time.
    pub(crate) soft_expiry: u64,
    /// From when on the entry is expired, in milliseconds of the server's time.
    pub(crate) hard_expiry: u64,
    /// How long the compute took, in microseconds.
    pub(crate) compute_micros: u32,
    /// How long it is fresh, from the commit on, in milliseconds.
    pub(crate) lives: u32,
    /// How long before it is stale it is to be computed anew, in milliseconds.
    pub(crate) ahead: u32,
    /// The digest of the key.
    pub(crate) key: [u8; 16],
    /// The fingerprint of the type that was stored.
    pub(crate) shape: u64,
    /// How the payload is encoded.
    pub(crate) codec: Codec,
}

/// An entry as it was read.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) header: Header,
    pub(crate) tags: Arc<[TagHash]>,
    pub(crate) payload: &'a [u8],
}

/// Why bytes are not an entry that this caller can use. All of them are misses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    Truncated,
    Magic,
    Format,
    Flags,
    Codec,
    Tags,
    Checksum,
    OtherKey,
    OtherShape,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "it is too short for its header",
            Self::Magic => "it is not an entry of afresh",
            Self::Format => "it has a format version that this release does not know",
            Self::Flags => "it has flags that this release does not know",
            Self::Codec => "its codec is not built in",
            Self::Tags => "its tags are malformed",
            Self::Checksum => "its checksum does not match",
            Self::OtherKey => "it is for another key",
            Self::OtherShape => "it is for a type of another shape",
        })
    }
}

/// The bytes of an entry.
pub(crate) fn encode(header: &Header, tags: &[TagHash], payload: &[u8]) -> Result<Vec<u8>, Error> {
    // Leaving a tag out would let the entry outlive an invalidation.
    let Ok(count) = u16::try_from(tags.len()) else {
        let message = format!("an entry has {} tags, at most {} fit", tags.len(), u16::MAX);
        return Err(Error::new(ErrorKind::Codec, message));
    };
    let mut bytes = Vec::with_capacity(HEADER + tags.len() * 8 + payload.len());
    bytes.extend(MAGIC);
    bytes.extend([FORMAT, header.codec.id(), 0]);
    bytes.extend(count.to_le_bytes());
    bytes.extend(header.log);
    // Big-endian, so that a script can compare versions as strings: Lua's numbers hold 53 bits.
    bytes.extend(header.version.to_be_bytes());
    bytes.extend(header.soft_expiry.to_le_bytes());
    bytes.extend(header.hard_expiry.to_le_bytes());
    bytes.extend(header.compute_micros.to_le_bytes());
    bytes.extend(header.lives.to_le_bytes());
    bytes.extend(header.ahead.to_le_bytes());
    bytes.extend(header.key);
    bytes.extend(header.shape.to_le_bytes());
    bytes.extend([0; 8]);
    for tag in tags {
        bytes.extend(tag.get().to_le_bytes());
    }
    bytes.extend_from_slice(payload);
    let checksum = checksum(&bytes).to_le_bytes();
    bytes[CHECKSUM..HEADER].copy_from_slice(&checksum);
    Ok(bytes)
}

/// Reads an entry that was stored for this key and this shape.
pub(crate) fn parse<'a>(
    bytes: &'a [u8],
    key: &[u8; 16],
    shape: u64,
) -> Result<Stored<'a>, Unreadable> {
    let (header, rest) = bytes
        .split_first_chunk::<HEADER>()
        .ok_or(Unreadable::Truncated)?;
    // These say how to read the rest, so they come before the checksum.
    if header[..3] != MAGIC {
        return Err(Unreadable::Magic);
    }
    if header[3] != FORMAT {
        return Err(Unreadable::Format);
    }
    if header[FLAGS] != 0 {
        return Err(Unreadable::Flags);
    }
    if checksum(bytes) != u64::from_le_bytes(field(header, CHECKSUM)) {
        return Err(Unreadable::Checksum);
    }
    let count = usize::from(u16::from_le_bytes(field(header, TAG_COUNT)));
    let (tags, payload) = rest.split_at_checked(count * 8).ok_or(Unreadable::Tags)?;
    let header = read_header(header)?;
    if header.key != *key {
        return Err(Unreadable::OtherKey);
    }
    if header.shape != shape {
        return Err(Unreadable::OtherShape);
    }
    let (tags, _) = tags.as_chunks::<8>();
    let tag = |bytes: &[u8; 8]| TagHash::from_u64(u64::from_le_bytes(*bytes));
    if tags.iter().any(|bytes| tag(bytes).is_none()) {
        return Err(Unreadable::Tags);
    }
    // None is missing, as was just seen: so they are as many as there are bytes, and take one piece of
    // memory.
    let tags = tags
        .iter()
        .map(|bytes| tag(bytes).unwrap_or_else(TagHash::all));
    let tags = tags.collect();
    Ok(Stored {
        header,
        tags,
        payload,
    })
}

fn read_header(bytes: &[u8; HEADER]) -> Result<Header, Unreadable> {
    Ok(Header {
        log: field(bytes, LOG),
        version: u64::from_be_bytes(field(bytes, VERSION)),
        soft_expiry: u64::from_le_bytes(field(bytes, SOFT_EXPIRY)),
        hard_expiry: u64::from_le_bytes(field(bytes, HARD_EXPIRY)),
        compute_micros: u32::from_le_bytes(field(bytes, COMPUTE_TIME)),
        lives: u32::from_le_bytes(field(bytes, LIVES)),
        ahead: u32::from_le_bytes(field(bytes, AHEAD)),
        key: field(bytes, KEY),
        shape: u64::from_le_bytes(field(bytes, SHAPE)),
        codec: Codec::from_id(bytes[CODEC]).ok_or(Unreadable::Codec)?,
    })
}

/// `N` bytes of the header from an offset on; all offsets are constants inside it.
fn field<const N: usize>(header: &[u8; HEADER], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&header[at..at + N]);
    field
}

/// Over everything but the checksum itself. Against accidents, not against forgers.
fn checksum(entry: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&entry[..CHECKSUM]);
    hash.update(&entry[HEADER..]);
    hash.digest()
}

/// Makes the checksum right, whatever the bytes are. `false` where there is no room for one.
#[cfg(any(test, afresh_fuzzing))]
pub(crate) fn seal(bytes: &mut [u8]) -> bool {
    if bytes.len() < HEADER {
        return false;
    }
    let checksum = checksum(bytes).to_le_bytes();
    bytes[CHECKSUM..HEADER].copy_from_slice(&checksum);
    true
}

/// Makes of these bytes, which have room for a header, an entry for this key and shape.
#[cfg(any(test, afresh_fuzzing))]
pub(crate) fn address(bytes: &mut [u8], key: &[u8; 16], shape: u64) {
    bytes[..3].copy_from_slice(&MAGIC);
    bytes[3] = FORMAT;
    bytes[FLAGS] = 0;
    bytes[KEY..SHAPE].copy_from_slice(key);
    bytes[SHAPE..CHECKSUM].copy_from_slice(&shape.to_le_bytes());
    seal(bytes);
}

#[cfg(test)]
mod mutation_tests;
#[cfg(test)]
mod tests;
