//! Looking at one entry through a call that is not run, and learning how a call was answered. The
//! call itself does what is asked; here is the asking.

use std::any::{Any, TypeId};
use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::cache::Cache;
use crate::error::{Error, ErrorKind};
use crate::key::Key;
use crate::log::Noted;
use crate::scope::{self, Flag, Scoped};
use crate::tag::TagHash;

mod blocking;
mod outcome;

pub(crate) use blocking::stop;
pub use blocking::{EntrySync, entry_sync};
pub use outcome::{Outcome, Tier, outcome};
pub(crate) use outcome::{Report, claim_report};

/// Which entry a call is about.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) cache: Cache,
    pub(crate) key: Key,
    /// What its invalidation moves.
    pub(crate) tags: [TagHash; 2],
}

/// What an operation asks of the call.
pub(crate) enum Request {
    /// Nothing more than to say which entry it is.
    Identify,
    Peek,
    Put(Box<dyn Any + Send>),
    Refresh,
}

/// What the call answers where it does not end by itself.
#[derive(Debug)]
enum Reply {
    Missed,
    Put(Result<(), Error>),
}

/// Between a handle and the call that it inspects.
pub(crate) struct Inspection {
    /// Whether it is for a call of a sync function.
    sync: bool,
    /// What the call's function returns: another call, made for an argument, is not the one.
    output: TypeId,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    identity: Option<Identity>,
    is_astray: bool,
    /// Where the log stood when the handle was made.
    noted: Option<Noted>,
    request: Option<Request>,
    reply: Option<Reply>,
}

impl fmt::Debug for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inspection").finish_non_exhaustive()
    }
}

