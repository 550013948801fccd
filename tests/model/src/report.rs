//! What an exploration found, as text: a line for each case, and for each rule that was left out
//! the steps that break a promise. It explores nothing and judges nothing.

use std::fmt::Write as _;
use std::time::Duration;

use crate::case::{self, Case, Extent, Rule};
use crate::explore::{Explored, Violation};

/// The line above those of the cases.
pub fn heading() -> String {
    let (case, steps, states, depth) = ("case", "steps", "states", "depth");
    format!("{case:<14}{steps:>13}{states:>13}{depth:>7}     time  visited     found")
}

/// A case's line.
pub fn line(case: &Case, explored: &Explored) -> String {
    let visited = match case.extent {
        _ if explored.violation.is_some() => String::new(),
        Extent::Everything | Extent::Depth(_) if explored.complete => "everything".to_owned(),
        Extent::Everything | Extent::Depth(_) if explored.cut => "cut off".to_owned(),
        Extent::Everything | Extent::Depth(_) => format!("to depth {}", explored.depth),
    };
    let mut found = format!("{} hold", explored.held);
    if explored.reached > 0 {
        let _ = write!(found, ", {} come about", explored.reached);
    }
    format!(
        "{:<14}{:>13}{:>13}{:>7}{:>9}  {visited:<11} {found}",
        case.name,
        grouped(explored.states),
        grouped(explored.unique),
        explored.depth,
        seconds(explored.time),
    )
}

/// What a case is, below its line.
pub fn about(case: &Case) -> String {
    let mut text = folded(case.about, "    ");
    text.push('\n');
    text.push_str(&folded(&format!("bounds: {}", case.bounds), "    "));
    text
}

/// What happens without a rule: a title, the rule, and the steps that break a promise.
pub fn refutation(of: &Case, rule: &Rule, explored: &Explored) -> String {
    let mut text = format!("{} without `{}`", of.name, rule.name);
    let Some(violation) = &explored.violation else {
        let end = if explored.cut {
            ", as far as was seen"
        } else {
            ""
        };
        let _ = write!(text, ": nothing is broken{end}");
        return text;
    };
    let _ = writeln!(
        text,
        ": broken after {}",
        case::steps(violation.steps.len())
    );
    let _ = writeln!(text, "{}", folded(&format!("rule: {}", rule.says), "    "));
    let _ = writeln!(
        text,
        "{}",
        folded(&format!("kept in: {}", rule.lives), "    ")
    );
    text.push_str(&steps(violation));
    text
}

/// A rule and what its absence breaks, in a line.
pub fn brief(case: &Case, rule: &Rule, explored: &Explored) -> String {
    let broken = match &explored.violation {
        Some(Violation { property, steps }) => {
            format!("{:>8}  {property}", case::steps(steps.len()))
        }
        None => "nothing is broken".to_owned(),
    };
    format!("{:<14}without {:<28}{broken}", case.name, rule.name)
}

/// The steps that break a property, numbered, and the property.
pub fn steps(violation: &Violation) -> String {
    let mut text = String::new();
    for (number, step) in violation.steps.iter().enumerate() {
        let number = format!("{:>6}  ", number + 1);
        let mut step = folded(step, "        ");
        step.replace_range(..number.len(), &number);
        let _ = writeln!(text, "{step}");
    }
    text + &folded(&format!("broken: {}", violation.property), "    ")
}

/// The last line.
pub fn total(explored: &[Explored], rules: usize) -> String {
    let states = explored.iter().map(|explored| explored.states).sum();
    let unique = explored.iter().map(|explored| explored.unique).sum();
    let time = explored.iter().map(|explored| explored.time).sum();
    let first = format!(
        "{:<14}{:>13}{:>13}",
        "total",
        grouped(states),
        grouped(unique)
    );
    format!(
        "{first}{:>7}{:>9}  {rules} rules left out, one by one",
        "",
        seconds(time)
    )
}

/// `12345678` as `12,345,678`.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

const WIDTH: usize = 100;

/// Lines of at most [`WIDTH`] characters, each behind this margin.
fn folded(text: &str, margin: &str) -> String {
    let mut lines = vec![margin.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().filter(|line| {
            line.len() == margin.len() || line.chars().count() + 1 + word.chars().count() <= WIDTH
        });
        match line {
            Some(line) => {
                if line.len() > margin.len() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(format!("{margin}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let texts = [7, 123, 1_234, 12_345_678].map(grouped);
        assert_eq!(texts, ["7", "123", "1,234", "12,345,678"]);
    }

    #[test]
    fn long_lines_are_folded() {
        let text = folded(&"word ".repeat(30), "  ");
        assert!(
            text.lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("  word"))
        );
        assert_eq!(text.split_whitespace().count(), 30);
    }
}
