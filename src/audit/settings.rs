//! How the audit log is written: where to, how surely, and how much it tells of a client.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::observe::access::Addresses;

/// How the audit log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where records go.
    pub target: Target,
    /// Whether no login begins while records cannot be written.
    pub required: bool,
    /// How much of a client's address is written.
    pub addresses: Addresses,
    /// The most bytes of records that wait to be written.
    pub queue_bytes: usize,
    /// What this replica is called.
    pub instance: String,
    /// A checkpoint follows after so many records at the latest.
    pub checkpoint_records: u64,
    /// A checkpoint follows so long after a record at the latest.
    pub checkpoint_every: Duration,
    /// The file in which it is noted how far the chain has come; none where nothing is kept.
    pub head: Option<PathBuf>,
}

/// Where records go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A file that grows.
    File(File),
    /// What takes records one by one.
    Stream(Stream),
}

/// What takes records one by one, and of which nothing is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// Standard output, where they are between the lines of the program's log.
    Stdout,
    /// The system's log (RFC 5424).
    Syslog {
        /// Where it listens.
        at: Syslog,
        /// The facility (RFC 5424 6.2.1): 0 to 23.
        facility: u8,
    },
    /// The journal of systemd, by its own protocol.
    Journald(PathBuf),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(f, "{}", file.path.display()),
            Self::Stream(stream) => stream.fmt(f),
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Syslog { at: Syslog::Unix(path), .. } => write!(f, "unix:{}", path.display()),
            Self::Syslog { at: Syslog::Udp(address), .. } => write!(f, "udp:{address}"),
            Self::Syslog { at: Syslog::Tcp(address), .. } => write!(f, "tcp:{address}"),
            Self::Journald(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A file that grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub path: PathBuf,
    /// How many bytes it may have before a new one begins; 0 is any number.
    pub maximum: u64,
    /// Whether a new one begins with each day (UTC).
    pub daily: bool,
    /// When it is made sure that records are on the disk.
    pub sync: Sync,
}

/// When it is made sure that records are on the disk (`fdatasync`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// After each batch of records.
    Batch,
    /// So long after a record at the latest.
    Within(Duration),
    /// When the system does it by itself.
    Never,
}

/// Where the system's log listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syslog {
    /// A datagram socket of the file system.
    Unix(PathBuf),
    /// UDP (RFC 5426).
    Udp(SocketAddr),
    /// TCP with the length before each message (RFC 6587 3.4.1).
    Tcp(SocketAddr),
}
