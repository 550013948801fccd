//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(key = "{name}", store_if = |found| found.len() <= limit.get())]
//! async fn search(name: String, limit: Limit) -> Vec<Book> {
//!     all(&name)
//! }

async fn search(name: String, limit: Limit) -> Vec<Book> {
    p::register!(Cached, "search", ::core::line!(), 3522075533, false, Key("{name}"));
    let call = p::enter(
        p::Returns::<Vec<Book>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("search", ::core::file!(), ::core::line!(), 3522075533)
                .template()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            p::Text(&name).write(k);
        },
    );
    call.run(move |start| {
            let plan = start;
            plan.judged(move |finishing| async move {
                let mut done = finishing
                    .body(async {
                        if false {
                            return p::never::<Vec<Book>>();
                        }
                        { all(&name) }
                    })
                    .await;
                done.store_if(|found| found.len() <= limit.get());
                done.finish()
            })
        })
        .await
}
