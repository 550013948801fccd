//! Names: raw identifiers, and one name in several places.

use afresh::{cached, invalidates};

use crate::apart;

pub(crate) mod r#mod {
    use afresh::cached;

    #[cached(ttl = 60)]
    pub(crate) async fn r#fn(r#type: u32) -> u32 {
        r#type
    }

    #[cached(ttl = 60, key = "{type}:{r#struct.r#match}")]
    pub(in crate::names) fn r#let(r#type: u32, r#struct: &Raw) -> u32 {
        r#type * 10 + r#struct.r#match
    }

    pub(crate) struct Raw {
        pub(crate) r#match: u32,
    }

    impl Raw {
        #[cached(ttl = 60, key = "{self.match}")]
        pub(crate) async fn r#impl(&self) -> u32 {
            self.r#match
        }
    }
}

#[invalidates(tags = ["{type}"], result_tags = |r#fn| ["fn:{fn}"])]
fn r#use(r#type: u32) -> u32 {
    r#type
}

#[cached(ttl = 60, tags = ["{type}"])]
fn r#dyn(r#type: u32) -> u32 {
    r#type
}

#[cached(ttl = 60, skip(r#type))]
async fn skipped(r#type: u32, id: u32) -> u32 {
    r#type + id
}

mod one {
    #[afresh::cached(ttl = 60)]
    pub(super) async fn named(id: u32) -> u32 {
        id + 10
    }

    #[afresh::cached(ttl = 60)]
    pub(super) fn named_sync(id: u32) -> u32 {
        id + 10
    }
}

mod two {
    #[afresh::cached(ttl = 60)]
    pub(super) async fn named(id: u32) -> u32 {
        id + 20
    }

    #[afresh::cached(ttl = 60)]
    pub(super) fn named_sync(id: u32) -> u32 {
        id + 20
    }
}

/// Functions inside functions, of one name, in blocks beside each other.
async fn blocks() -> [u32; 4] {
    let one = {
        #[cached(ttl = 60)]
        async fn inner(id: u32) -> u32 {
            id + 1
        }
        inner(0).await
    };
    let two = {
        #[cached(ttl = 60)]
        async fn inner(id: u32) -> u32 {
            id + 2
        }
        inner(0).await
    };
    let three = {
        #[cached(ttl = 60)]
        fn inner(id: u32) -> u32 {
            id + 3
        }
        inner(0)
    };
    let four = {
        #[cached(ttl = 60)]
        fn inner(id: u32) -> u32 {
            id + 4
        }
        inner(0)
    };
    [one, two, three, four]
}

/// The same tokens in both blocks: what differs is what they see.
fn seen() -> [u32; 2] {
    let one = {
        const SEEN: u32 = 1;
        #[cached(ttl = 60)]
        fn inner() -> u32 {
            SEEN
        }
        inner()
    };
    let two = {
        const SEEN: u32 = 2;
        #[cached(ttl = 60)]
        fn inner() -> u32 {
            SEEN
        }
        inner()
    };
    [one, two]
}

/// A cached function in the body of a cached function, under its own name.
#[cached(ttl = 60)]
async fn outer(id: u32) -> u32 {
    #[cached(ttl = 60)]
    fn outer(id: u32) -> u32 {
        #[cached(ttl = 60)]
        fn outer(id: u32) -> u32 {
            id + 1
        }
        outer(id) * 10
    }
    outer(id) * 10
}

/// In a closure, and in an implementation inside a function.
async fn hidden() -> [u32; 3] {
    struct Local(u32);
    impl Local {
        #[cached(ttl = 60, key = "{self.0}")]
        async fn get(&self) -> u32 {
            self.0
        }
    }
    let closure = |id| {
        #[cached(ttl = 60)]
        fn get(id: u32) -> u32 {
            id
        }
        get(id)
    };
    let future = async {
        #[cached(ttl = 60)]
        async fn get(id: u32) -> u32 {
            id + 1
        }
        get(3).await
    };
    [Local(1).get().await, closure(2), future.await]
}

#[tokio::test]
async fn raw_identifiers() {
    let raw = |id| r#mod::Raw { r#match: id };
    apart!(r#mod::r#fn(1).await => 1, r#mod::r#fn(2).await => 2);
    apart!(r#mod::r#let(1, &raw(2)) => 12, r#mod::r#let(1, &raw(3)) => 13);
    apart!(raw(1).r#impl().await => 1, raw(2).r#impl().await => 2);
    apart!(skipped(1, 2).await => 3, skipped(1, 3).await => 4);
    crate::isolated(async {
        for id in [1, 2] {
            r#dyn(id);
        }
        r#use(1);
        assert_eq!(afresh::outcome(async { r#dyn(1) }).await.1, crate::MISS);
        assert_eq!(afresh::outcome(async { r#dyn(2) }).await.1, crate::HIT);
    })
    .await;
    let key = afresh::entry(r#mod::r#fn(1)).key().await.expect("cached");
    assert!(key.namespace().ends_with("::fn"), "{key:?}");
}

#[tokio::test]
async fn one_name_in_two_modules() {
    apart!(one::named(1).await => 11, two::named(1).await => 21);
    apart!(one::named_sync(1) => 11, two::named_sync(1) => 21);
}

#[tokio::test]
async fn one_name_in_two_blocks() {
    crate::isolated(async {
        for _ in 0..2 {
            assert_eq!(blocks().await, [1, 2, 3, 4]);
            assert_eq!(seen(), [1, 2]);
            assert_eq!(hidden().await, [1, 2, 4]);
        }
        assert_eq!(afresh::outcome(hidden()).await.1, crate::HIT);
    })
    .await;
}

#[tokio::test]
async fn functions_inside_functions() {
    apart!(outer(1).await => 200, outer(2).await => 300);
}
