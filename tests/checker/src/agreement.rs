//! The law beside a tester that searches: on small random histories, right and wrong ones, both must
//! say the same. The tester is `stateright`'s, and knows of the object only what one may do to it.

use stateright::semantics::{ConsistencyTester as _, LinearizabilityTester, SequentialSpec};

use crate::format::{Nanos, Promise};
use crate::law::{Cell, Given, Look, TRUST, Verdict, Windows};

/// The object of the law: the truth, and the floor of what is acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Object {
    truth: u64,
    floor: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Operation {
    Change,
    Acknowledge(u64),
    Read,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Answer {
    Done,
    Value(u64),
}

impl SequentialSpec for Object {
    type Op = Operation;
    type Ret = Answer;

    fn invoke(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::Change => {
                self.truth += 1;
                Answer::Done
            }
            Operation::Acknowledge(number) => {
                self.floor = self.floor.max(*number);
                Answer::Done
            }
            // One of the values that it may return.
            Operation::Read => Answer::Value(self.truth),
        }
    }

    fn is_valid_step(&mut self, operation: &Operation, answer: &Answer) -> bool {
        match (operation, answer) {
            (Operation::Read, Answer::Value(value)) => (self.floor..=self.truth).contains(value),
            (Operation::Read, Answer::Done) | (_, Answer::Value(_)) => false,
            _ => {
                self.invoke(operation);
                true
            }
        }
    }
}

/// `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % limit
    }
}

/// Longer than one time, shorter than what `Bounded` allows.
const SCALE: Nanos = TRUST / 42;

/// The cache that reads.
const READER: usize = 1;

/// An operation with its start and its end; one that never ended has no answer.
struct Step {
    thread: u64,
    /// Of an acknowledgement: to which cache.
    cache: usize,
    start: Nanos,
    end: Option<Nanos>,
    operation: Operation,
    answer: Answer,
}

/// A history of one cell: changes one after another, each acknowledged or not, and reads of any value
/// at any time. No two times are equal: a history's order is all that the tester knows.
fn by_chance(random: &mut Random) -> Vec<Step> {
    const WRITER: u64 = 0;
    let mut steps = Vec::new();
    let changes = 1 + random.below(3);
    let mut at = 0;
    for number in 1..=changes {
        let start = at + 1 + random.below(20);
        let end = start + 1 + random.below(20);
        // A process that is killed in the midst of its last change has not made it, or has.
        let is_whole = number < changes || random.below(4) > 0;
        steps.push(Step {
            thread: WRITER,
            cache: 0,
            start,
            end: is_whole.then_some(end),
            operation: Operation::Change,
            answer: Answer::Done,
        });
        at = end;
        if is_whole && random.below(3) > 0 {
            let start = end + 1 + random.below(5);
            // It may take until long after the next change.
            let took = 1 + random.below(60);
            let is_answered = random.below(5) > 0;
            steps.push(Step {
                thread: 100 + number,
                cache: random.below(2) as usize,
                start,
                end: is_answered.then_some(start + took),
                operation: Operation::Acknowledge(number),
                answer: Answer::Done,
            });
        }
    }
    for reader in 0..=random.below(5) {
        let start = random.below(at + 70);
        let took = 1 + random.below(30);
        steps.push(Step {
            thread: 200 + reader,
            cache: READER,
            start,
            end: Some(start + took),
            operation: Operation::Read,
            answer: Answer::Value(random.below(changes + 2)),
        });
    }
    apart(&mut steps);
    steps
}

/// Makes all times different, also where some are later by [`TRUST`], and keeps their order otherwise.
fn apart(steps: &mut [Step]) {
    let count = steps.len() as Nanos;
    for (at, step) in (0..).zip(steps) {
        step.start = step.start * SCALE + at;
        step.end = step.end.map(|end| end * SCALE + count + at);
    }
}

/// What the tester says. In `Bounded`, what was acknowledged to others ends later by [`TRUST`]: that is
/// what it means that it may be missed for so long.
fn is_linearizable(steps: &[Step], promise: Promise) -> bool {
    let end = |step: &Step| {
        let is_given = matches!(step.operation, Operation::Acknowledge(_));
        let is_late = promise == Promise::Bounded && is_given && step.cache != READER;
        Some(step.end? + if is_late { TRUST } else { 0 })
    };
    let mut events = Vec::new();
    for step in steps {
        events.push((step.start, step, true));
        events.extend(end(step).map(|end| (end, step, false)));
    }
    events.sort_by_key(|(at, _, _)| *at);
    let mut tester = LinearizabilityTester::new(Object::default());
    for (_, step, is_start) in events {
        let told = if is_start {
            tester.on_invoke(step.thread, step.operation.clone())
        } else {
            tester.on_return(step.thread, step.answer.clone())
        };
        told.expect("operations of a thread one after another");
    }
    tester.is_consistent()
}

/// What the law says.
fn is_kept(steps: &[Step], promise: Promise) -> bool {
    let changes = steps
        .iter()
        .filter(|step| step.operation == Operation::Change);
    let begun = changes.map(|step| step.start).collect();
    let given = steps.iter().filter_map(|step| match step.operation {
        Operation::Acknowledge(number) => Some(Given {
            number,
            at: step.end?,
            cache: step.cache,
        }),
        _ => None,
    });
    let windows = Windows::default();
    let cell = Cell::new(begun, given.collect(), &windows);
    steps.iter().all(|step| {
        let Answer::Value(value) = step.answer else {
            return true;
        };
        let look = Look {
            promise,
            cache: READER,
            value,
            start: step.start,
            end: step.end.unwrap_or(Nanos::MAX),
        };
        let verdict = cell.judge(&look, &windows);
        matches!(verdict, Verdict::Kept | Verdict::Older(_))
    })
}

fn agree(promise: Promise) {
    let mut random = Random(1);
    let mut counts = [0_u32; 2];
    for round in 0..10_000 {
        let steps = by_chance(&mut random);
        let linearizable = is_linearizable(&steps, promise);
        let told: Vec<_> = steps
            .iter()
            .map(|step| (step.start, step.end, &step.operation, &step.answer))
            .collect();
        assert_eq!(
            is_kept(&steps, promise),
            linearizable,
            "round {round}: {told:#?}"
        );
        counts[usize::from(linearizable)] += 1;
    }
    // Both kinds came often enough for the agreement to mean something.
    assert!(counts.iter().all(|count| *count > 2_000), "{counts:?}");
}

#[test]
fn law_and_tester_agree_on_strict() {
    agree(Promise::Strict);
}

#[test]
fn law_and_tester_agree_on_bounded() {
    agree(Promise::Bounded);
}
