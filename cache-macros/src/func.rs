//! The function that an attribute is on: its signature is parsed, its body is kept as tokens. It
//! also recognises what `#[async_trait]` has made of an `async fn`.

mod argument;

pub(crate) use self::argument::{Argument, Passed};

use crate::diag::Diag;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, FnArg, Pat, PatType, Receiver, ReturnType, Signature, Token, Type, Visibility,
};

/// A function as written.
pub(crate) struct Func {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The body between its braces; none for a method that is only declared.
    pub(crate) body: Option<Group>,
}

impl Parse for Func {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        let sig = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else {
            Some(without_inner_attrs(&body(input)?, &mut attrs)?)
        };
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        })
    }
}

/// The group between braces, also where a `macro_rules!` macro passed it on as one fragment.
fn body(input: ParseStream<'_>) -> syn::Result<Group> {
    match input.parse()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            syn::parse::Parser::parse2(body, group.stream())
        }
        other => Err(syn::Error::new(
            other.span(),
            "expected the function's body",
        )),
    }
}

/// Moves the attributes at the head of a body (`#![..]`) to the function, where they mean the
/// same: they are not allowed at the head of an `async` block.
fn without_inner_attrs(body: &Group, attrs: &mut Vec<Attribute>) -> syn::Result<Group> {
    let rest = |input: ParseStream<'_>| {
        for mut attr in input.call(Attribute::parse_inner)? {
            attr.style = syn::AttrStyle::Outer;
            attrs.push(attr);
        }
        input.parse::<TokenStream>()
    };
    let mut group = Group::new(
        Delimiter::Brace,
        syn::parse::Parser::parse2(rest, body.stream())?,
    );
    group.set_span(body.span());
    Ok(group)
}

/// What begins an item that is not a function.
const ITEMS: [&str; 10] = [
    "impl", "trait", "struct", "enum", "union", "mod", "static", "type", "use", "let",
];

/// A name that the arguments bind.
#[derive(Clone)]
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// The `#[cfg(..)]` of its argument.
    pub(crate) cfgs: Vec<Attribute>,
    /// It is an argument of a type `&mut T`.
    pub(crate) exclusive: bool,
}

impl Func {
    /// Parses what the attribute is on.
    pub(crate) fn read(attribute: &str, item: TokenStream, diag: &mut Diag) -> Option<Self> {
        let mut other = None;
        let mut is_function = false;
        for token in item.clone() {
            match token {
                TokenTree::Ident(word) if word == "fn" => is_function = true,
                TokenTree::Ident(word) if ITEMS.iter().any(|item| word == item) => {
                    other = Some(word);
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                _ => continue,
            }
            break;
        }
        if !is_function {
            not_a_function(attribute, other, diag);
            return None;
        }
        diag.take(syn::parse2(item))
    }

    /// The names that the arguments bind, in order; without `self`.
    pub(crate) fn bindings(&self) -> Vec<Binding> {
        let mut bindings = Vec::new();
        for arg in &self.sig.inputs {
            if let FnArg::Typed(PatType { attrs, pat, ty, .. }) = arg {
                let mut names = Vec::new();
                bound(pat, &mut names);
                let cfgs: Vec<_> = attrs
                    .iter()
                    .filter(|attr| attr.path().is_ident("cfg"))
                    .cloned()
                    .collect();
                let exclusive =
                    matches!(&**ty, Type::Reference(reference) if reference.mutability.is_some());
                bindings.extend(names.into_iter().map(|ident| Binding {
                    ident,
                    cfgs: cfgs.clone(),
                    exclusive,
                }));
            }
        }
        bindings
    }

    /// What the function is given, in order; the receiver first.
    pub(crate) fn arguments(&self) -> Vec<Argument> {
        self.sig.inputs.iter().map(Argument::of).collect()
    }

    /// `self`, where the function has it.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.sig.receiver()
    }

    /// The inside of an asynchronous function; none for another.
    pub(crate) fn asynchronous(&self) -> Option<Inside> {
        let body = self.body.as_ref()?;
        if let Some(keyword) = &self.sig.asyncness {
            return Some(Inside {
                output: self.returned(),
                body: body.clone(),
                keyword: keyword.span,
                boxed: false,
            });
        }
        let ReturnType::Type(_, output) = &self.sig.output else {
            return None;
        };
        let output = boxed_output(output)?;
        let (keyword, body) = boxed_body(&body.stream())?;
        Some(Inside {
            output,
            body,
            keyword,
            boxed: true,
        })
    }

