//! Whole folders, written by hand: what is read of them, and what is amiss or broken in each.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::shown;
use crate::trial;

/// A folder of a storm of one row and four columns, gone with its owner.
struct Folder(PathBuf);

impl Folder {
    fn new(parent: &[Vec<u8>]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("afresh-checker-{}-{count}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).expect("a folder");
        let storm = b"S\x03one\x07\x01\x04\x00".to_vec();
        folder.add("parent", &[&[storm], parent].concat());
        folder
    }

    /// A run of the process of a slot.
    fn run(&self, slot: u8, run: u8, records: &[Vec<u8>]) {
        let process = vec![b'P', slot, run, 2 * slot, 2 * slot + 1, 0];
        let records = [&[process], records].concat();
        self.add(&format!("worker-{slot}-{run}"), &records);
    }

    fn add(&self, name: &str, records: &[Vec<u8>]) {
        let mut bytes = b"afhist1\n".to_vec();
        for record in records {
            bytes.push(record.len() as u8);
            bytes.extend(record);
        }
        fs::write(self.0.join(name), bytes).expect("a file");
    }

    fn story(&self) -> Story {
        Story::read(&self.0).expect("a story")
    }

    /// What is amiss, and how many reads broke the law.
    fn faults(&self) -> (Vec<String>, u64) {
        let story = self.story();
        let outcome = trial::hold(&story).expect("reads");
        (story.amiss, outcome.violations)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn change(column: u8, number: u8, at: u8) -> Vec<u8> {
    vec![b'C', 0, column, number, at]
}

fn acknowledge(column: u8, number: u8, at: u8) -> Vec<u8> {
    vec![b'A', column, at, 1, 0, number]
}

fn read(promise: u8, start: u8, values: [u8; 4]) -> Vec<u8> {
    let head = [b'R', promise, 1, b'w', 1, b'h', start, 1, 1, 0];
    [&head[..], &values].concat()
}

#[test]
fn a_right_history_is_counted() {
    let folder = Folder::new(&[]);
    folder.run(
        0,
        1,
        &[change(0, 1, 5), acknowledge(0, 1, 7), change(0, 2, 9)],
    );
    folder.run(
        1,
        1,
        &[
            read(0, 6, [0; 4]),
            read(0, 8, [1, 0, 0, 0]),
            read(1, 9, [0; 4]),
        ],
    );
    let story = folder.story();
    let outcome = trial::hold(&story).expect("reads");
    assert!(story.amiss.is_empty(), "{:?}", story.amiss);
    assert_eq!(outcome.violations, 0);
    assert_eq!((outcome.reads, outcome.cells), ([2, 1], [8, 4]));
    assert_eq!((outcome.older, outcome.oldest), (1, 2));
    let Counts {
        changes,
        numbers,
        open,
        ..
    } = story.counts;
    assert_eq!((changes, numbers, open), (2, 1, 1));
    assert_eq!(shown::faults(&story, &outcome), "");
}

#[test]
fn a_stale_read_is_shown_with_what_it_missed() {
    let folder = Folder::new(&[b"E\x01\x06halted\x06".to_vec()]);
    folder.run(0, 1, &[change(0, 1, 5), acknowledge(0, 1, 7)]);
    folder.run(1, 1, &[read(0, 8, [0; 4])]);
    let story = folder.story();
    let outcome = trial::hold(&story).expect("reads");
    assert_eq!(outcome.violations, 1);
    let shown = shown::faults(&story, &outcome);
    let lines: Vec<_> = shown.lines().map(str::trim_start).collect();
    let expected = [
        "",
        "a read in Strict of row 0, column 0, returned 0, which was outdated:",
        "0.000 ms  change 1 begins",
        "0.000 ms  process 1: halted",
        "0.000 ms  1 has been acknowledged to process 0 (run 1)",
        "0.000 ms  process 1 (run 1) starts to read (w)",
        "0.000 ms  it gets 0 (h)",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn one_cell_of_a_read_is_enough() {
    let folder = Folder::new(&[]);
    folder.run(1, 1, &[change(3, 1, 5), acknowledge(3, 1, 7)]);
    // A cache in `Bounded` misses what was acknowledged to itself, and to nobody else.
    folder.run(0, 1, &[read(1, 8, [0; 4])]);
    assert_eq!(folder.faults().1, 0);
    folder.run(
        1,
        1,
        &[change(3, 1, 5), acknowledge(3, 1, 7), read(1, 8, [0; 4])],
    );
    assert_eq!(folder.faults().1, 1);
}

#[test]
fn the_other_cache_of_a_process_is_another() {
    let folder = Folder::new(&[]);
    for (column, broken) in [(0, 0), (1, 1)] {
        let given = [change(column, 1, 5), acknowledge(column, 1, 7)];
        folder.run(0, 1, &[&given[..], &[read(1, 8, [0; 4])]].concat());
        assert_eq!(folder.faults(), (Vec::new(), broken), "{column}");
    }
}

#[test]
fn another_run_of_the_same_slot_is_another() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[change(1, 1, 5), acknowledge(1, 1, 7)]);
    folder.run(0, 2, &[read(1, 8, [0; 4])]);
    assert_eq!(folder.faults(), (Vec::new(), 0));
}

#[test]
fn what_comes_from_the_future_is_found() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[change(0, 1, 50), read(0, 8, [1, 0, 0, 0])]);
    assert_eq!(folder.faults().1, 1);
}

#[test]
fn a_window_excuses() {
    let folder = Folder::new(&[vec![b'W', 1, 9]]);
    folder.run(
        0,
        1,
        &[change(0, 1, 2), acknowledge(0, 1, 3), read(0, 8, [0; 4])],
    );
    let story = folder.story();
    let outcome = trial::hold(&story).expect("reads");
    assert_eq!((outcome.violations, outcome.excused), (0, 1));
}

#[test]
fn new_and_then_old_is_counted() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[change(0, 1, 2), read(0, 8, [1, 0, 0, 0])]);
    folder.run(1, 1, &[read(0, 9, [0; 4]), read(0, 10, [0; 4])]);
    let story = folder.story();
    let outcome = trial::hold(&story).expect("reads");
    // The first of the two began when the one that got the newer number ended.
    assert_eq!((outcome.violations, outcome.inverted), (0, [1, 0]));
}

