//! The records of a history's file, version 1, read from their bytes. What they mean together is
//! said elsewhere. The format is described where it is written, in the storm's `history`; this
//! reader is of its own make.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Nanoseconds of the machine's monotonic clock.
pub(crate) type Nanos = u64;

const MAGIC: &[u8; 8] = b"afhist1\n";
/// Longer than any record that is meant.
const LONGEST: u64 = 1 << 24;

/// Which promise a read was made under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    Strict,
    Bounded,
}

/// The beginning of a storm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Storm {
    pub(crate) deployment: String,
    pub(crate) seed: u64,
    pub(crate) rows: u64,
    pub(crate) columns: u64,
    pub(crate) at: Nanos,
}

/// The beginning of a process: one run in a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) slot: u64,
    pub(crate) run: u64,
    /// The columns that its caches write: that in `Strict` and that in `Bounded`.
    pub(crate) columns: [u64; 2],
    pub(crate) at: Nanos,
}

/// A cell is about to become this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) row: u64,
    pub(crate) column: u64,
    pub(crate) number: u64,
    pub(crate) at: Nanos,
}

/// Numbers of a column, by row, that had been acknowledged by this time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub(crate) column: u64,
    pub(crate) at: Nanos,
    pub(crate) numbers: Vec<(u64, u64)>,
}

/// A read that was answered: of each row its numbers, one for each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) promise: Promise,
    pub(crate) way: String,
    pub(crate) how: String,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) rows: Vec<(u64, Vec<u64>)>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record {
    Storm(Storm),
    Process(Process),
    Change(Change),
    Acknowledgement(Acknowledgement),
    Read(Reading),
    /// The promise is limited in this time.
    Window(Nanos, Nanos),
    /// Something happened to the servers.
    Fault(String, Nanos, Nanos),
    /// Something happened to the process of a slot.
    Event(u64, String, Nanos),
}

/// A file's records, one after another.
pub(crate) struct Records<R> {
    from: R,
    /// How many numbers a row has.
    columns: u64,
    /// Whether the last record is not whole: its process was killed while it wrote.
    pub(crate) torn: bool,
}

/// Opens a file of a storm whose rows have so many columns.
pub(crate) fn open(path: &Path, columns: u64) -> io::Result<Records<BufReader<File>>> {
    Records::new(
        BufReader::with_capacity(1 << 18, File::open(path)?),
        columns,
    )
}

fn wrong(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl<R: Read> Records<R> {
    pub(crate) fn new(mut from: R, columns: u64) -> io::Result<Self> {
        let mut magic = [0; MAGIC.len()];
        from.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Err(wrong("not a history of version 1"));
        }
        Ok(Self {
            from,
            columns,
            torn: false,
        })
    }

    /// The next record; nothing at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Record>> {
        let Some(length) = self.length()? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        (&mut self.from).take(length).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            self.torn = true;
            return Ok(None);
        }
        let mut fields = Fields(&bytes);
        let record = fields.record(self.columns)?;
        if !fields.0.is_empty() {
            return Err(wrong("a record with bytes that nobody reads"));
        }
        Ok(Some(record))
    }

    fn length(&mut self) -> io::Result<Option<u64>> {
        let mut length = 0;
        for shift in (0..).step_by(7) {
            let mut byte = [0];
            if self.from.read(&mut byte)? == 0 {
                self.torn = shift > 0;
                return Ok(None);
            }
            length |= u64::from(byte[0] & 0x7f) << shift;
            if length > LONGEST || shift > 28 {
                return Err(wrong("a record that is too long"));
            }
            if byte[0] < 0x80 {
                break;
            }
        }
        Ok(Some(length))
    }
}

