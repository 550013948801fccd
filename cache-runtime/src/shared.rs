//! What the runtime asks of a shared tier: it moves bytes, orders invalidations and grants leases.
//! It never sees a value, a spec or a codec, and it keeps the local view up to date by itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Millis;
use crate::error::{Error, ErrorKind};
use crate::log::{Answer, LogId, MarkId};
use crate::tag::TagHash;
use crate::timer::Alarm;

#[cfg(feature = "redis")]
pub(crate) mod redis;
pub(crate) mod simulated;
mod watch;

/// An operation under way. It borrows nothing, so that it can be kept beside a body.
pub(crate) type Operation<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Where a key lives in the shared tier.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) entry: Vec<u8>,
    /// Where in the entry's name a lease's has an `l`; `None` where the two are kept apart anyway.
    pub(crate) kind: Option<usize>,
}

impl Slot {
    /// The name of the lease. Few calls need it.
    pub(crate) fn lease(&self) -> Vec<u8> {
        let mut lease = self.entry.clone();
        if let Some(kind) = self.kind.and_then(|at| lease.get_mut(at)) {
            *kind = b'l';
        }
        lease
    }
}

/// Proof of holding a lease: random, one per fill.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Token(pub(crate) [u8; 16]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a log, not enough to forge one.
        write!(f, "Token({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

impl Token {
    /// 128 bits from the operating system: nobody holds the same by accident or by guessing.
    pub(crate) fn random() -> Result<Self, Error> {
        let mut bits = [0; 16];
        match getrandom::fill(&mut bits) {
            Ok(()) => Ok(Self(bits)),
            Err(error) => Err(Error::caused(
                ErrorKind::Store,
                "the system gives no random bits",
                error.to_string(),
            )),
        }
    }
}

/// An attempt to get the right to compute a key.
#[derive(Clone, Debug)]
pub(crate) struct Bid {
    pub(crate) token: Token,
    /// The log and position of the bidder's view: what its compute will bring at least.
    pub(crate) log: LogId,
    pub(crate) head: u64,
    pub(crate) ttl: Duration,
    /// The holder that the bidder has waited for: its failure, if it left one, is wanted.
    pub(crate) waited: Option<Token>,
    /// The holder whose compute began too early for the bidder: its lease is taken over.
    pub(crate) supersede: Option<Token>,
}

/// What a bid came to.
#[derive(Debug)]
pub(crate) enum Bidden {
    /// The lease is the bidder's; here is what stands under the key now.
    Granted { entry: Option<Vec<u8>> },
    /// Another holds it.
    Held {
        holder: Token,
        log: LogId,
        head: u64,
        remaining: Duration,
        /// Whether the end of its lease will be noted.
        noted: bool,
    },
    /// The holder that the bidder waited for has failed, with this message.
    Failed { message: String },
}

/// An entry on its way into the shared tier.
#[derive(Debug)]
pub(crate) struct Fill {
    /// The lease that this fill is made under; without one it only yields to newer entries.
    pub(crate) token: Option<Token>,
    pub(crate) log: LogId,
    pub(crate) version: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ttl: Duration,
}

/// What a fill came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filled {
    Stored,
    /// The lease was no longer held.
    LeaseLost,
    /// A newer entry of the same log is there.
    Superseded,
}

/// A value's claim to be put: it was made at this position and carries these tags.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) log: LogId,
    pub(crate) head: u64,
    pub(crate) tags: Vec<TagHash>,
}

/// What a look-up found.
#[derive(Debug)]
pub(crate) struct Found {
    /// All who look at one moment have the same bytes.
    pub(crate) entry: Option<Arc<Vec<u8>>>,
    /// Whether every record that the log had when the look-up began is in the local view.
    pub(crate) proven: bool,
}

/// A store that processes share.
pub(crate) trait Shared: Send + Sync + fmt::Debug {
    /// Whether the server that has this key is known to be out of reach, or the log's is: then
    /// nothing is worth trying.
    fn is_away(&self, slot: &Slot) -> bool;

