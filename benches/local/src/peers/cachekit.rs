//! `cachekit`: its macro with the preset for production, whose values are in the process in front
//! of a server. It has no tags.

use afresh_measure::Book;
use afresh_test_support::Server;
use cachekit::prelude::*;

#[cachekit(client = cache, ttl = 3600, interop = "book", namespace = "books")]
async fn book(cache: &CacheKit, id: i64) -> Result<Book, CachekitError> {
    Ok(Book::new(id))
}

pub(crate) struct Setup {
    client: CacheKit,
    /// Its connections live as long as it does.
    _runtime: tokio::runtime::Runtime,
    _server: Server,
}

impl Setup {
    pub(crate) fn new() -> Self {
        let server = Server::start();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let client = runtime.block_on(async {
            let builder = CacheKit::production(&server.plain_url()).await;
            builder
                .and_then(|builder| builder.build())
                .expect("a client")
        });
        Self {
            client,
            _runtime: runtime,
            _server: server,
        }
    }

    pub(crate) async fn book(&self, id: i64) -> Book {
        book(&self.client, id).await.expect("a book")
    }
}
