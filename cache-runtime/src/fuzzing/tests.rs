//! Each target over its corpus: what was once of interest stays a test. No more memory is held than
//! a target may hold.

use std::fs;
use std::path::Path;

use allocation_counter::measure;

use super::*;

fn replay(target: Target) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Cargo writes it into the packages that it makes of a clone, and nowhere else.
    if here.join(".cargo_vcs_info.json").is_file() {
        println!("not in a package, so nothing is run: the corpus");
        return;
    }
    let folder = here.join("../fuzz/corpus").join(target.name);
    let files = fs::read_dir(folder).expect("a corpus for each target");
    // What a thread allocates once is nobody's.
    (target.run)(&[]);
    let mut inputs = 0;
    for file in files {
        let path = file.expect("a readable folder").path();
        let input = fs::read(&path).expect("a readable file");
        println!("{}", path.display());
        let held = measure(|| (target.run)(&input)).bytes_max;
        let most = target.most(input.len()) as u64;
        assert!(
            held <= most,
            "{}: {held} bytes, at most {most}",
            path.display()
        );
        inputs += 1;
    }
    assert!(inputs >= 5, "{inputs} inputs are no corpus");
}

#[test]
fn entries() {
    replay(ENTRY);
}

#[test]
fn keys() {
    replay(KEY);
}

#[cfg(feature = "redis")]
#[test]
fn replies() {
    replay(REPLIES);
}

#[cfg(feature = "redis")]
#[test]
fn histories_of_the_log() {
    replay(LOG);
}

#[cfg(feature = "redis")]
#[test]
fn connections() {
    replay(CONNECTION);
}

#[cfg(feature = "redis")]
#[test]
fn urls() {
    replay(URL);
}
