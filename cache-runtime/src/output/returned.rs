//! What a sync function returns must have happened when it returns: the steps before
//! [`Returns`](super::Returns), which refuse futures by whatever name. What the type can do
//! otherwise is not looked at here.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use super::{Of, Returns};

/// What a future is not. Nothing implements it: it is there to be missed.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is a future: when this `fn` returns it, nothing has happened yet",
    label = "a future, not its output",
    note = "write `async fn`, and await before returning"
)]
pub trait Happened<Next> {
    /// The step that would follow.
    fn next() -> Next;
}

falls_through! {
    <R> Returned<R> => ReturnedOk<R> = ReturnedOk(PhantomData);
    <R> ReturnedOk<R> => ReturnedSome<R> = ReturnedSome(PhantomData);
    <R> ReturnedSome<R> => ReturnedValue<R> = ReturnedValue(PhantomData);
}

/// The return type of a sync function; the case of a future.
pub struct Returned<R>(Of<R>);
/// The case of a future in a `Result`.
pub struct ReturnedOk<R>(Of<R>);
/// The case of a future in an `Option`.
pub struct ReturnedSome<R>(Of<R>);
/// A value.
#[derive(Debug)]
pub struct ReturnedValue<R>(Of<R>);

impl<R> Returned<R> {
    /// The start of the ladder.
    pub const NEW: Self = Self(PhantomData);
}

// The steps that cannot be taken. What would follow is left open, so that nothing is reported but
// the bound; a return type that depended on it would make the compiler pass over the step.

impl<R: IntoFuture> Returned<R> {
    /// It is a future.
    #[must_use]
    pub fn returned<Next>(&self) -> Next
    where
        R: Happened<Next>,
    {
        R::next()
    }
}

impl<T: IntoFuture, E> ReturnedOk<Result<T, E>> {
    /// There is a future in it.
    #[must_use]
    pub fn returned<Next>(&self) -> Next
    where
        T: Happened<Next>,
    {
        T::next()
    }
}

impl<T: IntoFuture> ReturnedSome<Option<T>> {
    /// There is a future in it.
    #[must_use]
    pub fn returned<Next>(&self) -> Next
    where
        T: Happened<Next>,
    {
        T::next()
    }
}

impl<R> ReturnedValue<R> {
    /// On to what it can do.
    #[must_use]
    pub const fn returned(&self) -> Returns<R> {
        Returns::NEW
    }
}
