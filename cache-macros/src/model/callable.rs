//! The function itself: what an attribute can be on, and what its return type may be. What the
//! options say is not looked at here.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, Visibility,
};

use crate::diag::Diag;
use crate::func::Func;

/// A function with a body.
#[derive(Clone)]
pub(crate) struct Callable {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// What it is awaited for, or returns.
    pub(crate) output: Type,
    /// What runs, between braces.
    pub(crate) body: Group,
    /// Where `async` is written, or `fn` where it is not.
    pub(crate) keyword: Span,
    /// Its future is boxed by `#[async_trait]`.
    pub(crate) boxed: bool,
    /// It is a plain `fn`.
    pub(crate) sync: bool,
}

impl Callable {
    /// Checks what an attribute is on.
    pub(crate) fn new(attribute: &str, func: Func, diag: &mut Diag) -> Option<Self> {
        not_twice(attribute, &func.attrs, diag);
        ordinary(attribute, &func.sig, diag);
        if func.body.is_none() {
            let message = format!(
                "`#[{attribute}]` needs a body to run: put it on the method's implementation"
            );
            diag.error(func.sig.ident.span(), message);
            return None;
        }
        let sync = func.asynchronous().is_none();
        let inside = func.asynchronous().or_else(|| func.plain())?;
        no_future(attribute, &inside.output, sync, diag);
        let Func {
            attrs,
            vis,
            defaultness,
            sig,
            ..
        } = func;
        Some(Self {
            attrs,
            vis,
            defaultness,
            sig,
            output: inside.output,
            body: inside.body,
            keyword: inside.keyword,
            boxed: inside.boxed,
            sync,
        })
    }

    /// A hash of the function's text (FNV-1a): all that tells apart two that have one name.
    pub(crate) fn fingerprint(&self) -> u32 {
        let text = format!("{}{}", self.sig.to_token_stream(), self.body);
        text.bytes().fold(0x811c_9dc5, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    }

    /// Checks that the output can be stored: it is a type with a name, and owns its data.
    pub(crate) fn owned(&self, diag: &mut Diag) {
        if future(&self.output).is_some() && (self.sync || !self.is_named()) {
            // Told already.
        } else if let Some(span) = find_impl(self.output.to_token_stream()) {
            let message = "a cached function cannot return `impl Trait`: return a type with a \
                           name that owns its data, such as a `Vec`";
            diag.error(span, message);
        } else if let Some((span, instead)) = borrowed(&self.output) {
            diag.error(
                span,
                format!("a cached value must own its data: return {instead}"),
            );
        }
    }

    /// There is no `impl Trait` in the output.
    pub(crate) fn is_named(&self) -> bool {
        find_impl(self.output.to_token_stream()).is_none()
    }

    /// The output as an expression can name it: `_` stands where `impl Trait` does. None where that
    /// is all of it.
    pub(crate) fn nameable(&self) -> Option<Type> {
        let mut output = self.output.clone();
        infer_impl(&mut output);
        (!matches!(output, Type::Infer(_))).then_some(output)
    }

    /// The type spells a lifetime (other than `'static`), so it may be of an error that borrows.
    pub(crate) fn spells_lifetime(&self) -> bool {
        self.lifetime().is_some()
    }

    /// Where it does.
    pub(crate) fn lifetime(&self) -> Option<Span> {
        lifetime(self.output.to_token_stream())
    }

    /// Where to report what the output cannot do: at the `Ok` type, as far as it can be seen.
    pub(crate) fn blame(&self) -> Span {
        match &self.sig.output {
            ReturnType::Default => self.sig.ident.span(),
            ReturnType::Type(..) => blame(&self.output),
        }
    }
}

/// A function that returns a future is done before anything has happened.
fn no_future(attribute: &str, output: &Type, sync: bool, diag: &mut Diag) {
    let Some(span) = future(output) else {
        return;
    };
    let instead = if sync {
        "write `async fn`"
    } else if find_impl(output.to_token_stream()).is_some() {
        "await it, and return its output"
    } else {
        return;
    };
    let would = if attribute == "cached" {
        "cache the future, not its output"
    } else {
        "invalidate when the future is returned, not when it has run"
    };
    diag.error(span, format!("`#[{attribute}]` would {would}: {instead}"));
}

/// Where a type says that a future is in it, if it does. (Other names are for the compiler to
/// resolve: the expansion asks it.)
fn future(output: &Type) -> Option<Span> {
    fn find(tokens: TokenStream) -> Option<Span> {
        tokens.into_iter().find_map(|token| match token {
            TokenTree::Ident(name) => FUTURES
                .iter()
                .any(|future| name == future)
                .then(|| name.span()),
            TokenTree::Group(group) => find(group.stream()),
            _ => None,
        })
    }
    find(output.to_token_stream())
}

const FUTURES: [&str; 4] = ["Future", "BoxFuture", "LocalBoxFuture", "IntoFuture"];

fn not_twice(attribute: &str, attrs: &[Attribute], diag: &mut Diag) {
    for attr in attrs {
        let Some(last) = attr.path().segments.last() else {
            continue;
        };
        if last.ident == attribute {
            let message = format!("`#[{attribute}]` is on this function twice: keep one of them");
            diag.error(last.ident.span(), message);
        } else if last.ident == "cached" || last.ident == "invalidates" {
            let message = "a function is either `#[cached]` or `#[invalidates]`: a hit would not \
                           run the body that changes something; make it two functions";
            diag.error(last.ident.span(), message);
        }
    }
}

fn ordinary(attribute: &str, sig: &Signature, diag: &mut Diag) {
    if let Some(keyword) = &sig.constness {
        let message = format!(
            "`#[{attribute}]` cannot be on a `const fn`, which has no cache at compile time: \
             remove `const`"
        );
        diag.error(keyword.span, message);
    }
    if let Some(abi) = &sig.abi {
        let message = format!(
            "`#[{attribute}]` cannot be on an `extern` function: write it on a Rust function, and \
             call that from the `extern` one"
        );
        diag.error(abi.extern_token.span, message);
    }
}

/// The first `impl` of a type.
fn find_impl(tokens: TokenStream) -> Option<Span> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == "impl" => Some(ident.span()),
        TokenTree::Group(group) => find_impl(group.stream()),
        _ => None,
    })
}

