//! What `#[cached]` means: its options, and the rules between them.

use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, Lit, LitStr};

use super::known::CACHED;
use super::{Callable, Key, Place, Policy, ResultTags, Scope, Tags, Ttl, duration, tags};
use crate::args::{Args, Item, Written, no_option};
use crate::diag::Diag;
use crate::func::Func;

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
    pub(crate) policy: Option<Policy>,
    pub(crate) store_if: Option<StoreIf>,
    pub(crate) local: bool,
    /// Whether it takes over the tags of cached calls in its body.
    pub(crate) inherit: bool,
}

impl Cached {
    /// Checks what was written; none where anything is wrong.
    pub(crate) fn new(mut args: Args, func: Func, diag: &mut Diag) -> Option<Self> {
        let scope = Scope::new(&func);
        let arguments = func.arguments();
        let function = Callable::new(CACHED.attribute, func, diag)?;
        function.owned(diag);
        let key = args.value("key", "key = \"{id}\"", diag);
        let skip = args.list("skip", false, "`skip(db)`", diag);
        let key = Key::new(key, skip, &scope, diag);
        let ttl = args.value("ttl", "ttl = 60", diag);
        let ttl = ttl.and_then(|ttl| Ttl::new(ttl.value, &scope, diag));
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
        let policy = args.value("policy", Policy::HOW, diag);
        let policy = policy.and_then(|policy| Policy::new(policy.value, arguments, diag));
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
            policy,
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
