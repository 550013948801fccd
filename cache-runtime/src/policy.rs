//! What a function's answers may be when they cannot be fresh: how long past their ttl they are
//! served, when they are computed ahead of time, how long a call waits. Settings only; what is
//! made of them is `call`'s.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

/// A [`Policy`] whose computes run in the caller's own future: nothing more is asked of the
/// function.
#[derive(Clone, Copy, Debug)]
pub enum Inline {}

/// A [`Policy`] whose computes may go on in the background: the function's future must be `Send`
/// and own its arguments.
#[derive(Clone, Copy, Debug)]
pub enum Background {}

/// A [`Policy`] under which a call waits for as long as its compute takes.
#[derive(Clone, Copy, Debug)]
pub enum Unlimited {}

/// A [`Policy`] under which a call ends with an error when its compute takes too long.
#[derive(Clone, Copy, Debug)]
pub enum Limited {}

/// What a cached function does when its value cannot be both fresh and at hand. For the option
/// `policy` of `cached`. Write it as a `const`, or in `const { .. }`: a setting out of range is then
/// an error of the build (and of `cargo check`, where it is a `const`), and otherwise a panic at the
/// first call.
///
/// ```
/// # use afresh_runtime as afresh;
/// use afresh::{Background, Policy};
/// use std::time::Duration;
///
/// // Past its ttl, a value is served for another minute while a new one is computed; and for an
/// // hour where computing fails.
/// const SHOP: Policy<Background> = Policy::new()
///     .stale_for(Duration::from_secs(60))
///     .stale_if_error(Duration::from_secs(3_600))
///     .jitter(0.1);
/// ```
///
/// **A value that has been invalidated is never served**, whatever the policy says: *stale* means
/// past its ttl, and nothing else.
#[must_use = "a policy does nothing until a function names it"]
pub struct Policy<Work = Inline, Wait = Unlimited> {
    rules: Rules,
    kind: PhantomData<fn() -> (Work, Wait)>,
}

/// The settings of a policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) stale_for: Duration,
    pub(crate) stale_if_error: Duration,
    /// The part of the ttl after which a value is computed anew.
    pub(crate) refresh_ahead: Option<f64>,
    pub(crate) soft_timeout: Option<Duration>,
    pub(crate) hard_timeout: Option<Duration>,
    /// The part of the ttl by which it may be shorter or longer.
    pub(crate) jitter: f64,
    /// How long the next try waits after a failure, and at the most after many.
    pub(crate) backoff: (Duration, Duration),
    /// How long a compute may go on in the background.
    pub(crate) background_timeout: Duration,
}

impl Rules {
    const NONE: Self = Self {
        stale_for: Duration::ZERO,
        stale_if_error: Duration::ZERO,
        refresh_ahead: None,
        soft_timeout: None,
        hard_timeout: None,
        jitter: 0.0,
        backoff: (Duration::from_secs(1), Duration::from_secs(30)),
        background_timeout: Duration::from_mins(1),
    };

    /// How long past its ttl a value may be of use.
    pub(crate) fn grace(&self) -> Duration {
        self.stale_for.max(self.stale_if_error)
    }
}

impl Policy {
    /// A policy that changes nothing yet.
    pub const fn new() -> Self {
        Self {
            rules: Rules::NONE,
            kind: PhantomData,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new()
    }
}

impl<Work, Wait> Policy<Work, Wait> {
    const fn with<Works, Waits>(self, rules: Rules) -> Policy<Works, Waits> {
        Policy {
            rules,
            kind: PhantomData,
        }
    }

    /// For this long past its ttl, a value is served at once, and one background compute brings a
    /// new one: one in this process, and one across processes, with or without `singleflight`.
    /// Past that, calls wait for the compute. With its ttl, no longer than the cache's `max_ttl`.
    /// Default: not at all.
    ///
    /// A compute whose value is not to be stored (`store_if`, a ttl of zero) leaves the one that is
    /// there, for as long as this says.
    pub const fn stale_for(self, time: Duration) -> Policy<Background, Wait> {
        let mut rules = self.rules;
        rules.stale_for = time;
        self.with(rules)
    }

    /// For this long past its ttl, a value is served where computing a new one fails, or takes
    /// longer than [`soft_timeout`](Self::soft_timeout) or [`hard_timeout`](Self::hard_timeout).
    /// After a failure, the next compute waits for the [`backoff`](Self::backoff); until then the
    /// value is served at once. With its ttl, no longer than the cache's `max_ttl`. Default: not at
    /// all.
    ///
    /// Every `Err` is a failure. What is an answer, such as that there is no such row, is better
    /// returned as a value (`Ok(None)`), which is stored.
    pub const fn stale_if_error(self, time: Duration) -> Self {
        let mut rules = self.rules;
        rules.stale_if_error = time;
        self.with(rules)
    }

