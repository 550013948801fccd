//! Pairs of templates that could be one tag, and those that could not.

use std::time::Instant;

use proptest::prelude::*;

use super::*;

fn both(a: &str, b: &str) -> (bool, bool) {
    let (a, b) = (Pattern::template(a), Pattern::template(b));
    assert_eq!(a.may_be(&b), b.may_be(&a), "whichever is asked");
    assert_eq!(a.is_like(&b), b.is_like(&a), "whichever is asked");
    (a.may_be(&b), a.is_like(&b))
}

#[test]
fn templates_that_could_be_one_tag() {
    for (a, b) in [
        ("books", "books"),
        ("book:{id}", "book:{book}"),
        ("book:{id}", "book:7"),
        ("{kind}:{id}", "book:7"),
        ("{kind}:{id}", "book:{id}"),
        ("{a}:x", "y:{b}"),
        ("{tag}", "books"),
        ("a{x}c", "{y}bc"),
        ("{{all}}", "{{all}}"),
        ("book:{}", "book:{id:>5}"),
        ("é{x}", "éa"),
    ] {
        assert_eq!(both(a, b), (true, true), "{a} {b}");
    }
}

#[test]
fn templates_that_could_not() {
    for (a, b) in [
        ("books", "book"),
        ("book:{id}", "books"),
        ("book:{id}", "bok:{id}"),
        ("book:{id}", "book:"),
        ("{a}:x", "y:{b}z"),
        ("{{all}}", "all"),
        ("{{all}}", "{{some}}"),
        ("a{x}b", "ab"),
        ("", "{x}"),
    ] {
        assert_eq!(both(a, b), (false, false), "{a} {b}");
    }
}

#[test]
fn a_value_with_a_separator_in_it_could_be_and_is_not_meant() {
    assert_eq!(both("book:{id}", "book:{id}:reviews"), (true, false));
    assert_eq!(both("{path}", "book:7"), (true, false));
    assert_eq!(both("dir/{x}", "dir/a/b"), (true, false));
}

#[test]
fn stars_are_any_text() {
    let stars = Pattern::with_stars("import:*");
    assert!(stars.may_be(&Pattern::template("import:{id}")));
    assert!(stars.may_be(&Pattern::template("import:")));
    assert!(!stars.may_be(&Pattern::template("export:{id}")));
}

#[test]
fn spelling_is_compared_without_the_names_of_values() {
    let near = |a, b| Pattern::template(a).near(&Pattern::template(b));
    assert_eq!(near("bok:{id}", "book:{book}"), Some(1));
    assert_eq!(near("obok:{id}", "book:{id}"), Some(1));
    assert_eq!(near("authors", "book:{id}"), None);
    let slip = |a, b| Pattern::template(a).is_slip_of(&Pattern::template(b));
    assert!(slip("bok:{id}", "book:{id}"));
    assert!(!slip("book:{id}", "books"));
    assert!(
        !slip("book:{id}", "book:"),
        "one has a value, the other has none"
    );
    assert!(!slip("author", "editor"));
}

#[test]
fn many_holes_take_no_longer() {
    let many = Pattern::template(&"{a}x".repeat(200));
    let other = Pattern::template(&format!("{}y", "{b}xx".repeat(200)));
    let before = Instant::now();
    assert!(!many.may_be(&other));
    assert!(before.elapsed().as_secs() < 10, "it is not exponential");
}

/// Texts of two letters, which a pattern can be; by trying all of them.
fn can_be(pattern: &[Part], text: &str) -> bool {
    let rest = || text.chars().next().map(|first| &text[first.len_utf8()..]);
    match pattern.split_first() {
        None => text.is_empty(),
        Some((Part::Char(c), after)) => text
            .strip_prefix(*c)
            .is_some_and(|text| can_be(after, text)),
        Some((Part::One, after)) => rest().is_some_and(|text| can_be(after, text)),
        Some((Part::Any, after)) => {
            can_be(after, text) || rest().is_some_and(|text| can_be(pattern, text))
        }
    }
}

proptest! {
    #[test]
    fn patterns_agree_where_a_text_is_in_both(
        a in "(a|b|\\{x\\}){0,4}", b in "(a|b|\\{x\\}){0,4}",
    ) {
        let (a, b) = (Pattern::template(&a), Pattern::template(&b));
        // Two patterns of four parts have a text of at most eight letters in common, if any.
        let mut texts = vec![String::new()];
        for length in 0..8 {
            let longest = texts.iter().filter(|text| text.len() == length);
            let longer: Vec<_> = longest.flat_map(|text| [format!("{text}a"), format!("{text}b")]).collect();
            texts.extend(longer);
        }
        let common = texts.iter().any(|text| can_be(&a.0, text) && can_be(&b.0, text));
        prop_assert_eq!(a.may_be(&b), common);
    }
}
