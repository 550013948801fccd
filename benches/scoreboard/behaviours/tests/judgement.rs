//! That the judgement can be wrong, and right: caches as one writes them in an afternoon. One test:
//! the source is the process's. What needs a server, or many seconds, is judged by the peers.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use afresh_behaviours::{
    Client, Invalidates, Outcome, failing_stampede, invalidate_during_compute, key_collisions,
    leader_cancelled, old_flight, same_name, sequential_hits, source,
};

/// Computes each time.
#[derive(Clone)]
struct Nothing;

impl Client for Nothing {
    async fn read(&self, id: i64) -> Outcome {
        source::read(id).await.map_err(|failed| failed.to_string())
    }
}

impl Invalidates for Nothing {
    async fn invalidate(&self, _: i64) -> Result<(), String> {
        Ok(())
    }
}

/// A map: no flights, and what is computed is stored, whatever has happened meanwhile.
#[derive(Clone, Default)]
struct Map(Arc<Mutex<HashMap<String, String>>>);

impl Map {
    fn get(&self, key: &str) -> Option<String> {
        let map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.get(key).cloned()
    }

    fn set(&self, key: &str, value: &str) -> String {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.insert(key.to_owned(), value.to_owned());
        value.to_owned()
    }

    fn get_or(&self, key: &str, value: &str) -> String {
        self.get(key).unwrap_or_else(|| self.set(key, value))
    }
}

impl Client for Map {
    async fn read(&self, id: i64) -> Outcome {
        let key = id.to_string();
        let value = match self.get(&key) {
            Some(value) => value,
            None => self.set(&key, &Nothing.read(id).await?.to_string()),
        };
        value.parse().map_err(|_| "no number".to_owned())
    }
}

impl Invalidates for Map {
    async fn invalidate(&self, id: i64) -> Result<(), String> {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        map.remove(&id.to_string());
        Ok(())
    }
}

/// The first computes; all others wait for it, and for nobody else.
#[derive(Clone)]
struct Forsaken(Arc<tokio::sync::watch::Sender<bool>>);

impl Client for Forsaken {
    async fn read(&self, id: i64) -> Outcome {
        if self.0.send_replace(true) {
            std::future::pending().await
        } else {
            Nothing.read(id).await
        }
    }
}

/// Never removes anything.
#[derive(Clone, Default)]
struct Deaf(Map);

impl Client for Deaf {
    async fn read(&self, id: i64) -> Outcome {
        self.0.read(id).await
    }
}

impl Invalidates for Deaf {
    async fn invalidate(&self, _: i64) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_cache_of_an_afternoon_is_found_out() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let map = Map::default();
        assert!(sequential_hits(std::slice::from_ref(&map)).await.right);
        assert!(!sequential_hits(&[Nothing]).await.right);
        assert!(!sequential_hits(&[map.clone(), Map::default()]).await.right);

        let by_name = async |value: &str| Ok(map.get_or("get", value).parse().expect("a number"));
        assert!(
            !same_name(async || by_name("1").await, async || by_name("2").await)
                .await
                .right
        );
        assert!(same_name(async || Ok(1), async || Ok(2)).await.right);

        for sign in ["", ":", "/", "::"] {
            let map = Map::default();
            let pair = async |a: String, b: String| {
                Ok(map.get_or(&format!("{a}{sign}{b}"), &source::join(&a, &b)))
            };
            let judged = key_collisions(pair).await;
            assert!(!judged.right, "{sign}: {judged:?}");
        }
        let pair = async |a: String, b: String| {
            Ok(map.get_or(&format!("{a:?}{b:?}"), &source::join(&a, &b)))
        };
        assert!(key_collisions(pair).await.right);

        assert!(!leader_cancelled(&[Forsaken(Arc::default())]).await.right);
        assert!(leader_cancelled(std::slice::from_ref(&map)).await.right);

        assert!(!invalidate_during_compute(&map).await.right);
        assert!(!old_flight(&Deaf::default()).await.right);
        assert!(old_flight(&map).await.right, "it has no flights to join");

        assert!(!failing_stampede(&[Nothing]).await.right);
    });
}
