//! The expansion of `#[cached]`: enter with what is known before a compute, run with what a
//! compute needs.

use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

use super::policy::Owning;
use super::{
    Judged, access, at, block, body, cache, function, hidden, identity, policy, private, register,
    result_tags, returns, tags,
};
use crate::model::{Cached, Key, Part, Piece, Place, StoreIf, Ttl, TtlOf};

/// The function with its calls cached.
pub(crate) fn cached(model: &Cached) -> TokenStream {
    let p = private(&model.place, Span::mixed_site());
    let kit = kit(model);
    let spec = spec(model);
    let cache = cache(&model.place);
    let k = hidden("k");
    let key = key(&model.key, &model.place);
    let start = hidden("start");
    let asks = asks(model);
    let owning = Owning::of(model, &asks);
    let plan = plan(model, owning.as_ref(), &asks, &quote!(#cache #key));
    // Each call is a statement of its own, so that temporaries of the user's expressions (the
    // guard of a lock, say) are gone before the body runs.
    let call = hidden("call");
    let register = register::cached(model);
    let run = if model.function.sync {
        quote!(run_sync(move |#start| { #plan }))
    } else {
        quote!(run(move |#start| { #plan }).await)
    };
    let calls = quote! {
        #register
        let #call = #p::enter(#kit, const { &#spec }, #p::site(&|| ()), #cache, |#k| { #key });
        #call.#run
    };
    let written = owning.as_ref().map_or(&model.function, Owning::function);
    function(written, &calls)
}

/// What the return type can do; an error here is one on the return type.
fn kit(model: &Cached) -> TokenStream {
    let returns = returns(&model.function, &model.place);
    let span = at(model.function.blame());
    let errors = if model.function.spells_lifetime() {
        quote_spanned!(span=> .unshared())
    } else {
        quote_spanned!(span=> .errors())
    };
    let kept = if model.local {
        quote_spanned!(span=> .local())
    } else {
        quote_spanned!(span=> .stored())
    };
    quote!(#returns #errors #kept)
}

/// What is constant about the function.
fn spec(model: &Cached) -> TokenStream {
    let p = private(&model.place, Span::mixed_site());
    let identity = identity(&model.function);
    let template = matches!(model.key, Key::Template(..)).then(|| quote!(.template()));
    let namespace = model
        .namespace
        .as_ref()
        .map(|name| quote!(.namespace(#name)));
    let version = model.version.map(|version| quote!(.version(#version)));
    let singleflight = model.singleflight.as_ref().map(|flying| {
        let (lease, wait) = (flying.lease, flying.wait);
        quote!(.singleflight(#lease, #wait))
    });
    let local = model.local.then(|| quote!(.local()));
    let inherit = (!model.inherit).then(|| quote!(.apart()));
    let sync = model.function.sync.then(|| quote!(.sync()));
    let policy = model.policy.as_ref().map(|_| quote!(.policy()));
    let text = register::fingerprint(&model.function);
    quote!(#p::Spec::new(#identity, #text) #template #namespace #version #singleflight #local #inherit #sync #policy)
}

/// The statements that write the key.
fn key(key: &Key, place: &Place) -> TokenStream {
    let k = hidden("k");
    match key {
        Key::Template(pieces, written) => pieces
            .iter()
            .map(|each| piece(each, place, *written))
            .collect(),
        Key::Expr(key) => {
            let span = at(key.span());
            quote_spanned!(span=> #k.part(&(#key));)
        }
        Key::Parts(parts) => parts
            .iter()
            .map(|Part { name, cfgs }| {
                let span = at(name.span());
                quote_spanned!(span=> #(#cfgs)* #k.part(&#name);)
            })
            .collect(),
    }
}

fn piece(piece: &Piece, place: &Place, written: Span) -> TokenStream {
    let k = hidden("k");
    let span = at(written);
    match piece {
        Piece::Text(text) => {
            let mut text = Literal::string(text);
            text.set_span(span);
            quote_spanned!(span=> #k.literal(#text);)
        }
        Piece::Value(value) => {
            let p = private(place, span);
            let value = access(value);
            quote_spanned!(span=> #p::Text(#value).write(#k);)
        }
    }
}

/// What a compute needs: how long its value lives, its tags, and the body.
fn plan(
    model: &Cached,
    owning: Option<&Owning<'_>>,
    asks: &TokenStream,
    others: &TokenStream,
) -> TokenStream {
    let start = hidden("start");
    let plan = hidden("plan");
    let ttl = model.ttl.as_ref().map(ttl);
    let tags = model.tags.as_ref().map(|written| {
        let tags = tags(written, &model.place);
        quote!(.tags(#tags))
    });
    let noted = quote!(let #plan = #start #ttl #tags;);
    let others = quote!(#others #noted #asks);
    let function = owning.map_or(&model.function, Owning::function);
    let body = body(function, &model.place, &others);
    let judged = (!asks.is_empty()).then(|| Judged {
        body: &body,
        asks: owning.map_or(asks, Owning::asks),
        borrows: borrows(model),
    });
    let span = at(function.keyword);
    if let Some(owning) = owning {
        let compute = match &judged {
            None => owning.body(&body),
            Some(judged) => owning.judged(judged),
        };
        return quote_spanned!(span=> #noted #compute);
    }
    let blocking = model.policy.as_ref();
    let blocking = blocking.map(|policy| policy::blocking(policy, &model.place));
    if let Some(judged) = judged {
        let judged = judged.link(function);
        return quote_spanned!(span=> #noted #blocking #plan #judged);
    }
    let block = block(function, &body, true);
    if function.sync {
        quote_spanned!(span=> #noted #blocking #plan.body_sync(#block))
    } else {
        quote_spanned!(span=> #noted #plan.body(#block))
    }
}

/// The statements that ask about the value.
fn asks(model: &Cached) -> TokenStream {
    let done = hidden("done");
    let store_if = model.store_if.as_ref().map(|StoreIf { judge, .. }| {
        let span = at(judge.span());
        quote_spanned!(span=> #done.store_if(#judge);)
    });
    let ttl = match &model.ttl {
        Some(Ttl::Of(TtlOf { closure, .. })) => {
            let span = at(closure.span());
            Some(quote_spanned!(span=> #done.ttl(#closure);))
        }
        _ => None,
    };
    let labels = model.result_tags.as_ref();
    let labels = labels.map(|tags| result_tags(tags, &model.place));
    quote!(#store_if #ttl #labels)
}

/// Whether what asks about the value may name an argument, which the body then only borrows.
fn borrows(model: &Cached) -> bool {
    let ttl = matches!(&model.ttl, Some(Ttl::Of(of)) if of.borrows);
    let store_if = model.store_if.as_ref().is_some_and(|ask| ask.borrows);
    let labels = model.result_tags.as_ref().is_some_and(|ask| ask.borrows);
    ttl || store_if || labels
}

fn ttl(ttl: &Ttl) -> TokenStream {
    let duration = match ttl {
        Ttl::Of(_) => return quote!(.ttl_follows()),
        Ttl::Expr(ttl) => quote!(#ttl),
        Ttl::Millis(millis, written) => {
            let span = at(*written);
            let seconds = millis / 1000;
            if millis % 1000 == 0 {
                quote_spanned!(span=> ::core::time::Duration::from_secs(#seconds))
            } else {
                quote_spanned!(span=> ::core::time::Duration::from_millis(#millis))
            }
        }
    };
    quote!(.ttl(#duration))
}
