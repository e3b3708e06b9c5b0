//! What can be renewed, and what a configuration has of it by now.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::base::secret::Secret;
use crate::cli::tools::certs::current::{self, Current};
use crate::cli::tools::certs::facts::{self, Facts, public_key};
use crate::cli::tools::certs::material;
use crate::cli::tools::certs::profile::ENCRYPTION;
use crate::config::Loaded;

/// What is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// The certificate of our signatures (`_sig_ec`).
    Signing,
    /// The certificate that the node encrypts to (`_enc_ec`).
    Decryption,
    /// The certificate that we show to the node in TLS.
    ClientTls,
    /// The certificate for citizens (`listen.certificate`).
    Listener,
    /// A certificate that the node signs with, which the operator announced.
    Node,
}

impl Kind {
    /// Returns its name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Signing => "signing",
            Self::Decryption => "decryption",
            Self::ClientTls => "client-tls",
            Self::Listener => "listener",
            Self::Node => "node",
        }
    }
}

/// What is in use by the configuration.
#[derive(Debug)]
pub(super) struct InUse {
    /// The certificate, when it is here: in DER, and what it says.
    pub(super) certificate: Option<(Vec<u8>, Facts)>,
    /// All certificates of it; several for the node alone.
    pub(super) all: Vec<Vec<u8>>,
    /// The bits of the public keys.
    pub(super) keys: Vec<Vec<u8>>,
    /// The files that are named, as they are opened.
    pub(super) files: Vec<PathBuf>,
    /// The file of the password, as it is written and as it is opened, when keys have one.
    pub(super) password_file: Option<(String, PathBuf)>,
}

impl InUse {
    /// Reads the password of the keys.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub(super) fn password(&self) -> Result<Option<Secret<String>>, String> {
        self.password_file.as_ref().map(|(_, path)| material::password(path)).transpose()
    }

    /// Returns the folder of the files.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.files.first().and_then(|file| file.parent())
    }
}

/// Looks at what a configuration has.
///
/// # Errors
/// When it has none of this kind.
pub(super) fn in_use(kind: Kind, loaded: &Loaded) -> Result<InUse, String> {
    let (service, node, listen) = (&loaded.file.service, &loaded.file.node, &loaded.file.listen);
    let found = match kind {
        Kind::Signing => {
            let files = [&service.signing_certificate, &service.signing_key, &service.signing_p12];
            let password = service.signing_p12_password_file.as_deref();
            pair(loaded, current::signing(loaded), files, password)
        }
        Kind::ClientTls => {
            let files = [&node.client_certificate, &node.client_key, &node.client_p12];
            let password = node.client_p12_password_file.as_deref();
            pair(loaded, current::client(loaded), files, password)
        }
        Kind::Listener => {
            if listen.certificate.is_none() && listen.acme.directory.is_some() {
                return Err("the certificate for citizens is ordered and renewed by itself \
                            (listen.acme)"
                    .to_owned());
            }
            let current = current::of_files(loaded, [&listen.certificate, &listen.key]);
            pair(loaded, current, [&listen.certificate, &listen.key, &None], None)
        }
        Kind::Decryption => decryption(loaded),
        Kind::Node => {
            let all = current::node(loaded);
            let files = node.certificates.iter().map(|file| loaded.resolve(file)).collect();
            // The one that was issued last is the one that will be in use. It need not end last.
            let facts = all.iter().filter_map(|der| Some((der.clone(), facts::read(der).ok()?)));
            let certificate = facts.max_by_key(|(_, facts)| facts.not_before);
            InUse { certificate, all, keys: Vec::new(), files, password_file: None }
        }
    };
    match found.files.is_empty() {
        true => Err(format!("the configuration has none of the kind \"{}\"", kind.name())),
        false => Ok(found),
    }
}

fn pair(
    loaded: &Loaded,
    current: Current,
    files: [&Option<PathBuf>; 3],
    password: Option<&Path>,
) -> InUse {
    let Current { certificates, keys } = current;
    let certificate = certificates.first();
    let certificate = certificate.and_then(|der| Some((der.clone(), facts::read(der).ok()?)));
    InUse {
        certificate,
        all: certificates,
        keys,
        files: files.into_iter().flatten().map(|file| loaded.resolve(file)).collect(),
        password_file: password.map(|file| written(loaded, file)),
    }
}

/// The configuration names keys alone. A certificate of one of them may lie beside it.
fn decryption(loaded: &Loaded) -> InUse {
    let named = current::decryption(loaded);
    let keys: Vec<Vec<u8>> = named.iter().flat_map(|one| one.publics.clone()).collect();
    let password_file = named.iter().find_map(|one| one.password.as_deref());
    let password_file = password_file.map(|file| written(loaded, Path::new(file)));
    let mut found = InUse {
        certificate: None,
        all: Vec::new(),
        keys,
        files: named.iter().map(|one| one.path.clone()).collect(),
        password_file,
    };
    let password = found.password().ok().flatten();
    // The first key is the one of the newest certificate.
    let first = found.keys.first();
    let beside = found.folder().map(|folder| certificates_in(folder, password.as_slice()));
    let fits = |der: &Vec<u8>| first.is_some() && public_key(der).as_ref() == first;
    let certificate = beside.unwrap_or_default().into_iter().find(fits);
    found.certificate = certificate.and_then(|der| Some((der.clone(), facts::read(&der).ok()?)));
    found
}

fn written(loaded: &Loaded, file: &Path) -> (String, PathBuf) {
    (file.display().to_string(), loaded.resolve(file))
}

/// Returns the certificates in the files of a folder.
fn certificates_in(folder: &Path, passwords: &[Secret<String>]) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let files = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file());
    let found = files.filter_map(|file| material::read(&file, passwords).ok());
    found.flat_map(|material| material.certificates).collect()
}

/// Returns the common name of the decryption certificate of a service.
pub(super) fn decryption_name(loaded: &Loaded) -> Option<String> {
    loaded.file.service.issuer.as_deref().map(|issuer| format!("{issuer}{ENCRYPTION}"))
}

/// Returns the bits of the public key of a certificate.
pub(super) fn public(der: &[u8]) -> Option<Vec<u8>> {
    public_key(der)
}

/// Tells whether a file that the configuration names has this certificate in it.
pub(super) fn names_certificate(loaded: &Loaded, file: &Path, der: &Vec<u8>) -> bool {
    let found = material::read(&loaded.resolve(file), &[]);
    found.is_ok_and(|material| material.certificates.contains(der))
}
