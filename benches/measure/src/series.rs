//! Series of what was measured in turn, and what is told of them.

use serde::{Deserialize, Serialize};

/// What one subject needed, round by round. The rounds of all subjects of a case were run in turn,
/// so that those with the same number stand beside each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Series {
    #[serde(flatten)]
    /// Where it belongs.
    pub point: Point,
    /// Who was measured, with what its users would write: `cached #[cached] by_key`.
    pub subject: String,
    /// What each round came to.
    pub rounds: Vec<f64>,
}

/// Where a series belongs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The table: `local hit, async`.
    pub section: String,
    /// The column of it: `1 thread`.
    pub case: String,
    /// Where the column stands on a plot.
    pub x: Option<f64>,
    /// Of each round's figure: `ns`, `us`, `bytes`, `commands`.
    pub unit: String,
}

impl Point {
    /// A column of a table.
    pub fn new(section: &str, case: &str, unit: &str) -> Self {
        Self {
            section: section.to_owned(),
            case: case.to_owned(),
            x: None,
            unit: unit.to_owned(),
        }
    }

    /// The same, with its place on a plot.
    #[must_use]
    pub fn at(mut self, x: f64) -> Self {
        self.x = Some(x);
        self
    }
}

/// One subject of a case, and how to run a round of it.
pub struct Contender<'a> {
    subject: String,
    run: Box<dyn FnMut(usize) -> f64 + 'a>,
}

impl std::fmt::Debug for Contender<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contender")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

impl<'a> Contender<'a> {
    /// `run` is given the number of the round, and returns what it came to.
    pub fn new(subject: &str, run: impl FnMut(usize) -> f64 + 'a) -> Self {
        Self {
            subject: subject.to_owned(),
            run: Box::new(run),
        }
    }
}

/// Runs all of them in turn, after one round that does not count, and writes their series.
pub fn in_turn(point: &Point, rounds: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Series> {
    for contender in &mut contenders {
        (contender.run)(0);
    }
    let mut series: Vec<Series> = contenders
        .iter()
        .map(|contender| Series {
            point: point.clone(),
            subject: contender.subject.clone(),
            rounds: Vec::with_capacity(rounds),
        })
        .collect();
    for round in 1..=rounds {
        // Who comes first changes: what the one before has left in the caches falls on each of them.
        let first = round % contenders.len();
        let all = (first..contenders.len()).chain(0..first);
        for at in all {
            let figure = (contenders[at].run)(round);
            series[at].rounds.push(figure);
        }
    }
    for one in &series {
        one.write();
    }
    series
}

/// What is told of many figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// A quarter of them are less.
    pub low: f64,
    /// Half of them are less.
    pub median: f64,
    /// A quarter of them are more.
    pub high: f64,
    /// One of a hundred is more.
    pub p99: f64,
}

impl Spread {
    /// Of these figures; none of none.
    pub fn of(figures: &[f64]) -> Option<Self> {
        let mut sorted = figures.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let last = sorted.len().checked_sub(1)?;
            sorted.get((last as f64 * part).round() as usize).copied()
        };
        Some(Self {
            low: at(0.25)?,
            median: at(0.5)?,
            high: at(0.75)?,
            p99: at(0.99)?,
        })
    }
}

impl Series {
    /// Writes it to the program's output, for the report; and its median where people read.
    pub fn write(&self) {
        if let Some(spread) = Spread::of(&self.rounds) {
            let Point {
                section,
                case,
                unit,
                ..
            } = &self.point;
            eprintln!(
                "{section:<22}{case:<28}{:<42}{:>10.1} {unit} [{:.1} .. {:.1}]",
                self.subject, spread.median, spread.low, spread.high
            );
        }
        super::write(&super::Line::Series(self.clone()));
    }

    /// The figures.
    pub fn spread(&self) -> Option<Spread> {
        Spread::of(&self.rounds)
    }

    /// How often what `base` needed in the same round: the ratio of each pair.
    pub fn beside(&self, base: &Self) -> Option<Spread> {
        let ratios: Vec<f64> = self
            .rounds
            .iter()
            .zip(&base.rounds)
            .map(|(own, base)| own / base)
            .collect();
        Spread::of(&ratios)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_many() {
        let figures: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let spread = Spread::of(&figures).expect("some");
        assert_eq!(
            (spread.low, spread.median, spread.high, spread.p99),
            (25.0, 50.0, 75.0, 99.0)
        );
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn rounds_stand_beside_those_of_the_same_number() {
        let point = Point::new("a table", "a column", "ns");
        let ran = std::cell::RefCell::new(Vec::new());
        let run = |name: &'static str, each: f64| {
            let ran = &ran;
            Contender::new(name, move |round| {
                ran.borrow_mut().push((name, round));
                round as f64 * each
            })
        };
        let series = in_turn(&point, 4, vec![run("a", 2.0), run("b", 1.0)]);
        assert_eq!(series[0].rounds, [2.0, 4.0, 6.0, 8.0]);
        let beside = series[0].beside(&series[1]).expect("rounds");
        assert_eq!((beside.low, beside.median, beside.high), (2.0, 2.0, 2.0));
        let ran = ran.borrow();
        assert_eq!(ran[..2], [("a", 0), ("b", 0)], "neither counts");
        assert_eq!(ran[2..6], [("b", 1), ("a", 1), ("a", 2), ("b", 2)]);
    }
}
