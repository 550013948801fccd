//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(key = "{name}", store_if = Option::is_some, result_tags = labels(&shop))]
//! async fn find(shop: Shop, name: &str) -> Option<Book> {
//!     shop.find(name).await
//! }

async fn find(shop: Shop, name: &str) -> Option<Book> {
    p::register!(
        Cached, "find", ::core::line!(), 2959100721, false, Key("{name}"),
        ResultTags("labels(&shop)")
    );
    let call = p::enter(
        p::Returns::<Option<Book>>::NEW.shape().errors().stored(),
        const {
            &p::Spec::new("find", ::core::file!(), ::core::line!(), 2959100721)
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
                            return p::never::<Option<Book>>();
                        }
                        { shop.find(name).await }
                    })
                    .await;
                done.store_if(Option::is_some);
                done.result_tags(labels(&shop));
                done.finish()
            })
        })
        .await
}
