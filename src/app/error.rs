//! Why a gateway cannot start.

use super::keys;
use super::state::StateError;
use crate::server::{handover, tls};
use crate::store;

/// Why a gateway cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error("cannot listen on {name}: {source}")]
    Listen {
        /// The address with its port, `unix:` and a path, or the name of the listener.
        name: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Sockets cannot be kept for a successor.
    #[error(transparent)]
    HandOver(#[from] handover::Error),
    /// The access log cannot be written.
    #[error("access log cannot be written: {0}")]
    AccessLog(std::io::Error),
    /// The audit log cannot be written.
    #[error("audit log cannot be written: {0}")]
    AuditLog(std::io::Error),
    /// What is kept between runs cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The keys of identities cannot be used.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The store where records are kept cannot be opened.
    #[error(transparent)]
    Store(store::file::OpenError),
    /// The servers where records are kept can never be reached.
    #[error("session store: {0}")]
    Redis(#[source] store::redis::settings::ConnectError),
    /// Other replicas have other secrets.
    #[error(transparent)]
    Secrets(store::agreement::Disagreement),
}
