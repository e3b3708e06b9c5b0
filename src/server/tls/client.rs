//! A client, which verifies the server always.

use rustls::{ClientConfig, RootCertStore};

use super::parts::{Error, provider, read_chain, read_key};

/// A client certificate with its key, both PEM.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'i> {
    /// PEM of the certificate and its intermediates.
    pub certificate: &'i [u8],
    /// PEM of the private key.
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
