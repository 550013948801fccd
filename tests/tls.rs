//! Encrypted connections: to a server whose certificate is signed by a root of one's own, with and
//! without a certificate of the client's. Nothing is believed that is not signed.
#![cfg(feature = "tls")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use afresh::{Cache, ErrorKind, Event, Outcome, Tier, cached, outcome};
use afresh_test_support::{Certs, Server, eventually};

#[cached(ttl = 600, key = "{id}", tags = ["books"], singleflight, cache = cache)]
async fn book(cache: &Cache, id: u64) -> u64 {
    id
}

/// The tests' user, by TLS, with these parameters.
fn url(server: &Server, parameters: &[(&str, PathBuf)]) -> String {
    let shown = |(name, path): &(&str, PathBuf)| format!("{name}={}", path.display());
    let parameters: Vec<_> = parameters.iter().map(shown).collect();
    format!("{}?{}", server.tls_url(), parameters.join("&"))
}

async fn connect(url: &str) -> (Cache, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let observer = move |event: &Event<'_>| {
        if let Event::Fault { error, .. } = event {
            tell.lock()
                .expect("no panic in here")
                .push(error.to_string());
        }
    };
    let builder = Cache::builder().url(url).prefix("shop");
    (
        builder.observer(observer).build().await.expect("a cache"),
        told,
    )
}

async fn shares(url: &str) {
    let ((one, told), (two, _)) = (connect(url).await, connect(url).await);
    let computed = outcome(book(&one, 1)).await;
    assert_eq!(computed, (1, Outcome::Computed), "{told:?}");
    assert_eq!(
        outcome(book(&two, 1)).await,
        (1, Outcome::Hit(Tier::Shared)),
        "{told:?}"
    );
    one.invalidate(["books"]).await.expect("acknowledged");
    assert_eq!(one.stats().store_errors, 0, "{told:?}");
}

async fn is_refused(url: &str) {
    let (cache, told) = connect(url).await;
    assert_eq!(outcome(book(&cache, 1)).await, (1, Outcome::Computed));
    cache
        .invalidate(["books"])
        .await
        .expect_err("no server is believed");
    tokio::task::block_in_place(|| {
        eventually("being told", || {
            !told.lock().expect("no panic in here").is_empty()
        });
    });
    let told = told.lock().expect("no panic in here");
    assert!(!told.iter().any(|line| line.contains("s3cret")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_believed_by_its_root() {
    let certs = Certs::make();
    let server = Server::start_tls(&certs);
    shares(&url(&server, &[("cacert", certs.ca())])).await;
    // The system does not know this root.
    is_refused(&server.tls_url()).await;
    let others = Certs::make();
    is_refused(&url(&server, &[("cacert", others.ca())])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_asks_for_a_certificate_gets_one() {
    let certs = Certs::make();
    let server = Server::start_tls_with(&certs, &["--tls-auth-clients", "yes"]);
    let own = [
        ("cacert", certs.ca()),
        ("cert", certs.client_cert()),
        ("key", certs.client_key()),
    ];
    shares(&url(&server, &own)).await;
    is_refused(&url(&server, &own[..1])).await;
    let others = Certs::make();
    let foreign = [
        ("cacert", certs.ca()),
        ("cert", others.client_cert()),
        ("key", others.client_key()),
    ];
    is_refused(&url(&server, &foreign)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_cannot_be_read_fails_at_once() {
    let certs = Certs::make();
    let server = Server::start_tls(&certs);
    let missing = PathBuf::from("/no/such/file");
    for parameters in [
        vec![("cacert", missing)],
        // A key is no certificate.
        vec![("cacert", certs.client_key())],
        vec![
            ("cacert", certs.ca()),
            ("cert", certs.client_key()),
            ("key", certs.client_cert()),
        ],
    ] {
        let error = Cache::connect(&url(&server, &parameters)).await;
        let error = error.expect_err("it cannot be used");
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(error.to_string().contains("names"), "{error}");
    }
}
