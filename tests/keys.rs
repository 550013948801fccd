//! Which calls share an entry and which do not, seen from outside: functions, arguments, templates.
//! The encodings themselves are tested where they are made.

use std::future::Future;

use afresh::{Cache, Outcome, Tier, cached, entry, outcome, testing};

/// The outcomes of calls that are made one after the other in a cache of their own.
async fn in_order<F: Future<Output = T>, T>(calls: impl IntoIterator<Item = F>) -> Vec<Outcome> {
    testing::with_cache(Cache::in_memory(), async {
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(outcome(call).await.1);
        }
        outcomes
    })
    .await
}

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

async fn key<F: Future>(call: F) -> String {
    let key = entry(call).key().await.expect("a cached call");
    key.as_str().to_owned()
}

mod one {
    #[afresh::cached(ttl = 60)]
    pub(crate) async fn same(id: u32) -> String {
        let _ = id;
        "one".to_owned()
    }
}

mod two {
    #[afresh::cached(ttl = 60)]
    pub(crate) async fn same(id: u32) -> String {
        let _ = id;
        "two".to_owned()
    }
}

struct Left;
struct Right;

impl Left {
    #[cached(ttl = 60, skip(self))]
    async fn same(&self, id: u32) -> String {
        let _ = id;
        "left".to_owned()
    }
}

impl Right {
    #[cached(ttl = 60, skip(self))]
    async fn same(&self, id: u32) -> String {
        let _ = id;
        "right".to_owned()
    }
}

#[tokio::test]
async fn functions_of_one_name_do_not_share() {
    testing::with_cache(Cache::in_memory(), async {
        for _ in 0..2 {
            assert_eq!(one::same(1).await, "one");
            assert_eq!(two::same(1).await, "two");
            assert_eq!(Left.same(1).await, "left");
            assert_eq!(Right.same(1).await, "right");
        }
        let keys = [
            key(one::same(1)).await,
            key(two::same(1)).await,
            key(Left.same(1)).await,
            key(Right.same(1)).await,
        ];
        for (at, one) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(one), "{one}");
        }
    })
    .await;
}

