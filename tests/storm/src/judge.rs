//! Whether a read was stale: what it returned beside what had been acknowledged when it began.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::board::{Board, Nanos, Row, nanos};

/// How long a process may go on with what it knows: the product's promise.
const TRUST: Nanos = nanos(Duration::from_secs(2));
/// What the clocks of two readings may be apart.
const MARGIN: Nanos = nanos(Duration::from_millis(100));

/// What a read is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// It sees whatever was acknowledged anywhere before it began.
    Strict,
    /// It sees what its own cache acknowledged in this column above these numbers, by item, and
    /// what others did two seconds before.
    Bounded,
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Strict => "strict",
            Self::Bounded => "bounded",
        })
    }
}

/// What had been acknowledged when a read began.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) item: u64,
    pub(crate) row: Row,
}

/// A read that did not return what it should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stale {
    pub(crate) promise: Promise,
    /// What was asked, and how it was answered.
    pub(crate) how: String,
    pub(crate) item: u64,
    pub(crate) column: usize,
    pub(crate) value: u64,
    pub(crate) wanted: u64,
    /// When the first number that it missed was acknowledged; 0 where that is not known any more.
    pub(crate) missed: Nanos,
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
}

/// Looks for what a read missed of an item; the worst of it.
pub(crate) struct Judge<'a> {
    pub(crate) board: &'a Board,
    pub(crate) promise: Promise,
    /// The column of this cache's own writer, and what stood there when this process began.
    pub(crate) own: usize,
    pub(crate) inherited: &'a [u64],
}

/// What a judge found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fresh,
    /// Older than what others have acknowledged, within the time that is allowed for that.
    Older(Nanos),
    Stale,
}

impl Judge<'_> {
    /// The verdict on one column.
    pub(crate) fn column(&self, wanted: &Wanted, row: &Row, at: usize, began: Nanos) -> Verdict {
        let (value, acknowledged) = (row[at], wanted.row[at]);
        if value >= acknowledged {
            return Verdict::Fresh;
        }
        let is_own = at == self.own && acknowledged > self.inherited[wanted.item as usize];
        if self.promise == Promise::Strict || is_own {
            return Verdict::Stale;
        }
        match self.board.acknowledged_at(wanted.item, at, value + 1) {
            Some(missed) if began.saturating_sub(missed) <= TRUST + MARGIN => {
                Verdict::Older(began.saturating_sub(missed))
            }
            _ => Verdict::Stale,
        }
    }

    /// The first column that is stale, told.
    pub(crate) fn stale(
        &self,
        wanted: &Wanted,
        row: &Row,
        at: usize,
        how: String,
        times: (Nanos, Nanos),
    ) -> Stale {
        let missed = self.board.acknowledged_at(wanted.item, at, row[at] + 1);
        Stale {
            promise: self.promise,
            how,
            item: wanted.item,
            column: at,
            value: row[at],
            wanted: wanted.row[at],
            missed: missed.unwrap_or(0),
            began: times.0,
            ended: times.1,
        }
    }
}

/// One line, as a worker tells its parent.
impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            promise,
            item,
            column,
            value,
            wanted,
            missed,
            began,
            ended,
            how,
        } = self;
        write!(
            f,
            "{promise} {item} {column} {value} {wanted} {missed} {began} {ended} {how}"
        )
    }
}

impl FromStr for Stale {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, String> {
        let mut words = line.splitn(9, ' ');
        let promise = match words.next() {
            Some("strict") => Promise::Strict,
            Some("bounded") => Promise::Bounded,
            other => return Err(format!("no promise: {other:?}")),
        };
        let mut number = || {
            let word = words.next().unwrap_or_default();
            word.parse::<u64>()
                .map_err(|error| format!("{word:?}: {error}"))
        };
        Ok(Self {
            promise,
            item: number()?,
            column: number()? as usize,
            value: number()?,
            wanted: number()?,
            missed: number()?,
            began: number()?,
            ended: number()?,
            how: words.next().unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;

    #[test]
    fn a_line_is_read_again() {
        let stale = Stale {
            promise: Promise::Bounded,
            how: "single, hit (local)".into(),
            item: 1,
            column: 2,
            value: 3,
            wanted: 4,
            missed: 5,
            began: 6,
            ended: 7,
        };
        assert_eq!(stale.to_string().parse(), Ok(stale));
    }

    #[test]
    fn each_promise_is_held_to_its_own() {
        let folder =
            std::env::temp_dir().join(format!("afresh-storm-judge-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Board::create(&folder, 2).expect("files");
        let board = Board::open(&folder, 2, History::default()).expect("files");
        let second = nanos(Duration::from_secs(1));
        board.acknowledge(0, 0, 1, second);
        board.acknowledge(0, 1, 1, second);
        let wanted = Wanted {
            item: 0,
            row: board.acknowledged(0),
        };
        let inherited = [0; 1];
        let mut judge = Judge {
            board: &board,
            promise: Promise::Bounded,
            own: 1,
            inherited: &inherited,
        };
        let old = vec![0, 0];
        assert_eq!(
            judge.column(&wanted, &vec![1, 1], 0, second),
            Verdict::Fresh
        );
        assert_eq!(judge.column(&wanted, &old, 1, second), Verdict::Stale);
        let within = judge.column(&wanted, &old, 0, 3 * second);
        assert_eq!(within, Verdict::Older(2 * second));
        assert_eq!(judge.column(&wanted, &old, 0, 4 * second), Verdict::Stale);
        // What this process's predecessor acknowledged is another's.
        judge.inherited = &[1];
        assert_eq!(judge.column(&wanted, &old, 1, 3 * second), within);
        judge.promise = Promise::Strict;
        assert_eq!(judge.column(&wanted, &old, 0, second), Verdict::Stale);
        std::fs::remove_dir_all(&folder).expect("its end");
    }
}
