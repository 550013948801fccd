//! What may happen next. Which of it may happen when is decided where it is done.

use super::scopes::Fault;

/// One step. The number is that of a call, a process, or a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A call begins.
    Begin(u8),
    /// The server answers its `GET`.
    ServeGet(u8),
    /// It judges the entry.
    Judge(u8),
    /// The server answers what it asks about the tags.
    ServeAsk(u8),
    /// It hears the answer.
    HearAnswer(u8),
    /// It looks at the local tier, with the view proven.
    LookLocal(u8),
    /// It joins a flight, or starts one.
    Fly(u8),
    /// Its flight has landed, or lost its leader.
    Arrive(u8),
    /// It leads: looks once more, bids, or begins.
    Lead(u8),
    /// The server answers its bid.
    ServeBid(u8),
    /// It has the lease, and looks at what came with it.
    TakeGrant(u8),
    /// The holder it waited for has ended.
    LookForLease(u8),
    /// Its body reads the database.
    Compute(u8),
    /// Its body reads the database and fails.
    Fail(u8),
    /// The head is noted late: only without that rule.
    NoteLate(u8),
    /// The server answers its fill.
    ServeFill(u8),
    /// It is dropped.
    Cancel(u8),
    /// A process handles what the server has sent first.
    Deliver(u8),
    /// It handles a reply before a note that was sent before: only on two connections.
    Overtake(u8),
    /// It handles a reply of an older connection: only without that rule.
    Late(u8),
    /// Its driver sends a catch-up.
    CatchUp(u8),
    /// Its driver looks for the log.
    Find(u8),
    /// The server reads the log's state for a catch-up.
    ServeState(u8),
    /// The server reads the records for it, and tracks them from here on.
    ServeRecords(u8),
    /// The server tracks them: only where that comes later.
    ServeArm(u8),
    /// The server reads the log's state once more.
    ServeAgain(u8),
    /// The server reads the marks.
    ServeMarks(u8),
    /// The server answers a barrier.
    ServeBarrier(u8),
    /// A process connects.
    Attach(u8),
    /// The server carries out a release that a driver had queued.
    Release(u8),
    /// The server carries out a fill whose call is gone.
    Orphan(u8),
    /// A mutation begins.
    Start(u8),
    /// The server places its mark.
    ServeMark(u8),
    /// Its body commits.
    Change(u8),
    /// The server appends its record.
    ServeAppend(u8),
    /// The driver sends the append that it owes.
    Retry(u8),
    /// The handle of a `put` is made.
    Handle,
    /// What is to be put is read from the database.
    PutReads,
    /// The server appends the record of the `put`, or refuses it.
    ServeClaim,
    /// The server stores what is put.
    ServePut,
    /// The lease, or what a failure left there, ends by itself.
    ExpireLease,
    /// A mark whose deadline has passed is ended.
    EndMark(u8),
    /// The hashes of tags are rotated.
    Rotate,
    /// Something goes wrong.
    Fault(Fault, u8),
}
