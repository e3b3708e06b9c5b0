//! What a file holds, in whatever form: PEM with text around it, a mark of the byte order and ends of
//! lines of Windows; DER; PKCS #7 (RFC 5652) with certificates; PKCS #12 (RFC 7292) with a password.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::{Decode, Encode};
use p12_keystore::Pkcs12Archive;
use rustls::pki_types::pem::{PemObject, SectionKind};

use crate::base::secret::Secret;
use crate::xml::keys::PrivateKey;

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Material {
    /// Certificates in DER, in the order of the file.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Private keys that can be used.
    pub(super) keys: Vec<PrivateKey>,
    /// What else there is, in words.
    pub(super) others: Vec<String>,
    /// The form of the file, in words.
    pub(super) form: &'static str,
}

/// Why a file cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}", path = .path.display())]
pub(super) struct Unreadable {
    path: PathBuf,
    why: String,
}

/// The exit status when a file cannot be read.
pub(super) const UNREADABLE: u8 = 2;
/// The most bytes of a file.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Reads a file. A password is for PKCS #12 alone.
pub(super) fn read(path: &Path, password: Option<&Secret<String>>) -> Result<Material, Unreadable> {
    let failed = |why: String| Unreadable { path: path.to_owned(), why };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(error.to_string()))?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed(
            "it has more than 4 MiB, so it is no certificate and no key".to_owned(),
        ));
    }
    take_apart(&bytes, password).map_err(failed)
}

/// Reads a password: the first line of a file.
pub(super) fn password(file: &Path) -> Result<Secret<String>, String> {
    let text = std::fs::read_to_string(file);
    let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(Secret::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Takes bytes apart.
fn take_apart(bytes: &[u8], password: Option<&Secret<String>>) -> Result<Material, String> {
    // Editors of Windows put it before the first line.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    if memchr::memmem::find(bytes, b"-----BEGIN ").is_some() {
        return pem_file(bytes);
    }
    if bytes.first() == Some(&0x30) {
        return der_file(bytes, password);
    }
    // DER that somebody wrote as base64, without the lines of PEM around it.
    let letters: Vec<u8> =
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match LENIENT.decode(letters) {
        Ok(der) if der.first() == Some(&0x30) => der_file(&der, password),
        _ => Err("it is neither PEM nor DER, PKCS #7 nor PKCS #12".to_owned()),
    }
}

/// With or without the signs that fill up the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn pem_file(bytes: &[u8]) -> Result<Material, String> {
    let mut found = Material { form: "PEM", ..Material::default() };
    // Blocks of PKCS #7 and of encrypted keys are none of those that TLS knows.
    let text = String::from_utf8_lossy(bytes);
    for (label, what) in [
        ("ENCRYPTED PRIVATE KEY", "a private key with a password"),
        ("EC PARAMETERS", "the name of a curve"),
        ("PUBLIC KEY", "a public key"),
    ] {
        let count = text.matches(&format!("-----BEGIN {label}-----")).count();
        found.others.extend(std::iter::repeat_n(what.to_owned(), count));
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        found.others.push("a private key with a password".to_owned());
    }
    for label in ["PKCS7", "CMS"] {
        for der in blocks(&text, label) {
            let inside = pkcs7(&der?).ok_or("its PKCS #7 block has no certificates")?;
            found.certificates.extend(inside);
        }
    }
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(bytes) {
        let (kind, der) = section.map_err(|error| match error {
            rustls::pki_types::pem::Error::Base64Decode(why) => {
                format!("a block of its PEM is damaged: {why}")
            }
            other => format!("its PEM is damaged: {other:?}"),
        })?;
        match kind {
            SectionKind::Certificate => found.certificates.push(der),
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                found.add_key(&der);
            }
            SectionKind::Csr => found.others.push("a request for a certificate".to_owned()),
            SectionKind::Crl => found.others.push("a list of revoked certificates".to_owned()),
            _ => {}
        }
    }
    found.unless_empty("its PEM has neither a certificate nor a private key")
}

/// Returns what stands between the lines of each block of that name.
fn blocks(text: &str, label: &str) -> Vec<Result<Vec<u8>, String>> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let parts = text.split(&*begin).skip(1);
    let body = |part: &str| {
        let (body, _) = part.split_once(&*end).ok_or("a block of its PEM has no end")?;
        let letters: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
        LENIENT.decode(letters).map_err(|error| format!("a block of its PEM is damaged: {error}"))
    };
    parts.map(body).collect()
}

fn der_file(der: &[u8], password: Option<&Secret<String>>) -> Result<Material, String> {
    let is_certificate = x509_parser::parse_x509_certificate(der).is_ok();
    if is_certificate {
        let certificates = vec![der.to_vec()];
        return Ok(Material { certificates, form: "DER", ..Material::default() });
    }
    if let Some(certificates) = pkcs7(der) {
        return Ok(Material { certificates, form: "PKCS #7", ..Material::default() });
    }
    if let Ok(key) = PrivateKey::from_der(der) {
        return Ok(Material { keys: vec![key], form: "DER", ..Material::default() });
    }
    pkcs12(der, password)
}

/// Returns the certificates of signed data, which are more often without a signature.
fn pkcs7(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let content = ContentInfo::from_der(der).ok()?;
    let signed: SignedData = content.content.decode_as().ok()?;
    let all = signed.certificates?;
    let certificates = all.0.iter().filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => certificate.to_der().ok(),
        CertificateChoices::Other(_) => None,
    });
    let certificates: Vec<_> = certificates.collect();
    (!certificates.is_empty()).then_some(certificates)
}

fn pkcs12(der: &[u8], password: Option<&Secret<String>>) -> Result<Material, String> {
    let given = password.map_or("", |password| password.expose());
    // Every bag counts, also those that nothing links to a key.
    let archive = Pkcs12Archive::from_pkcs12(der, given).map_err(|error| match password {
        Some(_) => format!("it cannot be opened as PKCS #12, is the password right? ({error})"),
        None => format!("if it is PKCS #12 (.p12, .pfx), give --password-file ({error})"),
    })?;
    let mut found = Material { form: "PKCS #12", ..Material::default() };
    found.certificates.extend(archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()));
    for bag in &archive.keys {
        found.add_key(bag.key.as_der());
    }
    found.others.extend(archive.secrets.iter().map(|_| "a secret".to_owned()));
    found.unless_empty("its PKCS #12 has neither a certificate nor a private key")
}

impl Material {
    fn add_key(&mut self, der: &[u8]) {
        match PrivateKey::from_der(der) {
            Ok(key) => self.keys.push(key),
            Err(error) => self.others.push(format!("a private key that cannot be used: {error}")),
        }
    }

    fn unless_empty(self, why: &str) -> Result<Self, String> {
        let is_empty =
            self.certificates.is_empty() && self.keys.is_empty() && self.others.is_empty();
        if is_empty { Err(why.to_owned()) } else { Ok(self) }
    }
}
