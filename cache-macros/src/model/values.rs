//! Values that templates and closures refer to: the arguments of the function, and fields of
//! them.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Member;
use syn::ext::IdentExt as _;

use crate::diag::{Diag, list, nearest};
use crate::func::{Binding, Func};
use crate::template;

/// A value that can be reached from the arguments.
pub(crate) struct Access {
    /// An argument, or `self`.
    pub(crate) root: Ident,
    /// The fields that lead from it to the value.
    pub(crate) fields: Vec<Member>,
}

/// The names that a template may use.
pub(crate) struct Scope {
    function: String,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) receiver: Option<Ident>,
    /// What a closure calls the value; these names go before the arguments'.
    value: Vec<Ident>,
}

impl Scope {
    pub(crate) fn new(func: &Func) -> Self {
        Self {
            function: func.sig.ident.to_string(),
            bindings: func.bindings(),
            receiver: func
                .receiver()
                .map(|receiver| Ident::new("self", receiver.self_token.span)),
            value: Vec::new(),
        }
    }

    /// The names inside a closure that is given the value, and calls it this.
    pub(crate) fn with_value(&self, value: Vec<Ident>) -> Self {
        Self {
            function: self.function.clone(),
            bindings: self.bindings.clone(),
            receiver: self.receiver.clone(),
            value,
        }
    }

    /// Whether this is what the closure calls the value, or a part of it.
    pub(crate) fn is_value(&self, name: &Ident) -> bool {
        self.value.iter().any(|value| value.unraw() == name.unraw())
    }

    /// The pieces of a template whose values exist, or nothing and the mistakes noted.
    pub(crate) fn template<P>(
        &self,
        text: &syn::LitStr,
        diag: &mut Diag,
        literal: impl Fn(String) -> P,
        value: impl Fn(Access) -> P,
    ) -> Option<Vec<P>> {
        let at = text.span();
        let pieces = match template::parse(&text.value()) {
            Ok(pieces) => pieces,
            Err(message) => {
                diag.error(at, message);
                return None;
            }
        };
        let mut resolved = Vec::new();
        let mut complete = true;
        for piece in pieces {
            match piece {
                template::Piece::Text(text) => resolved.push(literal(text)),
                template::Piece::Value(path) => match self.access(&path, at) {
                    Ok(access) => resolved.push(value(access)),
                    Err(message) => {
                        diag.error(at, message);
                        complete = false;
                    }
                },
            }
        }
        complete.then_some(resolved)
    }

    /// The value at a path, which is reported at `at`.
    fn access(&self, path: &[String], at: Span) -> Result<Access, String> {
        let (name, fields) = path.split_first().ok_or_else(String::new)?;
        let mut root = self.find(name).ok_or_else(|| {
            let unknown = self.unknown(name);
            if !self.takes_none() {
                return unknown;
            }
            let written = path.join(".");
            format!("{unknown}; add the argument, or write a text without `{{{written}}}`")
        })?;
        // The name of the signature, seen where the template is written.
        root.set_span(root.span().located_at(at));
        let fields = fields.iter().filter_map(|field| template::member(field));
        let fields = fields.map(|member| spanned(member, at)).collect();
        Ok(Access { root, fields })
    }

    /// The argument of a name, or `self`.
    pub(crate) fn find(&self, name: &str) -> Option<Ident> {
        if name == "self" {
            return self.receiver.clone();
        }
        let name = name.strip_prefix("r#").unwrap_or(name);
        let arguments = self.bindings.iter().map(|binding| &binding.ident);
        let mut names = self.value.iter().chain(arguments);
        names.find(|known| known.unraw() == name).cloned()
    }

    /// There is nothing to name.
    fn takes_none(&self) -> bool {
        self.bindings.is_empty() && self.receiver.is_none() && self.value.is_empty()
    }

    /// What to say about a name that is none of the arguments.
    pub(crate) fn unknown(&self, name: &str) -> String {
        let function = &self.function;
        if self.takes_none() {
            return format!("`{function}` has no argument `{name}`: it takes none");
        }
        if name == "self" {
            return format!("`{function}` has no `self`: name one of its arguments");
        }
        let names = self
            .bindings
            .iter()
            .map(|binding| binding.ident.unraw().to_string());
        let receiver = self.receiver.iter().map(ToString::to_string);
        // `#[async_trait]` names what it has destructured by its position.
        let (hidden, names): (Vec<_>, Vec<_>) = receiver
            .chain(names)
            .partition(|name| name.starts_with("__arg"));
        if !hidden.is_empty() {
            return format!(
                "`{function}` has no argument `{name}` that can be seen through \
                 `#[async_trait]`: name the argument, and destructure it in the body"
            );
        }
        if !self.value.is_empty() {
            let value = self.value.iter().map(|value| value.unraw().to_string());
            let names: Vec<_> = value.chain(names).collect();
            let names = names.iter().map(String::as_str);
            let meant = nearest(name, names.clone())
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            return format!(
                "`{name}` is neither the closure's nor an argument of `{function}`{meant} (there \
                 are {})",
                list(names)
            );
        }
        let names = names.iter().map(String::as_str);
        let meant = nearest(name, names.clone())
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        format!(
            "`{function}` has no argument `{name}`{meant} (its arguments are {})",
            list(names)
        )
    }

    /// Whether tokens mention an argument or `self`.
    pub(crate) fn mentioned_in(&self, tokens: &impl ToTokens) -> bool {
        self.mentioned(tokens.to_token_stream())
    }

    fn mentioned(&self, tokens: TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => self.find(&ident.to_string()).is_some(),
            TokenTree::Group(group) => self.mentioned(group.stream()),
            // A format string names what it captures inside a literal.
            TokenTree::Literal(literal) => literal.to_string().contains('{'),
            TokenTree::Punct(_) => false,
        })
    }
}

fn spanned(member: Member, at: Span) -> Member {
    match member {
        Member::Named(mut ident) => {
            ident.set_span(Span::mixed_site().located_at(at));
            Member::Named(ident)
        }
        Member::Unnamed(mut index) => {
            index.span = at;
            Member::Unnamed(index)
        }
    }
}
