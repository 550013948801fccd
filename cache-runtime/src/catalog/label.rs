//! A tag as it is written at a function: its text, and what that text can be.

use std::fmt;

use super::pattern::Pattern;
use crate::spec::Fact;
use crate::tag::TypedTags;

/// A tag that is written at a function.
#[derive(Clone, Debug)]
pub struct Label {
    text: &'static str,
    /// What a value of a type that derives `Tag` stands for, or a template that is the text.
    templates: Vec<&'static str>,
    of_value: bool,
    pub(super) patterns: Vec<Pattern>,
}

impl Label {
    /// The tag, or all tags, that a fact is about.
    pub(super) fn new(fact: &Fact) -> Option<Self> {
        let (text, of_value, templates) = match *fact {
            Fact::Tag(text) => (text, false, vec![text]),
            Fact::ResultTag(text) => (text, true, vec![text]),
            Fact::TagExpr(text) => (text, false, typed(text, TypedTags::all())),
            Fact::ResultTagExpr(text) => (text, true, typed(text, TypedTags::all())),
            Fact::Tags(text) => (text, false, Vec::new()),
            Fact::ResultTags(text) => (text, true, Vec::new()),
            _ => return None,
        };
        Some(Self {
            text,
            of_value,
            patterns: templates.iter().copied().map(Pattern::template).collect(),
            templates,
        })
    }

    /// What is written: the template, or the tokens of an expression. Where [`is_seen`] is false,
    /// it may stand for several tags.
    ///
    /// [`is_seen`]: Self::is_seen
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.text
    }

    /// Whether it is one of `result_tags`, made of the value.
    #[must_use]
    pub fn is_of_value(&self) -> bool {
        self.of_value
    }

    /// Whether it can be seen what it will be: it is a template, a `format!`, or a value of a type
    /// that derives `Tag`. Of other expressions only a run could tell.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        !self.templates.is_empty()
    }

    /// What it is called, wherever it is from.
    pub(super) fn plain(&self) -> String {
        if self.is_seen() {
            self.templates.join(" or ")
        } else {
            format!("computed: {}", self.text)
        }
    }

    /// Whether the two are the same but for the names of their values.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        if self.is_seen() {
            self.patterns == other.patterns
        } else {
            !other.is_seen() && self.text == other.text
        }
    }

    /// Whether some text could be both.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        self.any(other, Pattern::may_be)
    }

    /// Whether the two are likely to be meant for each other; so are two that are one constant.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let constant = self.constant();
        self.any(other, Pattern::is_like) || constant.is_some() && constant == other.constant()
    }

    /// The constant that it is, by its own name: it may be imported or not.
    fn constant(&self) -> Option<&'static str> {
        let (_, own) = path(self.text).filter(|_| !self.is_seen())?;
        let is_upper = |c: char| c.is_uppercase() || c.is_numeric() || c == '_';
        let is_whole = !own.is_empty() && self.text.ends_with(own);
        (is_whole && own.chars().all(is_upper)).then_some(own)
    }

    /// Whether one is the other, misspelled.
    pub(super) fn is_slip_of(&self, other: &Self) -> bool {
        self.any(other, Pattern::is_slip_of)
    }

    /// How far apart the two are spelled; none where they are not near.
    pub(super) fn near(&self, other: &Self) -> Option<usize> {
        let theirs = || other.patterns.iter();
        let all = self.patterns.iter();
        all.flat_map(|ours| theirs().filter_map(|theirs| ours.near(theirs)))
            .min()
    }

    fn any(&self, other: &Self, agree: impl Fn(&Pattern, &Pattern) -> bool) -> bool {
        let theirs = |ours| other.patterns.iter().any(|theirs| agree(ours, theirs));
        self.patterns.iter().any(theirs)
    }
}

/// The template; of an expression whose tags cannot be seen, how they are computed. With a note
/// where it is of the value.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plain())?;
        if self.of_value {
            f.write_str(" (value)")?;
        }
        Ok(())
    }
}

/// What the value of an expression such as `Shop::Book(id)` stands for: more than one template
/// where several types of that name have such a variant.
fn typed(text: &str, all: impl Iterator<Item = &'static TypedTags>) -> Vec<&'static str> {
    let Some((parent, own)) = path(text) else {
        return Vec::new();
    };
    let mut found: Vec<_> = all
        .flat_map(|one| one.variants.iter().map(move |variant| (one.name, variant)))
        // Of a struct, the one variant has its name.
        .filter(|(name, (variant, _))| *variant == own && (parent == Some(name) || *name == own))
        .map(|(_, (_, template))| *template)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The last two segments of the path that is named, or that is given fields.
fn path(text: &str) -> Option<(Option<&str>, &str)> {
    let text = text.trim_start_matches('&');
    let end = text.find(['(', '{']).unwrap_or(text.len());
    let (path, fields) = text.split_at(end);
    let path = path.trim();
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    if !path.chars().all(is_path) || !is_one_group(fields) {
        return None;
    }
    let mut segments = path.rsplit("::");
    let own = segments.next()?;
    Some((segments.next(), own))
}

/// Whether there is nothing after the group that begins a text: no method is called on it.
fn is_one_group(text: &str) -> bool {
    let mut depth = 0_usize;
    let ends_at = text.find(|c: char| {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0
    });
    ends_at.is_none_or(|end| end + 1 == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHOP: TypedTags = TypedTags {
        module: "shop",
        name: "Shop",
        variants: &[
            ("Books", "books"),
            ("Book", "book:{0}"),
            ("Of", "of:{room}"),
        ],
    };
    static GENRE: TypedTags = TypedTags {
        module: "shop",
        name: "Genre",
        variants: &[("Genre", "genre:{0}")],
    };

    fn templates(text: &str) -> Vec<&'static str> {
        typed(text, [&SHOP, &GENRE].into_iter())
    }

    #[test]
    fn values_of_registered_types_are_seen() {
        assert_eq!(templates("Shop::Books"), ["books"]);
        assert_eq!(templates("Shop::Book(id)"), ["book:{0}"]);
        assert_eq!(
            templates("&crate::shop::Shop::Book(row.id())"),
            ["book:{0}"]
        );
        assert_eq!(templates("Shop::Of { room: 7 }"), ["of:{room}"]);
        assert_eq!(templates("Genre(name)"), ["genre:{0}"]);
        assert_eq!(templates("shop::Genre(name)"), ["genre:{0}"]);
    }

    #[test]
    fn other_expressions_are_not() {
        for text in [
            "Shop::Bok(id)",
            "Other::Book(id)",
            "Book(id)",
            "Shop::Book(id).text()",
            "Shop::of(id)",
            "book.genre()",
            "tags!(Shop::Book)",
            "",
        ] {
            assert_eq!(templates(text), [""; 0], "{text}");
        }
    }
}
