//! The two tables that stand in the repository's README, between marks: what a hit costs, and who
//! does the right thing. Everything else is on the page of `docs/bench`.

use std::fs;
use std::path::Path;

use crate::figures::{Figures, digits};
use crate::scoreboard::Scoreboard;

const BEGINS: &str = "<!-- written by `cargo xtask bench` -->";
const ENDS: &str = "<!-- until here -->";

/// Writes them, where something was measured.
pub(crate) fn write(figures: &Figures, scoreboard: &Scoreboard, file: &Path) -> Result<(), String> {
    let failed = |error| format!("{}: {error}", file.display());
    let readme = fs::read_to_string(file).map_err(failed)?;
    let readme = between(&readme, &tables(figures, scoreboard)).ok_or_else(|| {
        format!(
            "{} has no `{BEGINS}` with `{ENDS}` behind it",
            file.display()
        )
    })?;
    fs::write(file, readme).map_err(failed)
}

fn between(readme: &str, tables: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGINS)?;
    let (_, after) = rest.split_once(ENDS)?;
    Some(format!("{before}{BEGINS}\n\n{tables}\n{ENDS}{after}"))
}

fn tables(figures: &Figures, scoreboard: &Scoreboard) -> String {
    let columns = [
        ("local hit, async", "1 thread", "a hit in the process, ns"),
        ("shared hit", "1 task", "a hit on the server, us"),
        ("shared hit", "64 tasks", "with 64 tasks, us"),
        ("stampede", "runs", "computes of a stampede"),
    ];
    let mut libraries: Vec<&str> = Vec::new();
    for (section, case, _) in columns {
        for series in figures
            .of(section)
            .filter(|series| series.point.case == case)
        {
            let library = series.subject.split(' ').next().unwrap_or_default();
            if !libraries.contains(&library) {
                libraries.push(library);
            }
        }
    }
    libraries.sort_by_key(|library| *library != "afresh");
    let heads = columns.map(|(_, _, head)| head).join(" | ");
    let mut text = format!("| | {heads} |\n|---|{}\n", "---:|".repeat(columns.len()));
    for library in libraries {
        let cells = columns.map(|(section, case, _)| {
            // The fastest of the ways that a library has.
            let own = figures.of(section).filter(|series| {
                series.point.case == case && series.subject.split(' ').next() == Some(library)
            });
            let medians = own.filter_map(|series| Some(series.spread()?.median));
            medians
                .min_by(f64::total_cmp)
                .map_or_else(String::new, digits)
        });
        text += &format!("| {library} | {} |\n", cells.join(" | "));
    }
    if !scoreboard.is_empty() {
        text += &format!("\n{}", scoreboard.marks());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_the_marks_is_replaced() {
        let readme = format!("before\n{BEGINS}\nold\n{ENDS}\nafter\n");
        let written = between(&readme, "new\n").expect("marks");
        assert_eq!(
            written,
            format!("before\n{BEGINS}\n\nnew\n\n{ENDS}\nafter\n")
        );
        assert_eq!(between(&written, "new\n"), Some(written.clone()));
        assert_eq!(between("no marks", "new"), None);
    }
}
