//! A model as it is run and shown: its name, its bounds, the rules that can be left out one by
//! one, and whether what an exploration found is what it should be.

use std::fmt;

use crate::explore::{Explored, Limits};

/// A model, or one scope of it.
pub struct Case {
    /// What it is called on the command line: a word.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    /// What there is of everything: "3 processes, 2 mutations, ...".
    pub bounds: &'static str,
    /// Those that can be left out, in the order of the model's own list.
    pub rules: Vec<Rule>,
    /// How much of it is visited.
    pub extent: Extent,
    /// Explores it.
    pub run: Box<dyn Fn(&Run) -> Explored + Send + Sync>,
}

/// A rule of the protocol that a model can do without.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it is called on the command line: a few words with hyphens.
    pub name: &'static str,
    /// The rule, as the design has it.
    pub says: &'static str,
    /// Where the product keeps it.
    pub lives: &'static str,
}

/// How much of a case must be visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every state.
    Everything,
    /// Every state within so many steps.
    Depth(usize),
}

/// How large the case is that is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// As `cargo test` has it: seconds.
    Small,
    /// As `cargo xtask model` has it.
    Whole,
}

/// One run of a case.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Those in force.
    pub rules: Rules,
    /// How large the model is.
    pub size: Size,
    /// How far it is explored.
    pub limits: Limits,
}

/// Which rules are in force: all, or all but one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    without: Option<usize>,
}

impl Rules {
    /// All of them.
    pub const ALL: Self = Self { without: None };

    /// All but the one at this place in the case's list.
    pub const fn without(place: usize) -> Self {
        Self {
            without: Some(place),
        }
    }

    /// Whether the rule at this place is in force.
    pub fn keep(self, place: usize) -> bool {
        self.without != Some(place)
    }

    /// Whether all are.
    pub fn all(self) -> bool {
        self.without.is_none()
    }
}

impl Case {
    /// Runs the case with all rules.
    pub fn whole(&self, size: Size, limits: Limits) -> Explored {
        let depth = match self.extent {
            Extent::Everything => None,
            Extent::Depth(depth) => Some(depth),
        };
        (self.run)(&Run {
            rules: Rules::ALL,
            size,
            limits: Limits { depth, ..limits },
        })
    }

    /// Runs the case without the rule at this place.
    pub fn without(&self, place: usize, size: Size, limits: Limits) -> Explored {
        (self.run)(&Run {
            rules: Rules::without(place),
            size,
            limits,
        })
    }

    /// What is wrong with what a run with all rules found.
    pub fn faults(&self, explored: &Explored) -> Vec<String> {
        let mut faults = Vec::new();
        if let Some(violation) = &explored.violation {
            let after = steps(violation.steps.len());
            faults.push(format!(
                "\"{}\" is broken after {after}",
                violation.property
            ));
            return faults;
        }
        let far_enough = match self.extent {
            Extent::Everything => explored.complete,
            Extent::Depth(_) => !explored.cut,
        };
        if !far_enough {
            faults.push(format!("cut off after {}", steps(explored.depth)));
        }
        let missing = explored.missing.iter();
        faults.extend(missing.map(|name| format!("it never came about that {name}")));
        faults
    }
}

/// "1 step", "7 steps".
pub fn steps(number: usize) -> String {
    format!("{number} step{}", if number == 1 { "" } else { "s" })
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("rules", &self.rules.len())
            .field("extent", &self.extent)
            .finish()
    }
}
