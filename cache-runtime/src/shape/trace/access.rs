//! The inside of compound types: elements, entries, fields, variants. Each is answered by `Asked`
//! again; here is only what belongs to their order and number.

use std::any::TypeId;
use std::fmt::Write as _;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::asked::{Asked, names};
use super::{Failure, Tracer};

impl Tracer {
    /// Lets a part be read, and notes whether an error came out of it.
    fn below<'de, S: DeserializeSeed<'de>>(
        &mut self,
        text: &mut String,
        seed: S,
    ) -> Result<S::Value, Failure> {
        let part = typeid::of::<S>();
        let sample = self.samples.get(&part).copied().unwrap_or(self.sample);
        let outside = std::mem::replace(&mut self.sample, sample);
        let result = seed.deserialize(Asked {
            tracer: &mut *self,
            text,
        });
        self.sample = outside;
        if result.is_err() {
            self.fail(part);
        }
        self.from_below = result.is_err();
        result
    }

    /// How a struct is shown its fields.
    pub(super) fn style(&self, visitor: TypeId) -> Style {
        if self.by_name.contains(&visitor) {
            Style::Names
        } else {
            Style::Row
        }
    }

    /// Notes that a struct does not take its fields in a row.
    pub(super) fn prefers_names(&mut self, visitor: TypeId) {
        if self.by_name.insert(visitor) {
            self.answered = true;
        }
    }
}

/// Elements in a row.
pub(super) struct Sequence<'t> {
    tracer: &'t mut Tracer,
    text: &'t mut String,
    left: usize,
    /// The last element's text and how often it came: an array of a thousand is one line.
    last: String,
    times: usize,
}

impl<'t> Sequence<'t> {
    pub(super) fn new(tracer: &'t mut Tracer, text: &'t mut String, len: usize) -> Self {
        tracer.from_below = false;
        Self {
            tracer,
            text,
            left: len,
            last: String::new(),
            times: 0,
        }
    }

    fn write_last(&mut self) {
        // Writing to a string cannot fail.
        let _ = match self.times {
            0 => Ok(()),
            1 => write!(self.text, "{},", self.last),
            times => write!(self.text, "{}*{times},", self.last),
        };
    }
}

impl Drop for Sequence<'_> {
    fn drop(&mut self) {
        self.write_last();
    }
}

impl<'de> SeqAccess<'de> for Sequence<'_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut text = String::new();
        let result = self.tracer.below(&mut text, seed);
        if self.times == 0 || text != self.last {
            self.write_last();
            (self.last, self.times) = (text, 0);
        }
        self.times += 1;
        result.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// Entries of a map.
pub(super) struct Entries<'t> {
    tracer: &'t mut Tracer,
    text: &'t mut String,
    left: usize,
}

impl<'t> Entries<'t> {
    pub(super) fn new(tracer: &'t mut Tracer, text: &'t mut String, len: usize) -> Self {
        Self {
            tracer,
            text,
            left: len,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Failure> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        self.tracer.below(self.text, seed).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        self.text.push(',');
        self.tracer.below(self.text, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// How a struct gets its fields. In a row first: a field's alternative names are listed as fields
/// too, and would come twice by name. By name where the type does not take them in a row.
#[derive(Clone, Copy)]
pub(super) enum Style {
    Row,
    Names,
}

impl Style {
    pub(super) fn visit<'de, V: Visitor<'de>>(
        self,
        tracer: &mut Tracer,
        text: &mut String,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        tracer.from_below = false;
        match self {
            Self::Row => visitor.visit_seq(Sequence::new(tracer, text, fields.len())),
            Self::Names => visitor.visit_map(Fields {
                tracer,
                text,
                left: fields,
            }),
        }
    }
}

/// Fields by name.
struct Fields<'t> {
    tracer: &'t mut Tracer,
    text: &'t mut String,
    left: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Failure> {
        let Some((name, left)) = self.left.split_first() else {
            return Ok(None);
        };
        self.left = left;
        let name: StrDeserializer<'_, Failure> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        let result = self.tracer.below(self.text, seed);
        self.text.push(',');
        result
    }
}

/// A variant and its content.
pub(super) struct Content<'t> {
    pub(super) tracer: &'t mut Tracer,
    pub(super) text: &'t mut String,
    pub(super) name: &'static str,
}

impl<'de> EnumAccess<'de> for Content<'_> {
    type Error = Failure;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Failure> {
        let name: StrDeserializer<'_, Failure> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> VariantAccess<'de> for Content<'_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Failure> {
        self.text.push('=');
        self.tracer.below(self.text, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Failure> {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "({len}:");
        visitor.visit_seq(Sequence::new(self.tracer, self.text, len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.text.push_str(&names(String::new(), fields));
        visitor.visit_seq(Sequence::new(self.tracer, self.text, fields.len()))
    }
}
