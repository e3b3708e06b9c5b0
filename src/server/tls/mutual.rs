//! A listener that asks its clients for certificates.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;

use super::parts::{Error, provider, read_chain, read_key, root_store};

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
