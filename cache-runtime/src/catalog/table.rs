//! The catalog as a table for a terminal: each tag on a line of its own, and beside it what
//! invalidates it, or whom.

use std::fmt;

use super::links::{By, between};
use super::{CachedFn, Catalog, Label, MutationFn};

/// The lines of one function; the cells before the last two are of its first line only.
type Row<const N: usize> = Vec<[String; N]>;

impl fmt::Display for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cached: Vec<_> = self.cached().map(|one| self.cached_row(one)).collect();
        let mutations: Vec<_> = self.mutations().map(|one| self.mutation_row(one)).collect();
        if self.is_empty() {
            f.write_str("no annotated function\n")?;
        }
        if !cached.is_empty() {
            let heads = ["cached", "where", "ttl", "key", "tags", "invalidated by"];
            table(f, heads, &cached)?;
        }
        if !cached.is_empty() && !mutations.is_empty() {
            f.write_str("\n")?;
        }
        if !mutations.is_empty() {
            let heads = ["mutation", "where", "when", "invalidates", "of"];
            table(f, heads, &mutations)?;
        }
        Ok(())
    }
}

impl Catalog {
    fn cached_row(&self, cached: &CachedFn) -> Row<6> {
        let by = |is: &dyn Fn(By<'_>) -> bool| {
            let is_by = |one: &&MutationFn| between(one, cached, self).any(is);
            let names = self.mutations().filter(is_by).map(|one| self.shown(one));
            names.collect::<Vec<_>>()
        };
        let mut lines = Vec::new();
        for label in cached.tags() {
            let named = self.mutations().flat_map(MutationFn::tags);
            let names = by(&|by| matches!(by, By::Tag(_, carried) if std::ptr::eq(carried, label)));
            lines.push((label.to_string(), or(names, nothing(label, named))));
        }
        let by_namespace = by(&|by| matches!(by, By::Namespace(_)));
        if cached.namespace().is_some() || !by_namespace.is_empty() {
            let name = cached.namespace().unwrap_or("its own");
            lines.push((format!("namespace {name}"), or(by_namespace, "-")));
        }
        let by_entry = by(&|by| matches!(by, By::Entry));
        if !by_entry.is_empty() {
            lines.push(("single entries".into(), by_entry.join(", ")));
        }
        for inner in self.inner(cached) {
            let inner = self.shown(inner);
            lines.push((format!("those of {inner}"), format!("as {inner}")));
        }
        let first = [
            self.shown(cached),
            place(cached.file(), cached.line()),
            cached.ttl().unwrap_or("default").to_owned(),
            cached.key(),
        ];
        rows(lines, |[tag, by]| {
            let [name, place, ttl, key] = first.clone();
            [name, place, ttl, key, tag, by]
        })
    }

    fn mutation_row(&self, mutation: &MutationFn) -> Row<5> {
        let of = |is: &dyn Fn(By<'_>) -> bool| {
            let is_of = |one: &&CachedFn| between(mutation, one, self).any(is);
            let names = self.cached().filter(is_of).map(|one| self.shown(one));
            names.collect::<Vec<_>>()
        };
        let mut lines = Vec::new();
        for label in mutation.tags() {
            let carried = self.cached().flat_map(CachedFn::tags);
            let names = of(&|by| matches!(by, By::Tag(named, _) if std::ptr::eq(named, label)));
            lines.push((label.to_string(), or(names, nothing(label, carried))));
        }
        for name in mutation.namespaces() {
            let names = of(&|by| matches!(by, By::Namespace(other) if other == name));
            lines.push((format!("namespace {name}"), or(names, "-")));
        }
        for call in mutation.entries() {
            let is_called = |one: &&CachedFn| self.is_called(mutation, call, one);
            let names = self.cached().filter(is_called).map(|one| self.shown(one));
            lines.push((format!("{call}(..)"), or(names.collect(), "?")));
        }
        let when = match mutation.crash_safe() {
            Some(deadline) => format!("{}, crash_safe {deadline}", mutation.when()),
            None => mutation.when().to_owned(),
        };
        let first = [
            self.shown(mutation),
            place(mutation.file(), mutation.line()),
            when,
        ];
        rows(lines, |[what, of]| {
            let [name, place, when] = first.clone();
            [name, place, when, what, of]
        })
    }
}

/// What stands where nothing is named: whether that is known.
fn nothing<'a>(label: &Label, mut others: impl Iterator<Item = &'a Label>) -> &'static str {
    if label.is_seen() && others.all(Label::is_seen) {
        "-"
    } else {
        "?"
    }
}

fn or(names: Vec<String>, nothing: &str) -> String {
    if names.is_empty() {
        nothing.to_owned()
    } else {
        names.join(", ")
    }
}

fn place(file: &str, line: u32) -> String {
    format!("{file}:{line}")
}

/// One line for each pair; what is of the first line only is empty in the others.
fn rows<const N: usize>(
    mut pairs: Vec<(String, String)>,
    full: impl Fn([String; 2]) -> [String; N],
) -> Row<N> {
    if pairs.is_empty() {
        pairs.push(("-".into(), "-".into()));
    }
    let mut rows: Row<N> = pairs.into_iter().map(|(a, b)| full([a, b])).collect();
    for cell in rows.iter_mut().skip(1).flat_map(|row| &mut row[..N - 2]) {
        cell.clear();
    }
    rows
}

fn table<const N: usize>(
    f: &mut fmt::Formatter<'_>,
    heads: [&str; N],
    rows: &[Row<N>],
) -> fmt::Result {
    let heads = heads.map(str::to_owned);
    let lines = || rows.iter().flatten();
    let length = |text: &String| text.chars().count();
    let widths: [usize; N] = std::array::from_fn(|at| {
        let cells = lines().map(|line| length(&line[at]));
        cells.fold(length(&heads[at]), usize::max)
    });
    let rule = widths.map(|width| "─".repeat(width));
    for line in [&heads, &rule].into_iter().chain(lines()) {
        let cells = line.iter().zip(widths);
        let padded: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(f, "{}", padded.join("  ").trim_end())?;
    }
    Ok(())
}
