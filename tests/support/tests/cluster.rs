//! The test cluster itself: made, failed over, bereaved, and its slots moved.

use afresh_test_support::{Cluster, Reply};

const KEY: &[u8] = b"{shop}:afresh:1:log";

fn set(cluster: &Cluster, node: usize, value: &[u8]) -> Reply {
    cluster.node(node).command(&[b"SET", KEY, value])
}

fn get(cluster: &Cluster, node: usize) -> Reply {
    cluster.node(node).command(&[b"GET", KEY])
}

fn value(of: &[u8]) -> Reply {
    Reply::Bytes(of.to_vec())
}

/// What a node says in place of an answer: `MOVED 1234 127.0.0.1:port`.
fn redirection(word: &str, slot: u16, to: usize, cluster: &Cluster) -> Reply {
    let port = cluster.node(to).port();
    Reply::Error(format!("{word} {slot} 127.0.0.1:{port}"))
}

fn role(cluster: &Cluster, node: usize) -> String {
    cluster.node(node).info("replication")["role"].clone()
}

#[test]
fn it_is_whole_and_its_slots_are_known() {
    let cluster = Cluster::start();
    assert_eq!(cluster.count(), 6);
    let url = cluster.url();
    let login = "redis-cluster://tester:tester-s3cret@127.0.0.1:";
    assert!(url.starts_with(login), "{url}");
    for number in 0..6 {
        let mut client = cluster.node(number).client();
        let login = client.command(&["AUTH", "tester", "tester-s3cret"]);
        assert_eq!(login.expect("an answer"), Reply::Status("OK".into()));
        let slots = client.command(&["CLUSTER", "SLOTS"]).expect("an answer");
        assert_eq!(slots.list().len(), 3);
        let info = cluster.node(number).cli(&["CLUSTER", "INFO"]);
        for line in [
            "cluster_state:ok",
            "cluster_slots_ok:16384",
            "cluster_known_nodes:6",
            "cluster_size:3",
        ] {
            assert!(info.contains(line), "{info}");
        }
        let address = format!("127.0.0.1:{}", cluster.node(number).port());
        assert!(url.contains(&address), "{url}");
    }
    let slot = Cluster::slot_of(KEY);
    let key = String::from_utf8_lossy(KEY);
    let said = cluster.node(0).cli(&["CLUSTER", "KEYSLOT", &key]);
    assert_eq!(said, slot.to_string());
    let primary = cluster.primary_of(slot);
    let replica = cluster.replica_of(primary);
    assert_eq!(role(&cluster, primary), "master");
    assert_eq!(role(&cluster, replica), "slave");
    assert!(!set(&cluster, primary, b"1").is_error());
    cluster.node(primary).await_copy(cluster.node(replica));
    assert_eq!(
        get(&cluster, replica),
        redirection("MOVED", slot, primary, &cluster)
    );
}

#[test]
fn a_failover_in_order_loses_nothing_and_can_be_repeated() {
    let cluster = Cluster::start();
    let slot = Cluster::slot_of(KEY);
    let first = cluster.primary_of(slot);
    let replica = cluster.replica_of(first);
    assert!(!set(&cluster, first, b"1").is_error());
    for (before, after) in [(first, replica), (replica, first), (first, replica)] {
        assert_eq!(cluster.fail_over(slot), after);
        assert_eq!(cluster.primary_of(slot), after);
        assert_eq!(cluster.replica_of(after), before);
        assert_eq!(get(&cluster, after), value(b"1"));
        assert_eq!(
            set(&cluster, before, b"2"),
            redirection("MOVED", slot, after, &cluster)
        );
    }
}

#[test]
fn a_killed_primary_is_replaced_and_comes_back_as_a_replica() {
    let cluster = Cluster::start();
    let slot = Cluster::slot_of(KEY);
    let primary = cluster.primary_of(slot);
    let replica = cluster.replica_of(primary);
    assert!(!set(&cluster, primary, b"1").is_error());
    cluster.node(primary).await_copy(cluster.node(replica));
    assert_eq!(cluster.kill_primary(slot), primary);
    assert!(!cluster.node(primary).serves());
    assert_eq!(cluster.primary_of(slot), replica);
    assert_eq!(get(&cluster, replica), value(b"1"));
    cluster.restart(primary);
    assert_eq!(cluster.primary_of(slot), replica);
    assert_eq!(cluster.replica_of(replica), primary);
    cluster.node(replica).await_copy(cluster.node(primary));
    let mut client = cluster.node(primary).client();
    client.command(&["READONLY"]).expect("an answer");
    let copy = client.command(&[&b"GET"[..], KEY]).expect("an answer");
    assert_eq!(copy, value(b"1"));
}

#[test]
fn a_slot_moves_with_its_keys() {
    let cluster = Cluster::start();
    let slot = Cluster::slot_of(KEY);
    let from = cluster.primary_of(slot);
    let to = (0..3).find(|node| *node != from).expect("another primary");
    assert!(!set(&cluster, from, b"1").is_error());
    for other in 0..250 {
        let key = format!("{{shop}}:{other}");
        cluster.node(from).cli(&["SET", &key, "1"]);
    }
    cluster.begin_migration(slot, to);
    assert_eq!(get(&cluster, from), value(b"1"));
    let missing = cluster.node(from).command(&[b"GET", b"{shop}:missing"]);
    assert_eq!(missing, redirection("ASK", slot, to, &cluster));
    cluster.move_keys(slot, to);
    assert_eq!(get(&cluster, from), redirection("ASK", slot, to, &cluster));
    assert_eq!(cluster.primary_of(slot), from);
    cluster.end_migration(slot, to);
    assert_eq!(cluster.primary_of(slot), to);
    assert_eq!(
        get(&cluster, from),
        redirection("MOVED", slot, to, &cluster)
    );
    assert_eq!(get(&cluster, to), value(b"1"));
    let count = |node: usize| {
        cluster
            .node(node)
            .cli(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()])
    };
    assert_eq!((count(from), count(to)), ("0".into(), "251".into()));
    cluster.migrate(slot, from);
    assert_eq!(cluster.primary_of(slot), from);
    assert_eq!(get(&cluster, from), value(b"1"));
}

#[test]
#[should_panic(expected = "has no replica that serves")]
fn a_missing_replica_is_told() {
    let cluster = Cluster::start();
    let primary = cluster.primary_of(0);
    let replica = cluster.replica_of(primary);
    cluster.node(replica).pause();
    cluster.kill_primary(0);
}
