//! A small client of the Redis protocol over a blocking socket, RESP2 and RESP3, binary-safe. It
//! knows no commands, and it is not the client that afresh uses.

use std::fmt;
use std::io::{self, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use crate::wait::PATIENCE;

/// One answer of the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// `+OK` and the like.
    Status(String),
    /// `-ERR …`, without the dash.
    Error(String),
    /// An integer.
    Int(i64),
    /// A RESP3 double, as the server wrote it; also its big numbers.
    Number(String),
    /// A RESP3 boolean.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing there.
    Nil,
    /// A list; also a RESP3 set.
    List(Vec<Reply>),
    /// A RESP3 map, in the server's order.
    Map(Vec<(Reply, Reply)>),
    /// A RESP3 push: it answers nothing that was asked.
    Push(Vec<Reply>),
}

impl Reply {
    /// The integer; fails the test where it is none.
    #[track_caller]
    #[must_use]
    pub fn int(&self) -> i64 {
        match self {
            Self::Int(value) => *value,
            other => panic!("expected an integer, got {other:?}"),
        }
    }

    /// The bytes, `None` where there is nothing; fails the test where it is something else.
    #[track_caller]
    #[must_use]
    pub fn bytes(self) -> Option<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Nil => None,
            other => panic!("expected bytes, got {other:?}"),
        }
    }

    /// The elements of a list; fails the test where it is none.
    #[track_caller]
    #[must_use]
    pub fn list(self) -> Vec<Self> {
        match self {
            Self::List(list) => list,
            other => panic!("expected a list, got {other:?}"),
        }
    }

    /// Whether the server refused.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
    }
}

/// One element per line, bytes as text, `(nil)` for nothing.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(text) | Self::Number(text) => f.write_str(text),
            Self::Error(text) => write!(f, "(error) {text}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Self::Nil => f.write_str("(nil)"),
            Self::List(items) | Self::Push(items) => lines(f, items),
            Self::Map(pairs) => lines(f, pairs.iter().flat_map(|(key, value)| [key, value])),
        }
    }
}

fn lines<'a>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = &'a Reply>,
) -> fmt::Result {
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            f.write_str("\n")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// A connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to a port of this machine.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn connect(port: u16) -> io::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = BufReader::new(stream);
        Ok(Self { stream })
    }

    /// Sends a command and reads its answer. On a RESP3 connection a push may come first: then
    /// use [`send`](Self::send) and [`read`](Self::read).
    ///
    /// # Errors
    /// When the connection ends, or no answer comes in time.
    pub fn command<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<Reply> {
        self.send(words)?;
        self.read()
    }

    /// Sends a command.
    ///
    /// # Errors
    /// When the connection ends.
    pub fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<()> {
        self.stream.get_mut().write_all(&request(words))
    }

    /// Reads the next answer or push.
    ///
    /// # Errors
    /// When the connection ends, none comes in time, or what comes is not the protocol.
    pub fn read(&mut self) -> io::Result<Reply> {
        read(&mut self.stream)
    }

    pub(crate) fn into_stream(self) -> BufReader<TcpStream> {
        self.stream
    }
}

/// The words of one request, whole; nothing where it is none.
pub(crate) fn words(mut request: &[u8]) -> Option<Vec<Vec<u8>>> {
    let Ok(Reply::List(words)) = read(&mut request) else {
        return None;
    };
    let word = |word| match word {
        Reply::Bytes(bytes) => Some(bytes),
        _ => None,
    };
    words.into_iter().map(word).collect()
}

fn request<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn read(from: &mut impl io::BufRead) -> io::Result<Reply> {
    let line = read_line(from)?;
    let (kind, rest) = line.split_at_checked(1).ok_or_else(|| garbage(&line))?;
    Ok(match kind {
        "+" => Reply::Status(rest.to_owned()),
        "-" => Reply::Error(rest.to_owned()),
        ":" => Reply::Int(number(rest)?),
        "," | "(" => Reply::Number(rest.to_owned()),
        "#" => Reply::Bool(rest == "t"),
        "_" => Reply::Nil,
        "$" => read_bytes(from, rest)?.map_or(Reply::Nil, Reply::Bytes),
        "!" => Reply::Error(text(read_bytes(from, rest)?)),
        // A verbatim string begins with its format: `txt:`.
        "=" => Reply::Status(text(read_bytes(from, rest)?).split_off(4)),
        "*" | "~" => read_items(from, rest)?.map_or(Reply::Nil, Reply::List),
        ">" => Reply::Push(read_items(from, rest)?.unwrap_or_default()),
        "%" => Reply::Map(read_pairs(from, number(rest)?)?),
        _ => return Err(garbage(&line)),
    })
}