#[tokio::test]
async fn functions_of_one_path_in_sibling_blocks_do_not_share() {
    testing::with_cache(Cache::in_memory(), async {
        for turn in 0..2 {
            let expected = if turn == 0 { MISS } else { HIT };
            {
                #[cached(ttl = 60)]
                async fn sibling(id: u32) -> u32 {
                    id + 10
                }
                assert_eq!(outcome(sibling(1)).await, (11, expected));
            }
            {
                #[cached(ttl = 60)]
                async fn sibling(id: u32) -> u32 {
                    id + 20
                }
                assert_eq!(outcome(sibling(1)).await, (21, expected));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn instances_of_a_generic_function_do_not_share() {
    #[cached(ttl = 60)]
    async fn size<T: Copy + afresh::KeyPart + Send + Sync + 'static>(of: T) -> usize {
        size_of_val(&of)
    }

    struct Holder<T>(T);
    impl<T: Default + Send + Sync + 'static> Holder<T> {
        #[cached(ttl = 60, skip(self))]
        async fn size(&self) -> usize {
            size_of_val(&self.0)
        }
    }

    testing::with_cache(Cache::in_memory(), async {
        for outcome_ in [MISS, HIT] {
            assert_eq!(outcome(size(1_u32)).await, (4, outcome_));
            assert_eq!(outcome(size(1_u64)).await, (8, outcome_));
            assert_eq!(outcome(Holder(1_u32).size()).await, (4, outcome_));
            assert_eq!(outcome(Holder(1_u64).size()).await, (8, outcome_));
        }
        assert_ne!(key(size(1_u32)).await, key(size(1_u64)).await);
        assert_ne!(
            key(Holder(1_u32).size()).await,
            key(Holder(1_u64).size()).await
        );
    })
    .await;
}

#[tokio::test]
async fn arguments_do_not_run_into_each_other() {
    #[cached(ttl = 60)]
    async fn texts(a: &str, b: &str) {}
    #[cached(ttl = 60)]
    async fn options(a: Option<u32>, b: Option<u32>) {}
    #[cached(ttl = 60)]
    async fn lists(a: &[u64], b: Vec<u64>) {}
    #[cached(ttl = 60)]
    async fn maybe(text: Option<&str>) {}

    let outcomes = in_order([texts("a", "bc"), texts("ab", "c"), texts("a", "bc")]).await;
    assert_eq!(outcomes, [MISS, MISS, HIT]);
    let calls = [
        options(None, Some(1)),
        options(Some(1), None),
        options(None, None),
        options(None, Some(1)),
    ];
    assert_eq!(in_order(calls).await, [MISS, MISS, MISS, HIT]);
    let calls = [
        lists(&[1], vec![2]),
        lists(&[1, 2], vec![]),
        lists(&[], vec![1, 2]),
        lists(&[1], vec![2]),
    ];
    assert_eq!(in_order(calls).await, [MISS, MISS, MISS, HIT]);
    let calls = [maybe(None), maybe(Some("")), maybe(Some("\0")), maybe(None)];
    assert_eq!(in_order(calls).await, [MISS, MISS, MISS, HIT]);
}

#[tokio::test]
async fn references_are_keyed_by_what_they_refer_to() {
    #[cached(ttl = 60)]
    async fn by_reference(a: &String, b: &[u64], c: Option<&mut u32>) -> u32 {
        c.map_or(0, |c| *c)
    }

    let (mut one, mut two) = (1, 1);
    testing::with_cache(Cache::in_memory(), async {
        let (a, also_a) = ("a".to_owned(), "a".to_owned());
        let first = outcome(by_reference(&a, &[1], Some(&mut one))).await;
        let second = outcome(by_reference(&also_a, &[1], Some(&mut two))).await;
        assert_eq!((first.1, second.1), (MISS, HIT));
        two = 2;
        let third = outcome(by_reference(&also_a, &[1], Some(&mut two))).await;
        assert_eq!(third, (2, MISS));
    })
    .await;
}

/// Every text of these parts, in every two places: distinct pairs have distinct keys.
#[tokio::test]
async fn no_value_can_pass_for_a_separator_or_an_escape() {
    #[cached(ttl = 60, key = "{a}:{b}", namespace = "colon")]
    async fn colon(a: &str, b: &str) {}
    #[cached(ttl = 60, key = "x/{a}/y%{b}", namespace = "percent")]
    async fn percent(a: &str, b: &str) {}

    let parts = [
        "", ":", "%", "/", "%3A", "%253A", "a", ":a", "a:", "a:b", "%2", "5", "{", "}", "{a}",
        "y%", "/y%", "é", "\u{0}", " ", "+", "%20",
    ];
    let mut seen = std::collections::HashSet::new();
    for a in parts {
        for b in parts {
            assert!(seen.insert(key(colon(a, b)).await), "colon({a:?}, {b:?})");
            assert!(
                seen.insert(key(percent(a, b)).await),
                "percent({a:?}, {b:?})"
            );
        }
    }
    assert_eq!(key(colon("a:b", "%")).await, "colon:a%3Ab:%25");
}

/// Not to be cloned, compared, printed, hashed or sent over a wire.
struct Connection;

#[tokio::test]
async fn skipped_arguments_do_not_count() {
    #[cached(ttl = 60, skip(db))]
    async fn first(db: &Connection, a: u32, b: u32) {
        let (_, _, _) = (db, a, b);
    }
    #[cached(ttl = 60, skip(db))]
    async fn last(a: u32, b: u32, db: Connection) {
        let (_, _, _) = (db, a, b);
    }
    #[cached(ttl = 60, skip(db, request))]
    async fn several(request: &str, a: u32, db: &Connection, b: u32) {
        let (_, _, _, _) = (db, a, b, request);
    }
    #[cached(ttl = 60, skip(db, request))]
    async fn all(db: &Connection, request: &str) {
        let (_, _) = (db, request);
    }

    let db = &Connection;
    let calls = [first(db, 1, 2), first(&Connection, 1, 2), first(db, 2, 1)];
    assert_eq!(in_order(calls).await, [MISS, HIT, MISS]);
    let calls = [
        last(1, 2, Connection),
        last(1, 2, Connection),
        last(1, 3, Connection),
    ];
    assert_eq!(in_order(calls).await, [MISS, HIT, MISS]);
    let calls = [
        several("r1", 1, db, 2),
        several("r2", 1, db, 2),
        several("r1", 2, db, 2),
        several("r1", 1, db, 3),
    ];
    assert_eq!(in_order(calls).await, [MISS, HIT, MISS, MISS]);
    assert_eq!(in_order([all(db, "r1"), all(db, "r2")]).await, [MISS, HIT]);
}

#[tokio::test]
async fn a_mut_argument_is_keyed_as_it_comes_in() {
    #[cached(ttl = 60, tags = ["n:{n}"])]
    async fn counted(mut n: u32) -> u32 {
        n += 100;
        n
    }

    testing::with_cache(Cache::in_memory(), async {
        assert_eq!(outcome(counted(1)).await, (101, MISS));
        assert_eq!(outcome(counted(1)).await, (101, HIT));
        assert_eq!(outcome(counted(101)).await, (201, MISS));
    })
    .await;
}

#[cached(ttl = 60, key = "{id}", namespace = "shared")]
async fn long(id: u32) -> String {
    format!("long {id}")
}

#[cached(ttl = 60, key = "{id}", namespace = "shared")]
async fn also_long(id: u32) -> String {
    format!("also long {id}")
}

#[cached(ttl = 60, key = "{id}", namespace = "shared")]
async fn short(id: u32) -> u32 {
    id
}

#[cached(ttl = 60, namespace = "shared")]
async fn by_parts(id: u32) -> String {
    format!("by parts {id}")
}

#[cached(ttl = 60, key = "{id}", namespace = "shared", version = 2)]
async fn newer(id: u32) -> String {
    format!("newer {id}")
}

#[tokio::test]
async fn a_namespace_is_shared_on_purpose() {
    testing::with_cache(Cache::in_memory(), async {
        long(1).await;
        assert_eq!(outcome(also_long(1)).await, ("long 1".to_owned(), HIT));
        // Another type, form of key or version is never taken for this one.
        assert_eq!(outcome(short(1)).await, (1, MISS));
        assert_eq!(outcome(by_parts(1)).await, ("by parts 1".to_owned(), MISS));
        assert_eq!(outcome(newer(1)).await, ("newer 1".to_owned(), MISS));
        assert_eq!(outcome(long(1)).await, ("long 1".to_owned(), HIT));
        // One entry of a shared name is one entry: it goes by its key.
        entry(also_long(1)).invalidate().await.expect("in memory");
        assert_eq!(outcome(long(1)).await.1, MISS);
    })
    .await;
}

/// In one namespace, with one type: the text of a template beside the parts of a default key that
/// happen to have the same bytes.
#[tokio::test]
async fn a_text_never_passes_for_encoded_parts() {
    #[cached(ttl = 60, key = "{text}", namespace = "both")]
    async fn by_text(text: &str) -> u32 {
        1
    }
    #[cached(ttl = 60, namespace = "both")]
    async fn by_parts(text: &str) -> u32 {
        2
    }

    testing::with_cache(Cache::in_memory(), async {
        for len in 0x30..0x40 {
            let text = "a".repeat(len);
            let encoded = format!("0{}{text}", char::from(len as u8));
            by_parts(&text).await;
            assert_eq!(by_text(&encoded).await, 1, "{encoded}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_function_without_arguments_has_one_entry() {
    #[cached(ttl = 60)]
    async fn nothing() -> u32 {
        1
    }
    assert_eq!(in_order([nothing(), nothing()]).await, [MISS, HIT]);
}

#[tokio::test]
async fn an_expression_may_be_the_key() {
    #[cached(ttl = 60, key = (a.len(), b.to_lowercase()))]
    async fn expression(a: &str, b: &str) {}

    let calls = [
        expression("aa", "B"),
        expression("bb", "b"),
        expression("a", "b"),
    ];
    assert_eq!(in_order(calls).await, [MISS, HIT, MISS]);
}

/// Other processes wrote entries under these names and will read them: if this fails, the change
/// is wrong, or it needs a new version of the format.
#[tokio::test]
async fn names_are_frozen() {
    #[cached(ttl = 60, key = "book:{id}", namespace = "books", version = 3)]
    async fn template(id: u64) {}
    #[cached(ttl = 60, skip(request), namespace = "pages")]
    async fn parts(request: &str, id: u64, title: &str) {
        let _ = request;
    }
    #[cached(ttl = 60, namespace = "none")]
    async fn none() {}

    assert_eq!(key(template(7)).await, "books@3:book:7");
    assert_eq!(
        key(parts("r", 7, "Dune")).await,
        "pages:7:Dune~8ad5ae38f67ea47ee5033c3808754d74"
    );
    assert_eq!(key(none()).await, "none:~a90ebb01250d70e6e2187bb5532cf43a");
    let by_path = "keys::one::same:1~1894b5408bb61eacfc32e395d9cece1d";
    assert_eq!(key(one::same(1)).await, by_path);
}
