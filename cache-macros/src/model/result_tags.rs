//! The tags of a value: a closure that gives a list of templates, or anything else that can be
//! called with the value. The lists that it has in common with `tags` are read there.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprClosure, Stmt};

use super::{Scope, Tag};
use crate::args::Written;
use crate::diag::Diag;
use crate::func::bound;

/// The `result_tags` option.
pub(crate) struct ResultTags {
    /// Where it is written.
    pub(crate) keyword: Ident,
    pub(crate) tags: Labels,
    /// It may name an argument, which the body then only borrows.
    pub(crate) borrows: bool,
}

/// How the tags of a value are given.
pub(crate) enum Labels {
    /// A closure whose body is a list, of which each element is one tag.
    Each(ExprClosure, Vec<Tag>),
    /// What is called with the value, and gives all of them.
    Call(Expr),
}

impl ResultTags {
    /// How it is written.
    pub(crate) const HOW: &str = "result_tags = |value| [\"author:{value.author}\"]";

    /// Reads the option.
    pub(crate) fn new(written: Written<Expr>, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let Written { keyword, value } = written;
        let at = value.span();
        let mut wrong = |at: Span, message: String| {
            diag.error(at, message);
            None
        };
        let closure = match value {
            Expr::Closure(closure) => closure,
            Expr::Array(_) | Expr::Lit(_) | Expr::Reference(_) | Expr::Macro(_) => {
                return wrong(
                    at,
                    format!(
                        "`result_tags` is a closure or a path that is given the value: write `{}`",
                        Self::HOW
                    ),
                );
            }
            call => {
                return Some(Self {
                    borrows: scope.mentioned_in(&call),
                    keyword,
                    tags: Labels::Call(call),
                });
            }
        };
        if closure.inputs.len() != 1 {
            return wrong(
                at,
                "`result_tags` is given one thing, the value: write `|value| ..`".to_owned(),
            );
        }
        if let Some(keyword) = &closure.asyncness {
            return wrong(
                keyword.span(),
                "`result_tags` cannot await: remove `async`".to_owned(),
            );
        }
        if let Some(at) = unread_template(&closure.body) {
            let message = "`result_tags` reads a template only where the closure is a list: write \
                           `|value| [\"author:{value.author}\"]`, or `format!(..)` here";
            return wrong(at, message.to_owned());
        }
        if !matches!(&*closure.body, Expr::Array(_)) {
            return Some(Self {
                borrows: scope.mentioned_in(&closure),
                keyword,
                tags: Labels::Call(Expr::Closure(closure)),
            });
        }
        Self::each(keyword, closure, scope, diag)
    }

    fn each(keyword: Ident, closure: ExprClosure, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let mut names = Vec::new();
        for input in &closure.inputs {
            bound(input, &mut names);
        }
        let inside = scope.with_value(names);
        let Expr::Array(array) = &*closure.body else {
            return None;
        };
        let tags: Vec<_> = array
            .elems
            .iter()
            .map(|tag| Tag::new(tag.clone(), &inside, diag))
            .collect();
        let tags: Vec<_> = tags.into_iter().collect::<Option<_>>()?;
        let borrows = tags.iter().any(|tag| match tag {
            Tag::Text(_) => false,
            Tag::Template(_, values, _) => values.iter().any(|value| !inside.is_value(&value.root)),
            Tag::Expr(tag) => scope.mentioned_in(tag),
        });
        Some(Self {
            keyword,
            tags: Labels::Each(closure, tags),
            borrows,
        })
    }

    /// There is none.
    pub(crate) fn is_empty(&self) -> bool {
        matches!(&self.tags, Labels::Each(_, tags) if tags.is_empty())
    }
}

/// A list outside of which a text would look like a template and not be one.
fn unread_template(body: &Expr) -> Option<Span> {
    let list = match body {
        Expr::Lit(_) => return Some(body.span()),
        Expr::Reference(reference) => list(&reference.expr)?,
        Expr::Macro(call) if call.mac.path.is_ident("vec") => call.mac.tokens.clone(),
        Expr::Block(block) => match block.block.stmts.last()? {
            Stmt::Expr(last, None) => {
                return list(last)
                    .and_then(template)
                    .or_else(|| unread_template(last));
            }
            Stmt::Macro(last) if last.mac.path.is_ident("vec") => last.mac.tokens.clone(),
            _ => return None,
        },
        _ => return None,
    };
    template(list)
}

fn list(value: &Expr) -> Option<TokenStream> {
    match value {
        Expr::Array(array) => Some(array.elems.to_token_stream()),
        _ => None,
    }
}

/// The first text with a placeholder in it that is itself an element.
fn template(elements: TokenStream) -> Option<Span> {
    elements.into_iter().find_map(|element| match element {
        TokenTree::Literal(text) if text.to_string().contains('{') => Some(text.span()),
        _ => None,
    })
}
