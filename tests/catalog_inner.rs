//! Which functions were seen to use which, as the catalog shows it: a process of its own, since what
//! is seen stays.

use afresh::catalog::Catalog;
use afresh::{Cache, cached, catalog, testing};

#[cached(ttl = 60, key = "{id}", tags = ["book:{id}"])]
async fn book(id: i64) -> i64 {
    id
}

#[cached(ttl = 60, key = "{of}")]
async fn page<T: afresh::KeyPart + std::fmt::Display>(of: T) -> i64 {
    book(1).await + book(2).await
}

#[cached(ttl = 60, key = "{id}", inherit = false)]
async fn apart(id: i64) -> i64 {
    book(id).await
}

fn inner(catalog: &Catalog) -> Vec<(&str, &str)> {
    let pairs = catalog.cached().flat_map(|outer| {
        let inner = catalog.inner(outer);
        inner.map(|inner| (outer.name(), inner.name()))
    });
    pairs.collect()
}

#[tokio::test]
async fn an_inner_function_is_seen_once_it_was_used() {
    assert_eq!(inner(&catalog()), [], "nothing has been called");
    testing::with_cache(Cache::in_memory(), async {
        apart(1).await;
        assert_eq!(inner(&catalog()), [], "it declines");
        page(1_u8).await;
        page("two".to_owned()).await;
    })
    .await;
    let catalog = catalog();
    assert_eq!(inner(&catalog), [("page", "book")], "once for both types");
    let picture = catalog.mermaid();
    let dashed: Vec<_> = picture
        .lines()
        .filter(|line| line.contains("-.->"))
        .collect();
    assert_eq!(dashed, ["    c_book -.-> c_page"], "{picture}");
    assert!(catalog.to_string().contains("those of book"), "{catalog}");
}
