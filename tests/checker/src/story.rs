//! All that a storm's folder tells but the reads, which are too many to be kept; and whether it can be
//! true. What is amiss in the telling itself is told too: nothing could be concluded from it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::format::{self, Nanos, Process, Promise, Record, Storm};
use crate::law::{Cell, Given, Windows};

/// A storm, as its files have it.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) storm: Storm,
    pub(crate) runs: Vec<Run>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) windows: Windows,
    pub(crate) faults: Vec<(String, Nanos, Nanos)>,
    pub(crate) events: Vec<(u64, String, Nanos)>,
    pub(crate) counts: Counts,
    /// What cannot be.
    pub(crate) amiss: Vec<String>,
}

/// One run of a worker's process.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    pub(crate) process: Process,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) changes: u64,
    /// Begun by a process that was killed before it could make them, and made by its successor.
    pub(crate) begun_twice: u64,
    pub(crate) acknowledgements: u64,
    pub(crate) numbers: u64,
    /// Changes that nothing was acknowledged for up to the end.
    pub(crate) open: u64,
    /// Files whose last record is not whole.
    pub(crate) torn: u64,
}

/// A change, as one process recorded it.
type Begun = (usize, u64, Nanos, usize);

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn within(path: &Path) -> impl Fn(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| wrong(format!("{path}: {error}"))
}

