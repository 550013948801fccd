//! Both attributes on every shape of function, under the strictest lints: what they generate is
//! silent. That it compiles is most of the test.

#![deny(
    warnings,
    missing_docs,
    clippy::all,
    clippy::pedantic,
    unused_qualifications
)]
#![deny(
    unused,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    unreachable_pub
)]
#![deny(
    single_use_lifetimes,
    unused_lifetimes,
    trivial_casts,
    trivial_numeric_casts
)]
#![deny(
    clippy::items_after_statements,
    clippy::shadow_unrelated,
    clippy::shadow_reuse
)]
#![deny(clippy::allow_attributes, clippy::allow_attributes_without_reason)]
#![deny(clippy::let_underscore_untyped, clippy::shadow_same)]
#![forbid(unsafe_code, unused_variables)]

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afresh::{Background, Cache, KeyPart, Policy, cached, invalidates};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Book {
    id: i64,
    title: String,
}

#[derive(Clone, Debug, PartialEq)]
struct DbError;

impl From<afresh::Error> for DbError {
    fn from(_: afresh::Error) -> Self {
        Self
    }
}

type Answer<T> = Result<T, DbError>;

struct Db;

impl Db {
    async fn load(&self, id: i64) -> Answer<Book> {
        std::future::ready(Ok(Book {
            id,
            title: format!("book {id}"),
        }))
        .await
    }
}

const TTL: Duration = Duration::from_secs(90);

#[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(db: &Db, id: i64) -> Answer<Book> {
    let book = db.load(id).await?;
    if book.id < 0 {
        return Err(DbError);
    }
    Ok(book)
}

#[invalidates(tags = ["books", "book:{id}"], entries = [book(db, id)], namespaces = ["lists"])]
async fn rename(db: &Db, id: i64, title: &str) -> Answer<()> {
    let mut book = db.load(id).await?;
    book.title.push_str(title);
    Ok(())
}

#[cached]
async fn no_options(a: u32, b: &str) -> usize {
    a as usize + b.len()
}

#[cached(
    ttl = "1h30m",
    key = (id, page),
    tags = [format!("user:{id}"), "pages".to_owned()],
    namespace = "pages",
    version = 3,
    singleflight(lease = "5s", wait = "1m"),
    store_if = |value| !value.is_empty() && *id > 0,
    result_tags = |value| ["pages:{id}", value.len().to_string()],
    cache = cache,
    crate = ::afresh,
)]
async fn every_option(cache: &Cache, id: &u32, page: u32) -> Vec<u32> {
    vec![*id, page]
}

#[cached(ttl = TTL, local, skip(db), store_if = Option::is_some)]
async fn in_this_process(db: Arc<Db>, id: i64) -> Option<Arc<Book>> {
    db.load(id).await.ok().map(Arc::new)
}

#[cached(ttl = TTL * 2, tags = names.iter())]
async fn tags_of_an_iterator(names: Vec<String>) -> Vec<String> {
    names
}

#[cached(ttl = TTL, result_tags = |value| value.iter())]
async fn tags_of_the_value(names: Vec<String>) -> Vec<String> {
    names
}

#[invalidates(tags = ["pairs"], result_tags = |(a, _)| ["a:{a}", "by:{by}"], crash_safe(required))]
async fn tags_of_a_pair(by: &str) -> Answer<(u32, u32)> {
    if by.is_empty() {
        return Err(DbError);
    }
    Ok((1, 2))
}

#[cached(key = ())]
async fn unit() {}

const STEADY: Policy = Policy::new().stale_if_error(TTL);
const SWIFT: Policy<Background> = STEADY.stale_for(TTL);

#[cached(ttl = TTL, skip(db, tags, _unused), policy = STEADY)]
async fn steady(db: &Db, mut name: &str, tags: Option<&str>, _unused: &Db, id: u32) -> String {
    name = name.trim();
    db.load(1)
        .await
        .map_or_else(|_| String::new(), |_| format!("{name}{tags:?}"))
}

