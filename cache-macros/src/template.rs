//! Templates of keys and tags: text with `{name}` and `{name.field}` in it. It knows their syntax
//! and what makes one ambiguous, not which names exist.

use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Ident, Member};

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that stands for itself.
    Text(String),
    /// A value: a name, and the fields that lead to it.
    Value(Vec<String>),
}

/// What a placeholder begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    Argument,
    /// Of a type, where fields may have numbers.
    Field,
}

/// Parses a template that names arguments; the error says what is wrong and what to write.
pub(crate) fn parse(text: &str) -> Result<Vec<Piece>, String> {
    pieces(text, Root::Argument)
}

/// Parses a template that names the fields of a type.
pub(crate) fn parse_fields(text: &str) -> Result<Vec<Piece>, String> {
    pieces(text, Root::Field)
}

fn pieces(text: &str, root: Root) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        literal.push_str(before);
        let brace = &from[..1];
        if from[1..].starts_with(brace) {
            literal.push_str(brace);
            rest = &from[2..];
            continue;
        }
        if brace == "}" {
            return Err("`}` closes nothing: write `}}` for a brace that stands for itself".into());
        }
        let Some(end) = from.find('}') else {
            let after = &from[1..];
            let named = after.find(|c: char| !(c.is_alphanumeric() || "_.#".contains(c)));
            let name = Some(&after[..named.unwrap_or(after.len())]).filter(|name| !name.is_empty());
            return Err(format!(
                "`{from}` is not closed: write `{{{}}}`, or `{{{{` for a brace that stands for itself",
                name.unwrap_or("name")
            ));
        };
        if !literal.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut literal)));
        }
        pieces.push(Piece::Value(path(&from[1..end], root)?));
        rest = &from[end + 1..];
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// The inside of a placeholder.
fn path(inside: &str, root: Root) -> Result<Vec<String>, String> {
    if inside.trim().is_empty() {
        return Err(match root {
            Root::Argument => "`{}` names nothing: write the argument's name in it, as in `{id}`",
            Root::Field => "`{}` names nothing: write the field in it, as in `{0}` or `{id}`",
        }
        .into());
    }
    if let Some((name, _)) = inside.split_once(':') {
        return Err(format!(
            "`{{{inside}}}` has a format: a template takes values as they are displayed, write `{{{name}}}`"
        ));
    }
    let names: Vec<_> = inside.split('.').map(str::to_owned).collect();
    let is_index = |name: &String| name.bytes().all(|byte| byte.is_ascii_digit());
    let is_root = |name: &String| match root {
        Root::Argument => name == "self" || !is_index(name) && member(name).is_some(),
        Root::Field => member(name).is_some(),
    };
    if !is_root(&names[0]) || names[1..].iter().any(|name| member(name).is_none()) {
        return Err(format!(
            "`{{{inside}}}` is not a name: a template takes `{{name}}` and `{{name.field}}`; \
             compute anything else in an expression"
        ));
    }
    Ok(names)
}

/// The field of a name, which may be a keyword.
pub(crate) fn member(name: &str) -> Option<Member> {
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return syn::parse_str(name).ok();
    }
    let ident = Ident::parse_any
        .parse_str(name)
        .ok()
        // A name and nothing else: what surrounds it, a comment too, is not seen by the parser.
        .filter(|ident| *ident == name)?;
    if syn::parse_str::<Ident>(name).is_ok() {
        return Some(Member::Named(ident));
    }
    // The keywords that no field can be called.
    let never = ["_", "self", "Self", "super", "crate"].contains(&name);
    (!never).then(|| Member::Named(Ident::new_raw(name, ident.span())))
}

/// Two values without text between them: where the first ends cannot be seen.
pub(crate) fn adjacent(pieces: &[Piece]) -> Option<String> {
    pieces.windows(2).find_map(|pair| match pair {
        [Piece::Value(first), Piece::Value(second)] => {
            let (first, second) = (first.join("."), second.join("."));
            Some(format!(
                "nothing separates `{{{first}}}` from `{{{second}}}`: write `{{{first}}}:{{{second}}}`"
            ))
        }
        _ => None,
    })
}

/// A text between two values that could be part of a value: the values are escaped, but not for
/// these characters. (`%` begins what was escaped.)
pub(crate) fn weak_separator(pieces: &[Piece]) -> Option<String> {
    pieces.windows(3).find_map(|three| match three {
        [Piece::Value(first), Piece::Text(text), Piece::Value(second)]
            if text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_.-@+%".contains(c)) =>
        {
            let (first, second) = (first.join("."), second.join("."));
            Some(format!(
                "`{text}` may be part of a value, so it does not separate `{{{first}}}` from \
                 `{{{second}}}`: write `{{{first}}}:{{{second}}}`, or another separator with a \
                 character other than `A-Z a-z 0-9 _ . - @ + %`"
            ))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Piece {
        Piece::Text(text.into())
    }

    fn value(path: &str) -> Piece {
        Piece::Value(path.split('.').map(str::to_owned).collect())
    }

    #[test]
    fn text_and_values_alternate() {
        assert_eq!(parse("book:{id}"), Ok(vec![text("book:"), value("id")]));
        assert_eq!(parse("{a.b.0}/é"), Ok(vec![value("a.b.0"), text("/é")]));
        assert_eq!(
            parse("{{{id}}}"),
            Ok(vec![text("{"), value("id"), text("}")])
        );
        assert_eq!(parse("{self.shop}"), Ok(vec![value("self.shop")]));
        assert_eq!(parse("{r#type}"), Ok(vec![value("r#type")]));
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn what_is_not_a_template_is_refused() {
        for wrong in [
            "{",
            "a{b",
            "}",
            "a}b",
            "{}",
            "{ }",
            "{x:?}",
            "{0}",
            "{a b}",
            "{f(x)}",
            "{a.}",
            "{a//x}",
            "{type//x}",
            "{_/**/}",
            "{a.type/**/}",
            "{a/*\n*/.b}",
            "{\na}",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fields_may_have_numbers() {
        assert_eq!(
            parse_fields("a:{0}/{b.1}"),
            Ok(vec![text("a:"), value("0"), text("/"), value("b.1")])
        );
        assert!(parse_fields("{}").is_err() && parse_fields("{self}").is_err());
    }

    #[test]
    fn ambiguous_templates_are_found() {
        assert!(adjacent(&parse("{a}{b}").unwrap_or_default()).is_some());
        assert!(weak_separator(&parse("{a}-{b}").unwrap_or_default()).is_some());
        assert!(weak_separator(&parse("{a}-:{b}").unwrap_or_default()).is_none());
        assert!(weak_separator(&parse("x{a}:{b}y").unwrap_or_default()).is_none());
    }
}
