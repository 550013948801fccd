//! Variants that look alike and are told apart, in a module that takes names from the generated.

#![deny(warnings)]

mod core {}
mod std {}

#[derive(afresh::Tag)]
pub enum Shop<'form, T> {
    Books,
    Book(i64),
    #[tag("book:{0}/pages")]
    Pages(i64),
    #[tag("book:all")]
    All,
    #[tag("author:{form}")]
    Author { form: &'form str },
    #[tag("author:{name}/{value0}")]
    Both { name: &'form T, value0: u8 },
    #[deprecated]
    Old,
}

#[derive(afresh::Tag)]
pub enum Never {}

#[derive(afresh::Tag)]
#[deprecated]
pub struct OldBook {
    #[deprecated]
    pub id: u8,
}

fn main() {
    type Number = Shop<'static, u8>;
    let tags: [afresh::Tag; 4] = [
        Number::Books.into(),
        (&Number::Pages(7)).into(),
        Number::Author { form: "x" }.into(),
        Shop::Both { name: &1.5, value0: 7 }.into(),
    ];
    let tags = tags.each_ref().map(afresh::Tag::as_str);
    assert_eq!(tags, ["books", "book:7/pages", "author:x", "author:1.5/7"]);
}
