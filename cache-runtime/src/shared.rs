//! What the runtime asks of a shared tier: it moves bytes, orders invalidations and grants leases.
//! It never sees a value, a spec or a codec, and it keeps the local view up to date by itself.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Millis;
use crate::error::Error;
use crate::log::{Answer, LogId};
use crate::tag::TagHash;

#[cfg(feature = "redis")]
pub(crate) mod redis;

/// An operation under way. It borrows nothing, so that it can be kept beside a body.
pub(crate) type Operation<T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send>>;

/// Where a key lives in the shared tier.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    pub(crate) entry: Vec<u8>,
    pub(crate) lease: Vec<u8>,
}

/// Proof of holding a lease: random, one per fill.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(pub(crate) [u8; 16]);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough to tell two apart in a log, not enough to forge one.
        write!(f, "Token({:02x}{:02x}..)", self.0[0], self.0[1])
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

/// A store that processes share.
///
/// Where an operation returns `Ok`, every record of the log that the server had before it
/// answered is in the local view, if [`is_tracked`](Self::is_tracked); else the view must not be
/// believed and [`ask`](Self::ask) decides.
pub(crate) trait Shared: Send + Sync + fmt::Debug {
    /// Whether the server is known to be out of reach: then nothing is worth trying.
    fn is_away(&self) -> bool;

    /// Whether there is a connection at this moment.
    fn is_attached(&self) -> bool;

    /// Whether notes of invalidations are proven to arrive.
    fn is_tracked(&self) -> bool;

    /// The server's clock, in milliseconds since the Unix epoch.
    fn now(&self) -> Millis;

    /// Sees to it that the server is being tried, without waiting for it.
    fn summon(&self);

    /// Waits until it is known whether the server can be reached.
    fn reached(&self) -> Operation<()>;

    /// Where a key lives. `subject` names it within the prefix and has no braces.
    fn slot(&self, subject: &str) -> Slot;

    /// Reads an entry.
    fn get(&self, slot: &Arc<Slot>) -> Operation<Option<Vec<u8>>>;

    /// Asks the log about tags.
    fn ask(&self, tags: Arc<[TagHash]>) -> Operation<Answer>;

    /// Brings the view up to date.
    fn catch_up(&self) -> Operation<()>;

    /// Appends an invalidation; applied to the local view before it is acknowledged. With a claim
    /// it appends only if none of the claim's tags has moved past it (`None` where one has).
    fn append(&self, tags: Vec<TagHash>, claim: Option<Claim>) -> Operation<Option<Appended>>;

    /// Keeps an invalidation that could not be acknowledged, and appends it as soon as it can.
    fn owe(&self, tags: Vec<TagHash>);

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

/// An acknowledged append.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Appended {
    pub(crate) log: LogId,
    pub(crate) version: u64,
}
