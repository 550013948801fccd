//! The columns of functions that are not async.

/// Of a row, a function for each column.
macro_rules! blocking {
    ($row:ident $rules:tt $(policy = $policy:expr)?) => {
        use afresh::cached;

        use crate::rows::{TTL, ttl_of};
        use crate::shop::{Answer, Shop, UNLUCKY, labels, price, result_labels};

        #[cached(ttl = 600, key = "{id}", tags = ["shops", "shop:{shop.number}"], cache = shop.cache $(, policy = $policy)?)]
        fn template(shop: &Shop, id: u32) -> Answer {
            shop.compute_sync(id)
        }

        #[cached(ttl = "10m", skip(shop), tags = labels(shop), inherit = false $(, policy = $policy)?)]
        fn skips(shop: &Shop, id: u32) -> Answer {
            shop.compute_sync(id)
        }

        #[cached(ttl = TTL, result_tags = result_labels, version = 3, singleflight $(, policy = $policy)?)]
        fn default_key(shop: &Shop, id: &u32) -> Answer {
            shop.compute_sync(*id)
        }

        #[cached(ttl = |value| ttl_of(*value), key = (stringify!($row), "blocking", id), namespace = "table", cache = shop.cache $(, policy = $policy)?)]
        fn expression(shop: &Shop, id: u32) -> Answer {
            shop.compute_sync(id)
        }

        #[cached(
            ttl = |value| ttl_of(*value) * u32::from(id < 100),
            key = "{id}",
            tags = ["shop:{shop.number}"],
            result_tags = |value| ["result:{shop.number}", format!("price:{value}")],
            store_if = |value| price(*value) != UNLUCKY,
            singleflight(lease = "5s", wait = "20s")
            $(, policy = $policy)?
        )]
        fn judged(shop: &Shop, id: u32) -> Answer {
            shop.compute_sync(id)
        }

        #[cached(ttl = 600, key = "{id}", tags = ["shop:{shop.number}"], local, singleflight $(, policy = $policy)?)]
        fn local(shop: &Shop, id: u32) -> Answer {
            shop.compute_sync(id)
        }

        struct Clerk<'a>(&'a Shop);

        impl Clerk<'_> {
            #[cached(ttl = 600, skip(self), tags = ["shop:{self.0.number}"], cache = self.0.cache $(, policy = $policy)?)]
            fn method(&self, name: &str, ids: &[u32]) -> Answer {
                self.0.compute_sync(ids[name.len()])
            }
        }

        crate::cell::cells! {
            $row $rules Sync:
            template(shop, id) => template(shop, id), [tags];
            skips(shop, id) => skips(shop, id), [tags apart];
            default_key(shop, id) => default_key(shop, &id), [result_tags singleflight];
            expression(shop, id) => expression(shop, id), [namespace ttl_of_value];
            judged(shop, id) => judged(shop, id), [tags result_tags store_if ttl_of_value singleflight];
            local(shop, id) => local(shop, id), [tags local singleflight];
            method(shop, id) => Clerk(shop).method("a", &[0, id]), [tags];
        }
    };
}
pub(crate) use blocking;
