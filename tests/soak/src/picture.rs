//! The readings as a picture: SVG that needs nothing else, by hand. Text and lines take the colour of
//! what is around them, so that it can be read on light and on dark pages.

use std::fmt::{self, Display, Formatter};

use crate::gauge::Sample;
use crate::run::Ran;
use crate::verdict::float;

/// The picture of these runs, side by side.
pub(crate) struct Picture<'a>(pub(crate) &'a [Ran]);

const PANEL: (f64, f64) = (350.0, 96.0);
const LEFT: f64 = 52.0;
const TOP: f64 = 64.0;
/// From one panel's beginning to the next one's.
const STEP: (f64, f64) = (430.0, 136.0);

const STYLE: &str = "\
svg.afresh-soak{max-width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe UI',sans-serif}
svg.afresh-soak:root{color:#24292f;background:#fff}
@media (prefers-color-scheme:dark){svg.afresh-soak:root{color:#e6edf3;background:#0d1117}}
.afresh-soak text{fill:currentColor}
.afresh-soak .title{font-size:16px;font-weight:600}
.afresh-soak .dim{fill-opacity:.72}
.afresh-soak .end{text-anchor:end}
.afresh-soak .grid{stroke:currentColor;stroke-opacity:.16}
.afresh-soak .axis{stroke:currentColor;stroke-opacity:.5}
.afresh-soak .warm{fill:currentColor;fill-opacity:.07}
.afresh-soak polyline{fill:none;stroke-width:1.6;stroke-linejoin:round}
.afresh-soak .memory{stroke:#3b82f6}
.afresh-soak .files{stroke:#1f9d57}
.afresh-soak .tasks{stroke:#d17a00}
.afresh-soak .server{stroke:#3b82f6;stroke-dasharray:5 3}
";

/// What is drawn: its name, its class, and how it is read.
type Line = (&'static str, &'static str, fn(&Sample) -> Option<f64>);

const PANELS: [(&str, &[Line]); 3] = [
    (
        "memory, MB",
        &[
            ("process", "memory", |sample| {
                Some(float(sample.memory) / 1e6)
            }),
            ("server", "server", |sample| {
                sample.server.map(|server| float(server.memory) / 1e6)
            }),
        ],
    ),
    (
        "file descriptors",
        &[("", "files", |sample| Some(float(sample.files)))],
    ),
    (
        "tasks, without those that compute in the background",
        &[("", "tasks", |sample| Some(float(sample.tasks)))],
    ),
];

/// A coordinate: a tenth is exact enough.
fn n(value: f64) -> impl Display {
    (value * 10.0).round() / 10.0 + 0.0
}

/// A round number that is no less.
fn round_above(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1.0).log10().floor());
    let steps = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let found = steps
        .iter()
        .map(|step| step * power)
        .find(|top| *top >= value);
    found.unwrap_or(10.0 * power)
}

/// A number of calls, as people write it.
fn millions(calls: u64) -> String {
    if calls >= 1_000_000 {
        format!("{} million", n(float(calls) / 1e6))
    } else {
        calls.to_string()
    }
}

impl Display for Picture<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = LEFT + STEP.0 * float(self.0.len() as u64) - 20.0;
        let height = TOP + STEP.1 * float(PANELS.len() as u64);
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="afresh-soak" role="img" aria-labelledby="soak soak-is" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
        )?;
        writeln!(
            f,
            r#"<title id="soak">Memory, file descriptors and tasks over a soak</title>"#
        )?;
        writeln!(f, r#"<desc id="soak-is">{}</desc>"#, described(self.0))?;
        writeln!(f, "<style>\n{STYLE}</style>")?;
        for (column, ran) in self.0.iter().enumerate() {
            let left = LEFT + STEP.0 * float(column as u64);
            let last = ran.samples.last().map_or(0, |sample| sample.calls);
            writeln!(
                f,
                r#"<text class="title" x="{}" y="30">{}, {} calls</text>"#,
                n(left),
                ran.name,
                millions(last)
            )?;
            for (row, (title, lines)) in PANELS.iter().enumerate() {
                let top = TOP + STEP.1 * float(row as u64);
                panel(f, (left, top), title, lines, &ran.samples)?;
            }
        }
        f.write_str("</svg>\n")
    }
}

/// What the picture shows, for those who do not see it.
fn described(runs: &[Ran]) -> String {
    let run = |ran: &Ran| {
        let steady = crate::verdict::after_warm_up(&ran.samples);
        let range = |of: fn(&Sample) -> u64| {
            let of = || steady.iter().map(of);
            (
                of().min().unwrap_or_default(),
                of().max().unwrap_or_default(),
            )
        };
        let (least, most) = range(|sample| sample.memory / 1_000_000);
        let (fewest, files) = range(|sample| sample.files);
        format!(
            "{}: after the warm-up, {least} to {most} MB of memory and {fewest} to {files} file \
             descriptors.",
            ran.name
        )
    };
    runs.iter().map(run).collect::<Vec<_>>().join(" ")
}

fn panel(
    f: &mut Formatter<'_>,
    (left, top): (f64, f64),
    title: &str,
    lines: &[Line],
    samples: &[Sample],
) -> fmt::Result {
    let (width, height) = PANEL;
    let last = float(samples.last().map_or(1, |sample| sample.calls.max(1)));
    let values = lines
        .iter()
        .flat_map(|line| samples.iter().filter_map(line.2));
    let most = round_above(values.fold(0.0, f64::max));
    let y = |value: f64| top + height - height * value / most;
    let x = |calls: u64| left + width * float(calls) / last;
    writeln!(
        f,
        r#"<text class="dim" x="{}" y="{}">{title}</text>"#,
        n(left),
        n(top - 8.0)
    )?;
    writeln!(
        f,
        r#"<rect class="warm" x="{}" y="{}" width="{}" height="{}"/>"#,
        n(left),
        n(top),
        n(width * 0.3),
        n(height)
    )?;
    for value in [0.0, most / 2.0, most] {
        let class = if value == 0.0 { "axis" } else { "grid" };
        writeln!(
            f,
            r#"<line class="{class}" x1="{}" y1="{at}" x2="{}" y2="{at}"/><text class="dim end" x="{}" y="{}">{}</text>"#,
            n(left),
            n(left + width),
            n(left - 6.0),
            n(y(value) + 4.0),
            n(value),
            at = n(y(value)),
        )?;
    }
    for (name, class, of) in lines {
        let points = samples
            .iter()
            .filter_map(|sample| Some((sample.calls, of(sample)?)));
        let points: Vec<_> = points.map(|(calls, value)| (x(calls), y(value))).collect();
        let Some((end, at)) = points.last() else {
            continue;
        };
        let text = points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y)));
        let text = text.collect::<Vec<_>>().join(" ");
        writeln!(f, r#"<polyline class="{class}" points="{text}"/>"#)?;
        if lines.len() > 1 {
            let (end, at) = (n(*end - 4.0), n(*at - 5.0));
            writeln!(
                f,
                r#"<text class="dim end" x="{end}" y="{at}">{name}</text>"#
            )?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, top) in [
            (0.0, 1.0),
            (9.1, 10.0),
            (101.0, 150.0),
            (200.0, 200.0),
            (17.0, 20.0),
        ] {
            assert!(
                (round_above(value) - top).abs() < 1e-9,
                "{value}: {}",
                round_above(value)
            );
        }
    }

    #[test]
    fn calls_are_told_shortly() {
        assert_eq!(millions(50_000_000), "50 million");
        assert_eq!(millions(2_500), "2500");
    }
}
