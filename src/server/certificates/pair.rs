//! One certificate with its key, as it was read from its files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::sign::CertifiedKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::base::clock::{Time, at_second};
use crate::base::encoding::{hex_lower, sha256};
use crate::base::file_stamp::FileStamp;
use crate::base::files;
use crate::server::tls;

/// The files of one pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// PEM: the certificate, then its intermediates.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// DER: what the authority last said of the certificate.
    pub ocsp_staple: Option<PathBuf>,
    /// The files may be made later: until then there is no such pair.
    pub may_be_missing: bool,
    /// The key of the configuration that names the certificate.
    pub source: String,
}

/// One of the files of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The certificate with its intermediates.
    Certificate,
    /// The private key of the certificate.
    Key,
    /// The OCSP staple, which a pair may do without.
    OcspStaple,
}

/// Why a pair cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// Which one it is.
        part: Part,
        /// Path of the file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{path}: {source}", path = path.display())]
    Unusable {
        /// Which one it is.
        part: Part,
        /// Path of the file.
        path: PathBuf,
        /// Why its content cannot be used.
        source: tls::Error,
    },
    /// The first certificate of the file is no X.509 certificate.
    #[error("{path}: the first certificate is malformed", path = .0.display())]
    Malformed(PathBuf),
    /// The key is another certificate's.
    #[error("{key}: is not the key of {certificate}", key = key.display(), certificate = certificate.display())]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The staple is not in DER form.
    #[error("{path}: is no OCSP response in DER form", path = .0.display())]
    NoStaple(PathBuf),
}

impl Error {
    /// Returns the file that is to be mended.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::Unreadable { part, .. } | Self::Unusable { part, .. } => *part,
            Self::Malformed(_) => Part::Certificate,
            Self::Mismatch { .. } => Part::Key,
            Self::NoStaple(_) => Part::OcspStaple,
        }
    }
}

/// A pair as it was read: what TLS needs of it, and what was read of the certificate.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) certified: Arc<CertifiedKey>,
    /// The DNS names of the certificate in lower case; a name for all of a domain begins with
    /// `*.`.
    pub(super) names: Vec<String>,
    /// The subject of the certificate; empty when it names nobody but hosts.
    pub(super) subject: String,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub(super) sha256: String,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
}

impl Pair {
    /// Reads it, unless it is to be made yet.
    pub(super) fn read(files: &Files) -> Result<Option<Self>, Error> {
        if files.may_be_missing && !files.certificate.exists() {
            return Ok(None);
        }
        Self::read_all(files).map(Some)
    }

    fn read_all(files: &Files) -> Result<Self, Error> {
        let unusable = |part, path: &Path| {
            let path = path.to_owned();
            move |source| Error::Unusable { part, path, source }
        };
        let (part, path) = (Part::Certificate, &files.certificate);
        let chain = tls::read_chain(&read(part, path)?).map_err(unusable(part, path))?;
        let examined = examine_leaf(&chain[0]).ok_or_else(|| Error::Malformed(path.clone()))?;
        let Examined { names, not_before, not_after } = examined;
        let sha256 = hex_lower(&sha256(&chain[0]));
        let subject =
            X509Certificate::from_der(&chain[0]).map(|(_, leaf)| leaf.subject().to_string());

        let (part, path) = (Part::Key, &files.key);
        let key = tls::read_key(&read(part, path)?).map_err(unusable(part, path))?;
        let key = tls::provider().key_provider.load_private_key(key);
        let key = key.map_err(tls::Error::from).map_err(unusable(part, path))?;

        let mut certified = CertifiedKey::new(chain, key);
        // Whatever cannot be compared does not fit.
        certified.keys_match().map_err(|_| Error::Mismatch {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        })?;
        certified.ocsp = files.ocsp_staple.as_deref().map(read_staple).transpose()?;
        let subject = subject.unwrap_or_default();
        Ok(Self { certified: Arc::new(certified), names, subject, sha256, not_before, not_after })
    }

    /// Tells whether a client sees any difference.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.certified.cert == other.certified.cert && self.certified.ocsp == other.certified.ocsp
    }

    /// Tells whether the key is of the old kind, which costs more and which every client knows.
    pub(super) fn is_rsa(&self) -> bool {
        self.certified.key.algorithm() == SignatureAlgorithm::RSA
    }
}

/// How the files looked when they were last tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp([Option<FileStamp>; 3]);

impl Stamp {
    pub(super) fn of(files: &Files) -> Self {
        let staple = files.ocsp_staple.as_deref();
        let all = [Some(files.certificate.as_path()), Some(&files.key), staple];
        Self(all.map(|path| path.and_then(FileStamp::of)))
    }
}

fn read(part: Part, path: &Path) -> Result<Vec<u8>, Error> {
    let read = files::read(path, LARGEST_FILE);
    read.map_err(|source| Error::Unreadable { part, path: path.to_owned(), source })
}

/// Reads a staple. Clients check it; here it is only kept from being another kind of file.
fn read_staple(path: &Path) -> Result<Vec<u8>, Error> {
    let bytes = read(Part::OcspStaple, path)?;
    // OCSPResponse is a sequence that begins with an enumeration of one byte, zero for success
    // (RFC 6960, 4.2.1).
    let content = x509_parser::der_parser::der::parse_der_sequence(&bytes).ok();
    let is_success = content.is_some_and(|(rest, sequence)| {
        let status = sequence.as_sequence().ok().and_then(|items| items.first()?.as_u32().ok());
        rest.is_empty() && status == Some(0)
    });
    if is_success { Ok(bytes) } else { Err(Error::NoStaple(path.to_owned())) }
}

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// The DNS names that it is for, in lower case.
    pub names: Vec<String>,
    /// When it begins to be valid.
    pub not_before: Time,
    /// When it ends.
    pub not_after: Time,
}

/// Looks at a chain and its key in PEM as at a pair that would be used.
///
/// # Errors
/// What keeps them from being used.
pub fn examine(pem: &[u8]) -> Result<Examined, tls::Error> {
    let chain = tls::read_chain(pem)?;
    let examined = examine_leaf(&chain[0]);
    let malformed = || tls::Error::BadCertificate("the first one is malformed".to_owned());
    let examined = examined.ok_or_else(malformed)?;
    let key = tls::provider().key_provider.load_private_key(tls::read_key(pem)?)?;
    CertifiedKey::new(chain, key).keys_match()?;
    Ok(examined)
}

fn examine_leaf(der: &[u8]) -> Option<Examined> {
    let (_, leaf) = X509Certificate::from_der(der).ok()?;
    let (not_before, not_after) = (leaf.validity().not_before, leaf.validity().not_after);
    let (not_before, not_after) = (time(not_before), time(not_after));
    Some(Examined { names: dns_names(&leaf), not_before, not_after })
}

fn dns_names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = leaf.subject_alternative_name() else {
        return Vec::new();
    };
    let names = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    // RFC 6125, 6.4.3: a star stands for one whole label, the first.
    names.filter(|name| !name.strip_prefix("*.").unwrap_or(name).contains('*')).collect()
}

fn time(time: x509_parser::time::ASN1Time) -> Time {
    at_second(time.timestamp())
}

const LARGEST_FILE: u64 = 1024 * 1024;
