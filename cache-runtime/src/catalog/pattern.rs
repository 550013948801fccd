//! Tags as patterns: text, and holes for values. Whether two patterns could be one tag, and how
//! far apart they are spelled. It knows no function.

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// This character.
    Char(char),
    /// Any one character.
    One,
    /// Any text, also none.
    Any,
}

/// What a template's text can be. A hole, which is any text but the empty one, is `One` and `Any`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern(Vec<Part>);

/// What is taken to separate the parts of a tag.
const SEPARATORS: [char; 2] = [':', '/'];

impl Pattern {
    /// The pattern of a template, or of a format string. What is neither is text.
    pub(super) fn template(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text.chars();
        while let Some(one) = rest.next() {
            let after = rest.as_str();
            if matches!(one, '{' | '}') && after.starts_with(one) {
                rest.next();
                parts.push(Part::Char(one));
            } else if let ('{', Some(end)) = (one, after.find('}')) {
                rest = after[end + 1..].chars();
                parts.extend([Part::One, Part::Any]);
            } else {
                parts.push(Part::Char(one));
            }
        }
        Self(parts)
    }

    /// A text without holes.
    pub(super) fn text(text: &str) -> Self {
        Self(text.chars().map(Part::Char).collect())
    }

    /// A template in which `*` is any text, also none.
    pub(super) fn with_stars(text: &str) -> Self {
        let mut pattern = Self::template(text);
        for part in &mut pattern.0 {
            if *part == Part::Char('*') {
                *part = Part::Any;
            }
        }
        pattern
    }

    /// Whether there is a text that both can be.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        agree(&self.0, &other.0, |_| true)
    }

    /// Whether there is one in which no value has a separator in it: `book:{id}` may be
    /// `book:{id}:reviews`, but nobody means it to be.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        agree(&self.0, &other.0, |c| !SEPARATORS.contains(&c))
    }

    fn holes(&self) -> usize {
        self.0.iter().filter(|part| **part == Part::One).count()
    }

    /// How far apart two are spelled; none where they are not near.
    pub(super) fn near(&self, other: &Self) -> Option<usize> {
        let (a, b) = (self.spelled(), other.spelled());
        let distance = distance(&a, &b);
        (distance <= a.len().min(b.len()).div_ceil(3)).then_some(distance)
    }

    /// Whether one is the other, misspelled: a letter or two, and the same values.
    pub(super) fn is_slip_of(&self, other: &Self) -> bool {
        let (a, b) = (self.spelled(), other.spelled());
        let most = if a.len().min(b.len()) < 8 { 1 } else { 2 };
        self.holes() == other.holes() && distance(&a, &b) <= most
    }

    /// The parts by which spelling is compared: a hole is one of them.
    fn spelled(&self) -> Vec<Part> {
        let is_spelled = |part: &Part| *part != Part::Any;
        self.0.iter().copied().filter(is_spelled).collect()
    }
}

/// Whether there is a text for both, whose values consist of `allowed`. Row by row, from the ends:
/// whether what is left of both from there on has a text in common.
fn agree(left: &[Part], right: &[Part], allowed: impl Fn(char) -> bool) -> bool {
    let takes = |part: Option<&Part>| match part {
        Some(Part::Char(one)) => allowed(*one),
        other => other.is_some(),
    };
    let fits = |one: &Part, other: &Part| match (one, other) {
        (Part::Char(one), Part::Char(other)) => one == other,
        (one, other) => takes(Some(one)) && takes(Some(other)),
    };
    let mut below = vec![false; right.len() + 1];
    for i in (0..=left.len()).rev() {
        let mut row = vec![false; right.len() + 1];
        for j in (0..=right.len()).rev() {
            row[j] = match (left.get(i), right.get(j)) {
                (None, None) => true,
                // `Any` ends here, or takes one more of the other's parts.
                (Some(Part::Any), Some(Part::Any)) => below[j] || row[j + 1],
                (Some(Part::Any), other) => below[j] || takes(other) && row[j + 1],
                (other, Some(Part::Any)) => row[j + 1] || takes(other) && below[j],
                (Some(one), Some(other)) => fits(one, other) && below[j + 1],
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
        below = row;
    }
    below[0]
}

/// How many parts must be inserted, removed, replaced, or swapped with the next.
fn distance(a: &[Part], b: &[Part]) -> usize {
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    least = least.min(rows[i - 2][j - 2] + 1);
                }
                least
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests;
