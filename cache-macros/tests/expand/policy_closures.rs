//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(
//!     key = "{id}",
//!     policy = Policy::new().stale_for(MINUTE),
//!     store_if = |book| !book.is_draft(),
//!     ttl = |book| self.ttl(book),
//!     result_tags = |book| ["author:{book.author}", "shop:{shop.name}"],
//! )]
//! async fn book(&self, shop: &Shop, id: i64) -> Result<Book, DbError> {
//!     shop.load(id).await
//! }

async fn book(&self, shop: &Shop, id: i64) -> Result<Book, DbError> {
    p::register!(
        Cached, "book", ::core::line!(), 3018821172, false,
        TtlOf("|book| self.ttl(book)"), Key("{id}"), ResultTag("author:{book.author}"),
        ResultTag("shop:{shop.name}"), Policy("Policy::new().stale_for(MINUTE)")
    );
    let call = p::enter(
        p::Returns::<Result<Book, DbError>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("book", ::core::file!(), ::core::line!(), 3018821172)
                .template()
                .policy()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            p::Text(&id).write(k);
        },
    );
    call.run(move |start| {
            let plan = start.ttl_follows();
            let policy = p::policy(&(Policy::new().stale_for(MINUTE)));
            policy.limits(plan, p::Returns::<Result<Book, DbError>>::NEW.shape());
            let this = policy.own(self);
            let own_shop = policy.own(shop);
            policy.take(&id);
            policy
                .judged(
                    plan,
                    move |finishing| async move {
                        let this = this.lend();
                        let _ = &this;
                        #[allow(
                            clippy::shadow_reuse,
                            clippy::shadow_same,
                            clippy::shadow_unrelated
                        )]
                        let shop = own_shop.lend();
                        let _ = &shop;
                        let mut done = finishing
                            .body(async {
                                if false {
                                    return p::never::<Result<Book, DbError>>();
                                }
                                { shop.load(id).await }
                            })
                            .await;
                        done.store_if(|book| !book.is_draft());
                        done.ttl(|book| this.ttl(book));
                        done.result_tags(|book| [
                            p::tag_of!("author:{}", & book.author),
                            p::tag_of!("shop:{}", & shop.name),
                        ]);
                        done.finish()
                    },
                )
        })
        .await
}
