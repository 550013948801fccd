//! The functions, one for each policy: the same question, with the same ttl.

use std::fmt;
use std::time::Duration;

use afresh::{
    Background, Cache, ErrorKind, Limited, Outcome, Policy, cached, invalidates, outcome,
};

use crate::world::{Away, Database, Price, Second};

/// The time to live of every function here.
pub(crate) const TTL: Second = 30;

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Where the price is sold.
#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) cache: Cache,
    pub(crate) database: Database,
}

/// Why there is no price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoPrice {
    Away,
    Cache(ErrorKind),
}

impl From<Away> for NoPrice {
    fn from(_: Away) -> Self {
        Self::Away
    }
}

impl From<afresh::Error> for NoPrice {
    fn from(error: afresh::Error) -> Self {
        Self::Cache(error.kind())
    }
}

impl fmt::Display for NoPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Away => f.write_str("the database is away"),
            Self::Cache(ErrorKind::Timeout) => f.write_str("timed out"),
            Self::Cache(kind) => write!(f, "{kind:?}"),
        }
    }
}

#[cached(ttl = 30, key = "{id}", tags = ["price:{id}"], singleflight, local, cache = shop.cache)]
async fn ttl(shop: &Shop, id: u32) -> Result<Price, NoPrice> {
    Ok(shop.database.price().await?)
}

const STALE_FOR: Policy<Background> = Policy::new().stale_for(secs(30));

#[cached(ttl = 30, key = "{id}", tags = ["price:{id}"], singleflight, local, policy = STALE_FOR, cache = shop.cache)]
async fn stale_for(shop: &Shop, id: u32) -> Result<Price, NoPrice> {
    Ok(shop.database.price().await?)
}

const REFRESH_AHEAD: Policy<Background> = Policy::new().refresh_ahead(0.8);

#[cached(ttl = 30, key = "{id}", tags = ["price:{id}"], singleflight, local, policy = REFRESH_AHEAD, cache = shop.cache)]
async fn refresh_ahead(shop: &Shop, id: u32) -> Result<Price, NoPrice> {
    Ok(shop.database.price().await?)
}

const STALE_IF_ERROR: Policy = Policy::new()
    .stale_if_error(secs(600))
    .backoff(secs(3), secs(12));

#[cached(ttl = 30, key = "{id}", tags = ["price:{id}"], singleflight, local, policy = STALE_IF_ERROR, cache = shop.cache)]
async fn stale_if_error(shop: &Shop, id: u32) -> Result<Price, NoPrice> {
    Ok(shop.database.price().await?)
}

const TIMEOUTS: Policy<Background, Limited> =
    STALE_IF_ERROR.soft_timeout(secs(1)).hard_timeout(secs(4));

#[cached(ttl = 30, key = "{id}", tags = ["price:{id}"], singleflight, local, policy = TIMEOUTS, cache = shop.cache)]
async fn timeouts(shop: &Shop, id: u32) -> Result<Price, NoPrice> {
    Ok(shop.database.price().await?)
}

/// Says that the price has been changed.
#[invalidates(tags = ["price:{id}"], cache = shop.cache)]
pub(crate) async fn reprice(shop: &Shop, id: u32) -> Result<(), NoPrice> {
    Ok(())
}

/// What a call came to.
pub(crate) type Answer = (Result<Price, NoPrice>, Outcome);

/// A call on its way.
pub(crate) type Call = std::pin::Pin<Box<dyn Future<Output = Answer> + Send>>;

/// One function, and what is said about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    /// Of its picture: a file's name.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// As it is written.
    pub(crate) policy: &'static str,
    /// The age at which a value is of no use any more, where that is within the picture: a line of
    /// its axis.
    pub(crate) stale_until: Option<Second>,
    pub(crate) call: fn(Shop, u32) -> Call,
}

/// A case: the function is named like its picture.
macro_rules! case {
    ($function:ident, $name:literal, $title:literal, $policy:literal, $until:expr) => {
        Case {
            name: $name,
            title: $title,
            policy: $policy,
            stale_until: $until,
            call: |shop, id| Box::pin(async move { outcome($function(&shop, id)).await }),
        }
    };
}

pub(crate) const CASES: [Case; 5] = [
    case!(ttl, "ttl", "A ttl alone", "ttl = 30", None),
    case!(
        stale_for,
        "stale-for",
        "Stale while a new value is computed",
        ".stale_for(30 s)",
        Some(60)
    ),
    case!(
        refresh_ahead,
        "refresh-ahead",
        "Computed ahead of the end",
        ".refresh_ahead(0.8)",
        None
    ),
    case!(
        stale_if_error,
        "stale-if-error",
        "Stale where computing fails",
        ".stale_if_error(10 min) .backoff(3 s, 12 s)",
        None
    ),
    case!(
        timeouts,
        "timeouts",
        "Stale where computing takes too long",
        ".stale_if_error(10 min) .backoff(3 s, 12 s) .soft_timeout(1 s) .hard_timeout(4 s)",
        None
    ),
];
