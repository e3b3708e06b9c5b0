//! What is in the files that were handed over, and in the folder of our keys.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::role::Role;
use crate::base::secret::Secret;
use crate::cli::tools::certs::facts::{self, Facts, public_key};
use crate::cli::tools::certs::material::{self, shown_path};
use crate::xml::keys::PrivateKey;

/// A certificate.
#[derive(Debug, Clone)]
pub(in crate::cli::tools::onboarding) struct Found {
    /// The file, for people.
    pub(in crate::cli::tools::onboarding) file: String,
    /// What somebody said that it is for.
    pub(super) said: Option<Role>,
    pub(in crate::cli::tools::onboarding) der: Vec<u8>,
    pub(in crate::cli::tools::onboarding) facts: Facts,
    /// The bits of its public key.
    pub(in crate::cli::tools::onboarding) public: Vec<u8>,
}

impl Found {
    /// One that a configuration names.
    pub(in crate::cli::tools::onboarding) fn here(
        der: Vec<u8>,
        facts: Facts,
        public: Vec<u8>,
    ) -> Self {
        Self { file: String::new(), said: None, der, facts, public }
    }
}

/// A private key.
#[derive(Debug, Clone)]
pub(in crate::cli::tools::onboarding) struct FoundKey {
    /// The file, for people.
    pub(super) file: String,
    pub(in crate::cli::tools::onboarding) key: PrivateKey,
    /// The file itself, when it is one of ours that has just this key, without a password.
    pub(super) plain: Option<PathBuf>,
}

/// All that was handed over.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) certificates: Vec<Found>,
    pub(super) keys: Vec<FoundKey>,
    /// What needs no place.
    pub(super) notes: Vec<String>,
    /// What cannot be used.
    pub(super) problems: Vec<String>,
    /// Files that cannot be read, and why.
    pub(super) unreadable: Vec<String>,
}

/// Which files are meant.
#[derive(Debug)]
pub(super) struct Sources<'s> {
    /// Files, and folders with files.
    pub(super) files: &'s [PathBuf],
    /// Files of which somebody said what they are for.
    pub(super) said: [(Role, &'s [PathBuf]); 5],
    /// Files with passwords, each of which is tried.
    pub(super) password_files: &'s [PathBuf],
}

/// Reads all files that were named.
///
/// # Errors
/// When a file with a password cannot be read.
pub(super) fn given(sources: &Sources<'_>) -> Result<Given, String> {
    let passwords: Result<Vec<_>, _> =
        sources.password_files.iter().map(|file| material::password(file)).collect();
    let passwords = passwords?;
    let mut given = Given::default();
    for file in sources.files {
        match contents_of(file) {
            None => given.take_in(file, None, &passwords, Strictness::Named),
            Some(Ok(files)) => {
                for file in &files {
                    given.take_in(file, None, &passwords, Strictness::InFolder);
                }
            }
            Some(Err(error)) => given.unreadable.push(format!("{}: {error}", shown_path(file))),
        }
    }
    for (role, files) in sources.said {
        for file in files {
            given.take_in(file, Some(role), &passwords, Strictness::Named);
        }
    }
    // The same one is often there twice, in PKCS #12 above all.
    let mut seen = HashSet::new();
    given.certificates.sort_by_key(|one| one.said.is_none());
    given.certificates.retain(|one| seen.insert(one.der.clone()));
    let mut seen = HashSet::new();
    given.keys.retain(|one| seen.insert(one.key.public_key().to_vec()));
    Ok(given)
}

/// Returns the files of a folder, in the order of their names; none of what is no folder.
fn contents_of(path: &Path) -> Option<std::io::Result<Vec<PathBuf>>> {
    if !path.is_dir() {
        return None;
    }
    let files = fs::read_dir(path).map(|entries| {
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<_> = files.filter(|path| path.is_file()).collect();
        files.sort();
        files
    });
    Some(files)
}

/// How much is expected of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strictness {
    /// It was named, so it must be what can be taken in.
    Named,
    /// It is one of all files of a folder, so it may be a letter or a picture.
    InFolder,
}

