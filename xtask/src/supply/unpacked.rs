//! The packages as they are for whoever unpacks them, which distributions do, and those who try a
//! new compiler on everything that is published: the tests that are in them, run there.
//!
//! They are made by [`super::contents::packaged`], before this.

use std::path::Path;
use std::{fs, io};

use super::minimal::copy_folder;
use super::tree::Tree;
use super::{CRATES, Outcome};
use crate::shell::{cargo, root, target};
use crate::step::{Tally, pass_through};

/// By this file a test knows that it is in a package, and that what it compares with is not.
const MADE_OF_A_CLONE: &str = ".cargo_vcs_info.json";

pub(super) fn tested() -> Outcome {
    let place = target().join("unpacked");
    let tree = place.join("tree");
    match unpacked(&tree) {
        Ok(true) => Outcome::of(run(&tree, &place.join("build"))),
        Ok(false) => Outcome::NotHere("this is no clone, and packages of it do not say so".into()),
        Err(why) => Outcome::Fails(why),
    }
}

/// Lays the packages side by side, as a workspace, so that each has the others where a registry
/// would be. Whether they were made of a clone.
fn unpacked(tree: &Path) -> Result<bool, String> {
    let told = |error: io::Error| format!("{}: {error}", tree.display());
    if tree.exists() {
        fs::remove_dir_all(tree).map_err(told)?;
    }
    let ours = Tree::read()?;
    let mut are_of_a_clone = true;
    for name in CRATES {
        let version = ours.member(name)?.text("version").unwrap_or_default();
        let package = target().join("package").join(format!("{name}-{version}"));
        are_of_a_clone &= package.join(MADE_OF_A_CLONE).is_file();
        copy_folder(&package, &tree.join(name)).map_err(told)?;
    }
    fs::write(tree.join("Cargo.toml"), manifest()).map_err(told)?;
    fs::copy(root().join("Cargo.lock"), tree.join("Cargo.lock")).map_err(told)?;
    Ok(are_of_a_clone)
}

fn manifest() -> String {
    let members = CRATES.map(|name| format!("\"{name}\"")).join(", ");
    let patches = CRATES.map(|name| format!("{name} = {{ path = \"{name}\" }}\n"));
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[patch.crates-io]\n{}",
        patches.concat()
    )
}

fn run(tree: &Path, build: &Path) -> Result<String, String> {
    let mut command = cargo(&["test", "--workspace", "--all-features"]);
    command
        .current_dir(tree)
        .env("CARGO_TARGET_DIR", build)
        // Hundreds of megabytes that nobody would look at.
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    let ran = pass_through(command, &mut io::stdout());
    match ran.map_err(|error| error.to_string())? {
        (true, Tally { passed, .. }) if passed > 0 => Ok(format!("{passed} tests")),
        (true, _) => Err("there is no test in them".to_owned()),
        (false, _) => Err(format!("cargo test, in {}", tree.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_member_and_stands_in_for_the_registrys() {
        let manifest = manifest();
        for name in CRATES {
            assert!(manifest.contains(&format!("\"{name}\"")), "{manifest}");
            let patch = format!("{name} = {{ path");
            assert!(manifest.contains(&patch), "{manifest}");
        }
    }
}
