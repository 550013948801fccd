//! `#[derive(KeyPart)]`: a struct is its fields with their names, a variant its name and its
//! fields.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprLit, Fields, Lit, Meta, Token, WherePredicate};

use super::{Field, Kind, Subject, fields, lists, member_name, named, pattern, place};
use crate::args::{Args, Instead, Known};
use crate::diag::Diag;
use crate::expand::{at, private};
use crate::model::Place;

/// The options on the type.
const ON_TYPE: Known = Known {
    attribute: "key",
    names: &["crate", "bound"],
    example: BOUND,
    foreign: &[
        (
            "skip",
            Instead::Says("`skip` belongs on a field: write `#[key(skip)]` in front of it"),
        ),
        (
            "with",
            Instead::Says("`with` belongs on a field: write `#[key(with = path)]` in front of it"),
        ),
    ],
};

/// The options on a field.
const ON_FIELD: Known = Known {
    attribute: "key",
    names: &["skip", "with"],
    example: "skip",
    foreign: &[
        (
            "crate",
            Instead::Says(
                "`crate` belongs on the type: write `#[key(crate = path)]` in front of it",
            ),
        ),
        (
            "bound",
            Instead::Says(
                "`bound` belongs on the type: write `#[key(bound = \"T: KeyPart\")]` in front of it",
            ),
        ),
        ("ignore", Instead::Called("skip", "#[key(skip)]")),
    ],
};

/// A field that is part of the key.
struct Part {
    field: Field,
    with: Option<Expr>,
}

