//! The user that the cache under test connects as: it may do what the documentation says it must be
//! able to, and no more, so that every test shows whether that is enough. The tests' own look at a
//! server is the default user's.

/// Its name and password, as in a URL.
pub(crate) const LOGIN: &str = "tester:tester-s3cret@";

/// What it may do, as `ACL SETUSER` takes it.
const RULES: [&str; 31] = [
    "tester",
    "on",
    ">tester-s3cret",
    "resetchannels",
    "~*:afresh:1:*",
    "+ping",
    "+time",
    "+info",
    "+client|tracking",
    "+client|caching",
    "+script|load",
    "+evalsha",
    "+get",
    "+set",
    "+del",
    "+unlink",
    "+strlen",
    "+getrange",
    "+pexpire",
    "+pttl",
    "+hget",
    "+hmget",
    "+hgetall",
    "+hvals",
    "+hexists",
    "+hset",
    "+hsetnx",
    "+hdel",
    "+xadd",
    "+xtrim",
    "+xrange",
];

/// What it may do besides in a cluster.
const CLUSTER: [&str; 2] = ["+cluster|slots", "+asking"];

/// Arguments by which a test says itself who may do what.
const OWN: [&str; 3] = ["--user", "--requirepass", "--aclfile"];

/// The words of the `user` directive.
pub(crate) fn rules(in_cluster: bool) -> impl Iterator<Item = &'static str> {
    let more = if in_cluster { &CLUSTER[..] } else { &[] };
    RULES.iter().chain(more).copied()
}

/// Whether a server with these arguments is to have this user.
pub(crate) fn apply<W: AsRef<str>>(arguments: &[W]) -> bool {
    !arguments.iter().any(|word| OWN.contains(&word.as_ref()))
}
