//! Where the files are that tests compare with: in the repository. A package has the sources alone,
//! so that the tests of an unpacked one have nothing to compare with, and say so.

use std::path::{Path, PathBuf};

/// The folder of this name, beside the manifest. `None` in an unpacked package.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Cargo writes it into the packages that it makes of a clone, and nowhere else.
    if here.join(".cargo_vcs_info.json").is_file() {
        println!("not in a package, so nothing is compared: {name}");
        return None;
    }
    Some(here.join(name))
}
