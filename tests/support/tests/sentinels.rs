//! The test sentinels themselves: they watch, replace, and take back.

use afresh_test_support::{Sentinels, Server, Stop};

fn role(server: &Server) -> String {
    server.info("replication")["role"].clone()
}

#[test]
fn they_name_a_primary_with_two_replicas() {
    let group = Sentinels::start();
    let url = group.url();
    let login = "redis-sentinel://tester:tester-s3cret@127.0.0.1:";
    assert!(url.starts_with(login), "{url}");
    assert!(url.ends_with("/shop"), "{url}");
    assert_eq!(group.sentinels().len(), 3);
    for sentinel in group.sentinels() {
        let address = format!("127.0.0.1:{}", sentinel.port());
        assert!(url.contains(&address), "{url}");
        assert!(
            sentinel
                .cli(&["SENTINEL", "CKQUORUM", "shop"])
                .starts_with("OK 3")
        );
    }
    let roles: Vec<_> = group.servers().iter().map(role).collect();
    assert_eq!(roles, ["master", "slave", "slave"]);
    assert_eq!(group.primary().port(), group.servers()[0].port());
    assert_eq!(role(group.primary()), "master");
}

#[test]
fn a_failover_can_be_repeated_and_keeps_what_was_copied() {
    let group = Sentinels::start();
    group.primary().cli(&["SET", "a", "1"]);
    group.await_copies();
    let mut before = 0;
    for _ in 0..2 {
        let now = group.fail_over();
        assert_ne!(now, before);
        assert_eq!(group.primary().port(), group.servers()[now].port());
        assert_eq!(group.primary().cli(&["GET", "a"]), "1");
        group.primary().cli(&["SET", "b", "1"]);
        before = now;
    }
}

#[test]
fn a_killed_primary_is_replaced_and_comes_back_as_a_replica() {
    let group = Sentinels::start();
    group.primary().cli(&["SET", "a", "1"]);
    group.await_copies();
    assert_eq!(group.kill_primary(), 0);
    let primary = group.primary();
    assert_ne!(primary.port(), group.servers()[0].port());
    assert_eq!(primary.cli(&["GET", "a"]), "1");
    group.restart(0);
    let users = group.servers()[0].cli(&["ACL", "USERS"]);
    assert_eq!(users, "default\ntester");
    assert_eq!(role(&group.servers()[0]), "slave");
    assert_eq!(group.servers()[0].cli(&["GET", "a"]), "1");
    assert_eq!(group.primary().port(), primary.port());
}

#[test]
fn a_replica_comes_back_to_whom_it_followed_last() {
    let group = Sentinels::start();
    let primary = group.fail_over();
    group.await_copies();
    let replica = (1..3).find(|number| *number != primary).expect("another");
    group.servers()[replica].stop(Stop::Terminate);
    group.restart(replica);
    let port = group.servers()[primary].port().to_string();
    assert_eq!(
        group.servers()[replica].info("replication")["master_port"],
        port
    );
}

#[test]
fn two_of_three_sentinels_are_enough() {
    let group = Sentinels::start();
    group.sentinels()[0].stop(Stop::Kill);
    assert_eq!(group.kill_primary(), 0);
    assert_ne!(group.primary().port(), group.servers()[0].port());
}

#[test]
fn a_primary_that_is_cut_off_is_replaced_and_comes_back() {
    let sentinels = Sentinels::start();
    let before = sentinels.primary().port();
    let cut_off = sentinels.cut_off_primary();
    let server = &sentinels.servers()[cut_off];
    assert_eq!(server.port(), before);
    assert_ne!(sentinels.primary().port(), before);
    // It takes itself for what it was; and answers nobody but those who log in.
    let shut_out = server.command(&[b"PING"]);
    assert!(shut_out.to_string().contains("NOAUTH"), "{shut_out}");
    let mut client = server.client();
    let words = ["AUTH", "tester", "tester-s3cret"];
    assert!(!client.command(&words).expect("an answer").is_error());
    let words = ["HDEL", "a:afresh:1:b", "c"];
    let reply = client.command(&words).expect("an answer");
    assert!(!reply.is_error(), "still a primary: {reply}");
    sentinels.let_back(cut_off);
    assert_eq!(server.info("replication")["role"], "slave");
}