#[test]
fn a_change_that_was_not_made_is_made_by_the_next() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[change(0, 1, 2)]);
    folder.run(0, 2, &[change(0, 1, 20), change(0, 2, 21)]);
    folder.run(1, 1, &[read(0, 30, [2, 0, 0, 0])]);
    let story = folder.story();
    assert!(story.amiss.is_empty(), "{:?}", story.amiss);
    assert_eq!(story.counts.begun_twice, 1);
    assert_eq!(story.cells[0].begun(1), Some(20));
    // Nobody can have read it while it was only begun.
    folder.run(1, 1, &[read(0, 10, [1, 0, 0, 0])]);
    assert_eq!(folder.faults().1, 1);
}

#[test]
fn what_cannot_be_is_told() {
    for (records, said) in [
        (vec![change(0, 2, 5)], "change 2 follows change 0"),
        (
            vec![change(0, 1, 5), change(0, 1, 6)],
            "change 1 follows change 1",
        ),
        (
            vec![change(0, 1, 5), change(0, 2, 4)],
            "before the one before",
        ),
        (vec![change(2, 1, 5)], "another's"),
        (vec![acknowledge(0, 1, 5)], "never changed"),
        (vec![acknowledge(0, 0, 5)], "never changed"),
        (vec![change(0, 1, 5), acknowledge(0, 1, 4)], "changed later"),
        (
            vec![change(0, 1, 5), acknowledge(0, 1, 6), acknowledge(0, 1, 7)],
            "to the same cache before",
        ),
    ] {
        let folder = Folder::new(&[]);
        folder.run(0, 1, &records);
        let (amiss, _) = folder.faults();
        assert!(
            amiss.iter().any(|line| line.contains(said)),
            "{said}: {amiss:?}"
        );
    }
}

#[test]
fn a_torn_file_ends_where_it_is_torn() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[change(0, 1, 5), acknowledge(0, 1, 6)]);
    let path = folder.0.join("worker-0-1");
    let bytes = fs::read(&path).expect("the file");
    fs::write(&path, &bytes[..bytes.len() - 1]).expect("the file");
    let Counts {
        changes,
        numbers,
        torn,
        ..
    } = folder.story().counts;
    assert_eq!((changes, numbers, torn), (1, 0, 1));
}

#[test]
fn a_cell_that_is_not_there_is_no_history() {
    let folder = Folder::new(&[]);
    folder.run(0, 1, &[vec![b'C', 1, 0, 1, 5]]);
    let error = Story::read(&folder.0).expect_err("no such cell");
    assert!(
        error
            .to_string()
            .contains("worker-0-1: there is no cell 1, 0"),
        "{error}"
    );
}
