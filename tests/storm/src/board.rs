//! What all processes share outside the cache, in plain files: the truth, and what of it has been
//! acknowledged and when. It knows nothing of caches.
//!
//! A row per item and per leaf, a column per writer. Each cell is a number that only grows, and is written by
//! one task of one process: no write ever waits for another, and a process that is killed or
//! halted in the midst of one holds up nobody.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::history::History;
use crate::items::ROWS;

/// Numbers of one item, by column.
pub(crate) type Row = Vec<u64>;

/// Of so many numbers of a cell the times are known.
const TIMES: u64 = 256;

const CELL: u64 = 8;

/// The files.
#[derive(Debug)]
pub(crate) struct Board {
    columns: usize,
    truth: File,
    acknowledged: File,
    times: File,
    recent: File,
    /// Of what this process does.
    pub(crate) history: History,
}

impl Board {
    /// Makes the files, all zero.
    pub(crate) fn create(folder: &Path, columns: usize) -> io::Result<()> {
        let cells = ROWS * columns as u64;
        for (name, cells) in [
            ("truth", cells),
            ("acknowledged", cells),
            ("times", cells * TIMES),
            ("recent", 1),
        ] {
            File::create(folder.join(name))?.set_len(cells * CELL)?;
        }
        Ok(())
    }

    pub(crate) fn open(folder: &Path, columns: usize, history: History) -> io::Result<Self> {
        let open = |name| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).open(folder.join(name))
        };
        Ok(Self {
            columns,
            truth: open("truth")?,
            acknowledged: open("acknowledged")?,
            times: open("times")?,
            recent: open("recent")?,
            history,
        })
    }

    /// What the item is at this moment.
    pub(crate) fn truth(&self, item: u64) -> Row {
        self.row(&self.truth, item)
    }

    /// What of the item has been acknowledged at this moment.
    pub(crate) fn acknowledged(&self, item: u64) -> Row {
        self.row(&self.acknowledged, item)
    }

    /// Changes the item: the next number of a column, which only its owner calls.
    pub(crate) fn change(&self, item: u64, column: usize) -> u64 {
        let next = self.truth(item)[column] + 1;
        // Before anyone can read it.
        self.history.change(item, column, next, now());
        put(&self.truth, self.cell(item, column), next);
        next
    }

    /// Says that the item's invalidation at this number was acknowledged, at this time. It covers
    /// the numbers before.
    pub(crate) fn acknowledge(&self, item: u64, column: usize, number: u64, at: Nanos) {
        let before = self.acknowledged(item)[column];
        for number in (before + 1..=number).rev().take(TIMES as usize) {
            put(&self.times, self.time(item, column, number), at);
        }
        // After the times: who sees the number finds its time.
        put(&self.acknowledged, self.cell(item, column), number);
        put(&self.recent, 0, item);
    }

    /// The item of the newest acknowledgement, or of one close to it: where to look for what is
    /// stale.
    pub(crate) fn recent(&self) -> u64 {
        get(&self.recent, 0)
    }

    /// When this number was acknowledged; `None` where that is too long ago to be known.
    pub(crate) fn acknowledged_at(&self, item: u64, column: usize, number: u64) -> Option<Nanos> {
        let time = get(&self.times, self.time(item, column, number));
        // Read after the time: it was not overwritten by a later number's.
        let newest = self.acknowledged(item)[column];
        (newest < number + TIMES - 1).then_some(time)
    }

    fn row(&self, file: &File, item: u64) -> Row {
        let mut bytes = vec![0; self.columns * CELL as usize];
        let place = self.cell(item, 0);
        file.read_exact_at(&mut bytes, place).expect("a row");
        let cells = bytes.as_chunks::<8>().0;
        cells.iter().copied().map(u64::from_ne_bytes).collect()
    }

    fn cell(&self, item: u64, column: usize) -> u64 {
        (item * self.columns as u64 + column as u64) * CELL
    }

    fn time(&self, item: u64, column: usize, number: u64) -> u64 {
        self.cell(item, column) * TIMES + number % TIMES * CELL
    }
}

fn put(file: &File, place: u64, number: u64) {
    file.write_all_at(&number.to_ne_bytes(), place)
        .expect("a cell that takes a number");
}

fn get(file: &File, place: u64) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, place).expect("a cell");
    u64::from_ne_bytes(bytes)
}

/// A time of this machine's clock, which all its processes have in common.
pub(crate) type Nanos = u64;

pub(crate) fn now() -> Nanos {
    let now = Duration::try_from(clock_gettime(ClockId::Monotonic));
    nanos(now.unwrap_or_default())
}

pub(crate) const fn nanos(time: Duration) -> Nanos {
    time.as_nanos() as Nanos
}

pub(crate) fn millis(nanos: Nanos) -> f64 {
    Duration::from_nanos(nanos).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_times_are_kept() {
        let folder =
            std::env::temp_dir().join(format!("afresh-storm-board-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Board::create(&folder, 3).expect("files");
        let board = Board::open(&folder, 3, History::default()).expect("files");
        assert_eq!(board.truth(63), [0, 0, 0]);
        assert_eq!(board.change(63, 2), 1);
        assert_eq!(board.change(63, 2), 2);
        assert_eq!(board.truth(63), [0, 0, 2]);
        assert_eq!(board.acknowledged(63), [0, 0, 0]);
        board.acknowledge(63, 2, 2, 77);
        assert_eq!(board.acknowledged(63), [0, 0, 2]);
        assert_eq!(board.acknowledged_at(63, 2, 1), Some(77));
        for number in 3..=400 {
            board.acknowledge(63, 2, number, 1_000 + number);
        }
        assert_eq!(board.acknowledged_at(63, 2, 400), Some(1_400));
        assert_eq!(board.acknowledged_at(63, 2, 146), Some(1_146));
        assert_eq!(board.acknowledged_at(63, 2, 1), None);
        std::fs::remove_dir_all(&folder).expect("its end");
    }
}
