//! `brama certs inspect`: what is in files, and what fits what.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rcgen::{KeyPair, PublicKeyData};
use serde::Serialize;
use x509_parser::error::X509Error;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::facts::{self, Facts, days, public_key};
use super::material::{self, Material, UNREADABLE, password, shown_path};
use crate::base::clock::{Clock, SystemClock, Time};
use crate::base::encoding::{hex_lower, sha256};
use crate::base::foreign::{Foreign, escaped_json};
use crate::cli::output::{complain, environment, print};
use crate::config;
use crate::xml::keys::{KeyKind, PrivateKey};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File with the password of those that are PKCS #12, and of private keys that have one. There is
    /// none on the command line, where every process could read it.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Configuration of which is said what in it uses them.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One JSON object in place of lines for people.
    #[arg(long)]
    json: bool,
}

/// A certificate that was found.
#[derive(Debug, Serialize)]
struct Certificate {
    file: String,
    #[serde(flatten)]
    facts: Facts,
    days_left: i64,
    /// The file of its private key, when that is here.
    key_file: Option<String>,
    /// The file of the certificate that signed it, when that is here.
    signed_by_file: Option<String>,
    signature: Signature,
    /// Keys of the configuration that name it, or its key.
    used_by: Vec<String>,
    #[serde(skip)]
    der: Vec<u8>,
}

/// What is known of the signature of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Signature {
    /// By its own key, which is verified.
    Itself,
    /// By a certificate that is here, which is verified.
    Verified,
    /// By name that of one that is here; the algorithm is one that is not known here.
    Unchecked,
    /// Who signed it is not here.
    NotHere,
}

/// A private key that was found.
#[derive(Debug, Serialize)]
struct Key {
    file: String,
    key: &'static str,
    /// The SHA-256 of the public key (SubjectPublicKeyInfo).
    key_fingerprint: String,
    /// Whether a certificate of it is here.
    has_certificate: bool,
    used_by: Vec<String>,
    #[serde(skip)]
    public: Vec<u8>,
}

/// Something else in a file.
#[derive(Debug, Serialize)]
struct Other {
    file: String,
    what: String,
}

/// All that was found.
#[derive(Debug, Default, Serialize)]
struct Found {
    certificates: Vec<Certificate>,
    keys: Vec<Key>,
    others: Vec<Other>,
    /// The form of each file.
    forms: Vec<Other>,
    problems: Vec<String>,
    /// Files that cannot be read, and why.
    unreadable: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let found = match look(arguments, SystemClock.now()) {
        Ok(found) => found,
        Err(why) => {
            complain(format_args!("brama: {why}"));
            return ExitCode::from(UNREADABLE);
        }
    };
    match arguments.json {
        true => print(escaped_json(&serde_json::json!(found).to_string())),
        false => tell(&found),
    }
    for why in &found.unreadable {
        complain(format_args!("brama: {why}"));
    }
    match (found.unreadable.is_empty(), found.problems.is_empty()) {
        (false, _) => ExitCode::from(UNREADABLE),
        (true, false) => ExitCode::FAILURE,
        (true, true) => ExitCode::SUCCESS,
    }
}

fn look(arguments: &Arguments, now: Time) -> Result<Found, String> {
    let password = arguments.password_file.as_deref().map(password).transpose()?;
    let mut found = Found::default();
    let mut files = arguments.files.clone();
    files.dedup();
    for file in &files {
        let shown = shown_path(file);
        match material::read(file, password.as_slice()) {
            Ok(material) => found.take_in(&shown, material, now),
            Err(error) => found.unreadable.push(error.to_string()),
        }
    }
    found.put_together();
    if let Some(config) = &arguments.config {
        found.note_uses(config)?;
    }
    found.judge(now);
    Ok(found)
}

impl Found {
    fn take_in(&mut self, file: &str, material: Material, now: Time) {
        let Material { certificates, keys, unusable, others, form } = material;
        let other = |what: String| Other { file: file.to_owned(), what };
        self.forms.push(other(form.to_owned()));
        self.others.extend(others.into_iter().map(other));
        for why in unusable {
            self.problems.push(format!("{file}: a private key in it cannot be used: {why}"));
        }
        for der in certificates {
            let facts = match facts::read(&der) {
                Ok(facts) => facts,
                Err(why) => {
                    self.unreadable.push(format!("{file}: {why}"));
                    continue;
                }
            };
            self.certificates.push(Certificate {
                file: file.to_owned(),
                days_left: days(now, facts.not_after),
                facts,
                key_file: None,
                signed_by_file: None,
                signature: Signature::NotHere,
                used_by: Vec::new(),
                der,
            });
        }
        self.keys.extend(keys.iter().map(|key| Key::new(file, key)));
    }