#[cached(ttl = TTL, key = "{id}:{also_key}", policy = SWIFT)]
async fn swift(
    names: &[String],
    mut name: &str,
    (a, mut b): (u32, u32),
    #[cfg(any())] absent: &Db,
    #[cfg(not(any()))] present: &u32,
    r#type: &str,
    id: &u32,
    also_key: &u32,
) -> String {
    b += a;
    name = name.trim();
    std::future::ready(format!("{names:?}{name}{b}{present}{type}")).await
}

#[cached(
    key = "{least}",
    policy = SWIFT,
    store_if = |value| value.len() > *least,
    ttl = |value| if value.is_empty() { TTL } else { TTL * 2 },
    result_tags = |value| ["{value}:{least}"],
)]
async fn swift_judged(name: &str, least: &usize) -> Answer<String> {
    Ok(name.to_owned())
}

#[cached(ttl = |value| Duration::from_secs(value.len() as u64), key = ())]
fn ttl_of_the_value() -> String {
    String::from("abc")
}

#[cached(ttl = TTL, policy = STEADY)]
fn steady_sync(name: &str) -> String {
    name.to_owned()
}

#[derive(Clone)]
struct Kiosk {
    name: String,
    policy: Policy<Background>,
}

impl Kiosk {
    #[cached(ttl = TTL, key = "{self.name}:{id}", policy = self.policy)]
    async fn window(&self, id: u32) -> String {
        std::future::ready(format!("{}{id}", self.name)).await
    }

    #[cached(ttl = |_| self.ttl(), key = "{self.name}", policy = SWIFT)]
    async fn only_asked(&self) -> u32 {
        1
    }

    fn ttl(&self) -> Duration {
        TTL * u32::from(self.name.is_empty())
    }
}

#[async_trait::async_trait]
trait Swift {
    async fn boxed(&self, id: u32, name: &str, _unused: &Db) -> String;
}

#[async_trait::async_trait]
impl Swift for Kiosk {
    #[cached(ttl = TTL, key = "{self.name}:{id}", policy = SWIFT)]
    async fn boxed(&self, mut id: u32, name: &str, _unused: &Db) -> String {
        id += 1;
        std::future::ready(format!("{}{name}{id}", self.name)).await
    }
}

#[tokio::test]
async fn policies_are_silent() {
    let shop = Kiosk {
        name: String::from("a"),
        policy: SWIFT,
    };
    assert_eq!(shop.window(1).await, "a1");
    assert_eq!(shop.only_asked().await, 1);
    assert_eq!(shop.boxed(1, "b", &Db).await, "ab2");
    assert_eq!(steady(&Db, " c ", None, &Db, 1).await, "cNone");
    assert_eq!(swift(&[], " d ", (1, 2), &3, "e", &4, &5).await, "[]d33e");
    assert_eq!(swift_judged("f", &0).await, Ok(String::from("f")));
    assert_eq!(
        (ttl_of_the_value(), steady_sync("g")),
        (String::from("abc"), String::from("g"))
    );
}

/// Documented, public, and with every ordinary attribute.
///
/// # Errors
///
/// It makes none.
#[cfg(not(any()))]
#[inline]
#[must_use]
#[cached(ttl = 60)]
#[doc(hidden)]
pub async fn attributed(id: u8) -> Option<u8> {
    #![expect(clippy::needless_borrow, reason = "an attribute inside the body")]
    Some((&id).saturating_add(0))
}

#[cached(ttl = 60)]
async fn patterns((a, mut b): (u32, u32), Point { x, .. }: Point, [c, _]: [u32; 2]) -> u32 {
    b += 1;
    a + b + x + c
}

#[derive(Clone, Copy)]
struct Point {
    x: u32,
    #[expect(dead_code, reason = "left out by a pattern")]
    y: u32,
}

#[cached(ttl = 60, key = "{r#type}:{impl}")]
async fn raw(r#type: u32, r#impl: &'static str) -> String {
    format!("{}{}", r#type, r#impl)
}

#[cached(ttl = 60, key = "{id}")]
async fn r#match(id: u32) -> u32 {
    id
}

