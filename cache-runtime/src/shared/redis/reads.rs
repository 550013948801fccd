//! Look-ups on one connection: those that wait at one moment go out as one command, in which each key
//! stands once. So many callers at once cost the server little, and a key that all of them want costs
//! it one look. What stands in an entry is not known here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use futures_util::task::AtomicWaker;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, Value};
use tokio::sync::oneshot;
use xxhash_rust::xxh3::xxh3_64;

use crate::local::Passed;
use crate::shared::Slot;

type Answer = RedisResult<Looked>;

/// What a look-up found. All who wanted the entry have the same bytes: there may be many of them, and
/// many readers.
#[derive(Clone, Debug)]
pub(super) enum Looked {
    Entry(Arc<Vec<u8>>),
    Nothing,
    /// Something that is no entry and cannot be one.
    Other,
}

impl From<Value> for Looked {
    fn from(value: Value) -> Self {
        match value {
            Value::BulkString(bytes) => Self::Entry(Arc::new(bytes)),
            Value::Nil => Self::Nothing,
            _ => Self::Other,
        }
    }
}

/// Those who wait for a look-up to be sent.
#[derive(Debug)]
pub(super) struct Reads {
    waiting: Mutex<Waiting>,
    /// The connection's task.
    task: AtomicWaker,
}

#[derive(Debug)]
struct Waiting {
    reads: Vec<Read>,
    /// Whether there is a task that sends them.
    open: bool,
}

#[derive(Debug)]
struct Read {
    slot: Arc<Slot>,
    hash: u64,
    answer: oneshot::Sender<Answer>,
}

impl Reads {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::new(Waiting {
                reads: Vec::new(),
                open: true,
            }),
            task: AtomicWaker::new(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // It is pushed to and taken from, in single steps.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has an entry looked up, after this call began. `None` where nobody would: the connection has
    /// ended. What is returned ends with the connection too.
    pub(super) fn ask(&self, slot: &Arc<Slot>) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let read = Read {
            slot: Arc::clone(slot),
            hash: xxh3_64(&slot.entry),
            answer,
        };
        let mut waiting = self.waiting();
        if !waiting.open {
            return None;
        }
        waiting.reads.push(read);
        // Who is not the first has been announced.
        let is_first = waiting.reads.len() == 1;
        drop(waiting);
        if is_first {
            self.task.wake();
        }
        Some(answered)
    }

    /// Nobody asks any more, or nobody answers.
    pub(super) fn close(&self) {
        let left = {
            let mut waiting = self.waiting();
            waiting.open = false;
            std::mem::take(&mut waiting.reads)
        };
        drop(left);
        self.task.wake();
    }
}

/// The part of a connection's task that sends them. Dropped, it ends them all.
pub(super) struct Sending {
    reads: Arc<Reads>,
    /// Let go when nobody can ask any more: the connection ends after its last handle.
    redis: Option<MultiplexedConnection>,
    /// The most keys in one command.
    most: usize,
    /// Whether the server has refused a command with several keys.
    one_by_one: Arc<AtomicBool>,
    sent: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.reads.close();
    }
}

impl Sending {
    pub(super) fn new(reads: Arc<Reads>, redis: MultiplexedConnection, most: usize) -> Self {
        Self {
            reads,
            redis: Some(redis),
            most: most.max(1),
            one_by_one: Arc::default(),
            sent: FuturesUnordered::new(),
        }
    }

    /// Whether more than one waits or is under way: then others may be about to come.
    pub(super) fn has_several(&self) -> bool {
        self.reads.waiting().reads.len() + self.sent.len() > 1
    }

    /// Sends what waits, and hands out what has been answered.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) {
        // Before the look, so that what comes after it wakes.
        self.reads.task.register(cx.waker());
        let (reads, open) = {
            let mut waiting = self.reads.waiting();
            (std::mem::take(&mut waiting.reads), waiting.open)
        };
        if let Some(redis) = &self.redis {
            let alone = self.one_by_one.load(Ordering::Relaxed);
            let most = if alone { 1 } else { self.most };
            for batch in Batch::of(reads, most) {
                let sent = batch.send(redis.clone(), Arc::clone(&self.one_by_one));
                self.sent.push(Box::pin(sent));
            }
        }
        if !open {
            self.redis = None;
        }
        while let Poll::Ready(Some(())) = self.sent.poll_next_unpin(cx) {}
    }
}

/// What is sent as one command.
struct Batch(Vec<Wanted>);

/// One key, and those who want it.
struct Wanted {
    slot: Arc<Slot>,
    first: oneshot::Sender<Answer>,
    others: Vec<oneshot::Sender<Answer>>,
}

impl Wanted {
    fn answer(self, answer: Answer) {
        // Who does not listen any more has gone.
        for other in self.others {
            let _ = other.send(answer.clone());
        }
        let _ = self.first.send(answer);
    }
}

impl Batch {
    /// Each key once, in the order in which they were asked for first.
    fn of(reads: Vec<Read>, most: usize) -> Vec<Self> {
        let mut all: Vec<Wanted> = Vec::with_capacity(reads.len());
        let mut places = HashMap::<u64, usize, Passed>::default();
        let is_alone = reads.len() < 2;
        for read in reads {
            if read.answer.is_closed() {
                continue;
            }
            if !is_alone {
                let place = *places.entry(read.hash).or_insert(all.len());
                // Where two keys have one hash, the second stands by itself each time.
                if let Some(wanted) = all.get_mut(place)
                    && wanted.slot.entry == read.slot.entry
                {
                    wanted.others.push(read.answer);
                    continue;
                }
            }
            all.push(Wanted {
                slot: read.slot,
                first: read.answer,
                others: Vec::new(),
            });
        }
        let mut batches = Vec::with_capacity(all.len().div_ceil(most));
        while all.len() > most {
            let rest = all.split_off(most);
            batches.push(Self(std::mem::replace(&mut all, rest)));
        }
        if !all.is_empty() {
            batches.push(Self(all));
        }
        batches
    }

    async fn send(self, mut redis: MultiplexedConnection, one_by_one: Arc<AtomicBool>) {
        let Self(mut all) = self;
        if all.len() == 1
            && let Some(one) = all.pop()
        {
            return one_read(one, redis).await;
        }
        let size: usize = all.iter().map(|wanted| wanted.slot.entry.len()).sum();
        let mut several = Cmd::with_capacity(1 + all.len(), "MGET".len() + size);
        several.arg("MGET");
        for wanted in &all {
            several.arg(&wanted.slot.entry);
        }
        match several.query_async(&mut redis).await {
            Ok(Value::Array(answers)) if answers.len() == all.len() => {
                for (wanted, answer) in all.into_iter().zip(answers) {
                    wanted.answer(Ok(answer.into()));
                }
            }
            Err(error) if error.is_unrecoverable_error() => {
                for wanted in all {
                    wanted.answer(Err(error.clone()));
                }
            }
            // A server, or what stands before it, may allow a user `GET` and not this.
            Ok(_) | Err(_) => {
                one_by_one.store(true, Ordering::Relaxed);
                join_all(all.into_iter().map(|one| one_read(one, redis.clone()))).await;
            }
        }
    }
}

async fn one_read(one: Wanted, mut redis: MultiplexedConnection) {
    let mut get = Cmd::with_capacity(2, "GET".len() + one.slot.entry.len());
    get.arg("GET").arg(&one.slot.entry);
    let answer: RedisResult<Value> = get.query_async(&mut redis).await;
    one.answer(answer.map(Looked::from));
}

#[cfg(test)]
mod tests;
