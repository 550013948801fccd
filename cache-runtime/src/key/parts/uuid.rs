//! Identifiers of the `uuid` crate as key parts: the 16 bytes in the order of the text.

use uuid::Uuid;

use super::{KeyPart, tag};
use crate::key::KeyWriter;

impl KeyPart for Uuid {
    #[inline]
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::UUID);
        key.bytes(self.as_bytes());
    }
}
