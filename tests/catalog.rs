//! The catalog of these functions: as a table, and as pictures. They are of every kind that can be
//! annotated, so each is also a test that it is on record, once, with its own line.

use std::path::Path;
use std::time::Duration;
use std::{env, fs};

use afresh::catalog::{CachedFn, Catalog, Label};
use afresh::{Cache, Policy, cached, catalog, invalidates, testing};

const HOUR: Duration = Duration::from_hours(1);
const STEADY: Policy = Policy::new().stale_if_error(HOUR);

/// The tags of a shop.
mod typed {
    #[derive(afresh::Tag)]
    pub(crate) enum Shop {
        Shelf(u8),
    }
}

mod books {
    use super::typed::Shop;
    use super::{Duration, HOUR, STEADY, cached, invalidates};

    #[cached(ttl = "30m", key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
    #[inline]
    pub(crate) async fn book(id: i64) -> Result<String, String> {
        Ok(format!("book {id}"))
    }

    #[cached(
        ttl = HOUR * 2,
        key = (genre, page + 1),
        tags = ["books", &format!("genre:{genre}")],
        result_tags = |books| ["first:{books.0}"],
        namespace = "lists",
        version = 3,
        policy = STEADY,
    )]
    pub(crate) async fn genre(genre: &str, page: u8) -> (String, u8) {
        (genre.to_owned(), page)
    }

    #[cached(tags = [Shop::Shelf(room)], local)]
    pub(crate) async fn shelf<T: afresh::KeyPart>(room: u8, of: T) -> u8 {
        let _ = of;
        room
    }

    #[cached(ttl = |of| hours(u64::from(*of)), key = "{of}", tags = ["books"], inherit = false)]
    pub(crate) fn count(of: u8) -> u8 {
        of
    }

    #[invalidates(tags = ["books", "book:{book}"], crash_safe(deadline = "5s"))]
    pub(crate) async fn rename(book: i64) -> Result<(), String> {
        let _ = book;
        Ok(())
    }

    #[invalidates(
        tags = [Shop::Shelf(3)],
        result_tags = |first| ["genre:{first}", "first:{first}"],
        namespaces = ["lists"],
        when = always,
    )]
    pub(crate) async fn move_shelf() -> u8 {
        7
    }

    pub(crate) const fn hours(count: u64) -> Duration {
        Duration::from_hours(count)
    }
}

mod shop {
    use super::{Cache, books, cached, invalidates};

    #[async_trait::async_trait]
    pub(crate) trait Till {
        async fn total(&self, day: u32) -> u64;
    }

    pub(crate) struct Shop<T> {
        pub(crate) cache: Cache,
        pub(crate) name: T,
    }

    #[async_trait::async_trait]
    impl<T: std::fmt::Display + Send + Sync> Till for Shop<T> {
        #[cached(ttl = books::hours(1), key = "{self.name}:{day}", cache = self.cache)]
        async fn total(&self, day: u32) -> u64 {
            u64::from(day)
        }
    }

    impl Shop<u8> {
        #[invalidates(entries = [self.total(day), books::book(7)], when = before)]
        pub(crate) async fn sell(&self, day: u32) {
            let _ = day;
        }
    }

    pub(crate) async fn nested(of: u8) -> u8 {
        #[cached(ttl = 60, key = "{of}", tags = ["{{all}}"])]
        async fn inner(of: u8) -> u8 {
            of
        }
        #[invalidates(tags = super::all())]
        async fn outdate() {}
        outdate().await;
        inner(of).await
    }

    macro_rules! counted {
        ($name:ident, $tag:literal) => {
            #[cached(ttl = 60, tags = [$tag])]
            pub(crate) async fn $name(n: u8) -> u8 {
                n
            }
        };
    }

    counted!(stock, "{{all}}:{n}");
}

fn all() -> [&'static str; 1] {
    ["{all}"]
}

/// Compares with a file beside this one; `UPDATE_EXPECT=1` writes it anew, to be reviewed.
fn expect(file: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/catalog")
        .join(file);
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&file, text).expect("the file can be written");
    }
    let expected = fs::read_to_string(&file).expect("there is a file");
    assert!(
        text == expected,
        "run again with UPDATE_EXPECT=1 and review {}:\n{text}",
        file.display()
    );
}

#[test]
fn a_table_for_terminals() {
    expect("table.txt", &catalog().to_string());
}