fn read_line(from: &mut impl io::BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    match line.strip_suffix("\r\n") {
        Some(line) => Ok(line.to_owned()),
        None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
    }
}

fn read_bytes(from: &mut impl io::BufRead, length: &str) -> io::Result<Option<Vec<u8>>> {
    let Ok(length) = usize::try_from(number(length)?) else {
        return Ok(None);
    };
    let mut bytes = vec![0; length + 2];
    from.read_exact(&mut bytes)?;
    bytes.truncate(length);
    Ok(Some(bytes))
}

fn read_items(from: &mut impl io::BufRead, count: &str) -> io::Result<Option<Vec<Reply>>> {
    match usize::try_from(number(count)?) {
        Ok(count) => (0..count)
            .map(|_| read(from))
            .collect::<io::Result<_>>()
            .map(Some),
        Err(_) => Ok(None),
    }
}

fn read_pairs(from: &mut impl io::BufRead, count: i64) -> io::Result<Vec<(Reply, Reply)>> {
    (0..count).map(|_| Ok((read(from)?, read(from)?))).collect()
}

fn number(text: &str) -> io::Result<i64> {
    text.parse().map_err(|_| garbage(text))
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
}

fn garbage(what: &str) -> io::Error {
    let message = format!("not the Redis protocol: {what:?}");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mut bytes: &[u8]) -> io::Result<Reply> {
        read(&mut bytes)
    }

    #[test]
    fn a_request_is_length_prefixed() {
        let words: [&[u8]; 2] = [b"SET", b"a\r\n\0"];
        assert_eq!(request(&words), b"*2\r\n$3\r\nSET\r\n$4\r\na\r\n\0\r\n");
        let read = super::words(&request(&words)).expect("a request");
        assert_eq!(read, words);
        assert_eq!(super::words(b"PING\r\n"), None);
    }

    #[test]
    fn both_protocols_are_read() {
        let cases: [(&[u8], Reply); 12] = [
            (b"+OK\r\n", Reply::Status("OK".into())),
            (b"-ERR no\r\n", Reply::Error("ERR no".into())),
            (b":-7\r\n", Reply::Int(-7)),
            (b"$3\r\n\r\n\0\r\n", Reply::Bytes(b"\r\n\0".into())),
            (b"$-1\r\n", Reply::Nil),
            (b"*-1\r\n", Reply::Nil),
            (b"_\r\n", Reply::Nil),
            (b"#t\r\n", Reply::Bool(true)),
            (b",1.5\r\n", Reply::Number("1.5".into())),
            (b"=7\r\ntxt:abc\r\n", Reply::Status("abc".into())),
            (b"*1\r\n*0\r\n", Reply::List(vec![Reply::List(vec![])])),
            (
                b"%1\r\n+a\r\n:1\r\n",
                Reply::Map(vec![(Reply::Status("a".into()), Reply::Int(1))]),
            ),
        ];
        for (bytes, reply) in cases {
            assert_eq!(parse(bytes).expect("a reply"), reply);
        }
        assert_eq!(
            parse(b">1\r\n+x\r\n").expect("a push"),
            Reply::Push(vec![Reply::Status("x".into())])
        );
    }

    #[test]
    fn what_is_not_the_protocol_is_an_error() {
        for bytes in [
            &b""[..],
            b"+OK",
            b"?\r\n",
            b":x\r\n",
            b"$5\r\nab\r\n",
            b"\r\n",
        ] {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn a_list_is_shown_line_by_line() {
        let list = Reply::List(vec![Reply::Bytes(b"a".into()), Reply::Nil, Reply::Int(3)]);
        assert_eq!(list.to_string(), "a\n(nil)\n3");
    }
}
