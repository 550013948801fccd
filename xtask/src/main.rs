//! The chores of this repository, as `cargo xtask <command>`: which commands there are, and
//! nothing of what they do.

mod bench;
mod fuzz;
mod instructions;
mod interleave;
mod model;
mod proof;
mod server;
mod shell;
mod soak;
mod step;
mod storm;
mod supply;
mod test;
mod weigh;

use std::process::ExitCode;

/// One chore. To add one, write its module and a line in [`COMMANDS`].
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> ExitCode,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "everything that must hold before a commit: formatting, lints, tests, docs, the \
                example, a short storm",
        run: test::run,
    },
    Command {
        name: "storm",
        about: "many processes on real servers, everything that can go wrong: is a read ever stale?",
        run: storm::run,
    },
    Command {
        name: "model",
        about: "the protocol's models: every state of them, and what each rule prevents",
        run: model::run,
    },
    Command {
        name: "interleave",
        about: "the rules of the call path in interleavings of the code: does one ever break?",
        run: interleave::run,
    },
    Command {
        name: "proof",
        about: "the tests and the storm on each kind of server: the one here, Valkey, Redis 6.2",
        run: proof::run,
    },
    Command {
        name: "fuzz",
        about: "hostile bytes at every way in, guided by what they reach: does anything panic, or \
                take too much?",
        run: fuzz::run,
    },
    Command {
        name: "supply",
        about: "what comes with the crates and goes into their packages: dependencies, licences, \
                features, versions",
        run: supply::run,
    },
    Command {
        name: "soak",
        about: "tens of millions of calls, in memory and on a server: does anything grow or stay behind?",
        run: soak::run,
    },
    Command {
        name: "instructions",
        about: "how many instructions a hit in the process takes, beside what was noted",
        run: instructions::run,
    },
    Command {
        name: "bench",
        about: "speed and correctness beside the peers, in one run: tables and plots in docs/bench",
        run: bench::run,
    },
    Command {
        name: "weigh",
        about: "what an annotation costs to compile, in time and size, beside `instrument`",
        run: weigh::run,
    },
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = words.split_first() else {
        println!("{}", list());
        return ExitCode::SUCCESS;
    };
    if let Some(command) = COMMANDS.iter().find(|command| command.name == name) {
        return (command.run)(rest);
    }
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", list());
        return ExitCode::SUCCESS;
    }
    eprintln!("there is no command `{name}`\n\n{}", list());
    ExitCode::from(2)
}

fn list() -> String {
    let line = |Command { name, about, .. }: &Command| format!("\n  {name:<12}{about}");
    let lines: String = COMMANDS.iter().map(line).collect();
    format!("cargo xtask <command>\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_names_every_command() {
        let list = list();
        assert!(COMMANDS.iter().all(|command| list.contains(command.about)));
    }
}
