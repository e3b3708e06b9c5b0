//! What a file holds, in whatever form: PEM with text around it, a mark of the byte order, ends of lines
//! of Windows or signs of a quoted mail; DER; PKCS #7 (RFC 5652) with certificates; PKCS #12 (RFC 7292)
//! with a password.

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
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use crate::base::foreign::{Foreign, escaped};
use crate::base::secret::Secret;
use crate::xml::keys::PrivateKey;

/// What was found in a file.
#[derive(Debug, Default)]
pub(super) struct Material {
    /// Certificates in DER, in the order of the file.
    pub(super) certificates: Vec<Vec<u8>>,
    /// Private keys that can be used.
    pub(super) keys: Vec<PrivateKey>,
    /// Why other private keys cannot be used.
    pub(super) unusable: Vec<String>,
    /// What else there is, in words.
    pub(super) others: Vec<String>,
    /// The form of the file, in words.
    pub(super) form: &'static str,
}

/// Why a file cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", shown_path(path))]
pub(super) struct Unreadable {
    path: PathBuf,
    why: String,
}

/// The exit status when a file cannot be read, or is in the way.
pub(super) const UNREADABLE: u8 = 2;
/// The most bytes of a file.
const LARGEST: u64 = 4 * 1024 * 1024;
/// The most bytes of a file with a password.
const LONGEST_PASSWORD: u64 = 4096;

/// Returns a path for people: names of files come from elsewhere too.
pub(super) fn shown_path(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// Reads a file. A password is for PKCS #12 alone.
pub(super) fn read(path: &Path, password: Option<&Secret<String>>) -> Result<Material, Unreadable> {
    let failed = |why: String| Unreadable { path: path.to_owned(), why };
    let bytes = bytes(path, LARGEST).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed(
            "it has more than 4 MiB, so it is no certificate and no key".to_owned(),
        ));
    }
    take_apart(&bytes, password).map_err(failed)
}