/// Writes `_` for each `impl Trait` of a type.
fn infer_impl(ty: &mut Type) {
    match ty {
        Type::ImplTrait(bounds) => {
            *ty = Type::Infer(syn::TypeInfer {
                attrs: Vec::new(),
                underscore_token: Token![_](bounds.impl_token.span),
            });
        }
        // One that is all there is between parentheses is all there is.
        Type::Group(syn::TypeGroup { elem, .. }) | Type::Paren(syn::TypeParen { elem, .. }) => {
            infer_impl(elem);
            if let Type::Infer(_) = &**elem {
                *ty = (**elem).clone();
            }
        }
        Type::Array(array) => infer_impl(&mut array.elem),
        Type::Slice(slice) => infer_impl(&mut slice.elem),
        Type::Ptr(pointer) => infer_impl(&mut pointer.elem),
        Type::Reference(reference) => infer_impl(&mut reference.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(infer_impl),
        Type::Path(path) => path.path.segments.iter_mut().for_each(infer_impl_in),
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let syn::TypeParamBound::Trait(bound) = bound {
                    bound.path.segments.iter_mut().for_each(infer_impl_in);
                }
            }
        }
        _ => {}
    }
}

fn infer_impl_in(segment: &mut syn::PathSegment) {
    if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Type(ty) => infer_impl(ty),
                GenericArgument::AssocType(assoc) => infer_impl(&mut assoc.ty),
                _ => {}
            }
        }
    }
}

fn lifetime(tokens: TokenStream) -> Option<Span> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let found = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                let is_static =
                    matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "static");
                (!is_static).then(|| punct.span())
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                let is_spelled =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'');
                (!is_spelled).then(|| punct.span())
            }
            TokenTree::Group(group) => lifetime(group.stream()),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Where a type borrows what is to be stored, and what to return instead.
fn borrowed(ty: &Type) -> Option<(Span, String)> {
    match ty {
        Type::Reference(reference) => {
            if reference
                .lifetime
                .as_ref()
                .is_some_and(|lifetime| lifetime.ident == "static")
            {
                return None;
            }
            Some((reference.and_token.span, instead_of(&reference.elem)))
        }
        Type::Array(array) => borrowed(&array.elem),
        Type::Group(group) => borrowed(&group.elem),
        Type::Paren(paren) => borrowed(&paren.elem),
        Type::Slice(slice) => borrowed(&slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrowed),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| {
            let types = types_of(&segment.arguments);
            if segment.ident == "Cow" {
                return borrowing_cow(&segment.ident, &segment.arguments);
            }
            if let Some(found) = borrowing_struct(&segment.ident, &segment.arguments) {
                return Some(found);
            }
            // The error of a `Result` is never stored.
            let stored = if segment.ident == "Result" {
                1
            } else {
                types.len()
            };
            types.into_iter().take(stored).find_map(borrowed)
        }),
        _ => None,
    }
}

fn borrowing_cow(name: &Ident, arguments: &PathArguments) -> Option<(Span, String)> {
    let is_static = match arguments {
        PathArguments::AngleBracketed(arguments) => arguments.args.iter().any(
            |arg| matches!(arg, GenericArgument::Lifetime(lifetime) if lifetime.ident == "static"),
        ),
        _ => true,
    };
    (!is_static).then(|| (name.span(), "`Cow<'static, ..>`, or the owned type".into()))
}

/// A type that has lifetimes and nothing else. With types beside them it may be an alias of a
/// `Result`, and so it may if it is called one: then it is the error that borrows.
fn borrowing_struct(name: &Ident, arguments: &PathArguments) -> Option<(Span, String)> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    let lifetimes = arguments.args.iter().map(|arg| match arg {
        GenericArgument::Lifetime(lifetime) => Some(lifetime),
        _ => None,
    });
    let lifetimes: Vec<_> = lifetimes.collect::<Option<_>>()?;
    let borrows = lifetimes.iter().any(|lifetime| lifetime.ident != "static");
    let instead = format!("a type without a lifetime instead of `{name}`");
    (borrows && !name.to_string().ends_with("Result")).then(|| (name.span(), instead))
}

fn instead_of(borrowed: &Type) -> String {
    match borrowed {
        Type::Path(path) if path.path.is_ident("str") => "`String` instead of `&str`".into(),
        Type::Slice(_) => "a `Vec` instead of a slice".into(),
        _ => "the value itself, or an `Arc` of it, instead of a reference".into(),
    }
}

fn types_of(arguments: &PathArguments) -> Vec<&Type> {
    match arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|arg| match arg {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn blame(ty: &Type) -> Span {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
    {
        if last.ident.to_string().ends_with("Result")
            && let Some(ok) = types_of(&last.arguments).first()
        {
            return blame(ok);
        }
        return last.ident.span();
    }
    ty.span()
}
