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
    /// What it says, and its kind.
    type Ruled;

    #[doc(hidden)]
    fn ruled(&self) -> Self::Ruled;
}

impl<Work, Wait> IsPolicy for Policy<Work, Wait> {
    type Ruled = Ruled<Work, Wait>;

    fn ruled(&self) -> Ruled<Work, Wait> {
        Ruled {
            rules: self.rules(),
            kind: PhantomData,
        }
    }
}

#[diagnostic::do_not_recommend]
impl<P: IsPolicy> IsPolicy for &P {
    type Ruled = P::Ruled;

    fn ruled(&self) -> P::Ruled {
        (*self).ruled()
    }
}

/// Where the computes of a sync function run.
#[diagnostic::on_unimplemented(
    message = "a sync function cannot have this `policy`: it has background work, and the function blocks until its body returns",
    label = "has `stale_for`, `refresh_ahead` or `soft_timeout`",
    note = "write `async fn`; or keep `stale_if_error`, `backoff` and `jitter`, which block nobody for longer"
)]
pub trait HasNoBackground {}

#[diagnostic::do_not_recommend]
impl HasNoBackground for Inline {}

/// When the calls of a sync function end.
#[diagnostic::on_unimplemented(
    message = "a sync function cannot have this `policy`: it has a `hard_timeout`, and the function blocks until its body returns",
    label = "has a `hard_timeout`",
    note = "write `async fn`; or remove `hard_timeout` from the policy, and bound what the body waits for"
)]
pub trait HasNoTimeout {}

#[diagnostic::do_not_recommend]
impl HasNoTimeout for Unlimited {}

/// The `policy` option.
pub fn policy<P: IsPolicy>(policy: &P) -> P::Ruled {
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

impl<Work, Wait> Ruled<Work, Wait> {
    /// What it is for a sync function.
    pub fn blocking(self) -> Ruled<Inline, Unlimited>
    where
        Work: HasNoBackground,
        Wait: HasNoTimeout,
    {
        Ruled {
            rules: self.rules,
            kind: PhantomData,
        }
    }
}

/// An error that a timeout can be told by.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of an `afresh::Error`, so a `hard_timeout` has nothing to return",
    label = "has a `hard_timeout`",
    note = "write `impl From<afresh::Error> for {Self}`, or remove `hard_timeout` from the policy"
)]
pub trait MadeOfTimeout: From<Error> {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> MadeOfTimeout for E {}

/// A return type that a timeout can be told by.
#[diagnostic::on_unimplemented(
    message = "this function returns no `Result`, so a `hard_timeout` has nothing to return",
    label = "has a `hard_timeout`",
    note = "return a `Result` whose error is `From<afresh::Error>`, or remove `hard_timeout` from the policy"
)]
pub trait TimesOut<R> {
    /// What a timeout is told by.
    type Error;

    #[doc(hidden)]
    fn timed_out(error: Self::Error) -> R;
}

#[diagnostic::do_not_recommend]
impl<T, E> TimesOut<Result<T, E>> for Fallible<T, E> {
    type Error = E;

    fn timed_out(error: E) -> Result<T, E> {
        Err(error)
    }
}

impl<Work, Wait> Ruled<Work, Wait> {
    /// A text in the body captures the receiver, whatever that is called there.
    pub fn captured(&self)
    where
        Work: Captures,
    {
    }

    /// The type of the output spells a lifetime.
    pub fn lends(&self)
    where
        Work: Lends,
    {
    }
}

/// The body calls the function itself. What follows is asked of what this returns, so that it is
/// told once.
pub fn recursive<Work: Recurs, Wait>(ruled: Ruled<Work, Wait>) -> Work::Ruled<Wait> {
    Work::recursive(ruled)
}

/// Computes of functions that call themselves.
#[diagnostic::on_unimplemented(
    message = "a recursive `async fn` cannot have this `policy`: a compute in the background must be `Send`, which a future in itself cannot be seen to be",
    label = "the function calls itself",
    note = "call it in a function of its own, and await that: `fn next(..) -> Pin<Box<dyn Future<Output = ..> + Send>> {{ Box::pin(..) }}`",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with any future"
)]
pub trait Recurs: Sized {
    /// What it says, and its kind.
    type Ruled<Wait>;

