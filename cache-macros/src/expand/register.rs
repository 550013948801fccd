//! A function's entry in the register: what its options say, as texts for people to read and for
//! the catalog to compare. Only what is written; nothing here is evaluated.

mod text;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;
use syn::{Expr, LitStr, Token};

use super::{line, name, private};
use crate::model::{
    Access, Cached, Callable, Invalidates, Key, Labels, Piece, Place, ResultTags, Tag, Tags, Ttl,
    When,
};

/// The entry of a cached function.
pub(super) fn cached(model: &Cached) -> TokenStream {
    let mut facts = Facts::default();
    match &model.ttl {
        None => {}
        Some(Ttl::Millis(millis, _)) => facts.text("Ttl", &text::duration(*millis)),
        Some(Ttl::Expr(ttl)) => facts.expr("TtlExpr", ttl),
        Some(Ttl::Of(of)) => facts.expr("TtlOf", &of.closure),
    }
    match &model.key {
        Key::Template(pieces, _) => {
            facts.text("Key", &pieces.iter().map(piece).collect::<String>());
        }
        Key::Expr(key) => facts.expr("KeyExpr", key),
        Key::Parts(parts) => {
            let names = parts.iter().map(|part| part.name.unraw().to_string());
            facts.text("KeyParts", &names.collect::<Vec<_>>().join(", "));
        }
    }
    if let Some(namespace) = &model.namespace {
        facts.text("Namespace", &namespace.value());
    }
    if let Some(version) = model.version {
        facts.push("Version", Some(Literal::u32_unsuffixed(version)));
    }
    facts.tags(model.tags.as_ref());
    facts.result_tags(model.result_tags.as_ref());
    if model.singleflight.is_some() {
        facts.push("Singleflight", None);
    }
    if let Some(policy) = &model.policy {
        facts.expr("Policy", &policy.value);
    }
    if model.local {
        facts.push("Local", None);
    }
    if !model.inherit {
        facts.push("Apart", None);
    }
    entry("Cached", &model.function, &model.place, &facts)
}

/// The entry of a mutation.
pub(super) fn invalidates(model: &Invalidates) -> TokenStream {
    let mut facts = Facts::default();
    facts.tags(model.tags.as_ref());
    facts.result_tags(model.result_tags.as_ref());
    for namespace in &model.namespaces {
        facts.text("Namespace", &namespace.value());
    }
    for call in &model.entries {
        facts.expr("Entry", &called(call));
    }
    match model.when {
        When::Success => {}
        When::Always => facts.text("When", "always"),
        When::Before => facts.text("When", "before"),
    }
    if let Some(safe) = &model.crash_safe {
        facts.text("CrashSafe", &text::duration(safe.deadline));
    }
    entry("Mutation", &model.function, &model.place, &facts)
}

/// What tells the function from another of its name.
pub(super) fn fingerprint(function: &Callable) -> Literal {
    Literal::u32_unsuffixed(function.fingerprint())
}

fn entry(kind: &str, function: &Callable, place: &Place, Facts(facts): &Facts) -> TokenStream {
    let p = private(place, Span::mixed_site());
    let kind = Ident::new(kind, Span::mixed_site());
    let (name, line, text) = (name(function), line(function), fingerprint(function));
    let sync = function.sync;
    quote!(#p::register!(#kind, #name, #line, #text, #sync #(, #facts)*);)
}

/// What is written about a function, in the order in which it is told.
#[derive(Default)]
struct Facts(Vec<TokenStream>);

impl Facts {
    fn push(&mut self, fact: &str, value: Option<Literal>) {
        let fact = Ident::new(fact, Span::mixed_site());
        let value = value.map(|value| quote!((#value)));
        self.0.push(quote!(#fact #value));
    }

    fn text(&mut self, fact: &str, value: &str) {
        self.push(fact, Some(Literal::string(value)));
    }

    fn expr(&mut self, fact: &str, value: &impl ToTokens) {
        self.text(fact, &text::of(value.to_token_stream()));
    }

    fn tags(&mut self, tags: Option<&Tags>) {
        match tags {
            None => {}
            Some(Tags::Each(tags)) => tags.iter().for_each(|tag| self.tag("Tag", tag)),
            Some(Tags::Expr(tags)) => self.expr("Tags", tags),
        }
    }

    fn result_tags(&mut self, tags: Option<&ResultTags>) {
        match tags.map(|tags| &tags.tags) {
            None => {}
            Some(Labels::Each(_, tags)) => tags.iter().for_each(|tag| self.tag("ResultTag", tag)),
            Some(Labels::Call(call)) => self.expr("ResultTags", call),
        }
    }

    fn tag(&mut self, fact: &str, tag: &Tag) {
        match tag {
            Tag::Text(text) => self.text(fact, &escaped(&text.value())),
            Tag::Template(format, values, _) => self.text(fact, &template(format, values)),
            Tag::Expr(tag) => match formatted(tag) {
                Some(format) => self.text(fact, &format.value()),
                None => self.expr(&format!("{fact}Expr"), tag),
            },
        }
    }
}

/// A template as it was written, from its format string and values.
fn template(format: &str, values: &[Access]) -> String {
    let mut values = values.iter().peekable();
    let mut template = String::new();
    let mut rest = format;
    // The format has its values as `{}`, and braces that stand for themselves twice.
    while let Some(at) = rest.find(['{', '}']) {
        let (before, sign) = rest.split_at(at);
        template.push_str(before);
        let (sign, after) = sign.split_at(2);
        match values.next_if(|_| sign == "{}") {
            Some(value) => template.push_str(&placeholder(value)),
            None => template.push_str(sign),
        }
        rest = after;
    }
    template + rest
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Text(text) => escaped(text),
        Piece::Value(value) => placeholder(value),
    }
}

fn placeholder(Access { root, fields }: &Access) -> String {
    let fields = fields.iter().map(|field| match field {
        syn::Member::Named(name) => format!(".{}", name.unraw()),
        syn::Member::Unnamed(index) => format!(".{}", index.index),
    });
    format!("{{{}{}}}", root.unraw(), fields.collect::<String>())
}

/// A text as a template that gives it.
fn escaped(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

/// The format of a `format!(..)`, which is as good as a template.
fn formatted(tag: &Expr) -> Option<LitStr> {
    match tag {
        Expr::Reference(tag) => formatted(&tag.expr),
        Expr::Paren(tag) => formatted(&tag.expr),
        Expr::Macro(call) => {
            let last = call.mac.path.segments.last()?;
            if last.ident != "format" && last.ident != "format_args" {
                return None;
            }
            let first = |input: syn::parse::ParseStream<'_>| {
                let format = input.parse::<LitStr>()?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
                input.parse::<TokenStream>()?;
                Ok(format)
            };
            first.parse2(call.mac.tokens.clone()).ok()
        }
        _ => None,
    }
}

/// What a call calls: a path, or a method of something.
fn called(call: &Expr) -> TokenStream {
    match call {
        Expr::Call(call) => call.func.to_token_stream(),
        Expr::MethodCall(call) => {
            let (receiver, method) = (&call.receiver, &call.method);
            quote!(#receiver.#method)
        }
        call => call.to_token_stream(),
    }
}
