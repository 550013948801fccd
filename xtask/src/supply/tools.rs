//! What others' tools say: `cargo deny`, and `cargo semver-checks` once there is a release to compare
//! with. A tool that is not there is installed beneath the target folder, where that is possible.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use super::{CRATES, Outcome, passes, printed};
use crate::shell::{cargo, root, target};

/// Licences and sources of everything, second copies, as `deny.toml` has it.
pub(super) fn bans() -> Outcome {
    match deny(&["bans", "licenses", "sources"]) {
        Ok(mut command) => Outcome::of(passes(&mut command).map(|()| String::new())),
        Err(why) => Outcome::NotHere(why),
    }
}

/// Known vulnerabilities, where their list can be fetched.
pub(super) fn advisories() -> Outcome {
    let fetched = tool("cargo-deny").and_then(|program| {
        let mut fetch = Command::new(program);
        printed(fetch.args(["fetch", "db"]).current_dir(root())).map_err(|told| {
            format!(
                "not run: the database cannot be reached ({})",
                reason(&told)
            )
        })
    });
    match fetched.and_then(|_| deny(&["--disable-fetch", "advisories"])) {
        Ok(mut command) => Outcome::of(passes(&mut command).map(|()| String::new())),
        Err(why) => Outcome::NotHere(why),
    }
}

fn deny(what: &[&str]) -> Result<Command, String> {
    let mut command = Command::new(tool("cargo-deny")?);
    command.arg("check").args(what).current_dir(root());
    Ok(command)
}

/// Whether the version number says what has changed since the latest release.
pub(super) fn semver() -> Outcome {
    let mut tags = Command::new("git");
    tags.args(["tag", "--list", "v[0-9]*", "--sort=-version:refname"]);
    let tags = match printed(tags.current_dir(root())) {
        Ok(tags) => tags,
        Err(why) => return Outcome::NotHere(reason(&why)),
    };
    // The tool is large: it is installed when it has something to do.
    let Some(tag) = tags.lines().next() else {
        return Outcome::NotHere("no tag `v*` yet to compare with".to_owned());
    };
    let program = match tool("cargo-semver-checks") {
        Ok(program) => program,
        Err(why) => return Outcome::NotHere(why),
    };
    let compare = |name: &&str| {
        let mut command = Command::new(&program);
        command.args(["semver-checks", "--all-features", "--baseline-rev", tag]);
        passes(command.args(["-p", name]).current_dir(root()))
    };
    // It does not read macros; what they take is in the tests of compile errors.
    let libraries = CRATES.iter().filter(|name| **name != "afresh-macros");
    let compared: Result<Vec<()>, String> = libraries.map(compare).collect();
    Outcome::of(compared.map(|_| format!("compared with {tag}")))
}

/// The program, from the target folder, PATH, or a registry.
fn tool(name: &str) -> Result<PathBuf, String> {
    let tools = target().join("tools");
    let file = format!("{name}{}", env::consts::EXE_SUFFIX);
    let installed = tools.join("bin").join(&file);
    if installed.is_file() {
        return Ok(installed);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|folder| folder.join(&file));
    if let Some(found) = on_path.into_iter().find(|file| file.is_file()) {
        return Ok(found);
    }
    println!(
        "  {name} is not here; installing it into {}, which takes minutes",
        tools.display()
    );
    // Unoptimised: it is built for longer than it ever runs.
    let mut install = cargo(&["install", "--locked", "--debug", "--quiet", name]);
    install.arg("--root").arg(&tools);
    install
        .env("CARGO_TARGET_DIR", tools.join("build"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    let done = printed(&mut install);
    // Hundreds of megabytes, of which only the program is needed; if it stays, that is no harm.
    let _ = std::fs::remove_dir_all(tools.join("build"));
    done.map(|_| installed)
        .map_err(|told| format!("{name} could not be installed ({})", reason(&told)))
}

/// The line of a tool's output that says why, as far as one does.
fn reason(told: &str) -> String {
    let lines = || told.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines()
        .find(|line| line.contains("error"))
        .or_else(|| lines().next_back());
    line.unwrap_or("it did not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_one_line() {
        assert_eq!(
            reason("Updating\nerror: no such host\n\nCaused by:\n  x"),
            "error: no such host"
        );
        assert_eq!(reason("a\n  b  \n"), "b");
        assert_eq!(reason(""), "it did not say why");
    }
}
