//! A Python with the systems that are measured, in an environment of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::root;

/// Makes it, where it is not there yet.
pub(crate) fn with_all() -> Result<PathBuf, String> {
    let folder = root().join("benches/target/python");
    let python = folder.join("bin/python");
    let wanted = root().join("benches/python-requirements.txt");
    // Older than what is wanted of it: made before that changed.
    let is_made = newest(&python.with_file_name("made")) > newest(&wanted);
    if !is_made {
        did(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        let mut install = Command::new(&python);
        install
            .args(["-m", "pip", "install", "--quiet", "-r"])
            .arg(&wanted);
        did(&mut install)?;
        std::fs::write(python.with_file_name("made"), "").map_err(|error| format!("{error}"))?;
    }
    Ok(python)
}

fn newest(file: &Path) -> Option<std::time::SystemTime> {
    file.metadata().and_then(|about| about.modified()).ok()
}

fn did(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    let status = command.status().map_err(|error| {
        format!(
            "{name}: {error}; the Python systems are measured too: install Python 3 with `venv`"
        )
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{name} has failed: {status}"))
    }
}
