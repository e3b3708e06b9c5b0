//! `brama certs inspect`: what is in files, and what fits what.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::facts::{self, Facts, days};
use super::material::{self, Material, UNREADABLE, password};
use crate::base::clock::{Clock, SystemClock, Time};
use crate::base::encoding::{hex_lower, sha256};
use crate::cli::output::{complain, environment, print};
use crate::config;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// File with the password of those that are PKCS #12. There is none on the command line, where
    /// every process could read it.
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
    file: PathBuf,
    #[serde(flatten)]
    facts: Facts,
    days_left: i64,
    /// The file of its private key, when that is here.
    key: Option<PathBuf>,
    /// The file of the certificate that signed it, when that is here; itself, when it signed itself.
    signed_by: Option<PathBuf>,
    is_self_signed: bool,
    /// Keys of the configuration that name it, or its key.
    used_by: Vec<String>,
    #[serde(skip)]
    der: Vec<u8>,
}

/// A private key that was found.
#[derive(Debug, Serialize)]
struct Key {
    file: PathBuf,
    kind: String,
    /// Whether a certificate of it is here.
    has_certificate: bool,
    #[serde(skip)]
    public: Vec<u8>,
}

/// All that was found.
#[derive(Debug, Default, Serialize)]
struct Found {
    certificates: Vec<Certificate>,
    keys: Vec<Key>,
    /// What else there is, with its file.
    others: Vec<(PathBuf, String)>,
    forms: Vec<(PathBuf, &'static str)>,
    problems: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    match look(arguments, SystemClock.now()) {
        Ok(found) => {
            if arguments.json {
                print(serde_json::json!(found));
            } else {
                tell(&found);
            }
            if found.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            complain(format_args!("brama: {why}"));
            ExitCode::from(UNREADABLE)
        }
    }
}

fn look(arguments: &Arguments, now: Time) -> Result<Found, String> {
    let password = arguments.password_file.as_deref().map(password).transpose()?;
    let mut found = Found::default();
    for file in &arguments.files {
        let material =
            material::read(file, password.as_ref()).map_err(|error| error.to_string())?;
        found.take_in(file, material, now)?;
    }
    found.put_together();
    if let Some(config) = &arguments.config {
        found.note_uses(config)?;
    }
    found.judge();
    Ok(found)
}

impl Found {
    fn take_in(&mut self, file: &Path, material: Material, now: Time) -> Result<(), String> {
        let Material { certificates, keys, others, form } = material;
        self.forms.push((file.to_owned(), form));
        self.others.extend(others.into_iter().map(|what| (file.to_owned(), what)));
        for der in certificates {
            let facts = facts::read(&der).map_err(|why| format!("{}: {why}", file.display()))?;
            let days_left = days(now, facts.not_after);
            self.certificates.push(Certificate {
                file: file.to_owned(),
                facts,
                days_left,
                key: None,
                signed_by: None,
                is_self_signed: false,
                used_by: Vec::new(),
                der,
            });
        }
        for key in keys {
            let (kind, public) = (format!("{:?}", key.kind()), key.public_key().to_vec());
            let file = file.to_owned();
            self.keys.push(Key { file, kind, has_certificate: false, public });
        }
        Ok(())
    }

    /// Finds the key of each certificate, and who signed it.
    fn put_together(&mut self) {
        for key in &mut self.keys {
            for certificate in &mut self.certificates {
                if public_key(&certificate.der).as_deref() == Some(&*key.public) {
                    certificate.key = Some(key.file.clone());
                    key.has_certificate = true;
                }
            }
        }
        let all: Vec<_> =
            self.certificates.iter().map(|one| (one.file.clone(), one.der.clone())).collect();
        for certificate in &mut self.certificates {
            let is_signed_by = |issuer: &[u8]| signed_by(&certificate.der, issuer);
            certificate.is_self_signed = is_signed_by(&certificate.der);
            let issuer = all.iter().find(|(_, der)| is_signed_by(der));
            certificate.signed_by = issuer.map(|(file, _)| file.clone());
        }
    }

