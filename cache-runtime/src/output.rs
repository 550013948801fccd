//! What a function's return type can do, found out by method lookup: whether it is a `Result`,
//! how its errors are shared, whether its value can be stored. The expansion calls the steps; the
//! last one returns a [`Kit`] of function pointers, so that nothing behind it knows the type.
//!
//! Each step is a type with an inherent method under the bounds of its case, and dereferences to
//! the step for the next case: the compiler takes the first whose bounds hold. Only the last
//! case carries its bound on the method, where an unmet bound is one error on the return type.

use std::any::Any;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{self, Codec};
use crate::error::{Error, ErrorKind};
use crate::shape;

/// A value of any type, as the tiers carry it.
type Value = dyn Any + Send + Sync;

/// What the cache keeps in this process only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in a cache",
    label = "needs `Clone + Send + Sync + 'static`",
    note = "a hit hands out a clone, on any thread: derive `Clone`, or return an `Arc`; in place of `Rc` and `RefCell`, use `Arc` and `Mutex`"
)]
pub trait Cacheable: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Cacheable for T {}

/// What the cache keeps in this process and beyond it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stored in a cache",
    label = "needs `Clone + Send + Sync + 'static` and serde's `Serialize + DeserializeOwned`",
    note = "for a type of your own: `#[derive(Clone, serde::Serialize, serde::Deserialize)]`",
    note = "the option `local` keeps the value in this process, which needs no serde"
)]
pub trait Storable: Cacheable + Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Cacheable + Serialize + DeserializeOwned> Storable for T {}

/// What the followers of a flight get of its leader's failure.
#[derive(Clone)]
pub enum Failure {
    /// The failure itself, to be cloned; and its text, for followers in other processes, where
    /// their own error can be made from it.
    Value(Arc<Value>, Option<String>),
    /// Its text; the follower's own error is made from it.
    Message(String),
    /// Nothing: each follower computes for itself.
    Opaque,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(..) => f.write_str("Value(..)"),
            Self::Message(message) => f.debug_tuple("Message").field(message).finish(),
            Self::Opaque => f.write_str("Opaque"),
        }
    }
}

/// How values of one type become bytes and come back.
#[derive(Debug)]
pub struct Vtable {
    /// The bytes of a value; an error where the value is of another type.
    pub(crate) encode: fn(&Value, Codec) -> Result<Vec<u8>, Error>,
    /// The value of some bytes.
    pub(crate) decode: fn(&[u8], Codec) -> Result<Arc<Value>, Error>,
    /// The fingerprint of the type's shape.
    pub(crate) shape: fn() -> u64,
    /// The type's name, for messages.
    pub(crate) type_name: fn() -> &'static str,
}

impl Vtable {
    /// The one table of a type.
    const fn of<T: Storable>() -> &'static Self {
        const {
            &Self {
                encode: |value, codec| match value.downcast_ref::<T>() {
                    Some(value) => codec::encode(value, codec),
                    None => Err(Error::new(ErrorKind::Codec, "the value is of another type")),
                },
                decode: |bytes, codec| Ok(Arc::new(codec::decode::<T>(bytes, codec)?)),
                shape: shape::of::<T>,
                type_name: std::any::type_name::<T>,
            }
        }
    }
}

/// Takes an output back out of the box that carried it here, if it is one of this type.
pub(crate) type Claim<R> = fn(Box<dyn Any + Send>) -> Option<R>;

/// All that the runtime does with a function's output `R`, of which `T` is what gets stored.
pub struct Kit<R, T> {
    /// The value to store, or the failure, untouched.
    pub(crate) split: fn(R) -> Result<T, R>,
    /// An output made from a stored value.
    pub(crate) wrap: fn(T) -> R,
    /// The value to store, by reference.
    pub(crate) peek: fn(&R) -> Option<&T>,
    /// An output given from outside (`put`), if it is of this type; `None` where the type spells
    /// a lifetime and so cannot be told.
    pub(crate) claim: Option<Claim<R>>,
    /// What followers get of a failure.
    pub(crate) share: fn(&R) -> Failure,
    /// A follower's failure, made from what its leader shared.
    pub(crate) restore: fn(&Failure) -> Option<R>,
    /// Cloning is trivial and runs no user code: it may be done under the shard's guard.
    pub(crate) stays: bool,
    /// A value as the tiers carry it. (Here the bounds of `T` are known; behind, they are not.)
    pub(crate) pack: fn(T) -> Arc<Value>,
    /// What a hit hands out.
    pub(crate) clone: fn(&T) -> T,
    /// Bytes and back; `None` for what stays in this process.
    pub(crate) codec: Option<&'static Vtable>,
}

impl<R, T> Clone for Kit<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T> Copy for Kit<R, T> {}

impl<R, T> fmt::Debug for Kit<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kit")
            .field("stays", &self.stays)
            .field("codec", &self.codec)
            .finish()
    }
}

/// A type that is only talked about.
type Of<T> = PhantomData<fn() -> T>;

