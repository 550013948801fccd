//! What a test does to the operations of a simulated store: failures, lost replies, delays, and gates
//! at which they wait.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::operation::OperationKind;

/// Where operations wait until a test lets them go.
#[derive(Debug)]
pub(crate) struct Gate {
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            arrived: watch::Sender::new(0),
            open: watch::Sender::new(false),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        *self.open.borrow()
    }

    /// One more has come.
    pub(super) fn arrive(&self) {
        self.arrived.send_modify(|count| *count += 1);
    }

    /// Waits until so many have come.
    pub(crate) async fn reached(&self, count: usize) {
        let mut arrived = self.arrived.subscribe();
        // Its sender is this gate's: it cannot be gone.
        let _ = arrived.wait_for(|arrived| *arrived >= count).await;
    }

    pub(super) async fn pass(&self) {
        let mut open = self.open.subscribe();
        let _ = open.wait_for(|open| *open).await;
    }

    pub(super) fn open(&self) {
        self.open.send_replace(true);
    }
}

/// What befalls one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not done.
    Fails,
    /// It is done, and nobody is told.
    LosesReply,
}

/// What befalls the operations of one kind.
#[derive(Debug, Default)]
struct Rule {
    fails: bool,
    fail_next: usize,
    lose_next: usize,
    delay: Duration,
    gates: Vec<Arc<Gate>>,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    rules: HashMap<OperationKind, Rule>,
    /// Whether who asks is kept waiting for a turn before an operation is done, and for another
    /// before the answer.
    pub(super) takes_turns: bool,
}

impl Faults {
    fn rule(&mut self, kind: OperationKind) -> &mut Rule {
        self.rules.entry(kind).or_default()
    }

    pub(super) fn fail(&mut self, kind: OperationKind) {
        self.rule(kind).fails = true;
    }

    pub(super) fn fail_next(&mut self, kind: OperationKind, count: usize) {
        self.rule(kind).fail_next = count;
    }

    pub(super) fn lose_reply(&mut self, kind: OperationKind, count: usize) {
        self.rule(kind).lose_next = count;
    }

    pub(super) fn set_delay(&mut self, kind: OperationKind, delay: Duration) {
        self.rule(kind).delay = delay;
    }

    /// Takes back everything but the gates, which their holders open.
    pub(super) fn heal(&mut self) {
        for rule in self.rules.values_mut() {
            let gates = std::mem::take(&mut rule.gates);
            *rule = Rule {
                gates,
                ..Rule::default()
            };
        }
    }

    pub(super) fn hold(&mut self, kind: OperationKind) -> Arc<Gate> {
        let gate = Arc::new(Gate::new());
        self.rule(kind).gates.push(Arc::clone(&gate));
        gate
    }

    /// The gate that an operation of this kind has to wait at.
    pub(super) fn gate(&mut self, kind: OperationKind) -> Option<Arc<Gate>> {
        let gates = &mut self.rule(kind).gates;
        gates.retain(|gate| !gate.is_open());
        gates.first().cloned()
    }

    pub(super) fn delay(&mut self, kind: OperationKind) -> Duration {
        self.rule(kind).delay
    }

    /// What befalls this operation, which is about to be done.
    pub(super) fn strike(&mut self, kind: OperationKind) -> Option<Fault> {
        let rule = self.rule(kind);
        if rule.fail_next > 0 {
            rule.fail_next -= 1;
            return Some(Fault::Fails);
        }
        if rule.fails {
            return Some(Fault::Fails);
        }
        if rule.lose_next > 0 {
            rule.lose_next -= 1;
            return Some(Fault::LosesReply);
        }
        None
    }
}
