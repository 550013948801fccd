//! One connection to a server, and what is asked on it: each request ends with its answer, or with
//! the connection. How long an answer may take is the caller's to say.

use std::io;
use std::pin::pin;

use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Pipeline, RedisError, RedisResult};
use tokio::sync::watch;

/// A handle on a connection. The last one closes it.
#[derive(Clone)]
pub(super) struct Wire {
    redis: MultiplexedConnection,
    /// Its other half is held by the task that reads the answers.
    reader: watch::Receiver<()>,
}

impl Wire {
    /// Has a task of this runtime's write what is asked on a connection and read what is answered.
    pub(super) fn new(
        redis: MultiplexedConnection,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let (reads, reader) = watch::channel(());
        tokio::spawn(async move {
            // Let go last, when nobody takes a request any more; also with the runtime.
            let _reads = reads;
            work.await;
        });
        Self { redis, reader }
    }

    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        let mut redis = self.redis.clone();
        self.unless_closed(command.query_async(&mut redis)).await
    }

    /// Sends several commands in one go, and waits for all their answers.
    pub(super) async fn ask_all<T: FromRedisValue>(&self, commands: &Pipeline) -> RedisResult<T> {
        let mut redis = self.redis.clone();
        self.unless_closed(commands.query_async(&mut redis)).await
    }

    /// A request that is handed to the connection's task at the very moment at which that ends stays
    /// in the channel between the two: nobody answers it, and nobody lets it go while someone waits.
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
    use std::time::Duration;

    use redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
    use tokio::net::UnixStream;
    use tokio::runtime::{Builder, Runtime};
    use tokio::sync::oneshot;

    use super::*;
    use crate::timer;

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
        (Wire::new(redis, work), ends, server)
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
            let mut one = pin!(timer::timeout(HANGS, wire.ask::<()>(&get)));
            let mut both = pin!(timer::timeout(HANGS, wire.ask_all::<()>(&two)));
            assert!(one.as_mut().now_or_never().is_none());
            assert!(both.as_mut().now_or_never().is_none());
            ends.send(()).unwrap();
            assert!(is_closed(one.await) && is_closed(both.await));
            // Nor does one that comes afterwards wait.
            assert!(is_closed(timer::timeout(HANGS, wire.ask::<()>(&get)).await));
        });
    }

    #[test]
    fn a_request_ends_with_the_runtime_that_reads_its_answer() {
        let reading = runtime();
        let (wire, _ends, _server) = reading.block_on(connection());
        runtime().block_on(async {
            let get = cmd("GET");
            let mut one = pin!(timer::timeout(HANGS, wire.ask::<()>(&get)));
            assert!(one.as_mut().now_or_never().is_none());
            reading.shutdown_background();
            assert!(is_closed(one.await));
        });
    }
}
