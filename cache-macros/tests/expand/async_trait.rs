//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, key = "{self.name}:{id}")]
//! fn book<'life0, 'async_trait>(
//!     &'life0 self,
//!     id: i64,
//! ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>>
//! where
//!     'life0: 'async_trait,
//!     Self: 'async_trait,
//! {
//!     Box::pin(async move {
//!         let __self = self;
//!         let id = id;
//!         let __ret: Book = { __self.load(id).await };
//!         __ret
//!     })
//! }

fn book<'life0, 'async_trait>(
    &'life0 self,
    id: i64,
) -> ::core::pin::Pin<
    Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        p::register!(
            Cached, "book", ::core::line!(), 1210891694, false, Ttl("1m"),
            Key("{self.name}:{id}")
        );
        let call = p::enter(
            p::Returns::<Book>::NEW.shape().errors().stored(),
            const {
                &p::Spec::new("book", ::core::file!(), ::core::line!(), 1210891694)
                    .template()
            },
            p::site(&|| ()),
            p::installed(),
            |k| {
                p::Text(&self.name).write(k);
                k.literal(":");
                p::Text(&id).write(k);
            },
        );
        call.run(move |start| {
                let plan = start.ttl(::core::time::Duration::from_secs(60u64));
                plan.body(async move {
                    if false {
                        return p::never::<Book>();
                    }
                    {
                        let __self = self;
                        let id = id;
                        let _ = &id;
                        let __ret: Book = { __self.load(id).await };
                        __ret
                    }
                })
            })
            .await
    })
}