impl Story {
    /// Reads a storm's folder.
    pub(crate) fn read(folder: &Path) -> io::Result<Self> {
        let mut story = Self::begin(&folder.join("parent"))?;
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name != "parent") {
                paths.push(path);
            }
        }
        paths.sort();
        let (mut begun, mut given) = (Vec::new(), vec![Vec::new(); story.cells.len()]);
        for path in paths {
            let added = story.add(&path, &mut begun, &mut given);
            added.map_err(within(&path))?;
        }
        story.put_together(begun, given);
        Ok(story)
    }

    /// The number of a run's cache.
    pub(crate) const fn cache(run: usize, promise: Promise) -> usize {
        match promise {
            Promise::Strict => 2 * run,
            Promise::Bounded => 2 * run + 1,
        }
    }

    /// The run of a cache.
    pub(crate) fn run_of(&self, cache: usize) -> &Process {
        &self.runs[cache / 2].process
    }

    /// The place of a cell.
    pub(crate) fn cell(&self, row: u64, column: u64) -> io::Result<usize> {
        let Storm { rows, columns, .. } = self.storm;
        if row < rows && column < columns {
            return Ok((row * columns + column) as usize);
        }
        Err(wrong(format!("there is no cell {row}, {column}")))
    }

    fn begin(parent: &Path) -> io::Result<Self> {
        let mut records = format::open(parent, 0).map_err(within(parent))?;
        let Some(Record::Storm(storm)) = records.next().map_err(within(parent))? else {
            return Err(within(parent)(wrong("it does not begin with a storm")));
        };
        let mut story = Self {
            cells: vec![Cell::default(); (storm.rows * storm.columns) as usize],
            storm,
            runs: Vec::new(),
            windows: Windows::default(),
            faults: Vec::new(),
            events: Vec::new(),
            counts: Counts::default(),
            amiss: Vec::new(),
        };
        while let Some(record) = records.next().map_err(within(parent))? {
            match record {
                Record::Window(start, end) => story.windows.0.push((start, end)),
                Record::Fault(fault, start, end) => story.faults.push((fault, start, end)),
                Record::Event(slot, event, at) => story.events.push((slot, event, at)),
                other => story.amiss.push(format!("the parent tells of {other:?}")),
            }
        }
        Ok(story)
    }

    /// Reads one run's changes and acknowledgements.
    fn add(
        &mut self,
        path: &Path,
        begun: &mut Vec<Begun>,
        given: &mut [Vec<Given>],
    ) -> io::Result<()> {
        let mut records = format::open(path, self.storm.columns)?;
        let Some(Record::Process(process)) = records.next()? else {
            // Killed before it did anything.
            self.counts.torn += u64::from(records.torn);
            return Ok(());
        };
        let run = self.runs.len();
        self.runs.push(Run {
            path: path.to_owned(),
            process,
        });
        while let Some(record) = records.next()? {
            match record {
                Record::Change(change) => {
                    let cell = self.cell(change.row, change.column)?;
                    self.owner(run, change.column, "changes");
                    begun.push((cell, change.number, change.at, run));
                }
                Record::Acknowledgement(acknowledgement) => {
                    let cache = self.owner(run, acknowledgement.column, "acknowledges");
                    self.counts.acknowledgements += 1;
                    for (row, number) in acknowledgement.numbers {
                        let cell = self.cell(row, acknowledgement.column)?;
                        self.counts.numbers += 1;
                        given[cell].push(Given {
                            number,
                            at: acknowledgement.at,
                            cache,
                        });
                    }
                }
                Record::Read(_) => {}
                other => return Err(wrong(format!("a worker tells of {other:?}"))),
            }
        }
        self.counts.torn += u64::from(records.torn);
        Ok(())
    }

    /// Which cache of a run's writes a column: no other one does.
    fn owner(&mut self, run: usize, column: u64, does: &str) -> usize {
        let Run { path, process } = &self.runs[run];
        if process.columns[0] == column {
            return Self::cache(run, Promise::Strict);
        }
        if process.columns[1] != column {
            let path = path.display();
            self.amiss.push(format!(
                "{path}: {does} column {column}, which is another's"
            ));
        }
        Self::cache(run, Promise::Bounded)
    }

    fn put_together(&mut self, mut begun: Vec<Begun>, mut given: Vec<Vec<Given>>) {
        let mut starts = vec![Vec::new(); self.cells.len()];
        let mut makers = vec![None; self.cells.len()];
        begun.sort_unstable();
        for (cell, number, at, run) in begun {
            let (starts, maker): (&mut Vec<Nanos>, &mut Option<usize>) =
                (&mut starts[cell], &mut makers[cell]);
            self.counts.changes += 1;
            if number == starts.len() as u64 && *maker != Some(run) {
                // The first who began it did not make it.
                self.counts.begun_twice += 1;
                starts.pop();
            } else if number != starts.len() as u64 + 1 {
                self.amiss.push(format!(
                    "cell {cell}: change {number} follows change {}",
                    starts.len()
                ));
                continue;
            }
            if starts.last().is_some_and(|last| *last > at) {
                self.amiss.push(format!(
                    "cell {cell}: change {number} began before the one before"
                ));
            }
            starts.push(at);
            *maker = Some(run);
        }
        for (cell, (starts, given)) in starts.into_iter().zip(&mut given).enumerate() {
            self.check_given(cell, &starts, given);
            let highest = given.iter().map(|given| given.number).max();
            self.counts.open += starts.len() as u64 - highest.unwrap_or(0);
            self.cells[cell] = Cell::new(starts, std::mem::take(given), &self.windows);
        }
    }

    /// What is acknowledged was changed before, and once by one process. What is not so is left out.
    fn check_given(&mut self, cell: usize, starts: &[Nanos], given: &mut Vec<Given>) {
        let mut seen = std::collections::BTreeSet::new();
        given.retain(|&Given { number, at, cache }| {
            let why = match number.checked_sub(1).map(|at| starts.get(at as usize)) {
                None | Some(None) => "never changed",
                Some(Some(start)) if *start > at => "changed later",
                _ if !seen.insert((cache, number)) => "acknowledged to the same cache before",
                _ => return true,
            };
            self.amiss
                .push(format!("cell {cell}: {number} was acknowledged, and {why}"));
            false
        });
    }
}

#[cfg(test)]
#[path = "story/tests.rs"]
mod tests;
