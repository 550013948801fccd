//! On what it was measured, noted at the time.

use std::fs;
use std::path::Path;
use std::process::Command;

const FILE: &str = "machine.txt";

/// Notes the machine and the versions beside the results.
pub(crate) fn note(folder: &Path) -> Result<(), String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let text = format!(
        "{model}, {cores} cores\n{}\n{}\n{}\n",
        said("uname", &["-sr"])
            .split('-')
            .next()
            .unwrap_or_default(),
        said("rustc", &["--version"]),
        said("redis-server", &["--version"]),
    );
    fs::write(folder.join(FILE), text).map_err(|error| format!("{FILE}: {error}"))
}

/// What was noted.
pub(crate) fn noted(folder: &Path) -> String {
    fs::read_to_string(folder.join(FILE)).unwrap_or_default()
}

fn said(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output();
    let output = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let text = String::from_utf8_lossy(&output);
    // The first line, without what tells one build of it from another.
    let line = text.lines().next().unwrap_or_default();
    let line = line.split(" sha=").next().unwrap_or(line);
    line.to_owned()
}