    /// Finds what in a configuration names these, be it by another file.
    fn note_uses(&mut self, config: &Path) -> Result<(), String> {
        let loaded = config::load(config, environment()).map_err(|error| error.to_string())?;
        let tree = toml::Value::try_from(&loaded.file).map_err(|error| error.to_string())?;
        let mut named = Vec::new();
        visit(&tree, String::new(), &mut |key, text| {
            let path = loaded.resolve(Path::new(text));
            if path.is_file()
                && let Ok(material) = material::read(&path, None)
            {
                named.push((key.to_owned(), material));
            }
        });
        for certificate in &mut self.certificates {
            let public = public_key(&certificate.der);
            for (key, material) in &named {
                let has_key = |one: &crate::xml::keys::PrivateKey| {
                    Some(one.public_key()) == public.as_deref()
                };
                if material.certificates.contains(&certificate.der) {
                    certificate.used_by.push(key.clone());
                } else if material.keys.iter().any(has_key) {
                    certificate.used_by.push(format!("{key} (its private key)"));
                }
            }
        }
        Ok(())
    }

    fn judge(&mut self) {
        for certificate in &self.certificates {
            let Certificate { file, facts, days_left, .. } = certificate;
            let (shown, name) = (file.display(), &facts.subject);
            if *days_left < 0 {
                self.problems.push(format!("{shown}: {name} ended on {}", facts.not_after));
            }
        }
        for key in self.keys.iter().filter(|key| !key.has_certificate) {
            if !self.certificates.is_empty() {
                let what = "the private key fits none of these certificates";
                self.problems.push(format!("{}: {what}", key.file.display()));
            }
        }
    }
}

/// Visits every text of a tree, with the key that it stands under.
fn visit(tree: &toml::Value, key: String, to: &mut impl FnMut(&str, &str)) {
    match tree {
        toml::Value::String(text) => to(&key, text),
        toml::Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                visit(item, format!("{key}[{number}]"), to);
            }
        }
        toml::Value::Table(table) => {
            for (name, item) in table {
                let dot = if key.is_empty() { "" } else { "." };
                visit(item, format!("{key}{dot}{name}"), to);
            }
        }
        _ => {}
    }
}

/// Returns the bits of the public key of a certificate in DER.
fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().subject_public_key.data.to_vec())
}

/// Tells whether the key of a certificate signed another one, or the same.
fn signed_by(der: &[u8], issuer: &[u8]) -> bool {
    let (Ok((_, one)), Ok((_, issuer))) =
        (X509Certificate::from_der(der), X509Certificate::from_der(issuer))
    else {
        return false;
    };
    one.issuer() == issuer.subject() && one.verify_signature(Some(issuer.public_key())).is_ok()
}

fn tell(found: &Found) {
    for (file, form) in &found.forms {
        print(format_args!("{} ({form})", file.display()));
        for certificate in found.certificates.iter().filter(|one| one.file == *file) {
            tell_certificate(certificate);
        }
        for Key { kind, has_certificate, public, .. } in
            found.keys.iter().filter(|one| one.file == *file)
        {
            let fits = if *has_certificate { "of a certificate here" } else { "of none of these" };
            print(format_args!("  private key {kind}, {fits}"));
            print(format_args!("    public key    {}", hex_lower(&sha256(public))));
        }
        for (_, what) in found.others.iter().filter(|(other, _)| other == file) {
            print(format_args!("  {what}"));
        }
    }
    for problem in &found.problems {
        print(format_args!("problem: {problem}"));
    }
}

fn tell_certificate(certificate: &Certificate) {
    let Certificate { facts, days_left, key, signed_by, is_self_signed, used_by, .. } = certificate;
    let kind = if facts.is_authority { "authority" } else { "certificate" };
    print(format_args!("  {kind} {}", facts.subject));
    let line = |what: &str, value: &str| print(format_args!("    {what:<13} {value}"));
    let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let shown = |file: &Option<PathBuf>| file.as_ref().map(|file| file.display().to_string());
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
    let signer = match (is_self_signed, shown(signed_by)) {
        (true, _) => "itself".to_owned(),
        (false, Some(file)) => format!("{} ({file})", facts.issuer),
        (false, None) => format!("{} (not here)", facts.issuer),
    };
    line("issued by", &signer);
    line("signed with", &facts.signed_with);
    line("private key", &shown(key).unwrap_or_else(|| "not here".to_owned()));
    line("serial", &facts.serial);
    line("SHA-256", &facts.fingerprint);
    if !used_by.is_empty() {
        line("used by", &used_by.join(", "));
    }
}
