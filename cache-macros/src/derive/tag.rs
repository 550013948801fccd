//! `#[derive(Tag)]`: each variant is a template of a tag, its own or one made of its name, and the
//! tag is what the template makes of the fields.

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Attribute, Fields, Ident, LitStr, Token};

use super::overlap::{Class, Step, overlap};
use super::{Field, Kind, Subject, fields, lists, member_name, named, pattern, place};
use crate::args::Known;
use crate::diag::{Diag, list, nearest};
use crate::expand::{at, private};
use crate::model::Place;
use crate::template::{self, Piece};

/// The options on the type.
const ON_TYPE: Known = Known {
    attribute: "tag",
    names: &["crate"],
    example: "crate = path::to::afresh",
    foreign: &[],
};

/// A struct or a variant, and the tag that it makes.
struct Form {
    /// The struct, or the variant in its enum.
    path: TokenStream,
    ident: Ident,
    fields: Vec<Field>,
    /// As it is written, or would be.
    template: String,
    pieces: Vec<Piece>,
    /// Where its mistakes are reported.
    at: Span,
}

/// The implementations; where anything is wrong, they make no tag and the mistakes follow.
pub(crate) fn tag(item: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let instead = |union: &Ident| format!("implement `From<{union}> for afresh::Tag` by hand");
    let expanded =
        Subject::read("Tag", instead, item, &mut diag).map(|subject| expand(&subject, &mut diag));
    let mistakes = diag.into_tokens();
    quote!(#expanded #mistakes)
}

fn expand(subject: &Subject, diag: &mut Diag) -> TokenStream {
    let (place, forms) = read(subject, diag);
    let p = &private(&place, Span::mixed_site());
    let clean = diag.is_clean();
    let (body, register) = if clean {
        let arms = forms.iter().map(|form| arm(form, &place));
        let body = match &subject.kind {
            Kind::Enum(variants) if variants.is_empty() => quote!(match *form {}),
            _ => quote!(match form { #(#arms)* }),
        };
        let name = named(&subject.ident);
        let variants = forms.iter().map(|form| {
            let (name, template) = (named(&form.ident), &form.template);
            quote!((#name, #template))
        });
        (body, quote!(#p::register_tags!(#name, [#(#variants),*]);))
    } else {
        (quote!(#p::never()), TokenStream::new())
    };
    let shown = forms.iter().flat_map(|form| {
        let values = form.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(path) if path.len() == 1 => form.find(&path[0]),
            _ => None,
        });
        values.map(|field| &field.ty)
    });
    let generics = subject.bounded(shown, &quote!(#p::TagPart));
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let ident = &subject.ident;
    // In the second, the lifetime of the reference is elided: the type's own are its arguments.
    quote! {
        #register
        #[automatically_derived]
        impl #parameters ::core::convert::From<#ident #arguments> for #p::Tag #bounds {
            fn from(form: #ident #arguments) -> Self { Self::from(&form) }
        }
        #[automatically_derived]
        impl #parameters ::core::convert::From<&#ident #arguments> for #p::Tag #bounds {
            fn from(form: &#ident #arguments) -> Self { #body }
        }
    }
}

/// What was written; where a template is wrong, its form has none of it.
fn read(subject: &Subject, diag: &mut Diag) -> (Place, Vec<Form>) {
    let mut options = Vec::new();
    let mut own = None;
    for (written, attribute) in lists(&subject.attrs, "tag", INSTEAD, diag) {
        let (text, rest) = split(attribute, diag);
        options.push(rest);
        if let (Some(text), Kind::Enum(_)) = (&text, &subject.kind) {
            let message = "`#[tag(\"..\")]` belongs on the variants, each of which is a tag: write it \
                           above each variant";
            diag.error(text.span(), message);
        } else if own.is_some() && text.is_some() {
            diag.error(written, TWICE);
        }
        own = own.or(text);
    }
    let place = place(options, &ON_TYPE, diag, |_, _| ());
    let subject_ident = &subject.ident;
    let forms = match &subject.kind {
        Kind::Struct(shape) => {
            let ident = &subject.ident;
            vec![Form::new(quote!(#ident), ident, shape, own, diag)]
        }
        Kind::Enum(variants) => variants
            .iter()
            .map(|variant| {
                let ident = &variant.ident;
                let text = template_of(&variant.attrs, diag);
                let path = quote!(#subject_ident::#ident);
                Form::new(path, ident, &variant.fields, text, diag)
            })
            .collect(),
    };
    if diag.is_clean() {
        told_apart(&subject.ident, &forms, diag);
    }
    (place, forms)
}

const EXAMPLE: &str = "#[tag(\"book:{0}\")]";
const INSTEAD: &str = "write `#[tag(\"book:{0}\")]`";
const TWICE: &str = "`#[tag(..)]` is written more than once: keep one template";

/// The template that a variant has of its own.
fn template_of(attrs: &[Attribute], diag: &mut Diag) -> Option<LitStr> {
    let mut own = None;
    for (written, attribute) in lists(attrs, "tag", INSTEAD, diag) {
        let (text, rest) = split(attribute, diag);
        if let Some(token) = rest.into_iter().next() {
            let message = format!("a variant takes a template and nothing else: write `{EXAMPLE}`");
            diag.error(token.span(), message);
        } else if own.is_some() {
            diag.error(written, TWICE);
        }
        own = own.or(text);
    }
    own
}

/// The literal that an attribute begins with, and what follows it.
fn split(attribute: TokenStream, diag: &mut Diag) -> (Option<LitStr>, TokenStream) {
    let mut tokens = attribute.clone().into_iter();
    let Some(first) = tokens.next() else {
        return (None, attribute);
    };
    // A literal that a `macro_rules!` macro passed on is in a group.
    let literal = match &first {
        TokenTree::Group(group) => group.stream(),
        first => first.clone().into(),
    };
    let Ok(literal) = syn::parse2::<syn::Lit>(literal) else {
        return (None, attribute);
    };
    let mut rest = tokens.collect::<TokenStream>();
    if let Some(TokenTree::Punct(punct)) = rest.clone().into_iter().next()
        && punct.as_char() == ','
    {
        rest = rest.into_iter().skip(1).collect();
    }
    match literal {
        syn::Lit::Str(text) => (Some(text), rest),
        other => {
            let message = format!("a template is a text in quotes: write `{EXAMPLE}`");
            diag.error(other.span(), message);
            (None, rest)
        }
    }
}

impl Form {
    fn new(
        path: TokenStream,
        ident: &Ident,
        shape: &Fields,
        own: Option<LitStr>,
        diag: &mut Diag,
    ) -> Self {
        let fields = fields(shape);
        for field in &fields {
            for attr in field
                .attrs
                .iter()
                .filter(|attr| attr.path().is_ident("tag"))
            {
                let message = "`#[tag(..)]` belongs on the variant, and names its fields: write \
                               `#[tag(\"book:{0}\")]` there";
                diag.error(attr.path().span(), message);
            }
        }
        let (template, at) = match own {
            Some(own) => (own.value(), own.span()),
            None => (default_template(ident, &fields), ident.span()),
        };
        let mut form = Self {
            path,
            ident: ident.clone(),
            fields,
            template,
            pieces: Vec::new(),
            at,
        };
        match form.checked() {
            Ok(pieces) => form.pieces = pieces,
            Err(message) => diag.error(at, message),
        }
        form
    }

    /// The pieces of the template, if it is one and names fields that there are.
    fn checked(&self) -> Result<Vec<Piece>, String> {
        if self.template.is_empty() {
            return Err("the tag is empty: write a name such as `\"books\"`".into());
        }
        let pieces = template::parse_fields(&self.template)?;
        if let Some(message) = template::adjacent(&pieces) {
            return Err(message);
        }
        for piece in &pieces {
            if let Piece::Value(path) = piece
                && self.find(&path[0]).is_none()
            {
                return Err(self.unknown(&path[0]));
            }
        }
        Ok(pieces)
    }

    fn find(&self, name: &str) -> Option<&Field> {
        let name = name.strip_prefix("r#").unwrap_or(name);
        let mut fields = self.fields.iter();
        fields.find(|field| member_name(&field.member) == name)
    }

    /// What to say about a name that is none of the fields.
    fn unknown(&self, name: &str) -> String {
        let form = &self.ident;
        if self.fields.is_empty() {
            let default = default_template(form, &[]);
            return format!(
                "`{form}` has no fields: write a text without `{{{name}}}`, as in \
                 `#[tag(\"{default}\")]`"
            );
        }
        let fields: Vec<_> = self
            .fields
            .iter()
            .map(|it| member_name(&it.member))
            .collect();
        let fields = fields.iter().map(String::as_str);
        let meant = nearest(name, fields.clone())
            .map(|near| format!("; did you mean `{near}`?"))
            .unwrap_or_default();
        format!(
            "`{form}` has no field `{name}`{meant} (its fields are {})",
            list(fields)
        )
    }

    /// What texts it makes.
    fn steps(&self) -> Vec<Step> {
        let steps = self.pieces.iter().flat_map(|piece| match piece {
            Piece::Text(text) => text.chars().map(Step::Char).collect(),
            Piece::Value(path) => match (&path[..], self.find(&path[0])) {
                ([_], Some(field)) => Class::of(&field.ty).steps(),
                _ => Class::Text.steps(),
            },
        });
        steps.collect()
    }
}

/// The variant's name in lower case, then each field.
fn default_template(ident: &Ident, fields: &[Field]) -> String {
    let values = fields
        .iter()
        .map(|field| format!(":{{{}}}", member_name(&field.member)));
    snake_case(&named(ident)) + &values.collect::<String>()
}

/// `BookPage` is `book_page`, `HTTPCall` is `http_call`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut text = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                let ends = letters
                    .get(at + 1)
                    .is_some_and(|after| after.is_lowercase());
                before != '_' && (!before.is_uppercase() || ends)
            });
        if begins {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

/// Two variants that can make one text are one tag with two names.
fn told_apart(subject: &Ident, forms: &[Form], diag: &mut Diag) {
    let steps: Vec<_> = forms.iter().map(Form::steps).collect();
    let mut told = HashSet::new();
    for (at, form) in forms.iter().enumerate() {
        let mut before = (0..at).filter(|other| !told.contains(other));
        let Some((other, text)) =
            before.find_map(|other| Some((other, overlap(&steps[other], &steps[at])?)))
        else {
            continue;
        };
        told.insert(at);
        let (other, ident) = (&forms[other].ident, &form.ident);
        let message = format!(
            "`{subject}::{other}` and `{subject}::{ident}` can both make the tag `{text}`: give \
             one of them another template, as in `#[tag(\"{}\")]`",
            form.another()
        );
        diag.error(form.at, message);
    }
}

impl Form {
    /// A template that begins with something of its own.
    fn another(&self) -> String {
        let default = default_template(&self.ident, &self.fields);
        if default == self.template {
            format!("other_{default}")
        } else {
            default
        }
    }
}

fn arm(form: &Form, place: &Place) -> TokenStream {
    let span = at(form.at);
    let p = private(place, span);
    let mut format = String::new();
    let mut plain = String::new();
    let mut values = Vec::new();
    let mut bound = Vec::new();
    for piece in &form.pieces {
        match piece {
            Piece::Text(text) => {
                format.push_str(&text.replace('{', "{{").replace('}', "}}"));
                plain.push_str(text);
            }
            Piece::Value(path) => {
                format.push_str("{}");
                let Some(field) = form.find(&path[0]) else {
                    continue;
                };
                if !bound.iter().any(|it: &&Field| it.member == field.member) {
                    bound.push(field);
                }
                let members = path[1..].iter().filter_map(|name| template::member(name));
                let dot = Token![.](span);
                let (local, span) = (&field.local, at(field.ty.span()));
                let p = private(place, span);
                values.push(if path.len() == 1 {
                    quote_spanned!(span=> #p::tag_value(#local))
                } else {
                    quote_spanned!(span=> #p::tag_value(&#local #(#dot #members)*))
                });
            }
        }
    }
    let pattern = pattern(&form.path, bound);
    if values.is_empty() {
        let plain = LitStr::new(&plain, span);
        return quote!(#pattern => #p::tag(#plain),);
    }
    let format = LitStr::new(&format, span);
    quote!(#pattern => #p::tag(::core::format_args!(#format, #(#values),*)),)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_snake_case() {
        for (name, text) in [
            ("Books", "books"),
            ("BookPage", "book_page"),
            ("HTTPCall", "http_call"),
            ("Top10", "top10"),
            ("ABTest", "ab_test"),
            ("snake_case", "snake_case"),
            ("Étude", "étude"),
        ] {
            assert_eq!(snake_case(name), text);
        }
    }
}
