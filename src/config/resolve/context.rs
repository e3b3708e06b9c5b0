//! What every part of resolving uses: places for problems, files, certificates, keys, addresses.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::app::inventory::{Dated, FEW, Use};
use crate::base::clock::{Time, later};
use crate::base::files;
use crate::base::rights::{self, TooOpen};
use crate::config::file::File;
use crate::config::load::Loaded;
use crate::config::problem::Problems;
use crate::config::source_location::SourceLocation;
use crate::server::certificates::{Certificates, Files};
use crate::server::tls::{self, Identity};
use crate::xml::keys::{Certificate, PrivateKey};

/// The file being resolved, and the problems found so far.
pub(super) struct Context<'l> {
    loaded: &'l Loaded,
    pub(super) now: Time,
    pub(super) problems: Problems,
    /// The certificates that the configuration names, for whoever watches their dates.
    pub(super) certificates: Vec<Dated>,
}

/// How the rights of a file or folder are looked at.
pub(super) type RightsCheck = fn(&Path) -> std::io::Result<Option<TooOpen>>;

/// Certificates that end within this time are warned of.
pub(super) const SOON: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

impl<'l> Context<'l> {
    pub(super) fn new(loaded: &'l Loaded, now: Time) -> Self {
        Self { loaded, now, problems: Problems::default(), certificates: Vec::new() }
    }

