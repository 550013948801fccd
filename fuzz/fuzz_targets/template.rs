//! Drives the templates of the macros, whose sources are read here: a crate of macros exports
//! nothing else. With a template that is accepted, keys of different values are written.

#![no_main]

#[path = "../../cache-macros/src/fuzzing.rs"]
mod fuzzing;
#[path = "../../cache-macros/src/template.rs"]
mod template;

use afresh_runtime::fuzzing::template_key;
use libfuzzer_sys::fuzz_target;
use template::Piece;

fuzz_target!(|bytes: &[u8]| {
    // A template, and behind it values for it.
    let mut parts = bytes.split(|byte| *byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let Some(pieces) = fuzzing::run(&text) else {
        return;
    };
    let values: Vec<_> = parts.map(String::from_utf8_lossy).collect();
    let count = pieces
        .iter()
        .filter(|piece| matches!(piece, Piece::Value(_)))
        .count();
    let value = |at: usize| values.get(at).map_or("", |value| value);
    let list = |from: usize| (from..from + count).map(value).collect::<Vec<_>>();
    let (one, two) = (list(0), list(count));
    let key = |list: &[&str]| {
        let mut values = list.iter();
        let pieces = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.as_str()),
            Piece::Value(_) => Err(*values.next().expect("one for each")),
        });
        template_key(pieces)
    };
    assert_eq!(
        key(&one) == key(&two),
        one == two,
        "`{text}`: {one:?}, {two:?}"
    );
});
