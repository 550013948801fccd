//! What the option `policy` asks of a function, found out by its type: whether the body must own
//! its arguments, and whether the error can be made of ours. Links of an expansion; what the policy
//! says is followed by `steps`.

use std::any::Any;
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use super::behind::Owning;
use super::plan::{Finishing, Output, Start};
use crate::error::Error;
use crate::output::Fallible;
use crate::policy::{Background, Inline, Limited, Policy, Rules, Unlimited};

/// What the option `policy` may be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `Policy`, so it cannot be a `policy`",
    label = "needs to be a `Policy`",
    note = "write `policy = Policy::new().stale_for(Duration::from_secs(60))`, or the name of a constant"
)]
pub trait IsPolicy {
    /// Where its computes run.
    type Work;
    /// Whether its calls end when a compute takes too long.
    type Wait;

    /// What it says.
    #[doc(hidden)]
    fn ruled(&self) -> Ruled<Self::Work, Self::Wait>;
}

impl<Work, Wait> IsPolicy for Policy<Work, Wait> {
    type Work = Work;
    type Wait = Wait;

    fn ruled(&self) -> Ruled<Work, Wait> {
        Ruled {
            rules: self.rules(),
            kind: PhantomData,
        }
    }
}

/// What the option `policy` of a sync function may be.
#[diagnostic::on_unimplemented(
    message = "a sync function cannot have this `policy`: it blocks until its body returns",
    label = "has background work or a `hard_timeout`",
    note = "write `async fn`; or keep `stale_if_error`, `backoff` and `jitter`, and remove `stale_for`, `refresh_ahead`, `soft_timeout` and `hard_timeout`"
)]
pub trait IsSyncPolicy: IsPolicy<Work = Inline, Wait = Unlimited> {}

impl IsSyncPolicy for Policy<Inline, Unlimited> {}

/// The `policy` option of an async function.
pub fn policy<P: IsPolicy>(policy: &P) -> Ruled<P::Work, P::Wait> {
    policy.ruled()
}

/// The `policy` option of a sync function.
pub fn policy_sync<P: IsSyncPolicy>(policy: &P) -> Ruled<Inline, Unlimited> {
    policy.ruled()
}

/// What a policy says, and its kind.
pub struct Ruled<Work, Wait> {
    rules: Rules,
    kind: PhantomData<fn() -> (Work, Wait)>,
}

impl<Work, Wait> Clone for Ruled<Work, Wait> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Work, Wait> Copy for Ruled<Work, Wait> {}

/// An error that a timeout can be told by.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of an `afresh::Error`, so a `hard_timeout` has nothing to return",
    label = "needs `From<afresh::Error>`",
    note = "write `impl From<afresh::Error> for {Self}`, or remove `hard_timeout` from the policy"
)]
pub trait MadeOfTimeout: From<Error> {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> MadeOfTimeout for E {}

/// A return type that a timeout can be told by.
#[diagnostic::on_unimplemented(
    message = "this function returns no `Result`, so a `hard_timeout` has nothing to return",
    label = "needs a `Result` whose error is `From<afresh::Error>`",
    note = "return a `Result`, or remove `hard_timeout` from the policy"
)]
pub trait TimesOut<R> {
    /// What a call returns whose time is over.
    #[doc(hidden)]
    fn timed_out(error: Error) -> R;
}

#[diagnostic::do_not_recommend]
impl<T, E: MadeOfTimeout> TimesOut<Result<T, E>> for Fallible<T, E> {
    fn timed_out(error: Error) -> Result<T, E> {
        Err(E::from(error))
    }
}

impl<Work> Ruled<Work, Unlimited> {
    /// Calls wait for as long as it takes.
    pub fn limits<R, T, S>(&self, start: &mut Start<R, T>, _: S) {
        start.rules = Some(self.rules);
    }
}

impl<Work> Ruled<Work, Limited> {
    /// Calls end with an error when it takes too long.
    pub fn limits<R, T, S: TimesOut<R>>(&self, start: &mut Start<R, T>, _: S) {
        start.rules = Some(self.rules);
        start.timed_out = Some(S::timed_out);
    }
}

