//! What came of the calls of each run, in a table of text.

use std::fmt::{self, Write as _};

use afresh::Outcome;

use crate::run::{Called, Timeline};
use crate::world::{self, Second};

/// The runs, one a line.
pub(crate) struct Table<'a>(pub(crate) &'a [Timeline]);

/// The columns, in two lines of heads.
const HEADS: [(&str, &str); 10] = [
    ("", "hits"),
    ("", "stale"),
    ("", "computed"),
    ("", "joined"),
    ("", "errors"),
    ("waited", "most"),
    ("waited", "in all"),
    ("oldest", "value"),
    ("wrong", "price"),
    ("queries", "(failed)"),
];

fn figures(timeline: &Timeline) -> [String; HEADS.len()] {
    let calls = &timeline.calls;
    let count = |is: &dyn Fn(&Called) -> bool| calls.iter().filter(|call| is(call)).count();
    let answered = |outcome| count(&|call| call.price.is_ok() && call.outcome == outcome);
    let longest = calls.iter().map(Called::waited).max().unwrap_or_default();
    let in_all: Second = calls.iter().map(Called::waited).sum();
    let oldest = calls.iter().filter_map(Called::age).max();
    [
        count(&|call| matches!(call.outcome, Outcome::Hit(_))).to_string(),
        answered(Outcome::Stale).to_string(),
        answered(Outcome::Computed).to_string(),
        answered(Outcome::Coalesced).to_string(),
        count(&|call| call.price.is_err()).to_string(),
        format!("{longest} s"),
        format!("{in_all} s"),
        format!("{} s", oldest.unwrap_or_default()),
        count(&Called::is_wrong).to_string(),
        format!("{} ({})", timeline.queries, timeline.stats.failed),
    ]
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<_> = self.0.iter().map(figures).collect();
        let widths: Vec<_> = (HEADS.iter().enumerate())
            .map(|(column, (above, below))| {
                let figures = figures.iter().map(|figures| figures[column].len());
                figures.chain([above.len(), below.len()]).max().unwrap_or(0)
            })
            .collect();
        let names = self.0.iter().map(|timeline| timeline.case.name.len());
        let first = names.max().unwrap_or(0);
        let line = |name: &str, cells: &[&str]| {
            let mut line = format!("{name:<first$}");
            for (cell, width) in cells.iter().zip(&widths) {
                // Writing to a text does not fail.
                let _ = write!(line, "  {cell:>width$}");
            }
            line
        };
        let calls = self.0.first().map_or(0, |timeline| timeline.calls.len());
        let minutes = world::END / 60;
        writeln!(
            f,
            "{calls} calls in {minutes} minutes, of a database that is away for a while, and slow for another\n"
        )?;
        writeln!(f, "{}", line("", &HEADS.map(|(above, _)| above)))?;
        writeln!(f, "{}", line("", &HEADS.map(|(_, below)| below)))?;
        let rules: Vec<_> = widths.iter().map(|width| "─".repeat(*width)).collect();
        let rules: Vec<_> = rules.iter().map(String::as_str).collect();
        write!(f, "{}", line(&"─".repeat(first), &rules))?;
        for (timeline, figures) in self.0.iter().zip(&figures) {
            let cells: Vec<_> = figures.iter().map(String::as_str).collect();
            write!(f, "\n{}", line(timeline.case.name, &cells))?;
        }
        Ok(())
    }
}
