//! What was issued: whether it can follow the old one, where it goes, and the lines that name it.

use std::path::{Path, PathBuf};

use super::begin::Pending;
use super::kind::{InUse, Kind, public};
use super::named::{put_p12, put_pem, written as named_as};
use super::written::{self, Failed};
use crate::base::clock::{Time, WARSAW};
use crate::base::foreign::Foreign;
use crate::base::secret::Secret;
use crate::cli::tools::certs::facts::{self, Facts};
use crate::cli::tools::certs::material::{self, shown_path};
use crate::cli::tools::certs::profile::file_name;
use crate::cli::tools::certs::{compare, encrypted};
use crate::cli::tools::lines::Lines;
use crate::config::Loaded;
use crate::xml::keys::{PrivateKey, pem};

/// What is there to compare with.
pub(super) struct Old<'o> {
    pub(super) kind: Kind,
    pub(super) loaded: &'o Loaded,
    pub(super) in_use: &'o InUse,
    /// The common name that it must have.
    pub(super) name: Option<&'o str>,
    pub(super) pending: Option<&'o Pending>,
    /// The folder of the keys.
    pub(super) folder: &'o Path,
    pub(super) now: Time,
}

/// A certificate that can follow the old one.
pub(super) struct Issued {
    pub(super) facts: Facts,
    /// Whether the configuration has it already.
    pub(super) is_in_use: bool,
    /// Files to be written.
    files: Vec<(PathBuf, Secret<Vec<u8>>)>,
}

/// Reads what was issued, and plans where it goes.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn take_in(
    old: &Old<'_>,
    file: &Path,
    passwords: &[Secret<String>],
    lines: &mut Lines,
) -> Result<Issued, Vec<String>> {
    let shown = shown_path(file);
    let one = |why: String| vec![why];
    let material = material::read(file, passwords).map_err(|error| one(error.to_string()))?;
    let own = own_keys(old).map_err(one)?;
    let (der, facts, chain) =
        choose(old, &material, &own).map_err(|why| one(format!("{shown}: {why}")))?;
    if old.in_use.all.contains(&der) || is_certificate_in_use(old, &der) {
        return Ok(Issued { facts, is_in_use: true, files: Vec::new() });
    }
    let wrong = wrong(old, &facts);
    if !wrong.is_empty() {
        return Err(wrong.into_iter().map(|why| format!("{shown}: {why}")).collect());
    }
    let mut files = Vec::new();
    if old.kind == Kind::Node {
        let target = target(old, "node-signing", "pem");
        files.push((target.clone(), Secret::new(pem("CERTIFICATE", &der).into_bytes())));
        let named = old.loaded.file.node.certificates.iter().map(|path| path.display().to_string());
        let all: Vec<String> = named.chain([named_as(old.loaded, &target)]).collect();
        lines.set_list("node", "certificates", &all);
        return Ok(Issued { facts, is_in_use: false, files });
    }
    let public = public(&der);
    let key = |key: &&(PrivateKey, Option<PathBuf>)| Some(key.0.public_key()) == public.as_deref();
    let given = material.keys.into_iter().map(|key| (key, None));
    let keys: Vec<_> = own.into_iter().chain(given).collect();
    let Some((key, key_file)) = keys.iter().find(key) else {
        return Err(one(format!(
            "{shown}: its private key is neither in it nor in {}",
            shown_path(old.folder)
        )));
    };
    let stem = file_name(old.name.unwrap_or("certificate"));
    let chain: Vec<Vec<u8>> = std::iter::once(der).chain(chain).collect();
    let password = old.in_use.password().map_err(one)?;
    match (password, &old.in_use.password_file) {
        (Some(password), Some((named, _))) => {
            let bytes = encrypted::pkcs12(&stem, key, &chain, &password).map_err(one)?;
            let target = beside(old, file, "p12", &bytes).unwrap_or_else(|| {
                let target = target(old, &stem, "p12");
                files.push((target.clone(), Secret::new(bytes)));
                target
            });
            put_p12(old.kind, old.loaded, &named_as(old.loaded, &target), named, lines);
        }
        _ => {
            let text: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
            let text = text.into_bytes();
            let certificate = beside(old, file, "pem", &text).unwrap_or_else(|| {
                let target = target(old, &stem, "pem");
                files.push((target.clone(), Secret::new(text)));
                target
            });
            let key_file = key_file.clone().unwrap_or_else(|| {
                let target = target(old, &stem, "key");
                files.push((target.clone(), Secret::new(key.pem().expose().clone().into_bytes())));
                target
            });
            put_pem(
                old.kind,
                old.loaded,
                &named_as(old.loaded, &certificate),
                &named_as(old.loaded, &key_file),
                lines,
            );
        }
    }
    Ok(Issued { facts, is_in_use: false, files })
}

impl Issued {
    /// Writes all files or none, and returns them; what is there is not touched.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn write(&self) -> Result<Vec<&Path>, Failed> {
        let all = self.files.iter();
        written::files(all.map(|(path, bytes)| (path.as_path(), bytes.expose().as_slice())))
    }
}

/// The keys in the folder, each with its file when that has no password and nothing else in it.
type OwnKey = (PrivateKey, Option<PathBuf>);

