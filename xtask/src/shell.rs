//! Commands as the chores run them: in the root of the workspace, in an environment in which a
//! developer's own settings do not change what is tested.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// Cargo, in the root of the workspace.
pub(crate) fn cargo(words: &[&str]) -> Command {
    // The one that runs this, not the first one on PATH.
    let program = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(words).current_dir(root());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(changes_tests)) {
        command.env_remove(name);
    }
    command
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let mut root = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    root.pop();
    root
}

/// The folder that Cargo builds into.
pub(crate) fn target() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.map_or_else(|| root().join("target"), |named| root().join(named))
}

fn changes_tests(variable: &str) -> bool {
    match variable {
        "AFRESH_TEST_SERVER" => false,
        // With these, a test that compares with a stored text writes it instead.
        "TRYBUILD" | "UPDATE_EXPECT" => true,
        // Those of `cargo run`, which describe this package, would have build scripts run again.
        _ => ["AFRESH_", "CARGO_PKG_", "CARGO_MANIFEST_"]
            .iter()
            .any(|start| variable.starts_with(start)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developers_settings_stay_out() {
        for variable in [
            "AFRESH_URL",
            "AFRESH_PREFIX",
            "AFRESH_DISABLE",
            "AFRESH_TEST_WORKER",
            "TRYBUILD",
        ] {
            assert!(changes_tests(variable), "{variable}");
        }
        for variable in [
            "PATH",
            "CARGO_TARGET_DIR",
            "RUSTFLAGS",
            "AFRESH_TEST_SERVER",
        ] {
            assert!(!changes_tests(variable), "{variable}");
        }
    }

    #[test]
    fn the_root_has_the_lock_file() {
        assert!(root().join("Cargo.lock").is_file());
    }
}
