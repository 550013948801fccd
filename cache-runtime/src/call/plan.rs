//! What an expansion says on a miss, link by link: ttl, tags, the body, and what closure options
//! ask of its output. Data and types only; when it is asked for is `call`'s.

use std::any::Any;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::output::{Claim, Kit};
use crate::tag::Tag;

/// What the arguments have to say about a compute, and its body.
pub struct Planned<R, B> {
    pub(super) ttl: Option<Duration>,
    pub(super) tags: Vec<Tag>,
    pub(super) body: B,
    output: PhantomData<fn() -> R>,
}

/// The beginning of a plan: the function's types, and the output where one was given.
pub struct Start<R, T>(Finishing<R, T>);

impl<R, T> Start<R, T> {
    /// The beginning of a compute; or, with an output of the function's type, of a `put`.
    pub(super) fn new(kit: &Kit<R, T>, given: Option<Box<dyn Any + Send>>) -> Self {
        let given = given.zip(kit.claim);
        Self(Finishing {
            peek: kit.peek,
            given,
        })
    }

    fn planning(self) -> Planning<R, T> {
        Planning {
            finishing: self.0,
            ttl: None,
            tags: Vec::new(),
        }
    }

    /// The `ttl` option.
    pub fn ttl(self, ttl: Duration) -> Planning<R, T> {
        self.planning().ttl(ttl)
    }

    /// The `tags` option.
    pub fn tags<I>(self, tags: I) -> Planning<R, T>
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        self.planning().tags(tags)
    }

    /// The body.
    pub fn body<B: Future<Output = R>>(self, body: B) -> Planned<R, Plain<R, T, B>> {
        self.planning().body(body)
    }

    /// The body, and what closure options say of its output.
    pub fn judged<J, B>(self, judge: J) -> Planned<R, B>
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = Finished<R>>,
    {
        self.planning().judged(judge)
    }
}

/// A plan in the making.
pub struct Planning<R, T> {
    finishing: Finishing<R, T>,
    ttl: Option<Duration>,
    tags: Vec<Tag>,
}

impl<R, T> Planning<R, T> {
    /// The `ttl` option.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The `tags` option.
    #[must_use]
    pub fn tags<I>(mut self, tags: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Tag>,
    {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// The body.
    pub fn body<B: Future<Output = R>>(self, body: B) -> Planned<R, Plain<R, T, B>> {
        self.judged(|finishing| finishing.plain(body))
    }

    /// The body, and what closure options say of its output.
    pub fn judged<J, B>(self, judge: J) -> Planned<R, B>
    where
        J: FnOnce(Finishing<R, T>) -> B,
        B: Future<Output = Finished<R>>,
    {
        let Self {
            finishing,
            ttl,
            tags,
        } = self;
        Planned {
            ttl,
            tags,
            body: judge(finishing),
            output: PhantomData,
        }
    }
}

/// What waits for a body, or has the output that was given in its place.
pub struct Finishing<R, T> {
    peek: fn(&R) -> Option<&T>,
    given: Option<(Box<dyn Any + Send>, Claim<R>)>,
}

impl<R, T> Finishing<R, T> {
    /// What waits for a body.
    pub(crate) fn of(peek: fn(&R) -> Option<&T>) -> Self {
        Self { peek, given: None }
    }

    /// The body, up to the point where closure options are asked. It is not polled where an
    /// output was given.
    pub fn body<B: Future<Output = R>>(self, body: B) -> Ending<R, T, B> {
        Ending {
            finishing: self,
            body,
        }
    }

    /// The body, and nothing is asked.
    pub(crate) fn plain<B: Future<Output = R>>(self, body: B) -> Plain<R, T, B> {
        Plain {
            ending: self.body(body),
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
        // That it is of this type has been seen before it was handed on.
        let given = this.finishing.given.take();
        let given = given.and_then(|(output, claim)| claim(output));
        let is_given = given.is_some();
        let output = match given {
            Some(output) => Poll::Ready(output),
            None => this.body.poll(cx),
        };
        output.map(|output| Finish {
            peek: this.finishing.peek,
            is_given,
            finished: Finished {
                output,
                keep: true,
                tags: Vec::new(),
            },
        })
    }
}

/// A function's output, and what closure options said of it.
pub struct Finished<R> {
    pub(crate) output: R,
    /// Whether it is to be stored.
    pub(crate) keep: bool,
    /// The tags that follow from it.
    pub(crate) tags: Vec<Tag>,
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

pin_project! {
    /// A body that nothing is asked about afterwards.
    pub struct Plain<R, T, B> {
        #[pin]
        ending: Ending<R, T, B>,
    }
}

impl<R, T, B: Future<Output = R>> Future for Plain<R, T, B> {
    type Output = Finished<R>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().ending.poll(cx).map(Finish::finish)
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
    Planned<R, B>;
    Start<R, T>;
    Planning<R, T>;
    Finishing<R, T>;
    Ending<R, T, B>;
    Finished<R>;
    Finish<R, T>;
    Plain<R, T, B>;
}
