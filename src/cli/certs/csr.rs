//! `brama certs csr`: a key, and a request for its certificate (PKCS #10, RFC 2986).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};
use rustls::pki_types::ServerName;

use super::material::{self, UNREADABLE, shown_path};
use crate::base::foreign::escaped;
use crate::base::private;
use crate::base::secret::Secret;
use crate::cli::output::{complain, fail, print};
use crate::xml::keys::{KeyKind, PrivateKey};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What the certificate is for.
    #[arg(value_enum)]
    purpose: Purpose,
    /// The name of the service as the operator of the node has registered it (`service.issuer`); for
    /// `tls` the host.
    #[arg(long, value_name = "NAME")]
    issuer: String,
    /// The organisation (O).
    #[arg(long, value_name = "NAME")]
    organisation: Option<String>,
    /// The unit (OU).
    #[arg(long, value_name = "NAME")]
    unit: Option<String>,
    /// The place (L).
    #[arg(long, value_name = "NAME")]
    locality: Option<String>,
    /// The country (C), two letters.
    #[arg(long, value_name = "CODE", default_value = "PL")]
    country: String,
    /// The folder in which the files are made, for their owner only: `NAME.key` and `NAME.csr`.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    out: PathBuf,
    /// File with a key that is there already, in place of a new one.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Purpose {
    /// Signs our messages to the node: CN `<issuer>_sig_ec`, digitalSignature.
    Signing,
    /// The node encrypts to it: CN `<issuer>_enc_ec`, keyAgreement.
    Encryption,
    /// TLS towards the node, or for citizens: CN and DNS name of a host.
    Tls,
}

pub(super) fn run(arguments: &Arguments) -> ExitCode {
    let Made { name, key, request } = match make(arguments) {
        Ok(made) => made,
        Err(why) => return fail(why),
    };
    let path = |ending: &str| arguments.out.join(format!("{}.{ending}", file_name(&name)));
    let (key_file, request_file) = (path("key"), path("csr"));
    // Both before either: a key without its request helps nobody, and what was sent to somebody stays.
    let wanted = [key.as_ref().map(|_| &key_file), Some(&request_file)];
    if let Some(taken) = wanted.into_iter().flatten().find(|file| file.symlink_metadata().is_ok()) {
        let shown = shown_path(taken);
        complain(format_args!(
            "brama: {shown} is there already, and stays: name another --out, or a key with --key"
        ));
        return ExitCode::from(UNREADABLE);
    }
    let written = private::make_folder(&arguments.out).and_then(|()| {
        let is_key_new =
            key.as_ref().map(|pem| private::write_new(&key_file, pem.expose().as_bytes()));
        Ok((is_key_new.transpose()?, private::write_new(&request_file, request.as_bytes())?))
    });
    match written {
        Ok((Some(false), _) | (_, false)) => fail("another process made one of the files just now"),
        Ok((is_key_new, true)) => {
            if is_key_new.is_some() {
                print(format_args!("{}: the private key, for you alone", shown_path(&key_file)));
            }
            print(format_args!(
                "{}: the request, for whoever issues it",
                shown_path(&request_file)
            ));
            ExitCode::SUCCESS
        }
        Err(error) => fail(format_args!("{}: {error}", shown_path(&arguments.out))),
    }
}

struct Made {
    name: String,
    /// The key in PEM, when it is new.
    key: Option<Secret<String>>,
    /// The request in PEM.
    request: String,
}

/// Returns the name of a file: an issuer may be an address.
fn file_name(name: &str) -> String {
    let plain = |letter: char| match letter {
        '.' | '-' | '_' => letter,
        letter if letter.is_alphanumeric() => letter,
        _ => '_',
    };
    let plain: String = name.chars().map(plain).collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => plain,
    }
}

