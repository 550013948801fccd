//! Two runs of the program that share a real Redis: the second finds what the first stored, and
//! sees nothing of what the first changed in its own database.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use afresh_test_support::{Server, Stop};

fn run(url: &str, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bookshop"));
    command
        .env_remove("AFRESH_PREFIX")
        .env_remove("AFRESH_DISABLE")
        .env("AFRESH_URL", url);
    command.args(args).output().expect("the program starts")
}

fn told(url: &str, args: &[&str]) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = run(url, args);
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("output is UTF-8")
}

/// The first row of a call.
fn row<'a>(story: &'a str, call: &str) -> &'a str {
    let found = story
        .lines()
        .find(|line| line.trim_start().starts_with(&format!("{call}  ")));
    found.unwrap_or_else(|| panic!("no row for {call} in\n{story}"))
}

fn is_shared_hit(row: &str) -> bool {
    row.contains("hit") && row.contains("shared")
}

#[test]
fn a_second_run_finds_what_the_first_stored_and_nothing_that_it_changed() {
    let server = Server::start();
    let (first, second) = (told(&server.url(), &[]), told(&server.url(), &[]));

    assert!(
        first.contains("Nothing that an earlier run stored still held."),
        "{first}"
    );

    for untouched in ["book 2", "book 3", "genre \"society\""] {
        assert!(is_shared_hit(row(&second, untouched)), "{second}");
    }
    assert!(
        second.contains("3 answers came from what an earlier run had stored."),
        "{second}"
    );

    for changed in [
        "book 1",
        "genre \"mystery\"",
        "page 1",
        "search \"dracula\"",
        "statistics",
    ] {
        assert!(
            row(&second, changed).contains("computed"),
            "{changed} in\n{second}"
        );
    }
    assert!(
        row(&second, "book 1").ends_with("Dracula"),
        "the title of a fresh database: {second}"
    );
    assert!(row(&second, "statistics").contains("321 books"), "{second}");
    for story in [first, second] {
        assert!(story.contains("1 query for all of them"), "{story}");
    }
}

#[test]
fn another_catalogue_is_another_shop() {
    let server = Server::start();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("another.tsv");
    fs::write(
        &path,
        "Emma\tJane Austen\t\tromance\nKim\tRudyard Kipling\t\tgothic\n",
    )
    .expect("the file can be written");
    told(&server.url(), &[]);
    let other = told(
        &server.url(),
        &["--data", path.to_str().expect("a plain path")],
    );
    assert!(
        other.contains("Nothing that an earlier run stored still held."),
        "{other}"
    );
    assert!(row(&other, "book 2").contains("Kim"), "{other}");
}

#[test]
fn a_malformed_address_is_named() {
    let output = run("no-address", &[]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        complaint.contains("cannot share through AFRESH_URL"),
        "{complaint}"
    );
}

#[test]
fn without_its_server_the_story_is_told_all_the_same() {
    let server = Server::start();
    server.stop(Stop::Kill);
    let story = told(&server.url(), &[]);
    assert!(row(&story, "rename book 1").contains("changed"), "{story}");
    assert!(story.contains("The server could not be used"), "{story}");
}
