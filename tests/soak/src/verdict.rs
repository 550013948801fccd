//! The verdict: is what was read flat after the warm-up, is all that was opened closed again, and do
//! the counters add up? It reads numbers and nothing else.

use std::fmt::{self, Display, Formatter};

use afresh::Stats;

use crate::gauge::Sample;
use crate::left::Left;
use crate::run::Ran;
use crate::world::get;

/// This part of the readings is the warm-up.
const WARM_UP: f64 = 0.3;

/// Memory may grow by so many bytes after it, or by the part below, whichever is more.
const MARGIN: f64 = 16.0 * 1_048_576.0;
const PART: f64 = 0.05;

/// One thing that must hold.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) what: &'static str,
    /// What was seen, and what it is held to.
    pub(crate) seen: String,
    pub(crate) holds: bool,
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let verdict = if self.holds { "holds" } else { "DOES NOT HOLD" };
        write!(f, "  {:<28}{verdict:<15}{}", self.what, self.seen)
    }
}

/// All that must hold of a run.
pub(crate) fn judged(ran: &Ran) -> Vec<Finding> {
    let steady = after_warm_up(&ran.samples);
    let mut findings = vec![
        memory(steady),
        flat("file descriptors", steady, |sample| sample.files),
        flat("threads", steady, |sample| sample.threads),
        flat("tasks", steady, |sample| sample.tasks),
        closed(
            "file descriptors, closed",
            ran.before.files,
            ran.after.files,
        ),
        closed("tasks, ended", ran.before.tasks, ran.after.tasks),
        Finding {
            what: "owed, or under a mark",
            seen: format!("{} at the end", ran.owed),
            holds: ran.owed == 0,
        },
    ];
    let dropped = get(&ran.world.counts.dropped);
    findings.push(added_up(&ran.stats, ran.world.asked(), dropped));
    findings
}

/// All that must hold of what a run left in the server.
pub(crate) fn judged_left(left: &Left) -> Vec<Finding> {
    let gone = match left.leases.1 {
        Some(time) => format!("gone after {:.1} s", time.as_secs_f64()),
        None => "some stayed".to_owned(),
    };
    vec![
        Finding {
            what: "keys without a ttl",
            seen: match left.eternal.first() {
                None => format!("{}, all of them the log's", left.log.len()),
                Some(first) => {
                    format!("{} beside the log's, `{first}` for one", left.eternal.len())
                }
            },
            holds: left.eternal.is_empty(),
        },
        Finding {
            what: "leases",
            seen: format!("{} at the end, {gone}", left.leases.0),
            holds: left.leases.1.is_some(),
        },
        Finding {
            what: "marks",
            seen: format!("{} left", left.marks),
            holds: left.marks == 0,
        },
        Finding {
            what: "connections",
            seen: format!("{} left", left.clients),
            holds: left.clients == 0,
        },
    ]
}

/// The readings that count.
pub(crate) fn after_warm_up(samples: &[Sample]) -> &[Sample] {
    let last = samples.last().map_or(0, |sample| sample.calls);
    let warm = samples.partition_point(|sample| float(sample.calls) < WARM_UP * float(last));
    &samples[warm..]
}

/// Whether memory stays where it is, by the line through all readings.
fn memory(steady: &[Sample]) -> Finding {
    let points = steady.iter().map(|at| (float(at.calls), float(at.memory)));
    let slope = slope(&points.collect::<Vec<_>>());
    let calls = match steady {
        [first, .., last] => float(last.calls) - float(first.calls),
        _ => 0.0,
    };
    let mean = steady.iter().map(|at| float(at.memory)).sum::<f64>() / float(steady.len() as u64);
    let (grown, most) = (slope * calls, (mean * PART).max(MARGIN));
    Finding {
        what: "memory",
        seen: format!(
            "{:+.2} MB over {calls} calls ({slope:+.4} bytes each), at most {:+.1}; {:.1} MB on average",
            grown / 1e6,
            most / 1e6,
            mean / 1e6
        ),
        // What is no number, with too few readings, does not hold.
        holds: grown <= most,
    }
}

/// Whether a number of things stays where it is. At any moment there may be a few more, and a few less
/// just after connections were cut: the middle of the first tenth is compared with the least of the
/// last.
fn flat(what: &'static str, steady: &[Sample], of: fn(&Sample) -> u64) -> Finding {
    let tenth = (steady.len() / 10).max(1);
    let least = |samples: &[Sample]| samples.iter().map(of).min();
    let middle = |samples: &[Sample]| {
        let mut numbers: Vec<u64> = samples.iter().map(of).collect();
        numbers.sort_unstable();
        numbers.get(numbers.len() / 2).copied()
    };
    let first = steady.get(..tenth).and_then(middle);
    let last = steady
        .get(steady.len().saturating_sub(tenth)..)
        .and_then(least);
    let most = steady.iter().map(of).max().unwrap_or_default();
    Finding {
        what,
        seen: format!(
            "{} after the warm-up, {} at the end, {most} at the most",
            first.unwrap_or_default(),
            last.unwrap_or_default()
        ),
        holds: first.is_some() && last <= first,
    }
}

