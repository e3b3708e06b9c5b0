//! `brama audit`: looks whether the audit log is as it was written, and finds records in it. It works
//! on files, also where no gateway runs ([`crate::audit`]).
//!
//! An identifier of a person is read from a file or standard input, never from an argument: arguments
//! are seen by every user of a machine and stay in histories.

mod find;
mod keys;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::configuration::load;
use super::output::complain;
use crate::app::Settings;
use crate::app::state::AUDIT_KEYS;
use crate::audit::Target;
use crate::audit::keys::{Keys, PersonKey};
use crate::base::private;
use crate::base::secret::Secret;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    act: Act,
}

/// What is asked for.
#[derive(Debug, clap::Subcommand)]
enum Act {
    /// Finds any change, removal, insertion and swap of records. Exit status 0 when nothing is wrong,
    /// 1 when something is, 2 when it could not be read.
    Verify(verify::Arguments),
    /// Finds what a person did, or what became of a request, a session or a login. Exit status 0 when
    /// something is found, 1 when nothing is, 2 when it could not be read.
    Find(find::Arguments),
    /// Prints the public keys that signatures are verified with, one a line, the present one first.
    PublicKeys(keys::Arguments),
    /// Makes a new key in the state folder, which is used from the next start on. Old ones stay, to
    /// find old records and to verify them.
    RotateKey(keys::Rotation),
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let done = match &arguments.act {
        Act::Verify(arguments) => verify::run(arguments),
        Act::Find(arguments) => find::run(arguments),
        Act::PublicKeys(arguments) => keys::run(arguments),
        Act::RotateKey(rotation) => keys::rotate(rotation),
    };
    done.unwrap_or_else(|problem| {
        complain(format_args!("brama audit: {problem}"));
        ExitCode::from(UNREADABLE)
    })
}

/// The exit status when something could not be read, as clap has it for wrong usage.
const UNREADABLE: u8 = 2;

/// What the configuration of a gateway says of its audit log.
struct Configured {
    settings: Settings,
    folder: PathBuf,
}

impl Configured {
    fn load(path: &Path) -> Result<Self, String> {
        let (settings, problems) = load(path);
        let settings = settings.ok_or_else(|| problems.to_string())?;
        let folder = settings.state_directory.clone();
        let folder = folder.ok_or("portal.state_directory, which keeps the keys, is not given")?;
        Ok(Self { settings, folder })
    }

    /// Returns the files of the log.
    fn files(&self) -> Result<Vec<PathBuf>, String> {
        let audit = self.settings.audit.as_ref();
        let Some(Target::File(file)) = audit.map(|audit| &audit.settings.target) else {
            return Err("audit.target is not \"file\": name the files".to_owned());
        };
        let path = &file.path;
        crate::audit::files_of(path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn keys_path(&self) -> PathBuf {
        self.folder.join(AUDIT_KEYS)
    }

    fn keys(&self) -> Result<Keys, String> {
        let path = self.keys_path();
        let failed = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
        let bytes = private::read(&path).map_err(|error| failed(&error))?;
        let bytes = Secret::new(bytes.ok_or_else(|| failed(&"there is no such file"))?);
        Keys::parse(bytes.expose()).ok_or_else(|| failed(&"no keys of the audit log"))
    }

    /// Returns the keys of pseudonyms: those of the files that are named, and those that are kept.
    fn persons(self) -> Result<Vec<PersonKey>, String> {
        let kept = self.keys();
        let mut persons = self.settings.audit.map(|audit| audit.persons).unwrap_or_default();
        match kept {
            Ok(kept) => persons.extend(kept.persons),
            Err(_) if !persons.is_empty() => {}
            Err(error) => return Err(error),
        }
        Ok(persons)
    }
}
