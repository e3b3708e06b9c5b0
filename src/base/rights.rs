//! Which rights of a file, by its mode, are too many: what other users may read or write.
//!
//! 1. A secret must not be readable or writable for all users, nor writable for its group. Readable
//!    for its group it may be: so keys are given to a service that does not own them (0640,
//!    `root:brama`; 0440 in a mount with `fsGroup`).
//! 2. What is no secret but is believed, such as a certificate that is pinned, must not be writable
//!    for all users.
//! 3. In a folder that all users may write to, every file can be replaced; unless it is sticky,
//!    like `/tmp` and mounts of Kubernetes, where only the owner of a file can do that.
//!
//! Links are followed: what counts is the file that is read. Lists of access control are not looked
//! at: their mask shows as the rights of the group.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Rights to a file that other users have and should not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooOpen {
    path: PathBuf,
    mode: u32,
    /// The rights that other users have and should not have.
    excess: u32,
    /// The rights that have to go.
    goes: u32,
}

impl TooOpen {
    /// Returns the command that takes the rights away.
    #[must_use]
    pub fn remedy(&self) -> String {
        format!("chmod {:04o} {}", self.mode & !self.goes, self.path.display())
    }
}

/// `/etc/brama/key.pem has mode 0644: everybody on this machine can read it`
impl fmt::Display for TooOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, mode, excess, .. } = self;
        let who = if excess & EVERYBODY != 0 { "everybody on this machine" } else { "its group" };
        let what = match (excess & READ != 0, excess & WRITE != 0) {
            (true, true) => "read and write",
            (true, false) => "read",
            (false, _) => "write to",
        };
        write!(f, "{} has mode {mode:04o}: {who} can {what} it", path.display())
    }
}

/// Looks at a file with a secret, and at the folder that it is in.
///
/// # Errors
/// What the system says.
pub fn of_secret(path: &Path) -> io::Result<Option<TooOpen>> {
    let found = look(path, EVERYBODY | GROUP_WRITE)?;
    Ok(match found {
        None => of_folder(folder_of(path))?,
        found => found,
    })
}

/// Looks at a file that is believed, although it is no secret.
///
/// # Errors
/// What the system says.
pub fn of_believed(path: &Path) -> io::Result<Option<TooOpen>> {
    look(path, WRITE & EVERYBODY)
}

/// Looks at a folder in which no other user may replace files.
///
/// # Errors
/// What the system says.
pub fn of_folder(path: &Path) -> io::Result<Option<TooOpen>> {
    let mode = fs::metadata(path)?.mode();
    if mode & STICKY != 0 { Ok(None) } else { look(path, WRITE & EVERYBODY) }
}

/// Looks at a folder with private keys, into which no other user should look.
///
/// # Errors
/// What the system says.
pub fn of_private_folder(path: &Path) -> io::Result<Option<TooOpen>> {
    let found = look(path, EVERYBODY)?;
    // A folder that is searched or entered by others is not for its owner alone.
    Ok(found.map(|found| TooOpen { goes: OTHERS, ..found }))
}

fn look(path: &Path, forbidden: u32) -> io::Result<Option<TooOpen>> {
    let found = fs::metadata(path)?;
    // A pipe or a device holds nothing that could be read again.
    if !found.is_file() && !found.is_dir() {
        return Ok(None);
    }
    let (mode, excess) = (found.mode() & ALL, found.mode() & forbidden);
    // With the right to write, that to read goes as well; the other way round it may stay.
    Ok((excess != 0).then(|| TooOpen { path: path.to_owned(), mode, excess, goes: excess }))
}

/// Returns the folder that a file is in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

const ALL: u32 = 0o7777;
const STICKY: u32 = 0o1000;
const EVERYBODY: u32 = 0o006;
const OTHERS: u32 = 0o077;
const READ: u32 = 0o444;
const WRITE: u32 = 0o222;
const GROUP_WRITE: u32 = 0o020;

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_for_its_owner_and_perhaps_for_readers_of_its_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "key").unwrap();
        let name = path.display();
        for mode in [0o600, 0o400, 0o440, 0o640, 0o700] {
            set(&path, mode);
            assert_eq!(of_secret(&path).unwrap(), None, "{mode:o}");
        }
        for (mode, said, remedy) in [
            (0o644, "everybody on this machine can read it", "0640"),
            (0o444, "everybody on this machine can read it", "0440"),
            (0o604, "everybody on this machine can read it", "0600"),
            (0o602, "everybody on this machine can write to it", "0600"),
            (0o666, "everybody on this machine can read and write it", "0640"),
            (0o777, "everybody on this machine can read and write it", "0751"),
            (0o660, "its group can write to it", "0640"),
        ] {
            set(&path, mode);
            let found = of_secret(&path).unwrap().unwrap();
            assert_eq!(found.to_string(), format!("{name} has mode {mode:04o}: {said}"));
            assert_eq!(found.remedy(), format!("chmod {remedy} {name}"));
            // The remedy is one.
            set(&path, u32::from_str_radix(remedy, 8).unwrap());
            assert_eq!(of_secret(&path).unwrap(), None);
        }
    }

    #[test]
    fn a_folder_in_which_everybody_replaces_files_is_no_place_for_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "key").unwrap();
        set(&path, 0o600);
        for mode in [0o777, 0o703] {
            set(folder.path(), mode);
            let found = of_secret(&path).unwrap().unwrap();
            assert!(found.to_string().contains("can"), "{found}");
            assert_eq!(of_folder(folder.path()).unwrap(), Some(found));
        }
        for mode in [0o1777, 0o3777, 0o755, 0o770, 0o700] {
            set(folder.path(), mode);
            assert_eq!(of_secret(&path).unwrap(), None, "{mode:o}");
        }
    }

    #[test]
    fn a_folder_with_keys_becomes_one_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o755, 0o777, 0o705] {
            set(folder.path(), mode);
            let found = of_private_folder(folder.path()).unwrap().unwrap();
            assert_eq!(found.remedy(), format!("chmod 0700 {}", folder.path().display()));
        }
        set(folder.path(), 0o700);
        assert_eq!(of_private_folder(folder.path()).unwrap(), None);
    }

    #[test]
    fn what_everybody_may_know_is_only_not_to_be_written_and_a_link_counts_as_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("ca.pem"), folder.path().join("link"));
        fs::write(&path, "ca").unwrap();
        symlink(&path, &link).unwrap();
        for (mode, is_fine) in [(0o644, true), (0o664, true), (0o646, false), (0o666, false)] {
            set(&path, mode);
            assert_eq!(of_believed(&link).unwrap().is_none(), is_fine, "{mode:o}");
        }
        set(&path, 0o644);
        assert!(of_secret(&link).unwrap().is_some());
        assert!(of_secret(&folder.path().join("none")).is_err());
    }
}
