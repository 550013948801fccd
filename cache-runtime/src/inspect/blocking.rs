//! A handle on the entry of one call of a sync function. Such a call cannot be left pending: where
//! it has nothing to return, it is unwound.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use super::{Identity, Inspection, Offered, Reply, Request};
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::timer;

/// What unwinds a call that is inspected and has nothing to return. It is no panic: no hook runs.
struct Stopped;

/// Ends an inspected call of a sync function.
pub(crate) fn stop() -> ! {
    resume_unwind(Box::new(Stopped))
}

/// A handle on the entry of one call of a cached sync function, from a call that is not run. All
/// operations take and give what the function returns; they block as the call itself would.
///
/// The closure is called once for the handle and once for the operation. Where the call has nothing
/// to return it is unwound, without running the panic hook: let the closure do nothing but call, with
/// arguments that are at hand. (Another cached call in it, made for an argument, is run; unless it
/// returns the same type, when it is taken for the one that is meant.) For the same reason this needs a program that unwinds: with `panic = "abort"`, each
/// operation but [`refresh`](EntrySync::refresh) is [`ErrorKind::Config`].
///
/// ```
/// # use afresh_runtime as afresh;
/// # fn size(path: &str) -> u64 { 0 }
/// # fn example() -> Result<(), afresh::Error> {
/// afresh::entry_sync(|| size("Cargo.toml")).invalidate()?;
/// # Ok(())
/// # }
/// ```
pub fn entry_sync<F: FnMut() -> R, R>(call: F) -> EntrySync<F> {
    let mut entry = EntrySync {
        call,
        inspection: Inspection::new(true, typeid::of::<R>()),
    };
    if UNWINDS && timer::may_block() {
        // What is no cached call has run, which each operation says.
        let _ = entry.ask(Request::Identify);
    }
    entry
}

const UNWINDS: bool = cfg!(panic = "unwind");

/// A handle on one entry; see [`entry_sync`]. Each operation consumes it.
#[must_use = "a handle does nothing until one of its operations is called"]
pub struct EntrySync<F> {
    call: F,
    inspection: Arc<Inspection>,
}

impl<F> fmt::Debug for EntrySync<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.inspection.identity().map(|identity| identity.key);
        f.debug_struct("EntrySync")
            .field("key", &key)
            .finish_non_exhaustive()
    }
}

impl<F> EntrySync<F> {
    fn identity(&self) -> Result<Identity, Error> {
        self.inspection.identity().ok_or_else(|| {
            if !timer::may_block() {
                Error::new(
                    ErrorKind::Config,
                    "`entry_sync` was used by an observer: that is told on the thread that the \
                     answer would come from",
                )
            } else if UNWINDS {
                Error::new(
                    ErrorKind::NotCached,
                    "`entry_sync` was given a closure that does not call a cached sync function; \
                     it has been run",
                )
            } else {
                Error::new(
                    ErrorKind::Config,
                    "`entry_sync` stops the call by unwinding, and this program is built with \
                     `panic = \"abort\"`: invalidate by tag, or make the function async and use \
                     `entry`",
                )
            }
        })
    }

    /// Nothing was done for a call that was about another entry the second time.
    fn is_the_same(&self) -> Result<(), Error> {
        if !self.inspection.is_astray() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NotCached,
            "the closure given to `entry_sync` calls for another entry each time: give the call \
             arguments that stay the same",
        ))
    }

    /// The call's key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`].
    pub fn key(self) -> Result<Key, Error> {
        self.identity().map(|identity| identity.key)
    }

    /// Invalidates this entry, wherever it is kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`], and those of [`Cache::invalidate`](crate::Cache::invalidate).
    pub fn invalidate(self) -> Result<(), Error> {
        let Identity { cache, tags, .. } = self.identity()?;
        timer::block_on(cache.append(tags.into()))
    }
}

impl<F: FnMut() -> R, R> EntrySync<F> {
    /// Runs the call, which ends, or answers without ending.
    fn ask(&mut self, request: Request) -> Option<R> {
        let Self { call, inspection } = self;
        inspection.slots().request = Some(request);
        let _offered = Offered::new(inspection);
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(output) => Some(output),
            Err(payload) if payload.is::<Stopped>() => None,
            Err(payload) => resume_unwind(payload),
        }
    }

    /// What is in the cache and within its ttl, without computing; `None` where there is nothing. It
    /// counts as no call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`].
    pub fn peek(mut self) -> Result<Option<R>, Error> {
        self.identity()?;
        let found = self.ask(Request::Peek);
        self.is_the_same()?;
        Ok(found)
    }

    /// Computes now, whatever is stored, and stores the result in its place, for all processes. A
    /// failed compute leaves the entry as it was. A closure that does not call a cached function is
    /// simply called, and that is reported.
    pub fn refresh(mut self) -> R {
        // Where nothing can be unwound, it has not been asked which entry it is; nor need it be.
        if UNWINDS && let Err(error) = self.identity() {
            tracing::warn!(target: "afresh", %error, "nothing was refreshed");
            return (self.call)();
        }
        match self.ask(Request::Refresh) {
            Some(output) => output,
            // A call that computes returns.
            None => (self.call)(),
        }
    }

    /// Stores this output as if the function had returned it, for all processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] where it may be older than an invalidation since the handle was made,
    /// or where it is an `Err` or otherwise not to be stored: nothing was changed.
    /// [`ErrorKind::NotCached`], and the errors of the shared store.
    pub fn put(mut self, output: R) -> Result<(), Error>
    where
        R: Any + Send,
    {
        self.identity()?;
        let ended = self.ask(Request::Put(Box::new(output)));
        self.is_the_same()?;
        let reply = self.inspection.slots().reply.take();
        match (ended, reply) {
            (None, Some(Reply::Put(result))) => result,
            _ => Err(Error::new(
                ErrorKind::NotCached,
                "the call ended instead of storing",
            )),
        }
    }
}
