//! The scripts that run inside the server: their texts, and how they are called. What they do is
//! in the `.lua` files beside this one.

use redis::{Cmd, Pipeline, cmd, pipe};

/// A script, by its place in the list of those loaded on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    Attach,
    Append,
    Mark,
    Expire,
    Rotate,
    Ask,
    Bid,
    Renew,
    Fill,
    Release,
    Discard,
    Probe,
}

/// What stands before each script that changes the log.
const LOG: &str = include_str!("log.lua");

const ALL: [(Script, &str); 12] = [
    (Script::Attach, include_str!("attach.lua")),
    (Script::Append, include_str!("append.lua")),
    (Script::Mark, include_str!("mark.lua")),
    (Script::Expire, include_str!("expire.lua")),
    (Script::Rotate, include_str!("rotate.lua")),
    (Script::Ask, include_str!("ask.lua")),
    (Script::Bid, include_str!("bid.lua")),
    (Script::Renew, include_str!("renew.lua")),
    (Script::Fill, include_str!("fill.lua")),
    (Script::Release, include_str!("release.lua")),
    (Script::Discard, include_str!("discard.lua")),
    (Script::Probe, include_str!("probe.lua")),
];

impl Script {
    /// Whether it changes the log.
    fn is_of_the_log(self) -> bool {
        matches!(
            self,
            Self::Attach | Self::Append | Self::Mark | Self::Expire | Self::Rotate
        )
    }
}

/// The scripts as one server knows them.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// By the order of `ALL`, which is that of the enum.
    digests: Vec<String>,
}

impl Loaded {
    /// The commands that load every script. An invalidation must get through when memory is
    /// full; servers from 7.0 on let a script say so in its first line, older ones refuse it.
    pub(super) fn load(says_flags: bool) -> Pipeline {
        let mut load = pipe();
        for (script, text) in ALL {
            let prelude = if script.is_of_the_log() { LOG } else { "" };
            let must_run = script.is_of_the_log() || script == Script::Probe;
            let first = if says_flags && must_run {
                "#!lua flags=allow-oom\n"
            } else {
                ""
            };
            load.cmd("SCRIPT")
                .arg("LOAD")
                .arg(format!("{first}{prelude}{text}"));
        }
        load
    }

    /// From the replies to [`load`](Self::load).
    pub(super) fn new(digests: Vec<String>) -> Self {
        Self { digests }
    }

    /// A call of a script; its arguments follow.
    pub(super) fn call(&self, script: Script, keys: &[&[u8]]) -> Cmd {
        let mut call = cmd("EVALSHA");
        // As many digests as scripts were loaded, in one pipeline that fails as a whole.
        let digest = self.digests.get(script as usize).map_or("", String::as_str);
        call.arg(digest).arg(keys.len());
        for key in keys {
            call.arg(*key);
        }
        call
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn scripts_are_listed_in_the_order_of_the_enum() {
        assert!(
            ALL.iter()
                .enumerate()
                .all(|(at, (script, _))| *script as usize == at)
        );
    }
}
