//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, key = "{id}:{name}", policy = SHOP)]
//! async fn book(db: &Db, id: i64, mut name: &str, tags: Option<&str>, traced: bool) -> Result<Book, DbError> {
//!     name = name.trim();
//!     db.query(id, name, tags).await
//! }

async fn book(
    db: &Db,
    id: i64,
    name: &str,
    tags: Option<&str>,
    traced: bool,
) -> Result<Book, DbError> {
    p::register!(
        Cached, "book", ::core::line!(), 4126815933, false, Ttl("1m"),
        Key("{id}:{name}"), Policy("SHOP")
    );
    let call = p::enter(
        p::Returns::<Result<Book, DbError>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("book", ::core::file!(), ::core::line!(), 4126815933)
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
            policy.limits(plan, p::Returns::<Result<Book, DbError>>::NEW.shape());
            let own_db = policy.own(db);
            policy.take(&id);
            let own_name = policy.own(name);
            policy.borrowing(&tags);
            policy
                .body(
                    plan,
                    async move {
                        #[allow(
                            clippy::shadow_reuse,
                            clippy::shadow_same,
                            clippy::shadow_unrelated
                        )]
                        let db = own_db.lend();
                        let _ = &db;
                        #[allow(
                            clippy::shadow_reuse,
                            clippy::shadow_same,
                            clippy::shadow_unrelated
                        )]
                        let mut name = own_name.lend();
                        let _ = &name;
                        if false {
                            return p::never::<Result<Book, DbError>>();
                        }
                        {
                            name = name.trim();
                            db.query(id, name, tags).await
                        }
                    },
                )
        })
        .await
}
