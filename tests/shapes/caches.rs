//! Which cache, and which name of the facade: caches of `self` and of statics, two in one function,
//! the facade renamed and handed on.

use std::sync::LazyLock;

use afresh::{Cache, cached, invalidates, outcome};

use crate::{HIT, MISS};

struct Shop {
    cache: Cache,
    other: Option<Cache>,
}

impl Shop {
    fn new() -> Self {
        Self {
            cache: Cache::in_memory(),
            other: Some(Cache::in_memory()),
        }
    }

    #[cached(ttl = 60, skip(self), cache = self.cache, tags = ["x"])]
    async fn own(&self, id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, skip(self), cache = self.cache, tags = ["x"])]
    fn own_sync(&self, id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, skip(self), cache = self.other.as_ref().expect("there is one").clone())]
    fn other_sync(&self, id: u32) -> u32 {
        id
    }

    #[invalidates(tags = ["x"], cache = self.cache)]
    fn change(&self) {}
}

static ONE: LazyLock<Cache> = LazyLock::new(Cache::in_memory);
static TWO: LazyLock<Cache> = LazyLock::new(Cache::in_memory);

/// The same function with one cache or the other, which an argument says.
#[cached(ttl = 60, key = "{id}", cache = if first { &*ONE } else { &*TWO })]
async fn either(first: bool, id: u32) -> u32 {
    id
}

#[cached(ttl = 60, key = "{id}", cache = *ONE)]
async fn first(id: u32) -> u32 {
    second(id).await + second_sync(id)
}

#[cached(ttl = 60, key = "{id}", cache = TWO.clone())]
async fn second(id: u32) -> u32 {
    id
}

#[cached(ttl = 60, key = "{id}", cache = LazyLock::force(&TWO))]
fn second_sync(id: u32) -> u32 {
    id
}

/// The facade as another crate would name it, and as one that hands it on.
mod renamed {
    pub(super) use afresh as fresh;

    pub(super) mod handed_on {
        pub(in super::super) use ::afresh::*;
    }

    #[fresh::cached(ttl = 60, crate = fresh)]
    pub(super) async fn by_name(id: u32) -> u32 {
        id
    }

    #[handed_on::cached(ttl = 60, crate = handed_on, singleflight, tags = ["renamed:{id}"])]
    pub(super) fn by_name_sync(id: u32) -> u32 {
        id
    }

    #[fresh::invalidates(tags = ["renamed:{id}"], entries = [by_name(id)], crate = self::fresh)]
    pub(super) fn change(id: u32) -> u32 {
        id
    }
}

#[tokio::test]
async fn a_cache_of_self() {
    let (one, two) = (Shop::new(), Shop::new());
    for came in [MISS, HIT] {
        assert_eq!(outcome(one.own(1)).await, (1, came));
        assert_eq!(outcome(two.own(1)).await, (1, came));
        assert_eq!(outcome(async { one.own_sync(1) }).await, (1, came));
        assert_eq!(outcome(async { two.own_sync(1) }).await, (1, came));
        assert_eq!(outcome(async { one.other_sync(1) }).await, (1, came));
    }
    one.change();
    assert_eq!(outcome(one.own(1)).await.1, MISS);
    assert_eq!(outcome(async { one.own_sync(1) }).await.1, MISS);
    assert_eq!(outcome(two.own(1)).await.1, HIT);
}

#[tokio::test]
async fn caches_in_statics() {
    for came in [MISS, HIT] {
        assert_eq!(outcome(either(true, 1)).await, (1, came));
        assert_eq!(outcome(either(false, 1)).await, (1, came));
    }
    assert_eq!(first(7).await, 14);
    // The outer value is a hit, and what it is made of stands in the other cache.
    assert_eq!(outcome(first(7)).await, (14, HIT));
    assert_eq!(outcome(second(7)).await, (7, HIT));
    assert_eq!(outcome(async { second_sync(7) }).await, (7, HIT));
}

#[tokio::test]
async fn a_facade_of_another_name() {
    crate::apart!(renamed::by_name(1).await => 1, renamed::by_name(2).await => 2);
    crate::apart!(renamed::by_name_sync(1) => 1, renamed::by_name_sync(2) => 2);
    crate::isolated(async {
        renamed::by_name(1).await;
        renamed::by_name_sync(1);
        renamed::change(1);
        assert_eq!(outcome(renamed::by_name(1)).await.1, MISS);
        assert_eq!(outcome(async { renamed::by_name_sync(1) }).await.1, MISS);
    })
    .await;
}
