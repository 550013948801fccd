//! Times, addresses and paths as key parts.

use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{KeyPart, tag};
use crate::key::KeyWriter;

impl KeyPart for OsStr {
    fn encode(&self, key: &mut KeyWriter) {
        match self.to_str() {
            Some(text) => key.tagged(tag::PATH, text.as_bytes()),
            None => key.tagged(tag::PATH_NOT_UTF8, self.as_encoded_bytes()),
        }
    }
}

impl KeyPart for OsString {
    fn encode(&self, key: &mut KeyWriter) {
        self.as_os_str().encode(key);
    }
}

impl KeyPart for Path {
    fn encode(&self, key: &mut KeyWriter) {
        self.as_os_str().encode(key);
    }
}

impl KeyPart for PathBuf {
    fn encode(&self, key: &mut KeyWriter) {
        self.as_os_str().encode(key);
    }
}

impl KeyWriter {
    fn duration(&mut self, tag: u8, duration: Duration) {
        self.tag(tag);
        self.bytes(&duration.as_secs().to_le_bytes());
        self.bytes(&duration.subsec_nanos().to_le_bytes());
    }
}

impl KeyPart for Duration {
    fn encode(&self, key: &mut KeyWriter) {
        key.duration(tag::DURATION, *self);
    }
}

impl KeyPart for SystemTime {
    fn encode(&self, key: &mut KeyWriter) {
        match self.duration_since(UNIX_EPOCH) {
            Ok(after) => key.duration(tag::TIME_AFTER, after),
            Err(before) => key.duration(tag::TIME_BEFORE, before.duration()),
        }
    }
}

impl KeyPart for Ipv4Addr {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::IPV4);
        key.bytes(&self.octets());
    }
}

impl KeyPart for Ipv6Addr {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::IPV6);
        key.bytes(&self.octets());
    }
}

impl KeyPart for IpAddr {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Self::V4(address) => address.encode(key),
            Self::V6(address) => address.encode(key),
        }
    }
}

impl KeyPart for SocketAddrV4 {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::SOCKET_V4);
        key.bytes(&self.ip().octets());
        key.bytes(&self.port().to_le_bytes());
    }
}

impl KeyPart for SocketAddrV6 {
    fn encode(&self, key: &mut KeyWriter) {
        key.tag(tag::SOCKET_V6);
        key.bytes(&self.ip().octets());
        key.bytes(&self.port().to_le_bytes());
        key.bytes(&self.flowinfo().to_le_bytes());
        key.bytes(&self.scope_id().to_le_bytes());
    }
}

impl KeyPart for SocketAddr {
    fn encode(&self, key: &mut KeyWriter) {
        match self {
            Self::V4(address) => address.encode(key),
            Self::V6(address) => address.encode(key),
        }
    }
}
