//! Why the simulator does not start, or cannot answer.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::kit;
use crate::config::Problems;
use crate::server::tls;
use crate::xml::{encryption, keys, signer};

/// Why the simulator does not start, or cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that others can reach was asked for.
    #[error("{0} is not a loopback address; the simulator is not for production")]
    NotLoopback(SocketAddr),
    /// The issuer would not pass for the node's.
    #[error("node issuer \"{0}\" is not a bare host name")]
    NodeIssuer(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that cannot be listened on.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Keys and certificates cannot be made, read or kept.
    #[error(transparent)]
    Kit(#[from] kit::Error),
    /// The TLS listener cannot be set up.
    #[error("TLS of the SOAP listener cannot be set up")]
    Tls(#[from] tls::Error),
    /// A certificate of a service provider cannot be used.
    #[error("certificate of service provider \"{issuer}\" cannot be used")]
    Service {
        /// The entity identifier of the service provider.
        issuer: String,
        /// Why its certificates cannot be used.
        #[source]
        source: keys::Error,
    },
    /// A file of persons or service providers, or a recorded login, is wrong.
    #[error("{0}")]
    Sheet(Problems),
    /// Logins cannot be recorded.
    #[error("logins cannot be recorded to {}", folder.display())]
    Record {
        /// The folder that they were to be recorded to.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A fault of TLS was asked for where no TLS is spoken.
    #[error(
        "the SOAP listener speaks no TLS, so nothing can be wrong with it; leave out --mutual-tls off"
    )]
    NoTls,
    /// There are too many service providers.
    #[error("more than {0} service providers")]
    TooManyServices(usize),
    /// An answer cannot be signed: a mistake of ours.
    #[error("answer cannot be signed")]
    Sign(#[from] signer::Error),
    /// The recipient's key is unusable.
    #[error(transparent)]
    Encrypt(#[from] encryption::Error),
}
