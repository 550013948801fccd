//! The output: headings, one aligned row a call, times. It knows nothing of books; colour is for
//! terminals only.

use std::fmt::Display;
use std::io::{self, IsTerminal, StdoutLock, Write};
use std::time::Duration;

const CALL: usize = 30;
const OUTCOME: usize = 13;
const TIME: usize = 9;
const REST: usize = 60;

/// Prints to standard output, held for the whole run.
#[derive(Debug)]
pub(crate) struct Printer {
    out: StdoutLock<'static>,
    colour: bool,
    sections: u32,
}

impl Printer {
    pub(crate) fn new() -> Self {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            out: io::stdout().lock(),
            colour,
            sections: 0,
        }
    }

    /// A numbered heading.
    pub(crate) fn section(&mut self, heading: impl Display) -> io::Result<()> {
        self.sections += 1;
        let heading = format!("{}. {heading}", self.sections);
        let heading = self.painted("1", heading);
        writeln!(self.out, "\n{heading}")
    }

    /// A call, how it was answered, how long that took, and what the answer was.
    pub(crate) fn row(
        &mut self,
        call: &str,
        outcome: impl Display,
        time: Duration,
        answer: &str,
    ) -> io::Result<()> {
        let outcome = outcome.to_string();
        let colour = match outcome.as_str() {
            hit if hit.starts_with("hit") => "32",
            "computed" => "33",
            _ => "36",
        };
        let call = cut(call, CALL);
        let outcome = self.painted(colour, format!("{outcome:<OUTCOME$}"));
        let time = clock(time);
        let answer = cut(answer, REST);
        writeln!(
            self.out,
            "   {call:<CALL$}  {outcome}  {time:>TIME$}   {answer}"
        )
    }

    /// An empty line.
    pub(crate) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text, each line indented like the rows.
    pub(crate) fn text(&mut self, text: impl Display) -> io::Result<()> {
        for line in text.to_string().lines() {
            writeln!(self.out, "   {line}")?;
        }
        Ok(())
    }

    /// The title of it all.
    pub(crate) fn title(&mut self, title: &str) -> io::Result<()> {
        let title = self.painted("1", title.to_owned());
        writeln!(self.out, "{title}")
    }

    fn painted(&self, colour: &str, text: String) -> String {
        if self.colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text
        }
    }
}

/// A time in the unit that reads best.
pub(crate) fn clock(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    if micros < 999.5 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1e3)
    }
}

/// At most so many characters, the last an ellipsis where something was cut off.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well() {
        assert_eq!(clock(Duration::from_nanos(1_600)), "2 µs");
        assert_eq!(clock(Duration::from_micros(999)), "999 µs");
        assert_eq!(clock(Duration::from_nanos(999_700)), "1.0 ms");
        assert_eq!(clock(Duration::from_micros(30_940)), "30.9 ms");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(cut("Švejk", 5), "Švejk");
        assert_eq!(cut("Šarlatán", 5), "Šarl…");
        assert_eq!(cut("To the sea", 4), "To…");
    }
}
