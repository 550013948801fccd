//! One connection to a server, and what is asked on it: each request ends with its answer, or with
//! the connection, or when it has taken as long as the caller lets it.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult};
use tokio::sync::watch;

use super::reads::{Looked, Reads, Sending, Together};
use crate::shared::Slot;
use crate::timer;

/// Most answers have come by then. To watch the connection's task from the start would cost each
/// request a lock.
const SOON: Duration = Duration::from_millis(20);

/// A handle on a connection, which ends after it: when what was asked has been written.
pub(super) struct Wire {
    redis: MultiplexedConnection,
    reads: Arc<Reads>,
    /// Its other half is held by the task that reads the answers.
    reader: watch::Receiver<()>,
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.reads.close();
    }
}

impl Wire {
    /// Has a task of this runtime's write what is asked on a connection and read what is answered.
    /// Look-ups are sent together.
    pub(super) fn new(
        redis: MultiplexedConnection,
        work: impl Future<Output = ()> + Send + 'static,
        together: &Arc<Together>,
    ) -> Self {
        let (reads_answers, reader) = watch::channel(());
        let reads = Reads::new();
        let together = Arc::clone(together);
        let sending = Sending::new(Arc::clone(&reads), redis.clone(), together);
        tokio::spawn(async move {
            // Let go last, when nobody takes a request any more; also with the runtime.
            let _reads_answers = reads_answers;
            let mut sending = sending;
            let mut work = pin!(work);
            let mut has_let_others = false;
            poll_fn(|cx| {
                // Where there are several at once, behind all that is ready to run: who has something
                // to ask is asked first, and what they ask goes out together. A runtime runs at once
                // what another task has just woken, and without this each look-up would be a write
                // of its own. Who is alone is not kept waiting, nor is another worker woken for it.
                has_let_others = !has_let_others && sending.has_several();
                if has_let_others {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                sending.poll(cx);
                if work.as_mut().poll(cx).is_ready() {
                    // With the end, the last answers may have come.
                    sending.hand_out(cx);
                    return Poll::Ready(());
                }
                // What has been answered just now.
                sending.poll(cx);
                Poll::Pending
            })
            .await;
        });
        Self {
            redis,
            reads,
            reader,
        }
    }

    /// Looks an entry up, after this was first polled. `None` where no answer has come within the
    /// limit.
    pub(super) async fn read(
        &self,
        limit: Duration,
        slot: &Arc<Slot>,
    ) -> Option<RedisResult<Looked>> {
        let Some(answer) = self.reads.ask(slot) else {
            return Some(Err(closed()));
        };
        let answer = timer::timeout(limit, answer).await?;
        Some(answer.unwrap_or_else(|_| Err(closed())))
    }

    /// `None` where no answer has come within the limit.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        limit: Duration,
        command: &Cmd,
    ) -> Option<RedisResult<T>> {
        let mut redis = self.redis.clone();
        self.within(limit, command.query_async(&mut redis)).await
    }

    /// Sends several commands in one go, and waits for all their answers.
    pub(super) async fn ask_all<T: FromRedisValue>(
        &self,
        limit: Duration,
        commands: &Pipeline,
    ) -> Option<RedisResult<T>> {
        let mut redis = self.redis.clone();
        self.within(limit, commands.query_async(&mut redis)).await
    }

    /// A request that is handed to the connection's task at the very moment at which that ends stays
    /// in the channel between the two: nobody answers it, and nobody lets it go while someone waits.
    /// So who has waited for long looks at the task as well; nearly all have their answer before.
    async fn within<T>(
        &self,
        limit: Duration,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> Option<RedisResult<T>> {
        let mut answer = pin!(answer);
        let soon = limit.min(SOON);
        match timer::timeout(soon, answer.as_mut()).await {
            // In a box: nearly all requests have no need of the room.
            None => {
                let answer = self.unless_closed(answer);
                Box::pin(timer::timeout(limit.saturating_sub(soon), answer)).await
            }
            soon => soon,
        }
    }

    async fn unless_closed<T>(
        &self,
        answer: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<T> {
        let mut reader = self.reader.clone();
        match select(pin!(answer), pin!(reader.changed())).await {
            Either::Left((answer, _)) => answer,
            // It may have come just before the end.
            Either::Right((_, answer)) => answer.now_or_never().unwrap_or_else(|| Err(closed())),
        }
    }
}

fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

#[cfg(test)]
mod tests {
    use redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
    use tokio::net::UnixStream;
    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;

    /// Longer than anything here lasts that does not hang.
    const HANGS: Duration = Duration::from_secs(10);

    fn runtime() -> Runtime {
        let mut builder = Builder::new_current_thread();
        builder.enable_all().build().expect("a runtime")
    }

    /// A connection whose requests nobody takes, nor lets go: as what comes at the moment at which
    /// its task ends. With what ends it, and the server's end.
    async fn connection() -> (Wire, oneshot::Sender<()>, UnixStream) {
        let (client, server) = UnixStream::pair().expect("two sockets");
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let agreed = MultiplexedConnection::new_with_config(&info, client, config).await;
        let (redis, takes) = agreed.expect("nothing to agree on");
        std::mem::forget(takes);
        let (ends, ended) = oneshot::channel();
        let work = async {
            // Told to end, or given up.
            let _ = ended.await;
        };
        (
            Wire::new(redis, work, &Arc::new(Together::new(8))),
            ends,
            server,
        )
    }

    fn is_closed(answer: Option<RedisResult<()>>) -> bool {
        answer
            .expect("an end")
            .is_err_and(|error| error.is_unrecoverable_error())
    }

    #[test]
    fn a_request_that_nobody_takes_ends_with_the_connection() {
        runtime().block_on(async {
            let (wire, ends, _server) = connection().await;
            let (get, mut two) = (cmd("GET"), redis::pipe());
            two.cmd("GET").cmd("GET");
            let mut one = pin!(wire.ask::<()>(HANGS, &get));
            let mut both = pin!(wire.ask_all::<()>(HANGS, &two));
            assert!(one.as_mut().now_or_never().is_none());
            assert!(both.as_mut().now_or_never().is_none());
            ends.send(()).unwrap();
            assert!(is_closed(one.await) && is_closed(both.await));
            // Nor does one that comes afterwards wait.
            assert!(is_closed(wire.ask::<()>(HANGS, &get).await));
        });
    }

    #[test]
    fn a_request_ends_with_the_runtime_that_reads_its_answer() {
        let reading = runtime();
        let (wire, _ends, _server) = reading.block_on(connection());
        runtime().block_on(async {
            let get = cmd("GET");
            let mut one = pin!(wire.ask::<()>(HANGS, &get));
            assert!(one.as_mut().now_or_never().is_none());
            reading.shutdown_background();
            assert!(is_closed(one.await));
        });
    }
}
