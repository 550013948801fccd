//! The page: tables, plots, machine, versions, and how to run it again. It is written here and
//! nowhere by hand.

use std::fs;
use std::path::Path;

use crate::figures::{Figures, digits};
use crate::machine;
use crate::plots;
use crate::scoreboard::Scoreboard;
use crate::targets::{self, Outcome};

/// The sections, in the order of the page; what stands above each; beside whom all are set.
const SECTIONS: &[(&str, &str, Option<&str>)] = &[
    (
        "local hit, async",
        "Nanoseconds of one call that finds its value in the process: 1,000 keys in a random order, a \
         value of about 180 bytes behind an `Arc` where the library can share it. Raw `quick_cache` \
         has an integer key, no ttl, no tags and no flight.",
        Some("quick_cache"),
    ),
    (
        "local hit, sync",
        "The same for functions that are not async.",
        Some("quick_cache"),
    ),
    (
        "shared hit",
        "Microseconds of one call that finds its value on the server, over loopback; with many tasks, \
         the time that passes by the number of calls. Commands as the server counts them, of one task: \
         what several tasks ask at one moment goes out as one, here. With one \
         task, most of the time is that of sleeping and waking threads, and differs between runs by \
         several times for all of them: the columns of many tasks say more.",
        Some("raw"),
    ),
    (
        "strict hit",
        "Microseconds of one call that finds its value in the process, with `Consistency::Strict`: it \
         asks the server once for all calls of the moment.",
        Some("raw"),
    ),
    (
        "server away",
        "Microseconds of one call while there is no server, beside its body.",
        Some("the body"),
    ),
    (
        "cold miss",
        "Microseconds of one call that finds nothing anywhere, by one task; beside as many plain \
         commands, one after the other, with the same bytes.",
        Some("raw"),
    ),
    (
        "invalidating a tag",
        "Microseconds until an invalidation is acknowledged, of a tag that so many entries carry.",
        Some("raw"),
    ),
    (
        "stampede",
        "4 processes with 250 callers each, all at once on a key that nobody has; the body takes 50 \
         ms. Commands are those that clients send; what a script runs inside is not counted.",
        None,
    ),
    (
        "coherence",
        "8 processes with a copy each: milliseconds from the acknowledgement of an invalidation to the \
         last of them dropping it. Each looks every 50 microseconds or so, which is in the figure.",
        None,
    ),
    ("memory", "Bytes of one entry over what it holds.", None),
    (
        "growth: keys",
        "Nanoseconds of a local hit, by the number of keys. It bends where what a hit touches no longer \
         fits the processor's caches, and each piece of it is waited for in turn. Of raw \
         `quick_cache` these are three: the table, the entry, the value's count. Of ours more: the \
         entry takes three lines instead of one (the key's own hash and place, the position, the \
         tags, the ttl), and the value, of a type that the map does not know, is one step further.",
        Some("quick_cache"),
    ),
    (
        "growth: tags",
        "Nanoseconds of a local hit, by the number of tags of the entry. It does not bend: a hit \
         compares one number, and tags are looked at when the view has changed since the last time.",
        None,
    ),
    (
        "growth: tasks",
        "Nanoseconds of a local hit on two threads, by the number of tasks. What it rises by from \
         1,000 tasks on is the tasks' own memory: raw `quick_cache` rises with it.",
        Some("quick_cache"),
    ),
];

/// Writes it.
pub(crate) fn write(
    figures: &Figures,
    scoreboard: &Scoreboard,
    folder: &Path,
) -> Result<(), String> {
    let file = folder.join("README.md");
    let mut text = text(figures, scoreboard, &machine::noted(folder));
    // Told by `cargo xtask weigh`, which has none of these programs.
    if let Ok(weighed) = fs::read_to_string(folder.join("weighed.txt")) {
        text += "\n## Compile time and size\n\nWhat an annotated function costs those who compile it: the same \
                 functions, each kind of annotation a program of its own.\n\n```text\n";
        text += weighed.trim_matches('\n');
        text += "\n```\n";
    }
    fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn text(figures: &Figures, scoreboard: &Scoreboard, machine: &str) -> String {
    let mut text = String::from(
        "# Measured beside its peers\n\n\
         Written by `cargo xtask bench`, which runs all of it again: it builds the programs in \
         `benches/`, starts the servers it needs, and takes everything in turn (A B A B ...). A \
         figure is the median of its rounds, with the first and the last quarter in brackets; a \
         ratio is the median of the ratios of rounds with the same number. Ratios within one run are \
         worth more than times, and times of different runs say nothing about each other.\n\n",
    );
    for line in machine.lines() {
        text += &format!("- {line}\n");
    }
    text += "\n## What it aims at\n\n| | aim | measured | |\n|---|---|---|---|\n";
    for target in targets::shown(figures) {
        let outcome = match target.outcome {
            Outcome::Met => "met",
            Outcome::Missed => "**missed**",
            Outcome::NotMeasured => "not measured",
        };
        text += &format!(
            "| {} | {} | {} | {outcome} |\n",
            target.what, target.limit, target.figure
        );
    }
    for (section, about, base) in SECTIONS {
        if figures.of(section).next().is_some() {
            text += &format!("\n## {}\n\n{about}\n\n", capital(section));
            text += &table(figures, section, *base);
            if let Some(file) = plots::drawn(figures, section) {
                text += &format!("\n![{section}]({file})\n");
            }
        }
    }
    if !scoreboard.is_empty() {
        text += "\n## The scoreboard\n\nEach row is a program in `benches/scoreboard`, run against each library \
                 that has the feature.\n\n";
        text += &format!("{}\n{}", scoreboard.marks(), scoreboard.seen());
    }
    text
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

/// A row for each subject, a column for each case; with the ratio to the base where there is one.
fn table(figures: &Figures, section: &str, base: Option<&str>) -> String {
    let (cases, subjects) = figures.table(section);
    let heads: Vec<String> = cases
        .iter()
        .map(|case| {
            let unit = figures
                .of(section)
                .find(|series| series.point.case == *case);
            match unit.map_or("", |series| &series.point.unit) {
                "" => (*case).to_owned(),
                unit => format!("{case}, {unit}"),
            }
        })
        .collect();
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        heads.join(" | "),
        "---:|".repeat(heads.len())
    );
    for subject in subjects {
        let cells = cases.iter().map(|case| {
            let Some(spread) = figures.spread(section, case, subject) else {
                return String::new();
            };
            let mut cell = digits(spread.median);
            if spread.low < spread.high {
                cell += &format!(" [{} .. {}]", digits(spread.low), digits(spread.high));
            }
            let ratio = base.and_then(|base| figures.ratio(section, case, subject, base));
            if let Some(ratio) = ratio.filter(|_| !subject.starts_with(base.unwrap_or_default()))
                && ratio.median.is_finite()
            {
                cell += &format!(", {} x", digits(ratio.median));
            }
            cell
        });
        let cells: Vec<String> = cells.collect();
        text += &format!(
            "| {} | {} |\n",
            subject.replace('|', "\\|"),
            cells.join(" | ")
        );
    }
    text
}
