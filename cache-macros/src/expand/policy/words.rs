//! The words of a body: whether it may name an argument, another name for its receiver, and what no
//! compute in the background can have. The body is not parsed; where it cannot be told whether it
//! names something, it may.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

use crate::expand::at;

/// Whether tokens may name an argument, also as what a text captures.
pub(super) fn may_name(tokens: &TokenStream, name: &Ident) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => may_name(&group.stream(), name),
        TokenTree::Literal(text) => captures(&text.to_string(), &name.unraw().to_string()),
        TokenTree::Punct(_) => false,
    })
}

/// Whether a text has a name between braces.
fn captures(text: &str, name: &str) -> bool {
    let is_apart = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split('{').skip(1).any(|from| {
        let inside = from.split('}').next().unwrap_or(from);
        inside.split(is_apart).any(|word| word == name)
    })
}

/// Whether tokens name the receiver.
pub(super) fn mention_self(tokens: &TokenStream) -> bool {
    let is_self = |tokens: &[TokenTree], at| is_receiver(tokens, at).then_some(());
    find(tokens, &is_self).is_some()
}

/// Where a text captures the receiver, as in `format!("{self}")`.
pub(super) fn text_with_self(tokens: &TokenStream) -> Option<Span> {
    find(tokens, &|tokens, at| match &tokens[at] {
        TokenTree::Literal(text) => {
            let written = text.to_string();
            let captures = written.contains("{self}") || written.contains("{self:");
            captures.then(|| text.span())
        }
        _ => None,
    })
}

/// Where a function calls itself in a box, as one that is `async` has to. A method does so by
/// `self.` or `Self::`.
pub(super) fn call_of_itself(tokens: &TokenStream, name: &Ident, is_method: bool) -> Option<Span> {
    find(tokens, &|tokens, at| {
        let [TokenTree::Ident(pin), TokenTree::Group(boxed), ..] = &tokens[at..] else {
            return None;
        };
        let boxed: Vec<_> = boxed.stream().into_iter().collect();
        let (owner, call) = match &*boxed {
            [TokenTree::Ident(owner), TokenTree::Punct(_), call @ ..] if owner == "self" => {
                (true, call)
            }
            [
                TokenTree::Ident(owner),
                TokenTree::Punct(_),
                TokenTree::Punct(_),
                call @ ..,
            ] if owner == "Self" => (true, call),
            call => (false, call),
        };
        match call {
            [TokenTree::Ident(called), TokenTree::Group(arguments)]
                if pin == "pin"
                    && called == name
                    && owner == is_method
                    && arguments.delimiter() == Delimiter::Parenthesis =>
            {
                Some(called.span())
            }
            _ => None,
        }
    })
}

/// A group in which the receiver has another name.
pub(super) fn with_receiver(body: &Group, name: &Ident) -> Group {
    same_place(body, with_self(body.stream(), name))
}

/// Tokens in which the receiver has another name.
pub(super) fn with_self(tokens: TokenStream, name: &Ident) -> TokenStream {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut apart = Apart::default();
    let renamed = (0..tokens.len()).map(|index| match &tokens[index] {
        token if apart.is(&tokens, index) => token.clone(),
        // What has none stays as it is, with all its places.
        TokenTree::Group(group) if mention_self(&group.stream()) => {
            with_receiver(group, name).into()
        }
        token if is_receiver(&tokens, index) => {
            let mut name = name.clone();
            name.set_span(at(token.span()));
            name.into()
        }
        token => token.clone(),
    });
    renamed.collect()
}

/// Whether a token is the receiver, and not the beginning of a path.
fn is_receiver(tokens: &[TokenTree], at: usize) -> bool {
    let is_path = matches!(
        &tokens[at + 1..],
        [TokenTree::Punct(first), TokenTree::Punct(second), ..]
            if first.as_char() == ':' && first.spacing() == Spacing::Joint && second.as_char() == ':'
    );
    let before = at.checked_sub(1).map(|before| &tokens[before]);
    is_word(tokens.get(at), "self") && !is_path && !is_punct(before, '$')
}

/// The first of something among the tokens of the function itself.
fn find<T>(tokens: &TokenStream, found: &dyn Fn(&[TokenTree], usize) -> Option<T>) -> Option<T> {
    let tokens: Vec<_> = tokens.clone().into_iter().collect();
    let mut apart = Apart::default();
    (0..tokens.len()).find_map(|at| {
        if apart.is(&tokens, at) {
            return None;
        }
        found(&tokens, at).or_else(|| match &tokens[at] {
            TokenTree::Group(group) => find(&group.stream(), found),
            _ => None,
        })
    })
}

/// What inside of a function is apart from it: other functions, and paths.
#[derive(Default)]
enum Apart {
    #[default]
    Nothing,
    /// What has a block, or is one function: up to that.
    Item,
    /// What names modules: up to its `;`.
    Import,
}

