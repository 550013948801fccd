//! The columns of other shapes of async functions: methods, methods of traits, generic functions,
//! borrowed arguments.

/// Of a row, a function for each shape.
macro_rules! shapes {
    ($row:ident $rules:tt $(policy = $policy:expr)?) => {
        use std::fmt;

        use afresh::{KeyPart, cached};
        use async_trait::async_trait;

        use crate::shop::{Answer, Shop};

        #[derive(Clone)]
        struct Clerk(Shop);

        impl Clerk {
            #[cached(ttl = 600, key = "{id}", tags = ["shop:{self.0.number}"], cache = self.0.cache $(, policy = $policy)?)]
            async fn method(&self, id: u32) -> Answer {
                self.0.compute(id).await
            }
        }

        #[async_trait]
        trait Sells {
            async fn boxed(&self, id: u32, name: &str) -> Answer;
        }

        #[async_trait]
        impl Sells for Clerk {
            #[cached(ttl = 600, skip(self), tags = ["shop:{self.0.number}"], singleflight, cache = self.0.cache $(, policy = $policy)?)]
            async fn boxed(&self, id: u32, name: &str) -> Answer {
                self.0.compute(id + u32::from(name.is_empty())).await
            }
        }

        #[cached(ttl = 600, key = id, result_tags = |value| ["result:{shop.number}", "price:{value}"], cache = shop.cache $(, policy = $policy)?)]
        async fn generic<K>(shop: &Shop, id: &K) -> Answer
        where
            K: KeyPart + Copy + Into<u32> + fmt::Debug + Send + Sync + 'static,
        {
            shop.compute((*id).into()).await
        }

        #[cached(ttl = 600, tags = ["shop:{shop.number}"], cache = shop.cache $(, policy = $policy)?)]
        async fn borrowed(shop: &Shop, name: &str, ids: &[u64]) -> Answer {
            let id = ids.iter().sum::<u64>() - name.len() as u64;
            shop.compute(u32::try_from(id).expect("a small one")).await
        }

        #[cached(ttl = 600, skip(shop), tags = ["shop:{shop.number}"], singleflight $(, policy = $policy)?)]
        async fn taken((id, name): (u32, String), mut shop: Shop) -> Answer {
            shop = shop.clone();
            shop.compute(id + u32::from(name.is_empty())).await
        }

        crate::cell::cells! {
            $row $rules Async:
            method(shop, id) => Box::pin(async move { Clerk(shop.clone()).method(id).await }), [tags];
            boxed(shop, id) => Box::pin(async move { Clerk(shop.clone()).boxed(id, "a").await }), [tags singleflight];
            generic(shop, id) => Box::pin(async move { generic(shop, &id).await }), [result_tags];
            borrowed(shop, id) => Box::pin(async move { borrowed(shop, "abc", &[u64::from(id), 3]).await }), [tags];
            taken(shop, id) => Box::pin(taken((id, "a".to_owned()), shop.clone())), [tags singleflight];
        }
    };
}
pub(crate) use shapes;
