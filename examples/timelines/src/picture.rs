//! A timeline as a picture: SVG that needs nothing else, by hand. Text and lines take the colour of
//! what is around them, so that it can be read on light and on dark pages; what must be told apart
//! differs in shape as well as in colour.

use std::fmt::{self, Display, Formatter, Write as _};

use afresh::Outcome;

use crate::run::{Called, Span, Timeline};
use crate::shop::TTL;
use crate::world::{self, Second};

/// The picture of a timeline.
pub(crate) struct Picture<'a>(pub(crate) &'a Timeline);

const WIDTH: f64 = 840.0;
const HEIGHT: f64 = 372.0;

/// Where time begins and ends.
const LEFT: f64 = 78.0;
const RIGHT: f64 = 826.0;

/// Where calls without a value are.
const NOTHING: f64 = 118.0;

/// Where the oldest value would be, and one that is new.
const OLD: f64 = 138.0;
const NEW: f64 = 286.0;
pub(crate) const OLDEST: Second = 80;

/// Where the computes are: in two rows, so that one that begins while another goes on can be seen.
const COMPUTES: f64 = 300.0;
const BAR: f64 = 8.0;
const ROW: f64 = 10.0;

/// Where the price of the database is.
const PRICES: f64 = 324.0;
const STRIP: f64 = 15.0;

