//! Values to payloads and back. Bytes may come from anywhere: whatever they are, decoding ends in
//! a value or an error, allocates in proportion to them, and takes all of them or fails.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind};

/// How values become bytes. Each entry names its codec, so that a fleet can change to another one
/// process at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// Compact, and the default. Not for types that need a self-describing format: `flatten`,
    /// `skip_serializing_if`, internally tagged or untagged enums, `serde_json::Value`.
    #[default]
    Postcard,
    /// Readable, for any type whose map keys are strings or numbers.
    #[cfg(feature = "json")]
    Json,
    /// Compact and self-describing: structs are stored with their field names.
    #[cfg(feature = "msgpack")]
    MessagePack,
    /// bincode 2, standard configuration. Its maintainers have stopped (RUSTSEC-2025-0141). Not
    /// for types that need a self-describing format.
    #[cfg(feature = "bincode")]
    Bincode,
}

impl Codec {
    /// The number that stands for this codec in stored entries.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Postcard => 1,
            #[cfg(feature = "json")]
            Self::Json => 2,
            #[cfg(feature = "msgpack")]
            Self::MessagePack => 3,
            #[cfg(feature = "bincode")]
            Self::Bincode => 4,
        }
    }

    /// The codec with this number, if it is built in.
    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            1 => Some(Self::Postcard),
            #[cfg(feature = "json")]
            2 => Some(Self::Json),
            #[cfg(feature = "msgpack")]
            3 => Some(Self::MessagePack),
            #[cfg(feature = "bincode")]
            4 => Some(Self::Bincode),
            _ => None,
        }
    }
}

/// The payload of a value.
pub(crate) fn encode<T: Serialize>(value: &T, codec: Codec) -> Result<Vec<u8>, Error> {
    match codec {
        Codec::Postcard => postcard::to_stdvec(value).map_err(not_encoded),
        #[cfg(feature = "json")]
        Codec::Json => serde_json::to_vec(value).map_err(not_encoded),
        // With names: without them `flatten` and skipped fields do not come back.
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => rmp_serde::to_vec_named(value).map_err(not_encoded),
        #[cfg(feature = "bincode")]
        Codec::Bincode => {
            bincode::serde::encode_to_vec(value, bincode::config::standard()).map_err(not_encoded)
        }
    }
}

/// The value of a payload.
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8], codec: Codec) -> Result<T, Error> {
    match codec {
        Codec::Postcard => {
            let (value, rest) = postcard::take_from_bytes(payload).map_err(not_decoded)?;
            all_of(value, rest.len())
        }
        // Takes all bytes and bounds the nesting by itself.
        #[cfg(feature = "json")]
        Codec::Json => serde_json::from_slice(payload).map_err(not_decoded),
        #[cfg(feature = "msgpack")]
        Codec::MessagePack => from_message_pack(payload),
        #[cfg(feature = "bincode")]
        Codec::Bincode => from_bincode(payload),
    }
}

#[cfg(feature = "msgpack")]
fn from_message_pack<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Error> {
    /// Nesting that a thread's stack of 2 MiB bears in a debug build.
    const DEPTH: usize = 256;

    let mut deserializer = rmp_serde::Deserializer::new(payload);
    deserializer.set_max_depth(DEPTH);
    let value = T::deserialize(&mut deserializer).map_err(not_decoded)?;
    all_of(value, deserializer.into_inner().len())
}

#[cfg(feature = "bincode")]
fn from_bincode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Error> {
    // bincode allocates a string's whole length before it reads, up to this limit. The limit
    // counts what values take in memory: at most 16 bytes for one of payload.
    const EACH: usize = 16;
    match payload.len() {
        0..=0x1000 => from_bincode_within::<T, { EACH << 12 }>(payload),
        0x1001..=0x1_0000 => from_bincode_within::<T, { EACH << 16 }>(payload),
        0x1_0001..=0x10_0000 => from_bincode_within::<T, { EACH << 20 }>(payload),
        _ => from_bincode_within::<T, { 1 << 30 }>(payload),
    }
}

#[cfg(feature = "bincode")]
fn from_bincode_within<T: DeserializeOwned, const MOST: usize>(payload: &[u8]) -> Result<T, Error> {
    let config = bincode::config::standard().with_limit::<MOST>();
    let (value, read) =
        bincode::serde::borrow_decode_from_slice(payload, config).map_err(not_decoded)?;
    all_of(value, payload.len() - read)
}

fn all_of<T>(value: T, rest: usize) -> Result<T, Error> {
    if rest == 0 {
        Ok(value)
    } else {
        Err(Error::new(
            ErrorKind::Codec,
            format!("{rest} bytes follow the value"),
        ))
    }
}

fn not_encoded(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::caused(ErrorKind::Codec, "the value could not be encoded", error)
}

fn not_decoded(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::caused(ErrorKind::Codec, "the bytes could not be decoded", error)
}

#[cfg(test)]
mod tests;
