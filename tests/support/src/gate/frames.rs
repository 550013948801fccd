//! Where one reply, push or request of the Redis protocol ends and the next begins, in bytes as they
//! arrive. It says nothing of what they mean.

/// Bytes of which not all have arrived.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next one, whole.
    pub(crate) fn next(&mut self) -> Option<Vec<u8>> {
        let length = length(&self.bytes)?;
        let rest = self.bytes.split_off(length);
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

/// Whether these are bytes of a RESP3 push.
pub(crate) fn is_push(frame: &[u8]) -> bool {
    frame.first() == Some(&b'>')
}

/// How long what these bytes begin with is; nothing where it has not arrived whole.
fn length(bytes: &[u8]) -> Option<usize> {
    let line = bytes.windows(2).position(|two| two == b"\r\n")? + 2;
    let count = || {
        let digits = str::from_utf8(&bytes[1..line - 2]).ok();
        // Nothing follows where there is nothing, which has the length -1.
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    };
    let items = match bytes[0] {
        b'$' | b'!' | b'=' if bytes[1] == b'-' => 0,
        b'$' | b'!' | b'=' => {
            let end = line + count() + 2;
            return (bytes.len() >= end).then_some(end);
        }
        b'*' | b'~' | b'>' => count(),
        // Attributes have the form of a map.
        b'%' | b'|' => 2 * count(),
        _ => 0,
    };
    (0..items).try_fold(line, |at, _| Some(at + length(&bytes[at..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [&[u8]; 12] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b"$3\r\n\r\n\0\r\n",
        b"$0\r\n\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
        b"%1\r\n+a\r\n~1\r\n#t\r\n",
        b"=7\r\ntxt:abc\r\n",
        b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n",
        b"_\r\n",
    ];

    #[test]
    fn each_is_found_however_the_bytes_arrive() {
        for step in [1, 2, 7, 1_000] {
            let mut frames = Frames::default();
            let mut found = Vec::new();
            for bytes in WHOLE.concat().chunks(step) {
                frames.add(bytes);
                found.extend(std::iter::from_fn(|| frames.next()));
            }
            assert_eq!(found, WHOLE, "by {step}");
            assert!(frames.bytes.is_empty());
        }
    }

    #[test]
    fn only_pushes_are_pushes() {
        let pushes = WHOLE.iter().filter(|frame| is_push(frame));
        assert_eq!(pushes.count(), 1);
    }
}
