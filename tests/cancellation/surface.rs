//! That nothing is left out: every public function that is awaited, as it is written in the runtime, is
//! one of those that are dropped here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What is awaited, by file. What `#[cached]` and `#[invalidates]` expand to is `Running`, `run` and
/// `judged`; `Ending` is the body of a cached function, dropped with its call.
const DROPPED: [&str; 26] = [
    "cache.rs connect",
    "cache.rs invalidate",
    "cache.rs invalidate_all",
    "cache.rs invalidate_namespace",
    "cache.rs shutdown",
    // As `shutdown`, which calls it.
    "cache.rs shutdown_within",
    "cache/builder.rs build",
    "call/plan.rs Ending",
    "call/typed.rs Running",
    "carry.rs Carried",
    "inspect.rs bypass",
    "inspect.rs invalidate",
    "inspect.rs key",
    "inspect.rs peek",
    "inspect.rs put",
    "inspect.rs refresh",
    "inspect.rs with_cache",
    "inspect/outcome.rs outcome",
    "invalidate.rs judged",
    "invalidate.rs run",
    "plain.rs get_or_compute",
    "testing/answers.rs assert_outcome",
    "testing/answers.rs idle",
    "testing/answers.rs refreshed",
    "testing/store.rs reached",
    "testing/store.rs reached_by",
];

#[test]
fn every_public_future_is_dropped() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cache-runtime/src");
    let mut found = BTreeSet::new();
    look_into(&folder, &folder, &mut found);
    let dropped: BTreeSet<_> = DROPPED.iter().map(|&one| one.to_owned()).collect();
    let new: Vec<_> = found.difference(&dropped).collect();
    let gone: Vec<_> = dropped.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "to be dropped as well: {new:?}; not there any more: {gone:?}"
    );
}

fn look_into(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            look_into(&path, root, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source");
            let file = path.strip_prefix(root).expect("below it").display();
            found.extend(futures(&text).map(|name| format!("{file} {name}")));
        }
    }
}

/// The public functions of a source that return a future, and its public types that are one.
fn futures(text: &str) -> impl Iterator<Item = &str> {
    let items = text.match_indices("pub ").filter_map(|(at, _)| {
        let item = &text[at + "pub ".len()..];
        let signature = &item[..item.find(['{', ';']).unwrap_or(item.len())];
        let (is_async, function) = match signature.strip_prefix("async fn ") {
            Some(function) => (true, function),
            None => (false, signature.strip_prefix("fn ")?),
        };
        let returned = function
            .rsplit_once("->")
            .map_or("", |(_, returned)| returned);
        let is_future = is_async || returned.trim_start().starts_with("impl Future");
        is_future.then(|| word(function))
    });
    let types = text.match_indices(" Future for ").filter_map(|(at, what)| {
        let name = word(&text[at + what.len()..]);
        let is_public = text.contains(&format!("pub struct {name}"));
        is_public.then_some(name)
    });
    items.chain(types)
}

/// The identifier that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    &text[..end.unwrap_or(text.len())]
}
