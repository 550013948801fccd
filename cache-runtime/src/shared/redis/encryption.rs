//! What connections are encrypted with, and whom they believe: certificates become a way to begin
//! TLS on a stream. Read and checked when the cache is set up, not when it connects.

#[cfg(feature = "tls")]
mod with_tls {
    use std::fmt;
    use std::io;
    use std::sync::Arc;

    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::{ClientConfig, RootCertStore};
    use tokio::net::TcpStream;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::client::TlsStream;

    use crate::error::{Error, ErrorKind};

    /// A way to begin TLS on a stream.
    #[derive(Clone)]
    pub(in crate::shared::redis) struct Encryption(TlsConnector);

    impl fmt::Debug for Encryption {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            // It holds the client's key.
            f.debug_struct("Encryption").finish_non_exhaustive()
        }
    }

    fn unusable(option: &str, why: impl Into<String>) -> Error {
        Error::caused(
            ErrorKind::Config,
            format!("what `{option}` names cannot be used for TLS"),
            why.into(),
        )
    }

    impl Encryption {
        /// With these roots, in PEM form, or the system's; and with the client's own certificate
        /// and key, where the server asks for them.
        pub(in crate::shared::redis) fn new(
            roots: Option<&[u8]>,
            client: Option<(&[u8], &[u8])>,
        ) -> Result<Self, Error> {
            let roots = match roots {
                Some(pem) => named(pem)?,
                None => the_systems(),
            };
            // The program's own choice of a provider may be made later, or never: this one is ours.
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .map_err(|error| unusable("rediss", error.to_string()))?
                .with_root_certificates(roots);
            let config = match client {
                None => config.with_no_client_auth(),
                Some((certificate, key)) => {
                    let chain = CertificateDer::pem_slice_iter(certificate)
                        .collect::<Result<Vec<_>, _>>()
                        .map_err(|error| unusable("cert", error.to_string()))?;
                    let key = PrivateKeyDer::from_pem_slice(key)
                        .map_err(|error| unusable("key", error.to_string()))?;
                    config
                        .with_client_auth_cert(chain, key)
                        .map_err(|error| unusable("cert", error.to_string()))?
                }
            };
            Ok(Self(TlsConnector::from(Arc::new(config))))
        }

        pub(in crate::shared::redis) async fn begin(
            &self,
            host: &str,
            stream: TcpStream,
        ) -> io::Result<TlsStream<TcpStream>> {
            let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
            self.0.connect(name, stream).await
        }
    }

    fn named(pem: &[u8]) -> Result<RootCertStore, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let added = certificate
                .map_err(|error| error.to_string())
                .and_then(|root| roots.add(root).map_err(|error| error.to_string()));
            added.map_err(|why| unusable("cacert", why))?;
        }
        if roots.is_empty() {
            return Err(unusable("cacert", "there is no certificate in it"));
        }
        Ok(roots)
    }

    /// Those that can be read. Where there is none, no server is believed, and that is said when
    /// one is met.
    fn the_systems() -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    }
}

#[cfg(feature = "tls")]
pub(super) use with_tls::Encryption;

/// There is none in this build: a URL that asks for it is refused.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Debug)]
pub(super) enum Encryption {}
