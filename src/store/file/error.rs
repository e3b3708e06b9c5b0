//! What goes wrong with the file: when it is opened, and later.

use std::path::PathBuf;

/// Why a file was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no folder for it.
    #[error("folder \"{path}\" for the store cannot be used: make it, with mode 0700")]
    Folder {
        /// Path of the folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// Every user may put files into the folder.
    #[error("folder \"{path}\" of the store is writable for everybody: give it mode 0700")]
    OpenFolder {
        /// Path of the folder.
        path: PathBuf,
    },
    /// Others may read or write the file.
    #[error("store \"{path}\" is open to others: give it mode 0600")]
    OpenFile {
        /// Path of the file.
        path: PathBuf,
    },
    /// A folder, a link, a device.
    #[error("store \"{path}\" is no plain file: name another")]
    NoFile {
        /// Path that was named as the file.
        path: PathBuf,
    },
    /// Another process has it.
    #[error(
        "store \"{path}\" is in use by another process: stop that one, or give this one a file of its own"
    )]
    Locked {
        /// Path of the file.
        path: PathBuf,
    },
    /// It is something else.
    #[error("store \"{path}\" is a file of something else: name another, or move it away")]
    Foreign {
        /// Path of the file.
        path: PathBuf,
    },
    /// It was written by another version.
    #[error(
        "store \"{path}\" has format {found}, expected {known}: use the version that wrote it, or move it away"
    )]
    Version {
        /// Path of the file.
        path: PathBuf,
        /// The format that the file says it has.
        found: u64,
        /// The format that this version reads and writes.
        known: u64,
    },
    /// It is not as it was written.
    #[error(
        "store \"{path}\" is damaged ({reason}): move it away, then everybody signs in anew, and look after the disk"
    )]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// What was found that was never written so.
        reason: String,
    },
    /// The disk does not do it.
    #[error("store \"{path}\" cannot be opened")]
    Disk {
        /// Path of the file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// What can go wrong in the file.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("it is being opened again")]
    Away,
    #[error("what is in the file makes no sense")]
    Damaged,
    /// What is written would be lost with the process.
    #[error(
        "its file was deleted or replaced while it was open: put it back, or restart with what is there"
    )]
    Moved,
    #[error("{0}")]
    Database(#[source] Box<redb::Error>),
}

/// Everything of the database that fails is a failure of the same kind.
macro_rules! failures {
    ($($error:ty),*) => { $(
        impl From<$error> for FileError {
            fn from(error: $error) -> Self {
                Self::Database(Box::new(error.into()))
            }
        }
    )* };
}

failures!(
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::DatabaseError
);
