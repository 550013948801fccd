//! What an expansion names beside the tag itself: the values of a template.

use std::fmt;

/// A value that can stand in a tag: any with a `Display`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a tag: it has no `Display`",
    label = "has no `Display`",
    note = "name a field that has it, as in `{{page.name}}`, or implement `Display`"
)]
pub trait TagPart {
    /// The value, to be shown.
    fn shown(&self) -> &dyn fmt::Display;
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Display> TagPart for T {
    fn shown(&self) -> &dyn fmt::Display {
        self
    }
}

/// A value of a template, to be shown.
// The result does not depend on the type, so that one without `Display` is one mistake and not two.
pub fn tag_value<T: TagPart>(value: &T) -> &dyn fmt::Display {
    value.shown()
}
