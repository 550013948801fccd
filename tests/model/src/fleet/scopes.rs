//! What is explored at once: who takes part, what may go wrong, and which rules are left out there,
//! one at a time, to see what they are for.

use super::Rule;

/// Who takes part in one exploration.
#[expect(clippy::struct_excessive_bools, reason = "each is there or is not")]
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    /// Its name, as on the command line.
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) about: &'static str,
    /// What is bounded.
    pub(super) bounds: &'static str,
    /// Whether reads are `Strict`; else `Bounded`.
    pub(super) strict: bool,
    /// How many processes there are.
    pub(super) processes: usize,
    /// Those that have not connected at the beginning.
    pub(super) late: &'static [usize],
    /// The process of each call. Each calls again and again.
    pub(super) calls: &'static [u8],
    /// The mutations, each made once.
    pub(super) mutations: &'static [Mutation],
    /// Whether processes keep values.
    pub(super) local: bool,
    /// Whether calls of one process are one flight, and those of several take a lease.
    pub(super) flights: bool,
    /// See `flights`.
    pub(super) leases: bool,
    /// Whether the computes of the first call may fail.
    pub(super) failures: bool,
    /// Whether the entry is on another node than the log.
    pub(super) split: bool,
    /// Whether the first process puts a value by hand.
    pub(super) puts: bool,
    /// What may go wrong, and how often in all.
    pub(super) faults: &'static [Fault],
    /// See `faults`.
    pub(super) budget: u8,
    /// How many calls may be dropped.
    pub(super) cancels: u8,
    /// How many rotations there are.
    pub(super) turns: u8,
    /// How deep it is explored; to the end where there is no number.
    pub(super) depth: Option<usize>,
    /// The rules that are left out here.
    pub(super) rules: &'static [Rule],
}

/// A change of the database, and its invalidation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mutation {
    /// Its process.
    pub(super) home: u8,
    /// The cells that it changes, as bits.
    pub(super) cells: u8,
    /// Whether it is `crash_safe`.
    pub(super) safe: bool,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// `FLUSHALL`.
    Flush,
    /// The log's metadata are evicted.
    LoseMeta,
    /// Both hashes of tags are evicted.
    LoseTags,
    /// The records are evicted.
    LoseRecords,
    /// The marks are evicted.
    LoseMarks,
    /// The server starts again with nothing.
    Restart,
    /// A replica falls behind from here on.
    Copy,
    /// That replica takes the server's place.
    Failover,
    /// A process loses its connection.
    Disconnect,
    /// A process dies.
    Crash,
}

const fn change(home: u8, cells: u8) -> Mutation {
    Mutation {
        home,
        cells,
        safe: false,
    }
}

const fn safely(home: u8, cells: u8) -> Mutation {
    Mutation {
        home,
        cells,
        safe: true,
    }
}

/// Of the cell whose tag is known from the result.
static RESULT_ONLY: [Mutation; 1] = [change(1, 2)];

const NOTHING: Scope = Scope {
    name: "",
    about: "",
    bounds: "",
    strict: true,
    processes: 2,
    late: &[],
    calls: &[0, 1],
    mutations: &[change(0, 1), change(1, 1)],
    local: false,
    flights: false,
    leases: false,
    failures: false,
    split: false,
    puts: false,
    faults: &[],
    budget: 0,
    cancels: 0,
    turns: 0,
    depth: None,
    rules: &[],
};

