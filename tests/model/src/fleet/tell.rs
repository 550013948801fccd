//! A step in words.

use super::scopes::{Fault, Scope};
use super::step::Step;

/// One line of a trace.
pub(super) fn step(scope: &Scope, step: Step) -> String {
    let name = |process: u8| char::from(b'A' + process);
    let call = |call: u8| {
        let home = scope.calls[usize::from(call)];
        let others = scope.calls.iter().zip(0u8..);
        let alone = others
            .into_iter()
            .all(|(&one, number)| one != home || number == call);
        if alone {
            format!("{}'s call", name(home))
        } else {
            format!("{}'s call {}", name(home), call + 1)
        }
    };
    let mutation = |mutation: u8| {
        let home = scope.mutations[usize::from(mutation)].home;
        match scope.mutations.len() {
            1 => format!("{}'s mutation", name(home)),
            _ => format!("{}'s mutation {}", name(home), mutation + 1),
        }
    };
    match step {
        Step::Begin(one) => format!("{} begins", call(one)),
        Step::ServeGet(one) => format!("the server answers the GET of {}", call(one)),
        Step::Judge(one) => format!("{} judges what it got", call(one)),
        Step::ServeAsk(one) => format!("the server answers what {} asks of the log", call(one)),
        Step::HearAnswer(one) => format!("{} hears what the log says", call(one)),
        Step::LookLocal(one) => format!("{} looks into the process's own tier", call(one)),
        Step::Fly(one) => format!("{} joins a flight, or starts one", call(one)),
        Step::Arrive(one) => format!("{} is told how its flight ended", call(one)),
        Step::Lead(one) => format!("{} leads, and goes on to the right to compute", call(one)),
        Step::ServeBid(one) => format!("the server answers the bid of {}", call(one)),
        Step::TakeGrant(one) => format!(
            "{} has the lease, and looks at what came with it",
            call(one)
        ),
        Step::LookForLease(one) => format!("{} hears that the lease has ended", call(one)),
        Step::Compute(one) => format!("{} reads the database", call(one)),
        Step::Fail(one) => format!("{} reads the database, and fails", call(one)),
        Step::NoteLate(one) => format!("{} notes the head, now that it has read", call(one)),
        Step::ServeFill(one) => format!("the server stores the entry of {}", call(one)),
        Step::Cancel(one) => format!("{} is dropped", call(one)),
        Step::Deliver(one) => format!("{} handles what the server has sent next", name(one)),
        Step::Overtake(one) => format!("{} handles a reply before the note ahead of it", name(one)),
        Step::Late(one) => format!("{} handles a reply of its older connection", name(one)),
        Step::CatchUp(one) => format!("{}'s driver sends a catch-up", name(one)),
        Step::Find(one) => format!("{}'s driver looks for the log, or begins one", name(one)),
        Step::ServeState(one) => format!("the server reads the log's state for {}", name(one)),
        Step::ServeRecords(one) => format!("the server reads the records for {}", name(one)),
        Step::ServeArm(one) => format!("the server tracks the records for {}", name(one)),
        Step::ServeAgain(one) => {
            format!("the server reads the log's state again for {}", name(one))
        }
        Step::ServeMarks(one) => format!("the server reads the marks for {}", name(one)),
        Step::ServeBarrier(one) => format!("the server answers the barrier of {}", name(one)),
        Step::Attach(one) => format!("{} connects, and finds the log or begins one", name(one)),
        Step::Release(one) => format!("the server carries out a release of {}'s driver", name(one)),
        Step::Orphan(one) => format!(
            "the server carries out the fill of {}'s dropped call",
            name(one)
        ),
        Step::Start(one) => format!("{} begins", mutation(one)),
        Step::ServeMark(one) => format!("the server places the mark of {}", mutation(one)),
        Step::Change(one) => format!("{} commits to the database", mutation(one)),
        Step::ServeAppend(one) => format!("the server appends the record of {}", mutation(one)),
        Step::Retry(one) => format!("the driver appends what {} owes", mutation(one)),
        Step::Handle => "A makes a handle for a put".into(),
        Step::PutReads => "A reads from the database what it will put".into(),
        Step::ServeClaim => "the server appends the record of A's put, or refuses it".into(),
        Step::ServePut => "the server stores what A puts".into(),
        Step::ExpireLease => "the lease's time is over".into(),
        Step::EndMark(one) => format!("the mark of {} is ended by another", mutation(one)),
        Step::Rotate => "the hashes of tags are rotated".into(),
        Step::Fault(fault, at) => match fault {
            Fault::Flush => "FLUSHALL".into(),
            Fault::LoseMeta => "the log's metadata are evicted".into(),
            Fault::LoseTags => "the hashes of tags are evicted".into(),
            Fault::LoseRecords => "the records are evicted".into(),
            Fault::LoseMarks => "the marks are evicted".into(),
            Fault::Restart => "the server starts again, with nothing".into(),
            Fault::Copy => "the replica falls behind".into(),
            Fault::Failover => "the replica takes the server's place".into(),
            Fault::Disconnect => format!("{} loses its connection", name(at)),
            Fault::Crash => format!("{} dies", name(at)),
        },
    }
}
