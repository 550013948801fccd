//! What an expansion says on a miss, link by link: ttl, tags, the body, and what closure options
//! ask of its output. Data and types only; when it is asked for is `call`'s.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;

use crate::output::Kit;
use crate::tag::Tag;

/// What the arguments have to say about a compute, and its body.
pub struct Planned<R, B> {
    pub(super) ttl: Option<Duration>,
    pub(super) tags: Vec<Tag>,
    pub(super) body: B,
    output: PhantomData<fn() -> R>,
}

/// The beginning of a plan: the function's types, nothing else.
pub struct Start<R, T> {
    pub(super) kit: Kit<R, T>,
}

impl<R, T> Clone for Start<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T> Copy for Start<R, T> {}

impl<R, T> Start<R, T> {
    fn planning(self) -> Planning<R, T> {
        Planning {
            start: self,
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
    pub fn body<B: Future<Output = R>>(self, body: B) -> Planned<R, Plain<B>> {
        self.planning().body(body)
    }

    /// The body, and what closure options say of its output.
    pub fn judged<B: Future<Output = Finished<R>>>(self, body: B) -> Planned<R, B> {
        self.planning().judged(body)
    }

    /// What closure options are asked about.
    pub fn finish(self, output: R) -> Finish<R, T> {
        Finish {
            peek: self.kit.peek,
            finished: Finished { output, keep: true },
        }
    }
}

/// A plan in the making.
pub struct Planning<R, T> {
    start: Start<R, T>,
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
    pub fn body<B: Future<Output = R>>(self, body: B) -> Planned<R, Plain<B>> {
        self.judged(Plain { body })
    }

    /// The body, and what closure options say of its output.
    pub fn judged<B: Future<Output = Finished<R>>>(self, body: B) -> Planned<R, B> {
        let Self {
            start: Start { .. },
            ttl,
            tags,
        } = self;
        Planned {
            ttl,
            tags,
            body,
            output: PhantomData,
        }
    }
}

/// A function's output, and whether it is to be stored.
pub struct Finished<R> {
    pub(super) output: R,
    pub(super) keep: bool,
}

/// An output that closure options are asked about.
pub struct Finish<R, T> {
    peek: fn(&R) -> Option<&T>,
    finished: Finished<R>,
}

impl<R, T> Finish<R, T> {
    /// The `store_if` option.
    #[must_use]
    pub fn store_if(mut self, keeps: impl FnOnce(&T) -> bool) -> Self {
        if let Some(value) = (self.peek)(&self.finished.output) {
            self.finished.keep &= keeps(value);
        }
        self
    }

    /// Everything has been asked.
    pub fn done(self) -> Finished<R> {
        self.finished
    }
}

pin_project! {
    /// A body that nothing is asked about afterwards.
    pub struct Plain<B> {
        #[pin]
        body: B,
    }
}

impl<B: Future> Future for Plain<B> {
    type Output = Finished<B::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project()
            .body
            .poll(cx)
            .map(|output| Finished { output, keep: true })
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
    Finished<R>;
    Finish<R, T>;
    Plain<B>;
}
