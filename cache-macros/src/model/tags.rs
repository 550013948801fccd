//! The tags of a call, and the names of namespaces.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::values::{Access, Scope};
use crate::diag::Diag;
use crate::template;

/// The `tags` option.
pub(crate) enum Tags {
    /// A list, of which each element is one tag.
    Each(Vec<Tag>),
    /// An expression that gives all of them.
    Expr(Expr),
}

/// A tag.
pub(crate) enum Tag {
    /// A text that is the same in every call.
    Text(LitStr),
    /// A format string and its values, written at a place.
    Template(String, Vec<Access>, Span),
    /// An expression.
    Expr(Expr),
}

enum Piece {
    Text(String),
    Value(Access),
}

impl Tags {
    /// Reads the option.
    pub(crate) fn new(value: Expr, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let wrong = |at: Span, diag: &mut Diag| {
            diag.error(
                at,
                "`tags` is a list: write `tags = [\"books\", \"book:{id}\"]`",
            );
            None
        };
        // In these, a text would look like a template and not be one.
        let unread = |list: &str, at: Span, diag: &mut Diag| {
            let message = format!(
                "a text in `{list}` is not read as a template: write the list itself, as in \
                 `tags = [\"books\", \"book:{{id}}\"]`"
            );
            diag.error(at, message);
            None
        };
        match value {
            Expr::Array(array) => {
                let tags: Vec<_> = array
                    .elems
                    .into_iter()
                    .map(|tag| Tag::new(tag, scope, diag))
                    .collect();
                tags.into_iter().collect::<Option<_>>().map(Self::Each)
            }
            Expr::Lit(literal) => wrong(literal.span(), diag),
            Expr::Reference(reference) if matches!(*reference.expr, Expr::Array(_)) => {
                unread("&[..]", reference.and_token.span, diag)
            }
            Expr::Macro(call) if call.mac.path.is_ident("vec") => {
                unread("vec![..]", call.mac.path.span(), diag)
            }
            Expr::Closure(closure) => {
                let message = "`tags` cannot see the value: for tags of the value, write \
                               `result_tags = |value| [..]`";
                diag.error(closure.span(), message);
                None
            }
            value => Some(Self::Expr(value)),
        }
    }

    /// There is none.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(self, Self::Each(tags) if tags.is_empty())
    }
}

impl Tag {
    pub(super) fn new(value: Expr, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let text = match value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => text,
            Expr::Lit(other) => {
                diag.error(
                    other.span(),
                    "a tag is a text: write it in quotes, as in `\"books\"`",
                );
                return None;
            }
            value => return Some(Self::Expr(value)),
        };
        let at = text.span();
        if text.value().is_empty() {
            diag.error(at, "the tag is empty: write a name such as `\"books\"`");
            return None;
        }
        if let Ok(pieces) = template::parse(&text.value())
            && let Some(message) = template::adjacent(&pieces)
        {
            diag.error(at, message);
        }
        let pieces = scope.template(&text, diag, Piece::Text, Piece::Value)?;
        Some(Self::from_pieces(pieces, at))
    }

    fn from_pieces(pieces: Vec<Piece>, at: Span) -> Self {
        let mut plain = String::new();
        let mut format = String::new();
        let mut values = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    format.push_str(&text.replace('{', "{{").replace('}', "}}"));
                    plain.push_str(&text);
                }
                Piece::Value(access) => {
                    format.push_str("{}");
                    values.push(access);
                }
            }
        }
        if values.is_empty() {
            Self::Text(LitStr::new(&plain, at))
        } else {
            Self::Template(format, values, at)
        }
    }
}

/// Checks the name of a namespace: it is one text, the same in every call. `instead` is what to do
/// where calls should differ.
pub(crate) fn namespace(value: &Expr, instead: &str, diag: &mut Diag) -> Option<LitStr> {
    let template;
    let message = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => match text.value() {
            name if name.is_empty() => "the namespace is empty: write a name such as `\"books\"`",
            name if name.contains(['{', '}']) => {
                template = format!(
                    "a namespace is the same in every call, so it is not a template: {instead}"
                );
                &template
            }
            name if name.contains(char::is_control) => {
                "a namespace cannot have control characters: write a name such as `\"books\"`"
            }
            _ => return Some(text.clone()),
        },
        _ => "a namespace is a text in quotes: write `\"books\"`",
    };
    diag.error(value.span(), message);
    None
}