impl Apart {
    /// Whether a token is. They are asked for in order.
    fn is(&mut self, tokens: &[TokenTree], at: usize) -> bool {
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let after = tokens.get(at + 1);
        match (&*self, &tokens[at]) {
            (Self::Nothing, TokenTree::Ident(word)) => {
                let is_function = word == "fn" && matches!(after, Some(TokenTree::Ident(_)));
                if is_function || word == "impl" || word == "trait" {
                    *self = Self::Item;
                } else if word == "use" && !is_punct(after, '<') {
                    *self = Self::Import;
                }
                !matches!(self, Self::Nothing)
            }
            // A visibility.
            (Self::Nothing, TokenTree::Group(_)) => is_word(before, "pub"),
            (Self::Nothing, _) => false,
            (_, TokenTree::Punct(punct)) if punct.as_char() == ';' => {
                *self = Self::Nothing;
                true
            }
            (Self::Item, TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                // Behind one that is an argument of a type, that goes on.
                if !is_punct(after, ',') && !is_punct(after, '>') {
                    *self = Self::Nothing;
                }
                true
            }
            _ => true,
        }
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_word(token: Option<&TokenTree>, expected: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == expected)
}

fn same_place(group: &Group, inside: TokenStream) -> Group {
    let mut same = Group::new(group.delimiter(), inside);
    same.set_span(group.span());
    same
}

/// `#[async_trait]` binds each argument again (`let id = id;`): without those bindings that
/// nothing in the body names, whose arguments need not be owned.
pub(super) fn without_idle_bindings(body: &Group) -> Group {
    let mut tokens: Vec<_> = body.stream().into_iter().collect();
    let mut kept = Vec::new();
    while let Some((length, bound)) = binding(&tokens) {
        let rest = tokens.split_off(length);
        let binding = std::mem::replace(&mut tokens, rest);
        if may_name(&tokens.iter().cloned().collect(), &bound) {
            kept.extend(binding);
        }
    }
    kept.append(&mut tokens);
    same_place(body, kept.into_iter().collect())
}

/// The binding of an argument by its own name that tokens begin with: how long it is, and the
/// name.
fn binding(tokens: &[TokenTree]) -> Option<(usize, Ident)> {
    let is_mutable = is_word(tokens.get(1), "mut");
    let at = 1 + usize::from(is_mutable);
    let [
        TokenTree::Ident(bound),
        equals,
        TokenTree::Ident(value),
        end,
        ..,
    ] = tokens.get(at..)?
    else {
        return None;
    };
    let is_same = bound == value || (bound == "__self" && value == "self");
    let is_binding = is_word(tokens.first(), "let")
        && is_punct(Some(equals), '=')
        && is_punct(Some(end), ';')
        && is_same;
    is_binding.then(|| (at + 4, bound.clone()))
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn tokens(text: &str) -> TokenStream {
        text.parse().expect("tokens")
    }

    fn body(text: &str) -> Group {
        Group::new(Delimiter::Brace, tokens(text))
    }

    /// Asserts that only the receivers that are marked are replaced.
    fn marked(text: &str) {
        let this = Ident::new("this", Span::call_site());
        let renamed = with_self(tokens(&text.replace('*', "")), &this);
        let expected = tokens(&text.replace("*self", "this"));
        assert_eq!(renamed.to_string(), expected.to_string(), "{text}");
    }

    #[test]
    fn the_receiver_is_told_from_other_selfs() {
        marked("*self.db.load(id).await");
        marked("let all = [*self.a, (*self.b)]; move || *self.c");
        marked("println!(\"{}\", *self.name)");
        marked("self::helper(*self); crate::x::y(self::Z)");
        marked("use super::{self, a}; use self::b; *self.c");
        marked("struct A { pub(self) a: u8, pub(in self::m) b: u8 } *self.x");
        marked("impl A { fn a(&self) -> u8 { self.0 } } *self.x");
        marked("impl<const N: usize> T<{ N }, { 2 }> for A { fn a(&self) { self.0 } } *self.x");
        marked("trait A { fn a(&self); fn b(&self) { self.a() } } *self.x");
        marked("fn a(f: impl Fn() -> u8) -> impl Fn() { f } *self.x");
        marked("fn a() -> u8 { m!(self) } let f: fn(u8) = g; *self.x");
        marked("mod m { impl A { fn a(self) -> Self { self } } } *self.x");
        marked("macro_rules! m { ($self:ident) => { $self.x }; } m!(*self)");
        marked("fn a() -> impl Iterator<Item = u8> + use<> { b() } *self.x");
    }

    #[test]
    fn idle_bindings_go_and_others_stay() {
        let trimmed = |text| without_idle_bindings(&body(text)).stream().to_string();
        let text = "let __self = self; let mut id = id; let db = db; let __ret: u8 = { __self.f(id) }; __ret";
        let expected = text.replace("let db = db;", "");
        assert_eq!(trimmed(text), tokens(&expected).to_string());
        assert_eq!(
            trimmed("let (a, b) = c; a"),
            tokens("let (a, b) = c; a").to_string()
        );
        assert_eq!(
            trimmed("let __self = self; { 1 }"),
            tokens("{ 1 }").to_string()
        );
    }

    #[test]
    fn a_function_that_calls_itself_is_found() {
        let calls = |text, is_method| {
            let name = Ident::new("f", Span::call_site());
            call_of_itself(&tokens(text), &name, is_method).is_some()
        };
        assert!(calls("Box::pin(f(n - 1)).await", false));
        assert!(calls("join!(x, pin(self.f(n)))", true));
        assert!(calls("Box::pin(Self::f(n)).await", true));
        assert!(!calls(
            "Box::pin(f(n)).await + Box::pin(self.db.f(n)).await",
            true
        ));
        assert!(!calls(
            "f(n).await + Box::pin(db::f(n)).await + Box::pin(g(n)).await",
            false
        ));
        assert!(!calls(
            "fn next(n: u8) -> Next { Box::pin(f(n)) } next(n).await",
            false
        ));
    }

    #[test]
    fn names_are_found_in_texts_too() {
        let named = |text| may_name(&tokens(text), &Ident::new("id", Span::call_site()));
        assert!(named("f(x, [id])") && named("f!(\"{id:?}\")") && named("f!(\"{x:id$}\")"));
        assert!(named("cmd!(\"cat {id...}\")") && named("f!(\"{{}} {x} {id}\")"));
        assert!(!named("f(identity, \"id\", \"{identity} id\")"));
    }
}
