//! The Rust version that the manifests state: what can be known about it with a newer compiler, and,
//! where that version is installed, whether it compiles.
//!
//! Clippy's `incompatible_msrv` knows since when each item of the standard library is there, and our
//! lints run it. It knows nothing of syntax: that is seen only where the version itself compiles.

use std::process::Command;

use super::tree::Tree;
use super::{CRATES, Outcome, passes, printed, selection};
use crate::shell::{cargo, target};

/// No dependency states a newer version than ours.
pub(super) fn stated() -> Result<String, String> {
    let tree = Tree::read()?;
    let ours = ours(&tree)?;
    let packages = tree.published();
    let mut silent = 0;
    let mut newer = Vec::new();
    for package in &packages {
        match package.text("rust_version") {
            None => silent += 1,
            Some(version) if number(version) > number(&ours) => {
                newer.push(format!("`{}` needs {version}", package.name));
            }
            Some(_) => (),
        }
    }
    if !newer.is_empty() {
        return Err(format!("{ours} is stated, and {}", newer.join(", ")));
    }
    Ok(format!(
        "{ours}; of {} packages none states more, {silent} state nothing",
        packages.len(),
    ))
}

/// No item of the standard library is newer. The arguments are those of the lints before a commit,
/// so that what these have looked at is not looked at again.
pub(super) fn used() -> Result<String, String> {
    let words = [
        "clippy",
        "--workspace",
        "--all-features",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    passes(&mut cargo(&words))?;
    Ok("no newer item of the standard library; syntax is not looked at".to_owned())
}

/// The version itself compiles the crates, with every feature.
pub(super) fn compiled() -> Outcome {
    let ours = match Tree::read().and_then(|tree| ours(&tree)) {
        Ok(ours) => ours,
        Err(why) => return Outcome::Fails(why),
    };
    let mut asked = Command::new("rustup");
    asked
        .args(["run", &ours, "rustc", "--version"])
        .env("RUSTUP_AUTO_INSTALL", "0");
    let Ok(version) = printed(&mut asked) else {
        return Outcome::NotHere(format!(
            "Rust {ours} is not installed, so syntax newer than it would go unseen \
             (rustup toolchain install {ours} --profile minimal)"
        ));
    };
    let mut command = Command::new("rustup");
    command.args(["run", &ours, "cargo", "check", "--locked", "--all-features"]);
    command.args(selection()).current_dir(crate::shell::root());
    // What runs this is another version's, and says so in these.
    for name in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command.env("CARGO_TARGET_DIR", target().join("msrv"));
    Outcome::of(passes(&mut command).map(|()| version.trim().to_owned()))
}

/// The version that all published crates state.
fn ours(tree: &Tree) -> Result<String, String> {
    let mut stated = Vec::new();
    for name in CRATES {
        let version = tree.member(name)?.text("rust_version");
        stated.push(version.ok_or_else(|| format!("`{name}` states no rust-version"))?);
    }
    stated.dedup();
    match stated[..] {
        [version] => Ok(version.to_owned()),
        _ => Err(format!("the crates state different versions: {stated:?}")),
    }
}

/// `1.91` is `1.91.0`.
fn number(version: &str) -> [u32; 3] {
    let mut parts = version
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(number("1.91"), number("1.91.0"));
        assert!(number("1.100") > number("1.91"));
        assert!(number("1.91.1") > number("1.91"));
        assert!(number("1.9") < number("1.10"));
    }
}
