//! A key as others see it: its digest, which entries carry, and its readable form, which stands
//! in the names of Redis keys and in reports. Both are frozen by golden tests.

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

use super::parts::tag;
use super::text::{hex, is_plain};
use crate::spec::KeyForm;

/// Texts up to this many bytes are their own readable form.
const LONGEST_TEXT: usize = 200;
/// Bytes of a longer text that stand before its digest.
const TEXT_PREFIX: usize = 64;
/// Bytes gathered from encoded parts that stand before their digest.
const PARTS_PREFIX: usize = 40;

/// The key of one entry, as [`entry(..).key()`](crate::entry) returns it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    text: Box<str>,
    /// Where in the text the namespace ends.
    namespace_len: usize,
    version: u32,
}

impl Key {
    pub(crate) fn new(namespace: &str, version: u32, readable: &str) -> Self {
        let text = match version {
            0 => format!("{namespace}:{readable}"),
            _ => format!("{namespace}@{version}:{readable}"),
        };
        Self {
            text: text.into(),
            namespace_len: namespace.len(),
            version,
        }
    }

    /// Namespace, version unless it is 0, and the key inside the namespace: `books@3:book:7`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.text[..self.namespace_len]
    }

    /// The `version` option of the function.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.text)
    }
}

/// The bytes that a key's words hold.
pub(crate) fn bytes(words: &[u64]) -> Vec<u8> {
    let Some((len, packed)) = words.split_first() else {
        return Vec::new();
    };
    let mut bytes = Vec::with_capacity(packed.len() * 8);
    for word in packed {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    bytes.truncate(*len as usize);
    bytes
}

/// Makes the digests of the keys of one namespace.
#[derive(Clone)]
pub(crate) struct Digests(Sha256);

impl Digests {
    pub(crate) fn new(namespace: &str, version: u32, form: KeyForm) -> Self {
        let form = match form {
            KeyForm::Text => 1_u8,
            KeyForm::Parts => 2,
        };
        let begun = Sha256::new()
            .chain_update((namespace.len() as u64).to_le_bytes())
            .chain_update(namespace)
            .chain_update(version.to_le_bytes())
            .chain_update([form]);
        Self(begun)
    }

    /// What identifies a key among all keys of a cache: 128 bits that cannot be made to collide.
    pub(crate) fn of(&self, key: &[u8]) -> [u8; 16] {
        let full = self.0.clone().chain_update(key).finalize();
        let mut digest = [0; 16];
        digest.copy_from_slice(&full[..16]);
        digest
    }
}

/// Adds the key inside its namespace, fit for a Redis key and for a person: a short text itself,
/// otherwise its beginning, `~` and the digest. No text has a `~` of its own, so the two kinds
/// cannot be taken for each other.
pub(crate) fn push_readable(to: &mut String, form: KeyForm, key: &[u8], digest: &[u8; 16]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match form {
        KeyForm::Text => {
            let text = String::from_utf8_lossy(key);
            let clean = |byte: &u8| !matches!(byte, 0..=b' ' | b'~' | b'{' | b'}' | 0x7f);
            if text.len() <= LONGEST_TEXT && key.iter().all(clean) {
                to.push_str(&text);
                return;
            }
            to.push_str(&text_prefix(&text));
        }
        KeyForm::Parts => push_parts(to, key),
    }
    to.push('~');
    for byte in digest {
        let digits = [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
        to.extend(digits.map(char::from));
    }
}

/// The beginning of a text, not cut inside a character or an escape; characters that must not
/// stand in a Redis key are left out.
fn text_prefix(text: &str) -> String {
    let end = (0..=TEXT_PREFIX)
        .rfind(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    let cut = &text[..end];
    let cut = match cut.rfind('%') {
        Some(escape) if escape + 3 > cut.len() => &cut[..escape],
        _ => cut,
    };
    cut.chars()
        .filter(|c| !matches!(c, '\0'..=' ' | '~' | '{' | '}' | '\x7f'))
        .collect()
}

/// Adds strings, numbers, booleans and variants' names of encoded parts, in order, as far as there is
/// room. It only helps people: the digest behind it is what tells keys apart.
fn push_parts(to: &mut String, key: &[u8]) {
    let start = to.len();
    let mut reader = Reader(key);
    let mut shown = String::new();
    while reader.part(&mut shown).is_some() {
        let mut clean = shown.bytes().filter(|byte| is_plain(*byte)).peekable();
        if clean.peek().is_some() && to.len() > start {
            to.push(':');
        }
        to.extend(clean.map(char::from));
        if to.len() - start >= PARTS_PREFIX {
            to.truncate(start + PARTS_PREFIX);
            break;
        }
        shown.clear();
    }
}

/// Reads encoded parts from left to right. Nesting needs no stack: what a tag announces follows.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn len(&mut self) -> Option<usize> {
        let mut len = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            len |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(len).ok();
            }
        }
        None
    }

    /// Adds what one tag shows, if that is anything. `None` at the end or at an unknown byte.
    fn part(&mut self, to: &mut String) -> Option<()> {
        let [tag] = self.array()?;
        match tag {
            tag::FALSE => to.push_str("false"),
            tag::TRUE => to.push_str("true"),
            tag::END
            | tag::UNIT
            | tag::NONE
            | tag::SOME
            | tag::OK
            | tag::ERR
            | tag::RANGE..=tag::UNBOUNDED
            | tag::OPEN_SEQUENCE..=tag::OPEN_STRUCT
            | tag::NEWTYPE => {}
            tag::U8 => show(to, u8::from_le_bytes(self.array()?)),
            tag::U16 => show(to, u16::from_le_bytes(self.array()?)),
            tag::U32 => show(to, u32::from_le_bytes(self.array()?)),
            tag::U64 => show(to, u64::from_le_bytes(self.array()?)),
            tag::U128 => show(to, u128::from_le_bytes(self.array()?)),
            tag::I8 => show(to, i8::from_le_bytes(self.array()?)),
            tag::I16 => show(to, i16::from_le_bytes(self.array()?)),
            tag::I32 => show(to, i32::from_le_bytes(self.array()?)),
            tag::I64 => show(to, i64::from_le_bytes(self.array()?)),
            tag::I128 => show(to, i128::from_le_bytes(self.array()?)),
            tag::CHAR => to.push(char::from_u32(u32::from_le_bytes(self.array()?))?),
            tag::UUID => to.push_str(&hyphenated(u128::from_be_bytes(self.array()?))),
            tag::STR | tag::PATH | tag::VARIANT => {
                let len = self.len()?;
                to.push_str(&String::from_utf8_lossy(self.take(len)?));
            }
            tag::BYTES | tag::PATH_NOT_UTF8 | tag::FIELD | tag::NAMED => {
                let len = self.len()?;
                self.take(len)?;
            }
            tag::TUPLE | tag::SEQUENCE | tag::SET | tag::MAP | tag::STRUCT => {
                self.len()?;
            }
            tag::ORDERING | tag::WEEKDAY | tag::MONTH => self.skip(1)?,
            tag::F32 | tag::IPV4 => self.skip(4)?,
            tag::F64 | tag::TIME => self.skip(8)?,
            tag::DURATION
            | tag::TIME_AFTER
            | tag::TIME_BEFORE
            | tag::MOMENT
            | tag::ZONED
            | tag::SIGNED_DURATION => self.skip(12)?,
            tag::DATE_TIME => self.skip(14)?,
            tag::IPV6 | tag::UNREPEATABLE => self.skip(16)?,
            tag::SOCKET_V4 | tag::DATE => self.skip(6)?,
            tag::SOCKET_V6 => self.skip(26)?,
            _ => return None,
        }
        Some(())
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }
}

fn show(to: &mut String, number: impl fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(to, "{number}");
}

/// An identifier as it is usually written.
fn hyphenated(id: u128) -> String {
    let digits = format!("{id:032x}");
    [0..8, 8..12, 12..16, 16..20, 20..32]
        .map(|group| &digits[group])
        .join("-")
}

/// A namespace inside a Redis key: without what would start a hash tag or break a line.
pub(crate) fn namespace_text(namespace: &str) -> String {
    let mut text = String::with_capacity(namespace.len());
    let mut utf8 = [0; 4];
    for c in namespace.chars() {
        if matches!(c, '{' | '}' | '%' | '~') || c.is_control() || c.is_whitespace() {
            for byte in c.encode_utf8(&mut utf8).bytes() {
                text.push('%');
                text.extend(hex(byte).map(char::from));
            }
        } else {
            text.push(c);
        }
    }
    text
}
