//! What was written between the parentheses of an attribute: options by name, with their values
//! as expressions. It knows three forms (a flag, a value, a list), and not what an option means.

use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, Token};

use crate::diag::{Diag, list, nearest};

/// The options that an attribute takes.
pub(crate) struct Known {
    /// The attribute's name.
    pub(crate) attribute: &'static str,
    /// Every option, in the order in which they are listed.
    pub(crate) names: &'static [&'static str],
    /// One of them, as it is written.
    pub(crate) example: &'static str,
    /// What other libraries call it, or what comes later.
    pub(crate) foreign: &'static [(&'static str, Instead)],
}

/// What to write instead of a name that is not an option.
pub(crate) enum Instead {
    /// It has another name here: that, and how it is written.
    Called(&'static str, &'static str),
    /// The whole message.
    Says(&'static str),
}

/// Something with the keyword it was written after.
pub(crate) struct Written<T> {
    pub(crate) keyword: Ident,
    pub(crate) value: T,
}

/// An item of a list: `name`, or `name = value`.
pub(crate) struct Item {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

/// What stands after an option's keyword.
enum Value {
    Nothing,
    /// `=`, and nothing behind it.
    Missing,
    Expr(Expr),
    List(Vec<Item>),
}

/// The options of one attribute.
pub(crate) struct Args {
    options: Vec<Written<Value>>,
}

impl Args {
    /// Parses the options; each one that is wrong is noted and left out.
    pub(crate) fn parse(attr: TokenStream, known: &Known, diag: &mut Diag) -> Self {
        let mut args = Self {
            options: Vec::new(),
        };
        let all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = option(input, known).and_then(|option| {
                    args.set(option, known)?;
                    end_of_option(input)
                }) {
                    diag.push(error);
                    skip_to_next(input)?;
                }
            }
            Ok(())
        };
        let parsed = all.parse2(attr);
        diag.take(parsed);
        args
    }

    fn set(&mut self, option: Written<Value>, known: &Known) -> syn::Result<()> {
        let name = option.keyword.to_string();
        let error = |message| Err(syn::Error::new(option.keyword.span(), message));
        if !known.names.contains(&&*name) {
            return error(known.instead_of(&name));
        }
        if self
            .options
            .iter()
            .any(|other| other.keyword == option.keyword)
        {
            return error(format!(
                "`{name}` is specified more than once: keep one of them"
            ));
        }
        self.options.push(option);
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<Written<Value>> {
        let at = self
            .options
            .iter()
            .position(|option| option.keyword == name)?;
        Some(self.options.swap_remove(at))
    }

    /// An option of the form `name = value`.
    pub(crate) fn value(
        &mut self,
        name: &str,
        example: &str,
        diag: &mut Diag,
    ) -> Option<Written<Expr>> {
        let Written { keyword, value } = self.take(name)?;
        if let Value::Expr(value) = value {
            return Some(Written { keyword, value });
        }
        diag.error(
            keyword.span(),
            format!("`{name}` needs a value: write `{example}`"),
        );
        None
    }

    /// An option of the form `name`; where it stands.
    pub(crate) fn flag(&mut self, name: &str, diag: &mut Diag) -> Option<Span> {
        let Written { keyword, value } = self.take(name)?;
        if !matches!(value, Value::Nothing) {
            diag.error(
                keyword.span(),
                format!("`{name}` takes no value: write `{name}`, or leave it out"),
            );
        }
        Some(keyword.span())
    }

    /// An option of the form `name(items)`. Where `or_flag`, also `name` for an empty list.
    pub(crate) fn list(
        &mut self,
        name: &str,
        or_flag: bool,
        example: &str,
        diag: &mut Diag,
    ) -> Option<Written<Vec<Item>>> {
        let Written { keyword, value } = self.take(name)?;
        match value {
            Value::List(value) => return Some(Written { keyword, value }),
            Value::Nothing if or_flag => {
                return Some(Written {
                    keyword,
                    value: Vec::new(),
                });
            }
            Value::Nothing | Value::Missing | Value::Expr(_) => {}
        }
        diag.error(
            keyword.span(),
            format!("`{name}` takes a list: write {example}"),
        );
        None
    }
}

impl Known {
    /// What to say about a name that is not an option.
    fn instead_of(&self, name: &str) -> String {
        match self.foreign.iter().find(|(foreign, _)| *foreign == name) {
            Some((_, Instead::Called(option, example))) => {
                format!("`{name}` is called `{option}` here: write `{example}`")
            }
            Some((_, Instead::Says(message))) => (*message).to_owned(),
            None => no_option(&format!("#[{}]", self.attribute), name, self.names),
        }
    }
}

/// What to say about a name that is none of the options of an attribute, or of an option.
pub(crate) fn no_option(owner: &str, name: &str, known: &[&str]) -> String {
    let meant = nearest(name, known.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    format!(
        "`{owner}` has no option `{name}`{meant} (its options are {})",
        list(known.iter().copied())
    )
}

fn option(input: ParseStream<'_>, known: &Known) -> syn::Result<Written<Value>> {
    if !input.peek(Ident::peek_any) {
        let message = format!("expected the name of an option, as in `{}`", known.example);
        return Err(input.error(message));
    }
    let keyword = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if at_end_of_option(input) {
            Value::Missing
        } else {
            Value::Expr(input.parse().map(bare)?)
        }
    } else if input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in input);
        let items = content.parse_terminated(item, Token![,]);
        // What is left of a wrong list is not another mistake.
        content.parse::<TokenStream>()?;
        Value::List(items?.into_iter().collect())
    } else {
        Value::Nothing
    };
    Ok(Written { keyword, value })
}

fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a name, as in `skip(db)`"));
    }
    let name = input.call(Ident::parse_any)?;
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if at_end_of_option(input) {
            let message = format!("`{name}` needs a value: write it after the `=`");
            return Err(syn::Error::new(name.span(), message));
        }
        Some(input.parse().map(bare)?)
    } else {
        None
    };
    if !input.is_empty() && !input.peek(Token![,]) {
        return Err(input.error("expected `,` or the end of the list"));
    }
    Ok(Item { name, value })
}

fn at_end_of_option(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

/// An expression as it looks where a `macro_rules!` macro has passed it on, or parts of it: without
/// the invisible groups around these.
fn bare(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => bare(*group.expr),
        Expr::Array(mut array) => {
            array.elems = array.elems.into_iter().map(bare).collect();
            Expr::Array(array)
        }
        Expr::Closure(mut closure) => {
            *closure.body = bare(*closure.body);
            Expr::Closure(closure)
        }
        other => other,
    }
}

fn end_of_option(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if !input.peek(Token![,]) {
        return Err(input.error("expected `,` before the next option"));
    }
    input.parse::<Token![,]>().map(drop)
}

/// After a mistake: goes to what looks like the next option.
fn skip_to_next(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() {
        let at_comma = input.peek(Token![,]);
        input.parse::<proc_macro2::TokenTree>()?;
        if at_comma && input.peek(Ident::peek_any) && looks_like_option(&input.fork()) {
            break;
        }
    }
    Ok(())
}

fn looks_like_option(ahead: ParseStream<'_>) -> bool {
    ahead.call(Ident::parse_any).is_ok()
        && (ahead.is_empty()
            || ahead.peek(Token![,])
            || ahead.peek(syn::token::Paren)
            || (ahead.peek(Token![=]) && !ahead.peek(Token![==])))
}
