//! How an argument is given to a function, as far as its type spells it: by reference, by value, or
//! as something that borrows further in. Nothing here knows who has to own it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{
    Attribute, FnArg, GenericArgument, Lifetime, Pat, PathArguments, ReceiverKind, Token, Type,
    TypeParamBound,
};

use super::bound;

/// An argument, or the receiver.
pub(crate) struct Argument {
    /// The names that it binds, or `self`. One, where it is given by reference.
    pub(crate) names: Vec<Ident>,
    pub(crate) passed: Passed,
    /// It is bound by `mut`.
    pub(crate) mutable: Option<Token![mut]>,
    /// The `#[cfg(..)]` of its argument.
    pub(crate) cfgs: Vec<Attribute>,
}

/// How a value is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// By a plain reference to what does not borrow.
    Reference,
    /// By value, or by a reference that never ends.
    Value,
    /// As something else that spells a lifetime.
    Borrowing,
    /// By a reference that may be written to.
    Exclusive,
    /// As what a pattern borrows from it.
    Part,
}

impl Argument {
    pub(super) fn of(input: &FnArg) -> Self {
        match input {
            FnArg::Receiver(receiver) => Self {
                names: vec![Ident::new("self", receiver.self_token.span)],
                passed: match &receiver.kind {
                    ReceiverKind::Typed(_, ty) => Passed::by(ty),
                    ReceiverKind::Reference(_, _, None) => Passed::Reference,
                    ReceiverKind::Reference(_, _, Some(_)) => Passed::Exclusive,
                    _ => Passed::Value,
                },
                mutable: receiver.mutability,
                cfgs: cfgs(&receiver.attrs),
            },
            FnArg::Typed(typed) => {
                let mut names = Vec::new();
                bound(&typed.pat, &mut names);
                let (passed, mutable) = seen_through(&typed.pat, Passed::by(&typed.ty));
                Self {
                    names,
                    passed,
                    mutable,
                    cfgs: cfgs(&typed.attrs),
                }
            }
        }
    }

    pub(crate) fn is_receiver(&self) -> bool {
        self.names.iter().any(|name| name == "self")
    }
}

fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    cfgs.cloned().collect()
}

/// How what a pattern binds is given, and whether it is one name that is `mut`.
fn seen_through(pat: &Pat, passed: Passed) -> (Passed, Option<Token![mut]>) {
    match pat {
        Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => (passed, pat.mutability),
        Pat::Paren(pat) => seen_through(&pat.pat, passed),
        pat if mentions_ref(pat.to_token_stream()) => (Passed::Part, None),
        // What is behind the reference is copied out of it.
        Pat::Reference(_) if passed == Passed::Reference => (Passed::Value, None),
        // Each name refers to a part of what the reference refers to.
        _ if passed == Passed::Reference => (Passed::Part, None),
        _ => (passed, None),
    }
}

fn mentions_ref(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "ref",
        TokenTree::Group(group) => mentions_ref(group.stream()),
        _ => false,
    })
}

impl Passed {
    fn by(ty: &Type) -> Self {
        match ty {
            Type::Paren(paren) => Self::by(&paren.elem),
            Type::Group(group) => Self::by(&group.elem),
            Type::Reference(reference) => {
                let stays = reference.lifetime.as_ref().is_some_and(is_static);
                if reference.mutability.is_some() {
                    Self::Exclusive
                } else if borrows(&reference.elem) {
                    Self::Borrowing
                } else if stays {
                    Self::Value
                } else {
                    Self::Reference
                }
            }
            ty if borrows(ty) => Self::Borrowing,
            _ => Self::Value,
        }
    }
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

/// Whether a type spells that it borrows. What a function in it is given does not count.
fn borrows(ty: &Type) -> bool {
    match ty {
        Type::Array(array) => borrows(&array.elem),
        Type::Group(group) => borrows(&group.elem),
        Type::ImplTrait(bounds) => bounds.bounds.iter().any(bound_borrows),
        Type::Paren(paren) => borrows(&paren.elem),
        Type::Path(path) => {
            let own = path.qself.as_ref().is_some_and(|own| borrows(&own.ty));
            own || path
                .path
                .segments
                .iter()
                .any(|segment| arguments_borrow(&segment.arguments))
        }
        Type::Ptr(pointer) => borrows(&pointer.elem),
        Type::Reference(reference) => {
            !reference.lifetime.as_ref().is_some_and(is_static) || borrows(&reference.elem)
        }
        Type::Slice(slice) => borrows(&slice.elem),
        Type::TraitObject(object) => object.bounds.iter().any(bound_borrows),
        Type::Tuple(tuple) => tuple.elems.iter().any(borrows),
        _ => false,
    }
}

fn arguments_borrow(arguments: &PathArguments) -> bool {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return false;
    };
    arguments.args.iter().any(|argument| match argument {
        GenericArgument::Lifetime(lifetime) => !is_static(lifetime),
        GenericArgument::Type(ty) => borrows(ty),
        GenericArgument::AssocType(assoc) => borrows(&assoc.ty),
        _ => false,
    })
}

fn bound_borrows(bound: &TypeParamBound) -> bool {
    match bound {
        TypeParamBound::Lifetime(lifetime) => !is_static(lifetime),
        TypeParamBound::Trait(bound) if bound.lifetimes.is_none() => {
            let mut segments = bound.path.segments.iter();
            segments.any(|segment| arguments_borrow(&segment.arguments))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(argument: &str) -> Passed {
        Argument::of(&syn::parse_str(argument).expect("an argument")).passed
    }

    #[test]
    fn plain_references_are_told_from_what_borrows_further_in() {
        for (argument, expected) in [
            ("db: &Db", Passed::Reference),
            ("name: &'a str", Passed::Reference),
            ("ids: &[u64]", Passed::Reference),
            ("mut name: &str", Passed::Reference),
            ("call: &dyn Fn(&str) -> u8", Passed::Reference),
            ("&self", Passed::Reference),
            ("&'life0 self", Passed::Reference),
            ("self: &Arc<Self>", Passed::Reference),
            ("id: u64", Passed::Value),
            ("self", Passed::Value),
            ("self: Arc<Self>", Passed::Value),
            ("name: &'static str", Passed::Value),
            ("name: Cow<'static, str>", Passed::Value),
            ("call: impl Fn(&str) -> u8 + 'static", Passed::Value),
            ("call: Box<dyn for<'x> Call<'x>>", Passed::Value),
            ("call: fn(&str) -> &str", Passed::Value),
            ("&id: &u64", Passed::Value),
            ("(a, b): (u64, u64)", Passed::Value),
            ("&(a, b): &(u64, u64)", Passed::Value),
            ("(a, b): &'static (u64, u64)", Passed::Value),
            ("(a, mut b): &(u64, u64)", Passed::Part),
            ("name: Option<&str>", Passed::Borrowing),
            ("name: Cow<'_, str>", Passed::Borrowing),
            ("name: &&str", Passed::Borrowing),
            ("names: &[&str]", Passed::Borrowing),
            ("names: impl Iterator<Item = &'a str>", Passed::Borrowing),
            ("shop: Shop<'a>", Passed::Borrowing),
            ("call: Box<dyn Fn() + 'a>", Passed::Borrowing),
            ("db: &mut Db", Passed::Exclusive),
            ("&mut self", Passed::Exclusive),
            ("self: Pin<&Self>", Passed::Borrowing),
            ("ref id: u64", Passed::Part),
            ("all @ (_, _): &(u64, u64)", Passed::Part),
        ] {
            assert_eq!(passed(argument), expected, "{argument}");
        }
    }
}
