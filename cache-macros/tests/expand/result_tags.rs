//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, key = "{id}", result_tags = |book| ["author:{book.author}", book.genre()])]
//! async fn book(id: i64) -> Result<Book, DbError> {
//!     load(id).await
//! }

async fn book(id: i64) -> Result<Book, DbError> {
    p::register!(
        Cached, "book", ::core::line!(), 1875135904, false, Ttl("1m"), Key("{id}"),
        ResultTag("author:{book.author}"), ResultTagExpr("book.genre()")
    );
    let call = p::enter(
        p::Returns::<Result<Book, DbError>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("book", ::core::file!(), ::core::line!(), 1875135904)
                .template()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            p::Text(&id).write(k);
        },
    );
    call.run(move |start| {
            let plan = start.ttl(::core::time::Duration::from_secs(60u64));
            plan.judged(move |finishing| async move {
                let mut done = finishing
                    .body(async move {
                        if false {
                            return p::never::<Result<Book, DbError>>();
                        }
                        { load(id).await }
                    })
                    .await;
                done.result_tags(|book| [
                    p::tag_of!("author:{}", & book.author),
                    p::tag(book.genre()),
                ]);
                done.finish()
            })
        })
        .await
}
