//! The lower bounds of the published crates' dependencies, kept honest: a copy of the crates, each
//! direct dependency at the lowest version that its manifest allows, compiled with every feature.
//!
//! The copy has no tests and no tools, so that their dependencies do not raise what users' are
//! resolved to. What direct dependencies depend on is at its newest: old versions of those are for
//! their authors to bound.

use std::path::Path;
use std::{fs, io};

use super::{passes, selection};
use crate::shell::{cargo, root, target};

/// Where the crates are, the facade last.
const PLACES: [&str; 3] = ["cache-macros", "cache-runtime", ""];
/// Files beside the sources that the sources include.
const INCLUDED: [&str; 2] = ["README.md", "CHANGELOG.md"];

pub(super) fn build() -> Result<String, String> {
    let place = target().join("minimal");
    let copy = place.join("tree");
    copied(&copy).map_err(|error| format!("{}: {error}", copy.display()))?;
    // Only Cargo is asked for what is not stable, and only for the choice of versions.
    let words = ["-Z", "direct-minimal-versions", "generate-lockfile"];
    passes(cargo(&words).current_dir(&copy).env("RUSTC_BOOTSTRAP", "1"))?;
    for features in ["--all-features", "--no-default-features"] {
        let mut words = vec!["check", "--quiet", "--locked", features];
        words.extend(selection());
        let mut check = cargo(&words);
        check
            .current_dir(&copy)
            .env("CARGO_TARGET_DIR", place.join("build"));
        passes(&mut check)?;
    }
    Ok("every direct dependency at the lowest version that its manifest allows".to_owned())
}

fn copied(copy: &Path) -> io::Result<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    for place in PLACES {
        let (from, to) = (root().join(place), copy.join(place));
        copy_folder(&from.join("src"), &to.join("src"))?;
        let manifest = fs::read_to_string(from.join("Cargo.toml"))?;
        fs::write(to.join("Cargo.toml"), users_part(&manifest))?;
    }
    for name in INCLUDED {
        fs::copy(root().join(name), copy.join(name))?;
    }
    Ok(())
}

pub(super) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(from, to)?;
        }
    }
    Ok(())
}

/// A manifest without what concerns tests, benches and the other members.
fn users_part(manifest: &str) -> String {
    let mut kept = String::new();
    let mut is_ours = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            is_ours = line.ends_with("dev-dependencies]")
                || line.starts_with("[[")
                || line.starts_with("[profile.");
        }
        if is_ours {
            continue;
        }
        if line.starts_with("members = ") {
            kept.push_str("members = [\"cache-macros\", \"cache-runtime\"]");
        } else {
            kept.push_str(line);
        }
        kept.push('\n');
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_users_have_is_kept() {
        let manifest = "[workspace]\nmembers = [\"a\", \"xtask\"]\n[dependencies]\nserde = \"1\"\n\
                        [dev-dependencies]\ntrybuild = \"1\"\n\n\
                        [target.'cfg(x)'.dev-dependencies]\nshuttle = \"1\"\n[[bench]]\nname = \"hits\"\n\
                        [lints]\nworkspace = true\n[profile.dev]\ndebug = false\n";
        let kept = "[workspace]\nmembers = [\"cache-macros\", \"cache-runtime\"]\n[dependencies]\n\
                    serde = \"1\"\n[lints]\nworkspace = true\n";
        assert_eq!(users_part(manifest), kept);
    }
}