#[cached(ttl = 60)]
async fn mutable(
    mut counter: u32,
    #[cfg(any())] absent: u32,
    #[cfg(not(any()))] present: u32,
) -> u32 {
    counter += present;
    counter
}

#[cached(ttl = 60, key = "{name}", namespace = "impl")]
async fn of_impl(name: impl Display + Send + Sync) -> String {
    name.to_string()
}

#[cached(ttl = 60, skip(value), tags = ["generic:{key}"])]
async fn generic<'a, K, V, const N: usize>(key: K, value: &'a [V; N]) -> Vec<V>
where
    K: KeyPart + Display,
    V: Clone + Send + Sync + Serialize + DeserializeOwned + 'static,
    [V; N]: 'a,
{
    value.to_vec()
}

#[cached(ttl = 60, key = "{name}")]
async fn borrowed_error<'a>(name: &'a str) -> Result<String, Cow<'a, str>> {
    if name.is_empty() {
        Err(Cow::Borrowed(name))
    } else {
        Ok(name.to_owned())
    }
}

#[cached(ttl = 60, key = "{name}")]
async fn elided_error(name: &str) -> Result<String, &str> {
    if name.is_empty() {
        Err(name)
    } else {
        Ok(name.to_owned())
    }
}

#[cached(ttl = 60)]
async fn items_in_the_body(id: u32) -> u32 {
    use std::cmp::max;
    const ONE: u32 = 1;
    fn twice(x: u32) -> u32 {
        x * 2
    }
    max(twice(id), ONE)
}

#[cached(ttl = 60)]
async fn diverges(id: u32) -> u32 {
    panic!("{id}")
}

#[invalidates(tags = ["diverges"])]
async fn never_ends() {
    loop {
        tokio::task::yield_now().await;
    }
}

#[cached(ttl = 60)]
async fn returns_early(id: u32) -> Result<u32, String> {
    if id > 2 {
        return Ok(id);
    }
    match id {
        0 => Err("none".into()),
        other => return Ok(other),
    }
}

#[cached(ttl = 60)]
async fn recursive(n: u32) -> u64 {
    if n < 2 {
        return u64::from(n);
    }
    Box::pin(recursive(n - 1)).await + Box::pin(recursive(n - 2)).await
}

#[tracing::instrument(skip(db))]
#[cached(ttl = 60, key = "{id}")]
async fn traced_outside(db: &Db, id: i64) -> Answer<Book> {
    db.load(id).await
}

#[cached(ttl = 60, key = "{id}")]
#[tracing::instrument(skip(db), err(Debug))]
async fn traced_inside(db: &Db, id: i64) -> Answer<Book> {
    db.load(id).await
}

#[cached(ttl = 60, key = "{id}", tags = [name.lock().expect("no panic").clone()])]
async fn guard_in_a_tag(id: u32, name: Mutex<String>) -> usize {
    id as usize + name.into_inner().map_or(0, |inner| inner.len())
}

#[cached(ttl = 60, key = "{id}", cache = cache.lock().expect("no panic").clone())]
async fn guard_in_the_cache(id: u32, cache: &Mutex<Cache>) -> u32 {
    id
}

struct Shop<C> {
    name: String,
    place: (u32, C),
    cache: Cache,
    db: Db,
}

impl<C: Display + Sync> Shop<C> {
    #[cached(ttl = 60, key = "{self.name}:{self.place.1}:{id}", cache = self.cache)]
    async fn by_reference(&self, id: i64) -> Answer<Book> {
        self.db.load(id).await
    }

    #[cached(ttl = 60, key = "{self.name}")]
    async fn by_arc(self: Arc<Self>) -> u32 {
        self.place.0
    }

    #[cached(ttl = 60, skip(self))]
    async fn by_value(self, id: u32) -> u32 {
        self.place.0 + id
    }

    #[cached(ttl = 60)]
    async fn associated(id: u32) -> u32 {
        id
    }

    #[invalidates(entries = [self.by_reference(id), Self::associated(1)], cache = self.cache)]
    async fn change(&mut self, id: i64) -> Answer<()> {
        self.name = self.db.load(id).await?.title;
        Ok(())
    }

