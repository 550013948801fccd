//! All reads of a storm, held to the law one by one, and what came of it. How that is shown is said
//! elsewhere.

use std::io;

use crate::format::{self, Nanos, Promise, Reading, Record};
use crate::law::{Look, Since, Verdict};
use crate::story::Story;

/// So many violations are kept to be shown.
const KEPT: usize = 10;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// By promise: `Strict`, `Bounded`.
    pub(crate) reads: [u64; 2],
    pub(crate) cells: [u64; 2],
    /// By promise: cells of which an earlier read had returned a later number. That may be, as long
    /// as the number was not acknowledged.
    pub(crate) inverted: [u64; 2],
    /// Cells read in `Bounded` that were older than what others had been told.
    pub(crate) older: u64,
    /// For how long, at the most.
    pub(crate) oldest: Nanos,
    pub(crate) excused: u64,
    pub(crate) violations: u64,
    pub(crate) shown: Vec<Violation>,
}

/// A read that broke the law.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) way: String,
    pub(crate) how: String,
    pub(crate) row: u64,
    pub(crate) column: u64,
    pub(crate) look: Look,
    pub(crate) verdict: Verdict,
}

/// By promise and cell, the ends of the reads that were the first to return a number.
type Seen = [Vec<Vec<(u64, Nanos)>>; 2];

/// Holds every read to the law.
pub(crate) fn hold(story: &Story) -> io::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut seen: Seen = [0, 1].map(|_| vec![Vec::new(); story.cells.len()]);
    each(story, |run, reading| {
        let promise = place(reading.promise);
        outcome.reads[promise] += 1;
        for_cells(story, reading, |cell, row, column, value| {
            let seen = &mut seen[promise][cell];
            if seen.last().is_none_or(|(last, _)| *last != value) {
                seen.push((value, reading.end));
            }
            outcome.cells[promise] += 1;
            let look = Look {
                promise: reading.promise,
                cache: Story::cache(run, reading.promise),
                value,
                start: reading.start,
                end: reading.end,
            };
            let verdict = story.cells[cell].judge(&look, &story.windows);
            match verdict {
                Verdict::Kept => {}
                Verdict::Older(time) => {
                    outcome.older += 1;
                    outcome.oldest = outcome.oldest.max(time);
                }
                Verdict::Excused => outcome.excused += 1,
                Verdict::Stale(_) | Verdict::Future(_) => {
                    outcome.violations += 1;
                    if outcome.shown.len() < KEPT {
                        outcome.shown.push(Violation {
                            way: reading.way.clone(),
                            how: reading.how.clone(),
                            row,
                            column,
                            look,
                            verdict,
                        });
                    }
                }
            }
        })
    })?;
    let first = |numbers: Vec<(u64, Nanos)>| Since::of(numbers.into_iter());
    let seen = seen.map(|cells| cells.into_iter().map(first).collect::<Vec<_>>());
    each(story, |_, reading| {
        let promise = place(reading.promise);
        for_cells(story, reading, |cell, _, _, value| {
            let later = seen[promise][cell].beyond(value);
            outcome.inverted[promise] += u64::from(later < reading.start);
        })
    })?;
    Ok(outcome)
}

pub(crate) const fn place(promise: Promise) -> usize {
    match promise {
        Promise::Strict => 0,
        Promise::Bounded => 1,
    }
}

/// Every read of every run, in the order of each run's file.
fn each(story: &Story, mut see: impl FnMut(usize, &Reading) -> io::Result<()>) -> io::Result<()> {
    for (at, run) in story.runs.iter().enumerate() {
        let mut records = format::open(&run.path, story.storm.columns)?;
        while let Some(record) = records.next()? {
            if let Record::Read(reading) = record {
                see(at, &reading)?;
            }
        }
    }
    Ok(())
}

fn for_cells(
    story: &Story,
    reading: &Reading,
    mut see: impl FnMut(usize, u64, u64, u64),
) -> io::Result<()> {
    for (row, values) in &reading.rows {
        for (column, value) in (0..).zip(values) {
            see(story.cell(*row, column)?, *row, column, *value);
        }
    }
    Ok(())
}
