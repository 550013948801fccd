//! What a run came to, as text: a line for each tenth of it, the caches' counters side by side, and
//! what the tasks did. The verdict is not here.

use std::fmt::Write as _;

use crate::gauge::Sample;
use crate::left::Left;
use crate::run::Ran;
use crate::verdict::float;
use crate::world::get;

fn megabytes(bytes: u64) -> f64 {
    float(bytes) / 1e6
}

/// All that is told of a run.
pub(crate) fn table(ran: &Ran) -> String {
    let calls = ran.samples.last().map_or(0, |sample| sample.calls);
    let seconds = ran.time.as_secs_f64();
    let mut text = format!(
        "{}: {calls} calls in {seconds:.0} s, {:.0} each second\n\n",
        ran.name,
        float(calls) / seconds
    );
    let _ = writeln!(
        text,
        "{:>12}{:>9}{:>6}{:>9}{:>7}{:>12}{:>10}{:>11}{:>9}{:>9}{:>9}",
        "calls",
        "MB",
        "fds",
        "threads",
        "tasks",
        "background",
        "local",
        "keys",
        "MB",
        "clients",
        "blocked"
    );
    let tenth = (ran.samples.len() / 10).max(1);
    for sample in ran.samples.iter().step_by(tenth) {
        let _ = writeln!(text, "{}", row(sample));
    }
    let (keys, tags) = ran.world.met();
    let counts = &ran.world.counts;
    let _ = write!(
        text,
        "\n  {keys} of {} keys, {tags} of {} tags; {} calls and mutations ended with an error,\n  \
         {} calls were dropped; {} invalidations asked for, {} of them crash-safe; {} put, {} \
         refreshed\n\n",
        ran.world.keys,
        ran.world.tags,
        get(&counts.errors),
        get(&counts.dropped),
        get(&counts.invalidated),
        get(&counts.safely),
        get(&counts.put),
        get(&counts.refreshed),
    );
    for (at, stats) in (1..).zip(&ran.stats) {
        let stats = stats.to_string();
        let lines = stats.lines().map(str::trim_end);
        let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        let _ = writeln!(
            text,
            "  cache {at}: {}",
            words.collect::<Vec<_>>().join("; ")
        );
    }
    text
}

fn row(sample: &Sample) -> String {
    let mut row = format!(
        "{:>12}{:>9.1}{:>6}{:>9}{:>7}{:>12}{:>10}",
        sample.calls,
        megabytes(sample.memory),
        sample.files,
        sample.threads,
        sample.tasks,
        sample.background,
        sample.local,
    );
    if let Some(server) = sample.server {
        let _ = write!(
            row,
            "{:>11}{:>9.1}{:>9}{:>9}",
            server.keys,
            megabytes(server.memory),
            server.clients,
            server.blocked
        );
    }
    row
}

/// What is left in the server.
pub(crate) fn table_left(left: &Left) -> String {
    let mut text = "  left in the server\n".to_owned();
    for (kind, count) in &left.timed {
        let _ = writeln!(text, "    {count:>9} keys with a ttl: {kind}");
    }
    for (name, bytes) in &left.log {
        let _ = writeln!(text, "    {bytes:>9} bytes: {name}");
    }
    text
}
