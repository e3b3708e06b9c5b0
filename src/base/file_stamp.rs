//! How a file looks from outside, to notice that it is another one or has other content, without
//! reading it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Everything that changes when a file, or a link on the way to it, does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStamp {
    file: (u64, u64),
    length: u64,
    modified: (i64, i64),
    /// Also changes with who may read it.
    changed: (i64, i64),
}

impl FileStamp {
    /// Looks at a file; symbolic links are followed. Nothing when it cannot be seen.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            file: (found.dev(), found.ino()),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}