    /// Finds the key of each certificate, and who signed it.
    fn put_together(&mut self) {
        for key in &mut self.keys {
            for certificate in &mut self.certificates {
                if public_key(&certificate.der).as_deref() == Some(&*key.public) {
                    certificate.key_file = Some(key.file.clone());
                    key.has_certificate = true;
                }
            }
        }
        let signers = signers(&self.certificates);
        let files: Vec<_> = self.certificates.iter().map(|one| one.file.clone()).collect();
        for (certificate, (signature, signer)) in self.certificates.iter_mut().zip(signers) {
            certificate.signature = signature;
            certificate.signed_by_file = signer.map(|number| files[number].clone());
        }
    }

    /// Finds what in a configuration names these, be it by another file.
    fn note_uses(&mut self, config: &Path) -> Result<(), String> {
        let loaded = config::load(config, environment()).map_err(|error| error.to_string())?;
        let tree = toml::Value::try_from(&loaded.file).map_err(|error| error.to_string())?;
        let mut named = Vec::new();
        visit(&tree, String::new(), &mut |key, text, password_file| {
            let path = loaded.resolve(Path::new(text));
            if !path.is_file() {
                return;
            }
            let password = password_file.map(|file| password(&loaded.resolve(Path::new(file))));
            match material::read(&path, password.and_then(Result::ok).as_slice()) {
                Ok(material) => named.push((key.to_owned(), material)),
                // Other files than those of certificates and keys are none of ours.
                Err(error) if password_file.is_some() => {
                    self.problems.push(format!("{key}: {error}"));
                }
                Err(_) => {}
            }
        });
        let has_key = |material: &Material, public: Option<&[u8]>| {
            material.keys.iter().any(|key| Some(key.public_key()) == public)
        };
        for certificate in &mut self.certificates {
            let public = public_key(&certificate.der);
            for (key, material) in &named {
                if material.certificates.contains(&certificate.der) {
                    certificate.used_by.push(key.clone());
                } else if has_key(material, public.as_deref()) {
                    certificate.used_by.push(format!("{key} (its private key)"));
                }
            }
        }
        for one in &mut self.keys {
            let uses = named.iter().filter(|(_, material)| has_key(material, Some(&*one.public)));
            one.used_by.extend(uses.map(|(key, _)| key.clone()));
        }
        Ok(())
    }

    fn judge(&mut self, now: Time) {
        for Certificate { file, facts, .. } in &self.certificates {
            let name = Foreign::new(&facts.subject);
            if facts.not_after <= now {
                self.problems.push(format!("{file}: {name} ended on {}", facts.not_after));
            } else if facts.not_before > now {
                let what = format!("{file}: {name} is valid only from {}", facts.not_before);
                self.problems.push(what);
            }
        }
        for key in self.keys.iter().filter(|key| !key.has_certificate) {
            if !self.certificates.is_empty() {
                let what = "the private key fits none of these certificates";
                self.problems.push(format!("{}: {what}", key.file));
            }
        }
    }
}

impl Key {
    fn new(file: &str, key: &PrivateKey) -> Self {
        let pair = KeyPair::try_from(key.pkcs8().expose().as_slice()).ok();
        let spki = pair.map(|pair| hex_lower(&sha256(&pair.subject_public_key_info())));
        Self {
            file: file.to_owned(),
            key: match key.kind() {
                KeyKind::P256 => "EC P-256",
                KeyKind::P384 => "EC P-384",
                KeyKind::Rsa => "RSA",
            },
            key_fingerprint: spki.unwrap_or_default(),
            has_certificate: false,
            used_by: Vec::new(),
            public: key.public_key().to_vec(),
        }
    }
}

