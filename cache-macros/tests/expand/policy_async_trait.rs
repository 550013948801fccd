//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, key = "{id}:{name}", policy = SHOP)]
//! fn book<'life0, 'life1, 'async_trait>(
//!     &'life0 self,
//!     id: i64,
//!     name: &'life1 str,
//! ) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>>
//! where
//!     'life0: 'async_trait,
//!     'life1: 'async_trait,
//!     Self: 'async_trait,
//! {
//!     Box::pin(async move {
//!         let __self = self;
//!         let id = id;
//!         let name = name;
//!         let __ret: Book = { __self.load(id).await };
//!         __ret
//!     })
//! }

fn book<'life0, 'life1, 'async_trait>(
    &'life0 self,
    id: i64,
    name: &'life1 str,
) -> ::core::pin::Pin<
    Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>,
>
where
    'life0: 'async_trait,
    'life1: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        p::register!(
            Cached, "book", ::core::line!(), 3625905537, false, Ttl("1m"),
            Key("{id}:{name}"), Policy("SHOP")
        );
        let call = p::enter(
            p::Returns::<Book>::NEW.shape().errors().stored(),
            const {
                &p::Spec::new("book", ::core::file!(), ::core::line!(), 3625905537)
                    .template()
                    .policy()
            },
            p::site(&|| ()),
            p::installed(),
            |k| {
                p::Text(&id).write(k);
                k.literal(":");
                p::Text(&name).write(k);
            },
        );
        call.run(move |start| {
                let plan = start.ttl(::core::time::Duration::from_secs(60u64));
                let policy = p::policy(&(SHOP));
                policy.limits(plan, p::Returns::<Book>::NEW.shape());
                let this = policy.own(self);
                policy.take(&id);
                policy
                    .body(
                        plan,
                        async move {
                            let this = this.lend();
                            let _ = &this;
                            if false {
                                return p::never::<Book>();
                            }
                            {
                                let __self = this;
                                let id = id;
                                let _ = &id;
                                let __ret: Book = { __self.load(id).await };
                                __ret
                            }
                        },
                    )
            })
            .await
    })
}