    #[doc(hidden)]
    fn recursive<Wait>(ruled: Ruled<Self, Wait>) -> Self::Ruled<Wait>;
}

#[diagnostic::do_not_recommend]
impl Recurs for Inline {
    type Ruled<Wait> = Ruled<Self, Wait>;

    fn recursive<Wait>(ruled: Ruled<Self, Wait>) -> Ruled<Self, Wait> {
        ruled
    }
}

/// Computes in which a text may capture `self`.
#[diagnostic::on_unimplemented(
    message = "a text cannot capture `self` under this `policy`: a compute in the background has a copy of it",
    label = "captures the caller's `self`",
    note = "write `self` as an argument: `format!(\"{{}}\", self)` in place of `format!(\"{{self}}\")`"
)]
pub trait Captures {}

#[diagnostic::do_not_recommend]
impl Captures for Inline {}

/// Computes whose output may borrow.
#[diagnostic::on_unimplemented(
    message = "a function whose output borrows cannot have this `policy`: a compute in the background outlives what it borrows from",
    label = "borrows",
    note = "return what owns its data, such as `String` in place of `&str`, also in an error",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with what is borrowed"
)]
pub trait Lends {}

#[diagnostic::do_not_recommend]
impl Lends for Inline {}

impl<Work> Ruled<Work, Unlimited> {
    /// Calls wait for as long as it takes.
    pub fn limits<R, T, S>(&self, start: &mut Start<R, T>, _: S) {
        start.rules = Some(self.rules);
    }
}

impl<Work> Ruled<Work, Limited> {
    /// Calls end with an error when it takes too long.
    pub fn limits<R, T, S>(&self, start: &mut Start<R, T>, _: S)
    where
        S: TimesOut<R, Error: MadeOfTimeout>,
    {
        start.rules = Some(self.rules);
        start.timed_out = Some(|error| S::timed_out(error.into()));
    }
}

impl<Wait> Ruled<Inline, Wait> {
    /// An argument that is a reference.
    pub fn own<'a, A: ?Sized>(&self, argument: &'a A) -> Borrowed<'a, A> {
        Borrowed(argument)
    }

    /// An argument that is no reference: the body takes it along.
    pub fn take<A: ?Sized>(&self, _: &A) {}

    /// An argument that borrows, and is no plain reference.
    pub fn borrowing<A: ?Sized>(&self, _: &A) {}

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
        Owned(argument.kept())
    }

    /// An argument that is no reference: the body takes it along.
    pub fn take<A: Travels>(&self, _: &A) {}

    /// An argument that borrows, and is no plain reference.
    pub fn borrowing<A: NeverOwned>(&self, _: &A) {}

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
    label = "needs `Clone` (or `ToOwned`), `Send`, `Sync` and `'static`",
    note = "derive `Clone` for it, or take an `Arc` of it; a type parameter says so by `T: Clone + Send + Sync + 'static`",
    note = "a policy of `stale_if_error`, `hard_timeout` and `jitter` alone works with what is borrowed"
)]
pub trait Ownable {
    #[doc(hidden)]
    fn kept(&self) -> Kept<Self>;
}

#[diagnostic::do_not_recommend]
impl<A: ToOwned<Owned: Send + 'static> + Sync + ?Sized> Ownable for A {
    fn kept(&self) -> Kept<A> {
        Box::new(self.to_owned())
    }
}

/// A copy, of whatever type.
type Kept<A> = Box<dyn Borrow<A> + Send>;

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
    note = "take what owns its data, such as `Option<String>` in place of `Option<&str>`; or a plain reference, which is copied, and take it apart in the body",
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

/// A copy of an argument. It asks nothing of the type, so that one which cannot be owned is told
/// once.
pub struct Owned<A: ?Sized>(Kept<A>);

impl<A: ?Sized> Owned<A> {
    /// The copy, for the body.
    pub fn lend(&self) -> &A {
        (*self.0).borrow()
    }
}

impl<A: ?Sized> fmt::Debug for Owned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Owned").finish_non_exhaustive()
    }
}

impl<Work, Wait> fmt::Debug for Ruled<Work, Wait> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ruled").field(&self.rules).finish()
    }
}
