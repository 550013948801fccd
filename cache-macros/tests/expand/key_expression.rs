//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = HOUR, key = (id, page + 1))]
//! async fn reviews(id: i64, page: u32) {}

async fn reviews(id: i64, page: u32) {
    p::register!(
        Cached, "reviews", ::core::line!(), 3357177918, false, TtlExpr("HOUR"),
        KeyExpr("(id, page + 1)")
    );
    let call = p::enter(
        p::Returns::<()>::NEW.shape().errors().stored(),
        const { &p::Spec::new("reviews", ::core::file!(), ::core::line!(), 3357177918) },
        p::site(&|| ()),
        p::installed(),
        |k| {
            k.part(&((id, page + 1)));
        },
    );
    call.run(move |start| {
            let plan = start.ttl(HOUR);
            plan.body(async move {
                if false {
                    return p::never::<()>();
                }
                {}
            })
        })
        .await
}
