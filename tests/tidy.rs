//! What the compiler and clippy do not check about our own sources: that each file begins by
//! saying what it holds, that no lint is silenced, that nothing is left undone, and that modules
//! import downwards only. It reads text and knows no Rust beyond tokens; lengths it leaves to the
//! eye.
//!
//! The cases of `tests/ui` and the golden expansions are data, not sources: only the messages are
//! read, for what must be true of all of them.

#[path = "tidy/imports.rs"]
mod imports;
#[path = "tidy/messages.rs"]
mod messages;
#[path = "tidy/paths.rs"]
mod paths;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use source::Source;

/// Where our sources are.
const FOLDERS: [&str; 8] = [
    "src",
    "cache-macros",
    "cache-runtime",
    "fuzz",
    "xtask",
    "examples",
    "tests",
    "benches",
];

/// What lies in between and is no source.
const DATA: [&str; 3] = ["tests/ui", "cache-macros/tests/expand", "target"];

#[test]
fn every_file_begins_with_its_head() {
    check(rules::head);
}

#[test]
fn no_lint_is_allowed() {
    check(rules::no_allow);
}

#[test]
fn nothing_is_left_undone() {
    check(rules::nothing_left);
}

#[test]
fn macros_know_nothing_of_the_runtime() {
    check(rules::macros_apart);
}

#[test]
fn modules_import_from_the_left() {
    let sources = sources();
    report(&imports::violations(&sources));
}

#[test]
fn the_sources_are_found() {
    let sources = sources();
    for path in [
        "src/lib.rs",
        "cache-macros/src/lib.rs",
        "cache-runtime/src/lib.rs",
        "tests/tidy.rs",
    ] {
        assert!(
            sources.iter().any(|source| source.path == path),
            "{path} is not among the sources"
        );
    }
    assert!(
        !sources
            .iter()
            .any(|source| source.path.starts_with("tests/ui/"))
    );
}

fn check(rule: fn(&Source) -> Vec<String>) {
    report(&sources().iter().flat_map(rule).collect::<Vec<_>>());
}

fn report(violations: &[String]) {
    assert!(violations.is_empty(), "\n\n{}\n", violations.join("\n"));
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for folder in FOLDERS {
        collect(root, folder, &mut sources);
    }
    sources
}

fn collect(root: &Path, folder: &str, sources: &mut Vec<Source>) {
    // Not every folder of the list exists from the start.
    let Ok(entries) = fs::read_dir(root.join(folder)) else {
        return;
    };
    for entry in entries.map(|entry| entry.expect("a readable folder")) {
        let name = entry.file_name().into_string().expect("a name in UTF-8");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            if !DATA.iter().any(|data| path == *data || name == *data) {
                collect(root, &path, sources);
            }
        } else if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "rs")
        {
            let text = fs::read_to_string(entry.path()).expect("a source in UTF-8");
            sources.push(Source::new(path, text));
        }
    }
}