    /// How long the next compute waits after one has failed while there was a value to serve:
    /// `first`, then twice as long after each further failure, up to `most`; in this process.
    /// Defaults: 1 s and 30 s.
    ///
    /// # Panics
    ///
    /// If `first` is more than `most`.
    pub const fn backoff(self, first: Duration, most: Duration) -> Self {
        assert!(
            first.as_nanos() <= most.as_nanos(),
            "`backoff` takes the shorter time first: write \
             `.backoff(Duration::from_secs(1), Duration::from_secs(30))`"
        );
        let mut rules = self.rules;
        rules.backoff = (first, most);
        self.with(rules)
    }

    /// When this part of the ttl is over, the next call gets the value as ever, and a new one is
    /// computed in the background. Each process moves that moment forward by chance, the more the
    /// longer the compute takes, so that a fleet does not compute at once. A key that nobody asks
    /// for is not computed. Default: not before the ttl is over.
    ///
    /// # Panics
    ///
    /// Unless the fraction is above 0 and below 1.
    pub const fn refresh_ahead(self, fraction: f64) -> Policy<Background, Wait> {
        assert!(
            fraction > 0.0 && fraction < 1.0,
            "`refresh_ahead` is a part of the ttl: write a number above 0 and below 1, such as 0.8"
        );
        let mut rules = self.rules;
        rules.refresh_ahead = Some(fraction);
        self.with(rules)
    }

    /// Where there is a value that is past its ttl, and no longer than
    /// [`stale_if_error`](Self::stale_if_error) says, a call waits this long for a new one and then
    /// gets that; the compute goes on in the background. Default: it waits for the compute.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond: to wait for nothing, there is [`stale_for`](Self::stale_for).
    pub const fn soft_timeout(self, time: Duration) -> Policy<Background, Wait> {
        assert!(
            time.as_millis() > 0,
            "`soft_timeout` is less than a millisecond: write `Duration::from_millis(1)` or more, \
             or `.stale_for(..)` to wait for nothing"
        );
        let mut rules = self.rules;
        rules.soft_timeout = Some(time);
        self.with(rules)
    }

    /// A call waits this long for a value that was not to be had from the cache, and then ends: with
    /// a value past its ttl, as [`stale_if_error`](Self::stale_if_error) says, or with an error that
    /// is made of an [`Error`](crate::Error) of the kind [`Timeout`](crate::ErrorKind::Timeout). The
    /// function must return a `Result` whose error is `From<afresh::Error>`. The compute is dropped;
    /// or goes on in the background, where the policy has any background work. Default: it waits for
    /// the compute.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond.
    pub const fn hard_timeout(self, time: Duration) -> Policy<Work, Limited> {
        assert!(
            time.as_millis() > 0,
            "`hard_timeout` is less than a millisecond, so no call could compute: \
             write `Duration::from_millis(1)` or more"
        );
        let mut rules = self.rules;
        rules.hard_timeout = Some(time);
        self.with(rules)
    }

    /// How long a compute may go on in the background, from when it is there. One that takes longer is
    /// dropped, which counts as a failure: a compute that hangs does not keep its key from being
    /// computed for longer than this. Default: 60 s.
    ///
    /// # Panics
    ///
    /// If it is less than a millisecond.
    pub const fn background_timeout(self, time: Duration) -> Self {
        assert!(
            time.as_millis() > 0,
            "`background_timeout` is less than a millisecond, so no background compute could end: \
             write a time such as `Duration::from_secs(60)`, which is the default"
        );
        let mut rules = self.rules;
        rules.background_timeout = time;
        self.with(rules)
    }

    /// Each value lives by up to this part of its ttl shorter or longer, by chance, so that what was
    /// stored at one time does not end at one time: 0.1 means between 90 % and 110 %. Never longer
    /// than the cache's `max_ttl`. Default: 0.
    ///
    /// # Panics
    ///
    /// Unless the fraction is at least 0 and below 1.
    pub const fn jitter(self, fraction: f64) -> Self {
        assert!(
            fraction >= 0.0 && fraction < 1.0,
            "`jitter` is a part of the ttl: write a number that is at least 0 and below 1, such as 0.1"
        );
        let mut rules = self.rules;
        rules.jitter = fraction;
        self.with(rules)
    }

    pub(crate) const fn rules(&self) -> Rules {
        self.rules
    }
}

impl<Work, Wait> Clone for Policy<Work, Wait> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Work, Wait> Copy for Policy<Work, Wait> {}

impl<Work, Wait> fmt::Debug for Policy<Work, Wait> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rules {
            stale_for,
            stale_if_error,
            refresh_ahead,
            soft_timeout,
            hard_timeout,
            jitter,
            backoff,
            background_timeout,
        } = &self.rules;
        f.debug_struct("Policy")
            .field("stale_for", stale_for)
            .field("stale_if_error", stale_if_error)
            .field("refresh_ahead", refresh_ahead)
            .field("soft_timeout", soft_timeout)
            .field("hard_timeout", hard_timeout)
            .field("jitter", jitter)
            .field("backoff", backoff)
            .field("background_timeout", background_timeout)
            .finish()
    }
}
