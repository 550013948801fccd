//! A small soak, so that the large one stays alive; and each leak that it knows, found.

use std::process::{Command, Output};

/// As large as a test may be, in a build that is not optimised.
fn soak(options: &str) -> Output {
    let mut soak = Command::new(env!("CARGO_BIN_EXE_afresh-soak"));
    soak.args(options.split_whitespace());
    soak.output().expect("the soak can be run")
}

/// What it printed, and whether it ended well.
fn told(output: &Output) -> (String, Option<i32>) {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let told = text(&output.stdout) + &text(&output.stderr);
    (told, output.status.code())
}

#[test]
fn in_a_small_soak_nothing_grows() {
    let folder = env!("CARGO_TARGET_TMPDIR");
    let plot = format!("{folder}/soak.svg");
    let options = "--calls 160000 --shared 20000 --keys 40000 --tags 4000 --plot";
    let (told, code) = told(&soak(&format!("{options} {plot}")));
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(told.matches(" holds ").count(), 20, "{told}");
    let picture = std::fs::read_to_string(plot).expect("a picture");
    assert_eq!(picture.matches("<polyline").count(), 7, "{picture}");
}

/// Leaks on purpose: this finding alone must tell of it.
fn finds(leak: &str, finding: &str) {
    let options = format!("--calls 40000 --shared 0 --keys 10000 --tags 1000 --leak {leak}");
    let (told, code) = told(&soak(&options));
    assert_eq!(code, Some(1), "{told}");
    let is_wrong = |line: &&str| line.contains("DOES NOT HOLD");
    let wrong: Vec<_> = told.lines().filter(is_wrong).collect();
    let is_this = |line: &&str| line.trim_start().starts_with(finding);
    assert!(!wrong.is_empty() && wrong.iter().all(is_this), "{told}");
}

#[test]
fn memory_that_is_not_given_back_is_found() {
    finds("memory", "memory");
}

#[test]
fn files_that_stay_open_are_found() {
    finds("files", "file descriptors");
}

#[test]
fn tasks_that_do_not_end_are_found() {
    finds("tasks", "tasks");
}
