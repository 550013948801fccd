//! Durations as they are written: whole seconds, a text such as `"1h30m"`, an expression, or a
//! closure that is given the value.

use std::ops::RangeInclusive;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprClosure, ExprLit, ExprUnary, Lit, UnOp};

use super::Scope;
use crate::diag::Diag;

/// The `ttl` option.
pub(crate) enum Ttl {
    /// Milliseconds, never zero, written at a place.
    Millis(u64, Span),
    /// An expression that gives a `Duration`.
    Expr(Expr),
    /// A closure that is given the value, and gives a `Duration`.
    Of(TtlOf),
}

/// A ttl that follows from the value.
pub(crate) struct TtlOf {
    pub(crate) closure: ExprClosure,
    /// It may name an argument, which the body then only borrows.
    pub(crate) borrows: bool,
}

impl TtlOf {
    fn new(closure: ExprClosure, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        if let Some(keyword) = &closure.asyncness {
            let message = "a closure as `ttl` cannot be `async`: remove `async`; what has to be \
                           awaited, await in the body and return as part of the value";
            diag.error(keyword.span(), message);
            return None;
        }
        if closure.inputs.len() != 1 {
            let message = "a closure as `ttl` takes one argument, a reference to the value: write \
                           `|value| Duration::from_secs(60)`";
            diag.error(closure.span(), message);
            return None;
        }
        if let Expr::Lit(_) | Expr::Binary(_) = &*closure.body
            && is_number(closure.body.to_token_stream())
        {
            let message = "a closure as `ttl` gives a `Duration`: write \
                           `|value| Duration::from_secs(..)`, or the time without the closure \
                           where it is the same for all values";
            diag.error(closure.body.span(), message);
            return None;
        }
        let borrows = scope.mentioned_in(&closure);
        Some(Self { closure, borrows })
    }
}

impl Ttl {
    /// Reads the option.
    pub(crate) fn new(value: Expr, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        let at = value.span();
        let millis = match &value {
            Expr::Lit(ExprLit {
                lit: Lit::Int(seconds),
                ..
            }) => seconds
                .base10_parse::<u64>()
                .ok()
                .and_then(|seconds| seconds.checked_mul(1000))
                .ok_or_else(|| too_long("ttl")),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => millis("ttl", &text.value()),
            Expr::Lit(ExprLit {
                lit: Lit::Float(_), ..
            }) => Err(
                "`ttl` takes whole seconds: write a text for less, as in `ttl = \"1500ms\"`".into(),
            ),
            Expr::Lit(_) => {
                Err("`ttl` is a time: write seconds as in `ttl = 60`, a text such as `\"30m\"`, or a `Duration`".into())
            }
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_), ..
            }) => Err("`ttl` cannot be negative: remove the attribute to cache nothing".into()),
            Expr::Binary(_) if is_number(value.to_token_stream()) => Err(
                "an expression as `ttl` is a `Duration`, and this is a number: write a single \
                 number for seconds, a text such as `\"30m\"`, or `Duration::from_secs(..)`"
                    .into(),
            ),
            _ => {
                return match value {
                    Expr::Closure(closure) => TtlOf::new(closure, scope, diag).map(Self::Of),
                    value => Some(Self::Expr(value)),
                };
            }
        };
        match millis {
            Ok(0) => {
                diag.error(
                    at,
                    "`ttl` is zero, so nothing would be stored: write at least `ttl = \"1ms\"`",
                );
                None
            }
            Ok(millis) => Some(Self::Millis(millis, at)),
            Err(message) => {
                diag.error(at, message);
                None
            }
        }
    }
}

/// Whether an expression is made of numbers alone.
fn is_number(tokens: TokenStream) -> bool {
    tokens.into_iter().all(|token| match token {
        TokenTree::Literal(_) | TokenTree::Punct(_) => true,
        TokenTree::Group(group) => is_number(group.stream()),
        TokenTree::Ident(_) => false,
    })
}

