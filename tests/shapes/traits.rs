//! Methods of traits, of which the future is native or boxed by `#[async_trait]`, in
//! implementations and as provided bodies.

use afresh::cached;
use async_trait::async_trait;

use crate::apart;

struct Shop(&'static str);

struct Market(&'static str);

/// Native futures.
trait Native {
    fn name(&self) -> &'static str;

    fn opaque(&self, id: u32) -> impl Future<Output = String> + Send;

    async fn asynchronous(&self, id: u32) -> String;

    async fn free(id: u32) -> String;

    #[cached(ttl = 60, key = (self.name(), id))]
    async fn provided(&self, id: u32) -> String {
        format!("provided {}{id}", self.name())
    }

    fn plain(&self, id: u32) -> String;

    #[cached(ttl = 60, key = (self.name(), id))]
    fn provided_plain(&self, id: u32) -> String {
        format!("provided {}{id}", self.name())
    }

    fn free_plain(id: u32) -> String;
}

impl Native for Shop {
    fn name(&self) -> &'static str {
        self.0
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn opaque(&self, id: u32) -> String {
        format!("{}{id}", self.0)
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn asynchronous(&self, id: u32) -> String {
        format!("{}{id}", self.0)
    }

    #[cached(ttl = 60)]
    async fn free(id: u32) -> String {
        format!("shop {id}")
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    fn plain(&self, id: u32) -> String {
        format!("{}{id}", self.0)
    }

    #[cached(ttl = 60)]
    fn free_plain(id: u32) -> String {
        format!("shop {id}")
    }
}

/// The same text as the shop's where it can be: an entry is told apart by `Self` all the same.
impl Native for Market {
    fn name(&self) -> &'static str {
        self.0
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn opaque(&self, id: u32) -> String {
        format!("market {}{id}", self.0)
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn asynchronous(&self, id: u32) -> String {
        format!("market {}{id}", self.0)
    }

    #[cached(ttl = 60)]
    async fn free(id: u32) -> String {
        format!("market {id}")
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    fn plain(&self, id: u32) -> String {
        format!("market {}{id}", self.0)
    }

    #[cached(ttl = 60)]
    fn free_plain(id: u32) -> String {
        format!("market {id}")
    }
}

#[async_trait]
trait Boxed: Send + Sync {
    fn label(&self) -> String;

    /// Provided, with our attribute first.
    #[cached(ttl = 60, key = (self.label(), id))]
    #[doc(hidden)]
    async fn above(&self, id: u32) -> String {
        format!("above {}{id}", self.label())
    }

    /// And last.
    #[doc(hidden)]
    #[cached(ttl = 60, key = (self.label(), id))]
    async fn below(&self, id: u32) -> String {
        format!("below {}{id}", self.label())
    }

    #[cached(ttl = 60, key = (self.label(), id))]
    fn plain_provided(&self, id: u32) -> String {
        format!("plain {}{id}", self.label())
    }

    async fn fetch(&self, id: u32, name: &str) -> Result<String, String>;

    async fn traced(&self, id: u32) -> u32;

    async fn taken(self: Box<Self>, id: u32) -> String;

    async fn free(id: u32) -> u32
    where
        Self: Sized;

    async fn generic<T: afresh::KeyPart + Send + Sync>(&self, part: T) -> String
    where
        Self: Sized;

    async fn nothing(&self);
}

#[async_trait]
impl Boxed for Shop {
    fn label(&self) -> String {
        self.0.to_owned()
    }

    #[cached(ttl = 60, key = "{self.0}:{id}:{name}", tags = ["shop:{self.0}"], singleflight)]
    async fn fetch(&self, id: u32, name: &str) -> Result<String, String> {
        if name.is_empty() {
            return Err("no name".to_owned());
        }
        Ok(format!("{}{id}{name}", self.0))
    }

    #[tracing::instrument(skip(self))]
    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn traced(&self, id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn taken(self: Box<Self>, id: u32) -> String {
        format!("{}{id}", self.0)
    }

    #[cached(ttl = 60)]
    async fn free(mut id: u32) -> u32 {
        id += 1;
        id
    }

    #[cached(ttl = 60, skip(self))]
    async fn generic<T: afresh::KeyPart + Send + Sync>(&self, part: T) -> String {
        let _ = &part;
        std::any::type_name::<T>().to_owned()
    }

    #[cached(ttl = 60, key = "{self.0}")]
    async fn nothing(&self) {}
}

#[async_trait]
impl Boxed for Market {
    fn label(&self) -> String {
        format!("market {}", self.0)
    }

    #[cached(ttl = 60, key = (self.0, id, name))]
    async fn fetch(&self, id: u32, name: &str) -> Result<String, String> {
        Ok(format!("market {}{id}{name}", self.0))
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    #[tracing::instrument(skip(self))]
    async fn traced(&self, id: u32) -> u32 {
        id * 10
    }

    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn taken(self: Box<Self>, id: u32) -> String {
        format!("market {}{id}", self.0)
    }

    #[cached(ttl = 60)]
    async fn free(id: u32) -> u32 {
        id * 10
    }

    #[cached(ttl = 60, skip(self))]
    async fn generic<T: afresh::KeyPart + Send + Sync>(&self, part: T) -> String {
        let _ = &part;
        "market".to_owned()
    }

    #[cached(ttl = 60, key = "{self.0}")]
    async fn nothing(&self) {}
}

/// Without `Send`.
#[async_trait(?Send)]
trait Alone {
    async fn here(&self, id: u32) -> u32;
}

#[async_trait(?Send)]
impl Alone for Shop {
    #[cached(ttl = 60, key = "{self.0}:{id}")]
    async fn here(&self, id: u32) -> u32 {
        let id = std::rc::Rc::new(id);
        tokio::task::yield_now().await;
        *id
    }
}

const SHOP: Shop = Shop("a");
const OTHER: Shop = Shop("b");
const MARKET: Market = Market("a");

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn native_methods() {
    apart!(
        SHOP.opaque(1).await => text("a1"),
        SHOP.opaque(2).await => text("a2"),
        OTHER.opaque(1).await => text("b1"),
        MARKET.opaque(1).await => text("market a1"),
    );
    apart!(
        SHOP.asynchronous(1).await => text("a1"),
        MARKET.asynchronous(1).await => text("market a1"),
    );
    apart!(<Shop as Native>::free(1).await => text("shop 1"), <Market as Native>::free(1).await => text("market 1"));
    apart!(
        SHOP.plain(1) => text("a1"),
        OTHER.plain(1) => text("b1"),
        MARKET.plain(1) => text("market a1"),
    );
    apart!(Shop::free_plain(1) => text("shop 1"), Market::free_plain(1) => text("market 1"));
}

/// One body, and entries for each type that it is provided to: the names are the same, so only
/// `Self` tells them apart.
#[tokio::test]
async fn provided_methods() {
    apart!(
        SHOP.provided(1).await => text("provided a1"),
        OTHER.provided(1).await => text("provided b1"),
        MARKET.provided(1).await => text("provided a1"),
    );
    apart!(
        SHOP.provided_plain(1) => text("provided a1"),
        OTHER.provided_plain(1) => text("provided b1"),
        MARKET.provided_plain(1) => text("provided a1"),
    );
}

#[tokio::test]
async fn boxed_methods() {
    apart!(
        SHOP.fetch(1, "x").await => Ok(text("a1x")),
        SHOP.fetch(1, "y").await => Ok(text("a1y")),
        OTHER.fetch(1, "x").await => Ok(text("b1x")),
        MARKET.fetch(1, "x").await => Ok(text("market a1x")),
    );
    assert_eq!(SHOP.fetch(1, "").await, Err(text("no name")));
    apart!(SHOP.traced(1).await => 1, OTHER.traced(1).await => 1, MARKET.traced(1).await => 10);
    apart!(
        Box::new(SHOP).taken(1).await => text("a1"),
        Box::new(MARKET).taken(1).await => text("market a1"),
    );

    apart!(
        <Shop as Boxed>::free(1).await => 2,
        <Shop as Boxed>::free(2).await => 3,
        <Market as Boxed>::free(1).await => 10,
    );
    apart!(
        SHOP.generic(1_u32).await => text("u32"),
        SHOP.generic(1_u8).await => text("u8"),
        SHOP.generic("1").await => text("&str"),
    );
    apart!(SHOP.nothing().await => (), OTHER.nothing().await => (), MARKET.nothing().await => ());
    apart!(SHOP.here(1).await => 1, SHOP.here(2).await => 2);
}

#[tokio::test]
async fn boxed_provided_methods() {
    apart!(
        SHOP.above(1).await => text("above a1"),
        OTHER.above(1).await => text("above b1"),
        MARKET.above(1).await => text("above market a1"),
    );
    apart!(
        SHOP.below(1).await => text("below a1"),
        MARKET.below(1).await => text("below market a1"),
    );
    apart!(
        SHOP.plain_provided(1) => text("plain a1"),
        MARKET.plain_provided(1) => text("plain market a1"),
    );
}

#[tokio::test]
async fn through_an_object() {
    let (shop, market): (&dyn Boxed, &dyn Boxed) = (&SHOP, &MARKET);
    apart!(
        shop.fetch(1, "x").await => Ok(text("a1x")),
        market.fetch(1, "x").await => Ok(text("market a1x")),
        shop.above(1).await => text("above a1"),
        market.above(1).await => text("above market a1"),
    );
}