/// What is left of a record.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn record(&mut self, columns: u64) -> io::Result<Record> {
        Ok(match self.byte()? {
            b'S' => Record::Storm(Storm {
                deployment: self.text()?,
                seed: self.number()?,
                rows: self.number()?,
                columns: self.number()?,
                at: self.number()?,
            }),
            b'P' => Record::Process(Process {
                slot: self.number()?,
                run: self.number()?,
                columns: [self.number()?, self.number()?],
                at: self.number()?,
            }),
            b'C' => Record::Change(Change {
                row: self.number()?,
                column: self.number()?,
                number: self.number()?,
                at: self.number()?,
            }),
            b'A' => Record::Acknowledgement(Acknowledgement {
                column: self.number()?,
                at: self.number()?,
                numbers: self.list(|fields| Ok((fields.number()?, fields.number()?)))?,
            }),
            b'R' => Record::Read(self.read(columns)?),
            b'W' => Record::Window(self.number()?, self.number()?),
            b'F' => Record::Fault(self.text()?, self.number()?, self.number()?),
            b'E' => Record::Event(self.number()?, self.text()?, self.number()?),
            other => return Err(wrong(format!("no record is of the kind {other}"))),
        })
    }

    fn read(&mut self, columns: u64) -> io::Result<Reading> {
        let promise = match self.number()? {
            0 => Promise::Strict,
            1 => Promise::Bounded,
            other => return Err(wrong(format!("there is no promise {other}"))),
        };
        let (way, how) = (self.text()?, self.text()?);
        let (start, took) = (self.number()?, self.number()?);
        let rows = self.list(|fields| {
            let row = fields.number()?;
            let numbers = (0..columns).map(|_| fields.number());
            Ok((row, numbers.collect::<io::Result<_>>()?))
        })?;
        Ok(Reading {
            promise,
            way,
            how,
            start,
            end: start.saturating_add(took),
            rows,
        })
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> io::Result<T>) -> io::Result<Vec<T>> {
        let count = self.number()?;
        // As long as there are bytes: a wrong count ends at the end.
        (0..count).map(|_| one(self)).collect()
    }

    fn text(&mut self) -> io::Result<String> {
        let length = self.number()? as usize;
        let bytes = self.0.split_off(..length);
        let bytes = bytes.ok_or_else(|| wrong("a text beyond its record"))?;
        String::from_utf8(bytes.to_vec()).map_err(|error| wrong(error.to_string()))
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(wrong("a number of more than 64 bits"))
    }

    fn byte(&mut self) -> io::Result<u8> {
        let byte = self.0.split_off_first();
        byte.copied()
            .ok_or_else(|| wrong("a record that is too short"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<Record>, bool, io::Result<()>) {
        let mut records = Records::new(bytes, 2).expect("a head");
        let mut found = Vec::new();
        let end = loop {
            match records.next() {
                Ok(Some(record)) => found.push(record),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        (found, records.torn, end)
    }

    /// As the storm's own test has it.
    const WRITTEN: &[u8] = b"afhist1\n\x06C\x01\x02\xac\x02\x05\x07A\x02\x06\x01\x01\xac\x02\
                             \x11R\x01\x03Way\x03hit\x07\x02\x01\x01\0\xac\x02";

    #[test]
    fn what_is_written_is_read() {
        let (found, torn, end) = all(WRITTEN);
        end.unwrap();
        assert!(!torn);
        let change = Change {
            row: 1,
            column: 2,
            number: 300,
            at: 5,
        };
        let acknowledgement = Acknowledgement {
            column: 2,
            at: 6,
            numbers: vec![(1, 300)],
        };
        let read = Reading {
            promise: Promise::Bounded,
            way: "Way".into(),
            how: "hit".into(),
            start: 7,
            end: 9,
            rows: vec![(1, vec![0, 300])],
        };
        let expected = [
            Record::Change(change),
            Record::Acknowledgement(acknowledgement),
            Record::Read(read),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_torn_end_is_seen() {
        for length in WRITTEN.len() - 17..WRITTEN.len() {
            let (found, torn, end) = all(&WRITTEN[..length]);
            end.unwrap();
            assert_eq!((found.len(), torn), (2, true), "{length}");
        }
        let (found, torn, end) = all(&[WRITTEN, b"\xff"].concat());
        end.unwrap();
        assert_eq!((found.len(), torn), (3, true), "in the midst of a length");
    }

    #[test]
    fn what_is_no_history_is_told() {
        assert!(Records::new(&b"afhist2\n"[..], 2).is_err());
        for record in [
            &b"\x01Z"[..],
            b"\x02C\x01",
            b"\x04W\x01\x02\x03",
            b"\xff\xff\xff\xff\x01",
            b"\x04F\x7fab",
        ] {
            let bytes = [MAGIC, record].concat();
            assert!(all(&bytes).2.is_err(), "{record:?}");
        }
    }
}
