//! Lets a type's `Deserialize` run on made-up input and writes down what it asks for. One value is
//! rarely enough: runs are repeated until every variant of every enum has been seen, and with
//! other samples where a type refuses one. What was asked for stays known across runs.

mod access;
mod asked;
mod sample;

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::ops::ControlFlow;

use serde::de::DeserializeOwned;

/// What tracing a type brought.
pub(super) struct Traced {
    /// What was asked for, in canonical form.
    pub(super) text: String,
    /// Why not everything was seen.
    pub(super) failure: Option<Failure>,
}

/// Traces a type.
pub(super) fn run<T: DeserializeOwned>() -> Traced {
    let mut tracer = Tracer::default();
    loop {
        tracer.begin_run();
        let mut text = String::new();
        let result = T::deserialize(asked::Asked {
            tracer: &mut tracer,
            text: &mut text,
        });
        if let ControlFlow::Break(failure) = tracer.end_run(text, result.err()) {
            return Traced {
                text: tracer.text(),
                failure,
            };
        }
    }
}

/// Nested more deeply than this, a type is taken to be endless: far from what overflows a stack.
const DEEPEST: usize = 128;
/// Questions answered for one type: a bound on the time for types that branch without end.
const MOST: usize = 500_000;

/// What is known about the type that is traced, and where the run is.
#[derive(Default)]
struct Tracer {
    /// Compound types in the order in which they were first met.
    nodes: Vec<Node>,
    /// Where a compound type's node is, by the type that visits it and by what it asked for. The
    /// type's serde name would not do: `Page<Book>` and `Page<Author>` have the same.
    known: HashMap<(TypeId, &'static str), usize>,
    /// Which sample each visitor gets that has refused one.
    refused: HashMap<TypeId, usize>,
    /// The structs that want their fields by name.
    by_name: HashSet<TypeId>,
    /// Which sample the visitors below a part get that failed though none of them refused: it
    /// validates what they made of it.
    samples: HashMap<TypeId, usize>,
    /// Which sample the part at hand gets.
    sample: usize,
    /// The root, as the run that saw most of it wrote it.
    root: String,
    root_sample: usize,
    run: usize,
    depth: usize,
    /// The deepest that this run has been inside the variant at hand.
    deepest: usize,
    asked: usize,
    /// Nodes and variants seen for the first time, in all runs.
    learned: usize,
    learned_before: usize,
    /// Whether this run's error has led to something that the next run does differently.
    answered: bool,
    /// Whether no sample can help against this run's error.
    hopeless: bool,
    /// Whether the error at hand came from further below.
    from_below: bool,
    /// The first thing that was given up.
    failure: Option<Failure>,
}

/// A compound type.
#[derive(Default)]
struct Node {
    head: String,
    /// As the visit that saw most of it wrote it.
    body: String,
    /// How many visits of it are under way.
    open: usize,
    /// The run that last went inside.
    run: usize,
    variants: Vec<Variant>,
}

/// A variant of an enum.
#[derive(Default)]
struct Variant {
    name: &'static str,
    text: String,
    open: bool,
    seen: bool,
    /// How deep its content goes, for choosing one that ends.
    height: usize,
}

/// Keeps the text that says more.
fn keep(kept: &mut String, text: String) {
    if text.len() > kept.len() {
        *kept = text;
    }
}

impl Tracer {
    fn begin_run(&mut self) {
        self.run += 1;
        self.sample = self.root_sample;
        (self.depth, self.deepest) = (0, 0);
        self.learned_before = self.learned;
        (self.answered, self.hopeless) = (false, false);
    }

    /// Goes on where another run can find more; otherwise tells what went wrong in the end.
    fn end_run(&mut self, text: String, error: Option<Failure>) -> ControlFlow<Option<Failure>> {
        keep(&mut self.root, text);
        let exhausted = self.asked >= MOST;
        match error {
            Some(_) if self.answered && !exhausted => ControlFlow::Continue(()),
            Some(_) if self.root_sample + 1 < sample::COUNT && !self.hopeless && !exhausted => {
                self.root_sample += 1;
                ControlFlow::Continue(())
            }
            Some(error) => ControlFlow::Break(Some(error)),
            None if !self.unseen() => ControlFlow::Break(self.failure.take()),
            None if self.learned > self.learned_before && !exhausted => ControlFlow::Continue(()),
            None => ControlFlow::Break(Some(Failure("not every variant was reached".into()))),
        }
    }

    /// Whether some enum has a variant that no run has visited.
    fn unseen(&self) -> bool {
        self.nodes
            .iter()
            .flat_map(|node| &node.variants)
            .any(|variant| !variant.seen)
    }

    fn text(&self) -> String {
        let mut text = format!("afresh shape 1\n{}", self.root);
        for (number, node) in self.nodes.iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n#{number} {}({})", node.head, node.body);
            for variant in &node.variants {
                let _ = write!(text, "|{}{}", named("", variant.name), variant.text);
            }
        }
        text
    }

