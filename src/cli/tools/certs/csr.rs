//! `brama certs csr`: a key, and a request for its certificate (PKCS #10, RFC 2986).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::material::{self, UNREADABLE, shown_path};
use super::profile::{self, Holder, Purpose, file_name};
use crate::base::private;
use crate::base::rights;
use crate::base::secret::Secret;
use crate::cli::output::{complain, fail, print};
use crate::xml::keys::{KeyKind, PrivateKey};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What the certificate is for.
    #[arg(value_enum)]
    purpose: Purpose,
    /// The name of the service as the operator of the node has registered it (`service.issuer`); for
    /// `tls` the host.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    #[command(flatten)]
    holder: Holder,
    /// The folder in which the files are made, for their owner only: `NAME.key` and `NAME.csr`.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// File with a key that is there already, in place of a new one.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let Made { name, key, request } = match make(arguments) {
        Ok(made) => made,
        Err(why) => return fail(why),
    };
    let path = |ending: &str| arguments.out.join(format!("{}.{ending}", file_name(&name)));
    let (key_file, request_file) = (path("key"), path("csr"));
    // Both before either: a key without its request helps nobody, and what was sent to somebody stays.
    let wanted = [key.as_ref().map(|_| &key_file), Some(&request_file)];
    if let Some(taken) = wanted.into_iter().flatten().find(|file| file.symlink_metadata().is_ok()) {
        let shown = shown_path(taken);
        complain(format_args!(
            "brama: {shown} is there already, and stays: name another --out, or a key with --key"
        ));
        return ExitCode::from(UNREADABLE);
    }
    let written = private::make_folder(&arguments.out).and_then(|()| {
        let is_key_new =
            key.as_ref().map(|pem| private::write_new(&key_file, pem.expose().as_bytes()));
        Ok((is_key_new.transpose()?, private::write_new(&request_file, request.as_bytes())?))
    });
    match written {
        Ok((Some(false), _) | (_, false)) => fail("another process made one of the files just now"),
        Ok((is_key_new, true)) => {
            if is_key_new.is_some() {
                print(format_args!("{}: the private key, for you alone", shown_path(&key_file)));
                note_open_folder(&arguments.out);
            }
            print(format_args!(
                "{}: the request, for whoever issues it",
                shown_path(&request_file)
            ));
            ExitCode::SUCCESS
        }
        Err(error) => fail(format_args!("{}: {error}", shown_path(&arguments.out))),
    }
}

/// Says when others can look into a folder with a key, or replace what is in it.
pub(in crate::cli::tools) fn note_open_folder(folder: &Path) {
    if let Ok(Some(found)) = rights::of_private_folder(folder) {
        complain(format_args!("brama: {found}; run: {}", found.remedy()));
    }
}

struct Made {
    name: String,
    /// The key in PEM, when it is new.
    key: Option<Secret<String>>,
    /// The request in PEM.
    request: String,
}

fn make(arguments: &Arguments) -> Result<Made, String> {
    let Arguments { purpose, issuer, holder, key, .. } = arguments;
    profile::check_names(*purpose, issuer, holder)?;
    let (private, is_new) = match key {
        Some(path) => (given_key(path, *purpose)?, false),
        None => (PrivateKey::generate_p256(), true),
    };
    let request = profile::request(*purpose, issuer, holder, &private)?;
    let name = purpose.common_name(issuer);
    Ok(Made { name, key: is_new.then(|| private.pem()), request })
}

/// Reads the one key of a file.
fn given_key(path: &Path, purpose: Purpose) -> Result<PrivateKey, String> {
    let mut material = material::read(path, &[]).map_err(|error| error.to_string())?;
    let shown = shown_path(path);
    match (material.keys.pop(), material.keys.len()) {
        (Some(key), 0) if purpose != Purpose::Tls && key.kind() != KeyKind::P256 => {
            Err(format!("{shown}: the node takes keys on the curve P-256 alone"))
        }
        (Some(key), 0) => Ok(key),
        (None, _) => {
            let else_there = [material.unusable, material.others].concat().join(", ");
            Err(format!(
                "{shown}: there is no key in it that can be used; what there is: {else_there}"
            ))
        }
        (Some(_), more) => Err(format!("{shown}: there are {} keys in it, not one", more + 1)),
    }
}
