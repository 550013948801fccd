//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books"])]
//! fn add(title: &str) -> Result<(u16, impl IntoResponse), DbError> {
//!     insert(title)
//! }

fn add(title: &str) -> Result<(u16, impl IntoResponse), DbError> {
    p::register!(Mutation, "add", ::core::line!(), 2683610714, true, Tag("books"));
    let call = p::mutate(
        p::Returns::<Result<(u16, _), DbError>>::NEW.shape().value(),
        const { &p::Mutation::new("add", ::core::file!(), ::core::line!()) },
        p::installed(),
        |m| {
            m.tags([p::tag("books")]);
        },
    );
    call.run_sync(move || {
        if false {
            return p::never::<Result<(u16, _), DbError>>();
        }
        { insert(title) }
    })
}
