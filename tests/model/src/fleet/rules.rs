//! The rules of the protocol, each of which can be left out; what each says, and where the design
//! has it. What leaving one out changes stands where the rule is applied.

/// A rule of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Rule {
    /// The compute notes the head before it starts.
    HeadBeforeCompute,
    /// An append follows the commit of what it invalidates.
    AppendAfterCommit,
    /// The own record is applied before the caller is told.
    OwnRecordFirst,
    /// Notes and replies share one connection.
    OneConnection,
    /// A reply behind a note is judged after the catch-up.
    WaitForCatchUp,
    /// The read of a catch-up arms the tracking, at once.
    ReadArms,
    /// The records reach the head without a gap.
    NoGap,
    /// Where no records are found, the log's state is read once more.
    NoRecordsAreReadTwice,
    /// The log's id, and each record's, is compared.
    CatchUpNamesTheLog,
    /// What a view that started anew does not know is asked.
    UnknownIsAsked,
    /// A view that starts anew forgets what it knew.
    AnewKnowsNothing,
    /// An answer that the view has moved past is dropped.
    LateAnswersAreDropped,
    /// A hit in the process, in `Strict`, needs a barrier.
    LocalNeedsProof,
    /// A barrier counts for those only who asked before it was sent.
    BarrierAfterAsking,
    /// Whatever changes the view ends what was judged by it.
    EpochEndsJudgements,
    /// In a cluster, `Strict` needs a barrier for what is shared too.
    ClusterNeedsProof,
    /// A fill does not replace a higher version of its log.
    HigherStays,
    /// A put is refused where a tag has moved since its handle was made.
    PutIsRefused,
    /// Entries carry the log's id.
    EntriesCarryTheLog,
    /// The server's identity is compared.
    ServerIdentity,
    /// That the head went backwards is no test for a failover.
    NotByTheHead,
    /// A log's id is never used again.
    RandomLogId,
    /// A hash without its sentinel raises the floor.
    Sentinel,
    /// A rotation raises the floor.
    RotationRaisesTheFloor,
    /// A connection begins with a catch-up.
    AttachCatchesUp,
    /// Replies of an older connection decide nothing.
    Generation,
    /// Joining passes the test of a hit.
    JoiningIsAHit,
    /// Joining, in `Strict`, needs proof.
    JoiningNeedsProof,
    /// A follower judges by the tags known from the result too.
    FollowerJudges,
    /// A leader that is dropped leaves the flight to a follower.
    HandOver,
    /// A token for each fill.
    TokenPerFill,
    /// A fill compares the token.
    CommitByToken,
    /// A release compares the token.
    ReleaseByToken,
    /// A lease ends by itself.
    LeaseExpires,
    /// A holder whose value would be outdated is not waited for.
    TooOldIsSuperseded,
    /// A failure is for those only who waited for that token.
    FailureOfThatToken,
    /// The mark stands before the body runs.
    MarkBeforeBody,
    /// While a mark stands, its tags are outdated.
    MarksHold,
    /// Only an append ends a mark.
    OnlyAnAppendEndsAMark,
    /// No one ends a mark before its deadline.
    DeadlineIsWaitedFor,
    /// Marks are apart from the hashes that rotate.
    MarksApart,
    /// A view that starts anew fetches the marks.
    AnewFetchesMarks,
    /// A mark ends with its deadline, whoever placed it.
    MarksEnd,
}