/// Dereferences one step of a ladder to the next, and lets it be printed.
macro_rules! falls_through {
    ($(<$($t:ident),+> $from:ty => $to:ty = $next:expr;)+) => {$(
        impl<$($t),+> Deref for $from {
            type Target = $to;
            fn deref(&self) -> &Self::Target {
                const { &$next }
            }
        }

        impl<$($t),+> fmt::Debug for $from {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($from))
            }
        }
    )+};
}

mod returned;

pub use returned::{Happened, Returned};

falls_through! {
    <R> Returns<R> => Plain<R> = Plain(PhantomData);
    <T, E> Fallible<T, E> => Clonable<T, E> = Clonable(PhantomData);
    <T, E> Clonable<T, E> => Printable<T, E> = Printable(PhantomData);
    <T, E> Printable<T, E> => Unshared<T, E> = Unshared(PhantomData);
}

/// First step: the return type itself.
pub struct Returns<R>(Of<R>);

impl<R> Returns<R> {
    /// The start of the ladder.
    pub const NEW: Self = Self(PhantomData);
}

impl<T, E> Returns<Result<T, E>> {
    /// The type is a `Result`, by whatever name.
    #[must_use]
    pub const fn shape(&self) -> Fallible<T, E> {
        Fallible(PhantomData)
    }
}

/// A return type that is not known to be a `Result`.
#[derive(Debug)]
pub struct Plain<R>(Of<R>);

impl<R> Plain<R> {
    /// The output is taken whole.
    #[must_use]
    pub const fn shape(&self) -> Whole<R> {
        Whole(PhantomData)
    }
}

/// Second step for a `Result`: both ways of sharing its error.
pub struct Fallible<T, E>(Of<(T, E)>);
/// The error can be cloned.
pub struct Clonable<T, E>(Of<(T, E)>);
/// The error has a text, and can be made from ours.
pub struct Printable<T, E>(Of<(T, E)>);
/// The error stays with its leader.
#[derive(Debug)]
pub struct Unshared<T, E>(Of<(T, E)>);

impl<T, E> Fallible<T, E> {
    /// Errors are not shared: their type spells a lifetime.
    #[must_use]
    pub fn unshared(&self) -> Output<Result<T, E>, T> {
        result(|_| Failure::Opaque, |_| None, None)
    }

    /// The value of a mutation's output, where it is a success.
    #[must_use]
    pub fn value(&self) -> fn(&Result<T, E>) -> Option<&T> {
        |output| output.as_ref().ok()
    }
}

impl<T, E> Fallible<T, E>
where
    E: Clone + Send + Sync + 'static + From<Error> + Display,
{
    /// Followers get a clone, or their own error made from a text that came from elsewhere.
    #[must_use]
    pub fn errors(&self) -> Output<Result<T, E>, T>
    where
        T: 'static,
    {
        let share = |output: &Result<T, E>| match output {
            Ok(_) => Failure::Opaque,
            Err(error) => Failure::Value(Arc::new(error.clone()), Some(error.to_string())),
        };
        let restore = |failure: &Failure| restore_clone(failure).or_else(|| restore_text(failure));
        result(share, restore, Some(claim))
    }
}

impl<T, E: Clone + Send + Sync + 'static> Clonable<T, E> {
    /// Followers get a clone.
    #[must_use]
    pub fn errors(&self) -> Output<Result<T, E>, T>
    where
        T: 'static,
    {
        result(share_clone, restore_clone, Some(claim))
    }
}

impl<T, E: From<Error> + Display> Printable<T, E> {
    /// Followers get their own error, made from the leader's text.
    #[must_use]
    pub fn errors(&self) -> Output<Result<T, E>, T>
    where
        T: 'static,
        E: 'static,
    {
        result(share_text, restore_text, Some(claim))
    }
}

impl<T, E> Unshared<T, E> {
    /// Followers compute for themselves.
    #[must_use]
    pub fn errors(&self) -> Output<Result<T, E>, T>
    where
        T: 'static,
        E: 'static,
    {
        result(|_| Failure::Opaque, |_| None, Some(claim))
    }
}

/// Takes an output back out of the box that carried it here, if it is one of this type.
fn claim<R: 'static>(output: Box<dyn Any + Send>) -> Option<R> {
    output.downcast::<R>().ok().map(|output| *output)
}

fn share_clone<T, E: Clone + Send + Sync + 'static>(output: &Result<T, E>) -> Failure {
    match output {
        Ok(_) => Failure::Opaque,
        Err(error) => Failure::Value(Arc::new(error.clone()), None),
    }
}

fn restore_clone<T, E: Clone + 'static>(failure: &Failure) -> Option<Result<T, E>> {
    match failure {
        Failure::Value(error, _) => error.downcast_ref::<E>().cloned().map(Err),
        Failure::Message(_) | Failure::Opaque => None,
    }
}

fn share_text<T, E: Display>(output: &Result<T, E>) -> Failure {
    match output {
        Ok(_) => Failure::Opaque,
        Err(error) => Failure::Message(error.to_string()),
    }
}

fn restore_text<T, E: From<Error>>(failure: &Failure) -> Option<Result<T, E>> {
    match failure {
        Failure::Message(message) => {
            let text = format!("the call that was computing this value failed: {message}");
            Some(Err(E::from(Error::new(ErrorKind::LeaderFailed, text))))
        }
        Failure::Value(..) | Failure::Opaque => None,
    }
}

