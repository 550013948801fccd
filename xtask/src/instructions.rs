//! `cargo xtask instructions`: how many instructions a hit in the process takes, as `callgrind`
//! counts them, beside what was noted in [`NOTED`]. Times are noisy where other programs run; these
//! numbers are not, so that what makes a hit dearer is seen at once.
//!
//! The program is run with few hits and with many; the difference is theirs alone. Numbers depend on
//! the compiler and the C library: with others than they were noted with, only the ratio to a raw
//! `quick_cache` get is judged, within wider bounds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::server;
use crate::shell::{cargo, root, target};

/// Where the numbers stand.
const NOTED: &str = "tests/instructions/noted.txt";
/// How far a number may be from the noted one.
const NEAR: f64 = 0.02;
/// How far a ratio may be, with another compiler.
const AROUND: f64 = 0.25;

const FEW: u32 = 2_000;
const MANY: u32 = 12_000;

const CASES: [(&str, &str); 3] = [
    ("raw", "quick_cache get"),
    ("sync", "hit, sync"),
    ("async", "hit, async"),
];

/// The word that notes the numbers.
const NOTE: &str = "--note";

/// Numbers, and what they were counted with.
#[derive(Debug, PartialEq)]
struct Counted {
    compiler: String,
    /// In the order of the cases.
    numbers: [f64; CASES.len()],
}

pub(crate) fn run(rest: &[String]) -> ExitCode {
    let is_noted = match rest {
        [] => false,
        [word] if word == NOTE => true,
        _ => {
            eprintln!("cargo xtask instructions [{NOTE}]    {NOTE} writes {NOTED}");
            return ExitCode::from(2);
        }
    };
    match count().and_then(|counted| judge(&counted, is_noted)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn judge(counted: &Counted, is_noted: bool) -> Result<(), String> {
    let file = root().join(NOTED);
    if is_noted {
        fs::write(&file, counted.text()).map_err(|error| format!("{NOTED}: {error}"))?;
        println!("{}", counted.text());
        return Ok(());
    }
    let text = fs::read_to_string(&file).map_err(|error| format!("{NOTED}: {error}"))?;
    let noted = Counted::read(&text).ok_or_else(|| {
        format!("{NOTED} cannot be read; write it anew: cargo xtask instructions {NOTE}")
    })?;
    println!("{}", counted.beside(&noted));
    match counted.faults(&noted) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(format!(
            "{}\nIf that is meant: cargo xtask instructions {NOTE}, and say why where it is committed",
            faults.join("\n")
        )),
    }
}

impl Counted {
    fn text(&self) -> String {
        let mut text = format!("{}\n", self.compiler);
        for ((case, _), number) in CASES.iter().zip(self.numbers) {
            let _ = writeln!(text, "{case} {number:.1}");
        }
        text
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let compiler = lines.next()?.to_owned();
        let mut numbers = [0.0; CASES.len()];
        for ((case, _), number) in CASES.iter().zip(&mut numbers) {
            let (name, noted) = lines.next()?.split_once(' ')?;
            if name != *case {
                return None;
            }
            *number = noted.parse().ok()?;
        }
        Some(Self { compiler, numbers })
    }

    /// How often a raw get.
    fn ratio(&self, at: usize) -> f64 {
        self.numbers[at] / self.numbers[0]
    }

    fn beside(&self, noted: &Self) -> String {
        let mut text = format!(
            "{:<20}{:>14}{:>10}{:>8}\n",
            "", "instructions", "noted", "ratio"
        );
        for (at, (_, name)) in CASES.iter().enumerate() {
            let _ = writeln!(
                text,
                "{name:<20}{:>14.1}{:>10.1}{:>8.2}",
                self.numbers[at],
                noted.numbers[at],
                self.ratio(at)
            );
        }
        if self.compiler != noted.compiler {
            let (noted, now) = (&noted.compiler, &self.compiler);
            let _ = writeln!(text, "noted with {noted}, counted with {now}");
        }
        text
    }

    /// What is further from what was noted than it may be: fewer instructions too, which are noted
    /// so that they stay.
    fn faults(&self, noted: &Self) -> Vec<String> {
        let is_same = self.compiler == noted.compiler;
        let ours = CASES.iter().enumerate().skip(1);
        let faults = ours.filter_map(|(at, (_, name))| {
            let (now, before, bound) = if is_same {
                (self.numbers[at], noted.numbers[at], NEAR)
            } else {
                (self.ratio(at), noted.ratio(at), AROUND)
            };
            let off = now / before - 1.0;
            (off.abs() > bound).then(|| {
                format!(
                    "{name}: {now:.1} where {before:.1} is noted: {:+.1} %, and {:.0} % is the bound",
                    off * 100.0,
                    bound * 100.0
                )
            })
        });
        faults.collect()
    }
}

/// Builds the program and counts.
fn count() -> Result<Counted, String> {
    server::has(
        &std::env::var_os("PATH").unwrap_or_default(),
        &["valgrind", "--version"],
        "there is no `valgrind` on PATH; it counts the instructions: install the package of that name",
    )?;
    let build = ["build", "--release", "--quiet", "-p", "afresh-instructions"];
    let status = cargo(&build)
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err("the program does not build".to_owned());
    }
    let program = target().join("release/afresh-instructions");
    let mut numbers = [0.0; CASES.len()];
    for ((case, _), number) in CASES.iter().zip(&mut numbers) {
        let few = instructions(&program, case, FEW)?;
        let many = instructions(&program, case, MANY)?;
        if many < few {
            return Err(format!("more hits took fewer instructions: {few}, {many}"));
        }
        *number = f64::from(many - few) / f64::from(MANY - FEW);
    }
    // How bytes are copied and compared is the C library's.
    let (compiler, library) = (said("rustc")?, said("ldd")?);
    let library = library.rsplit(' ').next().unwrap_or_default();
    let arch = std::env::consts::ARCH;
    let compiler = format!("{compiler} on {arch}, C library {library}");
    Ok(Counted { compiler, numbers })
}