/// Finds for each certificate who signed it among all of them.
fn signers(all: &[Certificate]) -> Vec<(Signature, Option<usize>)> {
    let parsed: Vec<_> =
        all.iter().filter_map(|one| Some(X509Certificate::from_der(&one.der).ok()?.1)).collect();
    let mut by_name: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (number, one) in parsed.iter().enumerate() {
        by_name.entry(one.subject().as_raw()).or_default().push(number);
    }
    let signer = |(number, one): (usize, &X509Certificate<'_>)| {
        let named = by_name.get(one.issuer().as_raw()).map(Vec::as_slice).unwrap_or_default();
        let mut unchecked = None;
        for candidate in named {
            match one.verify_signature(Some(parsed[*candidate].public_key())) {
                Ok(()) if *candidate == number => return (Signature::Itself, Some(number)),
                Ok(()) => return (Signature::Verified, Some(*candidate)),
                Err(X509Error::SignatureUnsupportedAlgorithm) => unchecked = Some(*candidate),
                Err(_) => {}
            }
        }
        match unchecked {
            Some(candidate) => (Signature::Unchecked, Some(candidate)),
            None => (Signature::NotHere, None),
        }
    };
    parsed.iter().enumerate().map(signer).collect()
}

/// Visits every text of a tree, with the key that it stands under, and the file of the password that
/// belongs to it.
fn visit(tree: &toml::Value, key: String, to: &mut impl FnMut(&str, &str, Option<&str>)) {
    match tree {
        toml::Value::String(text) => to(&key, text, None),
        toml::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                visit(item, format!("{key}[{number}]"), to);
            }
        }
        toml::Value::Table(table) => {
            for (name, item) in table {
                let dot = if key.is_empty() { "" } else { "." };
                let path = format!("{key}{dot}{name}");
                let beside = match name.as_str() {
                    "file" => "password_file".to_owned(),
                    name => format!("{name}_password_file"),
                };
                let password = table.get(&beside).and_then(toml::Value::as_str);
                match item.as_str() {
                    Some(text) => to(&path, text, password),
                    None => visit(item, path, to),
                }
            }
        }
        _ => {}
    }
}

fn tell(found: &Found) {
    for Other { file, what } in &found.forms {
        print(format_args!("{file} ({what})"));
        for certificate in found.certificates.iter().filter(|one| one.file == *file) {
            tell_certificate(certificate);
        }
        for key in found.keys.iter().filter(|one| one.file == *file) {
            let fits = if key.has_certificate { ", of a certificate here" } else { "" };
            print(format_args!("  private key {}{fits}", key.key));
            print(format_args!("    public key    {}", key.key_fingerprint));
            if !key.used_by.is_empty() {
                print(format_args!("    used by       {}", key.used_by.join(", ")));
            }
        }
        for Other { what, .. } in found.others.iter().filter(|other| other.file == *file) {
            print(format_args!("  {what}"));
        }
    }
    for problem in &found.problems {
        print(format_args!("problem: {problem}"));
    }
}

fn tell_certificate(certificate: &Certificate) {
    let Certificate { facts, days_left, key_file, signed_by_file, used_by, .. } = certificate;
    let kind = if facts.is_authority { "authority" } else { "certificate" };
    print(format_args!("  {kind} {}", Foreign::new(&facts.subject)));
    let line = |what: &str, value: &str| print(format_args!("    {what:<13} {value}"));
    let list = |all: &[String]| match all {
        [] => "none".to_owned(),
        all => Foreign::new(&all.join(", ")).to_string(),
    };
    line("key", &facts.key);
    line("usages", &list(&facts.usages));
    if !facts.purposes.is_empty() {
        line("purposes", &list(&facts.purposes));
    }
    if !facts.names.is_empty() {
        line("names", &list(&facts.names));
    }
    let left = match days_left {
        ..0 => "it has ended".to_owned(),
        left => format!("{left} days left"),
    };
    line("valid", &format!("{} to {}, {left}", facts.not_before, facts.not_after));
    let issuer = Foreign::new(&facts.issuer);
    let signer = match (certificate.signature, signed_by_file) {
        (Signature::Itself, _) => "itself".to_owned(),
        (Signature::Verified, Some(file)) => format!("{issuer} ({file})"),
        (Signature::Unchecked, Some(file)) => {
            format!("{issuer} ({file}, by its name: the signature cannot be checked here)")
        }
        _ => format!("{issuer} (not here)"),
    };
    line("issued by", &signer);
    line("signed with", &facts.signed_with);
    line("private key", key_file.as_deref().unwrap_or("not here"));
    line("public key", &facts.key_fingerprint);
    line("serial", &facts.serial);
    line("SHA-256", &facts.fingerprint);
    if !used_by.is_empty() {
        line("used by", &used_by.join(", "));
    }
}
