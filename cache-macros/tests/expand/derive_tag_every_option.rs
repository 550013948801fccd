//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[derive(Tag)]
//! #[tag("{{all}}", crate = crate::reexported)]
//! struct Everything(i64);

p::register_tags!("Everything", [("Everything", "{{all}}")]);
#[automatically_derived]
impl ::core::convert::From<Everything> for p::Tag {
    fn from(form: Everything) -> Self {
        Self::from(&form)
    }
}
#[automatically_derived]
impl ::core::convert::From<&Everything> for p::Tag {
    fn from(form: &Everything) -> Self {
        match form {
            Everything { .. } => p::tag("{all}"),
        }
    }
}
