//! What a file holds, in whatever form: PEM with text around it, a mark of the byte order, ends of lines
//! of Windows, UTF-16 or signs of a quoted mail; DER; PKCS #7 (RFC 5652) with certificates; PKCS #12
//! (RFC 7292) and private keys (PKCS #8, RFC 5958) with a password.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::{Decode, Encode};
use p12_keystore::Pkcs12Archive;
use pkcs8::EncryptedPrivateKeyInfoRef;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Kdf;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, SubjectPublicKeyInfo};

use crate::base::foreign::{Foreign, escaped};
use crate::base::handed;
use crate::base::secret::Secret;
use crate::xml::keys::PrivateKey;

/// What was found in a file.
#[derive(Debug, Default)]
pub(in crate::cli::tools) struct Material {
    /// Certificates in DER, in the order of the file.
    pub(in crate::cli::tools) certificates: Vec<Vec<u8>>,
    /// Private keys that can be used.
    pub(in crate::cli::tools) keys: Vec<PrivateKey>,
    /// Why other private keys cannot be used.
    pub(in crate::cli::tools) unusable: Vec<String>,
    /// What else there is, in words.
    pub(in crate::cli::tools) others: Vec<String>,
    /// The form of the file, in words.
    pub(in crate::cli::tools) form: &'static str,
}

/// Why a file cannot be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", shown_path(path))]
pub(in crate::cli::tools) struct Unreadable {
    path: PathBuf,
    why: String,
}

/// The exit status when a file cannot be read, or is in the way.
pub(in crate::cli::tools) const UNREADABLE: u8 = 2;
/// The most bytes of a file.
const LARGEST: u64 = 4 * 1024 * 1024;
/// The most bytes of a file with a password.
const LONGEST_PASSWORD: u64 = 4096;

/// Returns a path for people: names of files come from elsewhere too.
pub(in crate::cli::tools) fn shown_path(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// Reads a file. Passwords are for PKCS #12 and for private keys that have one; each is tried, and
/// at last none.
pub(in crate::cli::tools) fn read(
    path: &Path,
    passwords: &[Secret<String>],
) -> Result<Material, Unreadable> {
    let failed = |why: String| Unreadable { path: path.to_owned(), why };
    let bytes = handed::read(path, LARGEST).map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(failed(
            "it has more than 4 MiB, so it is no certificate and no key".to_owned(),
        ));
    }
    take_apart(&bytes, passwords).map_err(failed)
}

/// Reads a password: the first line of a file.
pub(in crate::cli::tools) fn password(path: &Path) -> Result<Secret<String>, String> {
    let bytes = handed::read(path, LONGEST_PASSWORD);
    let bytes = bytes.map_err(|error| format!("{}: {error}", shown_path(path)))?;
    let text = match utf16(&bytes) {
        Some(text) => text,
        None => String::from_utf8_lossy(without_mark(&bytes)).into_owned(),
    };
    Ok(Secret::new(text.lines().next().unwrap_or_default().to_owned()))
}

/// Editors of Windows put a mark of the byte order before the first line.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Returns the text of UTF-16, in which PowerShell and some editors save: by its mark, or by the zeros
/// beside the first letter of PEM.
fn utf16(bytes: &[u8]) -> Option<String> {
    let (is_big, rest) = match bytes {
        [0xff, 0xfe, rest @ ..] => (false, rest),
        [0xfe, 0xff, rest @ ..] => (true, rest),
        [b'-', 0, b'-', 0, ..] => (false, bytes),
        [0, b'-', 0, b'-', ..] => (true, bytes),
        _ => return None,
    };
    let unit = |pair: &[u8]| match (is_big, pair) {
        (false, &[low, high]) | (true, &[high, low]) => u16::from_be_bytes([high, low]),
        _ => 0,
    };
    let units: Vec<u16> = rest.chunks_exact(2).map(unit).collect();
    Some(String::from_utf16_lossy(&units))
}

/// Takes bytes apart.
fn take_apart(bytes: &[u8], passwords: &[Secret<String>]) -> Result<Material, String> {
    if let Some(text) = utf16(bytes) {
        return match text.contains(BEGIN) {
            true => pem_file(&text, passwords),
            false => Err("it is text in UTF-16, and no PEM".to_owned()),
        };
    }
    let bytes = without_mark(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("it is empty".to_owned());
    }
    if memchr::memmem::find(bytes, BEGIN.as_bytes()).is_some() {
        return pem_file(&String::from_utf8_lossy(bytes), passwords);
    }
    if bytes.starts_with(b"\xfe\xed\xfe\xed") {
        return Err(
            "it is a key store of Java (JKS); make PKCS #12 of it: keytool -importkeystore \
                    -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12"
                .to_owned(),
        );
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("it is a ZIP archive: unpack it first".to_owned());
    }
    if bytes.first() == Some(&0x30) {
        return der_file(bytes, passwords);
    }
    // DER that somebody wrote as base64, without the lines of PEM around it.
    let letters: Vec<u8> =
        bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    match LENIENT.decode(letters) {
        Ok(der) if der.first() == Some(&0x30) => der_file(&der, passwords),
        _ => Err("it is neither PEM nor DER, PKCS #7 nor PKCS #12".to_owned()),
    }
}

/// With or without the signs that fill up the end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const BEGIN: &str = "-----BEGIN ";

