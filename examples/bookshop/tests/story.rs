//! Runs the program as a user would and checks the lines that matter. No server: the cache is in
//! the program's memory.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A row of the story: what was called, and with which outcome.
type Row = (String, String);

fn bookshop(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookshop"));
    for variable in ["AFRESH_URL", "AFRESH_PREFIX", "AFRESH_DISABLE"] {
        command.env_remove(variable);
    }
    command.args(args).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// The story's output, which must have gone well.
fn told(args: &[&str]) -> String {
    let output = bookshop(args);
    assert!(
        output.status.success(),
        "{}\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// The rows of each section.
fn sections(story: &str) -> Vec<Vec<Row>> {
    let rows = |section: &str| {
        let columns = section.lines().skip(1).map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
        });
        let rows = columns.filter(|columns| columns.len() == 4);
        rows.map(|columns| (columns[0].to_owned(), columns[1].to_owned()))
            .collect()
    };
    (1..8)
        .map(|number| {
            let from = story
                .find(&format!("\n{number}. "))
                .expect("each section has a heading");
            let to = story
                .find(&format!("\n{}. ", number + 1))
                .unwrap_or(story.len());
            rows(story[from..to].trim_start())
        })
        .collect()
}

/// The outcomes of a call in a section, in order.
fn outcomes<'a>(section: &'a [Row], call: &str) -> Vec<&'a str> {
    section
        .iter()
        .filter(|row| row.0 == call)
        .map(|row| row.1.as_str())
        .collect()
}

fn assert_hits(section: &[Row], calls: &[&str]) {
    for call in calls {
        let outcomes = outcomes(section, call);
        assert!(!outcomes.is_empty(), "no row for {call} in {section:?}");
        assert!(
            outcomes.iter().all(|outcome| outcome.starts_with("hit")),
            "{call}: {outcomes:?}"
        );
    }
}

/// A file of its own for each test.
fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, bytes).expect("the file can be written");
    path
}

#[test]
fn the_story_of_the_catalogue_that_ships() {
    let story = told(&[]);
    let sections = sections(&story);
    let [stampede, twice, rename, moved, deletion, _, _] = sections.as_slice() else {
        panic!("seven sections, not {}", sections.len());
    };

    // A caller that the machine held up for long finds the value stored.
    assert!(
        stampede
            .iter()
            .all(|row| row.1 == "computed" || row.1 == "coalesced" || row.1.starts_with("hit"))
    );
    let computed: Vec<_> = story
        .lines()
        .filter(|line| line.contains("  computed  ") && line.contains(" caller"))
        .collect();
    assert_eq!(computed.len(), 1, "{story}");
    assert!(computed[0].ends_with("   1 caller"), "{story}");
    assert!(story.contains("1 query for all of them"), "{story}");

    let (first, second) = twice.split_at(twice.len() / 2);
    assert!(first.iter().all(|row| row.1 == "computed"), "{first:?}");
    assert!(
        second.iter().all(|row| row.1.starts_with("hit")),
        "{second:?}"
    );
    assert_eq!(second[5].0, "search \" DRACULA \"");

    assert_eq!(outcomes(rename, "rename book 1"), ["changed"]);
    assert!(outcomes(rename, "book 1")[0].starts_with("hit"));
    assert_eq!(outcomes(rename, "book 1")[1], "computed");
    for shown in [
        "genre \"gothic\"",
        "genre \"horror\"",
        "search \"dracula\"",
        "page 1",
        "window",
    ] {
        assert_eq!(
            outcomes(rename, shown),
            ["computed"],
            "{shown} showed the old title"
        );
    }
    assert_hits(rename, &["book 2", "genre \"society\"", "statistics"]);

    assert_eq!(outcomes(moved, "move book 1"), ["changed"]);
    for shown in ["genre \"gothic\"", "statistics", "window"] {
        assert_eq!(outcomes(moved, shown), ["computed"]);
    }
    assert_eq!(
        outcomes(moved, "genre \"mystery\""),
        ["computed", "computed"]
    );
    assert_hits(
        moved,
        &["book 2", "genre \"society\"", "genre \"horror\"", "page 1"],
    );

    assert_eq!(outcomes(deletion, "delete book 1"), ["changed"]);
    // The first is what the window was made of.
    assert_eq!(
        outcomes(deletion, "book 1"),
        ["hit (local)", "computed", "computed"]
    );
    for shown in ["genre \"mystery\"", "statistics"] {
        assert_eq!(outcomes(deletion, shown), ["computed"]);
    }
    assert_hits(deletion, &["book 2", "genre \"society\""]);
    assert_eq!(story.matches("error: there is no book 1").count(), 2);
}

#[test]
fn answers_follow_the_changes() {
    let story = told(&[]);
    assert!(
        story.contains("16 books, one is Dracula (new edition)"),
        "{story}"
    );
    assert!(
        story.contains("15 books, one is Dracula (new edition)"),
        "{story}"
    );
    assert!(story.contains("320 books by"), "{story}");
}

#[test]
fn the_output_is_plain_text_where_it_is_not_a_terminal() {
    assert!(!told(&[]).contains('\x1b'));
}

#[test]
fn a_malformed_line_is_named_and_stops_nothing_else() {
    let path = file(
        "malformed.tsv",
        "# title\tauthor\tyear\tgenres\nEmma\tJane Austen\t\tromance\nEmma\tJane Austen\n\
         Kim\tRudyard Kipling\tMCMI\tadventure\nThe Iliad\tHomer\t\tepic\n"
            .as_bytes(),
    );
    let path = path.to_str().expect("a plain path");
    let output = bookshop(&["--data", path]);
    assert!(output.status.success());
    let expected = format!(
        "{path}:3: expected 4 fields, found 2; line skipped\n\
         {path}:4: the year `MCMI` is not a number from 1 to 9999; line skipped\n"
    );
    assert_eq!(text(&output.stderr), expected);
    assert!(text(&output.stdout).contains("2 books by 2 authors in 2 genres"));
}

#[test]
fn one_book_is_enough_for_a_story() {
    let path = file("one.tsv", b"Emma\tJane Austen\t\tromance\n");
    let story = told(&["--data", path.to_str().expect("a plain path")]);
    assert!(story.contains("1 book by 1 author in 1 genre"), "{story}");
    assert!(story.contains("from romance to rarities"), "{story}");
    assert_eq!(outcomes(&sections(&story)[4], "delete book 1"), ["changed"]);
}

#[test]
fn a_file_without_a_book_is_an_error() {
    let path = file("none.tsv", b"# title\tauthor\tyear\tgenres\nnonsense\n");
    let output = bookshop(&["--data", path.to_str().expect("a plain path")]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("none.tsv:2: expected 4 fields, found 1; line skipped"));
    assert!(
        complaint.contains("none.tsv holds no valid book"),
        "{complaint}"
    );

    let output = bookshop(&["--data", "no/such/file.tsv"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot read no/such/file.tsv"));
}

#[test]
fn what_is_not_understood_is_refused() {
    let output = bookshop(&["--date", "x"]);
    assert_eq!(output.status.code(), Some(2));
    let complaint = text(&output.stderr);
    assert!(
        complaint.contains("unknown argument `--date`"),
        "{complaint}"
    );
    assert!(
        complaint.contains("Usage: bookshop [--data FILE]"),
        "{complaint}"
    );
    assert!(told(&["--help"]).contains("--data FILE"));
}
