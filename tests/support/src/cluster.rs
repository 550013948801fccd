//! A real cluster of a test's own: three primaries, a replica of each, and what can happen to them.
//! It is made by commands to its nodes; nothing here follows a redirection.

mod nodes;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::launch::Setup;
use crate::rights::LOGIN;
use crate::server::{Server, Stop};
use crate::wait::{eventually, within};

use nodes::{Line, SLOTS};

const PRIMARIES: usize = 3;
const COUNT: usize = 2 * PRIMARIES;

/// A replica that is to be elected again within this time of its last election takes the old votes
/// for new ones, and itself for a primary, until the others tell it otherwise.
const ELECTION: Duration = Duration::from_secs(4);

const ARGUMENTS: [&str; 10] = [
    "--cluster-enabled",
    "yes",
    "--cluster-config-file",
    "nodes.conf",
    "--cluster-node-timeout",
    "1000",
    "--cluster-allow-replica-migration",
    "no",
    // A replica takes over however long it has been without its primary.
    "--cluster-replica-validity-factor",
    "0",
];

/// A running cluster. Its nodes have numbers from 0 on, which they keep whatever they become; at
/// first, 0 to 2 are primaries and 3 to 5 their replicas, in order.
///
/// What changes the cluster returns when all nodes that serve agree on it and every replica among
/// them is in sync.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
    ids: Vec<String>,
    /// When each node last took a primary's place.
    elected: Mutex<[Option<Instant>; COUNT]>,
}

impl Cluster {
    /// Starts a cluster of this caller's own.
    #[must_use]
    pub fn start() -> Self {
        let start = |_| {
            Server::set_up(Setup {
                bus: true,
                ..Setup::with(&ARGUMENTS)
            })
        };
        let nodes: Vec<_> = (0..COUNT).map(start).collect();
        let ids = nodes.iter().map(|node| node.cli(&["CLUSTER", "MYID"]));
        let ids = ids.collect();
        let cluster = Self {
            nodes,
            ids,
            elected: Mutex::default(),
        };
        cluster.introduce();
        cluster.give_slots();
        cluster.give_replicas();
        cluster.settle();
        cluster
    }

    /// `redis-cluster://user:password@127.0.0.1:port,…`, naming every node. The user has the least
    /// rights that the cache needs.
    #[must_use]
    pub fn url(&self) -> String {
        let node = |node: &Server| format!("127.0.0.1:{}", node.port());
        let nodes: Vec<_> = self.nodes.iter().map(node).collect();
        format!("redis-cluster://{LOGIN}{}", nodes.join(","))
    }

    /// How many nodes there are, stopped ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    /// A node, by its number.
    #[must_use]
    pub fn node(&self, number: usize) -> &Server {
        &self.nodes[number]
    }

    /// The slot that a key is in.
    #[must_use]
    pub fn slot_of(key: &[u8]) -> u16 {
        nodes::slot_of(key)
    }

    /// The number of the primary of a slot, as the newest of what the nodes say has it.
    #[track_caller]
    #[must_use]
    pub fn primary_of(&self, slot: u16) -> usize {
        let lines = self.serving().flat_map(|(_, node)| look(node));
        let owner = lines
            .filter(|line| line.owns(slot))
            .max_by_key(|line| line.epoch);
        self.number(&owner.expect("no node owns this slot").id)
    }

    /// The number of the replica of a primary that serves.
    #[track_caller]
    #[must_use]
    pub fn replica_of(&self, primary: usize) -> usize {
        let follows = |node: &Server| own(node).primary.as_ref() == Some(&self.ids[primary]);
        let found = self.serving().find(|(_, node)| follows(node));
        found
            .unwrap_or_else(|| panic!("node {primary} has no replica that serves"))
            .0
    }

    /// Lets the replica of a slot's primary take its place in order, without loss. Returns the
    /// number of the new primary. Back and forth and forth again takes four seconds.
    #[track_caller]
    pub fn fail_over(&self, slot: u16) -> usize {
        /// The servers give up on one that the others did not vote for in time.
        const GIVEN_UP: Duration = Duration::from_secs(6);
        let replica = self.replica_of(self.primary_of(slot));
        self.await_election(replica);
        let mut asked: Option<Instant> = None;
        self.await_promotion(replica, slot, || {
            if asked.is_none_or(|at| at.elapsed() > GIVEN_UP) {
                self.nodes[replica].cli(&["CLUSTER", "FAILOVER"]);
                asked = Some(Instant::now());
            }
        });
        replica
    }

