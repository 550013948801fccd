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
    message = "`{Self}` is not a `Policy`: write `policy = const {{ afresh::Policy::new().stale_for(Duration::from_secs(60)) }}`",
    label = "needs to be a `Policy`",
    note = "or the name of a `const` that holds one"
)]
pub trait IsPolicy {
    /// What it says, and its kind.
    type Ruled;

    #[doc(hidden)]
    fn ruled(&self) -> Self::Ruled;
}

#[diagnostic::do_not_recommend]
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
    message = "a sync function cannot have this `policy`, which computes in the background: write `async fn`, or remove `stale_for`, `refresh_ahead` and `soft_timeout` from the policy",
    label = "has `stale_for`, `refresh_ahead` or `soft_timeout`",
    note = "a sync function has no background to compute in; `stale_if_error`, `backoff` and `jitter` work"
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
    message = "`hard_timeout` ends a call with an error, and `{Self}` has no `From<afresh::Error>`: implement that",
    label = "has a `hard_timeout`",
    note = "write `impl From<afresh::Error> for {Self}`; where `{Self}` is of another crate, return an error type of your own that holds either",
    note = "or remove `hard_timeout` from the policy"
)]
pub trait MadeOfTimeout: From<Error> {}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> MadeOfTimeout for E {}

/// A return type that a timeout can be told by.
#[diagnostic::on_unimplemented(
    message = "`hard_timeout` ends a call with an error, and this function returns no `Result`: return a `Result` whose error is `From<afresh::Error>`",
    label = "has a `hard_timeout`",
    note = "or remove `hard_timeout` from the policy"
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
    message = "an `async fn` that calls itself cannot have this `policy` as it is: make the call in a separate `fn` that returns a boxed `Send` future",
    label = "the function calls itself here",
    note = "write `fn next(..) -> Pin<Box<dyn Future<Output = ..> + Send>> {{ Box::pin(<the call>) }}`, and await `next(..)` here",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and any future will do"
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
    message = "a format string cannot capture `self` under this `policy`: write `format!(\"{{}}\", self)` in place of `format!(\"{{self}}\")`",
    label = "captures `self` by name",
    note = "the compute in the background has a copy of `self`, which has another name"
)]
pub trait Captures {}

#[diagnostic::do_not_recommend]
impl Captures for Inline {}

/// Computes whose output may borrow.
#[diagnostic::on_unimplemented(
    message = "a function whose output borrows cannot have this `policy`: a compute in the background outlives what it borrows from",
    label = "borrows",
    note = "return owned data, such as `String` in place of `&str`, in `Ok` and in `Err`",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and the output may borrow"
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

    /// An argument that the body may write to.
    pub fn exclusive<A: ?Sized>(&self, _: &A) {}

    /// A part of what an argument refers to.
    pub fn part<A: ?Sized>(&self, _: &A) {}

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
    pub fn borrowing<A: NeverOwned + ?Sized>(&self, _: &A) {}

    /// An argument that the body may write to.
    pub fn exclusive<A: NeverWritten + ?Sized>(&self, _: &A) {}

    /// A part of what an argument refers to.
    pub fn part<A: NeverInParts + ?Sized>(&self, _: &A) {}

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

/// What a function may take by reference under a [`Policy<Background>`](Policy): what is
/// `Clone + Send + Sync + 'static`, and unsized types such as `str` and `[u32]`. A compute in the
/// background has a copy of it. Nothing is to be implemented; it is a bound for type parameters.
#[diagnostic::on_unimplemented(
    message = "this `policy` computes in the background, which needs a copy of `{Self}`: make it `Clone + Send + Sync + 'static`",
    label = "is copied into the background",
    note = "or pass an `Arc`, which is `Clone` whatever is in it: `&Arc<..>` as the argument, `self: &Arc<Self>` as the receiver",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and needs no copy"
)]
pub trait Ownable: Sync + 'static {
    #[doc(hidden)]
    fn kept(&self) -> Kept<Self>;
}

#[diagnostic::do_not_recommend]
impl<A: ToOwned<Owned: Send + 'static> + Sync + ?Sized + 'static> Ownable for A {
    fn kept(&self) -> Kept<A> {
        Box::new(self.to_owned())
    }
}

/// A copy, of whatever type.
type Kept<A> = Box<dyn Borrow<A> + Send>;

/// What may be used by another task. That it is `'static` is asked of the body, which has it.
#[diagnostic::on_unimplemented(
    message = "this `policy` computes in the background, so `{Self}` must be `Send`: pass a type that is, such as `Arc` in place of `Rc`",
    label = "is moved into the background",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and needs no `Send`"
)]
pub trait Travels: Send {}

#[diagnostic::do_not_recommend]
impl<A: Send> Travels for A {}

/// What spells a lifetime and is owned all the same. Nothing implements it: it is there to be
/// missed, as are the two that follow.
#[diagnostic::on_unimplemented(
    message = "this `policy` computes in the background, where `{Self}` may not borrow: take owned data, such as `Option<String>` in place of `Option<&str>`",
    label = "borrows from the caller",
    note = "a reference to what owns its data is fine (`&str`, `&[u32]`, `&Vec<String>`): it is copied",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and arguments may borrow"
)]
pub trait NeverOwned {}

/// What is written to where the caller's has ended.
#[diagnostic::on_unimplemented(
    message = "this `policy` computes in the background, which cannot write to the caller's `{Self}`: take it by value, and return what has changed",
    label = "borrows from the caller",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and arguments may borrow"
)]
pub trait NeverWritten {}

/// What a pattern borrows from an argument, and is copied without it.
#[diagnostic::on_unimplemented(
    message = "this `policy` computes in the background, and a part of a reference cannot be copied for it: name the whole argument, and take it apart in the body",
    label = "borrows from the caller",
    note = "write `pair: &(String, u32)` in place of `(name, id): &(String, u32)`, then `let (name, id) = pair;`",
    note = "or use a policy without `stale_for`, `refresh_ahead` and `soft_timeout`: it computes nothing in the background, and arguments may borrow"
)]
pub trait NeverInParts {}

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