fn closed(what: &'static str, before: u64, after: u64) -> Finding {
    Finding {
        what,
        seen: format!("{before} before, {after} after"),
        holds: before == after,
    }
}

/// Whether each call was answered in one way. Of those that were dropped, some were.
fn added_up(stats: &[Stats], asked: u64, dropped: u64) -> Finding {
    let answered: u64 = stats.iter().map(answered).sum();
    Finding {
        what: "the counters add up",
        seen: format!("{answered} answers to {asked} calls, and {dropped} that were dropped"),
        holds: (asked..=asked + dropped).contains(&answered),
    }
}

fn answered(stats: &Stats) -> u64 {
    stats.hits_local
        + stats.hits_shared
        + stats.stale
        + stats.computed
        + stats.coalesced
        + stats.bypassed
        + stats.timed_out
}

/// By how much the line through these points rises, by the method of least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let count = float(points.len() as u64);
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let sum = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>();
    sum(&|point| (point.0 - x) * (point.1 - y)) / sum(&|point| (point.0 - x).powi(2))
}

/// As a float: these numbers are far below its limits.
#[expect(
    clippy::cast_precision_loss,
    reason = "a byte more or less is nothing here"
)]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hundred readings, of which each number is said by where it stands.
    fn samples(of: impl Fn(u64) -> Sample) -> Vec<Sample> {
        let at = |at| Sample {
            calls: at * 1_000,
            ..of(at)
        };
        (0..=100).map(at).collect()
    }

    fn with_memory(of: impl Fn(u64) -> u64) -> Vec<Sample> {
        samples(|at| Sample {
            memory: of(at),
            ..Sample::default()
        })
    }

    #[test]
    fn a_line_is_found() {
        let points: Vec<_> = (0..10_u32)
            .map(|x| (f64::from(x), 3.0 * f64::from(x) + 1.0))
            .collect();
        assert!((slope(&points) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn what_grows_in_the_warm_up_only_is_flat() {
        let memory_of = |at: u64| 100_000_000 + at.min(30) * 10_000_000;
        let samples = with_memory(memory_of);
        assert_eq!(after_warm_up(&samples).len(), 71);
        assert!(memory(after_warm_up(&samples)).holds);
        assert!(!memory(&samples).holds);
    }

    #[test]
    fn what_goes_on_growing_is_found() {
        // 70 MB and 14 MB over what counts: the margin is 16.8.
        let grown = |each: u64| memory(after_warm_up(&with_memory(|at| 100_000_000 + at * each)));
        assert!(!grown(1_000_000).holds);
        assert!(grown(200_000).holds);
        assert!(!grown(300_000).holds);
    }

    #[test]
    fn too_few_readings_prove_nothing() {
        assert!(!memory(&[]).holds);
        assert!(!memory(&with_memory(|_| 1)[..1]).holds);
        assert!(!flat("files", &[], |sample| sample.files).holds);
    }

    #[test]
    fn a_moments_more_is_no_leak_and_one_that_stays_is() {
        let files = |of: &dyn Fn(u64) -> u64| {
            let samples = samples(|at| Sample {
                files: of(at),
                ..Sample::default()
            });
            flat("files", after_warm_up(&samples), |sample| sample.files).holds
        };
        assert!(files(&|_| 12));
        assert!(files(&|at| 12 + at % 3));
        // Connections were just cut.
        assert!(files(&|at| if at == 33 { 9 } else { 12 }));
        assert!(!files(&|at| 12 + u64::from(at > 80)));
        assert!(!closed("files", 12, 13).holds);
        assert!(closed("files", 12, 12).holds);
    }

    #[test]
    fn each_call_has_one_answer() {
        let mut stats = Stats::default();
        stats.hits_local = 60;
        stats.computed = 40;
        let holds = |asked, dropped| added_up(&[stats, stats], asked, dropped).holds;
        assert!(holds(200, 0) && holds(195, 5));
        assert!(!holds(201, 0) && !holds(194, 5));
    }

    #[test]
    fn what_stays_in_the_server_is_found() {
        let holds = |left: &Left| judged_left(left).iter().all(|finding| finding.holds);
        let clean = || Left {
            leases: (3, Some(std::time::Duration::from_secs(1))),
            ..Left::default()
        };
        assert!(holds(&clean()));
        for left in [
            Left {
                eternal: vec!["a".into()],
                ..clean()
            },
            Left {
                leases: (3, None),
                ..clean()
            },
            Left {
                marks: 1,
                ..clean()
            },
            Left {
                clients: 1,
                ..clean()
            },
        ] {
            assert!(!holds(&left), "{left:?}");
        }
    }
}
