//! What is drawn of functions that one writes with care: escapes, inner functions, names in common.

use super::*;
use crate::spec::Fact::{self, Apart, Entry, Key, KeyParts, Namespace, Tag, TagExpr, Tags, Ttl};

const fn function(
    kind: Kind,
    module: &'static str,
    name: &'static str,
    line: u32,
    facts: &'static [Fact],
) -> Registered {
    Registered {
        kind,
        sync: false,
        module,
        name,
        file: "src/shop.rs",
        line,
        text: 0,
        facts,
    }
}

const fn cached(name: &'static str, line: u32, facts: &'static [Fact]) -> Registered {
    function(Kind::Cached, "shop::books", name, line, facts)
}

const fn mutation(name: &'static str, line: u32, facts: &'static [Fact]) -> Registered {
    function(Kind::Mutation, "shop::books", name, line, facts)
}

fn of(all: &'static [Registered], inherited: &[(&Registered, &Registered)]) -> Catalog {
    let place = |one: &Registered| one.place();
    let inherited: Vec<_> = inherited
        .iter()
        .map(|(outer, inner)| (place(outer), place(inner)))
        .collect();
    Catalog::new(all.iter(), &inherited)
}

static ODD: [Registered; 3] = [
    cached("page", 9, &[KeyParts("n"), Ttl("1m"), Apart]),
    cached("book", 4, &[Key("{id}"), Ttl("30m"), Tag("a\"{x}\\<T>#`")]),
    mutation("rename", 14, &[Tag("a\"{y}\\<T>#`")]),
];

