//! Keys of two calls of one function: they are the same where the arguments are, and nowhere else.

use super::Source;
use crate::key::{KeyWriter, Text};

/// What may stand between the values of a template: each has a character that no value shows.
const SEPARATORS: [&str; 12] = [
    ":", "/", "-:", ":-", "::", "{", "}", " ", "é", "%:", "a/0", "\0",
];

pub(super) fn run(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let separators: Vec<_> = (0..source.below(4))
        .map(|_| SEPARATORS[usize::from(source.below(12))])
        .collect();
    let [one, two] = [(); 2].map(|()| arguments(&mut source, separators.len() + 1));
    let same = one == two;
    let written = |values: &[Argument]| template(&separators, values);
    assert_eq!(
        written(&one).words() == written(&two).words(),
        same,
        "{separators:?}: {one:?}, {two:?}"
    );
    assert_eq!(
        parts(&one).words() == parts(&two).words(),
        same,
        "{one:?}, {two:?}"
    );
}

#[derive(Debug, PartialEq)]
struct Argument {
    text: String,
    number: i64,
}

fn arguments(source: &mut Source<'_>, count: usize) -> Vec<Argument> {
    let argument = |_| Argument {
        text: source.text(),
        number: match source.below(3) {
            0 => 0,
            1 => i8::from_le_bytes([source.byte()]).into(),
            _ => source.number().cast_signed(),
        },
    };
    (0..count).map(argument).collect()
}

/// As `{a.text}:{a.number}/{b.text}:{b.number}` is written.
fn template(separators: &[&'static str], values: &[Argument]) -> KeyWriter {
    let mut key = KeyWriter::new();
    for (at, value) in values.iter().enumerate() {
        if let Some(separator) = at.checked_sub(1).and_then(|at| separators.get(at)) {
            key.literal(separator);
        }
        Text(&value.text).write(&mut key);
        key.literal(":");
        Text(&value.number).write(&mut key);
    }
    key
}

/// The words of a key as a template writes it: of texts that stand for themselves, and of values.
pub fn template_key<'a>(pieces: impl Iterator<Item = Result<&'a str, &'a str>>) -> Box<[u64]> {
    let mut key = KeyWriter::new();
    for piece in pieces {
        match piece {
            Ok(text) => key.plain(text),
            Err(value) => Text(value).write(&mut key),
        }
    }
    key.words().into()
}

/// As the default key is, in another order and grouped.
fn parts(values: &[Argument]) -> KeyWriter {
    let mut key = KeyWriter::new();
    let texts: Vec<_> = values.iter().map(|value| value.text.as_str()).collect();
    key.part(&texts);
    for value in values {
        let number = (value.number != 0).then_some(value.number);
        key.part(&number);
    }
    key
}
