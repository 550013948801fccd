//! What a type may ask for: one answer, which writes down the question.

use std::any::TypeId;

use serde::de::{Deserializer, Visitor};

use super::access::{Content, Entries, Sequence};
use super::{Failure, Tracer, named, sample};

/// Answers one question of a `Deserialize`.
pub(super) struct Asked<'t> {
    pub(super) tracer: &'t mut Tracer,
    /// Where the question is written down.
    pub(super) text: &'t mut String,
}

impl Asked<'_> {
    /// Begins a scalar: its question is counted and written, its sample chosen.
    fn scalar(&mut self, question: &str, visitor: TypeId) -> Result<usize, Failure> {
        self.tracer.enter()?;
        self.tracer.depth -= 1;
        self.text.push_str(question);
        Ok(self.tracer.sample_for(visitor))
    }

    /// Answers with a fixed number of values in a row.
    fn sequence<'de, V: Visitor<'de>>(
        self,
        (kind, len): (&'static str, usize),
        head: &dyn Fn() -> String,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let node = tracer.open((typeid::of::<V>(), kind), head, self.text)?;
        let mut body = String::new();
        let result = visitor.visit_seq(Sequence::new(tracer, &mut body, len));
        tracer.close(node, body);
        result
    }
}

macro_rules! scalars {
    ($($deserialize:ident, $visit:ident, $question:literal, |$sample:ident| $value:expr;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Failure> {
            let id = typeid::of::<V>();
            let $sample = self.scalar($question, id)?;
            let result = visitor.$visit($value);
            if result.is_err() {
                self.tracer.refuse(id);
            }
            result
        }
    )*};
}

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Failure;

    scalars! {
        deserialize_bool, visit_bool, "bool", |at| at % 2 == 1;
        deserialize_u8, visit_u8, "u8", |at| sample::INTEGERS[at];
        deserialize_u16, visit_u16, "u16", |at| sample::INTEGERS[at].into();
        deserialize_u32, visit_u32, "u32", |at| sample::INTEGERS[at].into();
        deserialize_u64, visit_u64, "u64", |at| sample::INTEGERS[at].into();
        deserialize_u128, visit_u128, "u128", |at| sample::INTEGERS[at].into();
        deserialize_i8, visit_i8, "i8", |at| sample::INTEGERS[at].cast_signed();
        deserialize_i16, visit_i16, "i16", |at| sample::INTEGERS[at].into();
        deserialize_i32, visit_i32, "i32", |at| sample::INTEGERS[at].into();
        deserialize_i64, visit_i64, "i64", |at| sample::INTEGERS[at].into();
        deserialize_i128, visit_i128, "i128", |at| sample::INTEGERS[at].into();
        deserialize_f32, visit_f32, "f32", |at| sample::INTEGERS[at].into();
        deserialize_f64, visit_f64, "f64", |at| sample::INTEGERS[at].into();
        deserialize_char, visit_char, "char", |at| sample::CHARS[at];
        deserialize_str, visit_str, "str", |at| sample::TEXTS[at];
        deserialize_string, visit_str, "str", |at| sample::TEXTS[at];
        deserialize_identifier, visit_str, "name", |at| sample::TEXTS[at];
        deserialize_bytes, visit_bytes, "bytes", |at| &[0; 256][..sample::LENGTHS[at]];
        deserialize_byte_buf, visit_bytes, "bytes", |at| &[0; 256][..sample::LENGTHS[at]];
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Failure> {
        self.text.push_str("any");
        Err(self
            .tracer
            .hopeless("it looks at the input to see what is there"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.text.push_str("ignored");
        visitor.visit_unit()
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.text.push_str("unit");
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.text.push_str(&named("unit_struct ", name));
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let node = tracer.open(
            (typeid::of::<V>(), "option"),
            &|| "option".into(),
            self.text,
        )?;
        let mut body = String::new();
        let result = if tracer.goes_inside(node) {
            visitor.visit_some(Asked {
                tracer: &mut *tracer,
                text: &mut body,
            })
        } else {
            visitor.visit_none()
        };
        tracer.close(node, body);
        result
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let head = || named("newtype ", name);
        let node = tracer.open((typeid::of::<V>(), "newtype"), &head, self.text)?;
        let mut body = String::new();
        let result = visitor.visit_newtype_struct(Asked {
            tracer: &mut *tracer,
            text: &mut body,
        });
        tracer.close(node, body);
        result
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let node = tracer.open((typeid::of::<V>(), "seq"), &|| "seq".into(), self.text)?;
        let len = usize::from(tracer.goes_inside(node));
        let mut body = String::new();
        let result = visitor.visit_seq(Sequence::new(tracer, &mut body, len));
        tracer.close(node, body);
        result
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let node = tracer.open((typeid::of::<V>(), "map"), &|| "map".into(), self.text)?;
        let len = usize::from(tracer.goes_inside(node));
        let mut body = String::new();
        let result = visitor.visit_map(Entries::new(tracer, &mut body, len));
        tracer.close(node, body);
        result
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.sequence(("tuple", len), &|| format!("tuple {len}"), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let head = || format!("{} {len}", named("tuple_struct ", name));
        self.sequence(("tuple_struct", len), &head, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let id = typeid::of::<V>();
        let head = || names(named("struct ", name), fields);
        let node = tracer.open((id, "struct"), &head, self.text)?;
        let mut body = String::new();
        let result = tracer.style(id).visit(tracer, &mut body, fields, visitor);
        tracer.close(node, body);
        if result.is_err() && !tracer.from_below {
            tracer.prefers_names(id);
        }
        result
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let tracer = self.tracer;
        let head = || named("enum ", name);
        let node = tracer.open((typeid::of::<V>(), "enum"), &head, self.text)?;
        let result = visit_variant(tracer, node, variants, visitor);
        tracer.close(node, String::new());
        result
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

fn visit_variant<'de, V: Visitor<'de>>(
    tracer: &mut Tracer,
    node: usize,
    variants: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, Failure> {
    let Some(index) = tracer.choose(node, variants) else {
        return Err(tracer.hopeless("no variant of it ends"));
    };
    let outside = tracer.open_variant(node, index);
    let mut text = String::new();
    let content = Content {
        tracer: &mut *tracer,
        text: &mut text,
        name: variants[index],
    };
    let result = visitor.visit_enum(content);
    tracer.close_variant((node, index), outside, text, result.as_ref().err());
    result
}

/// A head with the names of fields, in order.
pub(super) fn names(mut head: String, names: &[&str]) -> String {
    head.push('[');
    for name in names {
        head.push_str(&named("", name));
        head.push(',');
    }
    head.push(']');
    head
}
