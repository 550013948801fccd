//! `cargo xtask weigh`: what an annotation costs those who compile it, beside others of its kind.
//!
//! The same functions are written once for each kind of annotation, as many as [`FEW`], [`CHECKED`]
//! and [`BUILT`], each time as a program of its own that calls them all. Only the program is
//! compiled anew, not what it depends on; with the dev profile as it comes, and not incrementally,
//! so that each round compiles the same. Rounds go through all kinds in turn; what counts is the
//! median, and of ratios the median of the rounds' ratios. Times are those of the processor, for on
//! a busy machine those of the clock mean little; the clock's stand beside them.
//!
//! A function's size is told in two ways. *Each* is what one function more adds: the difference
//! between many and one of the same kind, divided. *Over plain* spreads over the functions all that
//! the program has and the plain one has not: the libraries that are linked at all, too.
//!
//! Nothing here is a test: it says what is, and fails where a bound does not hold.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use std::{fs, io};

use crate::shell::{cargo, root, target};

/// How many functions the libraries of a kind are told from its functions with.
const FEW: u32 = 1;
/// How many rounds there are where nobody says.
pub(crate) const ROUNDS: usize = 5;
/// How many functions are checked.
const CHECKED: u32 = 200;
/// How many functions are built.
const BUILT: u32 = 300;

/// A way to write a function.
struct Kind {
    name: &'static str,
    shown: &'static str,
    attribute: &'static str,
    dependency: &'static str,
}

/// The kind that the others are measured by.
const MEASURE: usize = 2;
/// The kind that this is about.
const OURS: usize = 4;

const KINDS: [Kind; 5] = [
    Kind {
        name: "plain",
        shown: "no annotation",
        attribute: "",
        dependency: "",
    },
    Kind {
        name: "instrument",
        shown: "instrument",
        attribute: "#[tracing::instrument(skip(db))]",
        dependency: "tracing = \"0.1\"",
    },
    Kind {
        name: "instrument_err",
        shown: "instrument(err)",
        attribute: "#[tracing::instrument(skip(db), err)]",
        dependency: "tracing = \"0.1\"",
    },
    Kind {
        name: "peer",
        shown: "cached, of `cached` 4.1",
        attribute: "#[cached::macros::cached(ttl_secs = 1800, key = \"i64\", convert = \"{ id }\", \
                    sync_writes = \"by_key\")]",
        dependency: "cached = { version = \"4.1\", features = [\"async\"] }",
    },
    Kind {
        name: "afresh",
        shown: "cached, of `afresh`",
        attribute: "#[afresh::cached(ttl = 1800, key = \"book:{id}\", tags = [\"books\", \
                    \"book:{id}\"], singleflight)]",
        dependency: "afresh = { path = \"ROOT\" }",
    },
];

/// What the functions are about.
const SHARED: &str = r#"#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Book {
    pub id: i64,
    pub title: String,
    pub authors: Vec<String>,
}

#[derive(Clone, Debug)]
pub enum DbError {
    Gone,
    Broken(String),
}

impl std::fmt::Display for DbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gone => f.write_str("gone"),
            Self::Broken(why) => write!(f, "broken: {why}"),
        }
    }
}

#[derive(Debug, Default)]
pub struct Db(std::sync::Mutex<Vec<Book>>);

