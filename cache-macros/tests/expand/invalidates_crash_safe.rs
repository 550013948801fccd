//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(tags = ["books"], crash_safe(deadline = "1m", required))]
//! async fn reprice(factor: f64) -> Result<(), DbError> {
//!     update(factor).await
//! }

async fn reprice(factor: f64) -> Result<(), DbError> {
    p::register!(
        Mutation, "reprice", ::core::line!(), 712197393, false, Tag("books"),
        CrashSafe("1m")
    );
    let call = p::mutate(
            p::Returns::<Result<(), DbError>>::NEW.shape().value(),
            const {
                &p::Mutation::new("reprice", ::core::file!(), ::core::line!())
                    .crash_safe(60000u64)
            },
            p::installed(),
            |m| {
                m.tags([p::tag("books")]);
            },
        )
        .required(p::refuse);
    call.run(async move {
            if false {
                return p::never::<Result<(), DbError>>();
            }
            { update(factor).await }
        })
        .await
}
