//! `brama audit public-keys` and `brama audit rotate-key`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::configured::Configured;
use crate::audit::keys::{Keys, Rotated};
use crate::base::private::{self, Owner};
use crate::cli::output::print;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotation {
    /// The key that pseudonyms are made with, or the one that signs.
    #[arg(value_enum)]
    which: Which,
    /// The configuration of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = crate::cli::configuration::PLACE)]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// That of pseudonyms.
    Person,
    /// That of signatures.
    Signer,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, String> {
    for key in Configured::load(&arguments.config)?.keys()?.public() {
        print(key);
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rotate(rotation: &Rotation) -> Result<ExitCode, String> {
    let configured = Configured::load(&rotation.config)?;
    let has_files =
        configured.settings.audit.as_ref().is_some_and(|audit| !audit.persons.is_empty());
    let (what, name) = match rotation.which {
        Which::Person if has_files => {
            return Err(
                "audit.person_key_files has the keys: put a new file first there".to_owned()
            );
        }
        Which::Person => (Rotated::Persons, "pseudonyms"),
        Which::Signer => (Rotated::Signer, "signatures"),
    };
    let mut keys = configured.keys()?;
    keys.rotate(what);
    let path = configured.keys_path();
    keep(&path, &keys)?;
    print(format_args!("{name}: a new key is used from the next start on"));
    Ok(ExitCode::SUCCESS)
}

/// Writes the keys in the place of those that are there: whoever the gateway runs as must be able to
/// read them still.
fn keep(path: &Path, keys: &Keys) -> Result<(), String> {
    let write = || {
        let text = keys.to_text();
        private::write_for(path, text.expose().as_bytes(), 0o600, Owner::like(path)?)
    };
    write().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown};

    use super::*;

    #[test]
    fn keys_stay_those_of_the_user_that_the_gateway_runs_as() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit-keys.json");
        let mut keys = Keys::generate();
        private::write(&path, keys.to_text().expose().as_bytes()).unwrap();
        // Root may give files to others; who is not root keeps their own.
        let _ = chown(&path, Some(4321), Some(4322));
        let before = fs::metadata(&path).unwrap();
        let old = keys.signer.public();
        keys.rotate(Rotated::Signer);
        keep(&path, &keys).unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(after.mode() & 0o777, 0o600);
        let kept = Keys::parse(&fs::read(&path).unwrap()).unwrap();
        assert!(kept.signer.public() == keys.signer.public() && kept.signer.public() != old);
    }
}