impl Db {
    pub async fn query(&self, id: i64) -> Result<Book, DbError> {
        tokio::task::yield_now().await;
        let rows = self.0.lock().map_err(|why| DbError::Broken(why.to_string()))?;
        rows.get(id as usize).cloned().ok_or(DbError::Gone)
    }
}
"#;

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let rounds = match rest {
        [] => Some(ROUNDS),
        [flag, rounds] if flag == "--rounds" => rounds.parse().ok().filter(|&rounds| rounds > 0),
        _ => None,
    };
    let Some(rounds) = rounds else {
        eprintln!("usage: cargo xtask weigh [--rounds <number>]");
        return ExitCode::from(2);
    };
    match weigh(rounds) {
        Ok((table, true)) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Ok((table, false)) => {
            println!("{table}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The table, and whether all bounds hold.
pub(crate) fn weigh(rounds: usize) -> io::Result<(String, bool)> {
    let place = target().join("weigh");
    write(&place)?;
    eprintln!("compiling what they depend on, and each program once");
    for count in [FEW, BUILT] {
        for kind in &KINDS {
            compile(&place, "build", kind, count)?;
        }
    }
    for kind in &KINDS {
        compile(&place, "check", kind, CHECKED)?;
    }
    let mut weights = KINDS.map(|_| Weight::default());
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (kind, weight) in KINDS.iter().zip(&mut weights) {
            weight.checks.push(compile(&place, "check", kind, CHECKED)?);
            weight.builds.push(compile(&place, "build", kind, BUILT)?);
        }
    }
    for (kind, weight) in KINDS.iter().zip(&mut weights) {
        let size = |count| {
            let program = place.join("target/debug").join(package(kind, count));
            let size = fs::metadata(program)?.len();
            u32::try_from(size).map_err(io::Error::other)
        };
        weight.few = size(FEW)?;
        weight.many = size(BUILT)?;
    }
    Ok(told(&weights, rounds))
}

/// What one kind was seen to cost.
#[derive(Default)]
struct Weight {
    checks: Vec<Time>,
    builds: Vec<Time>,
    /// Bytes of the program with [`FEW`] functions, and with [`BUILT`].
    few: u32,
    many: u32,
}

/// In seconds.
#[derive(Clone, Copy)]
struct Time {
    processor: f64,
    clock: f64,
}

impl Weight {
    /// The bytes that one function more adds.
    fn each(&self) -> f64 {
        (f64::from(self.many) - f64::from(self.few)) / f64::from(BUILT - FEW)
    }

    /// The bytes of a function, with its part of the libraries.
    fn over(&self, plain: &Self) -> f64 {
        (f64::from(self.many) - f64::from(plain.many)) / f64::from(BUILT)
    }
}

/// The table, and whether all bounds hold.
fn told(weights: &[Weight; KINDS.len()], rounds: usize) -> (String, bool) {
    let median = |times: &[Time], of: fn(&Time) -> f64| median(times.iter().map(of).collect());
    let ratio = |ours: &[Time], measure: &[Time]| {
        let ratios = ours.iter().zip(measure);
        self::median(ratios.map(|(a, b)| a.processor / b.processor).collect())
    };
    let measure = &weights[MEASURE];
    let mut lines = vec![
        format!(
            "{:<26}{:^24}{:^24}{:^32}",
            "",
            format!("check of {CHECKED}"),
            format!("build of {BUILT}"),
            "binary"
        ),
        format!(
            "{:<26}{:>8}{:>8}{:>7} {:>8}{:>8}{:>7} {:>10}{:>10}{:>12}",
            "",
            "cpu s",
            "clock s",
            "ratio",
            "cpu s",
            "clock s",
            "ratio",
            "MB",
            "each KB",
            "over plain",
        ),
    ];
    for (kind, weight) in KINDS.iter().zip(weights) {
        let times = |times: &[Time], measure: &[Time]| {
            format!(
                "{:>8.1}{:>8.1}{:>7.2} ",
                median(times, |time| time.processor),
                median(times, |time| time.clock),
                ratio(times, measure),
            )
        };
        lines.push(format!(
            "{:<26}{}{}{:>10.1}{:>10.1}{:>12.1}",
            kind.shown,
            times(&weight.checks, &measure.checks),
            times(&weight.builds, &measure.builds),
            f64::from(weight.many) / 1e6,
            weight.each() / 1e3,
            weight.over(&weights[0]) / 1e3,
        ));
    }
    lines.push(format!(
        "\n{rounds} rounds, medians; ratios to {}; KB = 1000 bytes.\n",
        KINDS[MEASURE].shown
    ));
    let ours = &weights[OURS];
    let bounds = [
        ("check", ratio(&ours.checks, &measure.checks), 1.0, "×"),
        ("build", ratio(&ours.builds, &measure.builds), 1.5, "×"),
        ("each function", ours.each() / 1e3, 100.0, "KB"),
    ];
    for (what, is, most, unit) in bounds {
        let verdict = if is <= most { "holds" } else { "DOES NOT HOLD" };
        lines.push(format!(
            "{what:<26}{is:>8.2} {unit:<3} at most {most:>5} {unit:<4}{verdict}"
        ));
    }
    let hold = bounds.iter().all(|(_, is, most, _)| is <= most);
    (lines.join("\n"), hold)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 {
        numbers[middle]
    } else {
        f64::midpoint(numbers[middle - 1], numbers[middle])
    }
}

fn package(kind: &Kind, count: u32) -> String {
    format!("weigh_{}_{count}", kind.name)
}

fn main_of(place: &Path, kind: &Kind, count: u32) -> PathBuf {
    place.join(package(kind, count)).join("src/main.rs")
}

/// Writes a workspace with all programs. What they depend on is of the versions that this
/// repository is tested with.
fn write(place: &Path) -> io::Result<()> {
    let mut members = String::new();
    for kind in &KINDS {
        for count in [FEW, CHECKED, BUILT] {
            let name = package(kind, count);
            let folder = place.join(&name);
            fs::create_dir_all(folder.join("src"))?;
            let dependency = kind
                .dependency
                .replace("ROOT", &root().display().to_string());
            fs::write(folder.join("Cargo.toml"), manifest(&name, &dependency))?;
            fs::write(main_of(place, kind, count), program(kind, count))?;
            let _ = write!(members, "{name:?}, ");
        }
    }
    fs::write(
        place.join("Cargo.toml"),
        format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n"),
    )?;
    fs::copy(root().join("Cargo.lock"), place.join("Cargo.lock"))?;
    Ok(())
}

fn manifest(name: &str, dependency: &str) -> String {
    format!(
        "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\", \"sync\", \
         \"time\"] }}\n{dependency}\n"
    )
}

/// The functions, and a `main` that calls each of them: what is not called is not compiled.
fn program(kind: &Kind, count: u32) -> String {
    let function = |at| {
        let attribute = kind.attribute;
        format!(
            "\n{attribute}\nasync fn book_{at}(db: &Db, id: i64) -> Result<Book, DbError> {{\n    \
             db.query(id).await\n}}\n"
        )
    };
    let call = |at| format!("    found += i32::from(book_{at}(&db, {at}).await.is_ok());\n");
    let functions: String = (0..count).map(function).collect();
    let calls: String = (0..count).map(call).collect();
    format!(
        "{SHARED}{functions}\n#[tokio::main]\nasync fn main() {{\n    \
         let db = Db::default();\n    let mut found = 0;\n{calls}    println!(\"{{found}}\");\n}}\n"
    )
}

/// Compiles one program anew.
fn compile(place: &Path, how: &str, kind: &Kind, count: u32) -> io::Result<Time> {
    // Written now, it is newer than what was made of it.
    fs::write(main_of(place, kind, count), program(kind, count))?;
    let mut command = command(place, how, &package(kind, count));
    let (before, began) = (processor(), Instant::now());
    let output = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    let clock = began.elapsed().as_secs_f64();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!(
            "{}: {said}",
            package(kind, count)
        )));
    }
    let processor = match (before, processor()) {
        (Some(before), Some(after)) => after - before,
        _ => clock,
    };
    Ok(Time { processor, clock })
}

