//! The storm: many processes share one cache on real servers, everything that can go wrong does,
//! and every read is held to what was acknowledged before it began. `cargo xtask storm` runs it.
//!
//! The executable is both the parent, which starts servers and processes, does them harm, and
//! prints what came of it; and each of these processes.

mod aged;
mod board;
mod deployment;
mod fleet;
mod history;
mod items;
mod judge;
mod nested;
mod networks;
mod random;
mod side;
#[cfg(feature = "sync")]
mod still;
mod storm;
mod table;
mod tally;
mod way;
mod windows;
mod worker;

use std::process::ExitCode;
use std::time::SystemTime;

use afresh_test_support::Steer;

use deployment::{Clustered, Deployment, Replaced, Standalone};
use storm::Settings;

const USAGE: &str = "cargo xtask storm [--seconds 20] [--processes 4] [--seed N] \
     [--deployment standalone|sentinel|cluster] [--history FOLDER] [--without-sync]";

/// What this program was built with, as an option of `cargo xtask storm`.
const BUILT: &str = if cfg!(feature = "sync") {
    ""
} else {
    " --without-sync"
};

type Start = fn() -> Box<dyn Deployment>;

/// The kinds of servers, and how to start one of each.
const DEPLOYMENTS: [(&str, Start); 3] = [
    ("standalone", || Box::new(Standalone::start())),
    ("sentinel", || Box::new(Replaced::start())),
    ("cluster", || Box::new(Clustered::start())),
];

/// What was asked for on the command line.
struct Arguments {
    settings: Settings,
    deployment: Option<String>,
}

fn main() -> ExitCode {
    if let Some(steer) = Steer::take() {
        worker::run(steer);
        return ExitCode::SUCCESS;
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let arguments = match arguments(&words) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\n\n  {USAGE}");
            return ExitCode::from(2);
        }
    };
    for (name, start) in DEPLOYMENTS {
        if arguments
            .deployment
            .as_ref()
            .is_some_and(|only| only != name)
        {
            continue;
        }
        let deployment = start();
        let report = storm::run(name, &*deployment, &arguments.settings);
        println!("{}", report.table());
        if !report.held() {
            let Settings {
                seconds,
                processes,
                seed,
                ..
            } = &arguments.settings;
            eprintln!(
                "stale reads:\n{}\n\nTo run it again:\n\n    cargo xtask storm --seconds {seconds} \
                 --processes {processes} --deployment {name} --seed {seed}{BUILT}\n",
                report.violations()
            );
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn arguments(words: &[String]) -> Result<Arguments, String> {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let mut arguments = Arguments {
        settings: Settings {
            seconds: 20,
            processes: 4,
            seed: u64::from(clock.unwrap_or_default().subsec_nanos()),
            history: None,
        },
        deployment: None,
    };
    for pair in words.chunks(2) {
        let [name, value] = pair else {
            return Err(format!("`{}` needs a value", pair[0]));
        };
        let number = || {
            let number = value.parse::<u64>();
            number.map_err(|_| format!("`{name}` needs a number, got `{value}`"))
        };
        let settings = &mut arguments.settings;
        match name.as_str() {
            "--seconds" => settings.seconds = number()?,
            "--processes" => settings.processes = number()? as usize,
            "--seed" => settings.seed = number()?,
            "--history" => settings.history = Some(value.into()),
            "--deployment" => {
                if DEPLOYMENTS.iter().all(|(name, _)| name != value) {
                    return Err(format!("there is no deployment `{value}`"));
                }
                arguments.deployment = Some(value.clone());
            }
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    if arguments.settings.processes < 2 {
        return Err("a storm needs two processes at the least".to_owned());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, String> {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        arguments(&words)
    }

    #[test]
    fn options_are_read() {
        let read = read("--seconds 3 --processes 5 --seed 7 --deployment standalone --history /a");
        let Arguments {
            settings,
            deployment,
        } = read.expect("options");
        assert_eq!(settings.seconds, 3);
        assert_eq!(settings.processes, 5);
        assert_eq!(settings.seed, 7);
        assert_eq!(settings.history, Some("/a".into()));
        assert_eq!(deployment.as_deref(), Some("standalone"));
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (line, said) in [
            ("--seconds", "needs a value"),
            ("--seconds x", "needs a number"),
            ("--processes 1", "two processes"),
            ("--deployment none", "no deployment"),
            ("--wind 3", "no option"),
        ] {
            let told = read(line).err().unwrap_or_default();
            assert!(told.contains(said), "{line}: {told}");
        }
    }
}
