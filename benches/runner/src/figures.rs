//! The series that were read, found by where they belong. How they are shown is not here.

use afresh_measure::{Series, Spread};

/// In the order in which they were measured.
#[derive(Default)]
pub(crate) struct Figures {
    all: Vec<Series>,
}

impl Figures {
    /// One that was measured again replaces the one before.
    pub(crate) fn add(&mut self, series: Series) {
        self.all.retain(|old| {
            (&old.point.section, &old.point.case, &old.subject)
                != (&series.point.section, &series.point.case, &series.subject)
        });
        self.all.push(series);
    }

    pub(crate) fn of(&self, section: &str) -> impl Iterator<Item = &Series> {
        self.all
            .iter()
            .filter(move |series| series.point.section == section)
    }

    /// The one of a subject whose name begins so.
    pub(crate) fn one(&self, section: &str, case: &str, subject: &str) -> Option<&Series> {
        let mut all = self.of(section);
        all.find(|series| series.point.case == case && series.subject.starts_with(subject))
    }

    pub(crate) fn spread(&self, section: &str, case: &str, subject: &str) -> Option<Spread> {
        self.one(section, case, subject)?.spread()
    }

    /// How often what another needed, pair by pair.
    pub(crate) fn ratio(
        &self,
        section: &str,
        case: &str,
        subject: &str,
        base: &str,
    ) -> Option<Spread> {
        let base = self.one(section, case, base)?;
        self.one(section, case, subject)?.beside(base)
    }

    /// The columns and the rows of a table, each in the order of its first series.
    pub(crate) fn table(&self, section: &str) -> (Vec<&str>, Vec<&str>) {
        let (mut cases, mut subjects): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for series in self.of(section) {
            let (case, subject) = (series.point.case.as_str(), series.subject.as_str());
            if !cases.contains(&case) {
                cases.push(case);
            }
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        (cases, subjects)
    }
}

/// A figure with as many digits as tell something.
pub(crate) fn digits(figure: f64) -> String {
    match figure.abs() {
        0.0 => "0".to_owned(),
        small if small < 0.095 => format!("{figure:.3}"),
        small if small < 9.95 => format!("{figure:.2}"),
        small if small < 99.5 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use afresh_measure::Point;

    use super::*;

    fn series(case: &str, subject: &str, rounds: &[f64]) -> Series {
        Series {
            point: Point::new("section", case, "ns"),
            subject: subject.to_owned(),
            rounds: rounds.to_vec(),
        }
    }

    #[test]
    fn what_is_measured_again_replaces_what_was_there() {
        let mut figures = Figures::default();
        figures.add(series("a", "ours #[x]", &[1.0]));
        figures.add(series("a", "raw", &[2.0]));
        figures.add(series("a", "ours #[x]", &[4.0]));
        let ratio = figures.ratio("section", "a", "ours", "raw").expect("both");
        assert_eq!(ratio.median, 2.0);
        assert_eq!(
            figures.table("section"),
            (vec!["a"], vec!["raw", "ours #[x]"])
        );
    }

    #[test]
    fn digits_that_tell_something() {
        let shown = [0.0, 0.0123, 1.234, 12.34, 123.4, 12_345.6].map(digits);
        assert_eq!(shown, ["0", "0.012", "1.23", "12.3", "123", "12346"]);
    }
}