fn command(place: &Path, how: &str, package: &str) -> Command {
    let mut command = cargo(&[how, "--package", package]);
    command
        .current_dir(place)
        .arg("--target-dir")
        .arg(place.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("RUSTFLAGS");
    command
}

/// The processor's time of all children that have ended, in seconds, where the system tells it.
fn processor() -> Option<f64> {
    of_children(&fs::read_to_string("/proc/self/stat").ok()?)
}

/// The 16th and 17th field of a process's `stat`, in hundredths of a second. The second field is a
/// name in parentheses, with whatever is in it.
fn of_children(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(13);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some((f64::from(ticks()?) + f64::from(ticks()?)) / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_those_that_the_bounds_are_about() {
        assert_eq!(KINDS[0].name, "plain");
        assert_eq!(KINDS[MEASURE].name, "instrument_err");
        assert_eq!(KINDS[OURS].name, "afresh");
    }

    #[test]
    fn a_program_calls_each_function_once() {
        let text = program(&KINDS[OURS], 3);
        assert_eq!(text.matches(KINDS[OURS].attribute).count(), 3);
        for at in 0..3 {
            assert_eq!(text.matches(&format!("book_{at}(")).count(), 2, "{at}");
        }
    }

    #[test]
    fn sizes_are_told_in_two_ways() {
        let plain = Weight {
            few: 10_000,
            many: 10_000,
            ..Weight::default()
        };
        let ours = Weight {
            few: 40_000,
            many: 40_000 + 299 * 50,
            ..Weight::default()
        };
        assert!((ours.each() - 50.0).abs() < 1e-9);
        assert!((ours.over(&plain) - (30_000.0 + 299.0 * 50.0) / 300.0).abs() < 1e-9);
    }

    #[test]
    fn a_bound_that_does_not_hold_is_told() {
        let time = |processor| {
            vec![
                Time {
                    processor,
                    clock: 1.0
                };
                3
            ]
        };
        let mut weights = KINDS.map(|_| Weight {
            checks: time(2.0),
            builds: time(2.0),
            ..Weight::default()
        });
        let (table, hold) = told(&weights, 3);
        assert!(hold && table.matches("holds").count() == 3, "{table}");
        weights[OURS].builds = time(3.1);
        let (table, hold) = told(&weights, 3);
        assert!(
            !hold && table.matches("DOES NOT HOLD").count() == 1,
            "{table}"
        );
    }

    #[test]
    fn a_median_is_the_middle() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(vec![9.0, 1.0, 2.0, 4.0]) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn the_time_of_children_is_read() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 5 6 150 25 20 0 1 0 9 0 0";
        assert_eq!(of_children(stat), Some(1.75));
        assert_eq!(of_children("7 (a) S 1"), None);
    }
}