    #[invalidates(tags = [format!("shop:{}", self.name)], when = always)]
    async fn nothing_returned(&self) {}

    #[invalidates(tags = self.name.split(','), when = before)]
    async fn before(&self) -> Option<u32> {
        Some(self.place.0)
    }
}

trait Library {
    fn title(&self, id: i64) -> impl Future<Output = Option<String>> + Send;

    async fn with_default(&self, id: u32) -> u32;
}

impl Library for Shop<u32> {
    #[cached(ttl = 60, key = "{self.name}:{id}")]
    async fn title(&self, id: i64) -> Option<String> {
        self.db.load(id).await.ok().map(|book| book.title)
    }

    #[cached(ttl = 60, key = "{id}")]
    async fn with_default(&self, id: u32) -> u32 {
        id
    }
}

#[async_trait::async_trait]
trait Remote {
    #[cached(ttl = 60, key = "{id}", tags = ["remote:{id}"])]
    async fn provided(&self, id: u32) -> Answer<u32> {
        Ok(id)
    }

    async fn fetch(&self, id: i64, extra: &str) -> Answer<Book>;
    async fn pair(&self, pair: (u32, u32), only_key: u32) -> u32;
    async fn free(id: u32) -> u32
    where
        Self: Sized;
    async fn store(&self, id: u32) -> Answer<()>;
}

#[async_trait::async_trait]
impl Remote for Shop<u32> {
    #[cached(
        ttl = 60,
        key = "{self.name}:{id}:{extra}",
        store_if = |book| book.id > 0,
        result_tags = |book| ["title:{book.title}"]
    )]
    async fn fetch(&self, id: i64, extra: &str) -> Answer<Book> {
        let mut book = self.db.load(id).await?;
        book.title.push_str(extra);
        Ok(book)
    }

    #[cached(ttl = 60, skip(self))]
    async fn pair(&self, (a, b): (u32, u32), mut only_key: u32) -> u32 {
        only_key += a;
        b + only_key
    }

    #[cached(ttl = 60)]
    async fn free(id: u32) -> u32 {
        id
    }

    #[invalidates(
        tags = ["remote:{id}"],
        entries = [self.provided(id)],
        result_tags = |()| ["remote:{self.name}"]
    )]
    async fn store(&self, id: u32) -> Answer<()> {
        if id == 0 {
            return Err(DbError);
        }
        Ok(())
    }
}

macro_rules! lookups {
    ($($name:ident($arg:ident: $ty:ty) -> $out:ty, $template:literal, $ttl:expr, $body:block)+) => {
        $(#[cached(ttl = $ttl, key = $template)]
        async fn $name($arg: $ty) -> $out $body)+
    };
}

lookups! {
    first(id: u32) -> u32, "{id}", 60, { id }
    second(name: &str) -> String, "{name}", TTL, { name.to_owned() }
}

