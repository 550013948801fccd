//! Tags that are written on one side only, and what a test that finds them says.

use std::panic;

use afresh::catalog::Orphan;
use afresh::{cached, catalog, invalidates, testing};

#[cached(ttl = 60, tags = ["books", "book:{id}", "idle"])]
async fn book(id: i64) -> i64 {
    id
}

#[cached(ttl = 60, namespace = "shelves", tags = ["shelf:{room}"])]
async fn shelf(room: u8) -> u8 {
    room
}

#[invalidates(tags = ["books", "bok:{book}", "import:{book}"])]
async fn rename(book: i64) {
    let _ = book;
}

#[invalidates(namespaces = ["shelfs"])]
async fn move_shelf() {}

#[tokio::test]
async fn what_is_on_one_side_only_is_told_with_what_is_near() {
    book(1).await;
    shelf(1).await;
    rename(1).await;
    move_shelf().await;
    let orphans = catalog().orphans();
    let told: Vec<_> = orphans.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`rename` (tests/orphans.rs:19) invalidates `bok:{book}`, which no cached function \
             carries; near: `book:{id}` of `book` (tests/orphans.rs:9)",
            "`rename` (tests/orphans.rs:19) invalidates `import:{book}`, which no cached function \
             carries",
            "`move_shelf` (tests/orphans.rs:24) invalidates the namespace `shelfs`, which no \
             cached function has; near: `shelves` of `shelf` (tests/orphans.rs:14)",
            "`book` (tests/orphans.rs:9) carries `book:{id}`, which nothing invalidates; near: \
             `bok:{book}` of `rename` (tests/orphans.rs:19)",
            "`book` (tests/orphans.rs:9) carries `idle`, which nothing invalidates",
            "`shelf` (tests/orphans.rs:14) carries `shelf:{room}`, which nothing invalidates",
        ]
    );
    let of_mutations = orphans.iter().filter(|one| one.is_of_mutation());
    assert_eq!(of_mutations.count(), 3);
    assert_eq!(orphans[0].function().name(), "rename");
    assert_eq!(orphans[0].near().map(|(text, _)| text), Some("book:{id}"));
    assert_eq!(orphans[1].near().map(|(text, _)| text), None);
}

/// What a check says when it fails.
fn said(check: impl FnOnce() + panic::UnwindSafe) -> Option<String> {
    let failed = panic::catch_unwind(check).err()?;
    Some(*failed.downcast::<String>().expect("it says what"))
}

#[test]
fn a_failing_check_lists_each() {
    let said = said(testing::assert_no_orphan_tags).expect("there are orphans");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], "what is written on one side only:");
    let told: Vec<_> = catalog()
        .orphans()
        .iter()
        .map(|one| format!("  {one}"))
        .collect();
    assert_eq!(lines[1..7], told);
    assert_eq!(
        lines[7..],
        ["where that is meant, name it in `assert_no_orphan_tags_but`"]
    );
}

#[test]
fn exceptions_leave_the_others() {
    let but = ["bok:*", "import:{id}", "shelfs", "book:*", "shelf:*"];
    let said = said(move || testing::assert_no_orphan_tags_but(but)).expect("one is left");
    assert_eq!(said.matches("invalidates").count(), 1, "{said}");
    assert!(said.contains("carries `idle`"), "{said}");
    testing::assert_no_orphan_tags_but(but.into_iter().chain(["idle"]));
    let texts: Vec<_> = catalog().orphans().iter().map(Orphan::text).collect();
    testing::assert_no_orphan_tags_but(texts);
}