    /// Whether there is a connection at this moment.
    fn is_attached(&self) -> bool;

    /// Whether notes of invalidations are proven to arrive.
    fn is_tracked(&self) -> bool;

    /// The server's clock, in milliseconds since the Unix epoch.
    fn now(&self) -> Millis;

    /// Rings after this time, by the clock that this process goes by.
    fn alarm(&self, after: Duration) -> Alarm;

    /// Sees to it that the server is being tried, without waiting for it.
    fn summon(&self);

    /// Waits until it is known whether the server can be reached.
    fn reached(&self) -> Operation<()>;

    /// Where a key lives. `subject` names it within the prefix and has no braces.
    fn slot(&self, subject: &str) -> Slot;

    /// Reads an entry. Where `prove` is set, and notes arrive, what is found is
    /// [`proven`](Found::proven), at the price of a barrier where entries and log are apart.
    fn get(&self, slot: &Arc<Slot>, prove: bool) -> Operation<Found>;

    /// Sees to it that every record that the log has now is in the local view. Shared by all who
    /// ask for it at one time. An error where no notes arrive: then [`ask`](Self::ask) decides.
    fn barrier(&self) -> Operation<()>;

    /// Asks the log about tags.
    fn ask(&self, tags: Arc<[TagHash]>) -> Operation<Answer>;

    /// Brings the view up to date.
    fn catch_up(&self) -> Operation<()>;

    /// Appends an invalidation, which ends the mark that it names; applied to the local view before
    /// it is acknowledged. With a claim it appends only if none of the claim's tags has moved past
    /// it (`None` where one has).
    fn append(
        &self,
        tags: Vec<TagHash>,
        ends: Option<MarkId>,
        claim: Option<Claim>,
    ) -> Operation<Option<Appended>>;

    /// Keeps an invalidation that could not be acknowledged, and appends it as soon as it can.
    fn owe(&self, tags: Vec<TagHash>, ends: Option<MarkId>);

    /// Places a mark on tags, and keeps it standing until an append ends it. If this process ends
    /// before, the mark stands for as long as `lasts` and is then ended by whoever sees it.
    fn mark(&self, id: MarkId, tags: Vec<TagHash>, lasts: Duration) -> Operation<()>;

    /// Waits until what is left to be done in the background is done, or the time is over.
    fn finish(&self, limit: Duration) -> Operation<()>;

    /// What there is of that at this moment.
    fn unfinished(&self) -> Unfinished;

    /// Whether the connections have been given up.
    fn is_closed(&self) -> bool;

    /// Gives up the connections. Whatever comes from here on finds the server away.
    fn close(&self);

    /// Bids for the lease of a key.
    fn bid(&self, slot: &Arc<Slot>, bid: Bid) -> Operation<Bidden>;

    /// A future that ends when the lease of this key changes. Registered before it returns: a
    /// bid made afterwards misses nothing.
    fn lease_change(&self, slot: &Arc<Slot>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// Extends a lease; `false` where it is no longer held.
    fn renew(&self, slot: &Arc<Slot>, token: Token, ttl: Duration) -> Operation<bool>;

    /// Stores an entry and frees its lease.
    fn fill(&self, slot: &Arc<Slot>, fill: Fill) -> Operation<Filled>;

    /// Frees a lease in the background, leaving the reason for its followers where there is one.
    fn release(&self, slot: &Arc<Slot>, token: Token, failure: Option<String>);

    /// Removes an entry in the background, if it still holds these bytes.
    fn discard(&self, slot: &Arc<Slot>, bytes: &[u8]);
}

/// What has not been done yet, and who waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unfinished {
    /// What is to be done once: leases to be freed, entries to be removed.
    pub(crate) errands: usize,
    /// Invalidations that are owed.
    pub(crate) debts: usize,
    /// Marks that this process keeps standing.
    pub(crate) marks: usize,
    /// The leases that are watched.
    pub(crate) watched: usize,
}

/// An acknowledged append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appended {
    pub(crate) log: LogId,
    pub(crate) version: u64,
}
