//! The parser on good and bad lines, and the promises about the catalogue that ships.

use std::collections::HashSet;

use super::*;

fn problem(line: &str) -> String {
    let catalogue = Catalogue::parse(line.as_bytes());
    assert!(catalogue.records.is_empty(), "{line:?} was read as a book");
    catalogue.bad[0].problem.to_string()
}

#[test]
fn a_line_is_a_book() {
    let catalogue = Catalogue::parse(b"Emma\tJane Austen\t1815\tromance;social novel\n");
    let record = Record {
        title: "Emma".to_owned(),
        author: "Jane Austen".to_owned(),
        year: Some(1815),
        genres: vec!["romance".to_owned(), "social novel".to_owned()],
    };
    assert_eq!(catalogue.records, [record]);
    assert_eq!(catalogue.bad, []);
}

#[test]
fn a_year_may_be_empty() {
    let catalogue = Catalogue::parse(b"The Iliad\tHomer\t\tepic");
    assert_eq!(catalogue.records[0].year, None);
}

#[test]
fn blanks_around_fields_and_repeated_genres_are_dropped() {
    let catalogue = Catalogue::parse(b" Emma \t Jane Austen\t 1815 \t romance ; ;romance;satire ");
    assert_eq!(catalogue.records[0].title, "Emma");
    assert_eq!(catalogue.records[0].year, Some(1815));
    assert_eq!(catalogue.records[0].genres, ["romance", "satire"]);
}

#[test]
fn comments_empty_lines_a_mark_of_byte_order_and_windows_line_ends_are_no_trouble() {
    let catalogue =
        Catalogue::parse(b"\xEF\xBB\xBF# title\r\n\r\nEmma\tJane Austen\t\tromance\r\n");
    assert_eq!(catalogue.bad, []);
    assert_eq!(catalogue.records[0].genres, ["romance"]);
}

#[test]
fn each_fault_is_named() {
    assert_eq!(problem("Emma\tJane Austen"), "expected 4 fields, found 2");
    assert_eq!(
        problem("Emma\tJane Austen\t1815\tromance\tx"),
        "expected 4 fields, found 5"
    );
    assert_eq!(
        problem("\tJane Austen\t1815\tromance"),
        "the title is empty"
    );
    assert_eq!(problem("Emma\t \t1815\tromance"), "the author is empty");
    assert_eq!(
        problem("Emma\tJane Austen\t1815\t;"),
        "the list of genres is empty"
    );
    assert_eq!(
        problem("Emma\x1b[2J\tJane Austen\t\tx"),
        "contains a control character"
    );
    for year in ["MDCCC", "0", "-8", "10000", "18 15"] {
        let line = format!("Emma\tJane Austen\t{year}\tromance");
        assert_eq!(
            problem(&line),
            format!("the year `{year}` is not a number from 1 to 9999")
        );
    }
}

#[test]
fn a_bad_line_keeps_its_number_and_stops_nothing_else() {
    let catalogue = Catalogue::parse(
        b"# form\nEmma\tJane Austen\t\tromance\nnonsense\n\xFF\xFE\t\t\t\n\
          Emma\tJane Austen\t1815\tsatire\nKim\tRudyard Kipling\t1901\tadventure\n",
    );
    let bad: Vec<_> = catalogue
        .bad
        .iter()
        .map(|bad| (bad.number, &bad.problem))
        .collect();
    assert_eq!(
        bad,
        [
            (3, &Problem::Fields(1)),
            (4, &Problem::NotUtf8),
            (5, &Problem::Repeats(2))
        ]
    );
    assert_eq!(catalogue.records.len(), 2);
}

#[test]
fn the_fingerprint_follows_the_books_and_nothing_else() {
    let print = |text: &str| Catalogue::parse(text.as_bytes()).fingerprint();
    let one = print("Emma\tJane Austen\t\tromance\n");
    assert_eq!(one, print("# a comment\n\nEmma\tJane Austen\t\tromance"));
    assert_ne!(one, print("Emma\tJane Austen\t1815\tromance\n"));
}

#[test]
fn the_catalogue_that_ships_keeps_its_promises() {
    let catalogue = Catalogue::parse(BUILT_IN.1);
    assert_eq!(catalogue.bad, []);
    assert!(
        catalogue.records.len() >= 160,
        "only {} books",
        catalogue.records.len()
    );
    assert!(
        catalogue
            .records
            .iter()
            .filter_map(|record| record.year)
            .all(|year| year < 1929)
    );
    let genres: HashSet<_> = catalogue
        .records
        .iter()
        .flat_map(|record| &record.genres)
        .collect();
    assert!(genres.iter().all(|genre| **genre == genre.to_lowercase()));
}
