//! A listener for the public: several certificates, chosen by name, and sessions that are resumed; and
//! one for clients who are known by a certificate, where none is.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::parts::{Error, provider, read_chain, root_store};
use crate::server::certificates::Certificates;

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
    /// TLS 1.2 and 1.3.
    Tls12,
    /// TLS 1.3 alone.
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
    let mut config = config(certificates, options, WebPkiClientVerifier::no_client_auth())?;
    config.ticketer = Ticketer::new()?;
    config.send_tls13_tickets = TICKETS;
    config.session_storage = ServerSessionMemoryCache::new(REMEMBERED_SESSIONS);
    Ok(Arc::new(config))
}

/// Makes the settings of a listener whose clients must show a certificate of one of these
/// authorities, in PEM. Each connection shows it anew, with its key: a session that is resumed would
/// go on after the certificate has ended, for whoever has the ticket.
///
/// # Errors
/// When there is no authority.
pub fn server_config_for_known_clients(
    certificates: &Arc<Certificates>,
    options: Options,
    authorities: &[u8],
) -> Result<Arc<ServerConfig>, Error> {
    Ok(Arc::new(config(certificates, options, client_authorities(authorities)?)?))
}

/// Makes the settings of a listener whose clients may show a certificate of one of these authorities, in
/// PEM: one of another authority ends the connection, none does not. No session is resumed, as in
/// [`server_config_for_known_clients`].
///
/// # Errors
/// When there is no authority.
pub fn server_config_for_some_known_clients(
    certificates: &Arc<Certificates>,
    options: Options,
    authorities: &[u8],
) -> Result<Arc<ServerConfig>, Error> {
    let roots = Arc::new(root_store(&read_chain(authorities)?)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    let clients = builder.allow_unauthenticated().build();
    let clients = clients.map_err(|error| Error::ClientVerifier(error.to_string()))?;
    Ok(Arc::new(config(certificates, options, clients)?))
}

/// Returns what checks that a client has a certificate of one of these authorities, in PEM.
///
/// # Errors
/// When there is none.
pub fn client_authorities(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, Error> {
    let roots = Arc::new(root_store(&read_chain(authorities)?)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    builder.build().map_err(|error| Error::ClientVerifier(error.to_string()))
}

/// No session is resumed by it.
fn config(
    certificates: &Arc<Certificates>,
    options: Options,
    clients: Arc<dyn ClientCertVerifier>,
) -> Result<ServerConfig, Error> {
    let versions: &[&SupportedProtocolVersion] = match options.minimum {
        Version::Tls12 => &[&TLS13, &TLS12],
        Version::Tls13 => &[&TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::<Certificates>::clone(certificates));
    config.alpn_protocols = match options.http2 {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => vec![b"http/1.1".to_vec()],
    };
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.max_early_data_size = 0;
    Ok(config)
}

/// Tickets for each TLS 1.3 connection: one for the next, one in case that it is lost. Browsers
/// use each once.
const TICKETS: usize = 2;

/// TLS 1.2 sessions of clients that know no tickets; such clients are rare.
const REMEMBERED_SESSIONS: usize = 1024;