impl<Wait> Ruled<Inline, Wait> {
    /// An argument that is a reference.
    pub fn own<'a, A: ?Sized>(&self, argument: &'a A) -> Borrowed<'a, A> {
        Borrowed(argument)
    }

    /// An argument that is no reference.
    pub fn take<A>(&self, argument: A) -> A {
        argument
    }

    /// An argument that borrows, and is no plain reference.
    pub fn borrowing<A>(&self, argument: A) -> A {
        argument
    }

    /// The body.
    pub fn body<R, T, B: Future<Output = R>>(&self, _: &mut Start<R, T>, body: B) -> B {
        body
    }

    /// The body, and what closure options say of its output.
    pub fn judged<R, T, J, B>(&self, start: &mut Start<R, T>, judge: J) -> B
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = super::Finished<R>>,
    {
        start.judged(judge)
    }
}

impl<Wait> Ruled<Background, Wait> {
    /// An argument that is a reference: a copy of what it refers to.
    pub fn own<A: Ownable + ?Sized>(&self, argument: &A) -> Owned<A> {
        Owned(argument.to_owned())
    }

    /// An argument that is no reference.
    pub fn take<A: Travels>(&self, argument: A) -> A {
        argument
    }

    /// An argument that borrows, and is no plain reference.
    pub fn borrowing<A: NeverOwned>(&self, argument: A) -> A {
        argument
    }

    /// The body. What is returned in its place is never polled.
    pub fn body<R, T, B>(&self, start: &mut Start<R, T>, body: B) -> std::future::Pending<R>
    where
        B: Future<Output = R> + Send + 'static,
        R: 'static,
        T: Any + Send,
    {
        start.owning = Some(Owning::new(async move { body.await.finished() }));
        std::future::pending()
    }

    /// The body, and what closure options say of its output. What is returned in its place is never
    /// polled.
    pub fn judged<R, T, J, B>(&self, start: &mut Start<R, T>, judge: J) -> std::future::Pending<R>
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = super::Finished<R>> + Send + 'static,
        R: 'static,
        T: Any + Send,
    {
        start.owning = Some(Owning::new(start.judged(judge)));
        std::future::pending()
    }
}

/// What can be copied out of a reference, to be used where the reference has ended.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be owned by a compute in the background, as this `policy` asks",
    label = "needs `Clone` (or `ToOwned`), `Send` and `'static`",
    note = "derive `Clone` for it; or take an `Arc` of it as the argument",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with what is borrowed"
)]
pub trait Ownable: ToOwned<Owned: Send + 'static> {}

#[diagnostic::do_not_recommend]
impl<A: ToOwned<Owned: Send + 'static> + ?Sized> Ownable for A {}

/// What may be used by another task.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot go along with a compute in the background, as this `policy` asks",
    label = "needs `Send` and `'static`",
    note = "take what is `Send` and owns its data: an `Arc` in place of an `Rc`, a `String` in place of a `&str`",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with anything"
)]
pub trait Travels: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<A: Send + 'static> Travels for A {}

/// What borrows and is owned all the same. Nothing implements it: it is there to be missed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` borrows, and a compute in the background, as this `policy` asks for, must own its arguments",
    label = "borrows from the caller",
    note = "take what owns its data, such as `Option<String>` in place of `Option<&str>`; or a plain reference, which is copied",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with what is borrowed"
)]
pub trait NeverOwned {}

/// An argument as it was given.
#[derive(Clone, Copy, Debug)]
pub struct Borrowed<'a, A: ?Sized>(&'a A);

impl<'a, A: ?Sized> Borrowed<'a, A> {
    /// The argument, for the body.
    pub fn lend(&self) -> &'a A {
        self.0
    }
}

/// A copy of an argument.
pub struct Owned<A: Ownable + ?Sized>(A::Owned);

impl<A: Ownable + ?Sized> Owned<A> {
    /// The argument, for the body.
    pub fn lend(&self) -> &A {
        self.0.borrow()
    }
}

impl<A: Ownable + ?Sized> fmt::Debug for Owned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owned").finish_non_exhaustive()
    }
}

impl<Work, Wait> fmt::Debug for Ruled<Work, Wait> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ruled").field(&self.rules).finish()
    }
}
