//! What an alarm says of a certificate.

use std::path::Path;

use crate::base::clock::Time;

/// A certificate that is in use, as an alarm tells it.
#[derive(Debug, Clone, Copy)]
pub struct WatchedCertificate<'e> {
    /// What it is for, as in metrics: `citizens`, `signing`, `node_ca`.
    pub used_for: &'static str,
    /// Its subject, or the names of its hosts.
    pub subject: &'e str,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub sha256: &'e str,
    /// The key of the configuration that names it.
    pub key: &'e str,
    /// The file that it was read from.
    pub file: &'e Path,
    /// When it begins to be valid.
    pub not_before: Time,
    /// When it ends.
    pub not_after: Time,
    /// Whole days to its end; 0 on the last one and after it.
    pub days_left: u64,
    /// Whether another one has taken its place already.
    pub is_followed: bool,
}

/// How this machine's clock stands to the node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockStanding {
    /// They differ by more than is settled.
    Differs,
    /// They do not any more.
    Agrees,
    /// They did, and nothing has said for a while what the node's time is.
    Unknown,
}

/// What there is to tell of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateNews {
    /// It begins later.
    NotYetValid,
    /// It has begun.
    ValidNow,
    /// It ends within so many days.
    Ends {
        /// The threshold: 60, 30, 14, 7 or 1.
        within: u64,
    },
    /// It has ended.
    Ended,
    /// Another one is in its place.
    Replaced {
        /// The digest of the one before.
        before: String,
    },
    /// Its file cannot be used, and what was read before stays in use.
    Unreadable {
        /// What is in the way.
        why: String,
    },
    /// Its file can be used again.
    Readable,
}

impl CertificateNews {
    /// Returns its name in records, which never changes.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotYetValid => "not_yet_valid",
            Self::ValidNow => "valid_now",
            Self::Ends { .. } => "ends",
            Self::Ended => "ended",
            Self::Replaced { .. } => "replaced",
            Self::Unreadable { .. } => "unreadable",
            Self::Readable => "readable",
        }
    }
}
