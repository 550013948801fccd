//! The user that the cache under test connects as: it may do what the documentation says it must be
//! able to, and no more, so that every test shows whether that is enough. The tests' own look at a
//! server is the default user's.

/// Its name and password, as in a URL.
pub(crate) const LOGIN: &str = "tester:tester-s3cret@";

/// What it may do, as `ACL SETUSER` takes it.
const RULES: [&str; 32] = [
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
    "+mget",
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
    "+hlen",
    "+hset",
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DOCUMENTATION: &str = include_str!("../../../src/docs/redis.md");

    #[test]
    fn the_rights_are_those_of_the_documentation() {
        /// Documented for a database other than 0 and for what a client may leave out; the tests
        /// do without.
        const BESIDES: [&str; 3] = ["+hello", "+select", "+client|setinfo"];
        let (_, after) = DOCUMENTATION.split_once("ACL SETUSER").expect("a line");
        let (line, _) = after.split_once("```").expect("an end of the line");
        let rights = |words: Vec<&'static str>| {
            let words = words.into_iter().filter(|word| word.starts_with('+'));
            words.collect::<BTreeSet<_>>()
        };
        let mut documented = rights(line.split_whitespace().collect());
        documented.retain(|right| !BESIDES.contains(right));
        assert_eq!(rights(rules(true).collect()), documented);
    }
}
