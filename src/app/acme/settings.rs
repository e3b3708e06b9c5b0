//! What is told of an authority.

use crate::base::secret::Secret;

/// An authority, and what is ordered there.
pub struct Settings {
    /// The address of its directory (RFC 8555, 7.1.1); `https://`.
    pub directory: String,
    /// Addresses of e-mail at which it reaches somebody.
    pub contacts: Vec<String>,
    /// The names of hosts that a certificate is wanted for, in lower case.
    pub names: Vec<String>,
    /// The kind of certificate, as the authority calls it.
    pub profile: Option<String>,
    /// The account that the authority knows us by otherwise, with its key (RFC 8555, 7.3.4).
    pub external_account: Option<(String, Secret<Vec<u8>>)>,
    /// How its server is verified.
    pub tls: rustls::ClientConfig,
}
