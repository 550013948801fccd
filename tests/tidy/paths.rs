//! The paths that a file names inside its crate, read from tokens: `use` trees and paths in
//! expressions, through `crate` and `super`, but not what is kept to the tests. It reads no more of
//! the grammar than that needs.

use crate::source::in_word;

/// The paths inside this crate that a file names outside its tests, each with its place.
pub(crate) fn paths(code: &str, module: &[String]) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(code);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        found: Vec::new(),
    };
    reader.read(module);
    reader.found
}

#[derive(Clone, Copy)]
struct Token<'a> {
    at: usize,
    text: &'a str,
}

/// Words, `::`, and single characters.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = code[at..].chars().next() {
        let rest = &code[at..];
        let length = if in_word(first) {
            rest.find(|c| !in_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        if !first.is_whitespace() {
            tokens.push(Token {
                at,
                text: &rest[..length],
            });
        }
        at += length;
    }
    tokens
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    found: Vec<(usize, Vec<String>)>,
}

impl Reader<'_> {
    fn text(&self, ahead: usize) -> &str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text)
    }

    /// Reads up to the end of the file, or of the inline module that has just been opened.
    fn read(&mut self, module: &[String]) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "#" => {
                    let inner = self.text(1) == "!";
                    let test = self.attribute();
                    match (test, inner) {
                        (true, true) => self.at = self.tokens.len(),
                        (true, false) => self.skip_item(),
                        (false, _) => {}
                    }
                }
                "mod" if self.text(2) == "{" => {
                    let inner = [module, &[self.text(1).to_owned()]].concat();
                    self.at += 3;
                    self.read(&inner);
                }
                "crate" if self.text(1) == "::" => {
                    self.at += 2;
                    self.tree(&[]);
                }
                "super" if self.text(1) == "::" => {
                    let mut base = module;
                    while self.text(0) == "super" && self.text(1) == "::" {
                        base = &base[..base.len().saturating_sub(1)];
                        self.at += 2;
                    }
                    self.tree(base);
                }
                "}" if depth == 0 => {
                    self.at += 1;
                    return;
                }
                other => {
                    depth += usize::from(other == "{");
                    depth -= usize::from(other == "}");
                    self.at += 1;
                }
            }
        }
    }

    /// Passes an attribute; whether it keeps what follows to the tests.
    fn attribute(&mut self) -> bool {
        self.at += 1;
        if self.text(0) == "!" {
            self.at += 1;
        }
        if self.text(0) != "[" {
            return false;
        }
        let start = self.at;
        self.skip_group();
        let inner = &self.tokens[start..self.at.min(self.tokens.len())];
        let has = |word| inner.iter().any(|token| token.text == word);
        inner.get(1).is_some_and(|token| token.text == "cfg") && has("test") && !has("not")
    }

    /// Passes one item: to its `;`, or the end of its braces.
    fn skip_item(&mut self) {
        let imports = self.text(0) == "use" || self.text(1) == "use";
        while self.at < self.tokens.len() {
            match self.text(0) {
                ";" => {
                    self.at += 1;
                    return;
                }
                "{" => {
                    self.skip_group();
                    if !imports {
                        return;
                    }
                }
                "(" | "[" => self.skip_group(),
                _ => self.at += 1,
            }
        }
    }

    /// Passes a bracket and all that it encloses.
    fn skip_group(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            depth += i32::from(matches!(self.text(0), "{" | "(" | "["));
            depth -= i32::from(matches!(self.text(0), "}" | ")" | "]"));
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Reads the rest of a path, with all branches of a `use`.
    fn tree(&mut self, base: &[String]) {
        let mut path = base.to_vec();
        let place = self.tokens.get(self.at).map_or(0, |token| token.at);
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    self.branches(&path);
                    return;
                }
                "self" => self.at += 1,
                word if word.starts_with(in_word) => {
                    path.push(word.to_owned());
                    self.at += 1;
                }
                // A glob, or generic arguments.
                _ => break,
            }
            if self.text(0) != "::" {
                break;
            }
            self.at += 1;
        }
        self.found.push((place, path));
    }

    fn branches(&mut self, path: &[String]) {
        while self.at < self.tokens.len() && self.text(0) != "}" {
            self.tree(path);
            while self.at < self.tokens.len() && !matches!(self.text(0), "," | "}") {
                self.at += 1;
            }
            if self.text(0) == "," {
                self.at += 1;
            }
        }
        self.at += 1;
    }
}