fn own_keys(old: &Old<'_>) -> Result<Vec<OwnKey>, String> {
    let password = old.in_use.password()?;
    let entries = std::fs::read_dir(old.folder).into_iter().flatten();
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut keys = Vec::new();
    for file in files.into_iter().filter(|file| file.is_file()) {
        let Ok(material) = material::read(&file, password.as_slice()) else { continue };
        let is_alone = material.form == "PEM" && material.keys.len() == 1 && password.is_none();
        let here = is_alone.then_some(file);
        keys.extend(material.keys.into_iter().map(|key| (key, here.clone())));
    }
    Ok(keys)
}

/// A certificate in DER, what it says, and the authorities behind it.
type Chosen = (Vec<u8>, Facts, Vec<Vec<u8>>);

/// Finds the certificate that is meant, and the authorities behind it.
fn choose(old: &Old<'_>, material: &material::Material, own: &[OwnKey]) -> Result<Chosen, String> {
    let mut leaves = Vec::new();
    let mut chain = Vec::new();
    let mut has_authority = false;
    for der in &material.certificates {
        let facts = facts::read(der)?;
        if facts.is_authority {
            has_authority = true;
            // One that signed itself need not be shown.
            if facts.subject != facts.issuer && !chain.contains(der) {
                chain.push(der.clone());
            }
        } else if !leaves.iter().any(|(other, _)| other == der) {
            leaves.push((der.clone(), facts));
        }
    }
    // Of several, the one whose request is under way, or whose key is here, is meant.
    if leaves.len() > 1 && old.kind != Kind::Node {
        let wanted = old.pending.map(|pending| pending.public.clone());
        let is_wanted = |der: &[u8]| match (&wanted, public(der)) {
            (Some(wanted), found) => found.as_ref() == Some(wanted),
            (None, found) => own.iter().any(|(key, _)| Some(key.public_key()) == found.as_deref()),
        };
        leaves.retain(|(der, _)| is_wanted(der));
    }
    match leaves.pop() {
        Some((der, facts)) if leaves.is_empty() => Ok((der, facts, chain)),
        Some(_) => Err("there are several certificates in it, give a file with one".to_owned()),
        None if !has_authority => {
            Err("there is no certificate in it that is meant here".to_owned())
        }
        None => Err("there are authorities in it alone".to_owned()),
    }
}

fn is_certificate_in_use(old: &Old<'_>, der: &[u8]) -> bool {
    let in_use = old.in_use.certificate.as_ref();
    old.kind != Kind::Decryption && in_use.is_some_and(|(other, _)| other == der)
}

/// Says why a certificate cannot follow the old one.
fn wrong(old: &Old<'_>, new: &Facts) -> Vec<String> {
    let mut wrong = Vec::new();
    if new.not_after <= old.now {
        wrong.push(format!("{} ended on {}", Foreign::new(&new.subject), new.not_after));
    }
    match (old.kind, &old.in_use.certificate) {
        (Kind::Signing | Kind::Decryption | Kind::ClientTls, Some((_, facts))) => {
            let differences = compare::differences(facts, new, old.now);
            wrong.extend(differences.into_iter().map(|one| format!("not as the old one: {one}")));
        }
        (Kind::Decryption, None) => {
            if new.common_names.first().map(String::as_str) != old.name {
                let expected = old.name.unwrap_or_default();
                wrong.push(format!("{} is not \"{expected}\"", Foreign::new(&new.subject)));
            }
            if new.key != "EC P-256" {
                wrong.push(format!("its key is {}, and the node takes EC P-256 alone", new.key));
            }
            if !new.usages.is_empty() && !new.usages.iter().any(|usage| usage == "keyAgreement") {
                wrong.push("it is not for keyAgreement".to_owned());
            }
        }
        (Kind::Listener, Some((_, facts))) => {
            let lost = facts.names.iter().filter(|name| !new.names.contains(name));
            wrong.extend(
                lost.map(|name| format!("it is not for {}, as the old one is", Foreign::new(name))),
            );
        }
        (Kind::Node, _) if new.is_authority => {
            wrong.push("it is an authority, which signs certificates and no messages".to_owned());
        }
        _ => {}
    }
    wrong
}

/// Returns what this command wrote beside the request before, when it is this file or has the same in it.
fn beside(old: &Old<'_>, file: &Path, ending: &str, bytes: &[u8]) -> Option<PathBuf> {
    let beside = old.pending?.request.with_extension(ending);
    let full = |path: &Path| path.canonicalize().ok();
    let is_it = full(&beside).is_some_and(|beside| Some(beside) == full(file));
    let has_same = || std::fs::read(&beside).is_ok_and(|found| found == bytes);
    (is_it || has_same()).then_some(beside)
}

/// Returns a file that is not there yet: beside the request, or with the day of today in its name.
fn target(old: &Old<'_>, stem: &str, ending: &str) -> PathBuf {
    if let Some(pending) = old.pending {
        let path = pending.request.with_extension(ending);
        if path.symlink_metadata().is_err() {
            return path;
        }
    }
    let today = old.now.to_zoned_datetime(WARSAW.clone()).date();
    let numbers = (2u32..).map(|number| format!("{stem}-{today}-{number}.{ending}"));
    let mut names = std::iter::once(format!("{stem}-{today}.{ending}")).chain(numbers);
    let free = names.find(|name| old.folder.join(name).symlink_metadata().is_err());
    old.folder.join(free.unwrap_or_else(|| format!("{stem}.{ending}")))
}
