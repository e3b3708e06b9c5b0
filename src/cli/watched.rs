//! Which of the files that matter have changed: the configuration, and what it names.
//!
//! 1. The configuration is read again as soon as it looks another way.
//! 2. What it names is read again when it has looked another way twice in a row, the same one: of a
//!    pair, first one file is replaced and then the other.
//! 3. What could not be used then is tried again after [`TRIES`] looks, or when it changes once
//!    more; the log hears of it when there is something new to say.

use std::path::{Path, PathBuf};

use crate::base::file_stamp::FileStamp;

/// How files looked when they were read.
#[derive(Debug)]
pub(super) struct Watched {
    configuration: PathBuf,
    seen: Option<FileStamp>,
    named: Vec<(PathBuf, Option<FileStamp>)>,
    /// How the named files looked last, when they had changed.
    changed: Option<Vec<Option<FileStamp>>>,
    /// How many looks ago something could not be used.
    failed: Option<u32>,
}

/// What is to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Configuration,
    /// Files that it names; or they are tried again.
    Named,
}

impl Watched {
    /// Notes how the configuration looks; to be called before it is read.
    pub(super) fn new(configuration: &Path) -> Self {
        let configuration = configuration.to_owned();
        let seen = FileStamp::of(&configuration);
        Self { configuration, seen, named: Vec::new(), changed: None, failed: None }
    }

    pub(super) fn configuration(&self) -> &Path {
        &self.configuration
    }

    /// Notes which files are named, and how they look; to be called before they are read.
    pub(super) fn name(&mut self, files: Vec<PathBuf>) {
        let look = |path: PathBuf| (FileStamp::of(&path), path);
        self.named = files.into_iter().map(look).map(|(look, path)| (path, look)).collect();
        self.changed = None;
    }

    /// Notes whether what was read could be used.
    pub(super) fn tried(&mut self, is_used: bool) {
        self.failed = (!is_used).then_some(0);
    }

    /// Looks at all of them.
    pub(super) fn look(&mut self) -> Change {
        let configuration = FileStamp::of(&self.configuration);
        if configuration != self.seen {
            self.seen = configuration;
            return Change::Configuration;
        }
        let now: Vec<_> = self.named.iter().map(|(path, _)| FileStamp::of(path)).collect();
        if self.named.iter().zip(&now).any(|((_, seen), now)| seen != now) {
            if self.changed.as_ref() == Some(&now) {
                return Change::Named;
            }
            self.changed = Some(now);
            return Change::None;
        }
        self.changed = None;
        if let Some(looks) = &mut self.failed {
            *looks += 1;
            if *looks >= TRIES {
                return Change::Named;
            }
        }
        Change::None
    }
}

/// After how many looks what could not be used is tried again.
const TRIES: u32 = 5;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn the_configuration_is_read_at_once_and_what_it_names_when_it_has_settled() {
        let folder = tempfile::tempdir().unwrap();
        let (file, certificate) = (folder.path().join("brama.toml"), folder.path().join("c.pem"));
        fs::write(&file, "one").unwrap();
        fs::write(&certificate, "one").unwrap();
        let mut watched = Watched::new(&file);
        watched.name(vec![certificate.clone(), folder.path().join("key.pem")]);
        assert_eq!(watched.look(), Change::None);
        fs::write(&file, "other").unwrap();
        assert_eq!(watched.look(), Change::Configuration);
        assert_eq!(watched.look(), Change::None);
        // A pair that is replaced file by file.
        fs::write(&certificate, "other").unwrap();
        assert_eq!(watched.look(), Change::None);
        fs::write(folder.path().join("key.pem"), "other").unwrap();
        assert_eq!(watched.look(), Change::None);
        assert_eq!(watched.look(), Change::Named);
        watched.name(vec![certificate, folder.path().join("key.pem")]);
        watched.tried(true);
        assert_eq!(watched.look(), Change::None);
        // What could not be used is tried again, though nothing that is looked at changes.
        watched.tried(false);
        let looks: Vec<_> = (0..TRIES).map(|_| watched.look()).collect();
        assert_eq!(looks.iter().filter(|change| **change == Change::Named).count(), 1);
        assert_eq!(looks.last(), Some(&Change::Named));
    }

    /// As the kubelet changes what is mounted: by a link to another folder.
    #[test]
    fn a_folder_that_is_exchanged_behind_a_link_is_a_change_of_all_files_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        let exchange = |version: &str| {
            fs::create_dir(place(version)).unwrap();
            for name in ["brama.toml", "key.pem"] {
                fs::write(place(version).join(name), "one length").unwrap();
            }
            symlink(version, place("..data_tmp")).unwrap();
            fs::rename(place("..data_tmp"), place("..data")).unwrap();
        };
        exchange("..one");
        for name in ["brama.toml", "key.pem"] {
            symlink(Path::new("..data").join(name), place(name)).unwrap();
        }
        // The key is in the folder of the configuration here, and in one of its own elsewhere.
        let mut watched = Watched::new(&place("brama.toml"));
        watched.name(vec![place("key.pem")]);
        assert_eq!(watched.look(), Change::None);
        exchange("..two");
        let looks: Vec<_> = (0..3).map(|_| watched.look()).collect();
        assert_eq!(looks, [Change::Configuration, Change::None, Change::Named]);
    }
}
