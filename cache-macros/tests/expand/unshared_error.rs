//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(key = "{name}", local)]
//! async fn parse<'a>(name: &'a str) -> Result<Book, ParseError<'a>> {
//!     name.parse()
//! }

async fn parse<'a>(name: &'a str) -> Result<Book, ParseError<'a>> {
    p::register!(
        Cached, "parse", ::core::line!(), 2619994434, false, Key("{name}"), Local
    );
    let call = p::enter(
        p::Returns::<Result<Book, ParseError<'a>>>::NEW.shape().unshared().local(),
        const {
            &p::Spec::new("parse", ::core::file!(), ::core::line!(), 2619994434)
                .template()
                .local()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            p::Text(&name).write(k);
        },
    );
    call.run(move |start| {
            let plan = start;
            plan.body(async move {
                if false {
                    return p::never::<Result<Book, ParseError<'a>>>();
                }
                { name.parse() }
            })
        })
        .await
}
