//! The order of the runtime's modules: each imports from its own group and from the groups to its
//! left, and inside a group no two import each other, directly or by way of a third. Tests are
//! exempt: they may use what they like.

use crate::paths::paths;
use crate::source::Source;

/// From left to right. `ARCHITECTURE.md` says what each is for.
const ORDER: [&[&str]; 11] = [
    &["sync", "chance", "error", "clock", "timer"],
    &["spec", "key", "tag", "codec", "shape", "observe", "policy"],
    &["log", "entry", "output", "catalog"],
    &["local"],
    &["shared"],
    &["shared/redis", "shared/simulated"],
    &[
        "backoff",
        "background",
        "flight",
        "inherit",
        "lease",
        "scope",
    ],
    &["cache"],
    &["inspect", "carry"],
    &["call", "invalidate"],
    &["plain", "private", "testing", "fuzzing"],
];

const FOLDER: &str = "cache-runtime/src/";

/// One path into another module.
struct Import {
    /// The module that it is in, as `ORDER` names it.
    from: String,
    /// The module that it names.
    to: String,
    /// `file:line: `
    place: String,
}

/// What breaks the order in any of these files.
pub(crate) fn violations(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside = Vec::new();
    for source in sources
        .iter()
        .filter(|source| source.path.starts_with(FOLDER))
    {
        let Some(module) = module_of(&source.path) else {
            continue;
        };
        let own = name(&module);
        let Some(group) = group(&own) else {
            let message = format!(
                "the module `{own}` has no place in the order; give it one in tests/tidy/imports.rs"
            );
            found.push(source.at(0, &message));
            continue;
        };
        for (at, path) in paths(&source.code, &module) {
            // A module's own submodules are part of it.
            if path.starts_with(&module) {
                continue;
            }
            // An exported macro stands at the root, wherever it is written; ours begin with `__`.
            if path.first().is_some_and(|root| root.starts_with("__")) {
                continue;
            }
            let to = name(&path);
            match self::group(&to) {
                None => found.push(source.at(at, &unknown(&path))),
                Some(other) if other > group => found.push(source.at(at, &upward(&own, &to))),
                Some(other) if other == group && to != own => {
                    let place = source.at(at, "");
                    inside.push(Import {
                        from: own.clone(),
                        to,
                        place,
                    });
                }
                Some(_) => {}
            }
        }
    }
    found.extend(circles(&inside));
    // One line often names several things of one module.
    found.dedup();
    found
}

fn unknown(path: &[String]) -> String {
    format!(
        "`crate::{}` begins with no module of the order in tests/tidy/imports.rs; name the module \
         that has the item, or give its module a place",
        path.join("::")
    )
}

fn upward(from: &str, to: &str) -> String {
    let order = ORDER.map(|group| group.join(" ")).join(" | ");
    format!("`{from}` imports from `{to}`, which is to its right in: {order}")
}

/// The imports inside groups that come back to where they start.
fn circles(imports: &[Import]) -> Vec<String> {
    let back = |import: &&Import| reaches(imports, &import.to, &import.from, &mut Vec::new());
    let message = |import: &Import| {
        let Import { from, to, place } = import;
        format!(
            "{place}`{from}` imports from `{to}`, which imports from `{from}`: two modules of a group never import each other"
        )
    };
    imports.iter().filter(back).map(message).collect()
}

fn reaches<'a>(imports: &'a [Import], from: &'a str, to: &str, seen: &mut Vec<&'a str>) -> bool {
    if from == to {
        return true;
    }
    if seen.contains(&from) {
        return false;
    }
    seen.push(from);
    imports
        .iter()
        .any(|import| import.from == from && reaches(imports, &import.to, to, seen))
}

/// The module path of a file; `None` for the root, which names every module, and for tests.
fn module_of(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix(FOLDER)?.strip_suffix(".rs")?;
    let mut module: Vec<_> = path.split('/').map(str::to_owned).collect();
    module.pop_if(|last| last == "mod");
    let exempt = module == ["lib"]
        || module
            .iter()
            .any(|part| part == "tests" || part.ends_with("_tests"));
    (!exempt).then_some(module)
}

/// The entry of `ORDER` that a path belongs to.
fn name(path: &[String]) -> String {
    let two = path.get(..2).map(|two| two.join("/"));
    let one = || path.first().cloned().unwrap_or_default();
    two.filter(|two| group(two).is_some()).unwrap_or_else(one)
}