fn shop() -> Shop<u32> {
    Shop {
        name: "corner".into(),
        place: (1, 2),
        cache: Cache::in_memory(),
        db: Db,
    }
}

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn functions() {
    let db = Db;
    assert_eq!(is_send(book(&db, 7)).await.map(|book| book.id), Ok(7));
    assert_eq!(book(&db, -1).await, Err(DbError));
    assert_eq!(is_send(rename(&db, 7, "new")).await, Ok(()));
    assert_eq!(no_options(1, "ab").await, 3);
    assert_eq!(every_option(&Cache::in_memory(), &1, 2).await, [1, 2]);
    assert_eq!(
        in_this_process(Arc::new(Db), 3).await.map(|book| book.id),
        Some(3)
    );
    assert_eq!(tags_of_an_iterator(vec!["a".into()]).await, ["a"]);
    assert_eq!(is_send(tags_of_the_value(vec!["a".into()])).await, ["a"]);
    assert_eq!(is_send(tags_of_a_pair("me")).await, Ok((1, 2)));
    unit().await;
    assert_eq!(attributed(1).await, Some(1));
    assert_eq!(patterns((1, 2), Point { x: 3, y: 0 }, [4, 5]).await, 11);
    assert_eq!(raw(1, "x").await, "1x");
    assert_eq!(r#match(1).await, 1);
    assert_eq!(mutable(1, 2).await, 3);
    assert_eq!(of_impl("name").await, "name");
    assert_eq!(generic("k", &[1, 2]).await, [1, 2]);
    assert_eq!(borrowed_error("").await, Err(Cow::Borrowed("")));
    assert_eq!(elided_error("a").await, Ok("a".to_owned()));
    assert_eq!(items_in_the_body(2).await, 4);
    assert_eq!(returns_early(3).await, Ok(3));
    assert!(tokio::spawn(diverges(1)).await.is_err());
    assert!(
        tokio::time::timeout(Duration::from_millis(1), never_ends())
            .await
            .is_err()
    );
    assert_eq!(recursive(10).await, 55);
    assert!(traced_outside(&db, 1).await.is_ok() && traced_inside(&db, 1).await.is_ok());
    assert_eq!(is_send(guard_in_a_tag(1, Mutex::new("ab".into()))).await, 3);
    assert_eq!(
        is_send(guard_in_the_cache(1, &Mutex::new(Cache::in_memory()))).await,
        1
    );
    assert_eq!((first(1).await, second("x").await), (1, "x".to_owned()));
}

#[tokio::test]
async fn methods() {
    let mut shop = shop();
    assert!(is_send(shop.by_reference(1)).await.is_ok());
    assert_eq!(Arc::new(self::shop()).by_arc().await, 1);
    assert_eq!(self::shop().by_value(1).await, 2);
    assert_eq!(Shop::<u32>::associated(4).await, 4);
    assert_eq!(is_send(shop.change(1)).await, Ok(()));
    shop.nothing_returned().await;
    assert_eq!(shop.before().await, Some(1));
    assert_eq!(shop.title(2).await.as_deref(), Some("book 2"));
    assert_eq!(shop.with_default(2).await, 2);
    assert_eq!(shop.provided(2).await, Ok(2));
    assert_eq!(
        shop.fetch(2, "!").await.map(|book| book.title),
        Ok("book 2!".into())
    );
    assert_eq!(shop.pair((1, 2), 3).await, 6);
    assert_eq!(<Shop<u32> as Remote>::free(2).await, 2);
    assert_eq!(
        (shop.store(1).await, shop.store(0).await),
        (Ok(()), Err(DbError))
    );
}

#[derive(KeyPart)]
struct Filter<'a, T, const N: usize> {
    words: &'a str,
    values: [T; N],
    #[key(with = |it| it.id)]
    book: Book,
    #[key(skip)]
    at: std::time::Instant,
}

#[derive(KeyPart)]
enum Order {
    Newest,
    By(u8, u8),
    Near { place: String },
}

#[derive(afresh::Tag)]
enum Label<'a, T> {
    Books,
    Book(i64),
    #[tag("by:{author}/{of.id}")]
    By {
        author: T,
        of: &'a Book,
    },
}

#[tokio::test]
async fn derives_are_silent() {
    #[cached(key = (filter, order), tags = [Label::<u8>::Books, Label::<u8>::Book(filter.book.id)], local)]
    async fn found(filter: &Filter<'_, u8, 2>, order: Order) -> usize {
        let elapsed = filter.at.elapsed();
        filter.words.len() + usize::from(elapsed.is_zero())
    }

    let book = Book {
        id: 7,
        title: String::new(),
    };
    let by = Label::By {
        author: "x",
        of: &book,
    };
    assert_eq!(afresh::Tag::from(by).as_str(), "by:x/7");
    let filter = Filter {
        words: "dune",
        values: [1, 2],
        book,
        at: std::time::Instant::now(),
    };
    for order in [
        Order::Newest,
        Order::By(1, 2),
        Order::Near {
            place: String::from("here"),
        },
    ] {
        assert!(found(&filter, order).await >= 4);
    }
}