#[test]
fn labels_are_escaped_and_inner_functions_are_dashed() {
    let catalog = of(&ODD, &[(&ODD[0], &ODD[1])]);
    assert_eq!(
        catalog.mermaid(),
        "\
flowchart LR
    m_books_rename{{\"books::rename\"}}
    c_books_book[\"books::book\"]
    c_books_page[\"books::page\"]
    t_a_x_T([\"a#quot;{x}#92;#lt;T#gt;#35;#96;\"])
    t_a_x_T --> c_books_book
    m_books_rename --> t_a_x_T
    c_books_book -.-> c_books_page
"
    );
    assert_eq!(
        catalog.dot(),
        r#"digraph {
    rankdir=LR;
    m_books_rename [label="books::rename", shape=hexagon];
    c_books_book [label="books::book", shape=box];
    c_books_page [label="books::page", shape=box];
    t_a_x_T [label="a\"{x}\\<T>#`", shape=ellipse];
    t_a_x_T -> c_books_book;
    m_books_rename -> t_a_x_T;
    c_books_book -> c_books_page [style=dashed];
}
"#
    );
    let table = catalog.to_string();
    assert!(table.contains("those of books::book"), "{table}");
    let inner: Vec<_> = catalog
        .cached()
        .map(|one| catalog.inner(one).count())
        .collect();
    assert_eq!(inner, [0, 1]);
}

/// The texts of the orphans.
fn orphans(all: &'static [Registered]) -> Vec<&'static str> {
    let catalog = of(all, &[]);
    catalog.orphans().iter().map(Orphan::text).collect()
}

#[test]
fn both_sides_are_compared() {
    static ALL: [Registered; 2] = [
        cached("book", 4, &[Tag("books"), Tag("book:{id}")]),
        mutation("rename", 9, &[Tag("books"), Tag("bok:{id}")]),
    ];
    assert_eq!(orphans(&ALL), ["bok:{id}", "book:{id}"]);
    let catalog = of(&ALL, &[]);
    let picture = catalog.mermaid();
    assert!(
        picture.contains("t_bok_id([\"bok:{id}\"]):::orphan\n"),
        "{picture}"
    );
    assert!(picture.ends_with("    classDef orphan stroke-dasharray: 4\n"));
    let picture = catalog.dot();
    let orphan = "t_bok_id [label=\"bok:{id}\", shape=ellipse, style=dashed];\n";
    assert!(picture.contains(orphan), "{picture}");
    let told: Vec<_> = catalog.orphans().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "`rename` (src/shop.rs:9) invalidates `bok:{id}`, which no cached function carries; \
             near: `book:{id}` of `book` (src/shop.rs:4)",
            "`book` (src/shop.rs:4) carries `book:{id}`, which nothing invalidates; \
             near: `bok:{id}` of `rename` (src/shop.rs:9)",
        ]
    );
}

#[test]
fn the_nearest_is_told() {
    static ALL: [Registered; 2] = [
        cached("book", 4, &[Tag("book:{id}"), Tag("books:{id}")]),
        mutation("rename", 9, &[Tag("bok:{id}")]),
    ];
    let orphans = of(&ALL, &[]).orphans();
    assert_eq!(orphans[0].near().map(|(text, _)| text), Some("book:{id}"));
}

#[test]
fn what_cannot_be_seen_could_be_anything_but_two_that_are_almost_the_same_are_told() {
    static UNSEEN: [Registered; 3] = [
        cached("book", 4, &[Tag("books"), Tag("shelf:{id}")]),
        mutation("rename", 9, &[Tags("self.tags()"), Tag("authors")]),
        cached("author", 12, &[TagExpr("author.tag()")]),
    ];
    static SLIP: [Registered; 3] = [
        cached("book", 4, &[Tag("books"), Tag("book:{id}")]),
        mutation("rename", 9, &[Tags("self.tags()"), Tag("bok:{id}")]),
        cached("author", 12, &[TagExpr("author.tag()")]),
    ];
    static PLURAL: [Registered; 3] = [
        cached("book", 4, &[Tag("book")]),
        cached("all", 8, &[Tag("books")]),
        mutation("rename", 9, &[Tags("self.tags()"), Tag("books")]),
    ];
    assert_eq!(orphans(&UNSEEN), [""; 0]);
    assert_eq!(orphans(&SLIP), ["bok:{id}", "book:{id}"]);
    assert_eq!(orphans(&PLURAL), [""; 0], "`books` has its other half");
}

#[test]
fn namespaces_and_entries_take_the_place_of_tags() {
    static ALL: [Registered; 4] = [
        cached("book", 4, &[Tag("books")]),
        cached("shelf", 6, &[Tag("shelves"), Namespace("shelves")]),
        cached("author", 8, &[Tag("authors")]),
        mutation(
            "change",
            9,
            &[
                Entry("Self::book"),
                Namespace("shelves"),
                Namespace("shop::books::author"),
            ],
        ),
    ];
    static WRONG: [Registered; 2] = [
        cached("shelf", 6, &[Namespace("shelves")]),
        mutation("change", 9, &[Namespace("shelfs")]),
    ];
    assert_eq!(orphans(&ALL), [""; 0]);
    assert_eq!(orphans(&WRONG), ["shelfs"]);
    let near = of(&WRONG, &[]).orphans();
    assert_eq!(near[0].near().map(|(text, _)| text), Some("shelves"));
}

#[test]
fn a_call_means_the_function_of_that_name_in_the_same_module() {
    static ALL: [Registered; 3] = [
        function(Kind::Cached, "shop::a", "page", 1, &[]),
        function(Kind::Cached, "shop::b", "page", 2, &[]),
        function(
            Kind::Mutation,
            "shop::b",
            "change",
            3,
            &[Entry("self.page")],
        ),
    ];
    static ELSEWHERE: [Registered; 3] = [
        function(Kind::Cached, "shop::a", "page", 1, &[]),
        function(Kind::Cached, "shop::b", "page", 2, &[]),
        function(
            Kind::Mutation,
            "shop::c",
            "change",
            3,
            &[Entry("crate::a::page::<u8>")],
        ),
    ];
    let catalog = of(&ALL, &[]);
    let changed = |one: &CachedFn| catalog.invalidating(one).count();
    assert_eq!(catalog.cached().map(changed).collect::<Vec<_>>(), [0, 1]);
    let catalog = of(&ELSEWHERE, &[]);
    let changed = |one: &CachedFn| catalog.invalidating(one).count();
    assert_eq!(catalog.cached().map(changed).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn exceptions_may_have_stars() {
    static ALL: [Registered; 1] = [cached("import", 4, &[Tag("import:{id}")])];
    let orphans = of(&ALL, &[]).orphans();
    for covers in ["import:*", "import:{id}", "import:{other}", "*"] {
        assert!(orphans[0].is_covered_by(covers), "{covers}");
    }
    for other in ["import", "imports:*", ""] {
        assert!(!orphans[0].is_covered_by(other), "{other}");
    }
}

#[test]
fn nothing_is_said_to_be_nothing() {
    assert_eq!(of(&[], &[]).to_string(), "no annotated function\n");
}

#[test]
fn a_constant_is_the_same_tag_on_both_sides() {
    static ALL: [Registered; 5] = [
        cached("book", 1, &[TagExpr("BOOKS")]),
        cached("author", 2, &[TagExpr("AUTHORS")]),
        cached("shelf", 3, &[TagExpr("A(id)"), TagExpr("(a, b)")]),
        mutation(
            "change",
            4,
            &[
                TagExpr("crate::tags::BOOKS"),
                TagExpr("A(id)"),
                TagExpr("(a, b)"),
            ],
        ),
        mutation("clear", 5, &[Tag("BOOKS")]),
    ];
    let catalog = of(&ALL, &[]);
    let by = |one| {
        catalog
            .invalidating(one)
            .map(|by| by.name())
            .collect::<Vec<_>>()
    };
    let all: Vec<_> = catalog.cached().map(|one| (one.name(), by(one))).collect();
    assert_eq!(
        all,
        [
            ("author", vec![]),
            ("book", vec!["change"]),
            ("shelf", vec![])
        ]
    );
}

#[test]
fn ids_are_words_and_each_is_one_node() {
    static ALL: [Registered; 2] = [
        cached("book", 1, &[Tag("a:b"), Tag("a/b"), Tag("a_b"), Tag("a:b")]),
        mutation("book", 2, &[Tag("a/b")]),
    ];
    assert_eq!(
        of(&ALL, &[]).mermaid(),
        "\
flowchart LR
    m_books_book{{\"books::book\"}}
    c_books_book[\"books::book\"]
    t_a_b([\"a:b\"])
    t_a_b_2([\"a/b\"])
    t_a_b_3([\"a_b\"])
    t_a_b --> c_books_book
    t_a_b_2 --> c_books_book
    t_a_b_3 --> c_books_book
    m_books_book --> t_a_b_2
"
    );
}
