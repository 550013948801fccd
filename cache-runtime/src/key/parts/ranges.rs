//! Ranges and bounds as key parts: each kind is its own, whatever it covers.

use std::ops::{Bound, Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

use super::{KeyPart, tag};
use crate::key::KeyWriter;

impl<T: KeyPart> KeyPart for Range<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE);
        self.start.encode(key);
        self.end.encode(key);
    }
}

impl<T: KeyPart> KeyPart for RangeInclusive<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE_INCLUSIVE);
        self.start().encode(key);
        self.end().encode(key);
    }
}

impl<T: KeyPart> KeyPart for RangeFrom<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE_FROM);
        self.start.encode(key);
    }
}

impl<T: KeyPart> KeyPart for RangeTo<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE_TO);
        self.end.encode(key);
    }
}

impl<T: KeyPart> KeyPart for RangeToInclusive<T> {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE_TO_INCLUSIVE);
        self.end.encode(key);
    }
}

impl KeyPart for RangeFull {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::RANGE_FULL);
    }
}

impl<T: KeyPart> KeyPart for Bound<T> {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Self::Included(value) => {
                key.tag(tag::INCLUDED);
                value.encode(key);
            }
            Self::Excluded(value) => {
                key.tag(tag::EXCLUDED);
                value.encode(key);
            }
            Self::Unbounded => key.tag(tag::UNBOUNDED),
        }
    }
}