    /// Kills the primary of a slot and waits until its replica has taken its place. Returns the
    /// number of the one that was killed.
    #[track_caller]
    pub fn kill_primary(&self, slot: u16) -> usize {
        let primary = self.primary_of(slot);
        let replica = self.replica_of(primary);
        self.await_election(replica);
        self.nodes[primary].stop(Stop::Kill);
        self.await_promotion(replica, slot, || ());
        primary
    }

    /// Starts a stopped node again. It comes back with what it knew of the cluster and without its
    /// data: as a replica, where it was replaced.
    #[track_caller]
    pub fn restart(&self, number: usize) {
        self.nodes[number].restart();
        self.settle();
    }

    /// Moves a slot and its keys to another primary.
    #[track_caller]
    pub fn migrate(&self, slot: u16, to: usize) {
        self.begin_migration(slot, to);
        self.end_migration(slot, to);
    }

    /// The first half of [`migrate`](Self::migrate): the slot is on its way, and its keys are where
    /// they were. What is not there is asked for at the other node.
    #[track_caller]
    pub fn begin_migration(&self, slot: u16, to: usize) {
        let from = self.primary_of(slot);
        assert_ne!(from, to, "slot {slot} is on node {to} already");
        assert_eq!(
            own(&self.nodes[to]).primary,
            None,
            "node {to} is no primary"
        );
        let (slot, from_id, to_id) = (slot.to_string(), &self.ids[from], &self.ids[to]);
        self.nodes[to].cli(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", from_id]);
        self.nodes[from].cli(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", to_id]);
    }

    /// Between the halves of [`migrate`](Self::migrate): moves the keys that are there by now.
    #[track_caller]
    pub fn move_keys(&self, slot: u16, to: usize) {
        const TIMEOUT_MS: &[u8] = b"10000";
        let from = &self.nodes[self.primary_of(slot)];
        let (slot, port) = (slot.to_string(), self.nodes[to].port().to_string());
        let ask: [&[u8]; 4] = [b"CLUSTER", b"GETKEYSINSLOT", slot.as_bytes(), b"100"];
        loop {
            let keys = from.command(&ask).list().into_iter();
            let keys: Vec<_> = keys.filter_map(crate::Reply::bytes).collect();
            if keys.is_empty() {
                return;
            }
            let mut words: Vec<&[u8]> = vec![b"MIGRATE", b"127.0.0.1", port.as_bytes(), b""];
            words.extend([b"0", TIMEOUT_MS, b"KEYS"]);
            words.extend(keys.iter().map(Vec::as_slice));
            let reply = from.command(&words);
            // `NOKEY`, where they ended meanwhile.
            assert!(!reply.is_error(), "MIGRATE of slot {slot}: {reply}");
        }
    }

    /// The second half of [`migrate`](Self::migrate): moves what is left and says where the slot is.
    #[track_caller]
    pub fn end_migration(&self, slot: u16, to: usize) {
        self.move_keys(slot, to);
        let from = self.primary_of(slot);
        let (slot, id) = (slot.to_string(), &self.ids[to]);
        let set = |number: usize| {
            self.nodes[number].cli(&["CLUSTER", "SETSLOT", &slot, "NODE", id]);
        };
        // The one that gets it first, so that at no time nobody has it.
        set(to);
        set(from);
        for (number, node) in self.serving() {
            if number != to && number != from && own(node).primary.is_none() {
                set(number);
            }
        }
        self.settle();
    }

    /// Gives all slots of a primary to another one, without their keys: it goes on, with nothing.
    #[track_caller]
    pub fn empty(&self, from: usize, to: usize) {
        let slots = own(&self.nodes[from]).slots;
        let slots = slots.into_iter().flat_map(|(first, last)| [first, last]);
        let slots: Vec<_> = slots.map(|slot| slot.to_string()).collect();
        assert!(!slots.is_empty(), "node {from} has no slots");
        let change = |number: usize, how| {
            let words = slots.iter().map(String::as_str);
            let words: Vec<_> = ["CLUSTER", how].into_iter().chain(words).collect();
            self.nodes[number].cli(&words);
        };
        self.nodes[from].cli(&["FLUSHALL"]);
        change(from, "DELSLOTSRANGE");
        change(to, "DELSLOTSRANGE");
        change(to, "ADDSLOTSRANGE");
        // The newest claim is believed.
        self.nodes[to].cli(&["CLUSTER", "BUMPEPOCH"]);
        self.settle();
    }

    /// Makes the nodes known to each other.
    fn introduce(&self) {
        for (number, node) in self.nodes.iter().enumerate() {
            // Each begins with a number of its own, so that they need not agree on one first.
            let epoch = (number + 1).to_string();
            node.cli(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
        }
        for (number, node) in self.nodes.iter().enumerate() {
            // Each meets each: being told by the others takes seconds.
            for other in &self.nodes[number + 1..] {
                node.cli(&["CLUSTER", "MEET", "127.0.0.1", &other.port().to_string()]);
            }
        }
        eventually("the nodes' acquaintance", || {
            self.nodes.iter().all(|node| {
                let lines = look(node);
                lines.len() == COUNT && lines.iter().all(|line| line.well)
            })
        });
    }

    fn give_slots(&self) {
        let share = |number: usize| number * usize::from(SLOTS) / PRIMARIES;
        for (number, node) in self.nodes[..PRIMARIES].iter().enumerate() {
            let (first, last) = (share(number), share(number + 1) - 1);
            let (first, last) = (first.to_string(), last.to_string());
            node.cli(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        }
    }

    fn give_replicas(&self) {
        for (node, primary) in self.nodes[PRIMARIES..].iter().zip(&self.ids) {
            node.cli(&["CLUSTER", "REPLICATE", primary]);
        }
    }

    /// Waits until a node may be elected again.
    #[track_caller]
    fn await_election(&self, node: usize) {
        let last = self.elected.lock().unwrap_or_else(PoisonError::into_inner)[node];
        eventually("the end of the node's last election", || {
            last.is_none_or(|at| at.elapsed() > ELECTION)
        });
    }

    #[track_caller]
    fn await_promotion(&self, replica: usize, slot: u16, mut ask: impl FnMut()) {
        eventually("the replica's promotion", || {
            ask();
            own(&self.nodes[replica]).owns(slot)
        });
        let mut elected = self.elected.lock().unwrap_or_else(PoisonError::into_inner);
        elected[replica] = Some(Instant::now());
        drop(elected);
        self.settle();
    }

    /// Waits until the nodes that serve agree and are in sync: after a fault of the caller's own.
    #[track_caller]
    pub fn settle(&self) {
        if !within(crate::PATIENCE, || self.is_settled()) {
            let views = self.serving().map(|(number, node)| {
                let (info, nodes) = (["CLUSTER", "INFO"], ["CLUSTER", "NODES"]);
                format!("node {number}:\n{}\n{}", node.cli(&info), node.cli(&nodes))
            });
            let views: Vec<_> = views.collect();
            panic!("the cluster did not settle\n{}", views.join("\n"));
        }
    }

    fn is_settled(&self) -> bool {
        let serve = |line: &Line| self.nodes[self.number(&line.id)].serves();
        let view = |node| look(node).into_iter().filter(serve).collect::<Vec<_>>();
        let same = |line: &Line| (line.id.clone(), line.primary.clone(), line.slots.clone());
        let Some((_, first)) = self.serving().next() else {
            return false;
        };
        let first: Vec<_> = view(first).iter().map(same).collect();
        first.len() == self.serving().count()
            && self.serving().all(|(_, node)| {
                let view = view(node);
                view.iter().all(|line| line.well)
                    && view.iter().map(same).eq(first.iter().cloned())
                    && node.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
                    && in_sync(node)
            })
    }

    fn serving(&self) -> impl Iterator<Item = (usize, &Server)> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| node.serves())
    }

    #[track_caller]
    fn number(&self, id: &str) -> usize {
        let number = self.ids.iter().position(|own| own == id);
        number.unwrap_or_else(|| panic!("a node of another cluster: {id}"))
    }
}

/// What a node says of all.
#[track_caller]
fn look(node: &Server) -> Vec<Line> {
    nodes::parse(&node.cli(&["CLUSTER", "NODES"]))
}

/// What a node says of itself.
#[track_caller]
fn own(node: &Server) -> Line {
    let mut lines = look(node).into_iter();
    lines
        .find(|line| line.myself)
        .expect("no line on the node itself")
}

/// Whether a node is a primary, or a replica whose primary serves it.
fn in_sync(node: &Server) -> bool {
    let info = node.info("replication");
    info["role"] == "master" || info["master_link_status"] == "up"
}
