//! The behaviours: what each is called, what is right, and what the other thing costs. How one is
//! judged is in the file of its name.

/// A row of the scoreboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// See [`right`](Self::right), as for the others.
    HeadOfLineBlocking,
    /// Of many callers.
    FailingStampede,
    /// Of a flight.
    LeaderCancelled,
    /// Longer than a lease.
    LongBody,
    /// In two modules.
    SameName,
    /// Stopped while it was in use.
    RedisDown,
    /// Not there at the start.
    RedisAbsent,
    /// With nothing in it.
    RedisRestarted,
    /// Of the entry that is being computed.
    InvalidateDuringCompute,
    /// With all that the library has.
    SequentialHits,
    /// By what the server lost.
    TagOrphaned,
    /// By an entry that lives shorter.
    TagShortened,
    /// That began before an invalidation.
    OldFlight,
    /// Of different arguments.
    KeyCollisions,
    /// Of two processes.
    ClockSkew,
}

impl Behaviour {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 15] = [
        Self::HeadOfLineBlocking,
        Self::FailingStampede,
        Self::LeaderCancelled,
        Self::LongBody,
        Self::SequentialHits,
        Self::SameName,
        Self::KeyCollisions,
        Self::InvalidateDuringCompute,
        Self::OldFlight,
        Self::TagOrphaned,
        Self::TagShortened,
        Self::ClockSkew,
        Self::RedisDown,
        Self::RedisAbsent,
        Self::RedisRestarted,
    ];

    /// The name that tables show.
    pub fn name(self) -> &'static str {
        match self {
            Self::HeadOfLineBlocking => "head-of-line blocking",
            Self::FailingStampede => "failing stampede",
            Self::LeaderCancelled => "leader cancelled",
            Self::LongBody => "long body",
            Self::SameName => "same name in two modules",
            Self::RedisDown => "Redis down",
            Self::RedisAbsent => "Redis absent",
            Self::RedisRestarted => "Redis restarted",
            Self::InvalidateDuringCompute => "invalidate during compute",
            Self::SequentialHits => "sequential hits",
            Self::TagOrphaned => "tag orphaned",
            Self::TagShortened => "tag shortened by a sibling",
            Self::OldFlight => "caller after the ack",
            Self::KeyCollisions => "key collisions",
            Self::ClockSkew => "clock skew",
        }
    }

    /// The name that command lines take: `failing-stampede`.
    pub fn word(self) -> String {
        self.name().to_lowercase().replace(' ', "-")
    }

    /// The behaviour of this [`word`](Self::word).
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// What is right.
    pub fn right(self) -> &'static str {
        match self {
            Self::HeadOfLineBlocking => {
                "While one key computes for 2 s, none of 1,000 hits on other keys takes 0.5 s."
            }
            Self::FailingStampede => {
                "10 callers of one key whose body fails after 0.5 s get its error from one run."
            }
            Self::LeaderCancelled => {
                "Where the caller that computes is cancelled, those who wait have the value \
                 within 5 s."
            }
            Self::LongBody => "10 callers of one key whose body takes 12 s get it from one run.",
            Self::SameName => {
                "Two functions of one name, in two modules of a program, have each their own \
                 values without being told to."
            }
            Self::RedisDown => {
                "With the server stopped, each call has what the body returns within 5 s."
            }
            Self::RedisAbsent => {
                "With no server at the start, each call has what the body returns within 5 s; \
                 within 15 s of the server's start its entries are hits for another client."
            }
            Self::RedisRestarted => {
                "Within 15 s of a restart of the server its entries are hits for another client."
            }
            Self::InvalidateDuringCompute => {
                "A value whose body began before an acknowledged invalidation is not served \
                 after it ended."
            }
            Self::SequentialHits => {
                "10 calls in a row run the body once, with all on that the library has."
            }
            Self::TagOrphaned => {
                "Where the server loses any key that a tag's invalidation goes by, before or \
                 after it, no entry of that tag outlives the invalidation."
            }
            Self::TagShortened => {
                "An entry with a ttl of 10 min is reached by its tag after another entry of that \
                 tag, with a ttl of 1 s, has expired."
            }
            Self::OldFlight => {
                "A call made after an acknowledged invalidation does not get the value of a body \
                 that began before it."
            }
            Self::KeyCollisions => {
                "f(\"a:b\", \"c\") and f(\"a\", \"b:c\") have each their own value, for 16 \
                 separators, with the keys that the library makes."
            }
            Self::ClockSkew => {
                "An invalidation by one process reaches the entries of another whose clock is 5 \
                 min ahead, and the other way round."
            }
        }
    }

    /// What it costs a user where it is not so.
    pub fn cost(self) -> &'static str {
        match self {
            Self::HeadOfLineBlocking => {
                "one slow query stalls requests that have nothing to do with it"
            }
            Self::FailingStampede => {
                "a database in trouble gets each caller's query, one after the other"
            }
            Self::LeaderCancelled => "one client that hangs up takes the others' requests with it",
            Self::LongBody => "the dearest computations are the ones that run several times",
            Self::SameName => "a function returns another function's data",
            Self::RedisDown => "the cache's outage is the service's outage",
            Self::RedisAbsent => "a deployment depends on which of the two starts first",
            Self::RedisRestarted => "processes have to be restarted after the server was",
            Self::InvalidateDuringCompute | Self::TagShortened => {
                "the old value stays for a whole ttl"
            }
            Self::SequentialHits => "a cache that never hits",
            Self::TagOrphaned => "the old value stays for a whole ttl, in some processes only",
            Self::OldFlight => "a user does not see their own change",
            Self::KeyCollisions => "a call returns what was computed for other arguments",
            Self::ClockSkew => "the old value stays for as long as the clocks are apart, or a ttl",
        }
    }
}
