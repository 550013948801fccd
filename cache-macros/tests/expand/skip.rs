//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = "90s", skip(self, db))]
//! async fn total(&self, db: &Db, shop: u32) -> u64 {
//!     0
//! }

async fn total(&self, db: &Db, shop: u32) -> u64 {
    p::register!(
        Cached, "total", ::core::line!(), 2131987044, false, Ttl("1m30s"),
        KeyParts("shop")
    );
    let call = p::enter(
        p::Returns::<u64>::NEW.shape().errors().stored(),
        const { &p::Spec::new("total", ::core::file!(), ::core::line!(), 2131987044) },
        p::site(&|| ()),
        p::installed(),
        |k| {
            k.part(&shop);
        },
    );
    call.run(move |start| {
            let plan = start.ttl(::core::time::Duration::from_secs(90u64));
            plan.body(async move {
                if false {
                    return p::never::<u64>();
                }
                { 0 }
            })
        })
        .await
}
