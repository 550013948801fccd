//! Functions that call themselves, and each other: every step is cached.

use std::pin::Pin;

use afresh::{Cache, cached, testing};

#[cached(ttl = 60)]
async fn boxed(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    Box::pin(boxed(n - 1)).await + Box::pin(boxed(n - 2)).await
}

#[cached(ttl = 60, singleflight)]
async fn boxed_flight(n: u32) -> u64 {
    match n {
        0 | 1 => n.into(),
        _ => Box::pin(boxed_flight(n - 1)).await + Box::pin(boxed_flight(n - 2)).await,
    }
}

/// No box of the body's own: what is awaited is already one behind a pointer.
#[cached(ttl = 60)]
async fn through_a_boxed_future(n: u32) -> u64 {
    fn next(n: u32) -> Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(through_a_boxed_future(n))
    }
    if n < 2 {
        return n.into();
    }
    next(n - 1).await + next(n - 2).await
}

#[cached(ttl = 60)]
fn plain(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    plain(n - 1) + plain(n - 2)
}

#[cached(ttl = 60, singleflight, tags = ["fib:{n}"], result_tags = |value| ["value:{value}"])]
fn plain_flight(n: u32) -> u64 {
    match n {
        0 | 1 => n.into(),
        _ => plain_flight(n - 1) + plain_flight(n - 2),
    }
}

#[cached(ttl = 60)]
async fn is_even(n: u32) -> bool {
    match n {
        0 => true,
        _ => Box::pin(is_odd(n - 1)).await,
    }
}

#[cached(ttl = 60)]
async fn is_odd(n: u32) -> bool {
    match n {
        0 => false,
        _ => is_even(n - 1).await,
    }
}

#[cached(ttl = 60)]
fn is_even_sync(n: u32) -> bool {
    n == 0 || is_odd_sync(n - 1)
}

#[cached(ttl = 60)]
fn is_odd_sync(n: u32) -> bool {
    n != 0 && is_even_sync(n - 1)
}

struct Tree(Vec<Self>);

impl Tree {
    #[cached(ttl = 60, key = (at, self.0.len()))]
    async fn depth(&self, at: &str) -> usize {
        let mut depth = 0;
        for (i, branch) in self.0.iter().enumerate() {
            depth = depth.max(Box::pin(branch.depth(&format!("{at}/{i}"))).await);
        }
        depth + 1
    }

    #[cached(ttl = 60, key = (at, self.0.len()))]
    fn depth_sync(&self, at: &str) -> usize {
        let branches = self.0.iter().enumerate();
        let depths = branches.map(|(i, branch)| branch.depth_sync(&format!("{at}/{i}")));
        depths.max().unwrap_or(0) + 1
    }
}

/// Asserts what a call comes to, and how many bodies ran for it.
async fn computes<T: PartialEq + std::fmt::Debug>(
    call: impl Future<Output = T>,
    expected: T,
    bodies: u64,
) {
    let cache = Cache::in_memory();
    testing::with_cache(cache.clone(), async {
        assert_eq!(call.await, expected);
    })
    .await;
    assert_eq!(cache.stats().computed, bodies);
}

#[tokio::test]
async fn fibonacci() {
    computes(boxed(80), 23_416_728_348_467_685, 81).await;
    computes(boxed_flight(80), 23_416_728_348_467_685, 81).await;
    computes(through_a_boxed_future(80), 23_416_728_348_467_685, 81).await;
    computes(async { plain(80) }, 23_416_728_348_467_685, 81).await;
    computes(async { plain_flight(80) }, 23_416_728_348_467_685, 81).await;
}

#[tokio::test]
async fn in_turns() {
    computes(is_even(30), true, 31).await;
    computes(is_odd(30), false, 31).await;
    computes(async { is_even_sync(30) }, true, 31).await;
    computes(async { is_odd_sync(30) }, false, 31).await;
}

#[tokio::test]
async fn methods() {
    let leaf = || Tree(Vec::new());
    let tree = Tree(vec![leaf(), Tree(vec![leaf(), Tree(vec![leaf()])])]);
    computes(tree.depth(""), 4, 6).await;
    computes(async { tree.depth_sync("") }, 4, 6).await;
}
