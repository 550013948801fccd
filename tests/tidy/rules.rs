//! The rules that look at one file at a time, each with the least that breaks it.

use crate::source::{Source, words};

/// Every file begins with a `//!` head.
pub(crate) fn head(source: &Source) -> Vec<String> {
    let has = source.text.lines().next().is_some_and(|line| {
        line.strip_prefix("//!")
            .is_some_and(|said| !said.trim().is_empty())
    });
    let message = "no `//!` head; begin with one to three sentences on what the file holds and what it does not";
    if has {
        Vec::new()
    } else {
        vec![source.at(0, message)]
    }
}

/// No lint is allowed in our own code: `#[expect(…, reason = "…")]` says why, and says when it is
/// no longer needed. What the macros generate is expanded in users' crates, where it is right.
pub(crate) fn no_allow(source: &Source) -> Vec<String> {
    if source.path.starts_with("cache-macros/src/expand") {
        return Vec::new();
    }
    let code = &source.code;
    let in_attribute = |&at: &usize| {
        let called = code[at + "allow".len()..].trim_start().starts_with('(');
        let open = code[..at].rfind("#[").max(code[..at].rfind("#!["));
        called && open.is_some_and(|open| depth(&code[open..at]) > 0)
    };
    words(code, "allow")
        .filter(in_attribute)
        .map(|at| {
            source.at(
                at,
                "a lint is allowed; write `#[expect(.., reason = \"..\")]`",
            )
        })
        .collect()
}

/// No placeholder and no debugging aid.
pub(crate) fn nothing_left(source: &Source) -> Vec<String> {
    let calls = ["todo", "dbg"].into_iter().flat_map(|name| {
        let is_call = move |at: &usize| source.code[at + name.len()..].starts_with('!');
        words(&source.code, name)
            .filter(is_call)
            .map(move |at| source.at(at, &format!("`{name}!` is left in the code")))
    });
    // In two parts, so that this file keeps the rule.
    let mark = concat!("FIX", "ME");
    let marks = words(&source.prose, mark)
        .map(|at| source.at(at, "a mark for later; do it now, or write down why not"));
    calls.chain(marks).collect()
}

/// The macro crate knows option names and one hidden module of the runtime, nothing of what is
/// behind it.
pub(crate) fn macros_apart(source: &Source) -> Vec<String> {
    if !source.path.starts_with("cache-macros/src/") {
        return Vec::new();
    }
    let text = source.text.to_ascii_lowercase();
    let found = |word: &'static str| {
        let message = format!("the macro crate names `{word}`; only the runtime knows of it");
        text.match_indices(word)
            .map(|(at, _)| source.at(at, &message))
            .collect::<Vec<_>>()
    };
    ["redis", "serde"].into_iter().flat_map(found).collect()
}

fn depth(code: &str) -> usize {
    code.matches('[')
        .count()
        .saturating_sub(code.matches(']').count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Source) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
        let place = |found: String| found.splitn(3, ':').take(2).collect::<Vec<_>>().join(":");
        rule(&Source::new(path, text))
            .into_iter()
            .map(place)
            .collect()
    }

    #[test]
    fn a_file_without_a_head_is_found() {
        for text in [
            "",
            "use a;\n//! late",
            "/// of an item",
            "//!\nuse a;",
            "// plain",
        ] {
            assert_eq!(lines(head, "src/a.rs", text), ["src/a.rs:1"], "{text:?}");
        }
        assert!(head(&Source::new("src/a.rs", "//! What it holds.\n")).is_empty());
    }

    #[test]
    fn an_allowed_lint_is_found() {
        let bad = [
            "#[allow(dead_code)]",
            "#![allow(x)]",
            "#[cfg_attr(test, allow(x))]",
            "#[ allow (x)]",
        ];
        for text in bad {
            let text = format!("//! Head.\n{text}\nfn f() {{}}");
            assert_eq!(lines(no_allow, "src/a.rs", &text), ["src/a.rs:2"], "{text}");
            assert!(no_allow(&Source::new("cache-macros/src/expand/a.rs", text)).is_empty());
        }
        for text in [
            "// #[allow(x)]",
            "\"#[allow(x)]\"",
            "#[inline] fn f() { allow(1) }",
            "#[expect(x)]",
        ] {
            assert!(
                no_allow(&Source::new("src/a.rs", text)).is_empty(),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_left_is_found() {
        let mark = concat!("// FIX", "ME later");
        for text in ["todo!()", "let a = dbg!(b);", "std::todo!(\"x\")", mark] {
            assert_eq!(
                lines(nothing_left, "src/a.rs", &format!("\n\n{text}")),
                ["src/a.rs:3"],
                "{text}"
            );
        }
        for text in [
            "// todo!() is refused",
            "\"dbg!(x)\"",
            "my_todo!()",
            "todo(1)",
        ] {
            assert!(
                nothing_left(&Source::new("src/a.rs", text)).is_empty(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_word_of_the_runtime_is_found_in_the_macros() {
        for text in ["\n// Redis", "\nserde::Serialize", "\n\"needs SERDE\""] {
            assert_eq!(
                lines(macros_apart, "cache-macros/src/a.rs", text),
                ["cache-macros/src/a.rs:2"]
            );
            assert!(macros_apart(&Source::new("cache-runtime/src/a.rs", text)).is_empty());
        }
    }
}