/// Every scope.
pub(super) static SCOPES: &[Scope] = &[
    Scope {
        name: "log",
        about: "the log and its views: hits in the store, `Strict`",
        bounds: "3 processes, 2 of them call, again and again, 2 of them make a mutation",
        processes: 3,
        calls: &[0, 1],
        mutations: &[change(1, 1), change(2, 1)],
        rules: &[
            Rule::HeadBeforeCompute,
            Rule::AppendAfterCommit,
            Rule::OneConnection,
            Rule::WaitForCatchUp,
            Rule::ReadArms,
            Rule::HigherStays,
        ],
        ..NOTHING
    },
    Scope {
        name: "late",
        about: "a process that connects when the log has moved",
        bounds: "2 processes, a call in each; 2 mutations; one of the processes connects late",
        late: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        rules: &[Rule::UnknownIsAsked, Rule::LateAnswersAreDropped],
        ..NOTHING
    },
    Scope {
        name: "cut",
        about: "connections that are lost",
        bounds: "2 processes, a call in one; 2 mutations in the other; 2 connections lost",
        calls: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        faults: &[Fault::Disconnect],
        budget: 2,
        rules: &[Rule::AttachCatchesUp, Rule::Generation],
        ..NOTHING
    },
    Scope {
        name: "local",
        about: "values kept in the process, `Strict`",
        bounds: "2 processes, 2 calls in one; 2 mutations",
        calls: &[0, 0],
        local: true,
        rules: &[
            Rule::LocalNeedsProof,
            Rule::BarrierAfterAsking,
            Rule::EpochEndsJudgements,
        ],
        ..NOTHING
    },
    Scope {
        name: "bounded",
        about: "values kept in the process, `Bounded`: own invalidations and those heard of",
        bounds: "2 processes, 2 calls in one; a mutation in each",
        strict: false,
        calls: &[0, 0],
        local: true,
        rules: &[Rule::EpochEndsJudgements, Rule::OwnRecordFirst],
        ..NOTHING
    },
    Scope {
        name: "cluster",
        about: "the entry on another node than the log, `Strict`",
        bounds: "2 processes, a call in each; 2 mutations",
        split: true,
        local: true,
        rules: &[Rule::ClusterNeedsProof],
        ..NOTHING
    },
    Scope {
        name: "put",
        about: "a value that is put by hand, and one that is computed",
        bounds: "2 processes, a call and a put in one; 2 mutations in the other",
        calls: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        puts: true,
        rules: &[Rule::PutIsRefused],
        ..NOTHING
    },
    Scope {
        name: "flights",
        about: "calls of one process that join each other's computes",
        bounds: "2 processes, 3 calls in one; 2 mutations, one of a tag known from the result",
        calls: &[0, 0, 0],
        mutations: &[change(1, 1), change(1, 2)],
        flights: true,
        rules: &[
            Rule::JoiningIsAHit,
            Rule::JoiningNeedsProof,
            Rule::FollowerJudges,
        ],
        ..NOTHING
    },
    Scope {
        name: "dropped",
        about: "calls that are dropped: leaders, their followers, and what they hold",
        bounds: "2 calls in one process; one of them dropped; no mutation",
        processes: 1,
        calls: &[0, 0],
        mutations: &[],
        flights: true,
        leases: true,
        cancels: 1,
        rules: &[Rule::HandOver, Rule::ReleaseByToken, Rule::TokenPerFill],
        ..NOTHING
    },
    Scope {
        name: "leases",
        about: "computes of several processes under one lease",
        bounds: "2 processes, a call in each; one of them dies",
        calls: &[0, 1],
        mutations: &[],
        flights: true,
        leases: true,
        faults: &[Fault::Crash],
        budget: 1,
        rules: &[Rule::CommitByToken, Rule::LeaseExpires],
        ..NOTHING
    },
    Scope {
        name: "failures",
        about: "computes that fail under a lease, and invalidations meanwhile",
        bounds: "2 processes, a call in each, one of which may fail, a mutation in the other",
        mutations: &[change(1, 1)],
        flights: true,
        leases: true,
        failures: true,
        depth: Some(30),
        rules: &[Rule::TooOldIsSuperseded, Rule::FailureOfThatToken],
        ..NOTHING
    },
    Scope {
        name: "marks",
        about: "mutations that survive the crash of their process",
        bounds: "2 processes, a call in one, a crash-safe mutation and its crash in the other; the \
                 records lost once; a rotation",
        calls: &[0],
        mutations: &[safely(1, 1)],
        faults: &[Fault::Crash, Fault::LoseRecords],
        budget: 2,
        turns: 1,
        rules: &[
            Rule::MarkBeforeBody,
            Rule::MarksHold,
            Rule::OnlyAnAppendEndsAMark,
            Rule::DeadlineIsWaitedFor,
            Rule::MarksApart,
            Rule::AnewFetchesMarks,
            Rule::MarksEnd,
        ],
        ..NOTHING
    },
    Scope {
        name: "evicted",
        about: "keys of the log that the server evicts",
        bounds: "2 processes, a call in one; 2 mutations; 2 evictions",
        calls: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        faults: &[
            Fault::LoseMeta,
            Fault::LoseTags,
            Fault::LoseRecords,
            Fault::LoseMarks,
        ],
        budget: 2,
        rules: &[
            Rule::Sentinel,
            Rule::AnewKnowsNothing,
            Rule::NoGap,
            Rule::NoRecordsAreReadTwice,
        ],
        ..NOTHING
    },
    Scope {
        name: "lost",
        about: "FLUSHALL, and a server that starts again with nothing",
        bounds: "2 processes, a call in one; 2 mutations; 2 losses",
        calls: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        faults: &[Fault::Flush, Fault::Restart],
        budget: 2,
        rules: &[
            Rule::EntriesCarryTheLog,
            Rule::RandomLogId,
            Rule::CatchUpNamesTheLog,
        ],
        ..NOTHING
    },
    Scope {
        name: "failover",
        about: "a replica that had fallen behind takes the server's place",
        bounds: "2 processes, a call in one; 2 mutations; a failover",
        calls: &[0],
        mutations: &[change(1, 1), change(1, 1)],
        faults: &[Fault::Copy, Fault::Failover],
        budget: 1,
        rules: &[Rule::ServerIdentity, Rule::NotByTheHead],
        ..NOTHING
    },
    Scope {
        name: "rotation",
        about: "hashes of tags that are dropped in turns, and a process that asks",
        bounds: "2 processes, a call in each, one of them connects late; 1 mutation; 2 rotations",
        late: &[0],
        turns: 2,
        mutations: &[change(1, 1)],
        rules: &[Rule::RotationRaisesTheFloor],
        ..NOTHING
    },
    Scope {
        name: "together",
        about: "all of it at once",
        bounds: "3 processes, 3 calls, a plain and a crash-safe mutation; 2 faults of any kind, a \
                 call dropped, a rotation",
        processes: 3,
        calls: &[0, 1, 0],
        mutations: &[change(1, 1), safely(2, 2)],
        local: true,
        flights: true,
        leases: true,
        failures: true,
        faults: &[
            Fault::LoseTags,
            Fault::LoseRecords,
            Fault::Disconnect,
            Fault::Crash,
        ],
        budget: 2,
        cancels: 1,
        turns: 1,
        depth: Some(11),
        ..NOTHING
    },
];

