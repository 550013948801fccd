//! The history of a storm: what each process did and when, in files that a program of its own
//! (`afresh-checker`) judges afterwards. Here it is written, and neither read nor judged.
//!
//! # The format, version 1
//!
//! A folder holds the storms of some deployments, a folder for each. In that, the file `parent` is
//! the storm's, and every other file is one run of a worker's process. A file begins with the eight
//! bytes `afhist1\n`; then there are records. A record is its length in bytes and as many bytes: a
//! letter, which is its kind, and fields. A number is in LEB128; a text is its length and its bytes,
//! UTF-8. Times are nanoseconds of the machine's monotonic clock, which all processes have in common.
//!
//! | kind | in | fields |
//! | --- | --- | --- |
//! | `S` | `parent`, first | deployment, seed, rows, columns, time: a storm of so many cells |
//! | `P` | a worker's, first | slot, run, columns of its cache in `Strict` and in `Bounded`, time |
//! | `C` | a worker's | row, column, number, time: the cell is about to become this number |
//! | `A` | a worker's | column, time, count, so many (row, number): these numbers, and those before them, had been acknowledged to the column's cache by this time |
//! | `R` | a worker's | promise (0: `Strict`, 1: `Bounded`), way, how it was answered, start, duration, count, so many (row, a number for each column) |
//! | `W` | `parent` | start, end: the promise is limited in this time and for so long after it as a process trusts what it knows |
//! | `F` | `parent` | fault, start, end: what happened to the servers |
//! | `E` | `parent` | slot, event, time: what happened to a worker |
//!
//! A record is appended in one step and at once, so that a process that is killed loses none but the
//! one that it is writing. A change is recorded before it is made: nobody reads a number that is not
//! there. One that was recorded and not made, because its process was killed in between, is recorded
//! again by the next process, which makes it. An acknowledgement is recorded after it was given, and
//! a read after its answer: where they are lost, less is judged.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::board::{Nanos, Row};
use crate::judge::Promise;

const MAGIC: &[u8; 8] = b"afhist1\n";

/// The file of one process, where its history is wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct History(Option<Arc<File>>);

/// One read, answered.
#[derive(Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) promise: Promise,
    pub(crate) way: &'a str,
    pub(crate) how: &'a str,
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
}

