//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books", "book:{id}"])]
//! async fn rename(db: &Db, id: i64, title: &str) -> Result<(), DbError> {
//!     db.rename(id, title).await
//! }

async fn rename(db: &Db, id: i64, title: &str) -> Result<(), DbError> {
    p::register!(
        Mutation, "rename", ::core::line!(), 1855843910, false, Tag("books"),
        Tag("book:{id}")
    );
    let call = p::mutate(
        p::Returns::<Result<(), DbError>>::NEW.shape().value(),
        const { &p::Mutation::new("rename", ::core::file!(), ::core::line!()) },
        p::installed(),
        |m| {
            m.tags([p::tag("books"), p::tag_of!("book:{}", & id)]);
        },
    );
    call.run(async move {
            if false {
                return p::never::<Result<(), DbError>>();
            }
            { db.rename(id, title).await }
        })
        .await
}
