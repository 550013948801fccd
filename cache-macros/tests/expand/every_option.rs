//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(
//!     ttl = "1h30m",
//!     key = "{self.shop}/{r#type}",
//!     tags = ["{{all}}", format!("{}", r#type), "type:{type}"],
//!     namespace = "books",
//!     version = 3,
//!     singleflight(lease = "5s", wait = "1m"),
//!     store_if = |v| !v.is_empty(),
//!     result_tags = |v| ["first:{v.0}/{type}"],
//!     local,
//!     cache = self.cache,
//!     crate = crate::reexported,
//! )]
//! #[inline]
//! /// Documented.
//! pub(crate) async fn list<T>(&self, r#type: T) -> Vec<T>
//! where
//!     T: Display,
//! {
//!     #![warn(unused)]
//!     vec![r#type]
//! }

#[inline]
/// Documented.
#[warn(unused)]
pub(crate) async fn list<T>(&self, r#type: T) -> Vec<T>
where
    T: Display,
{
    p::register!(
        Cached, "list", ::core::line!(), 2221719665, false, Ttl("1h30m"),
        Key("{self.shop}/{type}"), Namespace("books"), Version(3), Tag("{{all}}"),
        Tag("{}"), Tag("type:{type}"), ResultTag("first:{v.0}/{type}"), Singleflight,
        Local
    );
    let call = p::enter(
        p::Returns::<Vec<T>>::NEW.shape().errors().local(),
        const {
            &p::Spec::new("list", ::core::file!(), ::core::line!(), 2221719665)
                .template()
                .namespace("books")
                .version(3u32)
                .singleflight(5000u64, 60000u64)
                .local()
        },
        p::site(&|| ()),
        p::cache(&(self.cache)),
        |k| {
            p::Text(&self.shop).write(k);
            k.literal("/");
            p::Text(&r#type).write(k);
        },
    );
    call.run(move |start| {
            let plan = start
                .ttl(::core::time::Duration::from_secs(5400u64))
                .tags([
                    p::tag("{all}"),
                    p::tag(format!("{}", r#type)),
                    p::tag_of!("type:{}", & r#type),
                ]);
            plan.judged(move |finishing| async move {
                let mut done = finishing
                    .body(async {
                        if false {
                            return p::never::<Vec<T>>();
                        }
                        { vec![r#type] }
                    })
                    .await;
                done.store_if(|v| !v.is_empty());
                done.result_tags(|v| [p::tag_of!("first:{}/{}", & v.0, & r#type)]);
                done.finish()
            })
        })
        .await
}
