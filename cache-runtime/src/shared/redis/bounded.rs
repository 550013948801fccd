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
pub(super) struct Frames {
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
        length: Length,
        read: usize,
        /// Whether the byte before this one may be the first of a line's end.
        ending: bool,
    },
    /// So many bytes of an element.
    Bytes(usize),
}

impl Expects {
    const AN_ELEMENT: Self = Self::Line {
        kind: 0,
        length: Length::Unsaid,
        read: 0,
        ending: false,
    };
}

/// What a line says of what comes behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Unsaid,
    /// A sign, and no number yet.
    Less,
    /// Less than nothing: there is none.
    Nothing,
    So(usize),
}

impl Length {
    /// With one more character. Servers write a length in one way only: what may be read in another
    /// is refused, since the client might read it otherwise than this.
    fn with(self, byte: u8) -> Result<Self, Refused> {
        match (self, byte) {
            (Self::Unsaid, b'-') => Ok(Self::Less),
            (Self::Less, b'1') => Ok(Self::Nothing),
            (Self::So(0), _) => Err(Refused::Garbled),
            (Self::Unsaid, b'0'..=b'9') => Ok(Self::So(usize::from(byte - b'0'))),
            (Self::So(length), b'0'..=b'9') => {
                let length = length.checked_mul(10);
                let length = length.and_then(|length| length.checked_add((byte - b'0').into()));
                length.map(Self::So).ok_or(Refused::TooLarge)
            }
            _ => Err(Refused::Garbled),
        }
    }
}

/// Whether an element begins with this byte. The client may step over one that does not.
fn is_kind(byte: u8) -> bool {
    has_length(byte) || matches!(byte, b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(')
}

/// Whether the line of such an element announces more than itself.
fn has_length(kind: u8) -> bool {
    matches!(kind, b'$' | b'!' | b'=' | b'*' | b'~' | b'>' | b'%' | b'|')
}

/// Why a reply is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Nothing could have asked for it.
    TooLarge,
    /// No server writes it like that.
    Garbled,
}

impl Frames {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            announced: 0,
            open: 1,
            state: Expects::AN_ELEMENT,
        }
    }

    fn announce(&mut self, bytes: usize) -> Result<(), Refused> {
        self.announced = self.announced.saturating_add(bytes);
        if self.announced > self.most {
            return Err(Refused::TooLarge);
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
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Result<(), Refused> {
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
                Expects::Line {
                    kind,
                    length,
                    read,
                    ending,
                } => {
                    let (&byte, rest) = bytes.split_first().unwrap_or((&0, &[]));
                    bytes = rest;
                    *read += 1;
                    if *read > LINE {
                        return Err(Refused::TooLarge);
                    }
                    if *read == 1 {
                        if !is_kind(byte) {
                            return Err(Refused::Garbled);
                        }
                        *kind = byte;
                    } else if *ending && byte == b'\n' {
                        // Both, as for the client: a text may have one of them in it.
                        let (kind, length) = (*kind, *length);
                        self.line(kind, length)?;
                    } else if has_length(*kind) {
                        if *ending {
                            return Err(Refused::Garbled);
                        }
                        *ending = byte == b'\r';
                        if !*ending {
                            *length = length.with(byte)?;
                        }
                    } else {
                        *ending = byte == b'\r';
                    }
                }
            }
        }
        Ok(())
    }

    /// The line of an element has ended.
    fn line(&mut self, kind: u8, length: Length) -> Result<(), Refused> {
        match (kind, length) {
            (b'$' | b'!' | b'=', Length::So(length)) => {
                self.announce(length.saturating_add(ELEMENT))?;
                self.state = Expects::Bytes(length.saturating_add(2));
            }
            (b'*' | b'~' | b'>', Length::So(elements)) => self.elements(elements, 1)?,
            // Pairs; and an attribute stands before the element that it is of.
            (b'%', Length::So(pairs)) => self.elements(pairs, 2)?,
            (b'|', Length::So(pairs)) => {
                self.open += 1;
                self.elements(pairs, 2)?;
            }
            // A text or an array that is not there.
            (b'$' | b'*', Length::Nothing) => {
                self.announce(ELEMENT)?;
                self.ended();
            }
            _ if has_length(kind) => return Err(Refused::Garbled),
            _ => {
                self.announce(ELEMENT)?;
                self.ended();
            }
        }
        Ok(())
    }

    /// Whether a reply has ended, and none has begun.
    #[cfg(any(test, afresh_fuzzing))]
    pub(super) fn is_between_replies(&self) -> bool {
        let begins = matches!(self.state, Expects::Line { read: 0, .. });
        begins && self.open == 1 && self.announced == 0
    }

    fn elements(&mut self, count: usize, each: usize) -> Result<(), Refused> {
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
            if let Err(refused) = self.frames.follow(&buffer.filled()[before..]) {
                let why = match refused {
                    Refused::TooLarge => {
                        format!("the server announced a reply of more than {most} bytes")
                    }
                    Refused::Garbled => "what the server says is no reply".to_owned(),
                };
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
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
    use super::{Frames, Refused};

    /// What comes of these bytes, whichever way they are cut into pieces.
    fn follow(most: usize, bytes: &[u8]) -> Result<(), Refused> {
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
                Err(Refused::TooLarge),
                "{}",
                reply.escape_ascii()
            );
        }
        assert_eq!(
            follow(1_000, &vec![b'+'; 20_000]),
            Err(Refused::TooLarge),
            "an endless line"
        );
    }

    #[test]
    fn what_the_client_could_read_otherwise_is_refused() {
        for reply in [
            &b"$-0\r\n"[..],
            b"$+5\r\n",
            b"$ 5\r\n",
            b"$-2\r\n",
            b"$-\r\n",
            b"$\r\n",
            b"$5\n",
            b"$5\r5\r\n",
            b"*-1-1\r\n",
            b"$05\r\n",
            b"*00\r\n",
            b"*1x\r\n",
            b"\r\n$5\r\n",
            b"x\r\n",
            // The client would wait for as many bytes as there are numbers.
            b"=-1\r\n",
            b"!-1\r\n",
            b"%-1\r\n",
            b"|-1\r\n",
        ] {
            let refused = follow(1_000, reply);
            assert_eq!(refused, Err(Refused::Garbled), "{}", reply.escape_ascii());
        }
    }

    #[test]
    fn a_line_ends_where_it_ends_for_the_client() {
        // Two arrays of which one is hidden from whoever takes the first for the end of a line.
        let hidden = b"+a\n$100\r\n*1000000000\r\n";
        assert_eq!(follow(1_000, hidden), Err(Refused::TooLarge));
        let whole = b"+a\nb\rc\r\r\n";
        assert_eq!(follow(1_000, whole), Ok(()));
    }
}