impl Scope {
    /// The cells that the marks of these mutations are on, as bits.
    pub(super) fn marked(&self, standing: u8) -> u8 {
        let mutations = self.mutations.iter().enumerate();
        let standing = mutations.filter(|(at, _)| standing & 1 << at != 0);
        standing.fold(0, |cells, (_, mutation)| cells | mutation.cells)
    }

    /// As it is explored without this rule: nothing is there that a counter-example has no use for.
    pub(super) fn without(self, rule: Rule) -> Self {
        let once = &self.mutations[..self.mutations.len().min(1)];
        match rule {
            Rule::Generation | Rule::AttachCatchesUp => Self { budget: 1, ..self },
            Rule::LateAnswersAreDropped => Self {
                mutations: once,
                turns: 1,
                ..self
            },
            Rule::MarkBeforeBody | Rule::OnlyAnAppendEndsAMark | Rule::MarksEnd => Self {
                faults: &[Fault::Crash],
                budget: 1,
                turns: 0,
                ..self
            },
            Rule::MarksHold | Rule::DeadlineIsWaitedFor => Self {
                budget: 0,
                turns: 0,
                ..self
            },
            Rule::AnewFetchesMarks => Self {
                faults: &[Fault::LoseRecords],
                budget: 1,
                turns: 0,
                ..self
            },
            Rule::MarksApart => Self {
                faults: &[Fault::LoseRecords],
                budget: 1,
                turns: 1,
                ..self
            },
            Rule::NoGap | Rule::NoRecordsAreReadTwice => Self {
                faults: &[Fault::LoseRecords],
                ..self
            },
            Rule::Sentinel | Rule::AnewKnowsNothing => Self {
                faults: &[Fault::LoseRecords, Fault::LoseTags],
                ..self
            },
            Rule::JoiningIsAHit | Rule::JoiningNeedsProof => Self {
                calls: &[0, 0],
                mutations: once,
                ..self
            },
            Rule::FollowerJudges => Self {
                calls: &[0, 0],
                mutations: &RESULT_ONLY,
                ..self
            },
            _ => self,
        }
    }

    /// As it is explored in the tests: with less of what there is more than one of.
    pub(super) fn small(self) -> Self {
        let few = self.mutations.len().min(1);
        Self {
            mutations: &self.mutations[..few],
            calls: &self.calls[..self.calls.len().min(2)],
            budget: self.budget.min(1),
            turns: self.turns.min(1),
            ..self
        }
    }

    /// Whether calls are made in this process.
    pub(super) fn reads(&self, process: usize) -> bool {
        self.calls.iter().any(|&home| usize::from(home) == process)
    }

    /// Whether any mutation places a mark.
    pub(super) fn has_marks(&self) -> bool {
        self.mutations.iter().any(|mutation| mutation.safe)
    }
}
