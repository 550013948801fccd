//! Types that derive `Tag`: what texts they make, and that those are the tags that others write.

use std::fmt;
use std::marker::PhantomData;

use afresh::{Cache, Outcome, Tag, Tier, cached, invalidates, outcome, testing};

const MISS: Outcome = Outcome::Computed;
const HIT: Outcome = Outcome::Hit(Tier::Local);

#[derive(Tag)]
enum Shop {
    Books,
    Book(i64),
    #[tag("author:{0}/{1}")]
    Author(String, u32),
    Shelf {
        room: u8,
        no: u16,
    },
    #[tag("{{raw}}:{type}")]
    Raw {
        r#type: &'static str,
    },
    HTTPPage(Page),
    #[tag("at:{0.name}")]
    PageName(Page),
}

#[derive(Clone)]
struct Page {
    name: &'static str,
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.name)
    }
}

#[track_caller]
fn text(tag: impl Into<Tag>, expected: &str) {
    assert_eq!(tag.into().as_str(), expected);
}

#[test]
fn a_variant_is_its_template() {
    text(Shop::Books, "books");
    text(Shop::Book(-7), "book:-7");
    let book = Shop::Book(7);
    text(&book, "book:7");
    text(book, "book:7");
    text(Shop::Author("Kafka".into(), 3), "author:Kafka/3");
    text(Shop::Shelf { room: 3, no: 14 }, "shelf:3:14");
    text(Shop::Raw { r#type: "x" }, "{raw}:x");
    let page = Page { name: "front" };
    text(Shop::HTTPPage(page.clone()), "http_page:<front>");
    text(Shop::PageName(page), "at:front");
}

#[derive(Tag)]
struct Book(i64);

#[derive(Tag)]
struct AllBooks;

#[derive(Tag)]
#[tag("genre:{name}")]
struct Genre<'a, T: ?Sized, K, const N: usize>
where
    T: Sync,
{
    name: &'a T,
    kind: PhantomData<K>,
    shelves: [u8; N],
}

#[derive(Tag)]
enum Never {}

#[test]
fn a_struct_is_its_template() {
    text(Book(7), "book:7");
    text(AllBooks, "all_books");
    // Only what is shown needs a `Display`.
    let genre = Genre::<str, Vec<u8>, 2> {
        name: "crime",
        kind: PhantomData,
        shelves: [1, 2],
    };
    assert_eq!(genre.shelves.len(), 2);
    assert_eq!(genre.kind, PhantomData);
    text(&genre, "genre:crime");
    let never: Option<Never> = None;
    assert!(never.map(Tag::from).is_none());
}

/// What is passed on is in a group of its own.
macro_rules! tags {
    ($name:ident: $($variant:ident($ty:ty) = $text:literal),*) => {
        #[derive(Tag)]
        enum $name {
            All,
            $(#[tag($text)] $variant($ty)),*
        }
    };
}

tags!(Passed: One(i64) = "all:{0}", Two(&'static str) = "all/{0}", Three(i64) = "all:x{0}");

#[test]
fn a_macro_may_write_them() {
    text(Passed::All, "all");
    text(Passed::One(1), "all:1");
    text(Passed::Two("x"), "all/x");
    text(Passed::Three(2), "all:x2");
}

mod elsewhere {
    pub(crate) use afresh as renamed;
}

#[derive(Tag)]
#[tag("moved:{0}", crate = elsewhere::renamed)]
struct Moved(u8);

#[test]
fn the_facade_may_have_another_name() {
    #[derive(Tag)]
    #[tag(crate = elsewhere::renamed)]
    enum Inside<T> {
        One(T),
    }
    text(Moved(1), "moved:1");
    text(Inside::One("x"), "one:x");
}

#[test]
fn types_of_tags_are_on_record() {
    use afresh::__private::TypedTags;

    let recorded = |name| {
        let mut all = TypedTags::all().filter(|tags| tags.name == name);
        let one = all.next().expect("it is on record");
        assert!(all.next().is_none());
        (one.module, one.variants)
    };
    let variants: &[_] = &[
        ("Books", "books"),
        ("Book", "book:{0}"),
        ("Author", "author:{0}/{1}"),
        ("Shelf", "shelf:{room}:{no}"),
        ("Raw", "{{raw}}:{type}"),
        ("HTTPPage", "http_page:{0}"),
        ("PageName", "at:{0.name}"),
    ];
    assert_eq!(recorded("Shop"), ("typed_tags", variants));
    let variants: &[_] = &[("Moved", "moved:{0}")];
    assert_eq!(recorded("Moved"), ("typed_tags", variants));
}

#[cached(ttl = 60, tags = [Shop::Books, Shop::Book(id)])]
async fn typed(id: i64) -> i64 {
    id
}

#[cached(ttl = 60, tags = ["books", "book:{id}"])]
async fn written(id: i64) -> i64 {
    id
}

#[cached(ttl = 60, result_tags = |it| [Shop::Book(*it)])]
async fn found(id: i64) -> i64 {
    id
}

#[invalidates(tags = [Shop::Book(id)])]
async fn rename(id: i64) {
    let _ = id;
}

#[invalidates(tags = ["book:{id}"])]
async fn rename_written(id: i64) {
    let _ = id;
}

#[tokio::test]
async fn a_typed_tag_and_its_text_are_one_tag() {
    let cache = Cache::in_memory();
    testing::with_cache(cache.clone(), async {
        let both = async || {
            let (a, b, c) = (
                outcome(typed(7)).await,
                outcome(written(7)).await,
                outcome(found(7)).await,
            );
            [a.1, b.1, c.1]
        };
        assert_eq!(both().await, [MISS, MISS, MISS]);
        assert_eq!(both().await, [HIT, HIT, HIT]);
        rename(7).await;
        assert_eq!(both().await, [MISS, MISS, MISS]);
        rename_written(7).await;
        assert_eq!(both().await, [MISS, MISS, MISS]);
        rename(8).await;
        assert_eq!(both().await, [HIT, HIT, HIT]);
        cache.invalidate([Shop::Books]).await.unwrap();
        assert_eq!(both().await, [MISS, MISS, HIT]);
        cache.invalidate(&[Shop::Book(7)]).await.unwrap();
        assert_eq!(both().await, [MISS, MISS, MISS]);
        cache.invalidate(["book:7"]).await.unwrap();
        assert_eq!(both().await, [MISS, MISS, MISS]);
        assert_eq!(both().await, [HIT, HIT, HIT]);
    })
    .await;
}
