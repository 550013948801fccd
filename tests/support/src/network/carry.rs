//! One connection through the network: a thread for each direction, which end with it; and the
//! addresses in what the servers say. When something passes is the network's to say.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;

use super::{Inside, Way};
use crate::gate::frames::Frames;

/// Carries one connection, as soon as the network lets it come about. A server that is away closes
/// it.
pub(super) fn carry(inside: &Arc<Inside>, client: TcpStream, server_port: u16) {
    let inside = Arc::clone(inside);
    let made = inside.lock().breaks;
    thread::spawn(move || {
        if inside
            .pass(&[Way::Out, Way::Back], server_port, made)
            .is_none()
        {
            return;
        }
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server_port)) else {
            return;
        };
        let again = |socket: &TcpStream| {
            // What waits for more to send would change the order of things.
            socket.set_nodelay(true).expect("a socket without delay");
            socket.try_clone().expect("a second handle on a socket")
        };
        let (from_client, from_server) = (again(&client), again(&server));
        {
            let mut state = inside.lock();
            if state.closed || state.breaks != made {
                return;
            }
            state.sockets.extend([again(&client), again(&server)]);
        }
        let out = Arc::clone(&inside);
        let there = again(&server);
        thread::spawn(move || {
            pump(from_client, &there, |bytes| {
                out.pass(&[Way::Out], server_port, made)?;
                (&there).write_all(bytes).ok()
            });
        });
        let mut frames = Frames::default();
        pump(from_server, &client, |bytes| {
            frames.add(bytes);
            let whole = std::iter::from_fn(|| frames.next());
            let whole: Vec<_> = whole.map(|frame| lead(frame, &inside.ports)).collect();
            inside.pass(&[Way::Back], server_port, made)?;
            (&client).write_all(&whole.concat()).ok()
        });
    });
}

/// Hands over what arrives, until either end closes.
fn pump(mut from: TcpStream, to: &TcpStream, mut hand_over: impl FnMut(&[u8]) -> Option<()>) {
    let mut buffer = [0; 16_384];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if hand_over(&buffer[..length]).is_none() {
            break;
        }
    }
    for socket in [&from, to] {
        // Its other end may have gone first.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// Changes the addresses in what a server said: in a list, where a host is followed by a port, as a
/// number or as a text; and in an error that says where else to go.
fn lead(frame: Vec<u8>, ports: &BTreeMap<u16, u16>) -> Vec<u8> {
    let names_one = match frame.first() {
        Some(b'*') => find(&frame, HOST.as_bytes()).is_some(),
        Some(b'-') => true,
        _ => false,
    };
    if !names_one {
        return frame;
    }
    ports.iter().fold(frame, |frame, (server, ours)| {
        let as_number = |port: &u16| format!("{HOST}:{port}\r\n");
        let as_text = |port: &u16| format!("{HOST}${}\r\n{port}\r\n", port.to_string().len());
        let in_error = |port: &u16| format!(" 127.0.0.1:{port}\r\n");
        let frame = replace(frame, &as_number(server), &as_number(ours));
        let frame = replace(frame, &as_text(server), &as_text(ours));
        replace(frame, &in_error(server), &in_error(ours))
    })
}

/// The host of every server, as an element of a list.
const HOST: &str = "$9\r\n127.0.0.1\r\n";

fn replace(mut bytes: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    let mut start = 0;
    while let Some(at) = find(&bytes[start..], from.as_bytes()) {
        let at = start + at;
        bytes.splice(at..at + from.len(), to.bytes());
        start = at + to.len();
    }
    bytes
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_through_the_network() {
        let ports = BTreeMap::from([(700, 41_000), (7_001, 700)]);
        for (said, heard) in [
            (
                "*2\r\n$9\r\n127.0.0.1\r\n$3\r\n700\r\n",
                "*2\r\n$9\r\n127.0.0.1\r\n$5\r\n41000\r\n",
            ),
            (
                "*1\r\n*3\r\n:0\r\n:700\r\n*2\r\n$9\r\n127.0.0.1\r\n:700\r\n",
                "*1\r\n*3\r\n:0\r\n:700\r\n*2\r\n$9\r\n127.0.0.1\r\n:41000\r\n",
            ),
            (
                "-MOVED 700 127.0.0.1:7001\r\n",
                "-MOVED 700 127.0.0.1:700\r\n",
            ),
            ("-ERR no\r\n", "-ERR no\r\n"),
            (":700\r\n", ":700\r\n"),
            ("$4\r\n:700\r\n", "$4\r\n:700\r\n"),
        ] {
            let got = lead(said.into(), &ports);
            assert_eq!(String::from_utf8(got).unwrap(), heard, "{said}");
        }
    }
}
