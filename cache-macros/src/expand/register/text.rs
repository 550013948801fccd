//! Tokens and durations as one would write them: on one line, and short. Not meant to be parsed.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// What is longer is cut: it is there to be recognised.
const LONGEST: usize = 100;

/// Tokens on one line, the same with every compiler.
pub(super) fn of(tokens: TokenStream) -> String {
    let mut line = Line::default();
    line.all(tokens);
    let Some((at, _)) = line.text.char_indices().nth(LONGEST) else {
        return line.text;
    };
    line.text.truncate(at);
    line.text + ".."
}

/// A duration in its units, as in `1h30m`.
pub(super) fn duration(millis: u64) -> String {
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1000),
        ("ms", 1),
    ];
    let mut rest = millis;
    let mut text = String::new();
    for (unit, length) in units {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            text = format!("{text}{count}{unit}");
        }
    }
    text
}

/// What stands at the end of a line.
#[derive(Clone, Copy, Default, PartialEq)]
enum Last {
    /// Nothing, or what takes no space after it.
    #[default]
    Tight,
    /// A word, or a group: a word after it needs a space.
    Word,
    /// What has a space after it, unless the line ends.
    Spaced,
}

#[derive(Default)]
struct Line {
    text: String,
    last: Last,
    /// Between the bars of a closure.
    in_bars: bool,
}

impl Line {
    fn all(&mut self, tokens: TokenStream) {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Ident(word) => self.word(&word.to_string()),
                TokenTree::Literal(word) => self.word(&word.to_string()),
                TokenTree::Group(group) => self.group(group.delimiter(), group.stream()),
                TokenTree::Punct(first) => {
                    let mut sign = String::from(first.as_char());
                    let mut spacing = first.spacing();
                    while spacing == Spacing::Joint
                        && let Some(TokenTree::Punct(next)) = tokens.peek()
                        && continues(&sign, next.as_char())
                    {
                        sign.push(next.as_char());
                        spacing = next.spacing();
                        tokens.next();
                    }
                    self.sign(&sign);
                }
            }
        }
    }

    fn push(&mut self, text: &str, last: Last) {
        self.text.push_str(text);
        self.last = last;
    }

    fn word(&mut self, word: &str) {
        if self.last != Last::Tight {
            self.text.push(' ');
        }
        self.push(word, Last::Word);
    }

    fn group(&mut self, delimiter: Delimiter, inside: TokenStream) {
        let (open, close) = match delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace => ("{ ", " }"),
            Delimiter::None => return self.all(inside),
        };
        if self.last == Last::Spaced || self.last == Last::Word && delimiter == Delimiter::Brace {
            self.text.push(' ');
        }
        self.push(open, Last::Tight);
        self.all(inside);
        self.push(close, Last::Word);
    }

    fn sign(&mut self, sign: &str) {
        let between = self.last == Last::Word;
        match sign {
            "," | ";" | ":" => self.push(sign, Last::Spaced),
            "::" | "." | "?" | "<" | ">" | ".." | "..=" => self.push(sign, Last::Tight),
            "!" if between => self.push(sign, Last::Tight),
            "|" if self.in_bars => {
                self.in_bars = false;
                self.push(sign, Last::Spaced);
            }
            _ if between => {
                self.text.push(' ');
                self.push(sign, Last::Spaced);
            }
            // Before its only operand.
            _ => {
                if self.last == Last::Spaced {
                    self.text.push(' ');
                }
                self.in_bars = sign == "|";
                let is_closure = sign == "||";
                self.push(
                    sign,
                    if is_closure {
                        Last::Spaced
                    } else {
                        Last::Tight
                    },
                );
            }
        }
    }
}

/// Whether the next character is of the same sign.
fn continues(sign: &str, next: char) -> bool {
    let longer = format!("{sign}{next}");
    [
        "::", "..", "..=", "->", "=>", "==", "!=", "<=", ">=", "&&", "||",
    ]
    .contains(&&*longer)
}

#[cfg(test)]
mod tests {
    use super::{duration, of};

    fn printed(text: &str) -> String {
        of(text.parse().expect("it is tokens"))
    }

    #[test]
    fn tokens_are_printed_as_one_writes_them() {
        for text in [
            "Duration::from_secs(60)",
            "self.cache.tags(&book, id + 1)",
            "Shop::Book(id)",
            "crate::config::TTL * 2",
            "(id, page - 1)",
            "&[a, -b]",
            "Tags::<u8>::of(user?.id)",
            "tags!(book, \"a\")",
            "Tag { name: \"a\" }",
            "vec![id; 3]",
            "a && !b || c == d",
            "'a'",
            "|found| if found.is_none() { SECOND } else { a | b }",
            "of(1, |(a, b)| a, || 2)",
        ] {
            assert_eq!(printed(text), text);
        }
        assert_eq!(
            printed("Duration  :: from_secs ( 60 )"),
            "Duration::from_secs(60)"
        );
    }

    #[test]
    fn what_is_long_is_cut() {
        let long = "é".repeat(300);
        assert_eq!(printed(&long), format!("{}..", "é".repeat(100)));
    }

    #[test]
    fn durations_are_in_units() {
        assert_eq!(duration(1_800_000), "30m");
        assert_eq!(duration(5_400_000), "1h30m");
        assert_eq!(duration(172_801_005), "2d1s5ms");
    }
}
