//! The key of a call: a template, an expression, or the arguments that are not skipped.

use proc_macro2::Span;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprLit, Ident, Lit};

use super::values::{Access, Scope};
use crate::args::{Item, Written};
use crate::diag::Diag;
use crate::template;

/// How a key is made.
pub(crate) enum Key {
    /// From a template, written at a place.
    Template(Vec<Piece>, Span),
    /// From an expression.
    Expr(Expr),
    /// From arguments, in order.
    Parts(Vec<Part>),
}

/// A piece of a key's template.
pub(crate) enum Piece {
    Text(String),
    Value(Access),
}

/// An argument in a default key.
pub(crate) struct Part {
    pub(crate) name: Ident,
    pub(crate) cfgs: Vec<Attribute>,
}

impl Key {
    /// Reads the options `key` and `skip`.
    pub(crate) fn new(
        key: Option<Written<Expr>>,
        skip: Option<Written<Vec<Item>>>,
        scope: &Scope,
        diag: &mut Diag,
    ) -> Option<Self> {
        let Some(Written { value: key, .. }) = key else {
            let skip = skip.map(|skip| skip.value).unwrap_or_default();
            return Some(Self::default(skip, scope, diag));
        };
        if let Some(skip) = skip {
            let message = "`skip` leaves arguments out of the default key, but `key` is given: \
                           keep one of them";
            diag.error(skip.keyword.span(), message);
        }
        match key {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Self::template(&text, scope, diag),
            Expr::Lit(other) => {
                let message = "every call would have this key: write a template such as \
                               `key = \"{id}\"`, an expression of the arguments, or `key = ()` where one \
                               value is all there is";
                diag.error(other.span(), message);
                None
            }
            Expr::Closure(closure) => {
                let message = "`key` is an expression, not a closure: name the arguments in it, \
                               as in `key = (a, b)`";
                diag.error(closure.span(), message);
                None
            }
            key => Some(Self::Expr(key)),
        }
    }

    fn template(text: &syn::LitStr, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let at = text.span();
        if text.value().is_empty() {
            let message = "the key is empty: write a template such as `\"{id}\"`, or `key = ()` \
                           where one value is all there is";
            diag.error(at, message);
            return None;
        }
        if let Ok(pieces) = template::parse(&text.value())
            && let Some(message) =
                template::adjacent(&pieces).or_else(|| template::weak_separator(&pieces))
        {
            diag.error(at, message);
        }
        let pieces = scope.template(text, diag, Piece::Text, Piece::Value)?;
        Some(Self::Template(pieces, at))
    }

    fn default(skip: Vec<Item>, scope: &Scope, diag: &mut Diag) -> Self {
        let mut skipped: Vec<String> = Vec::new();
        for Item { name, value } in skip {
            let text = name.unraw().to_string();
            if let Some(value) = value {
                diag.error(value.span(), "`skip` takes names only: write `skip(a, b)`");
            } else if scope.find(&text).is_none() {
                diag.error(name.span(), scope.unknown(&text));
            } else if skipped.contains(&text) {
                diag.error(
                    name.span(),
                    format!("`{text}` is skipped twice: keep one of them"),
                );
            } else {
                skipped.push(text);
            }
        }
        if let Some(receiver) = &scope.receiver
            && !skipped.iter().any(|name| name == "self")
        {
            let message = "the default key is made of all arguments, but cannot know what \
                           identifies `self`: write `key = \"{self.field}:{argument}\"`, or \
                           `skip(self)` where it makes no difference";
            diag.error(receiver.span(), message);
        }
        let mut parts = Vec::new();
        for binding in &scope.bindings {
            let name = binding.ident.unraw().to_string();
            if skipped.contains(&name) {
                continue;
            }
            if binding.exclusive {
                let message = format!(
                    "an argument by `&mut` cannot be part of the default key: write \
                     `skip({name})`, or `key = ..`"
                );
                diag.error(binding.ident.span(), message);
            }
            parts.push(Part {
                name: binding.ident.clone(),
                cfgs: binding.cfgs.clone(),
            });
        }
        Self::Parts(parts)
    }
}
