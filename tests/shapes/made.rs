//! Functions that `macro_rules!` macros make, from each kind of fragment.

use std::time::Duration;

use afresh::{cached, invalidates};

use crate::apart;

macro_rules! from_fragments {
    (
        $(#[$attribute:meta])* $vis:vis fn $name:ident($argument:ident: $ty:ty) -> $out:ty,
        $ttl:expr, $template:literal, $namespace:tt, $body:block
    ) => {
        $(#[$attribute])*
        #[cached(ttl = $ttl, key = $template, namespace = $namespace, tags = ["made:{id}"])]
        $vis async fn $name($argument: $ty) -> $out $body
    };
}

from_fragments! {
    /// Documented.
    #[inline]
    pub(crate) fn fragments(id: u32) -> Vec<u32>, 60, "{id}", "fragments", { vec![id] }
}

macro_rules! from_fragments_sync {
    ($name:ident, $argument:pat, $ty:ty, $out:path, $ttl:expr, $key:expr, $body:expr) => {
        #[cached(ttl = $ttl, key = $key)]
        fn $name($argument: $ty) -> $out {
            $body
        }
    };
}

from_fragments_sync!(
    pattern,
    (a, b),
    (u32, u32),
    u32,
    Duration::from_secs(5),
    (a, b),
    a * 10 + b
);

/// The whole item as one fragment, and as tokens.
macro_rules! whole {
    ($item:item) => {
        #[cached(ttl = 60)]
        $item
    };
}

whole! {
    async fn item(id: u32) -> u32 {
        id
    }
}

whole! {
    fn item_sync(id: u32) -> u32 {
        id
    }
}

macro_rules! tokens {
    ($($token:tt)*) => { $($token)* };
}

tokens! {
    #[cached(ttl = 60, key = "{id}:{name}")]
    async fn token(id: u32, name: &str) -> String {
        format!("{id}{name}")
    }
}

/// One function for each type.
macro_rules! each {
    ($($name:ident: $ty:ty = $size:literal),+) => {
        $(
            #[cached(ttl = 60)]
            fn $name(id: $ty) -> ($ty, u32) {
                (id, $size)
            }
        )+
    };
}

each!(byte: u8 = 1, word: u32 = 4, text: String = 24);

/// Names that the macro brings itself: the arguments are its own, and so is the function's.
macro_rules! own_names {
    ($id:expr) => {{
        #[cached(ttl = 60, key = "{first}:{second}")]
        fn made(first: u32, second: u32) -> u32 {
            first * 10 + second
        }
        made($id, 2)
    }};
}

/// In an implementation, with the receiver given.
struct Shop(u32);

macro_rules! methods {
    ($($name:ident(&$self:ident $(, $argument:ident: $ty:ty)*) -> $out:ty $body:block)+) => {
        impl Shop {
            $(
                #[cached(ttl = 60, key = ($self.0, $($argument),*))]
                async fn $name(&$self $(, $argument: $ty)*) -> $out $body
            )+
        }
    };
}

methods! {
    none(&self) -> u32 { self.0 }
    one(&self, id: u32) -> u32 { self.0 * 10 + id }
}

macro_rules! mutation {
    ($name:ident($argument:ident), [$($tag:literal),*], $when:ident) => {
        #[invalidates(tags = [$($tag),*], when = $when)]
        fn $name($argument: u32) -> u32 {
            $argument
        }
    };
}

mutation!(change(id), ["made:{id}"], always);

/// Whole values of options, in which templates are still templates.
macro_rules! options {
    ($name:ident, $change:ident, $ttl:expr, $key:expr, $tags:expr, $of_value:expr, $when:expr) => {
        #[cached(ttl = $ttl, key = $key, tags = $tags, result_tags = $of_value)]
        fn $name(id: u32) -> u32 {
            id * 10
        }

        #[invalidates(tags = $tags, when = $when)]
        fn $change(id: u32) {
            let _ = id;
        }
    };
}

options!(
    passed,
    change_passed,
    "1m",
    "{id}",
    ["passed:{id}"],
    |value| ["value:{value}"],
    before
);

#[tokio::test]
async fn from_single_fragments() {
    apart!(fragments(1).await => vec![1], fragments(2).await => vec![2]);
    apart!(pattern((1, 2)) => 12, pattern((1, 3)) => 13);
    apart!(byte(1) => (1, 1), word(1) => (1, 4), text("1".to_owned()) => ("1".to_owned(), 24));
}

#[tokio::test]
async fn from_whole_items() {
    apart!(item(1).await => 1, item(2).await => 2);
    apart!(item_sync(1) => 1, item_sync(2) => 2);
    apart!(token(1, "a").await => "1a".to_owned(), token(1, "b").await => "1b".to_owned());
}

#[tokio::test]
async fn with_the_macros_own_names() {
    let call = |id| own_names!(id);
    apart!(call(1) => 12, call(2) => 22);
}

#[tokio::test]
async fn from_values_of_options() {
    apart!(passed(1) => 10, passed(2) => 20);
    crate::isolated(async {
        let came = async || {
            let one = afresh::outcome(async { passed(1) }).await.1;
            (one, afresh::outcome(async { passed(2) }).await.1)
        };
        came().await;
        change_passed(1);
        assert_eq!(came().await, (crate::MISS, crate::HIT));
        let cache = afresh::Cache::global();
        cache.invalidate(["value:20"]).await.expect("in memory");
        assert_eq!(came().await, (crate::HIT, crate::MISS));
    })
    .await;
}

#[tokio::test]
async fn methods_and_mutations() {
    apart!(
        Shop(1).none().await => 1,
        Shop(2).none().await => 2,
        Shop(1).one(2).await => 12,
        Shop(2).one(2).await => 22,
    );
    crate::isolated(async {
        fragments(1).await;
        assert_eq!(change(1), 1);
        assert_eq!(afresh::outcome(fragments(1)).await.1, crate::MISS);
    })
    .await;
}