/// Reads a password: the first line of a file.
pub(super) fn password(file: &Path) -> Result<Secret<String>, String> {
    let bytes = bytes(file, LONGEST_PASSWORD);
    let bytes = bytes.map_err(|error| format!("{}: {error}", shown_path(file)))?;
    let text = String::from_utf8_lossy(without_mark(&bytes));
    Ok(Secret::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn bytes(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Editors of Windows put a mark of the byte order before the first line.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Takes bytes apart.
fn take_apart(bytes: &[u8], password: Option<&Secret<String>>) -> Result<Material, String> {
    let bytes = without_mark(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    if memchr::memmem::find(bytes, BEGIN.as_bytes()).is_some() {
        return pem_file(&String::from_utf8_lossy(bytes), password);
    }
    if bytes.starts_with(b"\xfe\xed\xfe\xed") {
        return Err(
            "it is a key store of Java (JKS); make PKCS #12 of it: keytool -importkeystore \
                    -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12"
                .to_owned(),
        );
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

const BEGIN: &str = "-----BEGIN ";

fn pem_file(text: &str, password: Option<&Secret<String>>) -> Result<Material, String> {
    let mut found = Material { form: "PEM", ..Material::default() };
    for block in text.split(BEGIN).skip(1) {
        let (label, rest) =
            block.split_once("-----").ok_or("a line that begins a block is damaged")?;
        let shown = Foreign::new(label);
        let (body, _) = rest
            .split_once(&*format!("-----END {label}-----"))
            .ok_or_else(|| format!("the block \"{shown}\" of its PEM has no end"))?;
        if body.contains("Proc-Type:") && body.contains("ENCRYPTED") {
            found.others.push("a private key with a password".to_owned());
            continue;
        }
        let der = decoded(body).ok_or_else(|| format!("the block \"{shown}\" is damaged"))?;
        found.take_in_block(label, &der, password)?;
    }
    found.unless_empty("its PEM has neither a certificate nor a private key")
}

/// Returns what the lines of a block say: without the fields before them (RFC 1421), and without what
/// mail puts before lines that are quoted.
fn decoded(body: &str) -> Option<Vec<u8>> {
    let lines = body.lines().map(|line| line.trim_start_matches([' ', '\t', '>']).trim_end());
    let letters: String = lines.filter(|line| !line.contains(':')).collect();
    LENIENT.decode(letters.replace([' ', '\t'], "")).ok()
}

fn der_file(der: &[u8], password: Option<&Secret<String>>) -> Result<Material, String> {
    let mut found = Material { form: "DER", ..Material::default() };
    // One behind the other, and a line end behind the last.
    let mut rest = der;
    while let Ok((behind, _)) = x509_parser::parse_x509_certificate(rest) {
        found.certificates.push(rest[..rest.len() - behind.len()].to_vec());
        rest = behind;
    }
    if !found.certificates.is_empty() && rest.iter().all(u8::is_ascii_whitespace) {
        return Ok(found);
    }
    if let Some(certificates) = pkcs7(der) {
        return Ok(Material { certificates, form: "PKCS #7", ..Material::default() });
    }
    if let Ok(key) = PrivateKey::from_der(der) {
        return Ok(Material { keys: vec![key], form: "DER", ..Material::default() });
    }
    let other = if X509CertificationRequest::from_der(der).is_ok() {
        Some("a request for a certificate")
    } else if SubjectPublicKeyInfo::from_der(der).is_ok() {
        Some("a public key")
    } else {
        None
    };
    if let Some(what) = other {
        let others = vec![what.to_owned()];
        return Ok(Material { others, form: "DER", ..Material::default() });
    }
    let mut found = Material { form: "PKCS #12", ..Material::default() };
    found.take_in_pkcs12(der, password)?;
    found.unless_empty("its PKCS #12 has neither a certificate nor a private key")
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

impl Material {
    fn take_in_block(
        &mut self,
        label: &str,
        der: &[u8],
        password: Option<&Secret<String>>,
    ) -> Result<(), String> {
        let other = match label {
            "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" | "PKCS7" | "CMS" => {
                self.certificates.extend(certificates(label, der)?);
                return Ok(());
            }
            "PRIVATE KEY" | "EC PRIVATE KEY" | "RSA PRIVATE KEY" => {
                self.add_key(der);
                return Ok(());
            }
            "PKCS12" => return self.take_in_pkcs12(der, password),
            "ENCRYPTED PRIVATE KEY" => "a private key with a password".to_owned(),
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => {
                "a request for a certificate".to_owned()
            }
            "X509 CRL" => "a list of revoked certificates".to_owned(),
            "PUBLIC KEY" => "a public key".to_owned(),
            "EC PARAMETERS" => "the name of a curve".to_owned(),
            other => format!("a block of the kind \"{}\", which is not read", Foreign::new(other)),
        };
        self.others.push(other);
        Ok(())
    }

    /// Takes in every bag, also those that nothing links to a key.
    fn take_in_pkcs12(
        &mut self,
        der: &[u8],
        password: Option<&Secret<String>>,
    ) -> Result<(), String> {
        let given = password.map_or("", |password| password.expose());
        let archive = Pkcs12Archive::from_pkcs12(der, given).map_err(|error| match password {
            Some(_) => format!("it cannot be opened as PKCS #12, is the password right? ({error})"),
            None => format!("if it is PKCS #12 (.p12, .pfx), its password is needed ({error})"),
        })?;
        self.certificates.extend(archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()));
        for bag in &archive.keys {
            self.add_key(bag.key.as_der());
        }
        self.others.extend(archive.secrets.iter().map(|_| "a secret".to_owned()));
        Ok(())
    }

    fn add_key(&mut self, der: &[u8]) {
        match PrivateKey::from_der(der) {
            Ok(key) => self.keys.push(key),
            Err(error) => self.unusable.push(error.to_string()),
        }
    }

    fn unless_empty(self, why: &str) -> Result<Self, String> {
        let Self { certificates, keys, unusable, others, .. } = &self;
        let is_empty =
            certificates.is_empty() && keys.is_empty() && unusable.is_empty() && others.is_empty();
        if is_empty { Err(why.to_owned()) } else { Ok(self) }
    }
}

/// Returns the certificates of a block. What OpenSSL says of trust stands behind one; some tools write
/// PKCS #7 between the lines of a certificate.
fn certificates(label: &str, der: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    if let Ok((behind, _)) = x509_parser::parse_x509_certificate(der) {
        return Ok(vec![der[..der.len() - behind.len()].to_vec()]);
    }
    pkcs7(der).ok_or_else(|| format!("the block \"{label}\" holds no certificate that can be read"))
}
