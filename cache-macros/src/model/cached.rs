//! What `#[cached]` means: its options, and the rules between them.

use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::{Callable, Key, Place, ResultTags, Scope, Tags, Ttl, duration, tags};
use crate::args::{Args, Instead, Item, Known, Written, no_option};
use crate::diag::Diag;
use crate::func::Func;

/// The options of `#[cached]`.
pub(crate) const KNOWN: Known = Known {
    attribute: "cached",
    names: &[
        "ttl",
        "key",
        "skip",
        "tags",
        "result_tags",
        "namespace",
        "version",
        "singleflight",
        "store_if",
        "local",
        "inherit",
        "cache",
        "crate",
    ],
    example: "ttl = 60",
    foreign: &[
        (
            "policy",
            Instead::Says(
                "`policy` is not supported yet: use `ttl`, and `singleflight` against stampedes",
            ),
        ),
        ("time", Instead::Called("ttl", "ttl = 60")),
        ("expire", Instead::Called("ttl", "ttl = 60")),
        ("expires", Instead::Called("ttl", "ttl = 60")),
        ("ttl_secs", Instead::Called("ttl", "ttl = 60")),
        ("ttl_millis", Instead::Called("ttl", "ttl = \"60ms\"")),
        ("timeout", Instead::Called("ttl", "ttl = 60")),
        ("duration", Instead::Called("ttl", "ttl = 60")),
        ("max_age", Instead::Called("ttl", "ttl = 60")),
        (
            "sync_writes",
            Instead::Called("singleflight", "singleflight"),
        ),
        ("coalesce", Instead::Called("singleflight", "singleflight")),
        ("lock", Instead::Called("singleflight", "singleflight")),
        ("tag", Instead::Called("tags", "tags = [\"books\"]")),
        (
            "name",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "prefix",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "group",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "region",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        ("convert", Instead::Called("key", "key = \"{id}\"")),
        (
            "create",
            Instead::Says(
                "a `Cache` is built at start-up, and not here: write `cache = ..` for one that is not the default",
            ),
        ),
        (
            "ty",
            Instead::Says(
                "a `Cache` is built at start-up, and not here: write `cache = ..` for one that is not the default",
            ),
        ),
        ("ignore", Instead::Called("skip", "skip(db)")),
        ("exclude", Instead::Called("skip", "skip(db)")),
        (
            "condition",
            Instead::Called("store_if", "store_if = |value| .."),
        ),
        (
            "cache_if",
            Instead::Called("store_if", "store_if = |value| .."),
        ),
        (
            "option",
            Instead::Says(
                "`None` is stored: write `store_if = Option::is_some` where it should not be",
            ),
        ),
        (
            "result",
            Instead::Says("an `Err` is never stored: remove `result`"),
        ),
        (
            "size",
            Instead::Says(
                "`size` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "max_size",
            Instead::Says(
                "`max_size` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "capacity",
            Instead::Says(
                "`capacity` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "entries",
            Instead::Says(
                "`entries` is an option of `#[invalidates]`: write it on the function that changes them",
            ),
        ),
        (
            "namespaces",
            Instead::Says("a function has one namespace: write `namespace = \"books\"`"),
        ),
        (
            "when",
            Instead::Says(
                "`when` is an option of `#[invalidates]`: write it on the function that changes the data",
            ),
        ),
        (
            "crash_safe",
            Instead::Says(
                "`crash_safe` is an option of `#[invalidates]`: write it on the function that changes the data",
            ),
        ),
    ],
};

/// The bounds of a `singleflight`, in milliseconds.
pub(crate) struct Flying {
    pub(crate) lease: u64,
    pub(crate) wait: u64,
}

/// The `store_if` option.
pub(crate) struct StoreIf {
    pub(crate) judge: Expr,
    /// It may name an argument, which the body then only borrows.
    pub(crate) borrows: bool,
}

/// A cached function.
pub(crate) struct Cached {
    pub(crate) function: Callable,
    pub(crate) place: Place,
    pub(crate) key: Key,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) tags: Option<Tags>,
    pub(crate) result_tags: Option<ResultTags>,
    pub(crate) namespace: Option<LitStr>,
    pub(crate) version: Option<u32>,
    pub(crate) singleflight: Option<Flying>,
    pub(crate) store_if: Option<StoreIf>,
    pub(crate) local: bool,
    /// Whether it takes over the tags of cached calls in its body.
    pub(crate) inherit: bool,
}

impl Cached {
    /// Checks what was written; none where anything is wrong.
    pub(crate) fn new(mut args: Args, func: Func, diag: &mut Diag) -> Option<Self> {
        let scope = Scope::new(&func);
        let function = Callable::new(KNOWN.attribute, func, diag)?;
        function.owned(diag);
        let key = args.value("key", "key = \"{id}\"", diag);
        let skip = args.list("skip", false, "`skip(db)`", diag);
        let key = Key::new(key, skip, &scope, diag);
        let ttl = args.value("ttl", "ttl = 60", diag);
        let ttl = ttl.and_then(|ttl| Ttl::new(ttl.value, diag));
        let tags = args.value("tags", "tags = [\"books\"]", diag);
        let tags = tags.and_then(|tags| Tags::new(tags.value, &scope, diag));
        // Of an empty list, nobody could tell what it is a list of.
        let tags = tags.filter(|tags| !tags.is_empty());
        let result_tags = args.value("result_tags", ResultTags::HOW, diag);
        let result_tags = result_tags.and_then(|tags| ResultTags::new(tags, &scope, diag));
        let result_tags = result_tags.filter(|tags| !tags.is_empty());
        let namespace = args.value("namespace", "namespace = \"books\"", diag);
        let namespace = namespace
            .and_then(|name| tags::namespace(&name.value, "put what differs into `key`", diag));
        let version = args.value("version", "version = 2", diag);
        let version = version.and_then(|version| number(&version.value, diag));
        let example = "`singleflight(lease = \"10s\", wait = \"30s\")`, or `singleflight` alone";
        let singleflight = args.list("singleflight", true, example, diag);
        let singleflight = singleflight.map(|bounds| Flying::new(bounds, diag));
        let store_if = args.value("store_if", "store_if = |value| ..", diag);
        let store_if = store_if.and_then(|judge| StoreIf::new(judge.value, &scope, diag));
        let local = args.flag("local", diag).is_some();
        let inherit = args.value("inherit", "inherit = false", diag);
        let inherit = inherit.is_none_or(|inherit| inherits(&inherit.value, diag));
        let place = Place::new(&mut args, diag);
        let key = key?;
        diag.is_clean().then_some(Self {
            function,
            place,
            key,
            ttl,
            tags,
            result_tags,
            namespace,
            version,
            singleflight,
            store_if,
            local,
            inherit,
        })
    }
}

impl Flying {
    fn new(bounds: Written<Vec<Item>>, diag: &mut Diag) -> Self {
        let mut flying = Self {
            lease: 10_000,
            wait: 30_000,
        };
        let mut seen: Vec<String> = Vec::new();
        for Item { name, value } in bounds.value {
            let text = name.to_string();
            let place = match &*text {
                "lease" => &mut flying.lease,
                "wait" => &mut flying.wait,
                _ => {
                    let message = no_option("singleflight", &text, &["lease", "wait"]);
                    diag.error(name.span(), message);
                    continue;
                }
            };
            if seen.contains(&text) {
                diag.error(
                    name.span(),
                    format!("`{text}` is specified more than once: keep one of them"),
                );
            } else if let Some(value) = value {
                *place = duration::bound(&text, &value, diag).unwrap_or(*place);
            } else {
                diag.error(
                    name.span(),
                    format!("`{text}` needs a value: write `{text} = \"10s\"`"),
                );
            }
            seen.push(text);
        }
        flying
    }
}

impl StoreIf {
    fn new(judge: Expr, scope: &Scope, diag: &mut Diag) -> Option<Self> {
        if let Expr::Lit(literal) = &judge {
            let message = "`store_if` is a closure or a path that is given the value: write \
                           `store_if = |value| ..`, or `store_if = Option::is_some`";
            diag.error(literal.span(), message);
            return None;
        }
        if let Expr::Closure(closure) = &judge {
            if closure.inputs.len() != 1 {
                let message = "`store_if` is given one thing, the value: write `|value| ..`";
                diag.error(closure.span(), message);
                return None;
            }
            if let Some(keyword) = &closure.asyncness {
                let message = "`store_if` cannot await: remove `async`, and ask in the body";
                diag.error(keyword.span(), message);
                return None;
            }
        }
        let borrows = scope.mentioned_in(&judge);
        Some(Self { judge, borrows })
    }
}

impl Place {
    /// Reads the options `cache` and `crate`.
    pub(crate) fn new(args: &mut Args, diag: &mut Diag) -> Self {
        let cache = args
            .value("cache", "cache = self.cache", diag)
            .map(|cache| cache.value);
        let facade = args.value("crate", "crate = path::to::afresh", diag);
        let facade = facade.and_then(|facade| match facade.value {
            Expr::Path(path) if path.qself.is_none() => Some(path.path),
            other => {
                let message = "`crate` is a path without quotes: write `crate = path::to::afresh`";
                diag.error(other.span(), message);
                None
            }
        });
        Self { facade, cache }
    }
}

/// The option `inherit`, which has one value that changes anything.
fn inherits(value: &Expr, diag: &mut Diag) -> bool {
    let message = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(inherit),
            ..
        }) if !inherit.value => return false,
        Expr::Lit(ExprLit {
            lit: Lit::Bool(_), ..
        }) => {
            "`inherit = true` is what happens anyway: leave it out, or write `inherit = false` to \
             keep the tags of cached calls in the body out"
        }
        _ => "`inherit` takes only `false`: write `inherit = false`, or leave it out",
    };
    diag.error(value.span(), message);
    true
}

fn number(value: &Expr, diag: &mut Diag) -> Option<u32> {
    let parsed = match value {
        Expr::Lit(ExprLit {
            lit: Lit::Int(number),
            ..
        }) => number.base10_parse().ok(),
        _ => None,
    };
    if parsed.is_none() {
        diag.error(
            value.span(),
            "`version` is a number from 0 to 4294967295: write `version = 2`",
        );
    }
    parsed
}
