//! The `crash_safe` option: how long its mark lasts, and whether the body may run without it.

use proc_macro2::{Ident, Span};
use syn::Expr;
use syn::spanned::Spanned as _;

use super::duration;
use crate::args::{Item, Written, no_option};
use crate::diag::Diag;

/// The `crash_safe` option.
pub(crate) struct CrashSafe {
    /// Where it is written.
    pub(crate) keyword: Ident,
    /// By when the body has made its change, in milliseconds.
    pub(crate) deadline: u64,
    /// Where it is written that the body does not run without the mark.
    pub(crate) required: Option<Span>,
}

/// The bounds of a deadline: a shorter one would pass while the body waits for its turn, a longer
/// one would keep what the mark names uncached for too long where the process died.
const DEADLINES: std::ops::RangeInclusive<u64> = 1_000..=3_600_000;

impl CrashSafe {
    /// How it is written.
    pub(crate) const HOW: &str =
        "`crash_safe(deadline = \"10s\", required)`, or `crash_safe` alone";

    /// Reads the option.
    pub(crate) fn new(written: Written<Vec<Item>>, diag: &mut Diag) -> Self {
        let mut read = Self {
            keyword: written.keyword,
            deadline: 10_000,
            required: None,
        };
        let mut seen: Vec<String> = Vec::new();
        for Item { name, value } in written.value {
            let text = name.to_string();
            if seen.contains(&text) {
                let message = format!("`{text}` is specified more than once: keep one of them");
                diag.error(name.span(), message);
                continue;
            }
            match (&*text, value) {
                ("deadline", Some(value)) => read.read_deadline(&value, diag),
                ("deadline", None) => {
                    let message = "`deadline` needs a value: write `deadline = \"10s\"`";
                    diag.error(name.span(), message);
                }
                ("required", None) => read.required = Some(name.span()),
                ("required", Some(value)) => {
                    let message = "`required` takes no value: write `required`, or leave it out";
                    diag.error(value.span(), message);
                }
                _ => {
                    let message = no_option("crash_safe", &text, &["deadline", "required"]);
                    diag.error(name.span(), message);
                }
            }
            seen.push(text);
        }
        read
    }

    fn read_deadline(&mut self, value: &Expr, diag: &mut Diag) {
        let outside = "`deadline` is from one second to one hour: write the longest that the body \
                       takes, as in `deadline = \"10s\"`";
        let millis = duration::within("deadline", value, &DEADLINES, outside, diag);
        self.deadline = millis.unwrap_or(self.deadline);
    }
}
