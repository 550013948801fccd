//! What is promised of the figures, and whether it holds.

use crate::figures::{Figures, digits};

/// One promise.
struct Target {
    what: &'static str,
    /// The figure that must not be more than the limit; where it was measured.
    figure: fn(&Figures) -> Option<f64>,
    limit: Limit,
    unit: &'static str,
}

enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// Whether a promise holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Met,
    Missed,
    NotMeasured,
}

/// One promise, as it is shown.
pub(crate) struct Shown {
    pub(crate) what: &'static str,
    pub(crate) limit: String,
    pub(crate) figure: String,
    pub(crate) outcome: Outcome,
}

/// The median of the ratios of the pairs.
fn times(figures: &Figures, section: &str, case: &str, base: &str) -> Option<f64> {
    Some(figures.ratio(section, case, "afresh", base)?.median)
}

/// How much faster than the fastest of the peers, raw ones apart.
fn ahead(figures: &Figures, section: &str, case: &str, raw: &str) -> Option<f64> {
    let ours = figures.spread(section, case, "afresh")?.median;
    let peers = figures.of(section).filter(|series| {
        let subject = &series.subject;
        series.point.case == case && !subject.starts_with("afresh") && !subject.starts_with(raw)
    });
    let fastest = peers
        .filter_map(|series| Some(series.spread()?.median))
        .min_by(f64::total_cmp)?;
    Some(fastest / ours)
}

/// Between two threads and one: how much of the speed of two is had.
fn scaling(figures: &Figures, subject: &str) -> Option<f64> {
    let one = figures
        .spread("local hit, async", "1 thread", subject)?
        .median;
    let two = figures
        .spread("local hit, async", "2 threads", subject)?
        .median;
    Some(one / two)
}

/// The most of these beside the least.
fn apart(all: &[Option<f64>]) -> Option<f64> {
    let all: Vec<f64> = all.iter().copied().collect::<Option<_>>()?;
    let most = all.iter().copied().max_by(f64::total_cmp)?;
    let least = all.iter().copied().min_by(f64::total_cmp)?;
    Some(most / least)
}

const TAGGED: [&str; 3] = ["1 entries", "1000 entries", "1000000 entries"];

const TARGETS: &[Target] = &[
    Target {
        what: "local hit, async, tags and singleflight: beside a raw `quick_cache` get",
        figure: |figures| times(figures, "local hit, async", "1 thread", "quick_cache"),
        limit: Limit::AtMost(2.0),
        unit: "x",
    },
    Target {
        what: "the same: allocations",
        figure: |figures| {
            Some(
                figures
                    .spread("local hit, async", "allocations", "afresh")?
                    .median,
            )
        },
        limit: Limit::AtMost(0.0),
        unit: "",
    },
    Target {
        what: "the same: the fastest peer's async hit beside ours",
        figure: |figures| ahead(figures, "local hit, async", "1 thread", "quick_cache"),
        limit: Limit::AtLeast(1.0),
        unit: "x",
    },
    Target {
        what: "the same on 2 threads: our scaling beside that of `quick_cache`",
        figure: |figures| Some(scaling(figures, "afresh")? / scaling(figures, "quick_cache")?),
        limit: Limit::AtLeast(0.9),
        unit: "x",
    },
    Target {
        what: "local hit, sync: beside a raw `quick_cache` get",
        figure: |figures| times(figures, "local hit, sync", "1 thread", "quick_cache"),
        limit: Limit::AtMost(1.7),
        unit: "x",
    },
    Target {
        what: "shared hit: commands",
        figure: |figures| {
            Some(
                figures
                    .spread("shared hit", "commands", "afresh")?
                    .median
                    .floor(),
            )
        },
        limit: Limit::AtMost(1.0),
        unit: "",
    },
    Target {
        what: "shared hit, 1 task: beside a raw GET and decode",
        figure: |figures| times(figures, "shared hit", "1 task", "raw"),
        limit: Limit::AtMost(1.05),
        unit: "x",
    },
    Target {
        what: "shared hit, 64 tasks: beside a raw GET and decode",
        figure: |figures| times(figures, "shared hit", "64 tasks", "raw"),
        limit: Limit::AtMost(1.10),
        unit: "x",
    },
    Target {
        what: "shared hit, 256 tasks: beside a raw GET and decode",
        figure: |figures| times(figures, "shared hit", "256 tasks", "raw"),
        limit: Limit::AtMost(1.10),
        unit: "x",
    },
    Target {
        what: "shared hit, 1 task: the fastest peer's beside ours",
        figure: |figures| ahead(figures, "shared hit", "1 task", "raw"),
        limit: Limit::AtLeast(1.0),
        unit: "x",
    },
    Target {
        what: "cold miss with singleflight, 1 task: beside the round trips it needs",
        figure: |figures| times(figures, "cold miss", "1 task", "raw"),
        limit: Limit::AtMost(1.3),
        unit: "x",
    },
    Target {
        what: "invalidating a tag of 1, 1,000, 1,000,000 entries: the slowest beside the fastest",
        figure: |figures| {
            let median = |case| Some(figures.spread("invalidating a tag", case, "afresh")?.median);
            apart(&TAGGED.map(median))
        },
        limit: Limit::AtMost(1.2),
        unit: "x",
    },
    Target {
        what: "invalidating a tag of 1,000,000 entries: beside a raw SET",
        figure: |figures| times(figures, "invalidating a tag", "1000000 entries", "raw"),
        limit: Limit::AtMost(1.5),
        unit: "x",
    },
    Target {
        what: "stampede, 4 processes with 250 callers: computes",
        figure: |figures| Some(figures.spread("stampede", "runs", "afresh")?.p99),
        limit: Limit::AtMost(1.0),
        unit: "",
    },
    Target {
        what: "stampede: the last caller after the body's end, p99",
        figure: |figures| {
            Some(
                figures
                    .spread("stampede", "last caller after the body", "afresh")?
                    .p99,
            )
        },
        limit: Limit::AtMost(10.0),
        unit: "ms",
    },
    Target {
        what: "stampede: commands of each process",
        figure: |figures| {
            Some(
                figures
                    .spread("stampede", "commands per process", "afresh")?
                    .median,
            )
        },
        limit: Limit::AtMost(4.0),
        unit: "",
    },
    Target {
        what: "coherence, 8 processes: acknowledged to dropped, p50",
        figure: |figures| {
            Some(
                figures
                    .spread("coherence", "acknowledged to dropped", "afresh")?
                    .median,
            )
        },
        limit: Limit::AtMost(0.5),
        unit: "ms",
    },
    Target {
        what: "coherence, 8 processes: acknowledged to dropped, p99",
        figure: |figures| {
            Some(
                figures
                    .spread("coherence", "acknowledged to dropped", "afresh")?
                    .p99,
            )
        },
        limit: Limit::AtMost(3.0),
        unit: "ms",
    },
    Target {
        what: "memory on the server: bytes over the payload, tags apart",
        figure: |figures| {
            Some(
                figures
                    .spread("memory", "on the server", "afresh #[cached], no tags")?
                    .median,
            )
        },
        limit: Limit::AtMost(96.0),
        unit: "bytes",
    },
    Target {
        what: "memory in the process: bytes over key and value",
        figure: |figures| Some(figures.spread("memory", "in the process", "afresh")?.median),
        limit: Limit::AtMost(128.0),
        unit: "bytes",
    },
];

