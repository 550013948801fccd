//! The table at the end of a storm.

use std::fmt::Write as _;

use crate::board::millis;
use crate::judge::Promise;
use crate::storm::Report;
use crate::tally::{Figure, Tally};

/// One storm's.
pub(crate) fn of(report: &Report) -> String {
    let Report {
        deployment,
        settings,
        lasted,
        fleet,
        faults,
        lacks,
        ..
    } = report;
    let [strict, bounded] = &fleet.tallies;
    let both = |figure| strict.get(figure) + bounded.get(figure);
    let mut table = Table::new(deployment);
    table.row("seed", settings.seed);
    table.row("seconds", format!("{:.1}", lasted.as_secs_f64()));
    table.row(
        "processes",
        format!(
            "{}, {} of them behind a network that fails",
            settings.processes,
            fleet.networks.count()
        ),
    );
    for (name, tally) in [("Strict", strict), ("Bounded", bounded)] {
        table.row(&format!("reads, {name}"), reads(tally));
    }
    for (name, all, hits) in [
        ("of them nested", Figure::Nested, Figure::NestedHits),
        ("of them beyond 64 tags", Figure::Wide, Figure::WideHits),
        ("of them sync", Figure::Sync, Figure::SyncHits),
    ] {
        table.row(name, format!("{}, {} hits", both(all), both(hits)));
    }
    table.row("reads that failed", both(Figure::Failed));
    table.row("reads given up", both(Figure::Dropped));
    table.row("computes", both(Figure::Bodies));
    table.row(
        "invalidations",
        format!(
            "{} acknowledged ({} of sync functions), {} not; {} changes made good later",
            both(Figure::Acknowledged),
            both(Figure::AcknowledgedSync),
            both(Figure::Unacknowledged),
            both(Figure::Settled)
        ),
    );
    table.row(
        "puts",
        format!(
            "{}, {} refused",
            both(Figure::Put),
            both(Figure::PutRefused)
        ),
    );
    for (at, (fault, count)) in faults.iter().enumerate() {
        table.row(
            if at == 0 { "faults" } else { "" },
            format!("{count} × {fault}"),
        );
    }
    if let Some(lacks) = lacks {
        table.row("not tried", lacks);
    }
    let stale = |promise| fleet.verdicts.of(promise);
    table.row("stale reads, Strict", stale(Promise::Strict));
    table.row("stale reads, Bounded", stale(Promise::Bounded));
    table.row("inside a failover's limit", fleet.verdicts.covered);
    table.row(
        "older reads, Bounded",
        format!(
            "{}, at the latest {:.0} ms after the acknowledgement",
            bounded.get(Figure::Older),
            millis(bounded.get(Figure::Delay))
        ),
    );
    table.row(
        "push, nothing amiss",
        format!(
            "p50 {:.3} ms, p99 {:.3} ms",
            report.push(50),
            report.push(99)
        ),
    );
    table.0
}

fn reads(tally: &Tally) -> String {
    format!(
        "{} ({} local, {} shared, {} computed, {} coalesced, {} past their ttl)",
        tally.reads(),
        tally.get(Figure::Local),
        tally.get(Figure::Shared),
        tally.get(Figure::Computed),
        tally.get(Figure::Coalesced),
        tally.get(Figure::Aged)
    )
}

struct Table(String);

impl Table {
    fn new(title: &str) -> Self {
        Self(format!("\nstorm, {title}\n"))
    }

    fn row(&mut self, name: &str, value: impl std::fmt::Display) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "  {name:<26}{value}");
    }
}
