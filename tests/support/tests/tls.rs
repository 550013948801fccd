//! A server with TLS, asked by `openssl`: the client here speaks none.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use afresh_test_support::{Certs, Server, Stop};

/// What the port with TLS answers, trusting this authority; nothing where there is no agreement.
fn ask(server: &Server, ca: &Path, client: Option<&Certs>) -> String {
    let mut command = Command::new("openssl");
    command
        .args(["s_client", "-quiet", "-verify_return_error"])
        .args(["-verify_ip", "127.0.0.1", "-CAfile"])
        .arg(ca)
        .args(["-connect", &format!("127.0.0.1:{}", server.tls_port())]);
    if let Some(certs) = client {
        command.arg("-cert").arg(certs.client_cert());
        command.arg("-key").arg(certs.client_key());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::null()).spawn().expect("openssl");
    let mut stdin = child.stdin.take().expect("a pipe");
    // It may have given up before it reads. `QUIT` has the server close the connection.
    let _ = stdin.write_all(b"AUTH tester tester-s3cret\r\nPING\r\nQUIT\r\n");
    let answer = child.wait_with_output().expect("an end");
    drop(stdin);
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

const WELL: &str = "+OK\r\n+PONG\r\n+OK\r\n";

#[test]
fn it_answers_with_tls_and_without() {
    let certs = Certs::make();
    let server = Server::start_tls(&certs);
    assert_eq!(server.cli(&["PING"]), "PONG");
    assert_eq!(ask(&server, &certs.ca(), None), WELL);
    let login = "rediss://tester:tester-s3cret@127.0.0.1:";
    let url = format!("{login}{}/", server.tls_port());
    assert_eq!(server.tls_url(), url);
    server.stop(Stop::Kill);
    server.restart();
    assert_eq!(ask(&server, &certs.ca(), None), WELL);
}

#[test]
fn another_authority_does_not_vouch_for_it() {
    let (certs, others) = (Certs::make(), Certs::make());
    let server = Server::start_tls(&certs);
    assert_eq!(ask(&server, &others.ca(), None), "");
}

#[test]
fn it_may_ask_for_a_certificate_of_the_clients() {
    let (certs, others) = (Certs::make(), Certs::make());
    let server = Server::start_tls_with(&certs, &["--tls-auth-clients", "yes"]);
    assert_eq!(ask(&server, &certs.ca(), Some(&certs)), WELL);
    assert_eq!(ask(&server, &certs.ca(), None), "");
    assert_eq!(ask(&server, &certs.ca(), Some(&others)), "");
}

#[test]
fn the_files_are_gone_with_their_owner() {
    let certs = Certs::make();
    let files = [
        certs.ca(),
        certs.server_cert(),
        certs.server_key(),
        certs.client_cert(),
        certs.client_key(),
    ];
    assert!(files.iter().all(|file| file.exists()));
    drop(certs);
    assert!(!files.iter().any(|file| file.exists()));
}

#[test]
#[should_panic(expected = "started without TLS")]
fn a_server_without_tls_has_no_such_url() {
    let _ = Server::shared().tls_url();
}
