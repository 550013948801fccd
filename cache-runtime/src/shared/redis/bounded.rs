//! A reader that lets no reply through that is larger than any that could be asked for: it looks
//! at the lengths that a reply announces, before anything makes room for them. What a reply says
//! is not its business.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// As long as a line may be: errors and numbers are shorter.
const LINE: usize = 16 << 10;
/// What an element counts beside its bytes: what it takes in memory, about.
const ELEMENT: usize = 64;

/// Follows the frames of replies as they go by.
#[derive(Debug)]
struct Frames {
    /// The most that one reply may announce, in bytes.
    most: usize,
    /// How much of the present reply has been announced.
    announced: usize,
    /// How many elements of the present reply are still to come.
    open: u64,
    state: Expects,
}

/// What comes next.
#[derive(Debug)]
enum Expects {
    /// The byte that says what kind of element it is, and its line.
    Line {
        kind: u8,
        number: Option<i64>,
        read: usize,
    },
    /// So many bytes of an element.
    Bytes(usize),
}

impl Expects {
    const AN_ELEMENT: Self = Self::Line {
        kind: 0,
        number: None,
        read: 0,
    };
}

/// Whether the line of such an element announces more than itself.
fn has_length(kind: u8) -> bool {
    matches!(kind, b'$' | b'!' | b'=' | b'*' | b'~' | b'>' | b'%' | b'|')
}

/// A reply that nothing could have asked for.
#[derive(Debug, PartialEq, Eq)]
struct TooLarge;

impl Frames {
    fn new(most: usize) -> Self {
        Self {
            most,
            announced: 0,
            open: 1,
            state: Expects::AN_ELEMENT,
        }
    }

    fn announce(&mut self, bytes: usize) -> Result<(), TooLarge> {
        self.announced = self.announced.saturating_add(bytes);
        if self.announced > self.most {
            return Err(TooLarge);
        }
        Ok(())
    }

    /// An element has ended; perhaps the reply has.
    fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
        if self.open == 0 {
            self.open = 1;
            self.announced = 0;
        }
        self.state = Expects::AN_ELEMENT;
    }

    /// Looks at what has come.
    fn follow(&mut self, mut bytes: &[u8]) -> Result<(), TooLarge> {
        while !bytes.is_empty() {
            match &mut self.state {
                Expects::Bytes(left) => {
                    let now = (*left).min(bytes.len());
                    *left -= now;
                    bytes = &bytes[now..];
                    if *left == 0 {
                        self.ended();
                    }
                }
                Expects::Line { kind, number, read } => {
                    let (&byte, rest) = bytes.split_first().unwrap_or((&0, &[]));
                    bytes = rest;
                    *read += 1;
                    if *read > LINE {
                        return Err(TooLarge);
                    }
                    if *read == 1 {
                        *kind = byte;
                    } else if byte == b'\n' {
                        let (kind, number) = (*kind, *number);
                        self.line(kind, number)?;
                    } else if !has_length(*kind) {
                        // A text, of which only the end matters.
                    } else if byte.is_ascii_digit() {
                        let digit = i64::from(byte - b'0');
                        *number = number
                            .unwrap_or(0)
                            .checked_mul(10)
                            .map(|n| n.saturating_add(digit));
                        if number.is_none() {
                            return Err(TooLarge);
                        }
                    } else if byte == b'-' && number.is_none() {
                        // A length of less than nothing means that there is none.
                        *number = Some(i64::MIN / 1_000);
                    }
                }
            }
        }
        Ok(())
    }

    /// The line of an element has ended.
    fn line(&mut self, kind: u8, number: Option<i64>) -> Result<(), TooLarge> {
        let length = usize::try_from(number.unwrap_or(-1)).ok();
        match (kind, length) {
            (b'$' | b'!' | b'=', Some(length)) => {
                self.announce(length.saturating_add(ELEMENT))?;
                self.state = Expects::Bytes(length + 2);
            }
            (b'*' | b'~' | b'>', Some(elements)) => self.elements(elements, 1)?,
            // Pairs; and an attribute stands before the element that it is of.
            (b'%', Some(pairs)) => self.elements(pairs, 2)?,
            (b'|', Some(pairs)) => {
                self.open += 1;
                self.elements(pairs, 2)?;
            }
            _ => {
                self.announce(ELEMENT)?;
                self.ended();
            }
        }
        Ok(())
    }

    fn elements(&mut self, count: usize, each: usize) -> Result<(), TooLarge> {
        let count = count.saturating_mul(each);
        self.announce(count.saturating_add(1).saturating_mul(ELEMENT))?;
        self.open += count as u64;
        self.ended();
        Ok(())
    }
}

/// A stream whose replies are bounded.
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    frames: Frames,
}

impl<S> Bounded<S> {
    /// No reply may have more bytes than this.
    pub(super) fn new(stream: S, most: usize) -> Self {
        Self {
            stream,
            frames: Frames::new(most),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let Poll::Ready(Ok(())) = read {
            let most = self.frames.most;
            if let Err(TooLarge) = self.frames.follow(&buffer.filled()[before..]) {
                return Poll::Ready(Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("the server announced a reply of more than {most} bytes"),
                )));
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, TooLarge};

    /// What comes of these bytes, whichever way they are cut into pieces.
    fn follow(most: usize, bytes: &[u8]) -> Result<(), TooLarge> {
        let whole = Frames::new(most).follow(bytes);
        for size in 1..=3 {
            let mut frames = Frames::new(most);
            let pieces = bytes
                .chunks(size)
                .try_for_each(|piece| frames.follow(piece));
            assert_eq!(pieces, whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn replies_of_all_kinds_go_by() {
        let replies: &[&[u8]] = &[
            b"+OK\r\n",
            b":-1000000000000\r\n",
            b"$5\r\nhello\r\n",
            b"$-1\r\n",
            b"*-1\r\n",
            b"*0\r\n",
            b"*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
            b"%1\r\n+a\r\n:1\r\n",
            b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n",
            b"|1\r\n+a\r\n+b\r\n$2\r\nhi\r\n",
            b"_\r\n#t\r\n,1.5\r\n(123456789012345678\r\n",
            b"=5\r\ntxt:a\r\n!5\r\nERR x\r\n",
            b"-ERR 99999999999999 is no length\r\n",
        ];
        for reply in replies {
            assert_eq!(follow(1_000, reply), Ok(()), "{}", reply.escape_ascii());
        }
        // One after the other, as often as one likes: each is bounded by itself.
        let all: Vec<u8> = replies.concat().repeat(100);
        assert_eq!(follow(1_000, &all), Ok(()));
    }

    #[test]
    fn what_announces_too_much_is_refused_at_its_first_line() {
        for reply in [
            &b"$1001\r\n"[..],
            b"$536870912\r\n",
            b"*1000000000\r\n",
            b"%1000000000\r\n",
            b"~1000000000\r\n",
            b">1000000000\r\n",
            b"|1000000000\r\n",
            b"$9223372036854775807\r\n",
            b"*9223372036854775807\r\n",
            b"$99999999999999999999999999\r\n",
            // Each is small, all of them are not.
            b"*3\r\n$400\r\n",
        ] {
            let mut bytes = reply.to_vec();
            if reply.starts_with(b"*3") {
                bytes.extend(vec![b'x'; 400]);
                bytes.extend(b"\r\n$400\r\n");
            }
            assert_eq!(
                follow(1_000, &bytes),
                Err(TooLarge),
                "{}",
                reply.escape_ascii()
            );
        }
        assert_eq!(
            follow(1_000, &vec![b'+'; 20_000]),
            Err(TooLarge),
            "an endless line"
        );
    }
}
