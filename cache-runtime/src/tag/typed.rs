//! What `#[derive(Tag)]` names beside the tag itself: the values of a template.

use std::fmt;

/// A value that can stand in a tag: any with a `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a tag: it has no `Display`",
    label = "has no `Display`",
    note = "implement `Display` for it, or write a template that names other fields: `#[tag(\"..\")]`"
)]
pub trait TagPart {
    /// Shows the value.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Display + ?Sized> TagPart for T {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt(f)
    }
}

/// A value of a template, to be shown.
// Opaque, so that a type without `Display` is one mistake and not two.
pub fn tag_value<T: TagPart + ?Sized>(value: &T) -> impl fmt::Display + '_ {
    struct Shown<'a, T: ?Sized>(&'a T);

    impl<T: TagPart + ?Sized> fmt::Display for Shown<'_, T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.show(f)
        }
    }

    Shown(value)
}