/// The folder of one deployment's, empty.
pub(crate) fn prepare(folder: &Path, deployment: &str) -> io::Result<PathBuf> {
    let path = folder.join(deployment);
    fs::create_dir_all(&path)?;
    if fs::read_dir(&path)?.next().is_some() {
        let why = format!("{} holds a history already", path.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
    }
    Ok(path)
}

/// The file of the storm itself.
pub(crate) fn of_parent(folder: &Path) -> PathBuf {
    folder.join("parent")
}

/// The file of one run of a worker's.
pub(crate) fn of_worker(folder: &Path, slot: usize, run: u64) -> PathBuf {
    folder.join(format!("worker-{slot}-{run}"))
}

impl History {
    /// Makes the file.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create_new(true).open(path)?;
        file.write_all(MAGIC)?;
        Ok(Self(Some(Arc::new(file))))
    }

    pub(crate) fn storm(
        &self,
        deployment: &str,
        seed: u64,
        (rows, columns): (u64, usize),
        at: Nanos,
    ) {
        self.write(|| {
            let record = Record::new(b'S').text(deployment).number(seed);
            record.number(rows).number(columns as u64).number(at)
        });
    }

    pub(crate) fn process(&self, slot: usize, run: u64, columns: [usize; 2], at: Nanos) {
        self.write(|| {
            let record = Record::new(b'P').number(slot as u64).number(run);
            let [strict, bounded] = columns;
            let record = record.number(strict as u64).number(bounded as u64);
            record.number(at)
        });
    }

    /// A cell is about to become this number.
    pub(crate) fn change(&self, item: u64, column: usize, number: u64, at: Nanos) {
        self.write(|| {
            let record = Record::new(b'C').number(item).number(column as u64);
            record.number(number).number(at)
        });
    }

    /// These numbers of a column had been acknowledged by this time.
    pub(crate) fn acknowledge(&self, column: usize, numbers: &[(u64, u64)], at: Nanos) {
        self.write(|| {
            let record = Record::new(b'A').number(column as u64).number(at);
            let record = record.number(numbers.len() as u64);
            let add = |record: Record, &(item, number)| record.number(item).number(number);
            numbers.iter().fold(record, add)
        });
    }

    pub(crate) fn read<'a>(
        &self,
        answered: &Answered<'_>,
        rows: impl ExactSizeIterator<Item = (u64, &'a Row)>,
    ) {
        self.write(|| {
            let promise = match answered.promise {
                Promise::Strict => 0,
                Promise::Bounded => 1,
            };
            let record = Record::new(b'R').number(promise);
            let record = record.text(answered.way).text(answered.how);
            let took = answered.ended.saturating_sub(answered.began);
            let record = record.number(answered.began).number(took);
            let record = record.number(rows.len() as u64);
            rows.fold(record, |record, (item, row)| {
                row.iter()
                    .fold(record.number(item), |record, n| record.number(*n))
            })
        });
    }

    /// The promise was limited from one time to another.
    pub(crate) fn window(&self, start: Nanos, end: Nanos) {
        self.write(|| Record::new(b'W').number(start).number(end));
    }

    pub(crate) fn fault(&self, fault: &str, start: Nanos, end: Nanos) {
        self.write(|| Record::new(b'F').text(fault).number(start).number(end));
    }

    /// Something happened to a worker.
    pub(crate) fn event(&self, slot: usize, event: &str, at: Nanos) {
        self.write(|| Record::new(b'E').number(slot as u64).text(event).number(at));
    }

    fn write(&self, record: impl FnOnce() -> Record) {
        if let Some(file) = &self.0 {
            let record = record().whole();
            // At the file's end, in one step: several threads write.
            (&**file).write_all(&record).expect("a history that grows");
        }
    }
}

/// One record's bytes, without their length.
struct Record(Vec<u8>);

impl Record {
    fn new(kind: u8) -> Self {
        Self(vec![kind])
    }

    fn number(mut self, number: u64) -> Self {
        put(&mut self.0, number);
        self
    }

    fn text(mut self, text: &str) -> Self {
        put(&mut self.0, text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn whole(self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.0.len() + 4);
        put(&mut whole, self.0.len() as u64);
        whole.extend(self.0);
        whole
    }
}

/// Adds a number in LEB128.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_bytes_of_the_format() {
        let name = format!("afresh-storm-history-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let of_one = prepare(&folder, "one").expect("a folder");
        let path = of_worker(&of_one, 2, 3);
        let history = History::create(&path).expect("a file");
        history.change(1, 2, 300, 5);
        history.acknowledge(2, &[(1, 300)], 6);
        let answered = Answered {
            promise: Promise::Bounded,
            way: "Way",
            how: "hit",
            began: 7,
            ended: 9,
        };
        history.read(&answered, [(1, &vec![0, 300])].into_iter());
        let expected = b"afhist1\n\x06C\x01\x02\xac\x02\x05\x07A\x02\x06\x01\x01\xac\x02\
                         \x11R\x01\x03Way\x03hit\x07\x02\x01\x01\0\xac\x02";
        let written = fs::read(&path).expect("the file");
        assert_eq!(written, expected);
        let again = prepare(&folder, "one").expect_err("it holds one");
        assert!(again.to_string().contains("already"), "{again}");
        fs::remove_dir_all(&folder).expect("its end");
    }

    #[test]
    fn nothing_is_written_where_nothing_is_wanted() {
        let history = History::default();
        history.write(|| panic!("nothing to make"));
    }
}
