//! The columns of async functions. Each form of each option is in at least one, with every policy;
//! and the options that meet a policy's machinery are together in some.

/// Of a row, a function for each column.
macro_rules! columns {
    ($row:ident $rules:tt $(policy = $policy:expr)?) => {
        use std::time::Duration;

        use afresh::cached;

        use crate::rows::{TTL, ttl_of};
        use crate::shop::{Answer, Shop, UNLUCKY, labels, price, result_labels};

        // The key a template, the ttl in seconds, tags a list, the cache given.
        #[cached(ttl = 600, key = "{id}", tags = ["shops", "shop:{shop.number}"], cache = shop.cache $(, policy = $policy)?)]
        async fn template(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        // The default key without an argument, the ttl a text, tags an expression, nothing taken over,
        // the default cache.
        #[cached(ttl = "10m", skip(shop), tags = labels(shop), inherit = false $(, policy = $policy)?)]
        async fn skips(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        // The default key, the ttl an expression, tags of the result by a path, a version.
        #[cached(ttl = TTL * u32::from(*id > 0), result_tags = result_labels, version = 3 $(, policy = $policy)?)]
        async fn default_key(shop: &Shop, id: &u32) -> Answer {
            shop.compute(*id).await
        }

        // The key an expression, the ttl of the value, a namespace, no tags.
        #[cached(ttl = |value| ttl_of(*value), key = (stringify!($row), "expression", id), namespace = "table", cache = shop.cache $(, policy = $policy)?)]
        async fn expression(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        // What is stored is asked of the value in each way that there is.
        #[cached(
            ttl = |value| ttl_of(*value) * u32::from(id < 100),
            key = "{id}",
            tags = labels(shop),
            result_tags = |value| ["result:{shop.number}", format!("price:{value}")],
            store_if = |value| price(*value) != UNLUCKY,
            version = 1
            $(, policy = $policy)?
        )]
        async fn judged(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = 600, key = "{id}", tags = ["shop:{shop.number}"], singleflight, cache = shop.cache $(, policy = $policy)?)]
        async fn flight(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = "10m", skip(shop), result_tags = |value| ["result:{shop.number}", "price:{value}"], singleflight(lease = "10s", wait = "30s") $(, policy = $policy)?)]
        async fn flight_result_tags(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = |value| ttl_of(*value), tags = labels(shop), singleflight, cache = shop.cache $(, policy = $policy)?)]
        async fn flight_ttl_of_value(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = TTL, key = "{shop.number}:{id}", store_if = |value| price(*value) != UNLUCKY, singleflight(wait = "20s"), version = 2, inherit = false $(, policy = $policy)?)]
        async fn flight_store_if(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = Duration::from_mins(10), key = (shop, id), tags = ["shop:{shop.number}"], local, cache = &shop.cache $(, policy = $policy)?)]
        async fn local(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        #[cached(ttl = "10m", skip(shop), result_tags = |value: &u32| result_labels(value), store_if = |value| price(*value) != UNLUCKY, local, singleflight $(, policy = $policy)?)]
        async fn local_flight(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        // All at once.
        #[cached(
            ttl = |value| ttl_of(*value),
            key = (stringify!($row), "everything", id),
            tags = ["shops", "shop:{shop.number}"],
            result_tags = result_labels,
            namespace = "table",
            version = 4,
            singleflight(lease = "5s", wait = "20s"),
            store_if = |value| price(*value) != UNLUCKY,
            inherit = false,
            cache = shop.cache
            $(, policy = $policy)?
        )]
        async fn everything(shop: &Shop, id: u32) -> Answer {
            shop.compute(id).await
        }

        crate::cell::cells! {
            $row $rules Async:
            template(shop, id) => Box::pin(template(shop, id)), [tags];
            skips(shop, id) => Box::pin(skips(shop, id)), [tags apart];
            default_key(shop, id) => Box::pin(async move { default_key(shop, &id).await }), [result_tags];
            expression(shop, id) => Box::pin(expression(shop, id)), [namespace ttl_of_value];
            judged(shop, id) => Box::pin(judged(shop, id)), [tags result_tags store_if ttl_of_value];
            flight(shop, id) => Box::pin(flight(shop, id)), [tags singleflight];
            flight_result_tags(shop, id) => Box::pin(flight_result_tags(shop, id)), [result_tags singleflight];
            flight_ttl_of_value(shop, id) => Box::pin(flight_ttl_of_value(shop, id)), [tags ttl_of_value singleflight];
            flight_store_if(shop, id) => Box::pin(flight_store_if(shop, id)), [store_if singleflight apart];
            local(shop, id) => Box::pin(local(shop, id)), [tags local];
            local_flight(shop, id) => Box::pin(local_flight(shop, id)), [result_tags store_if local singleflight];
            everything(shop, id) => Box::pin(everything(shop, id)), [tags result_tags namespace store_if ttl_of_value singleflight apart];
        }
    };
}
pub(crate) use columns;
