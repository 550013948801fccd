//! Look-ups on one connection: those that wait at one moment go out as one command, in which each key
//! stands once. So many callers at once cost the server little, and a key that all of them want costs
//! it one look. What stands in an entry is not known here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
    /// Something that is no entry and cannot be one. (Of a name that holds no string, `MGET` says that
    /// nothing is there, and `GET` that it is of the wrong kind: either way the call computes.)
    Other,
}

impl Looked {
    fn len(&self) -> usize {
        match self {
            Self::Entry(bytes) => bytes.len(),
            Self::Nothing | Self::Other => 0,
        }
    }
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

/// At most so many keys in one command: a server does nothing else meanwhile.
const MOST: usize = 64;
/// So many to begin with, until it is known how large entries are.
const FIRST: usize = 8;
/// So many bytes are one answer's share: nobody is answered before its last one is here.
const SHARE: usize = 1 << 20;

/// How many keys go into one command. Known to all connections of a link, and from one to the next: if
/// a connection ends under a command, it may be the answer that was too large.
#[derive(Debug)]
pub(super) struct Together {
    now: AtomicUsize,
    most: usize,
}

impl Together {
    /// No more than this ever, and no more than the server is asked for at once.
    pub(super) fn new(most: usize) -> Self {
        let most = most.clamp(1, MOST);
        Self {
            now: AtomicUsize::new(most.min(FIRST)),
            most,
        }
    }

    fn now(&self) -> usize {
        self.now.load(Ordering::Relaxed)
    }

    /// An answer has come, so large, to so many.
    fn came(&self, keys: usize, bytes: usize) {
        let now = self.now();
        let next = if bytes > SHARE {
            now.min(keys.saturating_mul(SHARE) / bytes).max(1)
        } else if keys >= now {
            (now * 2).min(self.most)
        } else {
            now
        };
        self.now.store(next, Ordering::Relaxed);
    }

    /// The connection has ended under so many.
    fn broke(&self, keys: usize) {
        let next = self.now().min(keys / 2).max(1);
        self.now.store(next, Ordering::Relaxed);
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
    together: Arc<Together>,
    /// Whether the server does not take several keys.
    one_by_one: Arc<AtomicBool>,
    sent: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.reads.close();
    }
}

impl Sending {
    pub(super) fn new(
        reads: Arc<Reads>,
        redis: MultiplexedConnection,
        together: Arc<Together>,
    ) -> Self {
        Self {
            reads,
            redis: Some(redis),
            together,
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
            let most = if alone { 1 } else { self.together.now() };
            for batch in Batch::of(reads, most) {
                let together = Arc::clone(&self.together);
                let sent = batch.send(redis.clone(), together, Arc::clone(&self.one_by_one));
                self.sent.push(Box::pin(sent));
            }
        }
        if !open {
            // Who asked was at the handle, and is gone with it. What is under way would hold the
            // connection for as long as the server is silent.
            self.redis = None;
            self.sent.clear();
        }
        self.hand_out(cx);
    }

    /// Hands out what has been answered, and sends nothing: with the end of a connection, answers may
    /// have come.
    pub(super) fn hand_out(&mut self, cx: &mut Context<'_>) {
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
        let mut all = all.into_iter();
        while all.len() > 0 {
            batches.push(Self(all.by_ref().take(most).collect()));
        }
        batches
    }

    async fn send(
        self,
        mut redis: MultiplexedConnection,
        together: Arc<Together>,
        one_by_one: Arc<AtomicBool>,
    ) {
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
        let refused = match several.query_async(&mut redis).await {
            Ok(Value::Array(answers)) if answers.len() == all.len() => {
                let answers: Vec<Looked> = answers.into_iter().map(Looked::from).collect();
                together.came(all.len(), answers.iter().map(Looked::len).sum());
                for (wanted, answer) in all.into_iter().zip(answers) {
                    wanted.answer(Ok(answer));
                }
                return;
            }
            Ok(_) => true,
            Err(error) => {
                let Some(code) = error.code() else {
                    // Not the server's: the connection has ended, or what came could not be read.
                    together.broke(all.len());
                    for wanted in all {
                        wanted.answer(Err(error.clone()));
                    }
                    return;
                };
                // A server, or what stands before it, may allow a user `GET` and not this.
                matches!(code, "NOPERM" | "CROSSSLOT" | "ERR")
            }
        };
        if refused {
            one_by_one.store(true, Ordering::Relaxed);
        }
        join_all(all.into_iter().map(|one| one_read(one, redis.clone()))).await;
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
