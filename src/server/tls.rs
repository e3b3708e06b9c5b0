//! TLS with rustls: versions 1.2 and 1.3, one crypto provider, certificates from PEM.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::certificates::Certificates;

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no certificate in the file.
    #[error("holds no certificate in PEM form")]
    NoCertificate,
    /// The certificates cannot be read.
    #[error("certificate cannot be read: {0}")]
    BadCertificate(String),
    /// There is no private key in the file.
    #[error("holds no unencrypted private key in PEM form: {0}")]
    BadKey(String),
    /// rustls refused, for instance because the key is not the certificate's.
    #[error("certificate and key are refused: {0}")]
    Refused(#[from] rustls::Error),
    /// The client authorities cannot be used.
    #[error("client certificates cannot be checked: {0}")]
    ClientVerifier(String),
}

/// Returns the one crypto provider.
#[must_use]
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// Reads a certificate chain, leaf first.
///
/// # Errors
/// When there is none or one is broken.
pub fn read_chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::BadCertificate(error.to_string()))?;
    if chain.is_empty() { Err(Error::NoCertificate) } else { Ok(chain) }
}

/// Reads a private key.
///
/// # Errors
/// When there is none.
pub fn read_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| Error::BadKey(error.to_string()))
}

/// How a listener for the public speaks TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The oldest version that is spoken.
    pub minimum: Version,
    /// Whether HTTP/2 is offered beside HTTP/1.1 (ALPN).
    pub http2: bool,
}

/// A version of TLS. Older ones are not spoken at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// TLS 1.2.
    Tls12,
    /// TLS 1.3.
    Tls13,
}

impl Default for Options {
    fn default() -> Self {
        Self { minimum: Version::Tls12, http2: true }
    }
}

/// Makes the settings of a listener for the public, which asks for no client certificate.
///
/// A client that comes again resumes its session: by a ticket whose keys change every six hours
/// and open nothing after twelve, or, with TLS 1.2 and no tickets, from a bounded memory. Early
/// data (0-RTT) is never taken, because it can be replayed.
///
/// # Errors
/// When there is no randomness for the keys of the tickets.
pub fn server_config(
    certificates: &Arc<Certificates>,
    options: Options,
) -> Result<Arc<ServerConfig>, Error> {
    let versions: &[&SupportedProtocolVersion] = match options.minimum {
        Version::Tls12 => &[&TLS13, &TLS12],
        Version::Tls13 => &[&TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::<Certificates>::clone(certificates));
    config.alpn_protocols = match options.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = TICKETS;
    config.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    config.max_early_data_size = 0;
    Ok(Arc::new(config))
}

/// Tickets for each TLS 1.3 connection: one for the next, one in case that it is lost. Browsers
/// use each once.
const TICKETS: usize = 2;

/// TLS 1.2 sessions of clients that know no tickets; such clients are rare.
const REMEMBERED_SESSIONS: usize = 1024;

/// Whether a client must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Without one there is no connection.
    Required,
    /// One that is shown is checked.
    Optional,
}

/// Makes the settings of a listener that checks client certificates against `authorities`.
///
/// # Errors
/// When certificate and key do not fit, or there is no authority.
pub fn mutual_server(
    certificate: &[u8],
    key: &[u8],
    authorities: &[u8],
    demand: ClientCertificate,
) -> Result<Arc<ServerConfig>, Error> {
    let roots = Arc::new(root_store(&read_chain(authorities)?)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let builder = match demand {
        ClientCertificate::Required => builder,
        ClientCertificate::Optional => builder.allow_unauthenticated(),
    };
    let verifier = builder.build().map_err(|error| Error::ClientVerifier(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(read_chain(certificate)?, read_key(key)?)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A client certificate with its key, both PEM.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'i> {
    /// The certificate chain.
    pub certificate: &'i [u8],
    /// The private key.
    pub key: &'i [u8],
}

/// Makes the settings of a client that verifies the server against `roots`, always.
///
/// # Errors
/// When the client's certificate and key do not fit.
pub fn client(roots: RootCertStore, identity: Option<Identity<'_>>) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    Ok(match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(read_chain(identity.certificate)?, read_key(identity.key)?)?,
    })
}

/// Makes a store of authorities.
///
/// # Errors
/// When one of them cannot be one.
pub fn root_store(authorities: &[CertificateDer<'_>]) -> Result<RootCertStore, Error> {
    let mut store = RootCertStore::empty();
    for authority in authorities {
        store.add(authority.clone().into_owned())?;
    }
    Ok(store)
}
