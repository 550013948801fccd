//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached]
//! pub async fn page(genre: &str, (from, to): (u32, u32), #[cfg(feature = "x")] x: X) -> Vec<Book> {
//!     todo()
//! }

pub async fn page(
    genre: &str,
    (from, to): (u32, u32),
    #[cfg(feature = "x")]
    x: X,
) -> Vec<Book> {
    p::register!(
        Cached, "page", ::core::line!(), 1484998566, false,
        KeyParts("genre, from, to, x")
    );
    let call = p::enter(
        p::Returns::<Vec<Book>>::NEW.shape().errors().stored(),
        const { &p::Spec::new("page", ::core::file!(), ::core::line!(), 1484998566) },
        p::site(&|| ()),
        p::installed(),
        |k| {
            k.part(&genre);
            k.part(&from);
            k.part(&to);
            #[cfg(feature = "x")] k.part(&x);
        },
    );
    call.run(move |start| {
            let plan = start;
            plan.body(async move {
                if false {
                    return p::never::<Vec<Book>>();
                }
                { todo() }
            })
        })
        .await
}
