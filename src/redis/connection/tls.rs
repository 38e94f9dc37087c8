//! Encrypted connections: the server's certificate and name are always verified.

use std::io;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use crate::error::StoreError;
use crate::redis::options::configuration;

/// The certificates and key in PEM, before they are checked.
#[derive(Clone, Default)]
pub(crate) struct TlsOptions {
    pub(crate) root_certificates: Option<Vec<u8>>,
    pub(crate) client_certificate: Option<ClientCertificate>,
    /// The name that the server's certificate must have, if not its host's.
    pub(crate) server_name: Option<String>,
}

#[derive(Clone)]
pub(crate) struct ClientCertificate {
    pub(crate) chain: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// The configuration of encrypted connections; `None` if the address asks for none.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    config: Option<Arc<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
}

impl TlsOptions {
    /// # Errors
    /// [`Configuration`](crate::StoreErrorKind::Configuration) if a certificate or key cannot be read, or if there are
    /// no root certificates at all. Never repeats the input.
    pub(crate) fn check(self) -> Result<Tls, StoreError> {
        let provider = provider();
        let server_name = self.server_name.clone().map(ServerName::try_from).transpose();
        let server_name = server_name.map_err(|_| {
            configuration("server_name is no name that a certificate can have; give a host name or an IP address")
        })?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| configuration(&format!("TLS cannot be used: {error}")))?
            .with_root_certificates(self.roots()?);
        let config = match &self.client_certificate {
            None => config.with_no_client_auth(),
            Some(client) => {
                let chain = certificates(&client.chain, "client certificate")?;
                let key = PrivateKeyDer::from_pem_slice(&client.key)
                    .map_err(|_| configuration("the private key of the client certificate cannot be read as PEM"))?;
                config.with_client_auth_cert(chain, key).map_err(|error| {
                    configuration(&format!("client certificate and private key do not match: {error}"))
                })?
            }
        };
        Ok(Tls { config: Some(Arc::new(config)), server_name })
    }

    fn roots(&self) -> Result<RootCertStore, StoreError> {
        let mut roots = RootCertStore::empty();
        match &self.root_certificates {
            Some(pem) => {
                for certificate in certificates(pem, "root certificates")? {
                    roots
                        .add(certificate)
                        .map_err(|error| configuration(&format!("a root certificate cannot be used: {error}")))?;
                }
            }
            // Unusable root certificates of the system do not matter as long as others can be used.
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(configuration(
                "there are no root certificates to verify the server by: install the system's, or give root_certificates",
            ));
        }
        Ok(roots)
    }
}

impl Tls {
    /// A session with the server at this host, whose certificate must have its name or the one that is configured.
    pub(crate) fn session(&self, host: &str) -> io::Result<ClientConnection> {
        let config = self.config.clone().ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.to_owned())
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?,
        };
        ClientConnection::new(config, name).map_err(io::Error::other)
    }
}

/// The cryptography provider of the process; ring if the application has installed none.
fn provider() -> Arc<CryptoProvider> {
    CryptoProvider::get_default().map_or_else(|| Arc::new(ring::default_provider()), Arc::clone)
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(configuration(&format!("the {what} cannot be read as PEM"))),
    }
}