    /// Begins a visit of a compound type; the asker's text gets a reference to it.
    fn open(
        &mut self,
        visitor: (TypeId, &'static str),
        head: &dyn Fn() -> String,
        text: &mut String,
    ) -> Result<usize, Failure> {
        self.enter()?;
        let next = self.nodes.len();
        let number = *self.known.entry(visitor).or_insert(next);
        if number == next {
            self.nodes.push(Node {
                head: head(),
                ..Node::default()
            });
            self.learned += 1;
        }
        let _ = write!(text, "#{number}");
        self.nodes[number].open += 1;
        Ok(number)
    }

    fn close(&mut self, number: usize, body: String) {
        self.depth -= 1;
        let node = &mut self.nodes[number];
        node.open -= 1;
        keep(&mut node.body, body);
    }

    /// Counts one question, and refuses it where there have been too many.
    fn enter(&mut self) -> Result<(), Failure> {
        if self.asked >= MOST {
            return Err(self.hopeless("it has too many parts"));
        }
        if self.depth >= DEEPEST {
            return Err(self.hopeless("it is nested too deeply"));
        }
        self.asked += 1;
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        Ok(())
    }

    /// Whether to go inside an optional or repeated content: once in a run, which is enough for
    /// every run to get everywhere, and never inside itself.
    fn goes_inside(&mut self, number: usize) -> bool {
        let (run, node) = (self.run, &mut self.nodes[number]);
        let first = node.run != run && node.open == 1;
        node.run = run;
        first
    }

    /// Which variant of an enum to visit now.
    fn choose(&mut self, number: usize, names: &[&'static str]) -> Option<usize> {
        let node = &mut self.nodes[number];
        if node.variants.is_empty() {
            let unseen = |name: &&'static str| Variant {
                name,
                ..Variant::default()
            };
            node.variants = names.iter().map(unseen).collect();
        }
        let mut unseen = node
            .variants
            .iter()
            .enumerate()
            .filter(|(_, it)| !it.seen && !it.open);
        let seen = node.variants.iter().enumerate().filter(|(_, it)| it.seen);
        let shallowest = seen.min_by_key(|(_, it)| it.height);
        // An enum inside itself ends as soon as it can.
        let (first, second) = match node.open {
            1 => (unseen.next(), shallowest),
            _ => (shallowest, unseen.next()),
        };
        first.or(second).map(|(index, _)| index)
    }

    /// Begins a variant; gives back what `close_variant` needs.
    fn open_variant(&mut self, number: usize, index: usize) -> usize {
        self.nodes[number].variants[index].open = true;
        std::mem::replace(&mut self.deepest, self.depth)
    }

    fn close_variant(
        &mut self,
        (number, index): (usize, usize),
        deepest_outside: usize,
        text: String,
        error: Option<&Failure>,
    ) {
        let variant = &mut self.nodes[number].variants[index];
        keep(&mut variant.text, text);
        variant.open = false;
        if !variant.seen {
            match error {
                None => {
                    variant.seen = true;
                    variant.height = self.deepest - self.depth;
                    self.learned += 1;
                }
                Some(_) if self.answered => {}
                // The others can still be seen.
                Some(error) => {
                    variant.seen = true;
                    variant.height = usize::MAX;
                    variant.text.push('!');
                    self.failure.get_or_insert_with(|| Failure(error.0.clone()));
                    self.answered = true;
                }
            }
        }
        self.deepest = self.deepest.max(deepest_outside);
    }

    /// Which sample a visitor gets now.
    fn sample_for(&self, visitor: TypeId) -> usize {
        self.refused.get(&visitor).copied().unwrap_or(self.sample)
    }

    /// Notes that a visitor refused its sample: from then on it is shown one after the other,
    /// whatever the parts around it need.
    fn refuse(&mut self, visitor: TypeId) {
        let sample = self.sample;
        match self.refused.get_mut(&visitor) {
            None => drop(self.refused.insert(visitor, usize::from(sample == 0))),
            Some(refused) if *refused + 1 < sample::COUNT => *refused += 1,
            Some(_) => {
                self.hopeless = true;
                return;
            }
        }
        self.answered = true;
    }

    /// Notes that a part failed that no visitor in it had refused.
    fn fail(&mut self, part: TypeId) {
        if self.answered || self.hopeless {
            return;
        }
        let sample = self.samples.entry(part).or_default();
        if *sample + 1 < sample::COUNT {
            *sample += 1;
            self.answered = true;
        } else {
            self.hopeless = true;
        }
    }

    /// A failure that other samples would not mend.
    fn hopeless(&mut self, why: &str) -> Failure {
        self.hopeless = true;
        Failure(why.into())
    }
}

/// A name, with its length before it: names may hold any character.
fn named(kind: &str, name: &str) -> String {
    format!("{kind}{}:{name}", name.len())
}

/// Why a type cannot be traced.
#[derive(Debug)]
pub(super) struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl serde::de::Error for Failure {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self(message.to_string())
    }
}
