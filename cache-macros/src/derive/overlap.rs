//! Whether two templates of tags can make one text, and which. A value is taken to be digits where
//! its type is an integer, else any text without separators (what is not `A-Z a-z 0-9 _ . - @ +`,
//! in ASCII): `book:{0}` and `book:{0}/pages` are told apart, `book:{0}` and `book:all` are not.

use std::collections::{HashSet, VecDeque};

/// One step of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// This character.
    Char(char),
    /// One character of a value.
    One(Class),
    /// Any number of characters of a value.
    Any(Class),
}

/// What a value consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Integer,
    Text,
}

impl Class {
    /// Of a field's type, by its last name.
    pub(super) fn of(ty: &syn::Type) -> Self {
        const INTEGERS: [&str; 12] = [
            "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize",
        ];
        match ty {
            syn::Type::Reference(reference) => Self::of(&reference.elem),
            // A type that a `macro_rules!` macro passed on.
            syn::Type::Group(group) => Self::of(&group.elem),
            syn::Type::Path(path) if INTEGERS.iter().any(|name| path.path.is_ident(name)) => {
                Self::Integer
            }
            _ => Self::Text,
        }
    }

    fn has(self, c: char) -> bool {
        match self {
            Self::Integer => c.is_ascii_digit() || c == '-',
            Self::Text => !c.is_ascii() || c.is_ascii_alphanumeric() || "_.-@+".contains(c),
        }
    }

    /// The steps of a value.
    pub(super) fn steps(self) -> Vec<Step> {
        match self {
            Self::Integer => vec![Step::One(self), Step::Any(self)],
            Self::Text => vec![Step::Any(self)],
        }
    }
}

impl Step {
    /// A character that both steps take.
    fn common(self, other: Self) -> Option<char> {
        match (self, other) {
            (Self::Char(a), Self::Char(b)) => (a == b).then_some(a),
            (Self::Char(c), Self::One(class) | Self::Any(class))
            | (Self::One(class) | Self::Any(class), Self::Char(c)) => class.has(c).then_some(c),
            _ => Some('7'),
        }
    }

    /// How far a template is after the step took a character.
    fn after(self, at: usize) -> usize {
        match self {
            Self::Any(_) => at,
            Self::Char(_) | Self::One(_) => at + 1,
        }
    }
}

/// A shortest text that both make.
pub(super) fn overlap(a: &[Step], b: &[Step]) -> Option<String> {
    let mut seen = HashSet::from([(0, 0)]);
    let mut open = VecDeque::from([(0, 0, String::new())]);
    while let Some((i, j, text)) = open.pop_front() {
        if (i, j) == (a.len(), b.len()) {
            return Some(text);
        }
        let (first, second) = (a.get(i).copied(), b.get(j).copied());
        if matches!(first, Some(Step::Any(_))) && seen.insert((i + 1, j)) {
            open.push_front((i + 1, j, text.clone()));
        }
        if matches!(second, Some(Step::Any(_))) && seen.insert((i, j + 1)) {
            open.push_front((i, j + 1, text.clone()));
        }
        if let (Some(first), Some(second)) = (first, second)
            && let Some(c) = first.common(second)
            && seen.insert((first.after(i), second.after(j)))
        {
            open.push_back((first.after(i), second.after(j), format!("{text}{c}")));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#` is an integer, `*` a text.
    fn steps(template: &str) -> Vec<Step> {
        let step = |c| match c {
            '#' => Class::Integer.steps(),
            '*' => Class::Text.steps(),
            c => vec![Step::Char(c)],
        };
        template.chars().flat_map(step).collect()
    }

    #[test]
    fn a_text_of_both_is_found() {
        for (a, b, text) in [
            ("books", "books", "books"),
            ("book:#", "book:#", "book:7"),
            ("book:*", "book:#", "book:7"),
            ("book:*", "book:all", "book:all"),
            ("*", "books", "books"),
            ("*:x", "a:*", "a:x"),
            ("book*", "book", "book"),
            ("#/*", "7/*", "7/"),
            ("é*", "*", "é"),
        ] {
            assert_eq!(overlap(&steps(a), &steps(b)).as_deref(), Some(text));
            assert_eq!(overlap(&steps(b), &steps(a)).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_cannot_be_both_is_told_apart() {
        for (a, b) in [
            ("books", "book"),
            ("book:#", "book:all"),
            ("book:#", "book:"),
            ("book:*", "book:*/pages"),
            ("book:*", "author:*"),
            ("a*b", "a:b"),
        ] {
            assert_eq!(overlap(&steps(a), &steps(b)), None, "{a} {b}");
            assert_eq!(overlap(&steps(b), &steps(a)), None, "{b} {a}");
        }
    }
}
