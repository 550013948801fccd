//! What must hold of a template whatever its text is. The package `fuzz` drives it, and the tests
//! here run it over the corpus.

use crate::template::{Piece, adjacent, parse, parse_fields, weak_separator};

/// The pieces of this text, if it is a template in which no two lists of values look the same.
/// Panics where a promise is broken.
pub(crate) fn run(text: &str) -> Option<Vec<Piece>> {
    let [pieces, _] = [parse(text), parse_fields(text)].map(|parsed| match parsed {
        Ok(pieces) => {
            assert_eq!(printed(&pieces), text);
            assert!(
                !pieces
                    .windows(2)
                    .any(|pair| { matches!(pair, [Piece::Text(_), Piece::Text(_)]) })
            );
            Some(pieces)
        }
        Err(message) => {
            assert!(!message.is_empty());
            None
        }
    });
    pieces.filter(|pieces| adjacent(pieces).is_none() && weak_separator(pieces).is_none())
}

/// A template as it would be written.
fn printed(pieces: &[Piece]) -> String {
    let shown = |piece: &Piece| match piece {
        Piece::Text(text) => text.replace('{', "{{").replace('}', "}}"),
        Piece::Value(path) => format!("{{{}}}", path.join(".")),
    };
    pieces.iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::repository;

    #[test]
    fn the_corpus_holds() {
        let Some(folder) = repository::folder("../fuzz/corpus/template") else {
            return;
        };
        let files = fs::read_dir(folder).expect("a corpus");
        let mut whole = 0;
        for file in files {
            let path = file.expect("a readable folder").path();
            println!("{}", path.display());
            let input = fs::read(path).expect("a readable file");
            whole += usize::from(super::run(&String::from_utf8_lossy(&input)).is_some());
        }
        assert!(whole >= 3, "{whole} templates are no corpus");
    }
}
