//! What can go wrong with a kit.

use std::path::PathBuf;

use crate::xml::keys;

/// Why there is no kit.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A certificate cannot be made.
    #[error("certificate cannot be made")]
    Make(#[from] rcgen::Error),
    /// A key or certificate cannot be used.
    #[error("key or certificate cannot be used")]
    Keys(#[from] keys::Error),
    /// A file cannot be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// Path of the file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A file cannot be used.
    #[error("{path} cannot be used")]
    Content {
        /// Path of the file.
        path: PathBuf,
        /// Why its content cannot be used.
        #[source]
        source: keys::Error,
    },
    /// The certificates have expired.
    #[error("{path} has expired: remove the directory, and new keys are made")]
    Expired {
        /// Path of the certificate.
        path: PathBuf,
    },
}