impl Given {
    fn take_in(
        &mut self,
        file: &Path,
        said: Option<Role>,
        passwords: &[Secret<String>],
        strictness: Strictness,
    ) {
        let shown = shown_path(file);
        let material = match material::read(file, passwords) {
            Ok(material) => material,
            Err(error) if strictness == Strictness::InFolder && !is_ours(file) => {
                return self.notes.push(format!("passed over: {error}"));
            }
            Err(error) => return self.unreadable.push(error.to_string()),
        };
        for why in material.unusable {
            self.problems.push(format!("{shown}: a private key in it cannot be used: {why}"));
        }
        for what in material.others {
            if what.starts_with("a private key with a password") {
                let what =
                    format!("{shown}: it has {what}; give the password with --password-file");
                self.problems.push(what);
            } else {
                self.notes.push(format!("{shown}: {what}, which is not needed here"));
            }
        }
        for der in material.certificates {
            match (facts::read(&der), public_key(&der)) {
                (Ok(facts), Some(public)) => {
                    self.certificates.push(Found { file: shown.clone(), said, der, facts, public });
                }
                (Err(why), _) => self.unreadable.push(format!("{shown}: {why}")),
                (Ok(_), None) => self.unreadable.push(format!("{shown}: it has no public key")),
            }
        }
        let keys = material.keys.into_iter();
        self.keys.extend(keys.map(|key| FoundKey { file: shown.clone(), key, plain: None }));
    }
}

/// Tells whether a file is meant to be a key or a certificate, by its name.
fn is_ours(file: &Path) -> bool {
    let ending = file.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let endings = ["p12", "pfx", "pem", "crt", "cer", "der", "p7b", "p7c", "key"];
    ending.is_some_and(|ending| endings.contains(&&*ending))
}

/// What is in the folder of our keys.
#[derive(Debug, Default)]
pub(in crate::cli::tools::onboarding) struct Ours {
    pub(in crate::cli::tools::onboarding) certificates: Vec<Found>,
    pub(in crate::cli::tools::onboarding) keys: Vec<FoundKey>,
    /// Requests for certificates.
    pub(in crate::cli::tools::onboarding) requests: Vec<PathBuf>,
    /// Why others of its files cannot be used.
    pub(in crate::cli::tools::onboarding) problems: Vec<String>,
}

/// Reads the folder of our keys. One that is not there has nothing in it.
pub(in crate::cli::tools::onboarding) fn ours(
    folder: &Path,
    password: Option<&Secret<String>>,
) -> Ours {
    let mut ours = Ours::default();
    let passwords = password.map(std::slice::from_ref).unwrap_or_default();
    for file in contents_of(folder).and_then(Result::ok).unwrap_or_default() {
        if file.extension().is_some_and(|ending| ending == "csr") {
            ours.requests.push(file);
            continue;
        }
        let shown = shown_path(&file);
        let material = match material::read(&file, passwords) {
            Ok(material) => material,
            // A file with something else is none of ours.
            Err(_) if !is_ours(&file) => continue,
            Err(error) => {
                ours.problems.push(error.to_string());
                continue;
            }
        };
        let is_plain = material.form == "PEM" && material.keys.len() == 1 && is_plain(&file);
        let keys = material.keys.into_iter().map(|key| FoundKey {
            file: shown.clone(),
            key,
            plain: is_plain.then(|| file.clone()),
        });
        ours.keys.extend(keys);
        for der in material.certificates {
            if let (Ok(facts), Some(public)) = (facts::read(&der), public_key(&der)) {
                ours.certificates.push(Found {
                    file: shown.clone(),
                    said: None,
                    der,
                    facts,
                    public,
                });
            }
        }
        let locked = material.others.iter().filter(|what| what.contains("with a password"));
        ours.problems.extend(locked.map(|what| {
            format!(
                "{shown}: it has {what}, and keys.password_file of onboarding.toml does not open it"
            )
        }));
    }
    ours
}

/// Tells whether the key of a file can be read without a password.
fn is_plain(file: &Path) -> bool {
    material::read(file, &[]).is_ok_and(|material| material.keys.len() == 1)
}
