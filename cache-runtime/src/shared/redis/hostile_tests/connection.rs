//! A connection whose other end says anything: the real client on a stream of bytes that come in
//! pieces, bounded as every connection is, with the link's own handler of pushes.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::join;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, PushInfo, RedisError, Value, cmd};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::error::SendError;

use super::super::bounded::Bounded;
use super::super::config::{Config, Settings};
use super::super::endpoint::Endpoint;
use super::super::link::{Common, Link};
use super::super::url::Target;
use super::MOST;
use crate::clock::Clock;
use crate::fuzzing::Source;
use crate::log::View;
use crate::observe::Reporter;

/// The requests that are sent, each for one reply.
const REQUESTS: usize = 8;

/// What is the same for each input: nothing of it remembers what was said.
struct World {
    runtime: Runtime,
    link: Arc<Link>,
    generation: u64,
}

impl World {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().build();
        let settings = Settings {
            op_timeout: Duration::from_secs(1),
            connections: 1,
            longest: 1_000,
            trust_failover: false,
            max_value: MOST,
        };
        let config = Config::new("redis://host", "shop", settings);
        let common = Common {
            config: Arc::new(config.expect("a configuration")),
            view: Arc::new(View::unattached(false)),
            clock: Arc::new(Clock::default()),
            reporter: Arc::new(Reporter::new(None)),
            leases: Arc::default(),
        };
        let link = Link::new(common, Endpoint::Server, |_, _| {});
        Self {
            runtime: runtime.expect("a runtime"),
            generation: link.next_generation(),
            link,
        }
    }
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Takes what is written, and gives what was given to it, piece by piece.
struct Pieces {
    bytes: Vec<u8>,
    at: usize,
    length: usize,
}

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let end = self
            .bytes
            .len()
            .min(self.at + self.length.min(buffer.remaining()));
        buffer.put_slice(&self.bytes[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub(crate) fn run(bytes: &[u8]) {
    WORLD.with_borrow_mut(|world| {
        let world = world.get_or_insert_with(World::new);
        let mut source = Source::new(bytes);
        let length = usize::from(source.byte()) + 1;
        let pieces = Pieces {
            bytes: source.bytes(usize::MAX).to_vec(),
            at: 0,
            length,
        };
        world.runtime.block_on(converse(world, pieces));
    });
}

/// Agrees on the protocol, and asks for as much as there is. It ends, because the bytes do.
async fn converse(world: &World, pieces: Pieces) {
    let (link, generation) = (Arc::clone(&world.link), world.generation);
    let before = link.lanes[0].notes();
    let on_push = move |push: PushInfo| -> Result<(), SendError<PushInfo>> {
        link.on_push(generation, 0, &push);
        Ok(())
    };
    let config = AsyncConnectionConfig::new()
        .set_push_sender(on_push)
        .set_response_timeout(None)
        .set_connection_timeout(None);
    let Target::Server(server) = &world.link.config.target else {
        return;
    };
    let length = pieces.bytes.len() as u64;
    let stream = Bounded::new(pieces, MOST);
    let settings = server.redis_settings();
    let agreed = MultiplexedConnection::new_with_config(settings, stream, config).await;
    if let Ok((connection, work)) = agreed {
        let ask = async move {
            let mut connection = connection;
            for _ in 0..REQUESTS {
                let answer: Result<Value, RedisError> =
                    cmd("GET").arg("key").query_async(&mut connection).await;
                if answer.is_err_and(|error| error.is_unrecoverable_error()) {
                    break;
                }
            }
        };
        // With the last handle, the work ends.
        join(work, ask).await;
    }
    // A note is at least a key in a push.
    let noted = world.link.lanes[0].notes() - before;
    assert!(noted <= length / 8, "{noted} notes in {length} bytes");
}
