//! The client that afresh has, by itself: the least that a shared tier costs.

use std::hint::black_box;
use std::sync::Arc;

use afresh_measure::Book;
use redis::aio::MultiplexedConnection;

use super::Shelf;

pub(crate) struct Raw(pub(crate) MultiplexedConnection);

impl Raw {
    pub(crate) async fn new(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        Self(
            client
                .get_multiplexed_async_connection()
                .await
                .expect("a server"),
        )
    }

    pub(crate) async fn fill(&self, keys: i64) {
        let mut connection = self.0.clone();
        for id in 0..keys {
            let bytes = postcard::to_stdvec(&Book::new(id)).expect("plain data");
            let mut set = redis::cmd("SET");
            set.arg(format!("raw:{id}")).arg(bytes).arg("EX").arg(3_600);
            set.exec_async(&mut connection).await.expect("a server");
        }
    }
}

impl Shelf for Raw {
    const SUBJECT: &'static str = "raw GET and decode";

    async fn book(&self, id: i64) {
        let mut get = redis::cmd("GET");
        get.arg(format!("raw:{id}"));
        let bytes: Vec<u8> = get
            .query_async(&mut self.0.clone())
            .await
            .expect("a server");
        let book: Arc<Book> = postcard::from_bytes(&bytes).expect("what was set");
        black_box(book);
    }
}