fn pem_file(text: &str, passwords: &[Secret<String>]) -> Result<Material, String> {
    let mut found = Material { form: "PEM", ..Material::default() };
    for block in text.split(BEGIN).skip(1) {
        let (label, rest) =
            block.split_once("-----").ok_or("a line that begins a block is damaged")?;
        let shown = Foreign::new(label);
        let (body, _) = rest
            .split_once(&*format!("-----END {label}-----"))
            .ok_or_else(|| format!("the block \"{shown}\" of its PEM has no end"))?;
        if body.contains("Proc-Type:") && body.contains("ENCRYPTED") {
            let what = "a private key with a password, in an old form that is not read; anew: openssl \
                        pkcs8 -topk8 -in FILE -out NEW";
            found.others.push(what.to_owned());
            continue;
        }
        let der = decoded(body).ok_or_else(|| format!("the block \"{shown}\" is damaged"))?;
        found.take_in_block(label, &der, passwords)?;
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

fn der_file(der: &[u8], passwords: &[Secret<String>]) -> Result<Material, String> {
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
    if EncryptedPrivateKeyInfoRef::try_from(der).is_ok() {
        found.take_in_encrypted_key(der, passwords)?;
        return Ok(found);
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
    found.take_in_pkcs12(der, passwords)?;
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
        passwords: &[Secret<String>],
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
            "PKCS12" => return self.take_in_pkcs12(der, passwords),
            "ENCRYPTED PRIVATE KEY" => return self.take_in_encrypted_key(der, passwords),
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
    fn take_in_pkcs12(&mut self, der: &[u8], passwords: &[Secret<String>]) -> Result<(), String> {
        let none = Secret::new(String::new());
        let mut why = String::new();
        let mut opened = None;
        // The first reason that is told is that of a password that somebody gave.
        for password in passwords.iter().chain([&none]) {
            match Pkcs12Archive::from_pkcs12(der, password.expose()) {
                Ok(archive) => opened = Some(archive),
                Err(error) if why.is_empty() => why = error.to_string(),
                Err(_) => {}
            }
            if opened.is_some() {
                break;
            }
        }
        let archive = opened.ok_or_else(|| match passwords {
            [] => format!("if it is PKCS #12 (.p12, .pfx), its password is needed ({why})"),
            _ => format!("it cannot be opened as PKCS #12, is the password right? ({why})"),
        })?;
        self.certificates.extend(archive.certs.iter().map(|bag| bag.cert.as_der().to_vec()));
        for bag in &archive.keys {
            self.add_key(bag.key.as_der());
        }
        self.others.extend(archive.secrets.iter().map(|_| "a secret".to_owned()));
        Ok(())
    }

    /// Takes in a private key with a password (RFC 5958, 3).
    fn take_in_encrypted_key(
        &mut self,
        der: &[u8],
        passwords: &[Secret<String>],
    ) -> Result<(), String> {
        if passwords.is_empty() {
            self.others.push("a private key with a password".to_owned());
            return Ok(());
        }
        let read = |error: &dyn std::fmt::Display| {
            format!("its private key with a password cannot be read ({error})")
        };
        let encrypted = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|error| read(&error))?;
        if !is_affordable(&encrypted.encryption_algorithm) {
            let what = "opening its private key with a password would take more time or memory than any tool \
                        asks for by itself; it was not tried";
            return Err(what.to_owned());
        }
        let opened = passwords.iter().find_map(|one| encrypted.decrypt(one.expose()).ok());
        let opened = opened.ok_or(
            "its private key cannot be opened, is the password right? If it is: openssl pkcs8 -topk8 -v2 \
             aes-256-cbc -in FILE -out NEW, and try the new file",
        )?;
        self.add_key(opened.as_bytes());
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

/// The most rounds of PBKDF2 by which a key may be encrypted: tools choose up to a million.
const MOST_ROUNDS: u32 = 10_000_000;

/// The most bytes of memory that scrypt may take: OpenSSL chooses 16 MiB.
const MOST_MEMORY: u64 = 64 * 1024 * 1024;

/// Tells whether trying a password costs no more than it should: who sent a file chose it.
fn is_affordable(scheme: &EncryptionScheme) -> bool {
    match scheme.pbes2().map(|parameters| &parameters.kdf) {
        Some(Kdf::Pbkdf2(parameters)) => parameters.iteration_count <= MOST_ROUNDS,
        // RFC 7914, 2: 128 bytes by block size and cost.
        Some(Kdf::Scrypt(parameters)) => {
            let block = 128 * u64::from(parameters.block_size);
            parameters.cost_parameter.saturating_mul(block) <= MOST_MEMORY
                && parameters.parallelization <= 16
        }
        _ => true,
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

#[cfg(test)]
mod tests {
    use pkcs8::pkcs5::pbes2::{Parameters, Salt, ScryptParams};

    use super::*;

    fn by(kdf: Kdf) -> EncryptionScheme {
        let parameters =
            Parameters::generate_pbkdf2_sha256_aes256cbc(1, b"saltsalt", [0; 16]).unwrap();
        Parameters { kdf, ..parameters }.into()
    }

    #[test]
    fn a_password_is_not_tried_where_whoever_sent_the_file_chose_an_enormous_cost() {
        for (rounds, is_tried) in [(2_048, true), (MOST_ROUNDS, true), (MOST_ROUNDS + 1, false)] {
            let parameters =
                Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, b"saltsalt", [0; 16]).unwrap();
            assert_eq!(is_affordable(&parameters.into()), is_tried, "{rounds}");
        }
        for (cost, parallelization, is_tried) in [
            (16_384, 1, true),
            (65_536, 1, true),
            (131_072, 1, false),
            (u64::MAX, 1, false),
            (16_384, 17, false),
        ] {
            let kdf = Kdf::Scrypt(ScryptParams {
                salt: Salt::new(b"saltsalt").unwrap(),
                cost_parameter: cost,
                block_size: 8,
                parallelization,
                key_length: None,
            });
            assert_eq!(is_affordable(&by(kdf)), is_tried, "{cost} {parallelization}");
        }
    }
}
