//! The options that `#[cached]` takes, and what to say about names that are none: what other
//! libraries call them, and what is set elsewhere. What the options mean is read in `cached`.

use crate::args::{Instead, Known};

/// The options of `#[cached]`.
pub(crate) const CACHED: Known = Known {
    attribute: "cached",
    names: &[
        "ttl",
        "key",
        "skip",
        "tags",
        "result_tags",
        "namespace",
        "version",
        "singleflight",
        "policy",
        "store_if",
        "local",
        "inherit",
        "cache",
        "crate",
    ],
    example: "ttl = 60",
    foreign: &[
        (
            "stale_for",
            Instead::Says(
                "`stale_for` is part of a policy: write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "stale_if_error",
            Instead::Says(
                "`stale_if_error` is part of a policy: write `policy = const { afresh::Policy::new().stale_if_error(Duration::from_secs(3600)) }`",
            ),
        ),
        (
            "backoff",
            Instead::Says(
                "`backoff` is part of a policy: write `policy = const { afresh::Policy::new().stale_if_error(Duration::from_secs(3600)).backoff(Duration::from_secs(1), Duration::from_secs(30)) }`",
            ),
        ),
        (
            "refresh_ahead",
            Instead::Says(
                "`refresh_ahead` is part of a policy: write `policy = const { afresh::Policy::new().refresh_ahead(0.8) }`",
            ),
        ),
        (
            "soft_timeout",
            Instead::Says(
                "`soft_timeout` is part of a policy: write `policy = const { afresh::Policy::new().stale_if_error(Duration::from_secs(3600)).soft_timeout(Duration::from_millis(200)) }`",
            ),
        ),
        (
            "hard_timeout",
            Instead::Says(
                "`hard_timeout` is part of a policy: write `policy = const { afresh::Policy::new().hard_timeout(Duration::from_secs(2)) }`",
            ),
        ),
        (
            "background_timeout",
            Instead::Says(
                "`background_timeout` is part of a policy: write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)).background_timeout(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "jitter",
            Instead::Says(
                "`jitter` is part of a policy: write `policy = const { afresh::Policy::new().jitter(0.1) }`",
            ),
        ),
        (
            "swr",
            Instead::Says(
                "`swr` is called `stale_for` here, and is part of a policy: write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "stale",
            Instead::Says(
                "`stale` is called `stale_for` here, and is part of a policy: write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "stale_while_revalidate",
            Instead::Says(
                "`stale_while_revalidate` is called `stale_for` here, and is part of a policy: write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "refresh",
            Instead::Says(
                "`refresh` is no option: a hit never extends the ttl here. To compute a value anew before its ttl is over, write `policy = const { afresh::Policy::new().refresh_ahead(0.8) }`",
            ),
        ),
        (
            "early_refresh",
            Instead::Says(
                "`early_refresh` is called `refresh_ahead` here, and is part of a policy: write `policy = const { afresh::Policy::new().refresh_ahead(0.8) }`",
            ),
        ),
        (
            "grace",
            Instead::Says(
                "`grace` is part of a policy: `stale_for(..)` serves a value past its ttl while a new one is computed, `stale_if_error(..)` where computing fails; write `policy = const { afresh::Policy::new().stale_for(Duration::from_secs(60)) }`",
            ),
        ),
        (
            "fail_safe",
            Instead::Says(
                "`fail_safe` is called `stale_if_error` here, and is part of a policy: write `policy = const { afresh::Policy::new().stale_if_error(Duration::from_secs(3600)) }`",
            ),
        ),
        (
            "result_fallback",
            Instead::Says(
                "`result_fallback` is called `stale_if_error` here, and is part of a policy: write `policy = const { afresh::Policy::new().stale_if_error(Duration::from_secs(3600)) }`",
            ),
        ),
        ("time", Instead::Called("ttl", "ttl = 60")),
        ("expire", Instead::Called("ttl", "ttl = 60")),
        ("expires", Instead::Called("ttl", "ttl = 60")),
        ("ttl_secs", Instead::Called("ttl", "ttl = 60")),
        ("ttl_millis", Instead::Called("ttl", "ttl = \"60ms\"")),
        (
            "timeout",
            Instead::Says(
                "`timeout` is no option: how long a value lives is `ttl = 60`; how long a call may wait is `policy = const { afresh::Policy::new().hard_timeout(Duration::from_secs(2)) }`",
            ),
        ),
        ("duration", Instead::Called("ttl", "ttl = 60")),
        ("max_age", Instead::Called("ttl", "ttl = 60")),
        (
            "sync_writes",
            Instead::Called("singleflight", "singleflight"),
        ),
        ("coalesce", Instead::Called("singleflight", "singleflight")),
        ("lock", Instead::Called("singleflight", "singleflight")),
        ("tag", Instead::Called("tags", "tags = [\"books\"]")),
        (
            "name",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "prefix",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "group",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        (
            "region",
            Instead::Called("namespace", "namespace = \"books\""),
        ),
        ("convert", Instead::Called("key", "key = \"{id}\"")),
        (
            "create",
            Instead::Says(
                "a `Cache` is built at start-up, and not here: write `cache = ..` for one that is not the default",
            ),
        ),
        (
            "ty",
            Instead::Says(
                "a `Cache` is built at start-up, and not here: write `cache = ..` for one that is not the default",
            ),
        ),
        ("ignore", Instead::Called("skip", "skip(db)")),
        ("exclude", Instead::Called("skip", "skip(db)")),
        (
            "condition",
            Instead::Called("store_if", "store_if = |value| .."),
        ),
        (
            "cache_if",
            Instead::Called("store_if", "store_if = |value| .."),
        ),
        (
            "option",
            Instead::Says(
                "`None` is stored: write `store_if = Option::is_some` where it should not be",
            ),
        ),
        (
            "result",
            Instead::Says("an `Err` is never stored: remove `result`"),
        ),
        (
            "size",
            Instead::Says(
                "`size` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "max_size",
            Instead::Says(
                "`max_size` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "capacity",
            Instead::Says(
                "`capacity` is set for the whole cache: write `Cache::builder().local_capacity(..)`",
            ),
        ),
        (
            "entries",
            Instead::Says(
                "`entries` is an option of `#[invalidates]`: write it on the function that changes them",
            ),
        ),
        (
            "namespaces",
            Instead::Says("a function has one namespace: write `namespace = \"books\"`"),
        ),
        (
            "when",
            Instead::Says(
                "`when` is an option of `#[invalidates]`: write it on the function that changes the data",
            ),
        ),
        (
            "crash_safe",
            Instead::Says(
                "`crash_safe` is an option of `#[invalidates]`: write it on the function that changes the data",
            ),
        ),
    ],
};
