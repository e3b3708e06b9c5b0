//! The file itself: which users may open it, how it grows, and the lock that keeps others out.
//!
//! 1. The folder must not be writable for all users, the file must be for its owner only (0600).
//! 2. The lock (`flock`) goes with the open file, so the kernel releases it when the process ends,
//!    however it ends. It is ours and not the database's, so that it is held while the database is
//!    opened anew after the disk failed.
//! 3. The file never grows beyond its bound. Room is taken for real before it is used
//!    (`fallocate`): a full disk is met when the file grows, not when a page is written.

use std::fs::{self, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use redb::StorageBackend;
use rustix::fs::{FallocateFlags, OFlags, fallocate};
use rustix::io::Errno;

use super::error::OpenError;

/// A file that is open and locked.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    file: fs::File,
    length: AtomicU64,
    maximum: u64,
    /// The file was about to grow beyond its bound.
    is_bounded: AtomicBool,
    /// Nothing is written any more; for tests of a disk that is full.
    is_full: AtomicBool,
}

impl Disk {
    /// Opens or makes a file, and locks it; waits so long for a process that has it now.
    pub(super) fn open(path: &Path, maximum: u64, lock_wait: Duration) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Disk { path: path.to_owned(), source };
        check_folder(path)?;
        let until = Instant::now() + lock_wait;
        let file = loop {
            let file = open(path)?;
            match file.try_lock() {
                // The process that had it may have moved it away.
                Ok(()) if is_named(path, &file) => break file,
                Ok(()) => continue,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if Instant::now() < until => sleep(BETWEEN),
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::Locked { path: path.to_owned() });
                }
            }
        };
        forget_unfinished(&file).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let inner = Inner {
            path: path.to_owned(),
            file,
            length: AtomicU64::new(length),
            maximum,
            is_bounded: AtomicBool::new(false),
            is_full: AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Tells whether the open file is still the one that has the name.
    pub(super) fn is_named(&self) -> bool {
        is_named(&self.inner.path, &self.inner.file)
    }

    /// Returns the length of the file.
    pub(super) fn length(&self) -> u64 {
        self.inner.length.load(Ordering::Relaxed)
    }

    /// Returns how long the file may become, at least: it doubles when it grows, up to its bound.
    pub(super) fn capacity(&self) -> u64 {
        self.length().max(self.inner.maximum / 2)
    }

    /// Says whether the file was about to grow beyond its bound since this was asked last.
    pub(super) fn take_bounded(&self) -> bool {
        self.inner.is_bounded.swap(false, Ordering::Relaxed)
    }

    /// Releases the lock, also while others still hold the file.
    pub(super) fn unlock(&self) {
        // If that fails, the lock ends with the last holder.
        let _ = self.inner.file.unlock();
    }

    /// Lets the file seem to have its full size, once.
    #[cfg(test)]
    pub(super) fn pretend_bounded(&self) {
        self.inner.is_bounded.store(true, Ordering::SeqCst);
    }

    /// Lets everything that is written from now on fail, or no more.
    #[cfg(test)]
    pub(super) fn pretend_full(&self, is_full: bool) {
        self.inner.is_full.store(is_full, Ordering::SeqCst);
    }
}

impl Inner {
    fn check_room(&self) -> io::Result<()> {
        if self.is_full.load(Ordering::Relaxed) {
            return Err(ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

/// The database locks nothing itself: the lock is ours.
impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.file.read_exact_at(out, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let Inner { file, maximum, .. } = &*self.inner;
        let present = file.metadata()?.len();
        if length > present {
            self.inner.check_room()?;
            if length > *maximum {
                self.inner.is_bounded.store(true, Ordering::Relaxed);
                return Err(io::Error::new(ErrorKind::StorageFull, "the file has its full size"));
            }
            // Not every file system can do it; then a full disk is met later.
            let taken = fallocate(file, FallocateFlags::empty(), 0, length);
            if let Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO)) = taken {
                // Some of it may be there.
                file.set_len(present)?;
                return Err(error.into());
            }
        }
        file.set_len(length)?;
        self.inner.length.store(length, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.check_room()?;
        self.inner.file.write_all_at(data, offset)
    }
}

fn check_folder(path: &Path) -> Result<(), OpenError> {
    let folder = folder_of(path);
    let found = fs::metadata(folder)
        .map_err(|source| OpenError::Folder { path: folder.to_owned(), source })?;
    if found.permissions().mode() & 0o002 != 0 {
        return Err(OpenError::OpenFolder { path: folder.to_owned() });
    }
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn open(path: &Path) -> Result<fs::File, OpenError> {
    let failed = |source| OpenError::Disk { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    options.read(true).write(true).mode(0o600).custom_flags(flags.cast_signed());
    let file = match options.clone().create_new(true).open(path) {
        Ok(file) => {
            // Its name is to survive as well.
            let folder = fs::File::open(folder_of(path)).map_err(failed)?;
            folder.sync_all().map_err(failed)?;
            file
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            match fs::symlink_metadata(path) {
                Ok(found) if !found.is_file() => {
                    return Err(OpenError::NoFile { path: path.to_owned() });
                }
                _ => options.open(path).map_err(failed)?,
            }
        }
        Err(error) => return Err(failed(error)),
    };
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(OpenError::NoFile { path: path.to_owned() });
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(OpenError::OpenFile { path: path.to_owned() });
    }
    Ok(file)
}

fn is_named(path: &Path, file: &fs::File) -> bool {
    match (fs::symlink_metadata(path), file.metadata()) {
        (Ok(named), Ok(open)) => (named.dev(), named.ino()) == (open.dev(), open.ino()),
        _ => false,
    }
}

/// Empties a file whose making was interrupted. The database writes its mark last, and before that
/// there is nothing behind the first page.
fn forget_unfinished(file: &fs::File) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length == 0 || length > UNFINISHED {
        return Ok(());
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
    file.read_exact_at(&mut bytes, 0)?;
    let is_zero = |part: Option<&[u8]>| part.is_none_or(|part| part.iter().all(|byte| *byte == 0));
    if is_zero(bytes.get(..MARK.min(bytes.len()))) && is_zero(bytes.get(PAGE..)) {
        file.set_len(0)?;
    }
    Ok(())
}

/// How long to wait before the lock is tried again.
const BETWEEN: Duration = Duration::from_millis(10);

/// A file that is longer was never just being made.
const UNFINISHED: u64 = 4 << 20;

/// The length of the mark at the beginning of a database, and of a page.
const MARK: usize = 9;
const PAGE: usize = 4096;
