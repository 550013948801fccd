//! What `#[invalidates]` means: its options, and the rules between them.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::{Callable, CrashSafe, Place, ResultTags, Scope, Tags, tags};
use crate::args::{Args, Instead, Known};
use crate::diag::Diag;
use crate::func::Func;

/// The options of `#[invalidates]`.
pub(crate) const KNOWN: Known = Known {
    attribute: "invalidates",
    names: &[
        "tags",
        "result_tags",
        "entries",
        "namespaces",
        "when",
        "crash_safe",
        "cache",
        "crate",
    ],
    example: "tags = [\"books\"]",
    foreign: &[
        (
            "deadline",
            Instead::Says(
                "`deadline` is an option of `crash_safe`: write `crash_safe(deadline = \"10s\")`",
            ),
        ),
        (
            "required",
            Instead::Says("`required` is an option of `crash_safe`: write `crash_safe(required)`"),
        ),
        ("tag", Instead::Called("tags", "tags = [\"books\"]")),
        (
            "key",
            Instead::Called("entries", "entries = [book(db, id)]"),
        ),
        (
            "keys",
            Instead::Called("entries", "entries = [book(db, id)]"),
        ),
        (
            "entry",
            Instead::Called("entries", "entries = [book(db, id)]"),
        ),
        (
            "namespace",
            Instead::Called("namespaces", "namespaces = [\"books\"]"),
        ),
        (
            "name",
            Instead::Called("namespaces", "namespaces = [\"books\"]"),
        ),
        (
            "all",
            Instead::Says("there is `Cache::invalidate_all` for that: call it in the body"),
        ),
        (
            "before",
            Instead::Says("`before` is a value of `when`: write `when = before`"),
        ),
        (
            "always",
            Instead::Says("`always` is a value of `when`: write `when = always`"),
        ),
        (
            "ttl",
            Instead::Says("`ttl` is an option of `#[cached]`: write it on the function that reads"),
        ),
        (
            "skip",
            Instead::Says(
                "`skip` is an option of `#[cached]`: write it on the function that reads",
            ),
        ),
        (
            "store_if",
            Instead::Says(
                "`store_if` is an option of `#[cached]`: write it on the function that reads",
            ),
        ),
        (
            "singleflight",
            Instead::Says(
                "`singleflight` is an option of `#[cached]`: write it on the function that reads",
            ),
        ),
        (
            "local",
            Instead::Says(
                "`local` is an option of `#[cached]`: write it on the function that reads",
            ),
        ),
        (
            "version",
            Instead::Says(
                "`version` is an option of `#[cached]`: write it on the function that reads",
            ),
        ),
    ],
};

/// The `when` option.
#[derive(Clone, Copy)]
pub(crate) enum When {
    Success,
    Always,
    Before,
}

/// A mutation.
pub(crate) struct Invalidates {
    pub(crate) function: Callable,
    pub(crate) place: Place,
    pub(crate) tags: Option<Tags>,
    pub(crate) result_tags: Option<ResultTags>,
    pub(crate) entries: Vec<Expr>,
    pub(crate) namespaces: Vec<LitStr>,
    pub(crate) when: When,
    pub(crate) crash_safe: Option<CrashSafe>,
}

