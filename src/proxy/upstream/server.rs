//! One server of a group: where it is, what it is doing, how it stands.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use rustls::pki_types::ServerName;

use super::core::Core;
use super::settings::write_unix;
use super::standing::Standing;
use crate::observe::metrics::Count;

/// Tells servers apart. None is given twice in the life of the process, so what is kept under one
/// never meets another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(u64);

impl ServerId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Where a connection goes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// An address and a port.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(Arc<Path>),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write_unix(path, f),
        }
    }
}

/// A server, shared by all that ask it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) core: Arc<Core>,
    pub(super) id: ServerId,
    pub(super) endpoint: Endpoint,
    /// What it is called in logs: the upstream, and where connections go to.
    pub(super) name: Arc<str>,
    /// Its name and port as configured, for requests of our own.
    pub(super) authority: String,
    /// The name that its certificate must be for.
    pub(super) tls_name: Option<ServerName<'static>>,
    /// How many requests it has.
    pub(super) in_flight: UnderWay,
    /// How many requests it ever failed.
    pub(super) failures: AtomicU64,
    /// How often it was put out for them.
    pub(super) ejections: Count,
    pub(super) standing: Standing,
}

/// A count that each request changes, on a line of memory of its own: what stands around it is only read.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct UnderWay(pub(super) AtomicU32);