    /// The inside of a function that is taken as it is written.
    pub(crate) fn plain(&self) -> Option<Inside> {
        Some(Inside {
            output: self.returned(),
            body: self.body.clone()?,
            keyword: self.sig.fn_token.span,
            boxed: false,
        })
    }

    /// The return type as written, or `()`.
    fn returned(&self) -> Type {
        match &self.sig.output {
            ReturnType::Default => Type::Tuple(syn::TypeTuple {
                attrs: Vec::new(),
                paren_token: syn::token::Paren(self.sig.ident.span()),
                elems: syn::punctuated::Punctuated::new(),
            }),
            ReturnType::Type(_, output) => (**output).clone(),
        }
    }
}

/// What to say about another item, by the word that it begins with.
fn not_a_function(attribute: &str, word: Option<Ident>, diag: &mut Diag) {
    let Some(word) = word else {
        let message = format!("`#[{attribute}]` goes on a function");
        diag.error(Span::call_site(), message);
        return;
    };
    let (at, word) = (word.span(), word.to_string());
    let article = if word.starts_with(['i', 'e']) {
        "an"
    } else {
        "a"
    };
    let instead = match &*word {
        "impl" | "trait" => ": write it above each method that it is meant for",
        "mod" => ": write it above each function that it is meant for",
        _ => "",
    };
    let message =
        format!("`#[{attribute}]` goes on a function, not on {article} `{word}`{instead}");
    diag.error(at, message);
}

/// What a function gives, and how.
pub(crate) struct Inside {
    /// What it is awaited for, or returns.
    pub(crate) output: Type,
    /// What runs when it is polled, or called, between braces.
    pub(crate) body: Group,
    /// Where `async` is written, or `fn` where it is not.
    pub(crate) keyword: Span,
    /// `#[async_trait]` has made it a function that returns a boxed future.
    pub(crate) boxed: bool,
}

/// The names that a pattern binds. A capitalised name alone is a unit struct.
pub(crate) fn bound(pat: &Pat, names: &mut Vec<Ident>) {
    let mut all = |pats: &mut dyn Iterator<Item = &Pat>| pats.for_each(|pat| bound(pat, names));
    match pat {
        Pat::Ident(pat) => {
            if pat.subpat.is_some() || !starts_upper(&pat.ident) {
                names.push(pat.ident.clone());
            }
            if let Some((_, pat)) = &pat.subpat {
                bound(pat, names);
            }
        }
        Pat::Or(pat) => all(&mut pat.cases.iter().take(1)),
        Pat::Paren(pat) => bound(&pat.pat, names),
        Pat::Reference(pat) => bound(&pat.pat, names),
        Pat::Slice(pat) => all(&mut pat.elems.iter()),
        Pat::Struct(pat) => all(&mut pat.fields.iter().map(|field| &*field.pat)),
        Pat::Tuple(pat) => all(&mut pat.elems.iter()),
        Pat::TupleStruct(pat) => all(&mut pat.elems.iter()),
        Pat::Type(pat) => bound(&pat.pat, names),
        _ => {}
    }
}

fn starts_upper(ident: &Ident) -> bool {
    ident.to_string().starts_with(char::is_uppercase)
}

/// `Ret` of `Pin<Box<dyn Future<Output = Ret> + ..>>`.
fn boxed_output(output: &Type) -> Option<Type> {
    let boxed = only_argument(output, "Pin")?;
    let Type::TraitObject(object) = only_argument(&boxed, "Box")? else {
        return None;
    };
    let syn::TypeParamBound::Trait(bound) = object.bounds.first()? else {
        return None;
    };
    let segment = bound
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Future")?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
        _ => None,
    })
}

/// `T` of `name<T>`.
fn only_argument(ty: &Type, name: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    }
}

/// The block of `Box::pin(async move { .. })`, and where its `async` is. Other attributes that have
/// rewritten the function before (`#[instrument]` does) spell the path with its crate.
fn boxed_body(body: &TokenStream) -> Option<(Span, Group)> {
    let tokens: Vec<_> = body.clone().into_iter().collect();
    let (call, path) = tokens.split_last()?;
    let TokenTree::Group(call) = call else {
        return None;
    };
    let path: String = path.iter().map(ToString::to_string).collect();
    let inner: Vec<_> = call.stream().into_iter().collect();
    let [
        TokenTree::Ident(keyword),
        TokenTree::Ident(capture),
        TokenTree::Group(block),
    ] = &*inner
    else {
        return None;
    };
    let is_boxed = ["Box::pin", "::std::boxed::Box::pin"].contains(&&*path)
        && keyword == "async"
        && capture == "move"
        && block.delimiter() == Delimiter::Brace;
    is_boxed.then(|| (keyword.span(), block.clone()))
}
