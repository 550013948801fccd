//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(key = "{id}", tags = ["books"], ttl = |found| if found.is_none() { SECOND } else { HOUR })]
//! async fn find(id: i64) -> Option<Book> {
//!     None
//! }

async fn find(id: i64) -> Option<Book> {
    p::register!(
        Cached, "find", ::core::line!(), 3330152570, false,
        TtlOf("|found| if found.is_none() { SECOND } else { HOUR }"), Key("{id}"),
        Tag("books")
    );
    let call = p::enter(
        p::Returns::<Option<Book>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("find", ::core::file!(), ::core::line!(), 3330152570)
                .template()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            p::Text(&id).write(k);
        },
    );
    call.run(move |start| {
            let plan = start.ttl_follows().tags([p::tag("books")]);
            plan.judged(move |finishing| async move {
                let mut done = finishing
                    .body(async move {
                        if false {
                            return p::never::<Option<Book>>();
                        }
                        { None }
                    })
                    .await;
                done.ttl(|found| if found.is_none() { SECOND } else { HOUR });
                done.finish()
            })
        })
        .await
}
