//! Explores the cases and prints what was found: `cargo xtask model`, or `cargo run -p
//! afresh-model`. What the cases are is in the library; here are the options and the order.

use std::process::ExitCode;
use std::time::Duration;

use afresh_model::case::{Case, Size};
use afresh_model::explore::{Explored, Limits};
use afresh_model::{all, report};

const USAGE: &str = "\
cargo xtask model [CASE] [OPTIONS]   every state of the protocol's models, and what each rule prevents
    CASE           only the cases whose names begin so
    --off RULE     only without this rule
    --list         the cases and their rules; nothing is run
    --brief        rules in one line each, without the steps
    --small        as small as in `cargo test`
    --seconds N    for one exploration, at most (600)
    --states N     for one exploration, at most (20,000,000)";

/// What was asked for.
#[derive(Debug)]
struct Options {
    case: Option<String>,
    off: Option<String>,
    list: bool,
    brief: bool,
    size: Size,
    limits: Limits,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("{wrong}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let mut cases = all();
    if let Some(name) = &options.case {
        cases.retain(|case| case.name.starts_with(name));
    }
    if let Some(rule) = &options.off {
        cases.retain(|case| case.rules.iter().any(|known| known.name == rule));
    }
    if cases.is_empty() {
        eprintln!("there is no such case or rule: --list has them all");
        return ExitCode::from(2);
    }
    if options.list {
        list(&cases);
        return ExitCode::SUCCESS;
    }
    let mut faults = Vec::new();
    let explored = match options.off {
        Some(_) => Vec::new(),
        None => explore(&cases, &options, &mut faults),
    };
    let rules = refute(&cases, &options, &mut faults);
    if options.off.is_none() {
        println!("{}", report::total(&explored, rules));
    }
    for fault in &faults {
        println!("FAULT  {fault}");
    }
    if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options(words: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        case: None,
        off: None,
        list: false,
        brief: false,
        size: Size::Whole,
        limits: Limits::default(),
    };
    let mut words = words;
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
        let number = |text: String| text.replace([',', '_'], "").parse::<usize>();
        let unreadable = |_| format!("{word} needs a number");
        match word.as_str() {
            "--list" => options.list = true,
            "--brief" => options.brief = true,
            "--small" => options.size = Size::Small,
            "--off" => options.off = Some(value()?),
            "--states" => options.limits.states = number(value()?).map_err(unreadable)?,
            "--seconds" => {
                let seconds = number(value()?).map_err(unreadable)?;
                options.limits.time = Duration::from_secs(seconds as u64);
            }
            _ if word.starts_with('-') => return Err(format!("there is no option {word}")),
            _ if options.case.is_some() => return Err(format!("one case, not {word} too")),
            _ => options.case = Some(word),
        }
    }
    Ok(options)
}

fn list(cases: &[Case]) {
    for case in cases {
        println!("{}\n{}", case.name, report::about(case));
        for rule in &case.rules {
            println!("    --off {:<18}{}", rule.name, rule.says);
            println!("    {:<24}({})", "", rule.lives);
        }
        println!();
    }
}

/// Every case with all its rules.
fn explore(cases: &[Case], options: &Options, faults: &mut Vec<String>) -> Vec<Explored> {
    println!("{}", report::heading());
    let mut explored = Vec::new();
    for case in cases {
        let found = case.whole(options.size, options.limits);
        println!("{}", report::line(case, &found));
        println!("{}\n", report::about(case));
        if let Some(violation) = &found.violation {
            println!("{}\n", report::steps(violation));
        }
        let wrong = case.faults(&found).into_iter();
        faults.extend(wrong.map(|fault| format!("{}: {fault}", case.name)));
        explored.push(found);
    }
    explored
}

/// Every case without each of its rules, or without the one that was named. Returns how many.
fn refute(cases: &[Case], options: &Options, faults: &mut Vec<String>) -> usize {
    let mut rules = 0;
    for case in cases {
        for (place, rule) in case.rules.iter().enumerate() {
            if options.off.as_ref().is_some_and(|off| off != rule.name) {
                continue;
            }
            rules += 1;
            let found = case.without(place, options.size, options.limits);
            if options.brief {
                println!("{}", report::brief(case, rule, &found));
            } else {
                println!("{}\n", report::refutation(case, rule, &found));
            }
            if found.violation.is_none() {
                faults.push(format!(
                    "{}: nothing breaks without `{}`",
                    case.name, rule.name
                ));
            }
        }
    }
    if options.brief {
        println!();
    }
    rules
}
