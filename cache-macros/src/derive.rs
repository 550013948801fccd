//! The derives: what type they are on, the attributes of its parts, and the bounds that its
//! parameters need. What each writes is in its submodule.

mod key_part;
mod overlap;
mod tag;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Fields, Generics, Item, Member, Meta, Type};

pub(crate) use self::key_part::key_part;
pub(crate) use self::tag::tag;
use crate::args::{Args, Known};
use crate::diag::Diag;
use crate::expand::at;
use crate::model::Place;

/// A type that a derive is on.
struct Subject {
    ident: Ident,
    generics: Generics,
    attrs: Vec<Attribute>,
    kind: Kind,
}

enum Kind {
    /// Its own fields.
    Struct(Fields),
    Enum(Vec<syn::Variant>),
}

/// A field, and the name by which generated code has its value.
struct Field {
    member: Member,
    ty: Type,
    attrs: Vec<Attribute>,
    local: Ident,
}

impl Subject {
    /// Reads the type; a union has no value to speak of.
    fn read(
        derive: &str,
        instead: impl Fn(&Ident) -> String,
        item: TokenStream,
        diag: &mut Diag,
    ) -> Option<Self> {
        let (mut ident, generics, attrs, kind) = match diag.take(syn::parse2(item))? {
            Item::Struct(it) => (it.ident, it.generics, it.attrs, Kind::Struct(it.fields)),
            Item::Enum(it) => {
                let mut variants: Vec<_> = it.variants.into_iter().collect();
                for variant in &mut variants {
                    respan(&mut variant.ident);
                }
                (it.ident, it.generics, it.attrs, Kind::Enum(variants))
            }
            Item::Union(it) => {
                let message = format!(
                    "`{derive}` cannot be derived for a union: nobody knows which of its fields \
                     is the value; {}",
                    instead(&it.ident)
                );
                diag.error(it.union_token.span, message);
                return None;
            }
            other => {
                let message = format!("`{derive}` is derived for structs and enums");
                diag.error(other.span(), message);
                return None;
            }
        };
        respan(&mut ident);
        Some(Self {
            ident,
            generics,
            attrs,
            kind,
        })
    }

    /// The parameters, with a bound on each of these types that depends on one of them.
    ///
    /// Where a type contains the subject itself, a bound on it would have to be proved by itself:
    /// the parameters that stand in it are bounded instead.
    fn bounded<'a>(
        &self,
        types: impl IntoIterator<Item = &'a Type>,
        bound: &TokenStream,
    ) -> Generics {
        let mut generics = self.generics.clone();
        let parameters: Vec<Ident> = self
            .generics
            .type_params()
            .map(|parameter| parameter.ident.clone())
            .collect();
        let mut bounded: Vec<String> = Vec::new();
        for ty in types {
            let tokens = ty.to_token_stream();
            let inside = parameters.iter().filter(|name| mentions(&tokens, name));
            let inside: Vec<_> = inside.collect();
            if inside.is_empty() {
                continue;
            }
            let span = at(ty.span());
            let recursive = mentions(&tokens, &self.ident)
                || mentions(&tokens, &Ident::new("Self", Span::call_site()));
            let mut add = |ty: &TokenStream| {
                // Fields often share a type: once is enough.
                if !bounded.contains(&ty.to_string()) {
                    bounded.push(ty.to_string());
                    let predicate = syn::parse_quote_spanned!(span=> #ty: #bound);
                    generics.make_where_clause().predicates.push(predicate);
                }
            };
            if recursive {
                for name in inside {
                    add(&name.to_token_stream());
                }
            } else {
                add(&tokens);
            }
        }
        generics
    }
}

/// The fields of a struct or of a variant, in order.
fn fields(fields: &Fields) -> Vec<Field> {
    let members = fields.members();
    let numbered = fields.iter().zip(members).enumerate();
    numbered
        .map(|(number, (field, mut member))| {
            if let Member::Named(ident) = &mut member {
                respan(ident);
            }
            Field {
                member,
                ty: field.ty.clone(),
                attrs: field.attrs.clone(),
                local: Ident::new(&format!("value{number}"), at(field.ty.span())),
            }
        })
        .collect()
}

/// Where it stands, but as generated: what is deprecated is not used by deriving.
fn respan(ident: &mut Ident) {
    ident.set_span(at(ident.span()));
}

/// The tokens of a pattern that binds the fields of `path`.
fn pattern<'a>(path: &TokenStream, bound: impl IntoIterator<Item = &'a Field>) -> TokenStream {
    let fields = bound.into_iter().map(|field| {
        let Field { member, local, .. } = field;
        quote::quote!(#member: #local,)
    });
    quote::quote!(#path { #(#fields)* .. })
}

/// The name of a variant or a field, as one would write it in a text.
fn named(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// A field by its name or position.
fn member_name(member: &Member) -> String {
    match member {
        Member::Named(ident) => named(ident),
        Member::Unnamed(index) => index.index.to_string(),
    }
}

/// The options on the type: where the facade is, and those that `others` takes.
fn place(
    options: Vec<TokenStream>,
    known: &Known,
    diag: &mut Diag,
    mut others: impl FnMut(&mut Args, &mut Diag),
) -> Place {
    let mut facade = None;
    for list in options {
        let mut args = Args::parse(list, known, diag);
        others(&mut args, diag);
        facade = Place::new(&mut args, diag).facade.or(facade);
    }
    Place {
        facade,
        cache: None,
    }
}

/// What stands between the parentheses of each attribute of this name, and where the name is.
/// `instead` is what to do about one that has none.
fn lists<'a>(
    attrs: &'a [Attribute],
    name: &'a str,
    instead: &'a str,
    diag: &mut Diag,
) -> Vec<(Span, TokenStream)> {
    let mut found = Vec::new();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident(name)) {
        let place = attr.path().span();
        match &attr.meta {
            Meta::List(list) if !list.tokens.is_empty() => found.push((place, list.tokens.clone())),
            _ => diag.error(place, format!("`#[{name}]` says nothing: {instead}")),
        }
    }
    found
}

fn mentions(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(&group.stream(), name),
        _ => false,
    })
}