/// The implementation; where anything is wrong, it leaves that out and the mistakes follow.
pub(crate) fn key_part(item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let instead = |_: &Ident| "implement `afresh::KeyPart` for it by hand".to_owned();
    let expanded = Subject::read("KeyPart", instead, item, &mut diag)
        .map(|subject| expand(&subject, &mut diag));
    let mistakes = diag.into_tokens();
    quote!(#expanded #mistakes)
}

fn expand(subject: &Subject, diag: &mut Diag) -> TokenStream {
    let instead = "remove it, or write `#[key(bound = \"T: KeyPart\")]`";
    let options = lists(&subject.attrs, "key", instead, diag);
    let options = options.into_iter().map(|(_, list)| list).collect();
    let mut bounds = None;
    let place = place(options, &ON_TYPE, diag, |args, diag| {
        if let Some(written) = args.value("bound", BOUND, diag) {
            bounds = predicates(&written.value, diag);
        }
    });
    let is_packed = is_packed(&subject.attrs);
    let p = &private(&place, Span::mixed_site());
    let key = &Ident::new("key", Span::mixed_site());
    let mut bounded = Vec::new();
    let mut written = |shape: &Fields, diag: &mut Diag| {
        let parts = parts(shape, diag);
        let content = content(shape, &parts, &place, key);
        let whole = parts.iter().filter(|part| part.with.is_none());
        bounded.extend(whole.map(|part| part.field.ty.clone()));
        (parts, content)
    };
    let body = match &subject.kind {
        Kind::Struct(shape) => {
            let (parts, content) = written(shape, diag);
            let pattern = pattern(&quote!(Self), parts.iter().map(|part| &part.field));
            if is_packed {
                let copies = parts.iter().map(|part| copied(&part.field, &place));
                quote!(let #pattern = *self; #(#copies)* #content)
            } else {
                quote!(let #pattern = self; #content)
            }
        }
        Kind::Enum(variants) if variants.is_empty() => quote!(match *self {}),
        Kind::Enum(variants) => {
            let arms: Vec<_> = variants
                .iter()
                .map(|variant| {
                    for (written, _) in lists(&variant.attrs, "key", "remove it", diag) {
                        let message = "a variant cannot be left out of the key: `#[key(..)]` \
                                       belongs on a field or on the type";
                        diag.error(written, message);
                    }
                    let (parts, content) = written(&variant.fields, diag);
                    let (ident, name) = (&variant.ident, named(&variant.ident));
                    let path = quote!(Self::#ident);
                    let pattern = pattern(&path, parts.iter().map(|part| &part.field));
                    quote!(#pattern => { #p::KeyWriter::variant(#key, #name); #content })
                })
                .collect();
            quote!(match self { #(#arms)* })
        }
    };
    let generics = match bounds {
        Some(bounds) => {
            let mut generics = subject.generics.clone();
            generics.make_where_clause().predicates.extend(bounds);
            generics
        }
        None => subject.bounded(&bounded, &quote!(#p::KeyPart)),
    };
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let ident = &subject.ident;
    quote! {
        #[automatically_derived]
        impl #parameters #p::KeyPart for #ident #arguments #bounds {
            #[inline]
            fn encode(&self, #key: &mut #p::KeyWriter) { #body }
        }
    }
}

/// How bounds are written.
const BOUND: &str = "bound = \"T: KeyPart\"";

/// What stands in the text of `bound`; an empty one asks for nothing.
fn predicates(value: &Expr, diag: &mut Diag) -> Option<Punctuated<WherePredicate, Token![,]>> {
    let Expr::Lit(ExprLit {
        lit: Lit::Str(text),
        ..
    }) = value
    else {
        let message = format!("`bound` is a text, as after `where`: write `{BOUND}`");
        diag.error(value.span(), message);
        return None;
    };
    let Ok(predicates) = text.parse_with(Punctuated::parse_terminated) else {
        let message = format!(
            "`bound` holds what would stand after `where`, and this is not a bound: write `{BOUND}`"
        );
        diag.error(text.span(), message);
        return None;
    };
    Some(predicates)
}

/// The type's fields cannot be borrowed where they are.
fn is_packed(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("repr") => {
            let mut words = list.tokens.clone().into_iter();
            words.any(|word| matches!(word, TokenTree::Ident(word) if word == "packed"))
        }
        _ => false,
    })
}

/// The statement that makes a reference of a field's copy.
fn copied(field: &Field, place: &Place) -> TokenStream {
    let local = &field.local;
    let span = at(field.ty.span());
    let p = private(place, span);
    quote_spanned!(span=> let #local = &#p::copied(#local);)
}

/// The fields that are part of the key.
fn parts(shape: &Fields, diag: &mut Diag) -> Vec<Part> {
    let parts = fields(shape).into_iter().filter_map(|field| {
        let mut skip = None;
        let mut with = None;
        let instead = "remove it, or write `#[key(skip)]` to leave the field out of the key";
        for (_, list) in lists(&field.attrs, "key", instead, diag) {
            let mut args = Args::parse(list, &ON_FIELD, diag);
            skip = args.flag("skip", diag).or(skip);
            let example = "with = path::to::function";
            with = args.value("with", example, diag).or(with);
            if let (Some(skip), Some(_)) = (skip, &with) {
                let message = "`skip` leaves the field out, so `with` has nothing to encode: keep \
                               one of them";
                diag.error(skip, message);
            }
        }
        let with = with.map(|with| with.value);
        skip.is_none().then_some(Part { field, with })
    });
    parts.collect()
}

/// The statements that write the fields.
fn content(shape: &Fields, parts: &[Part], place: &Place, key: &Ident) -> TokenStream {
    let p = private(place, Span::mixed_site());
    let count = Literal::usize_unsuffixed(parts.len());
    let head = match shape {
        Fields::Unit => return quote!(#p::KeyWriter::unit(#key);),
        Fields::Unnamed(_) => quote!(#p::KeyWriter::tuple(#key, #count);),
        Fields::Named(_) => quote!(#p::KeyWriter::structure(#key, #count);),
    };
    let named = matches!(shape, Fields::Named(_));
    let values = parts.iter().map(|part| {
        let name = member_name(&part.field.member);
        let name = named.then(|| quote!(#p::KeyWriter::field(#key, #name);));
        let value = value(part, place, key);
        quote!(#name #value)
    });
    quote!(#head #(#values)*)
}

/// The statement that writes one value; an error in it is one on the field's type, or on `with`.
fn value(Part { field, with }: &Part, place: &Place, key: &Ident) -> TokenStream {
    let local = &field.local;
    if let Some(with) = with {
        let span = at(with.span());
        let p = private(place, span);
        return quote_spanned!(span=> #p::KeyWriter::part(#key, &#p::with(#local, #with)););
    }
    let span = at(field.ty.span());
    let p = private(place, span);
    quote_spanned!(span=> #p::KeyWriter::part(#key, #local);)
}