/// The first line of what a program says of its version.
fn said(program: &str) -> Result<String, String> {
    let version = Command::new(program).arg("--version").output();
    let version = version.map_err(|error| format!("{program}: {error}"))?;
    let version = String::from_utf8_lossy(&version.stdout);
    Ok(version.lines().next().unwrap_or_default().to_owned())
}

fn instructions(program: &Path, case: &str, calls: u32) -> Result<u32, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([case, &calls.to_string()])
        // Which of its ways to compare bytes the C library takes hangs on the processor.
        .env(
            "GLIBC_TUNABLES",
            "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-EVEX,-SSE4_1,-SSE4_2",
        )
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    collected(&said).ok_or_else(|| format!("`callgrind` counted nothing for `{case}`:\n{said}"))
}

/// The count in what `callgrind` says: `==1== Collected : 1234`.
fn collected(said: &str) -> Option<u32> {
    let mut lines = said.lines();
    lines.find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(compiler: &str, numbers: [f64; 3]) -> Counted {
        let compiler = compiler.to_owned();
        Counted { compiler, numbers }
    }

    #[test]
    fn what_is_noted_is_read_back() {
        let some = counted("rustc 1.95.0 on x86_64", [100.0, 200.5, 300.0]);
        assert_eq!(Counted::read(&some.text()), Some(some));
        assert_eq!(Counted::read("rustc\nraw 1\nasync 2\nsync 3\n"), None);
    }

    #[test]
    fn more_or_less_than_is_noted_is_a_fault() {
        let noted = counted("a", [100.0, 200.0, 300.0]);
        assert!(
            counted("a", [150.0, 203.0, 295.0])
                .faults(&noted)
                .is_empty()
        );
        let faults = counted("a", [100.0, 205.0, 290.0]).faults(&noted);
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("hit, sync: 205.0 where 200.0 is noted: +2.5 %"));
        // Another compiler has other numbers, and about the same ratios.
        assert!(
            counted("b", [200.0, 410.0, 600.0])
                .faults(&noted)
                .is_empty()
        );
        assert_eq!(counted("b", [100.0, 260.0, 300.0]).faults(&noted).len(), 1);
    }

    #[test]
    fn the_count_is_found_in_what_is_said() {
        let said = "==9== Events    : Ir\n==9== Collected : 1234567\n==9==\n";
        assert_eq!(collected(said), Some(1_234_567));
        assert_eq!(collected("valgrind: no such file"), None);
    }
}
