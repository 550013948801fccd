//! What a checker prints: the figures of a storm, and each violation as a piece of the history.

use std::fmt::Write as _;

use crate::format::{Nanos, Promise};
use crate::law::Verdict;
use crate::story::Story;
use crate::trial::{Outcome, Violation};

/// What happened so long before a read is shown with it: for longer than a process trusts what it knows.
const BEFORE: Nanos = 3_000_000_000;
/// So many lines of what cannot be are shown.
const SHOWN: usize = 10;

/// The figures.
pub(crate) fn figures(story: &Story, outcome: &Outcome) -> String {
    let counts = &story.counts;
    let [strict, bounded] = outcome.reads;
    let [strict_cells, bounded_cells] = outcome.cells;
    let mut text = format!("\nhistory, {}\n", story.storm.deployment);
    let mut row = |name: &str, value: String| {
        // Writing to a text does not fail.
        let _ = writeln!(text, "  {name:<26}{value}");
    };
    row("seed", story.storm.seed.to_string());
    row(
        "processes",
        format!(
            "{} runs, {} files with a torn end",
            story.runs.len(),
            counts.torn
        ),
    );
    let operations = counts.changes + counts.numbers + strict_cells + bounded_cells;
    row(
        "operations",
        format!("{operations} on {} cells", story.cells.len()),
    );
    row(
        "changes",
        format!(
            "{}, {} of them begun twice, {} never acknowledged",
            counts.changes, counts.begun_twice, counts.open
        ),
    );
    row(
        "acknowledgements",
        format!("{} of {} numbers", counts.acknowledgements, counts.numbers),
    );
    row("reads, Strict", format!("{strict} of {strict_cells} cells"));
    row(
        "reads, Bounded",
        format!("{bounded} of {bounded_cells} cells"),
    );
    row(
        "older reads, Bounded",
        format!(
            "{}, at the latest {:.0} ms after the acknowledgement",
            outcome.older,
            millis(outcome.oldest)
        ),
    );
    row(
        "new, then old, as it may",
        format!(
            "{} cells in Strict, {} in Bounded, none of them acknowledged in between",
            outcome.inverted[0], outcome.inverted[1]
        ),
    );
    row("inside a failover's limit", outcome.excused.to_string());
    row("amiss in the history", story.amiss.len().to_string());
    row("violations", outcome.violations.to_string());
    text
}

/// What is wrong, at length; nothing where all is well.
pub(crate) fn faults(story: &Story, outcome: &Outcome) -> String {
    let mut text = String::new();
    for line in story.amiss.iter().take(SHOWN) {
        let _ = writeln!(text, "  amiss: {line}");
    }
    for violation in &outcome.shown {
        text.push_str(&excerpt(story, violation));
    }
    let more = outcome.violations - outcome.shown.len() as u64;
    if more > 0 {
        let _ = writeln!(text, "\n  and {more} more");
    }
    text
}

/// One violation: the read, what it missed, and what happened around it, in order.
fn excerpt(story: &Story, violation: &Violation) -> String {
    let Violation {
        row, column, look, ..
    } = violation;
    let cell = &story.cells[(row * story.storm.columns + column) as usize];
    let promise = match look.promise {
        Promise::Strict => "Strict",
        Promise::Bounded => "Bounded",
    };
    let why = match violation.verdict {
        Verdict::Future(_) => "which had not been written",
        _ => "which was outdated",
    };
    let mut text = format!(
        "\n  a read in {promise} of row {row}, column {column}, returned {}, {why}:\n",
        look.value
    );
    let mut lines = vec![
        (
            look.start,
            format!(
                "{} starts to read ({})",
                run(story, look.cache),
                violation.way
            ),
        ),
        (
            look.end,
            format!("it gets {} ({})", look.value, violation.how),
        ),
    ];
    let mut change = |number: u64| {
        if let Some(at) = cell.begun(number) {
            lines.push((at, format!("change {number} begins")));
        }
    };
    change(look.value);
    if let Some(given) = cell.first_beyond(look.value) {
        change(given.number);
        let whose = run(story, given.cache);
        lines.push((
            given.at,
            format!("{} has been acknowledged to {whose}", given.number),
        ));
    }
    let near =
        |start: Nanos, end: Nanos| start <= look.end && end >= look.start.saturating_sub(BEFORE);
    for (fault, start, end) in story
        .faults
        .iter()
        .filter(|(_, start, end)| near(*start, *end))
    {
        lines.push((*start, format!("fault: {fault}")));
        lines.push((*end, format!("over: {fault}")));
    }
    for (slot, event, at) in story.events.iter().filter(|(_, _, at)| near(*at, *at)) {
        lines.push((*at, format!("process {slot}: {event}")));
    }
    lines.sort();
    for (at, line) in lines {
        let since = at.saturating_sub(story.storm.at);
        let _ = writeln!(text, "    {:>14.3} ms  {line}", millis(since));
    }
    text
}

fn run(story: &Story, cache: usize) -> String {
    let process = story.run_of(cache);
    format!("process {} (run {})", process.slot, process.run)
}

fn millis(nanos: Nanos) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64() * 1_000.0
}
