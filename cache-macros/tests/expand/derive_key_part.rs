//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[derive(KeyPart)]
//! struct Filter<'a, T: Ord> {
//!     r#type: &'a str,
//!     values: Vec<T>,
//!     #[key(with = Shop::id)]
//!     shop: Shop,
//!     #[key(skip)]
//!     request: u64,
//! }

#[automatically_derived]
impl<'a, T: Ord> p::KeyPart for Filter<'a, T>
where
    Vec<T>: p::KeyPart,
{
    #[inline]
    fn encode(&self, key: &mut p::KeyWriter) {
        let Self { r#type: value0, values: value1, shop: value2, .. } = self;
        p::KeyWriter::structure(key, 3);
        p::KeyWriter::field(key, "type");
        p::KeyWriter::part(key, value0);
        p::KeyWriter::field(key, "values");
        p::KeyWriter::part(key, value1);
        p::KeyWriter::field(key, "shop");
        p::KeyWriter::part(key, &p::with(value2, Shop::id));
    }
}
