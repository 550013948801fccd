//! Methods and associated functions of a type.

use std::rc::Rc;
use std::sync::Arc;

use afresh::cached;

use crate::apart;

#[derive(Clone)]
struct Shop {
    name: String,
    place: (u32, u32),
    r#type: u32,
}

impl Shop {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            place: (1, 2),
            r#type: 3,
        }
    }

    #[cached(ttl = 60, key = "{self.name}:{self.place.1}:{id}")]
    async fn by_reference(&self, id: u32) -> String {
        format!("{}{id}", self.name)
    }

    #[cached(ttl = 60, key = "{self.name}:{self.r#type}:{id}")]
    fn by_reference_sync(&self, id: u32) -> String {
        format!("{}{id}", self.name)
    }

    #[cached(ttl = 60, key = (&self.name, id))]
    async fn by_exclusive(&mut self, id: u32) -> String {
        self.place.0 += 1;
        format!("{}{id}", self.name)
    }

    #[cached(ttl = 60, key = (&self.name, id))]
    fn by_exclusive_sync(&mut self, id: u32) -> String {
        self.place.0 += 1;
        format!("{}{id}", self.name)
    }

    #[cached(ttl = 60, key = "{self.name}")]
    async fn by_value(self) -> String {
        self.name
    }

    #[cached(ttl = 60, key = "{self.name}")]
    fn by_value_sync(mut self) -> String {
        self.name.push('!');
        self.name
    }

    #[cached(ttl = 60, key = "{self.name}")]
    async fn by_arc(self: Arc<Self>) -> String {
        self.name.clone()
    }

    #[cached(ttl = 60, key = "{self.name}")]
    async fn by_reference_to_arc(self: &Arc<Self>) -> String {
        self.name.clone()
    }

    #[cached(ttl = 60, key = "{self.name}")]
    fn by_arc_sync(self: Arc<Self>) -> String {
        self.name.clone()
    }

    #[cached(ttl = 60, key = "{self.name}")]
    fn by_box_sync(self: Box<Self>) -> String {
        self.name
    }

    #[cached(ttl = 60, key = "{self.name}")]
    async fn by_rc(self: Rc<Self>) -> String {
        self.name.clone()
    }

    #[cached(ttl = 60)]
    async fn associated(id: u32) -> Self {
        Self::new(&id.to_string())
    }

    #[cached(ttl = 60, local)]
    fn associated_sync(id: u32) -> Self {
        Self::new(&id.to_string())
    }

    #[cached(ttl = 60, skip(self))]
    async fn whoever(&self, id: u32) -> u32 {
        id
    }

    #[cached(ttl = 60, skip(self))]
    fn whoever_sync(&self, id: u32) -> u32 {
        id
    }
}

impl serde::Serialize for Shop {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.name.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Shop {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|name| Self::new(&name))
    }
}

/// Another type with a method of the same name and text.
struct Twin {
    name: String,
}

impl Twin {
    #[cached(ttl = 60, key = "{self.name}:{id}")]
    fn by_reference_sync(&self, id: u32) -> String {
        format!("twin {}{id}", self.name)
    }
}

#[tokio::test]
async fn receivers() {
    let (a, b) = (Shop::new("a"), Shop::new("b"));
    let text = str::to_owned;
    apart!(
        a.by_reference(1).await => text("a1"),
        a.by_reference(2).await => text("a2"),
        b.by_reference(1).await => text("b1"),
    );
    apart!(
        a.by_reference_sync(1) => text("a1"),
        a.by_reference_sync(2) => text("a2"),
        b.by_reference_sync(1) => text("b1"),
    );
    apart!(a.clone().by_value().await => text("a"), b.clone().by_value().await => text("b"));
    apart!(a.clone().by_value_sync() => text("a!"), b.clone().by_value_sync() => text("b!"));
    let (a, b) = (Arc::new(a), Arc::new(b));
    apart!(a.clone().by_arc().await => text("a"), b.clone().by_arc().await => text("b"));
    apart!(a.by_reference_to_arc().await => text("a"), b.by_reference_to_arc().await => text("b"));
    apart!(a.clone().by_arc_sync() => text("a"), b.clone().by_arc_sync() => text("b"));
    let boxed = |shop: &Shop| Box::new(shop.clone());
    apart!(boxed(&a).by_box_sync() => text("a"), boxed(&b).by_box_sync() => text("b"));
    let rc = |shop: &Shop| Rc::new(shop.clone());
    apart!(rc(&a).by_rc().await => text("a"), rc(&b).by_rc().await => text("b"));
}

#[tokio::test]
async fn exclusive_receivers() {
    let mut shop = Shop::new("a");
    crate::isolated(async {
        for _ in 0..2 {
            assert_eq!(shop.by_exclusive(1).await, "a1");
            assert_eq!(shop.by_exclusive_sync(1), "a1");
        }
    })
    .await;
    assert_eq!(shop.place.0, 3, "each body ran once");
}

#[tokio::test]
async fn associated_functions() {
    crate::isolated(async {
        for came in [crate::MISS, crate::HIT] {
            let (shop, outcome) = afresh::outcome(Shop::associated(7)).await;
            assert_eq!((&*shop.name, outcome), ("7", came));
            let (shop, outcome) = afresh::outcome(Shop::associated(8)).await;
            assert_eq!((&*shop.name, outcome), ("8", came));
            let (shop, outcome) = afresh::outcome(async { Shop::associated_sync(7) }).await;
            assert_eq!((&*shop.name, outcome), ("7", came));
        }
    })
    .await;
}

#[tokio::test]
async fn a_skipped_receiver_makes_no_difference() {
    let (a, b) = (Shop::new("a"), Shop::new("b"));
    crate::isolated(async {
        assert_eq!(afresh::outcome(a.whoever(1)).await.1, crate::MISS);
        assert_eq!(afresh::outcome(b.whoever(1)).await.1, crate::HIT);
        let call = |shop: &Shop| shop.whoever_sync(1);
        assert_eq!(afresh::outcome(async { call(&a) }).await.1, crate::MISS);
        assert_eq!(afresh::outcome(async { call(&b) }).await.1, crate::HIT);
    })
    .await;
}

#[tokio::test]
async fn methods_of_one_name_on_two_types_are_two() {
    let shop = Shop::new("a");
    let twin = Twin {
        name: "a".to_owned(),
    };
    apart!(
        shop.by_reference_sync(1) => "a1".to_owned(),
        twin.by_reference_sync(1) => "twin a1".to_owned(),
    );
}
