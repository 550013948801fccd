//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, key = "{id}", policy = self.policy)]
//! async fn book(&self, #[cfg(feature = "x")] x: &X, id: i64) -> Book {
//!     self.load(id, || self.shop.name()).await
//! }

async fn book(&self, #[cfg(feature = "x")] x: &X, id: i64) -> Book {
    p::register!(
        Cached, "book", ::core::line!(), 2501436114, false, Ttl("1m"), Key("{id}"),
        Policy("self.policy")
    );
    let call = p::enter(
        p::Returns::<Book>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("book", ::core::file!(), ::core::line!(), 2501436114)
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
            let plan = start.ttl(::core::time::Duration::from_secs(60u64));
            let policy = p::policy(&(self.policy));
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
                        { this.load(id, || this.shop.name()).await }
                    },
                )
        })
        .await
}