impl Invalidates {
    /// Checks what was written; none where anything is wrong.
    pub(crate) fn new(mut args: Args, func: Func, diag: &mut Diag) -> Option<Self> {
        let scope = Scope::new(&func);
        let function = Callable::new(KNOWN.attribute, func, diag)?;
        let tags = args.value("tags", "tags = [\"books\"]", diag);
        let result_tags = args.value("result_tags", ResultTags::HOW, diag);
        let entries = args.value("entries", "entries = [book(db, id)]", diag);
        let namespaces = args.value("namespaces", "namespaces = [\"books\"]", diag);
        let known = tags.is_some() || entries.is_some() || namespaces.is_some();
        if !known && result_tags.is_none() && diag.is_clean() {
            let message = "nothing is invalidated: write `tags = [\"books\"]`, \
                           `entries = [book(db, id)]`, or `namespaces = [\"books\"]`";
            diag.error(Span::call_site(), message);
        }
        let tags = tags.and_then(|tags| {
            let read = Tags::new(tags.value, &scope, diag)?;
            if read.is_empty() {
                let message = "`tags` is empty: write `tags = [\"books\"]`, or leave it out";
                diag.error(tags.keyword.span(), message);
            }
            Some(read)
        });
        let result_tags = result_tags.and_then(|tags| {
            let read = ResultTags::new(tags, &scope, diag)?;
            if read.is_empty() {
                let message = format!(
                    "`result_tags` is empty: write `{}`, or leave it out",
                    ResultTags::HOW
                );
                diag.error(read.keyword.span(), message);
            }
            Some(read)
        });
        let entries = entries.map_or_else(Vec::new, |entries| {
            let calls = elements("entries", "entries = [book(db, id)]", entries.value, diag);
            calls
                .into_iter()
                .filter(|call| is_call(call, diag))
                .collect()
        });
        let namespaces = namespaces.map_or_else(Vec::new, |namespaces| {
            let example = "namespaces = [\"books\"]";
            let instead = "for some of its entries, use `tags` or `entries`";
            elements("namespaces", example, namespaces.value, diag)
                .iter()
                .filter_map(|name| tags::namespace(name, instead, diag))
                .collect()
        });
        let when = args.value("when", "when = always", diag);
        let when = when.map_or(When::Success, |when| When::new(&when.value, diag));
        if let (When::Before, Some(tags)) = (when, &result_tags) {
            let message = "`result_tags` are known after the body, and `when = before` invalidates \
                           before it: keep one of them";
            diag.error(tags.keyword.span(), message);
        }
        let crash_safe = args.list("crash_safe", true, CrashSafe::HOW, diag);
        let crash_safe = crash_safe.map(|written| CrashSafe::new(written, diag));
        if let Some(CrashSafe { keyword, .. }) = &crash_safe {
            if let When::Before = when {
                let message = "`crash_safe` is about a crash between the change and the \
                               invalidation, and `when = before` invalidates before the change: \
                               keep one of them";
                diag.error(keyword.span(), message);
            }
            if !known && result_tags.is_some() {
                let message = "`crash_safe` marks before the body what is to be invalidated, and \
                               `result_tags` are known after it: name in `tags`, `entries` or \
                               `namespaces` what must not be missed";
                diag.error(keyword.span(), message);
            }
        }
        let place = Place::new(&mut args, diag);
        diag.is_clean().then_some(Self {
            function,
            place,
            tags,
            result_tags,
            entries,
            namespaces,
            when,
            crash_safe,
        })
    }
}

/// The elements of a list that is not empty.
fn elements(name: &str, example: &str, value: Expr, diag: &mut Diag) -> Vec<Expr> {
    match value {
        Expr::Array(array) => {
            if array.elems.is_empty() {
                let at = array.bracket_token.span.join();
                diag.error(
                    at,
                    format!("`{name}` is empty: write `{example}`, or leave it out"),
                );
            }
            array.elems.into_iter().collect()
        }
        other => {
            diag.error(
                other.span(),
                format!("`{name}` is a list: write `{example}`"),
            );
            Vec::new()
        }
    }
}

fn is_call(value: &Expr, diag: &mut Diag) -> bool {
    let message = match value {
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Macro(_) => return true,
        Expr::Await(call) => {
            diag.error(
                call.await_token.span,
                "the call is not run, only asked for its key: remove `.await`",
            );
            return false;
        }
        Expr::Lit(ExprLit {
            lit: Lit::Str(_), ..
        }) => {
            "`entries` takes calls of cached functions, as in `book(db, id)`; a text is a tag: \
             write it in `tags`"
        }
        _ => "`entries` takes calls of cached functions: write `book(db, id)`",
    };
    diag.error(value.span(), message);
    false
}

impl When {
    fn new(value: &Expr, diag: &mut Diag) -> Self {
        let words = "write `when = success`, `when = always` or `when = before`";
        let message = match value {
            Expr::Path(path) => match path.path.get_ident().map(ToString::to_string) {
                Some(word) => match Self::of(&word) {
                    Some(when) => return when,
                    None => format!("`when` has no `{word}`: {words}"),
                },
                None => format!("`when` takes a word: {words}"),
            },
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if Self::of(&text.value()).is_some() => {
                let word = text.value();
                format!("`when` takes a word without quotes: write `when = {word}`")
            }
            _ => format!("`when` takes a word: {words}"),
        };
        diag.error(value.span(), message);
        Self::Success
    }

    fn of(word: &str) -> Option<Self> {
        match word {
            "success" => Some(Self::Success),
            "always" => Some(Self::Always),
            "before" => Some(Self::Before),
            _ => None,
        }
    }
}
