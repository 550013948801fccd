//! The expansion (`p` is the hidden module, whose path is absolute) of:
//!
//! #[cached(ttl = 60, policy = STEADY)]
//! fn size(path: &Path) -> io::Result<u64> {
//!     Ok(fs::metadata(path)?.len())
//! }

fn size(path: &Path) -> io::Result<u64> {
    p::register!(
        Cached, "size", ::core::line!(), 2630229334, true, Ttl("1m"), KeyParts("path"),
        Policy("STEADY")
    );
    let call = p::enter(
        p::Returned::<io::Result<u64>>::NEW.returned().shape().errors().stored(),
        const {
            &p::Spec::new("size", ::core::file!(), ::core::line!(), 2630229334)
                .sync()
                .policy()
        },
        p::site(&|| ()),
        p::installed(),
        |k| {
            k.part(&path);
        },
    );
    call.run_sync(move |start| {
        let plan = start.ttl(::core::time::Duration::from_secs(60u64));
        let policy = p::policy(&(STEADY)).blocking();
        policy.limits(plan, ());
        plan.body_sync(move || {
            if false {
                return p::never::<io::Result<u64>>();
            }
            { Ok(fs::metadata(path)?.len()) }
        })
    })
}
