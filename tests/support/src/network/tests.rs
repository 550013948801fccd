//! The network with a real server behind it.

use super::*;
use crate::resp::{Client, Reply};
use crate::wait::eventually;

/// A client on the far side of the network.
fn far(network: &Network, server: &Server) -> Client {
    let port = network.inside.ports[&server.port()];
    Client::connect(port).expect("a connection")
}

fn incr(client: &mut Client) -> Reply {
    client.command(&["INCR", "n"]).expect("an answer")
}

#[test]
fn requests_that_are_cut_do_not_arrive() {
    let server = Server::start();
    let network = Network::before([&server]);
    for (cut, before) in [(Cut::Requests, 1), (Cut::Both, 2)] {
        let mut client = far(&network, &server);
        assert_eq!(incr(&mut client), Reply::Int(before));
        network.cut(cut, None);
        client.send(&["INCR", "n"]).expect("a request");
        network.reset();
        assert!(client.read().is_err(), "the connection is broken");
        network.heal();
    }
    assert_eq!(server.cli(&["GET", "n"]), "2");
}

#[test]
fn answers_that_are_cut_do_not_arrive() {
    let server = Server::start();
    let network = Network::before([&server]);
    let mut client = far(&network, &server);
    assert_eq!(incr(&mut client), Reply::Int(1));
    network.cut(Cut::Answers, None);
    client.send(&["INCR", "n"]).expect("a request");
    eventually("the request's arrival", || server.cli(&["GET", "n"]) == "2");
    network.reset();
    assert!(client.read().is_err(), "no answer, and no connection");
}

#[test]
fn what_was_kept_arrives_when_it_heals() {
    let server = Server::start();
    let network = Network::before([&server]);
    let mut client = far(&network, &server);
    assert_eq!(incr(&mut client), Reply::Int(1));
    network.cut(Cut::Both, None);
    let mut second = far(&network, &server);
    for client in [&mut client, &mut second] {
        client.send(&["INCR", "n"]).expect("a request");
    }
    network.heal();
    let mut got = [client.read(), second.read()].map(|reply| reply.expect("an answer").int());
    got.sort_unstable();
    assert_eq!(got, [2, 3]);
}

#[test]
fn one_server_alone_can_be_cut() {
    let (one, other) = (Server::start(), Server::start());
    let network = Network::before([&one, &other]);
    let (mut to_one, mut to_other) = (far(&network, &one), far(&network, &other));
    assert_eq!(incr(&mut to_one), Reply::Int(1));
    network.cut(Cut::Both, Some(one.port()));
    to_one.send(&["INCR", "n"]).expect("a request");
    assert_eq!(incr(&mut to_other), Reply::Int(1));
    network.reset();
    assert!(to_one.read().is_err(), "the connection is broken");
    assert_eq!(one.cli(&["GET", "n"]), "1");
}

#[test]
fn a_slow_one_takes_its_time() {
    let server = Server::start();
    let network = Network::before([&server]);
    let mut client = far(&network, &server);
    let delay = Duration::from_millis(30);
    network.slow(delay);
    let began = std::time::Instant::now();
    assert_eq!(incr(&mut client), Reply::Int(1));
    assert!(began.elapsed() >= 2 * delay, "there and back");
}

#[test]
fn every_server_is_led_to() {
    let server = Server::start();
    let network = Network::before([&server]);
    let port = network.inside.ports[&server.port()];
    let url = network.through(&server.url());
    assert!(url.ends_with(&format!("@127.0.0.1:{port}/")), "{url}");
}