fn group(module: &str) -> Option<usize> {
    ORDER.iter().position(|group| group.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let source = |(path, text): &(&str, &str)| Source::new(format!("{FOLDER}{path}"), *text);
        violations(&files.iter().map(source).collect::<Vec<_>>())
    }

    /// How many violations there are when this text stands in this file.
    fn count(path: &str, text: &str) -> usize {
        found(&[(path, text)]).len()
    }

    #[test]
    fn an_import_to_the_right_is_found() {
        for text in [
            "use crate::cache::Cache;",
            "use crate::{clock::Millis, cache::{self, Cache}};",
            "fn f() { crate::cache::global() }",
            "use super::cache::Cache;",
            "mod inner { use super::super::cache; }",
            "pub use crate::cache::*;",
            "#[cfg(not(test))] use crate::cache::Cache;",
            "macro_rules! m { () => { $crate::cache::f() } }",
        ] {
            assert_eq!(count("local.rs", text), 1, "{text}");
        }
        let message = found(&[("local/map.rs", "\n\nuse crate::cache::Cache;")]).remove(0);
        let start =
            "cache-runtime/src/local/map.rs:3: `local` imports from `cache`, which is to its right";
        assert!(message.starts_with(start), "{message}");
    }

    #[test]
    fn an_import_to_the_left_is_not() {
        for text in [
            "use crate::clock::Millis;",
            "use crate::{error::Error, log::{self, View}};",
            "use super::clock::Millis;",
            "mod map; use self::map::Map; use crate::local::map;",
            "pub(crate) fn f() {} pub(in crate::local) fn g() {}",
            "// crate::cache\n/// [`Cache`](crate::cache::Cache)\nconst S: &str = \"crate::cache\";",
            "#[cfg(test)] mod tests { use crate::cache::Cache; }",
            "#[cfg(test)] use crate::{cache::Cache};",
            "#[cfg(all(test, unix))] #[path = \"x\"] mod tests { fn f() -> [u8; 2] { crate::cache::f() } } ",
            "mod inner { use super::Map; }",
            "pub use crate::__register as register;",
        ] {
            assert_eq!(found(&[("local.rs", text)]), [""; 0], "{text}");
        }
        assert_eq!(count("local/tests.rs", "use crate::cache::Cache;"), 0);
        assert_eq!(count("local/map_tests.rs", "use crate::cache::Cache;"), 0);
        assert_eq!(count("lib.rs", "pub use crate::cache::Cache;"), 0);
    }

    #[test]
    fn what_follows_a_test_module_is_read() {
        assert_eq!(
            count(
                "local.rs",
                "#[cfg(test)] mod tests { } use crate::cache::Cache;"
            ),
            1
        );
        assert_eq!(count("local.rs", "mod a { } use crate::cache::Cache;"), 1);
        assert_eq!(
            count(
                "local.rs",
                "#[cfg(test)] use a::{b}; use crate::cache::Cache;"
            ),
            1
        );
    }

    #[test]
    fn the_redis_tier_is_to_the_right_of_the_shared_one() {
        assert_eq!(
            count(
                "shared/redis/script.rs",
                "use crate::shared::Token; use super::super::Slot;"
            ),
            0
        );
        assert_eq!(
            count("shared/redis/script.rs", "use crate::flight::Flight;"),
            1
        );
        assert_eq!(
            count("shared/token.rs", "use crate::shared::redis::Script;"),
            1
        );
        assert_eq!(
            count(
                "shared.rs",
                "mod redis; pub use redis::Tier; use crate::shared::redis::Script;"
            ),
            0
        );
        assert_eq!(
            count("shared/mod.rs", "use crate::shared::redis::Script;"),
            0
        );
    }

    #[test]
    fn a_module_without_a_place_is_found() {
        assert_eq!(count("helpers.rs", ""), 1);
        assert_eq!(count("local.rs", "use crate::Error;"), 1);
        assert_eq!(count("local.rs", "use super::*;"), 1);
    }

    #[test]
    fn a_circle_inside_a_group_is_found() {
        let one_way = [
            ("flight.rs", "use crate::scope;"),
            ("scope.rs", "use crate::lease;"),
            ("lease.rs", ""),
        ];
        assert_eq!(found(&one_way), [""; 0]);
        let back = [
            one_way[0],
            one_way[1],
            ("lease.rs", "use crate::flight::Flight;"),
        ];
        assert_eq!(found(&back).len(), 3);
    }
}
