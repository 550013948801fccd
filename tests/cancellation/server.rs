//! The same futures on a real server: what is left there, and the errands that the connection's task
//! runs. All attempts share two caches.

use std::cell::RefCell;

use afresh::{Cache, Consistency, Event};
use afresh_test_support::{Client, PATIENCE, Server};

use crate::stage::Backend;
use crate::{EVERY, NESTED, play, scenes};

/// Faults are counted, and fail the test; here is what they were.
fn tell(event: &Event<'_>) {
    if let Event::Fault { doing, error } = event {
        eprintln!("{doing}: {error}");
    }
}

/// Two caches on a server, of one consistency and `Strict`.
struct OnServer {
    caches: [Cache; 2],
    client: RefCell<Client>,
}

impl OnServer {
    async fn start(server: &Server, consistency: Consistency) -> Self {
        let build = |consistency| {
            let builder = Cache::builder().url(server.url()).prefix("shop");
            // A machine that is slow is no fault.
            let builder = builder.op_timeout(PATIENCE).observer(tell);
            builder.consistency(consistency).build()
        };
        let one = build(consistency).await.expect("a cache");
        let two = build(Consistency::Strict).await.expect("a cache");
        Self {
            caches: [one, two],
            client: RefCell::new(server.client()),
        }
    }
}

/// The keys whose time is not bounded; and those of leases, but failures left for a moment.
const LEFT: &str = "
local left = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local lease = string.match(key, '^shop:afresh:1:l:') and redis.call('GET', key)
  if lease and string.sub(lease, 1, 1) ~= 'F' then
    table.insert(left, key)
  elseif redis.call('PTTL', key) < 0 and not string.match(key, '^{shop}:afresh:1:') then
    table.insert(left, key)
  end
end
local marks = redis.call('HKEYS', '{shop}:afresh:1:marks')
for _, mark in ipairs(marks) do
  if mark ~= '' then
    table.insert(left, 'a mark')
  end
end
return left";

impl Backend for OnServer {
    async fn caches(&self) -> [Cache; 2] {
        self.caches.clone()
    }

    const CLOCKS: usize = 2;
    const TURNS: usize = 1;

    fn check(&self) {
        let left = self.client.borrow_mut().command(&["EVAL", LEFT, "0"]);
        let left = left.expect("an answer").list();
        assert!(left.is_empty(), "left in the server: {left:?}");
    }
}

#[tokio::test]
async fn on_a_server() {
    let server = Server::start();
    let on_server = OnServer::start(&server, Consistency::Bounded).await;
    play(&on_server, &EVERY.concat()).await;
}

/// What is proven before it is believed; of the rest, there is no other way.
#[tokio::test]
async fn on_a_server_and_strict() {
    let server = Server::start();
    let on_server = OnServer::start(&server, Consistency::Strict).await;
    let scenes = [scenes::CALLS, scenes::CONTENDED, scenes::CHANGES];
    play(&on_server, &scenes.concat()).await;
}

/// With [`inside_of_one_another`](crate::inside_of_one_another), one at a time.
#[tokio::test]
async fn inside_of_one_another() {
    let _one = NESTED.lock().await;
    let server = Server::start();
    let on_server = OnServer::start(&server, Consistency::Bounded).await;
    play(&on_server, scenes::NESTED).await;
}