impl Inspection {
    fn new(sync: bool, output: TypeId) -> Arc<Self> {
        Arc::new(Self {
            sync,
            output,
            slots: Mutex::default(),
        })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        // Each slot is filled or emptied in one step.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which entry the inspected call is about.
    fn identity(&self) -> Option<Identity> {
        self.slots().identity.clone()
    }

    /// Where the log stood when the handle was made, if that was before this call.
    pub(crate) fn noted(&self) -> Option<Noted> {
        self.slots().noted
    }

    /// The handle is being made, and the log stands here.
    pub(crate) fn begun(&self, noted: Noted) {
        self.slots().noted = Some(noted);
    }

    /// The call says which entry it is about. Called again, it must be the same.
    pub(crate) fn identify(&self, identity: Identity) {
        let mut slots = self.slots();
        let known = slots.identity.get_or_insert_with(|| identity.clone());
        slots.is_astray = known.tags != identity.tags;
    }

    /// Whether the call is about another entry than before: nothing is done for that.
    pub(crate) fn is_astray(&self) -> bool {
        self.slots().is_astray
    }

    /// The call waits to be asked. Only the handle polls it, and asks before it does.
    pub(crate) async fn request(&self) -> Request {
        poll_fn(|_| {
            self.slots()
                .request
                .take()
                .map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub(crate) fn missed(&self) {
        self.slots().reply = Some(Reply::Missed);
    }

    pub(crate) fn put(&self, result: Result<(), Error>) {
        self.slots().reply = Some(Reply::Put(result));
    }
}

thread_local! {
    /// The inspection that the next cached call takes.
    static WAITING: RefCell<Option<Arc<Inspection>>> = const { RefCell::new(None) };
}

/// The inspection that waits for a call of this kind that returns this, if one does. The call that
/// takes it is the one inspected.
pub(crate) fn claim_inspection(sync: bool, output: TypeId) -> Option<Arc<Inspection>> {
    if !scope::is_open(Flag::INSPECT) {
        return None;
    }
    let is_it = |waiting: &mut Arc<Inspection>| waiting.sync == sync && waiting.output == output;
    WAITING.with_borrow_mut(|waiting| waiting.take_if(is_it))
}

/// An inspection on offer to the first call that this thread makes.
#[derive(Debug)]
struct Offered {
    /// What was on offer before: calls may be inspected inside of one another.
    before: Option<Arc<Inspection>>,
    _flag: scope::Restore,
}

impl Offered {
    fn new(inspection: &Arc<Inspection>) -> Self {
        Self {
            before: WAITING.replace(Some(Arc::clone(inspection))),
            _flag: scope::open(Flag::INSPECT),
        }
    }
}

impl Drop for Offered {
    fn drop(&mut self) {
        WAITING.set(self.before.take());
    }
}

/// Polls a call once, offering it an inspection.
fn offer<F: Future>(call: Pin<&mut F>, inspection: &Arc<Inspection>) -> Poll<F::Output> {
    let _offered = Offered::new(inspection);
    call.poll(&mut Context::from_waker(Waker::noop()))
}

/// A handle on the entry of one call of a cached async function, from a call that is not run:
/// `afresh::entry(book(&db, 7))`. All operations take and give what the function returns.
///
/// Give it only a call of a cached function: another future runs up to its first await, and each
/// operation is then [`ErrorKind::NotCached`].
pub fn entry<F: Future>(call: F) -> Entry<F> {
    let mut call = Box::pin(call);
    let inspection = Inspection::new(false, typeid::of::<F::Output>());
    let finished = match offer(call.as_mut(), &inspection) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    };
    Entry {
        call,
        inspection,
        finished,
    }
}

/// The key's tag of the call, for `entries`; `None` where it is not a cached call.
pub(crate) fn identify<F: Future>(call: F) -> Option<Identity> {
    let call = std::pin::pin!(call);
    let inspection = Inspection::new(false, typeid::of::<F::Output>());
    // Whatever it came to: a call that was not inspected has no identity.
    let _ = offer(call, &inspection);
    inspection.identity()
}

/// A handle on one entry; see [`entry`]. Each operation consumes it.
#[must_use = "a handle does nothing until one of its operations is called"]
pub struct Entry<F: Future> {
    call: Pin<Box<F>>,
    inspection: Arc<Inspection>,
    /// What a future that is not a cached call returned at once.
    finished: Option<F::Output>,
}

impl<F: Future> fmt::Debug for Entry<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.inspection.identity().map(|identity| identity.key);
        f.debug_struct("Entry")
            .field("key", &key)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Entry<F> {
    fn identity(&self) -> Result<Identity, Error> {
        self.inspection.identity().ok_or_else(|| {
            Error::new(
                ErrorKind::NotCached,
                "`entry` was given a future that is not a call of a cached function; it ran up to \
                 its first await",
            )
        })
    }

    /// The call's key.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`].
    #[expect(clippy::unused_async, reason = "like the other operations")]
    pub async fn key(self) -> Result<Key, Error> {
        self.identity().map(|identity| identity.key)
    }

    /// What is in the cache and within its ttl, without computing; `None` where there is nothing. It
    /// counts as no call.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`].
    pub async fn peek(mut self) -> Result<Option<F::Output>, Error> {
        self.identity()?;
        match self.ask(Request::Peek).await {
            Ok(output) => Ok(Some(output)),
            Err(_) => Ok(None),
        }
    }

    /// Invalidates this entry, wherever it is kept.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotCached`], and those of [`Cache::invalidate`].
    pub async fn invalidate(self) -> Result<(), Error> {
        let Identity { cache, tags, .. } = self.identity()?;
        cache.append(tags.into()).await
    }

    /// Computes now, whatever is stored, and stores the result in its place, for all processes.
    /// A failed compute leaves the entry as it was. What is not a cached call is simply awaited,
    /// and that is reported.
    pub async fn refresh(mut self) -> F::Output {
        if let Err(error) = self.identity() {
            tracing::warn!(target: "afresh", %error, "nothing was refreshed");
            return match self.finished.take() {
                Some(output) => output,
                None => self.call.await,
            };
        }
        self.inspection.slots().request = Some(Request::Refresh);
        self.call.await
    }

    /// Polls the call until it ends, or answers without ending.
    async fn ask(&mut self, request: Request) -> Result<F::Output, Reply> {
        let Self {
            call, inspection, ..
        } = self;
        inspection.slots().request = Some(request);
        poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => match inspection.slots().reply.take() {
                Some(reply) => Poll::Ready(Err(reply)),
                None => Poll::Pending,
            },
        })
        .await
    }
}

impl<F: Future> Entry<F>
where
    F::Output: Send + 'static,
{
    /// Stores this output as if the function had returned it, for all processes.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Refused`] where it may be older than an invalidation since the handle was
    /// made, or where it is an `Err` or otherwise not to be stored: nothing was changed.
    /// [`ErrorKind::NotCached`], and the errors of the shared store.
    pub async fn put(mut self, output: F::Output) -> Result<(), Error> {
        self.identity()?;
        match self.ask(Request::Put(Box::new(output))).await {
            Err(Reply::Put(result)) => result,
            Ok(_) | Err(Reply::Missed) => Err(Error::new(
                ErrorKind::NotCached,
                "the call ended instead of storing",
            )),
        }
    }
}

/// Runs a future inside which the caches are neither read nor written: every cached call computes.
/// Invalidations are made all the same.
///
/// It holds for the calls made in the future itself, not in tasks that it spawns.
pub async fn bypass<F: Future>(future: F) -> F::Output {
    Scoped::new(future, || scope::open(Flag::BYPASS)).await
}

/// Runs a future inside which `cache` is the default cache: isolation for tests.
///
/// It holds for the calls made in the future itself, not in tasks that it spawns.
pub async fn with_cache<F: Future>(cache: Cache, future: F) -> F::Output {
    Scoped::new(future, || cache.enter()).await
}
