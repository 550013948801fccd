//! The tokens of a model: constant data, and two calls into the hidden module of the
//! facade. It decides nothing about mistakes, and looks at no option that the model has not read.
//!
//! Spans: what is generated is resolved at the macro (`mixed_site`), so that the body cannot see
//! it, and located where the user should look when it does not compile: at the return type, at an
//! argument, at an option.

mod cached;
mod invalidates;
mod policy;
mod register;

use proc_macro2::{Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::LitStr;
use syn::ext::IdentExt as _;

pub(crate) use self::cached::cached;
pub(crate) use self::invalidates::invalidates;
use crate::model::{Access, Callable, Labels, Place, ResultTags, Tag, Tags};

/// Generated, and located at a place of the user's.
pub(crate) fn at(place: Span) -> Span {
    Span::mixed_site().located_at(place)
}

/// The hidden module, reported at a place.
pub(crate) fn private(place: &Place, span: Span) -> TokenStream {
    if let Some(facade) = &place.facade {
        quote_spanned!(span=> #facade::__private)
    } else {
        quote_spanned!(span=> ::afresh::__private)
    }
}

/// The tokens of something, all of them located at a place.
fn relocated(tokens: impl ToTokens, place: Span) -> TokenStream {
    tokens
        .to_token_stream()
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                let mut moved = Group::new(group.delimiter(), relocated(group.stream(), place));
                moved.set_span(group.span().located_at(place));
                return moved.into();
            }
            token.set_span(token.span().located_at(place));
            token
        })
        .collect()
}