/// All of them, with what was measured.
pub(crate) fn shown(figures: &Figures) -> Vec<Shown> {
    let each = TARGETS.iter().map(|target| {
        let figure = (target.figure)(figures);
        let (limit, holds) = match target.limit {
            Limit::AtMost(limit) => ("at most", (limit, figure.map(|figure| figure <= limit))),
            Limit::AtLeast(limit) => ("at least", (limit, figure.map(|figure| figure >= limit))),
        };
        let unit = if target.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", target.unit)
        };
        Shown {
            what: target.what,
            limit: format!("{limit} {}{unit}", digits(holds.0)),
            figure: figure.map_or_else(|| "-".to_owned(), |figure| digits(figure) + &unit),
            outcome: match holds.1 {
                Some(true) => Outcome::Met,
                Some(false) => Outcome::Missed,
                None => Outcome::NotMeasured,
            },
        }
    });
    each.collect()
}

/// For whoever has run it: what is missed.
pub(crate) fn summary(figures: &Figures) -> String {
    let all = shown(figures);
    let met = all
        .iter()
        .filter(|target| target.outcome == Outcome::Met)
        .count();
    let mut text = format!("{met} of {} targets are met", all.len());
    for target in all.iter().filter(|target| target.outcome != Outcome::Met) {
        let Shown {
            what,
            limit,
            figure,
            ..
        } = target;
        text += &format!("\n  {what}: {figure} ({limit})");
    }
    text
}

#[cfg(test)]
mod tests {
    use afresh_measure::{Point, Series};

    use super::*;

    #[test]
    fn a_ratio_is_of_pairs_and_is_judged() {
        let mut figures = Figures::default();
        for (subject, rounds) in [("quick_cache get", [10.0, 20.0]), ("afresh", [19.0, 50.0])] {
            figures.add(Series {
                point: Point::new("local hit, sync", "1 thread", "ns"),
                subject: subject.to_owned(),
                rounds: rounds.to_vec(),
            });
        }
        let shown = shown(&figures);
        let sync = shown
            .iter()
            .find(|target| target.what.starts_with("local hit, sync"));
        let sync = sync.expect("a target");
        assert_eq!(
            (sync.figure.as_str(), sync.outcome),
            ("2.50 x", Outcome::Missed)
        );
        let measured = shown
            .iter()
            .filter(|target| target.outcome != Outcome::NotMeasured);
        assert_eq!(measured.count(), 1);
    }
}