/// The milliseconds of a text that bounds something, which cannot be zero.
pub(crate) fn bound(name: &str, value: &Expr, diag: &mut Diag) -> Option<u64> {
    let millis = literal(name, value).and_then(|millis| match millis {
        Some(0) => Err(format!(
            "`{name}` is zero: write at least `{name} = \"1ms\"`"
        )),
        Some(millis) => Ok(millis),
        None => Err(too_long(name)),
    });
    diag.take(millis.map_err(|message| syn::Error::new(value.span(), message)))
}

/// The milliseconds of a text between two bounds; `outside` is the message about any other.
pub(crate) fn within(
    name: &str,
    value: &Expr,
    bounds: &RangeInclusive<u64>,
    outside: &str,
    diag: &mut Diag,
) -> Option<u64> {
    let millis = literal(name, value).and_then(|millis| {
        millis
            .filter(|millis| bounds.contains(millis))
            .ok_or_else(|| outside.to_owned())
    });
    diag.take(millis.map_err(|message| syn::Error::new(value.span(), message)))
}

/// The milliseconds of an expression that is a text; none where they are too many.
fn literal(name: &str, value: &Expr) -> Result<Option<u64>, String> {
    match value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => parsed(name, &text.value()),
        _ => Err(format!(
            "`{name}` is a text with a unit: write `{name} = \"10s\"`"
        )),
    }
}

/// The units, from the longest.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

fn too_long(name: &str) -> String {
    format!("`{name}` is too long: write less than a million years, as in `{name} = \"7d\"`")
}

/// The milliseconds of a text such as `1h30m`.
fn millis(name: &str, text: &str) -> Result<u64, String> {
    parsed(name, text)?.ok_or_else(|| too_long(name))
}

/// The milliseconds of a text such as `1h30m`; none where they are too many.
fn parsed(name: &str, text: &str) -> Result<Option<u64>, String> {
    let how =
        format!("write `{name} = \"30m\"` (units are `ms`, `s`, `m`, `h`, `d`, as in `\"1h30m\"`)");
    if text.starts_with('-') {
        return Err(format!("`{name}` cannot be negative: {how}"));
    }
    let mut rest = text;
    let mut total = Some(0_u64);
    let mut units = UNITS.as_slice();
    loop {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.len()
            - after
                .trim_start_matches(|c: char| c.is_ascii_lowercase())
                .len();
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(format!("`{text}` is not a duration: {how}"));
        }
        if unit.is_empty() {
            return Err(format!("`{text}` has no unit: {how}"));
        }
        let Some(at) = units.iter().position(|(known, _)| *known == unit) else {
            let known = UNITS.iter().any(|(known, _)| *known == unit);
            let wrong = if known {
                "has its units out of order"
            } else {
                "has an unknown unit"
            };
            return Err(format!("`{text}` {wrong}: {how}"));
        };
        let part = number.parse::<u64>().ok();
        let part = part.and_then(|number| number.checked_mul(units[at].1));
        total = total
            .zip(part)
            .and_then(|(total, part)| total.checked_add(part));
        units = &units[at + 1..];
        rest = after;
        if rest.is_empty() {
            return Ok(total);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn texts_are_read_by_their_units() {
        assert_eq!(millis("ttl", "250ms"), Ok(250));
        assert_eq!(millis("ttl", "30m"), Ok(1_800_000));
        assert_eq!(millis("ttl", "1h30m"), Ok(5_400_000));
        assert_eq!(millis("ttl", "2d1s5ms"), Ok(172_801_005));
        assert_eq!(millis("ttl", "0s"), Ok(0));
    }

    #[test]
    fn other_texts_are_refused() {
        for wrong in [
            "",
            "30",
            "m",
            "-5s",
            "1.5s",
            "30 m",
            "1w",
            "5m1h",
            "1s1s",
            "99999999999999999999d",
        ] {
            assert!(millis("ttl", wrong).is_err(), "{wrong}");
        }
    }
}
