//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = "1500ms", key = "{id}", store_if = Option::is_some)]
//! async fn find(id: i64) -> Option<Book> {
//!     None
//! }

async fn find(id: i64) -> Option<Book> {
    p::register!(
        Cached, "find", ::core::line!(), 3330152570, false, Ttl("1s500ms"), Key("{id}")
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
            let plan = start.ttl(::core::time::Duration::from_millis(1500u64));
            plan.judged(move |finishing| async move {
                let mut done = finishing
                    .body(async move {
                        if false {
                            return p::never::<Option<Book>>();
                        }
                        { None }
                    })
                    .await;
                done.store_if(Option::is_some);
                done.finish()
            })
        })
        .await
}