fn make(arguments: &Arguments) -> Result<Made, String> {
    let Arguments { purpose, issuer, organisation, unit, locality, country, key, .. } = arguments;
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("--country: give two capital letters, such as PL".to_owned());
    }
    // RFC 5280, appendix A.1: how long names may be.
    let given =
        [(organisation, "organisation", 64), (unit, "unit", 64), (locality, "locality", 128)];
    for (value, option, most) in given {
        value.as_deref().map_or(Ok(()), |value| check(value, option, most))?;
    }
    let name = match purpose {
        Purpose::Signing => format!("{issuer}_sig_ec"),
        Purpose::Encryption => format!("{issuer}_enc_ec"),
        Purpose::Tls => issuer.clone(),
    };
    check(issuer, "issuer", 64)?;
    check(&name, "issuer", 64)?;
    if ["_sig_ec", "_enc_ec"].iter().any(|end| issuer.ends_with(end)) {
        return Err(
            "--issuer: give the name without _sig_ec and _enc_ec, which are added".to_owned()
        );
    }
    if *purpose == Purpose::Tls && !is_host(issuer) {
        return Err(format!(
            "--issuer: \"{issuer}\" is no name of a host; give it in the letters of DNS"
        ));
    }
    let (pair, pem) = match key {
        Some(path) => (given_pair(path, *purpose)?, None),
        None => {
            let key = PrivateKey::generate_p256();
            (pair(&key)?, Some(key.pem()))
        }
    };
    let names = if *purpose == Purpose::Tls { vec![issuer.clone()] } else { Vec::new() };
    let wrong = |error: rcgen::Error| format!("--issuer: {error}");
    let mut params = CertificateParams::new(names).map_err(wrong)?;
    params.distinguished_name = DistinguishedName::new();
    let parts = [
        (DnType::CountryName, Some(country)),
        (DnType::LocalityName, locality.as_ref()),
        (DnType::OrganizationName, organisation.as_ref()),
        (DnType::OrganizationalUnitName, unit.as_ref()),
        (DnType::CommonName, Some(&name)),
    ];
    for (kind, value) in parts {
        if let Some(value) = value {
            params.distinguished_name.push(kind, value.as_str());
        }
    }
    params.key_usages = vec![match purpose {
        Purpose::Signing | Purpose::Tls => KeyUsagePurpose::DigitalSignature,
        Purpose::Encryption => KeyUsagePurpose::KeyAgreement,
    }];
    let request = params.serialize_request(&pair).and_then(|request| request.pem());
    let request = request.map_err(|error| error.to_string())?.replace('\r', "");
    Ok(Made { name, key: pem, request })
}

/// Refuses what no name can be, or what nobody would see in it.
fn check(value: &str, option: &str, most: usize) -> Result<(), String> {
    let shown = escaped(value);
    let why = if value.trim().is_empty() {
        "is empty".to_owned()
    } else if value.trim() != value {
        format!("\"{shown}\" begins or ends with a space")
    } else if value.chars().count() > most {
        format!("\"{shown}\" has more than {most} letters")
    } else if shown != value {
        format!("\"{shown}\" has a letter that cannot be seen, or a quotation mark")
    } else {
        return Ok(());
    };
    Err(format!("--{option}: {why}"))
}

/// A name of DNS, one for all of a domain, or an address.
fn is_host(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    ServerName::try_from(name).is_ok() && !name.ends_with('.')
}

fn pair(key: &PrivateKey) -> Result<KeyPair, String> {
    KeyPair::try_from(key.pkcs8().expose().as_slice()).map_err(|error| error.to_string())
}

/// Reads the one key of a file.
fn given_pair(path: &Path, purpose: Purpose) -> Result<KeyPair, String> {
    let material = material::read(path, None).map_err(|error| error.to_string())?;
    let shown = shown_path(path);
    match material.keys.as_slice() {
        [key] if purpose != Purpose::Tls && key.kind() != KeyKind::P256 => {
            Err(format!("{shown}: the node takes keys on the curve P-256 alone"))
        }
        [key] => pair(key),
        [] => {
            let else_there = [material.unusable, material.others].concat().join(", ");
            Err(format!(
                "{shown}: there is no key in it that can be used; what there is: {else_there}"
            ))
        }
        keys => Err(format!("{shown}: there are {} keys in it, not one", keys.len())),
    }
}
