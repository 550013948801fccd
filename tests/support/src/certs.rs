//! Certificates for servers with TLS and their clients, made anew by `openssl`. It speaks no TLS
//! itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::launch::Folder;
use crate::process::Watchdog;

/// What a request and each kind of certificate contain; nothing is taken from the system's settings.
const SETTINGS: &str = "\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = DNS:client
";

const KEY: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

/// An authority, and what it has signed: a server's certificate for `localhost` and `127.0.0.1`,
/// and a client's. Another one's authority is another one.
#[derive(Debug)]
pub struct Certs {
    // Before the folder that it watches.
    _watchdog: Watchdog,
    folder: Folder,
}

impl Certs {
    /// Makes an authority and its certificates.
    #[must_use]
    pub fn make() -> Self {
        let folder = Folder::new();
        let watchdog = Watchdog::over_folder(folder.path());
        fs::write(folder.path().join("settings"), SETTINGS).expect("a file in our folder");
        let authority = "-x509 -extensions ca -subj /CN=afresh-test-ca -keyout ca.key -out ca.crt";
        request(folder.path(), authority);
        for of in ["server", "client"] {
            let subject = format!("-subj /CN={of} -keyout {of}.key -out {of}.csr");
            request(folder.path(), &subject);
            let sign = format!(
                "x509 -req -days 30 -in {of}.csr -CA ca.crt -CAkey ca.key -CAcreateserial \
                 -extfile settings -extensions {of} -out {of}.crt"
            );
            openssl(folder.path(), sign.split(' '));
        }
        Self {
            _watchdog: watchdog,
            folder,
        }
    }

    /// The authority's certificate, PEM.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    /// The server's certificate, PEM.
    #[must_use]
    pub fn server_cert(&self) -> PathBuf {
        self.folder.path().join("server.crt")
    }

    /// The server's key, PEM.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.folder.path().join("server.key")
    }

    /// The client's certificate, PEM.
    #[must_use]
    pub fn client_cert(&self) -> PathBuf {
        self.folder.path().join("client.crt")
    }

    /// The client's key, PEM.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.folder.path().join("client.key")
    }
}

fn request(folder: &Path, arguments: &str) {
    let begin = "req -new -nodes -config settings -days 30".split(' ');
    openssl(folder, begin.chain(KEY).chain(arguments.split(' ')));
}

fn openssl<'a>(folder: &Path, arguments: impl Iterator<Item = &'a str>) {
    let arguments: Vec<_> = arguments.collect();
    let done = Command::new("openssl")
        .args(&arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    let done = done.unwrap_or_else(|error| {
        panic!(
            "`openssl` could not be started: {error}. This test needs certificates and is never \
             skipped. Install the package `openssl` (Debian, Ubuntu, Fedora, Arch, Homebrew)"
        )
    });
    let said = String::from_utf8_lossy(&done.stderr);
    let command = arguments.join(" ");
    assert!(done.status.success(), "`openssl {command}`: {said}");
}