#[test]
fn a_picture_for_mermaid() {
    expect("mermaid.txt", &catalog().mermaid());
}

#[test]
fn a_picture_for_graphviz() {
    expect("graphviz.txt", &catalog().dot());
}

fn find<'a>(catalog: &'a Catalog, name: &str) -> &'a CachedFn {
    let mut all = catalog.cached().filter(|one| one.name() == name);
    let found = all.next().expect("it is on record");
    assert!(all.next().is_none(), "`{name}` is on record once");
    found
}

#[tokio::test]
async fn each_function_is_on_record_once_at_its_own_line() {
    // Instantiated for two types.
    books::shelf(1, 2_u8).await;
    books::shelf(1, String::new()).await;
    shop::nested(1).await;
    shop::stock(1).await;
    let shop = shop::Shop {
        cache: Cache::in_memory(),
        name: 1_u8,
    };
    shop.sell(1).await;
    books::rename(1).await.expect("it is");
    books::move_shelf().await;
    books::genre("poems", 1).await;
    books::book(1).await.expect("it is");
    books::count(1);
    shop::Till::total(&shop, 1).await;

    let catalog = catalog();
    let lines: Vec<&str> = include_str!("catalog.rs").lines().collect();
    let cached = catalog.cached().map(|one| &**one);
    for one in cached.chain(catalog.mutations().map(|one| &**one)) {
        let line = lines[one.line() as usize - 1];
        assert!(line.contains(one.name()), "{one:?}: {line}");
        assert!(
            line.contains("fn ") || line.contains("counted!"),
            "{one:?}: {line}"
        );
        assert_eq!(one.file(), "tests/catalog.rs");
        assert!(one.path().starts_with("catalog::"), "{}", one.path());
    }
    assert_eq!(
        (catalog.cached().count(), catalog.mutations().count()),
        (7, 4)
    );
}

#[test]
fn what_is_written_can_be_asked_for() {
    let catalog = catalog();
    let genre = find(&catalog, "genre");
    assert_eq!(genre.path(), "catalog::books::genre");
    assert_eq!(genre.ttl(), Some("HOUR * 2"));
    assert_eq!(genre.key(), "(genre, page + 1)");
    assert_eq!((genre.namespace(), genre.version()), (Some("lists"), 3));
    assert_eq!(genre.policy(), Some("STEADY"));
    assert!(!genre.is_singleflight() && !genre.is_local() && genre.inherits());
    let tags: Vec<_> = genre.tags().iter().map(Label::as_str).collect();
    assert_eq!(tags, ["books", "genre:{genre}", "first:{books.0}"]);
    let of_value: Vec<_> = genre.tags().iter().map(Label::is_of_value).collect();
    assert_eq!(of_value, [false, false, true]);
    let by: Vec<_> = catalog.invalidating(genre).map(|one| one.name()).collect();
    assert_eq!(by, ["move_shelf", "rename"]);

    let book = find(&catalog, "book");
    assert!(book.is_singleflight() && !book.is_sync());
    let count = find(&catalog, "count");
    assert_eq!(count.ttl(), Some("|of| hours(u64::from(*of))"));
    assert!(count.policy().is_none());
    assert!(count.is_sync() && !count.inherits());
    let shelf = find(&catalog, "shelf");
    assert!(shelf.is_local() && shelf.ttl().is_none());
    assert_eq!(shelf.key(), "(room, of)");
    assert_eq!(shelf.tags()[0].as_str(), "Shop::Shelf(room)");
    assert!(shelf.tags()[0].is_seen());

    let mutation = |name| catalog.mutations().find(|one| one.name() == name);
    let rename = mutation("rename").expect("it is on record");
    assert_eq!(
        (rename.when(), rename.crash_safe()),
        ("success", Some("5s"))
    );
    let sell = mutation("sell").expect("it is on record");
    assert_eq!(sell.when(), "before");
    assert_eq!(
        sell.entries().collect::<Vec<_>>(),
        ["self.total", "books::book"]
    );
    let outdate = mutation("outdate").expect("it is on record");
    assert!(!outdate.tags()[0].is_seen());
}

#[test]
fn every_tag_has_its_other_half() {
    assert_eq!(catalog().orphans().len(), 0, "{:?}", catalog().orphans());
    testing::assert_no_orphan_tags();
}
