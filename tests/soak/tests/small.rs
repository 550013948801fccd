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

#[test]
fn leaks_are_found() {
    for (leak, finding) in [
        ("memory", "memory"),
        ("files", "file descriptors"),
        ("tasks", "tasks"),
    ] {
        let options = format!("--calls 120000 --shared 0 --keys 10000 --tags 1000 --leak {leak}");
        let (told, code) = told(&soak(&options));
        assert_eq!(code, Some(1), "{leak}: {told}");
        let wrong: Vec<_> = told
            .lines()
            .filter(|line| line.contains("DOES NOT HOLD"))
            .collect();
        assert!(!wrong.is_empty(), "{told}");
        assert!(
            wrong
                .iter()
                .all(|line| line.trim_start().starts_with(finding)),
            "{told}"
        );
    }
}
