//! Which node of a cluster has which slot, as far as is known, and how to find out. It holds no
//! connections: those are `nodes`'.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use redis::{AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, Value, cmd};

use super::config::Settings;
use super::dial::{self, Dial};
use super::encryption::Encryption;
use super::fault::store_error;
use super::reply;
use crate::error::{Error, ErrorKind};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;
/// For one node to say what it knows, before the next one is asked.
const ADVICE: Duration = Duration::from_millis(500);
/// No node owns this slot.
const NOBODY: u16 = u16::MAX;

/// A node, as the cluster spells its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Node {
    fn addr(&self) -> ConnectionAddr {
        ConnectionAddr::Tcp(self.host.clone(), self.port)
    }

    /// `host:port`, where the port follows the last colon. An empty host is that of who says so.
    fn parse(address: &str, said_by: &str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let host = if host.is_empty() { said_by } else { host };
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }
}

/// The slot of a key: of what is in its first pair of braces, if there is something in it.
pub(super) fn slot_of(key: &[u8]) -> u16 {
    let tag = key.iter().position(|&byte| byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|&byte| byte == b'}')?;
        (close > 0).then(|| &rest[..close])
    });
    crc16(tag.unwrap_or(key)) % SLOTS
}

/// CRC-16/XMODEM, which clusters distribute keys by.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc: u16, _| {
            let shifted = crc << 1;
            if crc & 0x8000 == 0 {
                shifted
            } else {
                shifted ^ 0x1021
            }
        })
    })
}

/// A cluster, as this process knows it.
pub(super) struct Cluster {
    seeds: Vec<ConnectionAddr>,
    /// What all of its nodes have in common: user, password, encryption.
    server: ConnectionInfo,
    tls: Option<Encryption>,
    settings: Settings,
    map: RwLock<Map>,
    /// Held while the map is being fetched: one fetch serves all who want it.
    fetching: tokio::sync::Mutex<()>,
    /// Raised with each fetch.
    fetched: Mutex<u64>,
    /// Who is asked first.
    turn: AtomicUsize,
    /// Whether a slot has been found elsewhere since the map was fetched: others may be too.
    moves: AtomicBool,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

/// Nodes, and for each slot the number of its primary among them.
pub(super) struct Map {
    nodes: Vec<Node>,
    owners: Box<[u16]>,
}

impl Map {
    fn empty() -> Self {
        Self {
            nodes: Vec::new(),
            owners: vec![NOBODY; usize::from(SLOTS)].into(),
        }
    }

    fn number(&mut self, node: Node) -> u16 {
        let at = self.nodes.iter().position(|known| *known == node);
        let at = at.unwrap_or_else(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        });
        u16::try_from(at).unwrap_or(NOBODY)
    }

    /// Reads the answer to `CLUSTER SLOTS` that this host gave.
    pub(super) fn read(answer: &Value, said_by: &str) -> Option<Self> {
        let mut map = Self::empty();
        for range in reply::array(answer)? {
            let [first, last, primary, ..] = reply::array(range)? else {
                return None;
            };
            let [host, port, ..] = reply::array(primary)? else {
                return None;
            };
            // Where a node does not know its own name, it says nothing or `?`.
            let host = reply::bytes(host).and_then(|host| std::str::from_utf8(host).ok());
            let host = match host {
                None | Some("" | "?") => said_by,
                Some(host) => host,
            };
            let node = Node {
                host: host.to_owned(),
                port: u16::try_from(reply::number(port)?).ok()?,
            };
            let (first, last) = (reply::number(first)?, reply::number(last)?);
            if first > last || last >= u64::from(SLOTS) {
                return None;
            }
            let number = map.number(node);
            for owner in &mut map.owners[first as usize..=last as usize] {
                *owner = number;
            }
        }
        (!map.nodes.is_empty()).then_some(map)
    }
}

impl Cluster {
    pub(super) fn new(
        seeds: Vec<ConnectionAddr>,
        server: ConnectionInfo,
        tls: Option<Encryption>,
        settings: Settings,
    ) -> Self {
        Self {
            seeds,
            server,
            tls,
            settings,
            map: RwLock::new(Map::empty()),
            fetching: tokio::sync::Mutex::default(),
            fetched: Mutex::default(),
            turn: AtomicUsize::new(0),
            moves: AtomicBool::new(false),
        }
    }

    /// How to reach a node.
    pub(super) fn server(&self, node: &Node) -> ConnectionInfo {
        self.server.clone().set_addr(node.addr())
    }

