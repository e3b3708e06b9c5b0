//! How Redis is reached.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::base::secret::Secret;

/// How Redis or Valkey is reached, and what is kept to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is at the addresses.
    pub mode: Mode,
    /// The server, the sentinels, or some nodes of the cluster.
    pub addresses: Vec<Address>,
    /// TLS, to servers and sentinels alike.
    pub tls: Option<Tls>,
    /// Who we are, for the servers.
    pub credentials: Option<Credentials>,
    /// The number of the database; a cluster has number 0 only.
    pub database: u16,
    /// What every key and channel of ours begins with.
    pub prefix: String,
    /// How long a connection may take to be ready, with TLS and authentication.
    pub connect_timeout: Duration,
    /// How long a command may take; connecting for it is included.
    pub command_timeout: Duration,
    /// Connections to each server, besides one that listens. They carry many commands at once.
    pub pool: usize,
    /// How long we wait after a connection failed, at first and at most.
    pub backoff: (Duration, Duration),
}

/// What is at the addresses.
#[derive(Debug, Clone)]
pub enum Mode {
    /// One server.
    Single,
    /// Sentinels, which know the server that is the master now.
    Sentinel {
        /// The name of the master in the configuration of the sentinels.
        master: String,
        /// Who we are, for the sentinels.
        credentials: Option<Credentials>,
    },
    /// Nodes of a cluster.
    Cluster,
}

/// Who we are.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The ACL user; the default user when there is none.
    pub user: Option<String>,
    /// The password.
    pub password: Secret<String>,
}

/// TLS of at least version 1.2; the name of a server is checked.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// A PEM file of the authorities that servers are trusted by; otherwise those of the system.
    pub authorities: Option<PathBuf>,
    /// PEM files of our own certificate and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// A name or an IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Settings with which nothing can be reached, ever.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No addresses.
    #[error("no address of a server is given")]
    NoAddress,
    /// More than one server, but no cluster.
    #[error("several addresses are given, but the mode is one server; use sentinel or cluster")]
    SeveralAddresses,
    /// No name of the master.
    #[error("sentinels must be asked for a master by its name, and none is given")]
    NoMaster,
    /// A cluster has no databases.
    #[error("a cluster has database 0 only, not {0}")]
    DatabaseOfCluster(u16),
    /// The prefix would be read as something else in patterns and slots.
    #[error("key prefix {0:?} must be 1 to 64 letters, digits, or any of : . _ - /")]
    Prefix(String),
    /// Something is zero, or the wrong way round.
    #[error("{0}")]
    Limits(&'static str),
    /// A file of certificates cannot be used.
    #[error("{file}: {problem}")]
    File {
        /// Which.
        file: PathBuf,
        /// Why.
        problem: String,
    },
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The system trusts nobody.
    #[error("the system has no trusted authorities; give a file of them")]
    NoAuthorities,
}

/// Text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the address of a server, such as redis.example:6379")]
pub struct NotAnAddress(pub String);

impl Settings {
    /// Returns settings with which everything else is as it usually is.
    #[must_use]
    pub fn new(mode: Mode, addresses: Vec<Address>) -> Self {
        Self {
            mode,
            addresses,
            tls: None,
            credentials: None,
            database: 0,
            prefix: "brama:".to_owned(),
            connect_timeout: Duration::from_secs(1),
            command_timeout: Duration::from_millis(500),
            pool: 2,
            backoff: (Duration::from_millis(50), Duration::from_secs(1)),
        }
    }

    pub(super) fn check(&self) -> Result<(), ConnectError> {
        if self.addresses.is_empty() {
            return Err(ConnectError::NoAddress);
        }
        match &self.mode {
            Mode::Single if self.addresses.len() > 1 => return Err(ConnectError::SeveralAddresses),
            Mode::Sentinel { master, .. } if master.is_empty() => {
                return Err(ConnectError::NoMaster);
            }
            Mode::Cluster if self.database != 0 => {
                return Err(ConnectError::DatabaseOfCluster(self.database));
            }
            _ => {}
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":._-/".contains(&byte);
        if !(1..=64).contains(&self.prefix.len()) || !self.prefix.bytes().all(is_plain) {
            return Err(ConnectError::Prefix(self.prefix.clone()));
        }
        if self.connect_timeout.is_zero() || self.command_timeout.is_zero() {
            return Err(ConnectError::Limits("timeouts must be longer than nothing"));
        }
        if !(1..=64).contains(&self.pool) {
            return Err(ConnectError::Limits("a pool has 1 to 64 connections"));
        }
        let (least, most) = self.backoff;
        if least.is_zero() || most < least {
            return Err(ConnectError::Limits("waiting begins above zero and never gets shorter"));
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || NotAnAddress(text.to_owned());
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let port = port.parse().ok().filter(|&port| port != 0).ok_or_else(wrong)?;
        let is_wrong = |byte: u8| byte.is_ascii_whitespace() || b"/@[]".contains(&byte);
        if host.is_empty() || host.bytes().any(is_wrong) {
            return Err(wrong());
        }
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_nothing_else() {
        for text in ["redis.example:6379", "10.0.0.1:1", "[::1]:6379"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["", "redis", ":6379", "redis:0", "redis:65536", "redis://a:1", "a b:1"] {
            text.parse::<Address>().unwrap_err();
        }
    }

    #[test]
    fn refuses_settings_that_cannot_work() {
        let address: Address = "localhost:6379".parse().unwrap();
        let good = |mode| Settings::new(mode, vec![address.clone()]);
        good(Mode::Single).check().unwrap();
        good(Mode::Cluster).check().unwrap();
        let sentinel = |name: &str| Mode::Sentinel { master: name.to_owned(), credentials: None };
        good(sentinel("main")).check().unwrap();
        let two = vec![address.clone(), address.clone()];
        let wrong = [
            Settings { addresses: Vec::new(), ..good(Mode::Single) },
            Settings { addresses: two, ..good(Mode::Single) },
            good(sentinel("")),
            Settings { database: 1, ..good(Mode::Cluster) },
            Settings { prefix: String::new(), ..good(Mode::Single) },
            Settings { prefix: "a{b}".to_owned(), ..good(Mode::Single) },
            Settings { prefix: "a*".to_owned(), ..good(Mode::Single) },
            Settings { pool: 0, ..good(Mode::Single) },
            Settings { command_timeout: Duration::ZERO, ..good(Mode::Single) },
            Settings {
                backoff: (Duration::from_secs(2), Duration::from_secs(1)),
                ..good(Mode::Single)
            },
        ];
        for (number, settings) in wrong.iter().enumerate() {
            assert!(settings.check().is_err(), "number {number}");
        }
    }

    #[test]
    fn shows_no_password() {
        let password = Secret::new("hunter2".to_owned());
        let mut settings = Settings::new(Mode::Single, Vec::new());
        settings.credentials = Some(Credentials { user: None, password });
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
