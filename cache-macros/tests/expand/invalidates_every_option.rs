//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[invalidates(
//!     tags = self.tags(),
//!     entries = [book(&self.db, id), self.page(1)],
//!     namespaces = ["lists"],
//!     when = before,
//!     cache = self.cache,
//!     crate = crate::reexported,
//! )]
//! async fn delete(&mut self, id: i64) {
//!     self.db.delete(id).await;
//! }

async fn delete(&mut self, id: i64) {
    p::register!(
        Mutation, "delete", ::core::line!(), 313035523, false, Tags("self.tags()"),
        Namespace("lists"), Entry("book"), Entry("self.page"), When("before")
    );
    let call = p::mutate(
        p::Returns::<()>::NEW.shape().value(),
        const {
            &p::Mutation::new("delete", ::core::file!(), ::core::line!())
                .when(p::When::Before)
        },
        p::cache(&(self.cache)),
        |m| {
            m.tags(self.tags());
            m.namespaces(["lists"]);
            m.entry(book(&self.db, id));
            m.entry(self.page(1));
        },
    );
    call.run(async move {
            if false {
                return p::never::<()>();
            }
            {
                self.db.delete(id).await;
            }
        })
        .await
}
