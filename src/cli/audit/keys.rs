//! `brama audit public-keys` and `brama audit rotate-key`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::configured::Configured;
use crate::audit::keys::Rotated;
use crate::base::private;
use crate::cli::output::print;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The configuration of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = "/etc/brama/brama.toml")]
    config: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Rotation {
    /// The key that pseudonyms are made with, or the one that signs.
    #[arg(value_enum)]
    which: Which,
    /// The configuration of the gateway.
    #[arg(long, short, value_name = "FILE", default_value = "/etc/brama/brama.toml")]
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
    private::write(&path, keys.to_text().expose().as_bytes())
        .map_err(|error| format!("{}: {error}", path.display()))?;
    print(format_args!("{name}: a new key is used from the next start on"));
    Ok(ExitCode::SUCCESS)
}
