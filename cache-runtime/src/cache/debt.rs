//! Invalidations on their way: made at once, or owed until they are. What is invalidated is said by
//! who makes one.

use std::time::Duration;

use super::{Cache, MAX_TAGS, Off};
use crate::error::Error;
use crate::log::MarkId;
use crate::shared::Token;
use crate::tag::TagHash;

/// An invalidation that must be made. Dropped before it was acknowledged, it is still made: at
/// once in memory, by the connection's task where the log is shared.
#[derive(Debug)]
pub(crate) struct Debt {
    cache: Cache,
    tags: Vec<TagHash>,
    /// The mark that stands until this is paid.
    mark: Option<MarkId>,
}

impl Debt {
    pub(crate) fn new(cache: &Cache, tags: Vec<TagHash>) -> Self {
        Self {
            cache: cache.clone(),
            tags,
            mark: None,
        }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Whether it is this cache's.
    pub(crate) fn is_for(&self, cache: &Cache) -> bool {
        self.cache.is_same(cache)
    }

    /// There is more to invalidate, in the same step.
    pub(crate) fn extend(&mut self, tags: impl IntoIterator<Item = TagHash>) {
        self.tags.extend(tags);
    }

    /// Places a mark on the tags, before the data is changed: until this is paid, by whomever,
    /// nothing that carries one of them is current. On `Err` there may be none, which is counted.
    /// In memory there is nothing to do: a crash takes the cache with it.
    pub(crate) async fn guard(&mut self, deadline: Duration) -> Result<(), Error> {
        self.seal();
        let inner = &self.cache.0;
        if let Some(Off::Broken(why)) = &inner.off {
            return Err(why.clone());
        }
        let (Some(shared), false) = (&inner.shared, self.tags.is_empty()) else {
            return Ok(());
        };
        let placed = async {
            let mark = Token::random()?.0;
            // Before it is sent: whatever comes of it, the record that follows ends it.
            self.mark = Some(mark);
            shared.mark(mark, self.tags.clone(), deadline).await
        };
        placed.await.map_err(|error| {
            inner.reporter.counters.unguarded.add();
            inner
                .reporter
                .fault("placing the mark of a mutation", &error);
            Error::caused(
                error.kind(),
                "the mutation could not be guarded against a crash",
                error.to_string(),
            )
        })
    }

    /// There is nothing to invalidate after all; but what ends a mark is made in any case.
    pub(crate) fn forgive(&mut self) {
        if self.mark.is_none() {
            self.tags.clear();
        }
    }

    /// Makes one record of the tags. What does not fit is everything: a mutation cannot be refused
    /// any more, and too much is invalidated rather than too little, or in several steps. Every
    /// record moves the tag of values that are made of more than can be named.
    fn seal(&mut self) {
        if self.tags.is_empty() {
            return;
        }
        if self.tags.len() > MAX_TAGS {
            self.tags = vec![TagHash::all()];
        }
        if !self.tags.contains(&TagHash::any()) {
            self.tags.push(TagHash::any());
        }
    }

    /// Makes the invalidation. On `Err` it is owed, unless the cache has no log to owe it to.
    pub(crate) async fn pay(&mut self) -> Result<(), Error> {
        if self.tags.is_empty() {
            return Ok(());
        }
        self.seal();
        let inner = &self.cache.0;
        if let Some(Off::Broken(why)) = &inner.off {
            self.tags.clear();
            return Err(why.clone());
        }
        let Some(shared) = &inner.shared else {
            self.pay_in_memory();
            return Ok(());
        };
        match shared.append(self.tags.clone(), self.mark, None).await {
            Ok(appended) => {
                let version = appended.map_or(0, |appended| appended.version);
                let tags = std::mem::take(&mut self.tags);
                inner.tell_invalidated(version, &tags);
                Ok(())
            }
            Err(error) if shared.is_closed() => {
                self.tags.clear();
                Err(Error::caused(
                    error.kind(),
                    "nothing was invalidated",
                    error.to_string(),
                ))
            }
            Err(error) => {
                inner.reporter.counters.store_errors.add();
                inner.reporter.fault("an invalidation", &error);
                shared.owe(std::mem::take(&mut self.tags), self.mark);
                Err(Error::caused(
                    error.kind(),
                    "the invalidation is not acknowledged; it is kept and tried again, and until \
                     it lands this process serves nothing that it names",
                    error.to_string(),
                ))
            }
        }
    }

    fn pay_in_memory(&mut self) {
        let inner = &self.cache.0;
        let tags = std::mem::take(&mut self.tags);
        let version = inner.view.append(&tags);
        inner.tell_invalidated(version, &tags);
    }
}

impl Drop for Debt {
    fn drop(&mut self) {
        if self.tags.is_empty() {
            return;
        }
        self.seal();
        match (&self.cache.0.off, &self.cache.0.shared) {
            (Some(Off::Broken(_)), _) => {}
            (_, Some(shared)) => shared.owe(std::mem::take(&mut self.tags), self.mark),
            (_, None) => self.pay_in_memory(),
        }
    }
}
