//! The audit log of a whole program: what is in it, what never is, and what a kill leaves of it.
//!
//! | file | what is there |
//! |---|---|
//! | `commands` | `brama audit` as an operator types it |
//! | `told` | each step of a login and a session is a record of the schema; persons are found |
//! | `required` | no login without a record, and nothing else fails |
//! | `personal` | no name and no identifier is in any output, in whatever spelling |
//! | `killed` | SIGKILL at random points: the chain holds up to the last record |

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    dead_code,
    unused_imports,
    reason = "a test says no by a panic; the harness is that of other tests too"
)]

mod commands;
#[path = "../integration/harness/mod.rs"]
mod harness;
mod killed;
mod personal;
mod required;
mod told;

use std::fs;
use std::path::{Path, PathBuf};

use brama::audit::keys::PersonKey;
use brama::audit::record::Record;
use brama::audit::verify::{Expected, Report, verify};
use brama::base::secret::Secret;
use tempfile::TempDir;

/// A folder with the file of an audit log and a key of persons, and the lines that name them.
struct Kept {
    folder: TempDir,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("log")).unwrap();
        brama::base::private::write(&folder.path().join("person.key"), &[7; 32]).unwrap();
        Self { folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("log/audit.log")
    }

    fn lines(&self, more: &str) -> String {
        format!(
            "[audit]\ntarget = \"file\"\nfile = \"{}\"\nperson_key_files = [\"{}\"]\n{more}\n",
            self.file().display(),
            self.folder.path().join("person.key").display(),
        )
    }

    fn person_key(&self) -> PersonKey {
        PersonKey::new(Secret::new(vec![7; 32])).unwrap()
    }

    fn verify(&self) -> Report {
        verified(&self.folder.path().join("log"), &Expected::default())
    }

    fn records(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.file()).unwrap();
        text.lines()
            .map(|line| {
                assert!(Record::parse(line.as_bytes()).is_some(), "{line}");
                serde_json::from_str(line).unwrap()
            })
            .collect()
    }
}

fn verified(folder: &Path, expected: &Expected) -> Report {
    verify(&[folder.to_owned()], expected).unwrap()
}
