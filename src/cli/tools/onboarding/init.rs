//! `brama onboarding init`: everything that the way begins with, in one folder that appears whole or
//! not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::record::RECORD;
use super::stage::{CONFIGURATION, Stage};
use super::templates::{self, Facts, GIT_IGNORE};
use crate::base::private;
use crate::base::random;
use crate::base::rights::folder_of;
use crate::base::secret::Secret;
use crate::cli::output::{complain, fail, print};
use crate::cli::tools::certs::encrypted;
use crate::cli::tools::certs::material::{self, UNREADABLE, shown_path};
use crate::cli::tools::certs::profile::{self, Holder, Purpose, file_name};
use crate::config::file::ServiceKind;
use crate::xml::keys::PrivateKey;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder that is made. One that has something in it already is left alone.
    folder: PathBuf,
    /// Your name at the node (issuer), letter by letter as in the application.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The name at the node in one of the environments, when it is another one there. Repeat it.
    #[arg(long, value_name = "ENVIRONMENT=NAME", value_parser = at)]
    issuer_at: Vec<(Stage, String)>,
    /// The name of the service that the node shows to citizens (ProviderName).
    #[arg(long, value_name = "NAME")]
    name: String,
    /// What citizens open, such as `https://portal.example.gov.pl`.
    #[arg(long, value_name = "URL")]
    public_url: String,
    /// What is opened in one of the environments, when it is another address there. Repeat it.
    #[arg(long, value_name = "ENVIRONMENT=URL", value_parser = at)]
    public_url_at: Vec<(Stage, String)>,
    /// The portal behind the gateway.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    upstream: String,
    /// You are a private entity, and no public body: that has other addresses at the node.
    #[arg(long)]
    private: bool,
    #[command(flatten)]
    holder: Holder,
    /// Encrypts the private keys by the password in this file; when there is no such file, it is made
    /// with a random password. It protects copies of the keys, such as backups, as long as the
    /// password is not copied with them; not from those who can read both, as the gateway must.
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
}

/// Reads `symulator=VALUE`.
fn at(text: &str) -> Result<(Stage, String), String> {
    let (stage, value) = text.split_once('=').ok_or("give ENVIRONMENT=VALUE")?;
    let stage = Stage::ALL.into_iter().find(|one| one.name() == stage);
    let stage = stage.ok_or("the environments are symulator, integration and production")?;
    Ok((stage, value.to_owned()))
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    // 1. What is there stays as it is.
    let folder = &arguments.folder;
    let shown = shown_path(folder);
    match is_free(folder) {
        Ok(true) => {}
        Ok(false) => {
            complain(format_args!(
                "brama: {shown} is there already, and stays: name another folder"
            ));
            return ExitCode::from(UNREADABLE);
        }
        Err(error) => return fail(format_args!("{shown}: {error}")),
    }
    // 2. Everything is made before anything is written.
    let made = check(arguments).and_then(|()| {
        let password = password(arguments)?;
        Ok((files(arguments, password.as_ref())?, password))
    });
    let (files, password) = match made {
        Ok(made) => made,
        Err(why) => return fail(why),
    };
    // 3. The password is on the disk before what it opens, and the folder appears under its name when
    //    all of it is there.
    if let Err(why) = keep(password.as_ref()) {
        return fail(format_args!("{why}; nothing was written"));
    }
    if let Err(why) = write(folder, &files) {
        return fail(undo(password.as_ref(), why));
    }
    tell(arguments, &shown);
    ExitCode::SUCCESS
}

/// Tells whether a folder can be made, or is there and empty.
fn is_free(folder: &Path) -> std::io::Result<bool> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => Ok(fs::read_dir(folder)?.next().is_none()),
        Ok(_) => Ok(false),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// The password of the keys, and the file that has to be made for it.
struct Password {
    file: PathBuf,
    password: Secret<String>,
    is_new: bool,
}

fn password(arguments: &Arguments) -> Result<Option<Password>, String> {
    let Some(file) = arguments.key_password_file.as_deref() else { return Ok(None) };
    let absolute =
        std::path::absolute(file).map_err(|error| format!("{}: {error}", shown_path(file)))?;
    let is_new = matches!(absolute.try_exists(), Ok(false));
    let folder = folder_of(&absolute);
    if is_new && !folder.is_dir() {
        let shown = shown_path(folder);
        return Err(format!(
            "--key-password-file: {shown} is no folder that is there: make it, for you alone, \
             outside of the new one"
        ));
    }
    let password = match is_new {
        true => Secret::new(random::long_handle()),
        false => material::password(&absolute)?,
    };
    if password.expose().is_empty() {
        return Err(format!("{}: there is no password in it", shown_path(file)));
    }
    Ok(Some(Password { file: absolute, password, is_new }))
}

fn keep(password: Option<&Password>) -> Result<(), String> {
    let Some(Password { file, password, is_new: true }) = password else { return Ok(()) };
    let shown = shown_path(file);
    match private::write_new(file, format!("{}\n", password.expose()).as_bytes()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(format!("{shown}: another process made it just now")),
        Err(error) => Err(format!("{shown}: {error}")),
    }
}

/// Takes a new password away again that opens nothing.
fn undo(password: Option<&Password>, why: String) -> String {
    let Some(Password { file, is_new: true, .. }) = password else { return why };
    match fs::remove_file(file) {
        Ok(()) => why,
        Err(error) => {
            let shown = shown_path(file);
            format!("{why}; {shown}, which was made for it, cannot be removed: {error}")
        }
    }
}

