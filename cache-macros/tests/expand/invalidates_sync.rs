//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books"])]
//! fn add(title: &str) -> Result<u64, DbError> {
//!     insert(title)
//! }

fn add(title: &str) -> Result<u64, DbError> {
    p::register!(Mutation, "add", ::core::line!(), 300887473, true, Tag("books"));
    let call = p::mutate(
        p::Returned::<Result<u64, DbError>>::NEW.returned().shape().value(),
        const { &p::Mutation::new("add", ::core::file!(), ::core::line!()) },
        p::installed(),
        |m| {
            m.tags([p::tag("books")]);
        },
    );
    call.run_sync(move || {
        if false {
            return p::never::<Result<u64, DbError>>();
        }
        { insert(title) }
    })
}
