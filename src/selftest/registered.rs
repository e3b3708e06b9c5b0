//! What the simulated operator has of us: the certificates that the real one was, or will be, given.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DnType, Issuer, KeyPair, KeyUsagePurpose};

use crate::base::foreign::Foreign;
use crate::base::handed;
use crate::config::Loaded;
use crate::xml::keys::{Certificate, PrivateKey, is_pair};

/// The certificate that the node encrypts to.
#[derive(Debug, Clone)]
pub(super) struct Encryption {
    /// One that surely fits the first decryption key.
    pub(super) fitting: Certificate,
    /// The one that was found, as it was handed over, and the name of its file.
    pub(super) found: Option<(Certificate, String)>,
}

impl Encryption {
    /// Tells whether what was found is of the key, where something was.
    pub(super) fn fits(&self) -> Option<bool> {
        let (found, _) = self.found.as_ref()?;
        Some(found.public_key() == self.fitting.public_key())
    }
}

/// Finds the certificate of the first decryption key: the one that is named, the one in its PKCS #12
/// file, or one beside the key whose name is the same but for its end.
///
/// # Errors
/// When a file cannot be read that could be a moment ago, or none of its kind is in it.
pub(super) fn encryption(loaded: &Loaded, named: Option<&Path>) -> Result<Encryption, String> {
    let service = &loaded.file.service;
    let read = |path: &Path| {
        let path = loaded.resolve(path);
        handed::read_all(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let broken =
        |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let named = match named {
        None => None,
        Some(path) => {
            let bytes = handed::read_all(path).map_err(|error| broken(path, &error))?;
            let found = Certificate::parse(&bytes).map_err(|error| broken(path, &error))?;
            Some((found, name(path)))
        }
    };
    if let Some(path) = service.decryption_keys.first() {
        let key = PrivateKey::parse(&read(path)?).map_err(|error| broken(path, &error))?;
        let beside = || beside(&loaded.resolve(path));
        let fitting = certificate_of(&key).map_err(|error| error.to_string())?;
        return Ok(Encryption { fitting, found: named.or_else(beside) });
    }
    let p12 = service.decryption_p12.first().ok_or("there is no decryption key")?;
    let (Some(path), Some(password)) = (&p12.file, &p12.password_file) else {
        return Err("a decryption key of PKCS #12 needs file and password_file".to_owned());
    };
    let password =
        String::from_utf8_lossy(&read(password)?).trim_end_matches(['\r', '\n']).to_owned();
    let (key, certificate) =
        PrivateKey::from_pkcs12(&read(path)?, &password).map_err(|error| broken(path, &error))?;
    let inside = is_pair(&key, &certificate).then(|| certificate.clone());
    let fitting = match inside {
        Some(certificate) => certificate,
        None => certificate_of(&key).map_err(|error| error.to_string())?,
    };
    Ok(Encryption { fitting, found: named.or_else(|| Some((certificate, name(path)))) })
}

/// A certificate in the folder of a key, such as `portal_enc_ec.pem` beside `portal_enc_ec.key.pem`.
fn beside(key: &Path) -> Option<(Certificate, String)> {
    let file = key.file_name()?.to_str()?;
    let stem = ENDS_OF_KEYS.iter().find_map(|end| file.strip_suffix(end))?;
    let candidates =
        ENDS_OF_CERTIFICATES.iter().map(|end| key.with_file_name(format!("{stem}{end}")));
    candidates.filter(|path| path != key).find_map(|path: PathBuf| {
        let certificate = Certificate::parse(&handed::read_all(&path).ok()?).ok()?;
        Some((certificate, name(&path)))
    })
}

fn name(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Foreign::new(&name.unwrap_or_default()).to_string()
}

/// Makes a certificate for the public half of a key; the private half signs nothing.
fn certificate_of(key: &PrivateKey) -> Result<Certificate, rcgen::Error> {
    let public = KeyPair::try_from(key.pkcs8().expose().as_slice())?;
    let mut issuer = CertificateParams::new(Vec::new())?;
    issuer.distinguished_name.push(DnType::CommonName, "brama selftest");
    let issuer = Issuer::new(issuer, KeyPair::generate()?);
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, "decryption key");
    params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    let made = params.signed_by(&public, &issuer)?;
    Certificate::from_der(made.der()).map_err(|_| rcgen::Error::CouldNotParseCertificate)
}

/// How names of key files end.
const ENDS_OF_KEYS: [&str; 4] = [".key.pem", "_key.pem", ".key", ".pem"];
/// How names of certificates beside them end.
const ENDS_OF_CERTIFICATES: [&str; 5] = [".crt.pem", ".pem", ".crt", ".cer", "_cert.pem"];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_certificate_is_found_beside_its_key_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::generate_p256();
        let certificate = certificate_of(&key).unwrap();
        assert!(is_pair(&key, &certificate));
        let pem = crate::xml::keys::pem("CERTIFICATE", certificate.der());
        for (key, file, is_found) in [
            ("a_enc_ec.key.pem", "a_enc_ec.pem", true),
            ("b.key.pem", "b.crt.pem", true),
            ("c.key", "c.crt", true),
            ("d.pem", "d.crt", true),
            ("e.key.pem", "other.pem", false),
            ("f", "f.pem", false),
        ] {
            fs::write(folder.path().join(file), &pem).unwrap();
            let found = beside(&folder.path().join(key));
            assert_eq!(found.map(|(_, name)| name), is_found.then(|| file.to_owned()), "{key}");
        }
    }
}
