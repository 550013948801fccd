//! The published crates with each feature alone, with none, with all, and with those that meet in
//! the same code. Read off the manifests, so that a new feature is tried without anyone's thinking
//! of it. The loop is ours: it needs no tool to be installed, and knows what can be left out.

use std::collections::BTreeSet;

use super::tree::Tree;
use super::{passes, selection};
use crate::shell::cargo;

/// Pairs that one `cfg` or one function names together. `tls` brings `redis` along.
const PAIRS: [[&str; 2]; 3] = [["json", "msgpack"], ["chrono", "jiff"], ["chrono", "uuid"]];

/// Lints, not a mere check: what is unused with one set of features is a warning, which a check
/// would pass over. The lints of dependencies are not looked at, so nothing is built twice.
pub(super) fn each() -> Result<String, String> {
    let tree = Tree::read()?;
    let sets = sets(&tree)?;
    for set in &sets {
        println!("  {}", shown(set));
        let selection = selection();
        let mut words = vec![
            "clippy",
            "--quiet",
            "--no-default-features",
            "--features",
            set,
        ];
        words.extend(selection);
        words.extend(["--", "-D", "warnings"]);
        passes(&mut cargo(&words)).map_err(|_| format!("with {}", shown(set)))?;
    }
    Ok(format!("{} sets of features", sets.len()))
}

fn shown(set: &str) -> &str {
    if set.is_empty() { "none" } else { set }
}

/// Comma-separated, as Cargo takes them. `--features` reaches the facade and the runtime at once,
/// and the macros have none: so the facade's sets are the runtime's.
fn sets(tree: &Tree) -> Result<Vec<String>, String> {
    let [macros, runtime, facade] = super::CRATES.map(|name| tree.member(name));
    let (of_facade, of_runtime) = (facade?.features(), runtime?.features());
    if of_facade != of_runtime || !macros?.features().is_empty() {
        return Err(format!(
            "the facade has {of_facade:?}, the runtime {of_runtime:?}"
        ));
    }
    Ok(combined(&of_facade))
}

fn combined(features: &BTreeSet<&str>) -> Vec<String> {
    let each = features.iter().map(|&feature| feature.to_owned());
    let pairs = PAIRS.iter().map(|pair| pair.join(","));
    let all = features.iter().copied().collect::<Vec<_>>().join(",");
    [String::new()]
        .into_iter()
        .chain(each)
        .chain(pairs)
        .chain([all])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sets_are_none_each_pairs_and_all() {
        let features = BTreeSet::from(["json", "redis"]);
        let sets = combined(&features);
        assert_eq!(sets[..3], ["", "json", "redis"]);
        assert_eq!(sets[3..sets.len() - 1], PAIRS.map(|pair| pair.join(",")));
        assert_eq!(sets.last().map(String::as_str), Some("json,redis"));
    }

    #[test]
    fn the_pairs_are_features() {
        let tree = Tree::read().expect("a workspace");
        let features = tree.member("afresh").expect("the facade").features();
        assert!(PAIRS.iter().flatten().all(|name| features.contains(name)));
    }
}
