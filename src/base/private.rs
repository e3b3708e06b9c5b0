//! Files with secrets: readable by their owner only, written whole or not at all.
//!
//! 1. What is written appears under its name complete and on the disk, or not at all: it is written
//!    beside it, under a name that cannot be guessed, and moved there.
//! 2. No file is opened that was there before (`O_EXCL`), and no link is followed: a user who can
//!    write to the folder cannot have us write elsewhere, or into a file that they hold open.
//! 3. A file that must not be made twice is moved there only when nothing is there. Of two
//!    processes that make it at the same time, one does.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::random;
use super::rights::folder_of;

/// Makes a folder for its owner only, with those that it stands in; one that is there stays as it
/// is.
///
/// # Errors
/// What the system says.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a file in the place of one that may be there.
///
/// # Errors
/// What the system says; then what was there is still there.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with_mode(path, bytes, 0o600)
}

/// Writes a file with a mode of its own in the place of one that may be there.
///
/// # Errors
/// What the system says; then what was there is still there.
pub fn write_with_mode(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    write_for(path, bytes, mode, None)
}

/// Writes a file with a mode of its own for somebody, by user and group, in the place of one that may
/// be there. It is theirs before it has its name: whoever can write to the folder cannot put a link
/// in between.
///
/// # Errors
/// What the system says; then what was there is still there.
pub fn write_for(path: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> io::Result<()> {
    let partial = Partial::write(path, bytes, mode, owner)?;
    fs::rename(&partial.path, path)?;
    sync_folder(path)
}

/// Writes a file unless something is there; says whether it did.
///
/// # Errors
/// What the system says.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    write_new_for(path, bytes, None)
}

/// Writes a file for somebody unless something is there, as [`write_for`] does; says whether it did.
///
/// # Errors
/// What the system says.
pub fn write_new_for(path: &Path, bytes: &[u8], owner: Option<Owner>) -> io::Result<bool> {
    let partial = Partial::write(path, bytes, 0o600, owner)?;
    match fs::hard_link(&partial.path, path) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        // Not every file system has links. There, two that begin in the same moment are not told
        // apart.
        Err(_) if fs::symlink_metadata(path).is_ok() => return Ok(false),
        Err(_) => fs::rename(&partial.path, path)?,
    }
    sync_folder(path)?;
    Ok(true)
}

/// Reads a file that we wrote; nothing when there is none. A link or a pipe in its place is
/// refused, and what is longer than [`MOST`] bytes.
///
/// # Errors
/// What the system says.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "no plain file"));
    }
    let mut bytes = Vec::new();
    file.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::new(ErrorKind::InvalidInput, "longer than 1 MiB"));
    }
    Ok(Some(bytes))
}

/// The most bytes of a file that is read: nothing that is written here comes near.
pub const MOST: u64 = 1024 * 1024;

/// A user and a group, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

impl Owner {
    /// Returns whose a file or folder is, when we may give others what is ours; none when we may not.
    ///
    /// # Errors
    /// What the system says.
    pub fn like(path: &Path) -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let found = fs::metadata(path)?;
        Ok(Some(Self { user: found.uid(), group: found.gid() }))
    }
}

/// A file that was written beside its place; gone when it was not moved there.
struct Partial {
    path: PathBuf,
}

impl Partial {
    fn write(beside: &Path, bytes: &[u8], mode: u32, owner: Option<Owner>) -> io::Result<Self> {
        let path = folder_of(beside).join(format!(".{}.partial", random::handle()));
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode).custom_flags(flags);
        let mut file = options.open(&path)?;
        let partial = Self { path };
        file.write_all(bytes)?;
        if let Some(Owner { user, group }) = owner {
            fchown(&file, Some(user), Some(group))?;
        }
        file.sync_all()?;
        Ok(partial)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // It may have been moved; and there is none to tell.
        let _ = fs::remove_file(&self.path);
    }
}

/// Has the name of a file survive as well.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn what_is_written_is_for_its_owner_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new/folder");
        make_folder(&inner).unwrap();
        assert_eq!((mode(&inner), mode(inner.parent().unwrap())), (0o700, 0o700));
        let path = inner.join("secret");
        write(&path, b"one").unwrap();
        write(&path, b"two").unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!((mode(&path), names(&inner)), (0o600, vec!["secret".to_owned()]));
    }

    #[test]
    fn what_root_writes_for_somebody_is_theirs_and_what_a_link_leads_to_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        if Owner::like(folder.path()).unwrap().is_none() {
            eprintln!("SKIPPED: only root gives files away");
            return;
        }
        fs::write(&other, "root's").unwrap();
        symlink(&other, &path).unwrap();
        let somebody = Some(Owner { user: 65_534, group: 65_534 });
        write_for(&path, b"theirs", 0o640, somebody).unwrap();
        assert_eq!((Owner::like(&path).unwrap(), mode(&path)), (somebody, 0o640));
        assert_eq!(Owner::like(&other).unwrap(), Some(Owner { user: 0, group: 0 }));
        let new = folder.path().join("new");
        assert!(write_new_for(&new, b"theirs", somebody).unwrap());
        assert_eq!((Owner::like(&new).unwrap(), mode(&new)), (somebody, 0o600));
        assert!(!write_new_for(&path, b"again", None).unwrap());
    }

    #[test]
    fn no_more_is_read_than_we_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let most = usize::try_from(MOST).unwrap();
        write(&path, &vec![7; most]).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().len(), most);
        write(&path, &vec![7; most + 1]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("longer than 1 MiB"));
    }

    #[test]
    fn what_must_not_be_made_twice_is_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let made: Vec<bool> = std::thread::scope(|scope| {
            let make = |number: u8| {
                let path = path.clone();
                scope.spawn(move || write_new(&path, &[number; 32]).unwrap())
            };
            (0..8).map(make).collect::<Vec<_>>().into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(made.iter().filter(|made| **made).count(), 1);
        let number = made.iter().position(|made| *made).unwrap();
        assert_eq!(read(&path).unwrap().unwrap(), [u8::try_from(number).unwrap(); 32]);
        assert_eq!((mode(&path), names(folder.path())), (0o600, vec!["secret".to_owned()]));
    }

    #[test]
    fn no_link_is_followed_whether_written_or_read() {
        let folder = tempfile::tempdir().unwrap();
        let (theirs, link) = (folder.path().join("theirs"), folder.path().join("secret"));
        fs::write(&theirs, "theirs").unwrap();
        symlink(&theirs, &link).unwrap();
        assert!(read(&link).is_err());
        assert!(!write_new(&link, b"ours").unwrap());
        // The link makes room; what it led to is as it was.
        write(&link, b"ours").unwrap();
        assert_eq!(fs::read(&theirs).unwrap(), b"theirs");
        assert_eq!((read(&link).unwrap().unwrap(), mode(&link)), (b"ours".to_vec(), 0o600));
        assert_eq!(read(&folder.path().join("none")).unwrap(), None);
        assert!(read(folder.path()).is_err(), "a folder is no file");
    }
}
