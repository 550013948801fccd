//! Rules for all messages of the attributes, read from the `.stderr` files: short, few, with a name
//! in backticks, and at what is wrong. Whether they help is for reviewers to judge.

use std::fs;
use std::path::Path;

/// Cases about several mistakes at once, which are all told.
const SEVERAL: [&str; 5] = [
    "foreign_option",
    "independent_mistakes",
    "missing_value",
    "policy_foreign_option",
    "policy_setting_as_option",
];

/// Errors that are rustc's own because the mistake is: a type that does not fit, a value that has
/// moved, what is borrowed and goes on all the same, an `.await` in a plain function, a variadic
/// one, a future that is not `Send`.
const RUSTCS_OWN: [&str; 6] = [
    "E0308",
    "E0382",
    "E0521",
    "E0658",
    "E0728",
    "error: future cannot be sent between threads safely",
];

struct Case {
    name: String,
    source: String,
    messages: String,
}

/// Those of the attributes.
fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui");
    let mut cases = Vec::new();
    for attribute in ["cached", "invalidates"] {
        let folder = root.join(attribute).join("fail");
        for entry in fs::read_dir(folder).expect("the cases") {
            let path = entry.expect("a readable folder").path();
            if path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            let read = |path: &Path| {
                fs::read_to_string(path)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            };
            let name = path.file_stem().expect("a name").to_string_lossy();
            cases.push(Case {
                name: format!("{attribute}/{name}"),
                source: read(&path),
                messages: read(&path.with_extension("stderr")),
            });
        }
    }
    assert!(cases.len() > 100, "the cases are found");
    cases
}

impl Case {
    /// Each error, from its first line to the next one's.
    fn errors(&self) -> Vec<&str> {
        self.messages
            .split("\n\n")
            .filter(|block| block.starts_with("error"))
            .collect()
    }

    fn is_about_several(&self) -> bool {
        SEVERAL
            .iter()
            .any(|name| self.name.ends_with(&format!("/{name}")))
    }

    /// The functions that are annotated, each with a mistake of its own.
    fn mistakes(&self) -> usize {
        let lines = self.source.lines().map(str::trim_start);
        lines
            .filter(|line| line.starts_with("#[cached") || line.starts_with("#[invalidates"))
            .count()
    }
}

/// Asserts of each case that nothing is wrong with it.
fn check(wrong: impl Fn(&Case) -> Option<String>) {
    let wrong: Vec<_> = cases()
        .iter()
        .filter_map(|case| Some(format!("{}: {}", case.name, wrong(case)?)))
        .collect();
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn each_begins_with_an_error_that_names_something() {
    check(|case| {
        let mut firsts = case
            .errors()
            .into_iter()
            .filter_map(|error| error.lines().next());
        let is_rustcs = |first: &str| RUSTCS_OWN.iter().any(|code| first.contains(code));
        let vague = firsts.find(|first| !first.contains('`') && !is_rustcs(first));
        vague.map(str::to_owned)
    });
}

#[test]
fn a_mistake_is_told_in_two_errors_at_most() {
    check(|case| {
        let errors = case.errors().len();
        let is_too_many = errors > 2 * case.mistakes().max(1) && !case.is_about_several();
        (errors == 0 || is_too_many).then(|| format!("{errors} errors"))
    });
}

#[test]
fn each_is_short() {
    check(|case| {
        let longest = case
            .errors()
            .into_iter()
            .map(|error| error.lines().count())
            .max()?;
        (longest >= 60).then(|| format!("{longest} lines"))
    });
}

/// Where the error is: not at the function's name or at the whole attribute, which say nothing.
#[test]
fn nearly_all_are_at_what_is_wrong() {
    let cases = cases();
    let errors: Vec<_> = cases
        .iter()
        .flat_map(|case| case.errors().into_iter().map(move |error| (case, error)))
        .collect();
    let vague: Vec<_> = errors
        .iter()
        .filter(|(case, error)| !points(&case.source, error))
        .map(|(case, _)| case.name.as_str())
        .collect();
    let share = vague.len() * 100 / errors.len();
    assert!(
        share < 10,
        "{share} % of {} are vague: {vague:?}",
        errors.len()
    );
}

/// Whether the place of an error is part of an attribute, an argument, a type or a body.
fn points(source: &str, error: &str) -> bool {
    let place = error
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("--> tests/ui/"));
    let place = place.expect("a place in the case");
    let mut numbers = place.rsplit(':').map(|number| number.parse::<usize>().ok());
    let (Some(Some(column)), Some(Some(line))) = (numbers.next(), numbers.next()) else {
        panic!("no place: {place}");
    };
    let line = source.lines().nth(line - 1).expect("a line of the case");
    let before = &line[..column - 1];
    let is_whole_attribute = line[column - 1..].starts_with("#[");
    let is_function_name = before.ends_with("fn ");
    !is_whole_attribute && !is_function_name
}
