//! The expansion of `#[invalidates]`: mutate with what it invalidates, run with the body.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};

use super::{
    Judged, at, block, body, cache, function, hidden, identity, private, register, result_tags,
    returns, tags,
};
use crate::model::{Invalidates, When};

/// The function with its invalidations.
pub(crate) fn invalidates(model: &Invalidates) -> TokenStream {
    let p = private(&model.place, Span::mixed_site());
    let returns = returns(&model.function, &model.place);
    let mutation = mutation(model);
    let cache = cache(&model.place);
    let m = hidden("m");
    let targets = targets(model);
    let asks = model
        .result_tags
        .as_ref()
        .map(|tags| result_tags(tags, &model.place));
    let others = quote!(#cache #targets #asks);
    let body = body(&model.function, &model.place, &others);
    let last = if let (Some(tags), Some(asks)) = (&model.result_tags, &asks) {
        let judged = Judged {
            body: &body,
            asks,
            borrows: tags.borrows,
        };
        judged.link(&model.function)
    } else {
        let block = block(&model.function, &body, true);
        if model.function.sync {
            quote!(.run_sync(#block))
        } else {
            quote!(.run(#block))
        }
    };
    let awaits = (!model.function.sync).then(|| quote!(.await));
    let call = hidden("call");
    let required = model.crash_safe.as_ref().and_then(|safe| safe.required);
    let required = required.map(|written| {
        let span = at(written);
        let p = private(&model.place, span);
        quote_spanned!(span=> .required(#p::refuse))
    });
    let register = register::invalidates(model);
    let calls = quote! {
        #register
        let #call = #p::mutate(#returns.value(), const { &#mutation }, #cache, |#m| { #targets })
            #required;
        #call #last #awaits
    };
    function(&model.function, &calls)
}

/// What is constant about the mutation.
fn mutation(model: &Invalidates) -> TokenStream {
    let p = private(&model.place, Span::mixed_site());
    let identity = identity(&model.function);
    let when = match model.when {
        When::Success => None,
        When::Always => Some("Always"),
        When::Before => Some("Before"),
    };
    let when = when.map(|when| {
        let when = Ident::new(when, Span::mixed_site());
        quote!(.when(#p::When::#when))
    });
    let crash_safe = model.crash_safe.as_ref().map(|safe| {
        let deadline = safe.deadline;
        quote!(.crash_safe(#deadline))
    });
    quote!(#p::Mutation::new(#identity) #when #crash_safe)
}

/// The statements that name what is invalidated.
fn targets(model: &Invalidates) -> TokenStream {
    let m = hidden("m");
    let tags = model.tags.as_ref().map(|written| {
        let tags = tags(written, &model.place);
        quote!(#m.tags(#tags);)
    });
    let namespaces = (!model.namespaces.is_empty()).then(|| {
        let names = &model.namespaces;
        quote!(#m.namespaces([#(#names),*]);)
    });
    let entries = model.entries.iter().map(|call| {
        let span = at(syn::spanned::Spanned::span(call));
        quote_spanned!(span=> #m.entry(#call);)
    });
    quote!(#tags #namespaces #(#entries)*)
}