    pub(super) fn file(&self) -> &'l File {
        &self.loaded.file
    }

    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.loaded.resolve(path)
    }

    pub(super) fn error(&mut self, key: &str, what: impl Into<String>, advice: impl Into<String>) {
        let place = self.loaded.places.place_of(key);
        self.problems.push_error(place, key, what.into(), advice.into());
    }

    pub(super) fn warn(&mut self, key: &str, what: impl Into<String>, advice: impl Into<String>) {
        let place = self.loaded.places.place_of(key);
        self.problems.push_warning(place, key, what.into(), advice.into());
    }

    /// Returns where a key stands, to be named in a problem of another one.
    pub(super) fn place(&self, key: &str) -> String {
        self.loaded.places.place_of(key).to_string()
    }

    /// Tells whether a key, or what holds it, was given by a variable of the environment.
    pub(super) fn is_variable(&self, key: &str) -> bool {
        matches!(self.loaded.places.place_of(key), SourceLocation::Variable(_))
    }

    /// Tells whether a value was given for a key and refused, so that a default stands there.
    pub(super) fn was_refused(&self, key: &str) -> bool {
        self.loaded.was_refused(key)
    }

    /// Demands a value; one that was given and refused has been reported already.
    pub(super) fn required<'v, T: ?Sized>(
        &mut self,
        key: &str,
        value: Option<&'v T>,
        advice: &str,
    ) -> Option<&'v T> {
        if value.is_none() && !self.loaded.was_refused(key) {
            self.error(key, "is missing", advice);
        }
        value
    }

    /// Reports a file or folder that others may read or write, by what may be made of it.
    pub(super) fn forbid(&mut self, key: &str, path: &Path, look: RightsCheck) {
        let path = self.resolve(path);
        if self.loaded.is_private_mount(&path) {
            return;
        }
        // What is not there, or cannot be looked at, is reported by the code that needs it.
        if let Ok(Some(found)) = look(&path) {
            let advice = format!(
                "run: {}; in a mount that nobody else has, name it in portal.private_mounts",
                found.remedy()
            );
            self.error(key, found.to_string(), advice);
        }
    }

    /// Reads a file with a secret, which no other user may read or write.
    pub(super) fn read_secret(&mut self, key: &str, path: &Path) -> Option<Vec<u8>> {
        self.forbid(key, path, rights::of_secret);
        self.contents(key, path)
    }

    /// Reads a file that the configuration names, which others may read.
    pub(super) fn read(&mut self, key: &str, path: &Path) -> Option<Vec<u8>> {
        self.forbid(key, path, rights::of_believed);
        self.contents(key, path)
    }

    fn contents(&mut self, key: &str, path: &Path) -> Option<Vec<u8>> {
        let path = self.resolve(path);
        match files::read(&path, files::MOST) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let what = format!("{} cannot be read: {error}", path.display());
                self.error(key, what, "check the path and who may read the file");
                None
            }
        }
    }

    /// Opens the certificate of a listener with its key; they are read again when they change.
    pub(super) fn listener_certificate(
        &mut self,
        key: &str,
        certificate: &Path,
        private: &Path,
    ) -> Option<Arc<Certificates>> {
        let files = Files {
            certificate: self.resolve(certificate),
            key: self.resolve(private),
            ocsp_staple: None,
            may_be_missing: false,
            source: key.to_owned(),
        };
        match Certificates::open(vec![files]) {
            Ok(certificates) => Some(Arc::new(certificates)),
            Err(errors) => {
                for (_, error) in errors {
                    let advice = "give a certificate and its private key, each in a PEM file";
                    self.error(key, error.to_string(), advice);
                }
                None
            }
        }
    }

    pub(super) fn certificate(&mut self, key: &str, path: &Path) -> Option<Certificate> {
        let bytes = self.read(key, path)?;
        let parsed = Certificate::parse(&bytes);
        self.parsed(key, path, parsed, "give a certificate in PEM or DER form")
    }

    pub(super) fn private_key(&mut self, key: &str, path: &Path) -> Option<PrivateKey> {
        let bytes = self.read_secret(key, path)?;
        let parsed = PrivateKey::parse(&bytes);
        let advice = "give an unencrypted private key in PEM form, EC on P-256 for the node";
        self.parsed(key, path, parsed, advice)
    }

    /// Opens a PKCS #12 file with the password of another file.
    pub(super) fn pkcs12(
        &mut self,
        key: &str,
        path: &Path,
        password_key: &str,
        password_path: &Path,
    ) -> Option<(PrivateKey, Certificate)> {
        let bytes = self.read_secret(key, path)?;
        let password = self.read_secret(password_key, password_path)?;
        let password = String::from_utf8_lossy(&password);
        let password = password.trim_end_matches(['\r', '\n']);
        let parsed = PrivateKey::from_pkcs12(&bytes, password);
        self.parsed(key, path, parsed, "check the password; the file must hold one private key")
    }

    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        key: &str,
        path: &Path,
        parsed: Result<T, E>,
        advice: &str,
    ) -> Option<T> {
        match parsed {
            Ok(value) => Some(value),
            Err(error) => {
                let what = format!("{}: {error}", self.resolve(path).display());
                self.error(key, what, advice);
                None
            }
        }
    }

    /// Notes a certificate that will be in use.
    pub(super) fn note(&mut self, used_for: Use, key: &str, path: &Path, found: &Certificate) {
        self.certificates.push(Dated::new(used_for, key, self.resolve(path), found));
    }

    /// Notes each certificate of a file of authorities, unless it has those of a whole system. What
    /// cannot be read is reported by the code that needs it.
    pub(super) fn note_all(&mut self, used_for: Use, key: &str, path: &Path, bytes: &[u8]) {
        let found = Certificate::parse_all(bytes).unwrap_or_default();
        if found.len() <= FEW {
            found.iter().for_each(|one| self.note(used_for, key, path, one));
        }
    }

    /// Reads a file with a certificate of ours, and notes it.
    pub(super) fn read_own(&mut self, used_for: Use, key: &str, path: &Path) -> Option<Vec<u8>> {
        let bytes = self.read(key, path)?;
        self.note_first(used_for, key, path, &bytes);
        Some(bytes)
    }

    /// Notes the first certificate of a file, which is ours; those behind it are its authorities'.
    pub(super) fn note_first(&mut self, used_for: Use, key: &str, path: &Path, bytes: &[u8]) {
        if let Ok(first) = Certificate::parse(bytes) {
            self.note(used_for, key, path, &first);
        }
    }

    /// Warns of a certificate from the operator that has ended or soon will.
    pub(super) fn check_dates(&mut self, key: &str, certificate: &Certificate) {
        self.check_dates_of(key, certificate, "ask the operator for a new one");
    }

    /// Warns of each certificate of a file that has ended or soon will. What cannot be read is
    /// reported by the code that needs it.
    pub(super) fn check_all_dates(&mut self, key: &str, bytes: &[u8], advice: &str) {
        for certificate in Certificate::parse_all(bytes).unwrap_or_default() {
            self.check_dates_of(key, &certificate, advice);
        }
    }

    fn check_dates_of(&mut self, key: &str, certificate: &Certificate, advice: &str) {
        let (subject, end) = (certificate.subject().to_owned(), certificate.not_after());
        if end <= self.now {
            let what = format!("certificate {subject} ended on {end}");
            self.warn(key, what, advice);
        } else if end <= later(self.now, SOON) {
            let what = format!("certificate {subject} ends on {end}, within 30 days");
            self.warn(key, what, advice);
        } else if certificate.not_before() > self.now {
            let what = format!("certificate {subject} begins only on {}", certificate.not_before());
            self.warn(key, what, "check the clock of this machine");
        }
    }

    /// Reads an address. Plain HTTP is for loopback only.
    pub(super) fn url(&mut self, key: &str, text: &str) -> Option<Url> {
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => url,
            Ok(_) => {
                self.error(key, "is not an address of a web server", "begin it with https://");
                return None;
            }
            Err(error) => {
                self.error(key, format!("is not an address: {error}"), "begin it with https://");
                return None;
            }
        };
        if url.scheme() == "http" && !is_loopback(&url) {
            self.error(
                key,
                "uses http:// to another machine, where everybody on the way can read and change it",
                "use https://; http:// is for this machine only",
            );
            return None;
        }
        Some(url)
    }

    /// Makes the settings of a TLS client.
    pub(super) fn client_tls(
        &mut self,
        roots_key: &str,
        system_roots: bool,
        extra: Option<(&str, &Path, Use)>,
        identity: Option<(&str, Identity<'_>)>,
    ) -> Option<rustls::ClientConfig> {
        let (mut roots, mut unread) = (RootCertStore::empty(), String::new());
        if system_roots {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
            unread = found.errors.iter().map(|error| format!("; {error}")).collect();
        }
        if let Some((key, path, used_for)) = extra {
            let bytes = self.read(key, path)?;
            self.note_all(used_for, key, path, &bytes);
            let chain = tls::read_chain(&bytes);
            // A bundle of all the authorities of the world has some that have ended.
            if chain.as_ref().is_ok_and(|chain| chain.len() <= FEW) {
                self.check_all_dates(key, &bytes, "get the present one of that authority");
            }
            let chain = chain.and_then(|chain| add(&mut roots, chain));
            self.parsed(key, path, chain, "give certificates of authorities in PEM form")?;
        } else if roots.is_empty() && system_roots {
            self.error(
                roots_key,
                format!(
                    "finds no root certificates here, so no TLS server could be verified{unread}"
                ),
                "name a file with the authorities, or install the package ca-certificates; in a \
                 container mount such a file at /etc/ssl/certs/ca-certificates.crt, or name it in \
                 SSL_CERT_FILE",
            );
        }
        let (key, identity) = match identity {
            Some((key, identity)) => {
                self.check_all_dates(key, identity.certificate, "get a new one from its authority");
                (key, Some(identity))
            }
            None => (roots_key, None),
        };
        match tls::client(roots, identity) {
            Ok(config) => Some(config),
            Err(error) => {
                self.error(key, error.to_string(), "check that key and certificate are a pair");
                None
            }
        }
    }
}

fn add(roots: &mut RootCertStore, chain: Vec<CertificateDer<'static>>) -> Result<(), tls::Error> {
    for certificate in chain {
        roots.add(certificate)?;
    }
    Ok(())
}

/// Tells whether an address is on this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
