//! Types that derive `KeyPart` or have serde's derive: which values share a key, and the names that
//! are frozen. What a derive writes, call by call, is in the golden expansions of the macros.

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use afresh::{Cache, ErrorKind, KeyPart, Outcome, Tier, by_serde, cached, entry, outcome, testing};

/// The key of one value, behind `by:`.
async fn key<T: KeyPart>(value: T) -> String {
    #[cached(ttl = 60, namespace = "by", local)]
    async fn by<T: KeyPart>(value: T) {
        let _ = value;
    }
    let key = entry(by(value)).key().await.expect("a cached call");
    key.as_str()["by:".len()..].to_owned()
}

#[derive(KeyPart, Clone)]
struct Named {
    author: u32,
    r#type: &'static str,
}

#[derive(KeyPart)]
struct Tuple(u32, &'static str);

#[derive(KeyPart)]
struct Unit;

#[derive(KeyPart)]
struct EmptyNamed {}

#[derive(KeyPart)]
struct EmptyTuple();

#[derive(KeyPart)]
enum Choice {
    Unit,
    Newtype(u8),
    Tuple(u8, u8),
    Named { a: u8 },
    EmptyTuple(),
    EmptyNamed {},
    r#Raw,
}

/// Other processes wrote entries under these names and will read them.
#[tokio::test]
async fn names_are_frozen() {
    let named = Named {
        author: 7,
        r#type: "Dune",
    };
    let frozen = [
        (key(named).await, "7:Dune~14c7c954cb62b36840e8cd819f67b0db"),
        (
            key(Tuple(7, "Dune")).await,
            "7:Dune~c35e22a17f9d2d5906d7c93f04313bc7",
        ),
        (key(Unit).await, "~64d28aa583493b2d986ced6dac936d74"),
        (
            key(EmptyNamed {}).await,
            "~4796e3fb00920d9819a306fae88c2e2d",
        ),
        (key(EmptyTuple()).await, "~7b5c607d989e7fb1d1cdd5a9e23e9765"),
        (
            key(Choice::Unit).await,
            "Unit~78f7a10648e7f9e6a70d82cf89fbc5ab",
        ),
        (
            key(Choice::Newtype(1)).await,
            "Newtype:1~2169079c83bd6819b1b2cec0d6453f9a",
        ),
        (
            key(Choice::Tuple(1, 2)).await,
            "Tuple:1:2~801d8b481c472f5021c0b6806e760121",
        ),
        (
            key(Choice::Named { a: 1 }).await,
            "Named:1~1659fa2bd7664baf9fdb6ad857804a50",
        ),
        (
            key(Choice::EmptyTuple()).await,
            "EmptyTuple~82ef4decba94be604ebb5068114fa7f8",
        ),
        (
            key(Choice::EmptyNamed {}).await,
            "EmptyNamed~2789f6a9ecddd233ff2476255cd68145",
        ),
        (
            key(Choice::Raw).await,
            "Raw~5955903fccd55a49a186984a9463b887",
        ),
    ];
    for (at, (key, expected)) in frozen.iter().enumerate() {
        assert_eq!(key, expected);
        assert!(frozen[..at].iter().all(|(other, _)| other != key), "{key}");
    }
}

mod renamed {
    #[derive(afresh::KeyPart)]
    pub(super) struct Other {
        pub(super) author: u32,
        pub(super) r#type: &'static str,
    }
    #[derive(afresh::KeyPart)]
    pub(super) struct Moved {
        pub(super) r#type: &'static str,
        pub(super) author: u32,
    }
    #[derive(afresh::KeyPart)]
    pub(super) struct Field {
        pub(super) writer: u32,
        pub(super) r#type: &'static str,
    }
    #[derive(afresh::KeyPart)]
    pub(super) struct More {
        pub(super) author: u32,
        pub(super) r#type: &'static str,
        pub(super) new: Option<u8>,
    }
}

#[tokio::test]
async fn a_struct_is_its_shape() {
    assert_eq!(key(Tuple(7, "a")).await, key((7_u32, "a")).await);
    assert_eq!(key(Unit).await, key(()).await);
    let named = Named {
        author: 7,
        r#type: "a",
    };
    assert_ne!(key(named.clone()).await, key(Tuple(7, "a")).await);
    assert_eq!(key(&named).await, key(Box::new(named.clone())).await);

    let (author, r#type) = (7, "a");
    let own = key(named).await;
    assert_eq!(own, key(renamed::Other { author, r#type }).await);
    let writer = author;
    for other in [
        key(renamed::Moved { r#type, author }).await,
        key(renamed::Field { writer, r#type }).await,
        key(renamed::More {
            author,
            r#type,
            new: None,
        })
        .await,
    ] {
        assert_ne!(own, other);
    }
}

#[tokio::test]
async fn a_variant_is_its_name_wherever_it_stands() {
    mod later {
        #[derive(afresh::KeyPart)]
        pub(super) enum Choice {
            New,
            Tuple(u8, u8),
            Newtype(u8),
            Unit,
        }
    }
    assert_eq!(key(Choice::Unit).await, key(later::Choice::Unit).await);
    let (now, then) = (Choice::Newtype(3), later::Choice::Newtype(3));
    assert_eq!(key(now).await, key(then).await);
    let (now, then) = (Choice::Tuple(3, 4), later::Choice::Tuple(3, 4));
    assert_eq!(key(now).await, key(then).await);
    assert_ne!(key(later::Choice::New).await, key(Choice::Unit).await);
}

struct NoPart;

#[derive(KeyPart)]
struct Fields {
    id: u32,
    #[key(skip)]
    left_out: NoPart,
    #[key(with = String::len)]
    counted: String,
    #[key(with = |it| it.0)]
    closure: (u8, NoPart),
}

#[derive(KeyPart)]
enum Nothing {
    Left(#[key(skip)] NoPart),
    Right(#[key(skip)] NoPart, #[key(skip)] NoPart),
}

#[tokio::test]
async fn fields_are_left_out_or_replaced() {
    let fields = |id, counted: &str, closure| Fields {
        id,
        left_out: NoPart,
        counted: counted.to_owned(),
        closure: (closure, NoPart),
    };
    let NoPart = fields(1, "ab", 3).left_out;
    assert_eq!(key(fields(1, "ab", 3)).await, key(fields(1, "cd", 3)).await);
    assert_ne!(key(fields(1, "ab", 3)).await, key(fields(1, "a", 3)).await);
    assert_ne!(key(fields(1, "ab", 3)).await, key(fields(1, "ab", 4)).await);
    assert_ne!(
        key(Nothing::Left(NoPart)).await,
        key(Nothing::Right(NoPart, NoPart)).await
    );
}

trait Holder {
    type Held;
}

struct Ids;

impl Holder for Ids {
    type Held = u64;
}

/// The parameters have no bounds, and `H` is never a `KeyPart`.
#[derive(KeyPart)]
struct Generic<'a, H: Holder, T: ?Sized, const N: usize> {
    held: Vec<H::Held>,
    kind: PhantomData<H>,
    array: [u8; N],
    last: &'a T,
}

#[derive(KeyPart)]
struct Node<T> {
    value: T,
    next: Option<Box<Node<T>>>,
}

#[derive(KeyPart)]
enum Tree<K: Ord, V>
where
    V: Clone,
{
    Leaf(V),
    Inner(BTreeMap<K, Self>),
}

#[derive(KeyPart)]
enum Never {}

#[tokio::test]
async fn parameters_of_all_kinds() {
    let generic = Generic::<Ids, str, 2> {
        held: vec![1],
        kind: PhantomData,
        array: [1, 2],
        last: "x",
    };
    assert!(key(generic).await.starts_with("1:x~"));
    let node = |last| Node {
        value: 1_u8,
        next: Some(Box::new(Node {
            value: last,
            next: None,
        })),
    };
    assert_eq!(key(node(2)).await, key(node(2)).await);
    assert_ne!(key(node(2)).await, key(node(3)).await);
    let tree = Tree::Inner(BTreeMap::from([("a", Tree::Leaf(1_u8))]));
    assert!(key(tree).await.starts_with("Inner:a:Leaf:1~"));
    let never: Option<Never> = None;
    assert_eq!(key(never).await, key(None::<u8>).await);
}

macro_rules! newtypes {
    ($($name:ident<$t:ident>($ty:ty)),*) => {$(
        #[derive(KeyPart)]
        struct $name<$t>($ty);
    )*};
}

newtypes!(Many<T>(Vec<T>), Next<T>(Option<(T, Box<Next<T>>)>));

#[derive(KeyPart)]
struct Last<T: ?Sized> {
    size: u8,
    last: T,
}

#[tokio::test]
async fn a_macro_may_write_them_and_the_last_field_be_unsized() {
    assert_eq!(key(Many(vec![1_u8])).await, key((vec![1_u8],)).await);
    let next = Next(Some((1_u8, Box::new(Next(None)))));
    assert_eq!(key(next).await, key((Some((1_u8, (None::<u8>,))),)).await);
    let unsized_: Box<Last<[u8]>> = Box::new(Last {
        size: 1,
        last: [1, 2],
    });
    let size = unsized_.size;
    assert_eq!(
        key(unsized_).await,
        key(Last {
            size,
            last: vec![1_u8, 2]
        })
        .await
    );
}

mod elsewhere {
    pub(crate) use afresh as renamed;
}

#[tokio::test]
async fn the_facade_may_have_another_name() {
    #[derive(KeyPart)]
    #[key(crate = elsewhere::renamed)]
    struct Moved {
        id: u8,
        #[key(with = |it| it.count_ones())]
        bits: u8,
    }
    assert!(key(Moved { id: 3, bits: 7 }).await.starts_with("3:3~"));
}

#[derive(serde::Serialize)]
struct Search<'a> {
    words: Vec<&'a str>,
    flags: HashMap<&'a str, bool>,
}

#[cached(ttl = 60, key = (id, by_serde(search)), namespace = "searches")]
async fn search(id: u32, search: &Search<'_>) -> usize {
    let _ = id;
    search.words.len()
}

#[derive(KeyPart)]
struct Page<'a> {
    number: u32,
    #[key(with = by_serde)]
    search: Search<'a>,
}

#[tokio::test]
async fn what_is_serializable_is_a_part() {
    let searching = |word| Search {
        words: vec![word],
        flags: HashMap::from([("new", true), ("cheap", false), ("near", true)]),
    };
    testing::with_cache(Cache::in_memory(), async {
        for (word, came) in [
            ("dune", Outcome::Computed),
            ("dune", Outcome::Hit(Tier::Local)),
            ("kafka", Outcome::Computed),
        ] {
            assert_eq!(outcome(search(7, &searching(word))).await, (1, came));
        }
    })
    .await;
    let entry = entry(search(7, &searching("dune"))).key().await;
    assert_eq!(
        entry.expect("a cached call").as_str(),
        "searches:7:dune:new:true:near:true:cheap:false~5010dc284e24a9fdaf4330f7483fbfe4"
    );
    let page = |number, word| Page {
        number,
        search: searching(word),
    };
    assert_eq!(key(page(1, "dune")).await, key(page(1, "dune")).await);
    assert_ne!(key(page(1, "dune")).await, key(page(1, "kafka")).await);
    assert_ne!(key(page(1, "dune")).await, key(page(2, "dune")).await);
}

/// A path that is not text cannot be serialized: no call may find what another has stored, so none
/// stores anything.
#[cfg(unix)]
#[tokio::test]
async fn what_cannot_be_serialized_is_computed_each_time() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::path::Path;

    #[cached(ttl = 60, key = by_serde(path))]
    async fn length(path: &Path) -> usize {
        path.as_os_str().len()
    }
    testing::with_cache(Cache::in_memory(), async {
        for bytes in [&[0xff][..], &[0xff], &[0xff, 0xfe]] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let bypassed = (bytes.len(), Outcome::Bypassed);
            assert_eq!(outcome(length(path)).await, bypassed);
            let put = entry(length(path)).put(3).await;
            assert!(put.is_err_and(|error| error.kind() == ErrorKind::Refused));
        }
        let stats = Cache::global().stats();
        assert_eq!((stats.bypassed, stats.local_entries), (3, 0));
        assert_eq!(outcome(length(Path::new("a"))).await.1, Outcome::Computed);
        let again = outcome(length(Path::new("a"))).await.1;
        assert_eq!(again, Outcome::Hit(Tier::Local));
    })
    .await;
}

#[derive(Clone, Copy, KeyPart)]
#[repr(C, packed)]
struct Header {
    kind: u8,
    id: u32,
}

#[derive(KeyPart)]
#[key(bound = "T: KeyPart")]
struct Topic<T> {
    value: T,
    below: Topics<T>,
}

#[derive(KeyPart)]
#[key(bound = "T: KeyPart")]
struct Topics<T>(Vec<Topic<T>>);

#[tokio::test]
async fn what_is_packed_has_the_key_of_what_is_not() {
    #[derive(KeyPart)]
    struct Loose {
        kind: u8,
        id: u32,
    }
    let packed = key(Header { kind: 1, id: 7 }).await;
    assert_eq!(packed, key(Loose { kind: 1, id: 7 }).await);
    assert_ne!(packed, key(Header { kind: 1, id: 8 }).await);
}

#[tokio::test]
async fn types_that_contain_each_other_are_parts() {
    let topic = |value| Topic {
        value,
        below: Topics(vec![]),
    };
    let topics = |value, below: [u8; 2]| Topic {
        value,
        below: Topics(below.map(topic).into()),
    };
    assert_eq!(key(topics(1, [2, 3])).await, key(topics(1, [2, 3])).await);
    assert_ne!(key(topics(1, [2, 3])).await, key(topics(1, [3, 2])).await);
}
