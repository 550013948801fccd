//! A source file as the rules read it: its text, and the same text with comments or literals
//! blanked out, so that a word in them is not mistaken for code and lines keep their numbers.

/// A file, and views of it that have its length and lines.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Without comments and without what literals hold.
    pub(crate) code: String,
    /// Without what literals hold.
    pub(crate) prose: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let (mut code, mut prose) = (text.clone().into_bytes(), text.clone().into_bytes());
        let mut at = 0;
        while at < text.len() {
            let (kind, end) = next(&text, at);
            if kind != Kind::Code {
                blank(&mut code[at..end]);
            }
            if kind == Kind::Literal {
                blank(&mut prose[at..end]);
            }
            at = end;
        }
        let whole = |bytes| String::from_utf8(bytes).expect("whole characters are blanked");
        Self {
            path: path.into(),
            code: whole(code),
            prose: whole(prose),
            text,
        }
    }

    /// `path:line: message`, for what is at this place of any view.
    pub(crate) fn at(&self, place: usize, message: &str) -> String {
        let line = self.text[..place].matches('\n').count() + 1;
        format!("{}:{line}: {message}", self.path)
    }
}

/// The places where `word` stands alone in `view`.
pub(crate) fn words<'a>(view: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    view.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            !view[..at].ends_with(in_word) && !view[at + word.len()..].starts_with(in_word)
        })
}

pub(crate) fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

/// What begins at this place, and where it ends.
fn next(text: &str, at: usize) -> (Kind, usize) {
    let rest = &text[at..];
    let end = |length: usize| (at + length).min(text.len());
    if rest.starts_with("//") {
        return (Kind::Comment, end(rest.find('\n').unwrap_or(rest.len())));
    }
    if rest.starts_with("/*") {
        return (Kind::Comment, end(block_comment(rest)));
    }
    if let Some(length) = literal(rest, text[..at].chars().next_back()) {
        return (Kind::Literal, end(length));
    }
    (
        Kind::Code,
        end(rest.chars().next().map_or(1, char::len_utf8)),
    )
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let step = match rest.as_bytes().get(at..at + 2) {
            Some(b"/*") => 1,
            Some(b"*/") => -1,
            _ => {
                at += 1;
                continue;
            }
        };
        depth += step;
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of a string or character literal that begins here, if one does.
fn literal(rest: &str, before: Option<char>) -> Option<usize> {
    if let Some(inner) = rest.strip_prefix('"') {
        return Some(1 + closing(inner, b'"'));
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        let mut chars = inner.chars();
        return match (chars.next()?, chars.next()) {
            ('\\', _) => Some(1 + closing(inner, b'\'')),
            (one, Some('\'')) => Some(2 + one.len_utf8()),
            // A lifetime or a label.
            _ => None,
        };
    }
    // The `b` or `c` of a raw literal has been passed by already.
    let begins = before.is_none_or(|before| !in_word(before) || matches!(before, 'b' | 'c'));
    let raw = rest.strip_prefix('r').filter(|_| begins)?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let inner = raw[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let length = inner
        .find(&close)
        .map_or(inner.len(), |at| at + close.len());
    Some(2 + hashes + length)
}

/// The length up to and with the first quote that is not escaped.
fn closing(inner: &str, quote: u8) -> usize {
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let closes = byte == quote && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    end.map_or(inner.len(), |end| end + 1)
}

fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

#[test]
fn comments_and_literals_are_blanked() {
    let text = r##"a // b "c"
/* d /* e */ f */ g "h \" // i" 'j' '\'' 'k: loop r#"l " m"# o b"n" br"\" p "é" q"##;
    let source = Source::new("x.rs", text);
    let left = |view: &str| view.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(left(&source.code), "a g 'k: loop o b b p q");
    assert_eq!(
        left(&source.prose),
        "a // b \"c\" /* d /* e */ f */ g 'k: loop o b b p q"
    );
    assert_eq!(source.code.len(), text.len());
    assert_eq!(source.at(text.find("loop").unwrap_or(0), "m"), "x.rs:2: m");
}

#[test]
fn an_unclosed_literal_ends_with_the_file() {
    for text in ["\"a", "'\\", "r#\"a", "/* a", "'", "r", "\"\\"] {
        assert_eq!(Source::new("x.rs", text).code.len(), text.len());
    }
}

#[test]
fn a_word_stands_alone() {
    let places: Vec<_> = words("dbg xdbg dbg_ (dbg)", "dbg").collect();
    assert_eq!(places, [0, 15]);
}
