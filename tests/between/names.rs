//! Commands by name: that of the script for a call of one.

use std::collections::HashMap;

use afresh_test_support::Exchange;

macro_rules! scripts {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../cache-runtime/src/shared/redis/", $name, ".lua")))),*]
    };
}

const SCRIPTS: [(&str, &str); 12] = scripts![
    "attach" "append" "mark" "expire" "rotate" "ask" "bid" "renew" "fill" "release" "discard" "probe"
];

/// The names of scripts by their digests, as the server gave them.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<Vec<u8>, &'static str>);

impl Names {
    /// From what was loaded.
    pub(crate) fn learn(&mut self, seen: &[Exchange]) {
        for exchange in seen {
            let [_, load, text] = &exchange.words[..] else {
                continue;
            };
            let (b"LOAD", Some(answer)) = (&load[..], &exchange.answer) else {
                continue;
            };
            let script = SCRIPTS
                .iter()
                .find(|(_, end)| text.ends_with(end.as_bytes()));
            // `$40`, the digest, each with its end of line.
            if let (Some((name, _)), Some(digest)) = (script, answer.get(5..45)) {
                self.0.insert(digest.to_vec(), name);
            }
        }
    }

    pub(crate) fn of(&self, exchange: &Exchange) -> String {
        let word = |at: usize| exchange.words.get(at).map_or(&b""[..], Vec::as_slice);
        if let Some(name) = self.0.get(word(1)) {
            return (*name).to_owned();
        }
        let text = |at| String::from_utf8_lossy(word(at)).into_owned();
        match word(0) {
            b"CLIENT" | b"SCRIPT" => format!("{} {}", text(0), text(1)),
            _ => text(0),
        }
    }
}
