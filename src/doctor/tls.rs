//! TLS to a server, and what its failures mean in words.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::base::clock::{Clock, SystemClock, later};
use crate::flow::node_tls;
pub(super) use crate::flow::node_tls::cause;
use crate::server::tls;
use crate::xml::keys::Certificate;

/// Tells whether an alert is about the certificate that we showed, or did not. One that is signed by
/// another key than its authority's is an error of decryption to some (RFC 8446 6.2).
pub(super) fn is_of_certificate(alert: AlertDescription) -> bool {
    node_tls::is_of_certificate(alert) || alert == AlertDescription::DecryptError
}

/// How a connection with TLS failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// We do not believe the server's certificate.
    Refused(String, &'static str),
    /// The server does not believe ours, or misses one.
    OfOurs(AlertDescription),
    /// There is no TLS for another reason.
    Broken(String, &'static str),
}

/// Connects, and speaks TLS.
pub(super) async fn connect(
    address: SocketAddr,
    name: &str,
    config: &ClientConfig,
    time: Duration,
) -> Result<TlsStream<TcpStream>, Failed> {
    let Ok(name) = ServerName::try_from(name.to_owned()) else {
        return Err(Failed::Broken(format!("{name} is no name of a server"), NOT_TLS));
    };
    let connector = TlsConnector::from(Arc::new(config.clone()));
    let connecting = async {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        connector.connect(name, stream).await
    };
    match timeout(time, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(&error)),
        Err(_) => Err(Failed::Broken(format!("no TLS within {time:?}"), NOT_TLS)),
    }
}

/// Says why a connection with TLS failed.
pub(super) fn failed(error: &std::io::Error) -> Failed {
    match cause(error) {
        Some(rustls::Error::InvalidCertificate(why)) => refused(why),
        Some(rustls::Error::AlertReceived(alert)) if is_of_certificate(*alert) => {
            Failed::OfOurs(*alert)
        }
        Some(rustls::Error::InvalidMessage(_)) => {
            Failed::Broken("what answers there does not speak TLS".to_owned(), NOT_TLS)
        }
        Some(other) => Failed::Broken(other.to_string(), VERSION),
        None => Failed::Broken(format!("the connection ended during TLS: {error}"), NOT_TLS),
    }
}

fn refused(why: &CertificateError) -> Failed {
    use CertificateError as E;
    let (seen, advice) = match why {
        E::Expired | E::ExpiredContext { .. } => ("its certificate has ended", EXPIRED),
        E::NotValidYet | E::NotValidYetContext { .. } => {
            ("its certificate is not valid yet", "look at the clock of this machine")
        }
        E::UnknownIssuer | E::BadSignature => {
            ("its certificate is of an authority that is not known here", UNKNOWN)
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            ("its certificate is for another name", NAME)
        }
        E::Revoked => ("its certificate is revoked", EXPIRED),
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            ("its certificate is one of an authority, and of no server", EXPIRED)
        }
        _ => ("its certificate is not believed", UNKNOWN),
    };
    Failed::Refused(format!("{seen} ({why})"), advice)
}

/// Returns what is worth saying of a connection: the version, and when the server's certificate
/// ends; and whether that is soon.
pub(super) fn seen(stream: &TlsStream<TcpStream>) -> (String, bool) {
    let connection = stream.get_ref().1;
    let version = match connection.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
        _ => "TLS",
    };
    let leaf = connection.peer_certificates().and_then(<[_]>::first);
    let Some(leaf) = leaf.and_then(|leaf| Certificate::from_der(leaf).ok()) else {
        return (version.to_owned(), false);
    };
    let end = leaf.not_after();
    let is_soon = end <= later(SystemClock.now(), SOON);
    (format!("{version}; certificate {} ends on {end}", leaf.subject()), is_soon)
}

/// Makes the settings by which browsers would verify: the authorities of the system, and more.
pub(super) fn browser(more: &[CertificateDer<'static>]) -> Option<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(more.iter().cloned());
    tls::client(roots, None).ok()
}

/// A certificate that ends within this is to be renewed now.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

const NOT_TLS: &str = "look whether the address and the port are right, and whether a proxy or \
                       firewall between answers instead";
const VERSION: &str = "the two sides have no version or cipher of TLS in common: at least TLS 1.2 is \
                       needed";
const EXPIRED: &str = "whoever runs that server has to renew it";
const UNKNOWN: &str = "look whether the server sends its whole chain; otherwise name the file of its \
                       authority (node.extra_ca_file, tls_ca_file of an upstream, store.redis.ca_file; \
                       for the public address: --public-ca)";
const NAME: &str = "look whether the address leads to the right server, and whether its certificate \
                    has this name";
