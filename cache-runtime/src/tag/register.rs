//! The types that derive `Tag`, as they register themselves before `main` begins: what templates
//! they have, without a value of theirs.

/// A type of tags.
#[derive(Clone, Copy, Debug)]
pub struct TypedTags {
    /// `module_path!()` around the type.
    pub module: &'static str,
    /// The type's identifier.
    pub name: &'static str,
    /// Each variant's identifier and its template; of a struct, its own.
    pub variants: &'static [(&'static str, &'static str)],
}

inventory::collect!(TypedTags);

impl TypedTags {
    /// All types of tags in this program, in no particular order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        inventory::iter::<Self>.into_iter()
    }
}