/// The start of a chain that knows what the function returns.
fn returns(function: &Callable, place: &Place) -> TokenStream {
    let blame = function.blame();
    let span = at(blame);
    let p = private(place, span);
    let Some(output) = function.nameable() else {
        return quote_spanned!(span=> #p::Whole::UNNAMED);
    };
    let output = relocated(output, blame);
    // What is left to be inferred could be anything as yet, also a future.
    if function.sync && function.is_named() {
        // By whatever name, a future is not its output.
        return quote_spanned!(span=> #p::Returned::<#output>::NEW.returned().shape());
    }
    quote_spanned!(span=> #p::Returns::<#output>::NEW.shape())
}

/// What is constant about a function: its name and where it is.
fn identity(function: &Callable) -> TokenStream {
    let (name, line) = (name(function), line(function));
    quote!(#name, ::core::file!(), #line)
}

/// The line of the function's identifier. Resolved where that is written: at the macro, it would
/// be the line of the attribute.
fn line(function: &Callable) -> TokenStream {
    quote_spanned!(function.sig.ident.span()=> ::core::line!())
}

fn name(function: &Callable) -> Literal {
    Literal::string(&function.sig.ident.unraw().to_string())
}

/// The cache that is meant.
fn cache(place: &Place) -> TokenStream {
    if let Some(cache) = &place.cache {
        let span = at(syn::spanned::Spanned::span(cache));
        let p = private(place, span);
        return quote_spanned!(span=> #p::cache(&(#cache)));
    }
    let p = private(place, Span::mixed_site());
    quote!(#p::installed())
}

/// The body as one block, after an edge that fixes its type, as far as that has a name: what does
/// not fit is then an error in the body, with a note at the return type. The block's braces are
/// generated, so that no lint is about them. `others` are the tokens outside of the body that name
/// arguments.
fn body(function: &Callable, place: &Place, others: &TokenStream) -> TokenStream {
    let blame = function.blame();
    let span = at(blame);
    let p = private(place, span);
    let edge = function.nameable().map(|output| {
        let output = relocated(output, blame);
        quote_spanned! {span=>
            if false {
                return #p::never::<#output>();
            }
        }
    });
    let mut inside = function.body.clone();
    if function.boxed {
        inside = Group::new(inside.delimiter(), with_uses(inside.stream(), others));
    }
    inside.set_span(at(function.body.span()));
    quote_spanned!(span=> #edge #inside)
}

/// What runs the body when it is asked to: a future, or for a sync function a closure.
fn block(function: &Callable, body: &TokenStream, moves: bool) -> TokenStream {
    let span = at(function.keyword);
    let moves = moves.then(|| quote_spanned!(span=> move));
    if function.sync {
        quote_spanned!(span=> #moves || { #body })
    } else {
        quote_spanned!(span=> async #moves { #body })
    }
}

/// The body, and what closure options ask of its output afterwards.
struct Judged<'a> {
    body: &'a TokenStream,
    /// The statements that ask.
    asks: &'a TokenStream,
    /// They may name an argument, which the body then only borrows.
    borrows: bool,
}

impl Judged<'_> {
    /// The last link of a chain, located where `async` is written.
    fn link(&self, function: &Callable) -> TokenStream {
        let span = at(function.keyword);
        let judge = self.judge(function, &TokenStream::new());
        if function.sync {
            quote_spanned!(span=> .judged_sync(#judge))
        } else {
            quote_spanned!(span=> .judged(#judge))
        }
    }

    /// The closure that waits for the body and asks. `before` is what both of these stand behind.
    fn judge(&self, function: &Callable, before: &TokenStream) -> TokenStream {
        let span = at(function.keyword);
        let (finishing, done) = (hidden("finishing"), hidden("done"));
        let Self { body, asks, .. } = self;
        // Where an argument may be named, the body borrows what it only reads; elsewhere, a
        // borrow would ask arguments for `Sync`.
        let block = block(function, body, !self.borrows);
        if function.sync {
            return quote_spanned! {span=>
                move |#finishing| {
                    #before
                    let mut #done = #finishing.body_sync(#block);
                    #asks
                    #done.finish()
                }
            };
        }
        quote_spanned! {span=>
            move |#finishing| async move {
                #before
                let mut #done = #finishing.body(#block).await;
                #asks
                #done.finish()
            }
        }
    }
}

/// The statement that asks for the tags of a value.
fn result_tags(tags: &ResultTags, place: &Place) -> TokenStream {
    let done = hidden("done");
    let labels = match &tags.tags {
        Labels::Call(call) => call.to_token_stream(),
        Labels::Each(closure, tags) => {
            let mut closure = closure.clone();
            let tags = tags.iter().map(|each| tag(each, place));
            *closure.body = syn::Expr::Verbatim(quote!([#(#tags),*]));
            closure.into_token_stream()
        }
    };
    let span = at(syn::spanned::Spanned::span(&labels));
    quote_spanned!(span=> #done.result_tags(#labels);)
}

/// The function around what it now does.
fn function(function: &Callable, calls: &TokenStream) -> TokenStream {
    let Callable {
        attrs,
        vis,
        defaultness,
        sig,
        keyword,
        boxed,
        ..
    } = function;
    if !boxed {
        return quote!(#(#attrs)* #vis #defaultness #sig { #calls });
    }
    let future = quote_spanned!(at(*keyword)=> async move { #calls });
    quote!(#(#attrs)* #vis #defaultness #sig { Box::pin(#future) })
}

/// `#[async_trait]` binds each argument again (`let id = id;`), also one that only the key uses:
/// such a binding is used right after it, or it would be reported.
fn with_uses(body: TokenStream, others: &TokenStream) -> TokenStream {
    let mut tokens = TokenStream::new();
    let mut last: [Option<TokenTree>; 4] = [const { None }; 4];
    for token in body {
        let ends = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ';');
        tokens.extend([token.clone()]);
        if ends
            && let [
                _,
                Some(TokenTree::Ident(bound)),
                Some(_),
                Some(TokenTree::Ident(value)),
            ] = &last
            && bound == value
            && mentions(others, bound)
        {
            tokens.extend(quote_spanned!(at(bound.span())=> let _ = &#bound;));
        }
        last.rotate_left(1);
        last[3] = Some(token);
    }
    tokens
}

fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}

/// A value of the arguments, by reference.
fn access(Access { root, fields }: &Access) -> TokenStream {
    let span = at(root.span());
    quote_spanned!(span=> &#root #(.#fields)*)
}

/// An iterator of tags.
fn tags(tags: &Tags, place: &Place) -> TokenStream {
    match tags {
        Tags::Expr(tags) => tags.to_token_stream(),
        Tags::Each(tags) => {
            let tags = tags.iter().map(|each| tag(each, place));
            quote!([#(#tags),*])
        }
    }
}

fn tag(tag: &Tag, place: &Place) -> TokenStream {
    match tag {
        Tag::Text(text) => {
            let p = private(place, at(text.span()));
            quote_spanned!(at(text.span())=> #p::tag(#text))
        }
        Tag::Template(format, values, written) => {
            let span = at(*written);
            let p = private(place, span);
            let format = LitStr::new(format, span);
            let values = values.iter().map(access);
            quote_spanned!(span=> #p::tag_of!(#format, #(#values),*))
        }
        Tag::Expr(tag) => {
            let span = at(syn::spanned::Spanned::span(tag));
            let p = private(place, span);
            quote_spanned!(span=> #p::tag(#tag))
        }
    }
}

/// A name that the body cannot see.
fn hidden(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
