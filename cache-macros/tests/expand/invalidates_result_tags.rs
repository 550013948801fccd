//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books"], result_tags = |book| ["author:{book.author}", "by:{user.name}"])]
//! async fn add(user: User, title: &str) -> Result<Book, DbError> {
//!     insert(title).await
//! }

async fn add(user: User, title: &str) -> Result<Book, DbError> {
    p::register!(
        Mutation, "add", ::core::line!(), 4156321577, false, Tag("books"),
        ResultTag("author:{book.author}"), ResultTag("by:{user.name}")
    );
    let call = p::mutate(
        p::Returns::<Result<Book, DbError>>::NEW.shape().value(),
        const { &p::Mutation::new("add", ::core::file!(), ::core::line!()) },
        p::installed(),
        |m| {
            m.tags([p::tag("books")]);
        },
    );
    call.judged(move |finishing| async move {
            let mut done = finishing
                .body(async {
                    if false {
                        return p::never::<Result<Book, DbError>>();
                    }
                    { insert(title).await }
                })
                .await;
            done.result_tags(|book| [
                p::tag_of!("author:{}", & book.author),
                p::tag_of!("by:{}", & user.name),
            ]);
            done.finish()
        })
        .await
}
