//! Computes that go on without a caller: begun for a value that is due or stale, or left behind by a
//! call that is out of time. How they begin and what they run in; what they do is `steps`'.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tracing::Span;

use super::plan::Finished;
use super::ruling::Ruling;
use super::steps::{Steppable, Steps};
use super::{Call, Role, Step, Work};
use crate::background::Permit;
use crate::carry::Surroundings;
use crate::lease::Lease;
use crate::local::Age;
use crate::shared::{Bid, Bidden};
use crate::timer::Alarm;

/// How long the lease of a background compute lasts, where the function has none of its own.
const LEASE: Duration = Duration::from_secs(10);

/// A body that owns what it needs: it may go on where its caller is gone.
pub(super) struct Owning<R, T> {
    pub(super) body: Pin<Box<dyn Future<Output = Finished<R>> + Send>>,
    /// Starts the rest of a call with this body. (Where it is made, the types are known to allow it.)
    pub(super) start: fn(Steps<R, T>, Arc<Ruling>, Permit),
}

impl<R: 'static, T: Send + 'static> Owning<R, T> {
    pub(super) fn new<B>(body: B) -> Self
    where
        B: Future<Output = Finished<R>> + Send + 'static,
    {
        Self {
            body: Box::pin(body),
            start: |steps, ruling, permit| {
                permit.start(Behind {
                    steps: Some(steps),
                    limit: ruling.limit(),
                    ruling,
                    span: Span::current(),
                    surroundings: Surroundings::of_background(),
                });
            },
        }
    }
}

/// The rest of a call, in the background.
struct Behind<R, T> {
    steps: Option<Steps<R, T>>,
    ruling: Arc<Ruling>,
    /// When it is given up.
    limit: Alarm,
    span: Span,
    surroundings: Surroundings,
}

impl<R, T> Unpin for Behind<R, T> {}

impl<R, T: std::any::Any> Future for Behind<R, T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let Some(steps) = &mut this.steps else {
            return Poll::Ready(());
        };
        let _span = this.span.enter();
        let _surroundings = this.surroundings.enter();
        let limit = Pin::new(&mut this.limit);
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if steps.run_behind(cx) {
                return Polled::Over;
            }
            match limit.poll(cx) {
                Poll::Ready(()) => Polled::TooLong,
                Poll::Pending => Polled::Waits,
            }
        }));
        let is_over = match polled {
            Ok(Polled::Waits) => false,
            Ok(Polled::Over) => true,
            Ok(Polled::TooLong) => {
                this.ruling.is_given_up();
                true
            }
            Err(_) => {
                // The panic hook has told of it. What was waited for has been let go.
                this.ruling.failed();
                true
            }
        };
        if is_over {
            // Inside the span, like all of it; and a user's `Drop` must not end more than this.
            let steps = this.steps.take();
            let _ = catch_unwind(AssertUnwindSafe(|| drop(steps)));
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

/// What a poll of it came to.
enum Polled {
    Waits,
    Over,
    TooLong,
}

/// The code of a call whose body is its own already.
pub(super) struct Nothing;

impl<R, T> Steppable<R, T> for Nothing {
    fn plan(self: Pin<&mut Self>, _: &mut super::Start<R, T>) {}

    fn body(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Finished<R>> {
        Poll::Pending
    }

    fn end(self: Pin<&mut Self>) {}
}

impl Call {
    /// The right to go on in the background, which not more than one call of this process has for
    /// one key at a time.
    pub(super) fn claim(&mut self) -> Option<(Arc<Ruling>, Permit)> {
        let ruling = Arc::clone(self.ruling.as_ref()?);
        let Some(leader) = self.inner().flights.lead(&self.key) else {
            ruling.is_seen_to(ruling.rules.stale_for);
            return None;
        };
        // Another may have brought a new value between the look-up and the claim.
        let now_there = self.local_current().map(|current| current.age);
        if matches!(now_there, Some(Age::Fresh | Age::Settled { .. })) {
            return None;
        }
        let Some(permit) = ruling.permit() else {
            ruling.skipped();
            return None;
        };
        ruling.is_seen_to(ruling.rules.stale_for);
        ruling.goes_behind();
        self.role = Role::Leader(Box::new(leader));
        self.report = None;
        Some((ruling, permit))
    }

    /// In the background, from the claim to the compute.
    pub(super) fn refreshing(mut self: Box<Self>) -> Work<(Box<Self>, Step)> {
        Box::pin(async move {
            let step = self.bid_once().await;
            if matches!(step, Step::Compute) {
                self.begin();
            }
            (self, step)
        })
    }

    /// Gets the lease, without waiting for it: who has it brings the value.
    async fn bid_once(&mut self) -> Step {
        let Some((shared, slot)) = self.reach() else {
            return Step::Compute;
        };
        if self.inherits_lease() {
            return Step::Compute;
        }
        let ttl = self.spec.singleflight.map_or(LEASE, |flying| flying.lease);
        self.note();
        let Some(log) = self.noted.id else {
            return Step::Missed;
        };
        let lease = Lease::sought(&shared, &slot, ttl, &self.inner().leases, self.spec.sync);
        let mut lease = match lease {
            Ok(lease) => lease,
            Err(error) => {
                self.fault("bidding for a lease", &error);
                return Step::Missed;
            }
        };
        let bid = Bid {
            token: lease.token(),
            log,
            head: self.noted.at.head,
            ttl,
            waited: None,
            supersede: None,
        };
        match shared.bid(&slot, bid).await {
            Err(error) => {
                self.fault("bidding for a lease", &error);
                Step::Missed
            }
            Ok(Bidden::Held { .. } | Bidden::Failed { .. }) => {
                lease.denied();
                Step::Missed
            }
            Ok(Bidden::Granted { entry }) => {
                if let Some(bytes) = entry
                    && let Some(current) = self.read(&shared, &slot, &bytes).await
                    && current.age == Age::Fresh
                {
                    return self.bring(current);
                }
                if let Role::Leader(leader) = &mut self.role {
                    leader.bequeath(Some(lease));
                }
                Step::Compute
            }
        }
    }
}