impl Rule {
    /// Its name, as on the command line.
    pub(super) fn name(self) -> &'static str {
        self.text().0
    }

    /// What it says.
    pub(super) fn says(self) -> &'static str {
        self.text().1
    }

    /// Where the product keeps it.
    pub(super) fn lives(self) -> &'static str {
        self.text().2
    }

    #[expect(clippy::too_many_lines, reason = "a table")]
    fn text(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::HeadBeforeCompute => (
                "head-before-compute",
                "a compute notes the head of its view before it starts",
                "call.rs: `Call::begin`",
            ),
            Self::AppendAfterCommit => (
                "append-after-commit",
                "a mutation appends after its outermost commit",
                "invalidate.rs: the body, then the debt",
            ),
            Self::OwnRecordFirst => (
                "own-record-first",
                "the own record is applied to the view before the caller is told",
                "shared/redis/write.rs, log/change.rs: `View::confirm`",
            ),
            Self::OneConnection => (
                "one-connection",
                "notes come in order with the replies of the connection that is read with",
                "shared/redis/dial.rs: the push sender of the reading connection",
            ),
            Self::WaitForCatchUp => (
                "wait-for-catch-up",
                "what is read behind a note is judged after the catch-up",
                "shared/redis/link.rs: `Link::up_to_date`",
            ),
            Self::ReadArms => (
                "read-arms",
                "the read of a catch-up arms the tracking, in one command",
                "shared/redis/follow.rs: `pass`",
            ),
            Self::NoGap => (
                "no-gap",
                "a catch-up counts only if its records reach the head without a gap",
                "log.rs: `CaughtUp::joins`",
            ),
            Self::NoRecordsAreReadTwice => (
                "no-records-are-read-twice",
                "a catch-up that finds no records counts only if the log has not moved by then",
                "shared/redis/follow.rs: `pass`",
            ),
            Self::CatchUpNamesTheLog => (
                "catch-up-names-the-log",
                "a catch-up compares the log's id, and that of each record",
                "log/change.rs: `View::goes_on`, shared/redis/reply.rs: `records`",
            ),
            Self::UnknownIsAsked => (
                "unknown-is-asked",
                "entries older than what the view knows are judged by asking",
                "log/judge.rs, call/lookup.rs",
            ),
            Self::AnewKnowsNothing => (
                "anew-knows-nothing",
                "a view that starts anew forgets what it knew of tags",
                "log/change.rs: `View::start`",
            ),
            Self::LateAnswersAreDropped => (
                "late-answers-are-dropped",
                "an answer is kept only if the view has not moved past it",
                "log/change.rs: `View::learn`",
            ),
            Self::LocalNeedsProof => (
                "local-needs-proof",
                "in `Strict` a hit in the process needs a barrier",
                "call/lookup.rs: `proven_local_current`",
            ),
            Self::BarrierAfterAsking => (
                "barrier-after-asking",
                "a barrier counts for those only who asked before it was sent",
                "shared/redis/lanes.rs",
            ),
            Self::EpochEndsJudgements => (
                "epoch-ends-judgements",
                "whatever changes the view ends what was judged by it",
                "log.rs: `View::stir`, local/entry.rs",
            ),
            Self::ClusterNeedsProof => (
                "cluster-needs-proof",
                "in a cluster, `Strict` needs a barrier for hits in the store too",
                "shared/redis.rs: `get`",
            ),
            Self::HigherStays => (
                "higher-stays",
                "a fill without a lease replaces no higher version of the same log",
                "shared/redis/fill.lua",
            ),
            Self::PutIsRefused => (
                "put-is-refused",
                "a put is refused where a tag of it has moved since its handle was made",
                "shared/redis/append.lua: the claim",
            ),
            Self::EntriesCarryTheLog => (
                "entries-carry-the-log",
                "an entry is current only under the log's id that it was written under",
                "entry.rs, log.rs: `View::locate`",
            ),
            Self::ServerIdentity => (
                "server-identity",
                "where the server's identity has changed, a new log begins",
                "shared/redis/log.lua: `anew`",
            ),
            Self::NotByTheHead => (
                "not-by-the-head",
                "that the head went backwards is no test for a failover",
                "shared/redis/log.lua: `anew`",
            ),
            Self::RandomLogId => (
                "random-log-id",
                "a log's id is never used again",
                "chance.rs, shared/redis/write.rs",
            ),
            Self::Sentinel => (
                "sentinel",
                "a hash of tags without its sentinel raises the floor to the head",
                "shared/redis/log.lua: `is_lost`, ask.lua",
            ),
            Self::RotationRaisesTheFloor => (
                "rotation-raises-the-floor",
                "the floor follows the hash that is dropped",
                "shared/redis/rotate.lua",
            ),
            Self::AttachCatchesUp => (
                "attach-catches-up",
                "a new connection decides nothing before its first catch-up",
                "shared/redis/driver.rs, attach.rs",
            ),
            Self::Generation => (
                "generation",
                "replies of an older connection decide nothing",
                "shared/redis/link.rs: `is_current`",
            ),
            Self::JoiningIsAHit => (
                "joining-is-a-hit",
                "joining a flight passes the test of a hit",
                "call/lead.rs: `admits`",
            ),
            Self::JoiningNeedsProof => (
                "joining-needs-proof",
                "in `Strict` a call looks, or asks for a barrier, before it joins",
                "call/lead.rs: `fly`",
            ),
            Self::FollowerJudges => (
                "follower-judges",
                "a follower judges by the tags that are known from the result too",
                "log/judge.rs: `View::accepts`",
            ),
            Self::HandOver => (
                "hand-over",
                "a leader that is dropped leaves the flight to a follower",
                "flight.rs: `Leader::abandon`",
            ),
            Self::TokenPerFill => (
                "token-per-fill",
                "each fill has a token of its own",
                "lease.rs: `Lease::sought`",
            ),
            Self::CommitByToken => (
                "commit-by-token",
                "a fill commits by its token, or not at all",
                "shared/redis/fill.lua",
            ),
            Self::ReleaseByToken => (
                "release-by-token",
                "a lease is released by compare-and-delete",
                "shared/redis/release.lua",
            ),
            Self::LeaseExpires => (
                "lease-expires",
                "a dead leader is replaced: the lease ends by itself",
                "shared/redis/bid.lua: `PX`",
            ),
            Self::TooOldIsSuperseded => (
                "too-old-is-superseded",
                "a lease whose value would be outdated is taken over, not waited for",
                "call/lead.rs: `is_too_old`",
            ),
            Self::FailureOfThatToken => (
                "failure-of-that-token",
                "a failure is for the followers of that token",
                "shared/redis/bid.lua",
            ),
            Self::MarkBeforeBody => (
                "mark-before-body",
                "the mark is acknowledged before the body runs",
                "cache/debt.rs: `Debt::guard`",
            ),
            Self::MarksHold => (
                "marks-hold",
                "while a mark stands, entries with its tags are not served",
                "log/change.rs: `View::place`",
            ),
            Self::OnlyAnAppendEndsAMark => (
                "only-an-append-ends-a-mark",
                "whoever ends a mark appends its tags",
                "shared/redis/append.lua, expire.lua",
            ),
            Self::DeadlineIsWaitedFor => (
                "deadline-is-waited-for",
                "nobody but its holder ends a mark before its deadline",
                "shared/redis/expire.lua",
            ),
            Self::MarksApart => (
                "marks-apart",
                "marks are apart from the hashes that are rotated",
                "shared/redis/rotate.lua: it leaves them",
            ),
            Self::AnewFetchesMarks => (
                "anew-fetches-marks",
                "every view that starts anew fetches the marks",
                "shared/redis/follow.rs: `pass`, `start_anew`",
            ),
            Self::MarksEnd => (
                "marks-end",
                "once the deadline has passed, anyone ends the mark",
                "shared/redis/driver.rs: the heartbeat",
            ),
        }
    }
}