    /// The primary of a slot, if one is known.
    pub(super) fn owner(&self, slot: u16) -> Result<Node, Error> {
        // Replaced whole, or one slot at a time.
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        let number = map.owners.get(usize::from(slot)).copied();
        let node = number.and_then(|number| map.nodes.get(usize::from(number)));
        node.cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::Store,
                format!("no node of the cluster is known to have slot {slot}"),
            )
        })
    }

    /// Whether this node has slots, or is being given some.
    pub(super) fn has_part(&self, node: &Node) -> bool {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.nodes.contains(node)
    }

    /// A node has said that another has this slot now.
    pub(super) fn moved(&self, slot: u16, to: &str, said_by: &Node) -> Option<Node> {
        let node = Node::parse(to, &said_by.host)?;
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let number = map.number(node.clone());
        if let Some(owner) = map.owners.get_mut(usize::from(slot)) {
            *owner = number;
        }
        self.moves.store(true, Ordering::Release);
        Some(node)
    }

    /// Asks who has what, where slots have moved since that was last asked.
    pub(super) async fn follow_moves(&self) {
        if self.moves.swap(false, Ordering::AcqRel) {
            // Where nobody answers, the log's own link is the one to say so.
            let _ = self.refresh().await;
        }
    }

    /// A node has said that another is being given a slot. It may have none of its own yet.
    pub(super) fn importing(&self, address: &str, said_by: &Node) -> Option<Node> {
        let node = Node::parse(address, &said_by.host)?;
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        map.number(node.clone());
        Some(node)
    }

    fn count(&self) -> u64 {
        *self.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the cluster who has what: those that are known first, then those in the URL. Whoever
    /// comes while this is under way shares its outcome.
    pub(super) async fn refresh(&self) -> Result<(), Error> {
        let before = self.count();
        let _alone = self.fetching.lock().await;
        if self.count() != before {
            return Ok(());
        }
        let known = {
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            map.nodes.iter().map(Node::addr).collect::<Vec<_>>()
        };
        let mut last = Error::new(ErrorKind::Store, "the cluster has no nodes");
        let mut tried: Vec<String> = Vec::new();
        // Another one first each time: one that is cut off from the others says the same for ever.
        let mut addrs: Vec<_> = known
            .into_iter()
            .chain(self.seeds.iter().cloned())
            .collect();
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % addrs.len().max(1);
        addrs.rotate_left(first);
        for addr in addrs {
            if tried.contains(&addr.to_string()) {
                continue;
            }
            tried.push(addr.to_string());
            match self.ask(addr).await {
                Ok(map) => {
                    *self.map.write().unwrap_or_else(PoisonError::into_inner) = map;
                    *self.fetched.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    return Ok(());
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(&self, addr: ConnectionAddr) -> Result<Map, Error> {
        let host = match &addr {
            ConnectionAddr::Tcp(host, _) => host.clone(),
            _ => String::new(),
        };
        let server = self.server.clone().set_addr(addr);
        let plain = AsyncConnectionConfig::new();
        let dial = Dial {
            tls: self.tls.as_ref(),
            settings: &self.settings,
            together: &dial::together(&self.settings),
        };
        let node = dial.connect_within(ADVICE, &server, plain).await?;
        let mut slots = cmd("CLUSTER");
        slots.arg("SLOTS");
        let answer = match node.ask::<Value>(ADVICE, &slots).await {
            Some(answer) => answer.map_err(|error| store_error(&error))?,
            None => return Err(Error::new(ErrorKind::Timeout, "no answer to CLUSTER SLOTS")),
        };
        Map::read(&answer, &host).ok_or_else(|| {
            Error::new(
                ErrorKind::Store,
                "the node knows no slots, or says so in a form it should not have",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, NOBODY, Node, slot_of};
    use redis::Value;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(slot_of(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"user1000"));
        assert_eq!(slot_of(b"foo{}{bar}"), slot_of(b"foo{}{bar}"));
        assert_ne!(slot_of(b"foo{}{bar}"), slot_of(b"bar"));
        assert_eq!(slot_of(b"foo{{bar}}zap"), slot_of(b"{bar"));
    }

    #[test]
    fn an_address_may_lack_its_host_and_have_colons_in_it() {
        let node = |address| Node::parse(address, "here").map(|node| node.to_string());
        assert_eq!(node("a:1").as_deref(), Some("a:1"));
        assert_eq!(node(":2").as_deref(), Some("here:2"));
        assert_eq!(node("::1:3").as_deref(), Some("::1:3"));
        assert_eq!(node("a:b"), None);
        assert_eq!(node("a"), None);
    }

    #[test]
    fn what_is_no_map_of_slots_is_refused() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let range = |first, last| {
            let node = Value::Array(vec![text(""), Value::Int(7000), text("id")]);
            Value::Array(vec![Value::Int(first), Value::Int(last), node])
        };
        let map = Map::read(&Value::Array(vec![range(1, 3)]), "host").expect("a map");
        assert_eq!(
            (map.owners[0], map.owners[1], map.owners[4]),
            (NOBODY, 0, NOBODY)
        );
        assert_eq!(map.nodes[0].to_string(), "host:7000");
        for odd in [range(3, 1), range(0, 16_384), range(-1, 3), Value::Nil] {
            assert!(Map::read(&Value::Array(vec![odd]), "host").is_none());
        }
        assert!(Map::read(&Value::Array(vec![]), "host").is_none());
    }
}