fn result<T, E>(
    share: fn(&Result<T, E>) -> Failure,
    restore: fn(&Failure) -> Option<Result<T, E>>,
    claim: Option<Claim<Result<T, E>>>,
) -> Output<Result<T, E>, T> {
    Output(Counted(Owned {
        split: |output| output.map_err(Err),
        wrap: Ok,
        peek: |output| output.as_ref().ok(),
        claim,
        share,
        restore,
    }))
}

/// Second step for everything else.
#[derive(Debug)]
pub struct Whole<R>(Of<R>);

impl<R> Whole<R> {
    /// The start for a type without a name, which is known from the body alone.
    pub const UNNAMED: Self = Self(PhantomData);

    /// There are no errors to share.
    #[must_use]
    pub fn errors(&self) -> Output<R, R>
    where
        R: 'static,
    {
        Output(Counted(Owned {
            split: |output| {
                if is_result::<R>() {
                    Err(output)
                } else {
                    Ok(output)
                }
            },
            wrap: |output| output,
            peek: |output| (!is_result::<R>()).then_some(output),
            claim: Some(claim),
            share: |_| Failure::Opaque,
            restore: |_| None,
        }))
    }

    /// There are no errors to share.
    #[must_use]
    pub fn unshared(&self) -> Output<R, R>
    where
        R: 'static,
    {
        self.errors()
    }

    /// Every output of a mutation counts as a success.
    #[must_use]
    pub fn value(&self) -> fn(&R) -> Option<&R> {
        |output| Some(output)
    }
}

/// A type parameter that turned out to be a `Result`: whether it is `Ok` cannot be seen from
/// here, so it is never stored.
fn is_result<R>() -> bool {
    std::any::type_name::<R>().starts_with("core::result::Result<")
}

/// Third step: what is stored, and how it is cloned. This case is for `Copy`.
#[derive(Debug)]
pub struct Output<R, T>(Counted<R, T>);
/// What is stored is an `Arc`.
#[derive(Debug)]
pub struct Counted<R, T>(Owned<R, T>);
/// What is stored is cloned by its own `Clone`.
pub struct Owned<R, T> {
    split: fn(R) -> Result<T, R>,
    wrap: fn(T) -> R,
    peek: fn(&R) -> Option<&T>,
    claim: Option<Claim<R>>,
    share: fn(&R) -> Failure,
    restore: fn(&Failure) -> Option<R>,
}

impl<R, T> fmt::Debug for Owned<R, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Owned").finish_non_exhaustive()
    }
}

impl<R, T> Deref for Output<R, T> {
    type Target = Counted<R, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<R, T> Deref for Counted<R, T> {
    type Target = Owned<R, T>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// Copying more than this under a guard costs others more than it saves.
const SMALL: usize = 128;

impl<R, T: Copy + Cacheable> Output<R, T> {
    /// Kept in this process only.
    #[must_use]
    pub fn local(&self) -> Kit<R, T> {
        self.kit(size_of::<T>() <= SMALL, |value| *value, None)
    }
}

impl<R, T: Copy + Storable> Output<R, T> {
    /// Kept in this process and beyond it.
    #[must_use]
    pub fn stored(&self) -> Kit<R, T> {
        self.kit(
            size_of::<T>() <= SMALL,
            |value| *value,
            Some(Vtable::of::<T>()),
        )
    }
}

impl<R, T: ?Sized> Counted<R, Arc<T>>
where
    Arc<T>: Cacheable,
{
    /// Kept in this process only.
    #[must_use]
    pub fn local(&self) -> Kit<R, Arc<T>> {
        self.kit(true, Arc::clone, None)
    }
}

impl<R, T: ?Sized> Counted<R, Arc<T>>
where
    Arc<T>: Storable,
{
    /// Kept in this process and beyond it.
    #[must_use]
    pub fn stored(&self) -> Kit<R, Arc<T>> {
        self.kit(true, Arc::clone, Some(Vtable::of::<Arc<T>>()))
    }
}

impl<R, T> Owned<R, T> {
    /// Kept in this process only.
    #[must_use]
    pub fn local(&self) -> Kit<R, T>
    where
        T: Cacheable,
    {
        self.kit(false, T::clone, None)
    }

    /// Kept in this process and beyond it.
    #[must_use]
    pub fn stored(&self) -> Kit<R, T>
    where
        T: Storable,
    {
        self.kit(false, T::clone, Some(Vtable::of::<T>()))
    }

    fn kit(&self, stays: bool, clone: fn(&T) -> T, codec: Option<&'static Vtable>) -> Kit<R, T>
    where
        T: Any + Send + Sync,
    {
        let Self {
            split,
            wrap,
            peek,
            claim,
            share,
            restore,
        } = *self;
        Kit {
            split,
            wrap,
            peek,
            claim,
            share,
            restore,
            stays,
            pack: |value| Arc::new(value),
            clone,
            codec,
        }
    }
}

#[cfg(test)]
mod tests;
