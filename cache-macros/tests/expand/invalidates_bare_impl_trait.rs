//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books"])]
//! async fn add(title: &str) -> impl IntoResponse {
//!     insert(title).await
//! }

async fn add(title: &str) -> impl IntoResponse {
    p::register!(Mutation, "add", ::core::line!(), 2387496526, false, Tag("books"));
    let call = p::mutate(
        p::Whole::UNNAMED.value(),
        const { &p::Mutation::new("add", ::core::file!(), ::core::line!()) },
        p::installed(),
        |m| {
            m.tags([p::tag("books")]);
        },
    );
    call.run(async move { { insert(title).await } }).await
}
