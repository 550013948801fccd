//! What an expansion says on a miss, link by link: ttl, tags, the body, and what closure options
//! ask of its output. Data and types only; when it is asked for is `call`'s.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::Call;
use super::behind::Owning;
use crate::error::Error;
use crate::output::{Claim, Kit};
use crate::policy::Rules;
use crate::tag::Tag;

/// An output that was given in the body's place, and how to take it out of its box.
type Given<R> = (Box<dyn Any + Send>, Claim<R>);

/// What the arguments have to say about a compute, while it is written down; and what that has to
/// know of the function's types.
pub struct Start<R, T> {
    pub(super) call: Box<Call>,
    pub(super) ttl: Option<Duration>,
    /// Whether the ttl follows from the value.
    pub(super) ttl_follows: bool,
    pub(super) tags: Vec<Tag>,
    /// The output that was given, unless closure options are asked about it first.
    pub(super) given: Option<Given<R>>,
    pub(super) rules: Option<Rules>,
    /// What the call returns when its hard timeout has passed.
    pub(super) timed_out: Option<fn(Error) -> R>,
    /// The body, where it may be run in the background.
    pub(super) owning: Option<Owning<R, T>>,
    peek: fn(&R) -> Option<&T>,
}

impl<R, T> Start<R, T> {
    /// The beginning of a compute; or, with an output of the function's type, of a `put`.
    pub(super) fn new(
        kit: &Kit<R, T>,
        call: Box<Call>,
        given: Option<Box<dyn Any + Send>>,
    ) -> Self {
        Self {
            call,
            ttl: None,
            ttl_follows: false,
            tags: Vec::new(),
            given: given.zip(kit.claim),
            rules: None,
            timed_out: None,
            owning: None,
            peek: kit.peek,
        }
    }

    /// The `ttl` option.
    pub fn ttl(&mut self, ttl: Duration) -> &mut Self {
        self.ttl = Some(ttl);
        self
    }

    /// The `ttl` option is a closure, which is asked when there is a value.
    pub fn ttl_follows(&mut self) -> &mut Self {
        self.ttl_follows = true;
        self
    }

    /// The `tags` option.
    pub fn tags<I>(&mut self, tags: I) -> &mut Self
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// The body of an async function.
    pub fn body<B: Future<Output = R>>(&self, body: B) -> B {
        body
    }

    /// The body of a sync function.
    pub fn body_sync<B: FnOnce() -> R>(&self, body: B) -> B {
        body
    }

    /// The body of an async function, and what closure options say of its output.
    pub fn judged<J, B>(&mut self, judge: J) -> B
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = Finished<R>>,
    {
        judge(self.finishing())
    }

    /// The body of a sync function, and what closure options say of its output.
    pub fn judged_sync<J>(&mut self, judge: J) -> impl FnOnce() -> Finished<R> + use<R, T, J>
    where
        J: FnOnce(Finishing<R, T>) -> Finished<R>,
    {
        let finishing = self.finishing();
        move || judge(finishing)
    }

    fn finishing(&mut self) -> Finishing<R, T> {
        Finishing {
            peek: self.peek,
            given: self.given.take(),
        }
    }
}

/// What a body returns, as it is or judged.
pub trait Output<R> {
    /// With all that was said of it.
    fn finished(self) -> Finished<R>;
}

impl<R> Output<R> for R {
    fn finished(self) -> Finished<R> {
        Finished::of(self)
    }
}

impl<R> Output<R> for Finished<R> {
    fn finished(self) -> Self {
        self
    }
}

/// What waits for a body, or has the output that was given in its place.
pub struct Finishing<R, T> {
    peek: fn(&R) -> Option<&T>,
    given: Option<Given<R>>,
}

impl<R, T> Finishing<R, T> {
    /// What waits for a body.
    pub(crate) fn of(peek: fn(&R) -> Option<&T>) -> Self {
        Self { peek, given: None }
    }

    /// The body of an async function, up to the point where closure options are asked. It is not
    /// polled where an output was given.
    pub fn body<B: Future<Output = R>>(self, body: B) -> Ending<R, T, B> {
        Ending {
            finishing: self,
            body,
        }
    }

    /// The body of a sync function, up to the point where closure options are asked. It is not run
    /// where an output was given.
    pub fn body_sync(mut self, body: impl FnOnce() -> R) -> Finish<R, T> {
        if let Some(output) = self.given() {
            return self.finish(output, true);
        }
        let output = body();
        self.finish(output, false)
    }

    /// What was given. That it is of this type has been seen before it was handed on.
    fn given(&mut self) -> Option<R> {
        let (output, claim) = self.given.take()?;
        claim(output)
    }

    fn finish(&self, output: R, is_given: bool) -> Finish<R, T> {
        Finish {
            peek: self.peek,
            is_given,
            finished: Finished::of(output),
        }
    }
}

pin_project! {
    /// A body whose output closure options are asked about.
    pub struct Ending<R, T, B> {
        finishing: Finishing<R, T>,
        #[pin]
        body: B,
    }
}

impl<R, T, B: Future<Output = R>> Future for Ending<R, T, B> {
    type Output = Finish<R, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(output) = this.finishing.given() {
            return Poll::Ready(this.finishing.finish(output, true));
        }
        let output = this.body.poll(cx);
        output.map(|output| this.finishing.finish(output, false))
    }
}

/// A function's output, and what closure options said of it.
pub struct Finished<R> {
    pub(crate) output: R,
    /// Whether it is to be stored.
    pub(crate) keep: bool,
    /// How long it lives, where that follows from it.
    pub(crate) ttl: Option<Duration>,
    /// The tags that follow from it.
    pub(crate) tags: Vec<Tag>,
}

impl<R> Finished<R> {
    /// An output that nothing was asked about.
    pub(crate) fn of(output: R) -> Self {
        Self {
            output,
            keep: true,
            ttl: None,
            tags: Vec::new(),
        }
    }
}

/// An output that closure options are asked about.
pub struct Finish<R, T> {
    peek: fn(&R) -> Option<&T>,
    is_given: bool,
    finished: Finished<R>,
}

impl<R, T> Finish<R, T> {
    /// The `store_if` option. What was given is stored whatever it says.
    pub fn store_if(&mut self, keeps: impl FnOnce(&T) -> bool) {
        if !self.is_given
            && let Some(value) = (self.peek)(&self.finished.output)
        {
            self.finished.keep &= keeps(value);
        }
    }

    /// The `ttl` option, where it is a closure.
    pub fn ttl(&mut self, ttl: impl FnOnce(&T) -> Duration) {
        if let Some(value) = (self.peek)(&self.finished.output) {
            self.finished.ttl = Some(ttl(value));
        }
    }

    /// The `result_tags` option. The tags may borrow the value.
    pub fn result_tags<'a, I>(&'a mut self, tags: impl FnOnce(&'a T) -> I)
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        let finished = &mut self.finished;
        if let Some(value) = (self.peek)(&finished.output) {
            let tags = tags(value).into_iter().map(Into::into);
            finished.tags.extend(tags);
        }
    }

    /// Everything has been asked.
    pub fn finish(self) -> Finished<R> {
        self.finished
    }
}

/// These have nothing to show, but the crate's types can all be printed.
macro_rules! opaque {
    ($($name:ident<$($t:ident),+>;)+) => {$(
        impl<$($t),+> std::fmt::Debug for $name<$($t),+> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

opaque! {
    Start<R, T>;
    Finishing<R, T>;
    Ending<R, T, B>;
    Finished<R>;
    Finish<R, T>;
}
