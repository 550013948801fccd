//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
//! async fn book(db: &Db, id: i64) -> Result<Book, DbError> {
//!     db.query(id).await
//! }

async fn book(db: &Db, id: i64) -> Result<Book, DbError> {
    p::register!(
        Cached, "book", ::core::line!(), 4263303488, false, Ttl("30m"), Key("book:{id}"),
        Tag("books"), Tag("book:{id}"), Singleflight
    );
    let call = p::enter(
        p::Returns::<Result<Book, DbError>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("book", ::core::file!(), ::core::line!(), 4263303488)
                .template()
                .singleflight(10000u64, 30000u64)
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            k.literal("book:");
            p::Text(&id).write(k);
        },
    );
    call.run(move |start| {
            let plan = start
                .ttl(::core::time::Duration::from_secs(1800u64))
                .tags([p::tag("books"), p::tag_of!("book:{}", & id)]);
            plan.body(async move {
                if false {
                    return p::never::<Result<Book, DbError>>();
                }
                { db.query(id).await }
            })
        })
        .await
}
