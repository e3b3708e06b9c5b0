//! The database in the file: opened and examined, opened anew after the disk failed, made smaller.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use redb::{Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError};
use tracing::info;

use super::disk::Disk;
use super::error::{FileError, OpenError};
use super::queries::{self, Content};
use super::tables;

/// A database that may be away for a while.
pub(super) struct Slot {
    disk: Disk,
    database: RwLock<Option<Database>>,
}

impl Slot {
    /// Opens the database in a file, or makes one in an empty file. Every page is examined.
    pub(super) fn open(disk: Disk) -> Result<Self, OpenError> {
        let path = disk.path().to_owned();
        let database = guarded(|| Ok(open(&disk, Examine::Everything)))
            .map_err(|failure| damaged(&path, failure))?
            .map_err(|error| refusal(&path, error))?;
        guarded(|| Ok(examine(&database, &path)))
            .map_err(|failure| damaged(&path, failure))?
            .map_err(|failure| failure.into_open_error(&path))?;
        let slot = Self { disk, database: RwLock::new(Some(database)) };
        guarded(|| slot.compact(u64::MAX)).map_err(|failure| damaged(&path, failure))?;
        Ok(slot)
    }

    pub(super) fn disk(&self) -> &Disk {
        &self.disk
    }

    pub(super) fn is_open(&self) -> bool {
        self.database.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Begins to read what was committed last.
    pub(super) fn read(&self) -> Result<ReadTransaction, FileError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(FileError::Away)?;
        database.begin_read().map_err(FileError::from)
    }

    /// Begins a transaction that writes; there is one at a time.
    pub(super) fn write(&self) -> Result<redb::WriteTransaction, FileError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or(FileError::Away)?;
        database.begin_write().map_err(FileError::from)
    }

    /// Opens the database anew: after an error of the disk it does nothing more otherwise.
    pub(super) fn reopen(&self) -> Result<(), FileError> {
        self.close();
        let database = guarded(|| Ok(open(&self.disk, Examine::AfterCrash)?))?;
        *self.database.write().unwrap_or_else(PoisonError::into_inner) = Some(database);
        Ok(())
    }

    /// Closes the database. A transaction that reads is interrupted.
    pub(super) fn close(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        // What was acknowledged is on the disk already; and the disk may be what is broken.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }

    /// Makes the file smaller if most of it is free, and not more is in it than that. What is read
    /// meanwhile waits.
    pub(super) fn compact(&self, most: u64) -> Result<(), FileError> {
        let length = self.disk.length();
        if length < SMALL {
            return Ok(());
        }
        let weight = queries::total_weight(&self.read()?)?;
        if weight > most.min(length / 4) {
            return Ok(());
        }
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_mut() else { return Ok(()) };
        match database.compact() {
            Ok(_) => {}
            // A transaction reads: another time.
            Err(redb::CompactionError::TransactionInProgress) => return Ok(()),
            Err(error) => return Err(FileError::Database(Box::new(error.into()))),
        }
        info!(before = length, now = self.disk.length(), "store was made smaller");
        Ok(())
    }
}

/// Calls a function; a panic in the database is a failure of it, and goes no further.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, FileError>) -> Result<T, FileError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(FileError::Damaged))
}

enum Examine {
    /// Every page, before anything is believed.
    Everything,
    /// What the database itself examines when it was not closed in order.
    AfterCrash,
}

fn open(disk: &Disk, examine: Examine) -> Result<Database, DatabaseError> {
    Builder::new()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(matches!(examine, Examine::Everything))
        .create_with_backend(disk.clone())
}

enum Odd {
    Refused(OpenError),
    Failed(FileError),
}

impl From<FileError> for Odd {
    fn from(failure: FileError) -> Self {
        Self::Failed(failure)
    }
}

impl Odd {
    fn into_open_error(self, path: &Path) -> OpenError {
        match self {
            Self::Refused(error) => error,
            Self::Failed(failure) => damaged(path, failure),
        }
    }
}

/// Makes sure that the file is ours; an empty one becomes ours, and one of an earlier program gets
/// the tables that it did not know.
fn examine(database: &Database, path: &Path) -> Result<(), Odd> {
    let path = path.to_owned();
    let transaction = database.begin_read().map_err(FileError::from)?;
    let content = queries::content(&transaction)?;
    match content {
        Content::Format(FORMAT) if queries::is_complete(&transaction)? => Ok(()),
        Content::Format(FORMAT) | Content::Nothing => {
            let transaction = database.begin_write().map_err(FileError::from)?;
            tables::make(&transaction, FORMAT)?;
            transaction.commit().map_err(FileError::from)?;
            Ok(())
        }
        Content::Format(found) => {
            Err(Odd::Refused(OpenError::Version { path, found, known: FORMAT }))
        }
        Content::Foreign => Err(Odd::Refused(OpenError::Foreign { path })),
    }
}

fn refusal(path: &Path, error: DatabaseError) -> OpenError {
    let path = path.to_owned();
    match error {
        DatabaseError::Storage(StorageError::Io(source))
            if source.kind() == std::io::ErrorKind::InvalidData =>
        {
            OpenError::Foreign { path }
        }
        DatabaseError::Storage(StorageError::Io(source)) => OpenError::Disk { path, source },
        DatabaseError::UpgradeRequired(found) => {
            OpenError::Version { path, found: found.into(), known: FORMAT }
        }
        other => damaged(&path, other.into()),
    }
}

fn damaged(path: &Path, failure: FileError) -> OpenError {
    let path = path.to_owned();
    match failure {
        FileError::Database(error) => match *error {
            redb::Error::Io(source) => OpenError::Disk { path, source },
            other => OpenError::Damaged { path, reason: other.to_string() },
        },
        other => OpenError::Damaged { path, reason: other.to_string() },
    }
}

/// The version of the format: what the tables are and what is in them.
const FORMAT: u64 = 1;

/// What the database keeps in memory of the file; the kernel keeps more.
const CACHE: usize = 64 << 20;

/// A file that is smaller is left as it is.
const SMALL: u64 = 16 << 20;
