//! Which library does the right thing where, as a table. What is right is said by the programs.

use afresh_measure::{Found, Verdict};

/// In the order in which they were found.
#[derive(Default)]
pub(crate) struct Scoreboard {
    all: Vec<Verdict>,
}

impl Scoreboard {
    /// One that was found again replaces the one before.
    pub(crate) fn add(&mut self, verdict: Verdict) {
        self.all
            .retain(|old| (&old.behaviour, &old.library) != (&verdict.behaviour, &verdict.library));
        self.all.push(verdict);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Each once, in the order in which they were found.
    fn names(&self) -> (Vec<&str>, Vec<&str>) {
        let (mut behaviours, mut libraries): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for verdict in &self.all {
            if !behaviours.contains(&&*verdict.behaviour) {
                behaviours.push(&verdict.behaviour);
            }
            if !libraries.contains(&&*verdict.library) {
                libraries.push(&verdict.library);
            }
        }
        (behaviours, libraries)
    }

    /// The table: a row for each behaviour, a column for each library.
    pub(crate) fn marks(&self) -> String {
        let (behaviours, libraries) = self.names();
        let mut text = format!(
            "| | {} |\n|---|{}\n",
            libraries.join(" | "),
            ":-:|".repeat(libraries.len())
        );
        for behaviour in &behaviours {
            let cells = libraries.iter().map(|library| {
                let found = self.one(behaviour, library).map(|verdict| verdict.found);
                match found {
                    Some(Found::Right) => "✔",
                    Some(Found::Wrong) => "✘",
                    Some(Found::NoSuchFeature) => "n.a.",
                    None => "",
                }
            });
            let cells: Vec<&str> = cells.collect();
            text += &format!("| {behaviour} | {} |\n", cells.join(" | "));
        }
        text
    }

    /// What was seen of each.
    pub(crate) fn seen(&self) -> String {
        let (behaviours, libraries) = self.names();
        let mut text = "What was seen:\n\n".to_owned();
        for behaviour in &behaviours {
            let seen = libraries
                .iter()
                .filter_map(|library| self.one(behaviour, library));
            let seen: Vec<String> = seen
                .map(|verdict| {
                    format!(
                        "{} {}: {}",
                        verdict.library, verdict.version, verdict.figure
                    )
                })
                .collect();
            text += &format!("- **{behaviour}**: {}\n", seen.join("; "));
        }
        text
    }

    fn one(&self, behaviour: &str, library: &str) -> Option<&Verdict> {
        let mut all = self.all.iter();
        all.find(|verdict| verdict.behaviour == behaviour && verdict.library == library)
    }
}
