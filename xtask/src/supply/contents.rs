//! What is in the packages that a registry would get: the sources, what users read and the licences,
//! nothing else; and that they compile as packages.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

use super::tree::Tree;
use super::{CRATES, passes, printed, selection};
use crate::shell::{cargo, root, target};

/// Beside the sources, in each package; the first four are Cargo's.
const EACH: [&str; 7] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
];
/// In the facade's too, which is the one that users look at.
const FACADES: [&str; 2] = ["CHANGELOG.md", "SECURITY.md"];
/// The only place that a package may come from, as lock files spell it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// The names in each package, without making it.
pub(super) fn listed() -> Result<String, String> {
    let mut counts = Vec::new();
    for name in CRATES {
        let words = ["package", "--list", "--allow-dirty", "--quiet", "-p", name];
        let list = printed(&mut cargo(&words))?;
        let faults = faults(name, list.lines());
        if !faults.is_empty() {
            return Err(format!("{name}: {}", faults.join(", ")));
        }
        counts.push(format!("{name} {} files", list.lines().count()));
    }
    Ok(counts.join(", "))
}

/// Makes the packages, compiles each from what is in it, with the others from where a registry's
/// would be, and looks into the files.
pub(super) fn packaged() -> Result<String, String> {
    let mut words = vec!["package", "--quiet", "--allow-dirty", "--all-features"];
    words.extend(selection());
    passes(&mut cargo(&words))?;
    let tree = Tree::read()?;
    let mut sizes = Vec::new();
    let others = other_registries();
    for name in CRATES {
        let version = tree.member(name)?.text("version").unwrap_or_default();
        let package = target().join("package").join(format!("{name}-{version}"));
        let told = |error: std::io::Error| format!("{}: {error}", package.display());
        let mut files = Vec::new();
        files_in(&package, &mut files).map_err(told)?;
        let faults: Vec<_> = files
            .iter()
            .filter_map(|(name, text)| names_a_registry(name, text, &others))
            .collect();
        if !faults.is_empty() {
            return Err(format!("{name}: {}", faults.join(", ")));
        }
        let archive = package.with_file_name(format!("{name}-{version}.crate"));
        let size = fs::metadata(&archive).map_err(told)?.len();
        sizes.push(format!("{name} {} KiB", size.div_ceil(1024)));
    }
    licences_are_the_same()?;
    Ok(sizes.join(", "))
}

/// Whether each name that should be there is, and no other.
fn faults<'a>(package: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let facades: &[&str] = if package == "afresh" { &FACADES } else { &[] };
    let mut missing: BTreeSet<&str> = EACH.iter().chain(facades).copied().collect();
    missing.insert("src/lib.rs");
    // It is made only where the tree is a clone.
    missing.remove(EACH[0]);
    let mut faults = Vec::new();
    for name in names {
        let is_known = missing.remove(name) || name == EACH[0];
        if !is_known && !name.starts_with("src/") {
            faults.push(format!("has `{name}`"));
        }
    }
    faults.extend(missing.into_iter().map(|name| format!("lacks `{name}`")));
    faults
}

/// The hosts of registries that this machine knows beside crates.io: a mirror, or a company's own.
fn other_registries() -> Vec<String> {
    let home = env::var_os("CARGO_HOME").map(Into::into);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let folders = home.and_then(|home| fs::read_dir(home.join("registry/index")).ok());
    folders
        .into_iter()
        .flatten()
        .filter_map(|folder| folder.ok()?.file_name().into_string().ok())
        // Cargo puts a hash behind the host.
        .filter_map(|name| Some(name.rsplit_once('-')?.0.to_owned()))
        .filter(|host| !host.ends_with("crates.io") && host != "github.com")
        .collect()
}

/// What in a file would send users to a registry other than crates.io.
fn names_a_registry(name: &str, text: &str, others: &[String]) -> Option<String> {
    if let Some(host) = others.iter().find(|host| text.contains(host.as_str())) {
        return Some(format!("`{name}` has the host `{host}`"));
    }
    if name != "Cargo.lock" {
        return None;
    }
    let sources = text
        .lines()
        .filter_map(|line| line.strip_prefix("source = "));
    let other = sources
        .map(|source| source.trim_matches('"'))
        .find(|source| *source != REGISTRY)?;
    Some(format!("`{name}` has the source `{other}`"))
}

fn files_in(folder: &Path, files: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            // What was compiled to see whether it compiles is no part of it.
            if path.file_name().is_some_and(|name| name != "target") {
                files_in(&path, files)?;
            }
        } else {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            files.push((
                name,
                String::from_utf8_lossy(&fs::read(&path)?).into_owned(),
            ));
        }
    }
    Ok(())
}

/// A package has its own copy of the licences, which must be those of the repository.
fn licences_are_the_same() -> Result<(), String> {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        let read = |folder: &str| {
            let path = root().join(folder).join(licence);
            fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let ours = read("")?;
        for folder in ["cache-macros", "cache-runtime"] {
            if read(folder)? != ours {
                return Err(format!("{folder}/{licence} is not the repository's"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_what_it_should() {
        let names = || EACH.into_iter().chain(["src/lib.rs", "src/key.rs"]);
        assert_eq!(faults("afresh-runtime", names()), Vec::<String>::new());
        assert_eq!(
            faults("afresh", names()),
            ["lacks `CHANGELOG.md`", "lacks `SECURITY.md`"]
        );
        let without = names().filter(|name| *name != "LICENSE-MIT");
        assert_eq!(faults("afresh-runtime", without), ["lacks `LICENSE-MIT`"]);
        let with = names().chain(["tests/ui.rs"]);
        assert_eq!(faults("afresh-runtime", with), ["has `tests/ui.rs`"]);
    }

    #[test]
    fn another_registry_is_told() {
        let others = ["mirror.example".to_owned()];
        let told = |name, text| names_a_registry(name, text, &others);
        let lock = format!("[[package]]\nname = \"a\"\nsource = \"{REGISTRY}\"\n");
        assert_eq!(told("Cargo.lock", &lock), None);
        let lock = lock.replace("rust-lang", "someone");
        assert!(told("Cargo.lock", &lock).is_some_and(|why| why.contains("someone")));
        assert!(told("lib.rs", "at https://mirror.example/x").is_some());
        assert_eq!(told("lib.rs", "at https://crates.io"), None);
    }

    #[test]
    fn the_licences_of_packages_are_the_repositorys() {
        assert_eq!(licences_are_the_same(), Ok(()));
    }
}
