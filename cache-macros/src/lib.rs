//! The macros of `afresh`: `#[cached]` and `#[invalidates]`, `#[derive(KeyPart)]` and
//! `#[derive(Tag)]`. Use them through the facade crate, where they are documented.
//!
//! What was written (`args`, `func`, `template`) becomes what it means (`model`), which becomes
//! tokens (`expand`); mistakes are collected on the way (`diag`). The derives (`derive`) read less
//! and do all of that in one place each. Nothing here knows what the runtime does.

mod args;
mod derive;
mod diag;
mod expand;
mod func;
#[cfg(test)]
mod fuzzing;
#[cfg(test)]
mod golden;
mod model;
#[cfg(test)]
mod repository;
mod template;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;

use self::args::{Args, Known};
use self::diag::Diag;
use self::func::Func;
use self::model::{Cached, Invalidates};

#[expect(missing_docs, reason = "documented where the facade exports it")]
#[proc_macro_attribute]
pub fn cached(attr: TokenStream, item: TokenStream) -> TokenStream {
    cached_tokens(attr.into(), item.into()).into()
}

#[expect(missing_docs, reason = "documented where the facade exports it")]
#[proc_macro_attribute]
pub fn invalidates(attr: TokenStream, item: TokenStream) -> TokenStream {
    invalidates_tokens(attr.into(), item.into()).into()
}

#[expect(missing_docs, reason = "documented where the facade exports it")]
#[proc_macro_derive(KeyPart, attributes(key))]
pub fn key_part(item: TokenStream) -> TokenStream {
    derive::key_part(item.into()).into()
}

#[expect(missing_docs, reason = "documented where the facade exports it")]
#[proc_macro_derive(Tag, attributes(tag))]
pub fn tag(item: TokenStream) -> TokenStream {
    derive::tag(item.into()).into()
}

fn cached_tokens(attr: Tokens, item: Tokens) -> Tokens {
    annotated(&model::CACHED, attr, item, |args, func, diag| {
        Cached::new(args, func, diag).map(|model| expand::cached(&model))
    })
}

fn invalidates_tokens(attr: Tokens, item: Tokens) -> Tokens {
    annotated(&model::INVALIDATES, attr, item, |args, func, diag| {
        Invalidates::new(args, func, diag).map(|model| expand::invalidates(&model))
    })
}

/// The expansion; or, where anything is wrong, the item as it was and every mistake.
fn annotated(
    known: &Known,
    attr: Tokens,
    item: Tokens,
    expanded: impl FnOnce(Args, Func, &mut Diag) -> Option<Tokens>,
) -> Tokens {
    let mut diag = Diag::default();
    let args = Args::parse(attr, known, &mut diag);
    let func = Func::read(known.attribute, item.clone(), &mut diag);
    if let Some(expansion) = func.and_then(|func| expanded(args, func, &mut diag)) {
        return expansion;
    }
    let mistakes = diag.into_tokens();
    quote::quote!(#item #mistakes)
}