fn check(arguments: &Arguments) -> Result<(), String> {
    let Arguments { holder, name, upstream, .. } = arguments;
    profile::check(name, "name", 200)?;
    check_origin(upstream, "upstream", &["http", "https"])?;
    for stage in Stage::ALL {
        profile::check_names(Purpose::Signing, issuer(arguments, stage), holder)?;
        check_origin(public_url(arguments, stage), "public-url", &["https", "http"])?;
    }
    Ok(())
}

fn check_origin(text: &str, option: &str, schemes: &[&str]) -> Result<(), String> {
    let wrong =
        |why: &str| format!("--{option}: \"{}\" {why}", crate::base::foreign::escaped(text));
    let url = url::Url::parse(text).map_err(|error| wrong(&format!("is no address: {error}")))?;
    if !schemes.contains(&url.scheme()) || url.host().is_none() {
        return Err(wrong("is no address of http or https"));
    }
    let has_more = url.path() != "/" || url.query().is_some() || url.fragment().is_some();
    if has_more || !url.username().is_empty() || text.ends_with('/') {
        return Err(wrong("has more than scheme, host and port"));
    }
    Ok(())
}

fn issuer(arguments: &Arguments, stage: Stage) -> &str {
    let own = arguments.issuer_at.iter().rev().find(|(of, _)| *of == stage);
    own.map_or(&arguments.issuer, |(_, issuer)| issuer)
}

fn public_url(arguments: &Arguments, stage: Stage) -> &str {
    let own = arguments.public_url_at.iter().rev().find(|(of, _)| *of == stage);
    own.map_or(&arguments.public_url, |(_, url)| url)
}

/// A file below the folder, and what is in it.
type NewFile = (PathBuf, Secret<Vec<u8>>);

fn files(arguments: &Arguments, password: Option<&Password>) -> Result<Vec<NewFile>, String> {
    let plain = |text: String| Secret::new(text.into_bytes());
    let password_file = password.map(|one| {
        let text = one.file.to_str().map(str::to_owned);
        text.ok_or("--key-password-file: its path must be text in UTF-8".to_owned())
    });
    let password_file = password_file.transpose()?;
    let record = templates::record(&arguments.holder, password_file.as_deref());
    let mut files = vec![
        (PathBuf::from(RECORD), plain(record)),
        (PathBuf::from(".gitignore"), plain(GIT_IGNORE.to_owned())),
    ];
    let kind = if arguments.private { ServiceKind::Private } else { ServiceKind::Public };
    for stage in Stage::ALL {
        let issuer = issuer(arguments, stage);
        let facts = Facts {
            issuer,
            name: &arguments.name,
            public_url: public_url(arguments, stage),
            upstream: &arguments.upstream,
            kind,
            password_file: password_file.as_deref(),
        };
        let configuration = templates::configuration(stage, &facts);
        files.push((stage.folder(Path::new("")).join(CONFIGURATION), plain(configuration)));
        for purpose in [Purpose::Signing, Purpose::Encryption] {
            let key = PrivateKey::generate_p256();
            let request = profile::request(purpose, issuer, &arguments.holder, &key)?;
            let stem = file_name(&purpose.common_name(issuer));
            let path = |ending: &str| stage.keys(Path::new("")).join(format!("{stem}.{ending}"));
            let pem = match password {
                None => key.pem(),
                Some(Password { password, .. }) => encrypted::pem(&key, password)?,
            };
            files.push((path("key"), Secret::new(pem.expose().clone().into_bytes())));
            files.push((path("csr"), plain(request)));
        }
    }
    Ok(files)
}

/// Writes all files beside the folder, and moves them there at once.
fn write(folder: &Path, files: &[NewFile]) -> Result<(), String> {
    let shown = shown_path(folder);
    let absolute = std::path::absolute(folder).map_err(|error| format!("{shown}: {error}"))?;
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return Err(format!("{shown}: it is no folder that can be made"));
    };
    let partial = parent.join(format!(".{}.{}", name.to_string_lossy(), random::unique_name()));
    let written = (|| {
        for (path, bytes) in files {
            let path = partial.join(path);
            private::make_folder(path.parent().unwrap_or(&partial))?;
            private::write(&path, bytes.expose())?;
        }
        // Onto an empty folder, or where nothing is.
        fs::rename(&partial, &absolute)
    })();
    written.map_err(|error| {
        // What cannot be removed either is told by the error already.
        let _ = fs::remove_dir_all(&partial);
        format!("{shown}: {error}")
    })
}

fn tell(arguments: &Arguments, shown: &str) {
    print(format_args!("{shown}: the record, and a configuration with keys for each environment"));
    for stage in Stage::ALL {
        let issuer = issuer(arguments, stage);
        let (signing, encryption) = templates::stems(issuer);
        print(format_args!("  {stage}/keys/{signing}.csr, {stage}/keys/{encryption}.csr"));
    }
    if let Some(file) = &arguments.key_password_file {
        let shown = shown_path(file);
        print(format_args!(
            "the private keys are encrypted; the password is in {shown}: keep both apart in backups"
        ));
    }
    print(format_args!(
        "next: fill in [contacts] of {shown}/onboarding.toml, then: cd {shown} && brama \
         onboarding status"
    ));
}