/// The rules reach no further than pictures of this kind, since a page may have several of them in
/// it. Only where the picture stands alone does it choose the colour of its text.
const STYLE: &str = "\
svg.afresh-timeline{max-width:100%;height:auto;font:12px system-ui,-apple-system,'Segoe UI',sans-serif}
svg.afresh-timeline:root{color:#24292f;background:#fff}
@media (prefers-color-scheme:dark){svg.afresh-timeline:root{color:#e6edf3;background:#0d1117}}
.afresh-timeline text{fill:currentColor}
.afresh-timeline .title{font-size:16px;font-weight:600}
.afresh-timeline .code{font-family:ui-monospace,Menlo,Consolas,monospace}
.afresh-timeline .dim{fill-opacity:.72}
.afresh-timeline .end{text-anchor:end}
.afresh-timeline .mid{text-anchor:middle}
.afresh-timeline .grid{stroke:currentColor;stroke-opacity:.16}
.afresh-timeline .axis{stroke:currentColor;stroke-opacity:.5}
.afresh-timeline .limit{stroke:currentColor;stroke-opacity:.75;stroke-dasharray:5 4}
.afresh-timeline .away{fill:#e5484d;fill-opacity:.13}
.afresh-timeline .slow{fill:currentColor;fill-opacity:.07}
.afresh-timeline .price{fill:currentColor;fill-opacity:.1}
.afresh-timeline .odd{fill-opacity:.2}
.afresh-timeline .hit{fill:#1f9d57;stroke:#1f9d57}
.afresh-timeline .stale{fill:#d17a00;stroke:#d17a00}
.afresh-timeline .own{fill:#3b82f6;stroke:#3b82f6}
.afresh-timeline .joined{fill:none;stroke:#3b82f6;stroke-width:1.6}
.afresh-timeline .error{fill:none;stroke:#e5484d;stroke-width:2.2}
.afresh-timeline .wait{stroke-width:1.6;stroke-opacity:.55}
.afresh-timeline .back{fill-opacity:.22}
.afresh-timeline .failed{fill:#e5484d;stroke:#e5484d}
";

/// A coordinate: a tenth is exact enough.
fn n(value: f64) -> impl Display {
    let tenths = (value * 10.0).round() / 10.0;
    // No minus before a zero.
    tenths + 0.0
}

fn x(second: Second) -> f64 {
    LEFT + (RIGHT - LEFT) * f64::from(second) / f64::from(world::END)
}

fn y(age: Second) -> f64 {
    NEW - (NEW - OLD) * f64::from(age) / f64::from(OLDEST)
}

/// A moment, as people write it.
fn clock(second: Second) -> impl Display {
    format!("{}:{:02}", second / 60, second % 60)
}

impl Display for Picture<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let timeline = self.0;
        let case = &timeline.case;
        // The beginning is a line of its own and no line is empty: so Markdown takes it for what
        // it is.
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" class="afresh-timeline" role="img" aria-labelledby="timeline-{name} timeline-{name}-is" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">"#,
            name = case.name,
        )?;
        writeln!(
            f,
            r#"<title id="timeline-{}">{}</title>"#,
            case.name, case.title
        )?;
        let described = described(timeline);
        writeln!(
            f,
            r#"<desc id="timeline-{}-is">{described}</desc>"#,
            case.name
        )?;
        writeln!(f, "<style>\n{STYLE}</style>")?;
        writeln!(
            f,
            r#"<text class="title" x="14" y="26">{}</text>"#,
            case.title
        )?;
        writeln!(
            f,
            r#"<text class="code dim" x="14" y="46">{}</text>"#,
            case.policy
        )?;
        legend(f)?;
        incidents(f)?;
        ages(f, case.stale_until)?;
        timeline
            .computes
            .iter()
            .try_for_each(|span| bar(f, span, is_below(&timeline.computes, span)))?;
        prices(f)?;
        timeline.calls.iter().try_for_each(|call| called(f, call))?;
        f.write_str("</svg>\n")
    }
}

/// What the picture shows, for those who do not see it.
fn described(timeline: &Timeline) -> String {
    let calls = &timeline.calls;
    let count = |is: fn(&Called) -> bool| calls.iter().filter(|call| is(call)).count();
    let waited: Second = calls.iter().map(Called::waited).sum();
    format!(
        "{} calls in {} minutes, one every {} seconds, of a value with a ttl of {TTL} seconds. {} were \
         hits, {} got a value past its ttl, {} waited for a new one, {} got an error. Together they \
         waited {waited} seconds; the oldest value was {} seconds old.",
        calls.len(),
        world::END / 60,
        world::EVERY,
        count(|call| matches!(kind(call), Kind::Hit)),
        count(|call| matches!(kind(call), Kind::Stale)),
        count(|call| matches!(kind(call), Kind::Own | Kind::Joined)),
        count(|call| matches!(kind(call), Kind::Error)),
        calls
            .iter()
            .filter_map(Called::age)
            .max()
            .unwrap_or_default(),
    )
}

/// How a call is shown.
#[derive(Clone, Copy)]
enum Kind {
    Hit,
    Stale,
    Own,
    Joined,
    Error,
}

fn kind(call: &Called) -> Kind {
    match call.outcome {
        _ if call.price.is_err() => Kind::Error,
        Outcome::Stale => Kind::Stale,
        Outcome::Coalesced => Kind::Joined,
        Outcome::Hit(_) => Kind::Hit,
        _ => Kind::Own,
    }
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Own => "own",
            Self::Joined => "joined",
            Self::Error => "error",
        }
    }

    fn close(self) -> &'static str {
        match self {
            Self::Hit => "</circle>",
            _ => "</path>",
        }
    }

    /// A mark of this shape at this place, up to its end: what is written next is inside it.
    fn open(self, x: f64, y: f64) -> String {
        let class = self.class();
        let at = format!("M{} {}", n(x), n(y));
        match self {
            Self::Hit => format!(
                r#"<circle class="{class}" cx="{}" cy="{}" r="3""#,
                n(x),
                n(y)
            ),
            Self::Stale => {
                format!(r#"<path class="{class}" d="{at}m0-4.6 4.6 4.6-4.6 4.6-4.6-4.6z""#)
            }
            Self::Own | Self::Joined => {
                format!(r#"<path class="{class}" d="{at}m0-4.4 4.2 7.6h-8.4z""#)
            }
            Self::Error => {
                format!(r#"<path class="{class}" d="{at}m-3.6-3.6 7.2 7.2m0-7.2-7.2 7.2""#)
            }
        }
    }
}

fn legend(f: &mut Formatter<'_>) -> fmt::Result {
    let row = 72.0;
    let mut at = 20.0;
    let marks = [
        (Kind::Hit, "hit"),
        (Kind::Stale, "stale"),
        (Kind::Own, "computed"),
        (Kind::Joined, "joined a compute"),
        (Kind::Error, "error"),
    ];
    for (kind, text) in marks {
        writeln!(f, "{}/>", kind.open(at, row - 4.0))?;
        writeln!(f, r#"<text x="{}" y="{row}">{text}</text>"#, n(at + 10.0))?;
        at += 26.0 + advance(text);
    }
    let bars = [
        ("own", "compute, waited for"),
        ("own back", "in the background"),
        ("failed", "failed"),
    ];
    for (class, text) in bars {
        let top = n(row - 8.0);
        writeln!(
            f,
            r#"<rect class="{class}" x="{}" y="{top}" width="16" height="{BAR}"/>"#,
            n(at)
        )?;
        writeln!(f, r#"<text x="{}" y="{row}">{text}</text>"#, n(at + 22.0))?;
        at += 38.0 + advance(text);
    }
    Ok(())
}

/// About as wide as this text is.
fn advance(text: &str) -> f64 {
    text.chars().map(|_| 7.1).sum()
}

/// What befalls the database, and the invalidation.
fn incidents(f: &mut Formatter<'_>) -> fmt::Result {
    let top = 92.0;
    let bottom = PRICES - 4.0;
    for (class, (from, to), text) in [
        ("away", world::OUTAGE, "database away"),
        ("slow", world::SLOW, "database slow"),
    ] {
        writeln!(
            f,
            r#"<rect class="{class}" x="{}" y="{top}" width="{}" height="{}"/>"#,
            n(x(from)),
            n(x(to) - x(from)),
            n(bottom - top),
        )?;
        let (left, base) = (n(x(from) + 5.0), n(top + 13.0));
        writeln!(
            f,
            r#"<text class="dim" x="{left}" y="{base}">{text}</text>"#
        )?;
    }
    let at = x(world::INVALIDATION);
    let (line, base) = (n(at), n(top + 13.0));
    writeln!(
        f,
        r#"<path class="axis" d="M{line} {top}V{}"/>"#,
        n(PRICES + STRIP)
    )?;
    let right = n(at + 5.0);
    writeln!(f, r#"<text x="{right}" y="{base}">invalidated</text>"#)
}

/// The axis of the ages, and the limits on it.
fn ages(f: &mut Formatter<'_>, stale_until: Option<Second>) -> fmt::Result {
    let label = |f: &mut Formatter<'_>, at: f64, text: &str| {
        let (left, base) = (n(LEFT - 9.0), n(at + 4.0));
        writeln!(
            f,
            r#"<text class="end" x="{left}" y="{base}">{text}</text>"#
        )
    };
    label(f, NOTHING, "no value")?;
    let stale_until = stale_until.unwrap_or_default();
    for age in (0..=OLDEST).step_by(30) {
        let class = match age {
            0 => "axis",
            limit if limit == TTL || limit == stale_until => "limit",
            _ => "grid",
        };
        let (left, right) = (n(LEFT), n(RIGHT));
        writeln!(
            f,
            r#"<path class="{class}" d="M{left} {}H{right}"/>"#,
            n(y(age))
        )?;
        label(f, y(age), &format!("{age} s"))?;
    }
    let middle = n(f64::midpoint(OLD, NEW));
    writeln!(
        f,
        r#"<text class="dim mid" transform="translate(18 {middle})rotate(-90)">age of the value</text>"#
    )?;
    for (age, text) in [(TTL, "ttl"), (stale_until, "end of stale_for")] {
        if age > 0 {
            let (left, base) = (n(LEFT + 4.0), n(y(age) - 5.0));
            writeln!(
                f,
                r#"<text class="dim" x="{left}" y="{base}">{text}</text>"#
            )?;
        }
    }
    label(f, COMPUTES + BAR / 2.0, "computes")
}

/// Whether a compute is in the second row: where the one before has not ended, and is in the first.
fn is_below(spans: &[Span], span: &Span) -> bool {
    let began = spans.iter().find(|other| other.compute == span.compute);
    let before = spans
        .iter()
        .rfind(|other| other.compute + 1 == span.compute);
    match (before, began) {
        (Some(before), Some(began)) => before.to > began.from && !is_below(spans, before),
        _ => false,
    }
}

/// A compute, or a part of one.
fn bar(f: &mut Formatter<'_>, span: &Span, is_below: bool) -> fmt::Result {
    let class = match (span.failed, span.waited_for) {
        (false, true) => "own",
        (false, false) => "own back",
        (true, true) => "failed",
        (true, false) => "failed back",
    };
    writeln!(
        f,
        r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{BAR}"><title>{} to {}: compute{}{}</title></rect>"#,
        n(x(span.from)),
        n(COMPUTES + if is_below { ROW } else { 0.0 }),
        n(x(span.to) - x(span.from)),
        clock(span.from),
        clock(span.to),
        if span.waited_for {
            ""
        } else {
            " in the background"
        },
        if span.failed { ", failed" } else { "" },
    )
}

/// The price that the database has, and the axis of time.
fn prices(f: &mut Formatter<'_>) -> fmt::Result {
    let (left, base) = (n(LEFT - 9.0), n(PRICES + 11.5));
    writeln!(f, r#"<text class="end" x="{left}" y="{base}">price</text>"#)?;
    let mut from = 0;
    let mut odd = false;
    for second in 1..=world::END {
        let price = world::price_at(from);
        if second < world::END && world::price_at(second) == price {
            continue;
        }
        let class = if odd { "price odd" } else { "price" };
        let (start, width) = (x(from), x(second) - x(from));
        writeln!(
            f,
            r#"<rect class="{class}" x="{}" y="{PRICES}" width="{}" height="{STRIP}"/>"#,
            n(start),
            n(width),
        )?;
        if width > 28.0 {
            let middle = n(start + width / 2.0);
            writeln!(
                f,
                r#"<text class="mid dim" x="{middle}" y="{base}">{price}</text>"#
            )?;
        }
        from = second;
        odd = !odd;
    }
    let top = PRICES + STRIP + 3.0;
    let ticks = (0..=world::END).step_by(30);
    let mut line = String::new();
    for second in ticks.clone() {
        // Writing to a text does not fail.
        let _ = write!(line, "M{} {}v5", n(x(second)), n(top));
    }
    writeln!(f, r#"<path class="axis" d="{line}"/>"#)?;
    for second in ticks {
        let class = if second == world::END { "end" } else { "mid" };
        writeln!(
            f,
            r#"<text class="{class}" x="{}" y="{}">{}</text>"#,
            n(x(second)),
            n(top + 18.0),
            clock(second)
        )?;
    }
    Ok(())
}

/// A call: a mark at the moment when it was made, and a line to its answer.
fn called(f: &mut Formatter<'_>, call: &Called) -> fmt::Result {
    let kind = kind(call);
    let at = call.age().map_or(NOTHING, y);
    let waited = call.waited();
    if waited > 0 {
        let class = kind.class();
        let (from, to) = (n(x(call.asked)), n(x(call.answered)));
        writeln!(
            f,
            r#"<path class="{class} wait" d="M{from} {}H{to}"/>"#,
            n(at)
        )?;
    }
    let got = match &call.price {
        Ok(price) => {
            let age = call.age().unwrap_or_default();
            format!("{}, price {}, {age} s old", call.outcome, price.amount)
        }
        Err(error) => error.to_string(),
    };
    let wait = if waited > 0 {
        format!(", after {waited} s")
    } else {
        String::new()
    };
    let mark = kind.open(x(call.asked), at);
    writeln!(
        f,
        "{mark}><title>{}: {got}{wait}</title>{}",
        clock(call.asked),
        kind.close()
    )
}
