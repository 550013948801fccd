//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[derive(Tag)]
//! enum Shop<'a, T> {
//!     Books,
//!     Book(i64),
//!     #[tag("author:{name.last}/{id}")]
//!     Author { name: &'a Name, id: T, _age: u8 },
//! }

p::register_tags!(
    "Shop", [("Books", "books"), ("Book", "book:{0}"), ("Author",
    "author:{name.last}/{id}")]
);
#[automatically_derived]
impl<'a, T> ::core::convert::From<Shop<'a, T>> for p::Tag
where
    T: p::TagPart,
{
    fn from(form: Shop<'a, T>) -> Self {
        Self::from(&form)
    }
}
#[automatically_derived]
impl<'a, T> ::core::convert::From<&Shop<'a, T>> for p::Tag
where
    T: p::TagPart,
{
    fn from(form: &Shop<'a, T>) -> Self {
        match form {
            Shop::Books { .. } => p::tag("books"),
            Shop::Book { 0: value0, .. } => {
                p::tag(::core::format_args!("book:{}", p::tag_value(value0)))
            }
            Shop::Author { name: value0, id: value1, .. } => {
                p::tag(
                    ::core::format_args!(
                        "author:{}/{}", p::tag_value(& value0.last), p::tag_value(value1)
                    ),
                )
            }
        }
    }
}
