//! `brama certs csr`: a key, and a request for its certificate (PKCS #10, RFC 2986).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};

use super::material::{self, UNREADABLE};
use crate::base::private;
use crate::cli::output::{complain, fail, print};
use crate::xml::keys::PrivateKey;

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
    /// The folder in which the files are made: `NAME.key` for its owner only, and `NAME.csr`.
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
    let made = match make(arguments) {
        Ok(made) => made,
        Err(why) => return fail(why),
    };
    let Made { name, key, request } = made;
    let path = |ending: &str| arguments.out.join(format!("{name}.{ending}"));
    if let Err(error) = private::make_folder(&arguments.out) {
        return fail(format_args!("{}: {error}", arguments.out.display()));
    }
    if let Some(pem) = key {
        let file = path("key");
        match private::write_new(&file, pem.as_bytes()) {
            Ok(true) => print(format_args!("{}: the private key, for you alone", file.display())),
            Ok(false) => {
                complain(format_args!(
                    "brama: {} is there already, and stays: name it with --key, or another --out",
                    file.display()
                ));
                return ExitCode::from(UNREADABLE);
            }
            Err(error) => return fail(format_args!("{}: {error}", file.display())),
        }
    }
    let file = path("csr");
    match private::write_with_mode(&file, request.as_bytes(), 0o644) {
        Ok(()) => {
            print(format_args!("{}: the request, for whoever issues it", file.display()));
            ExitCode::SUCCESS
        }
        Err(error) => fail(format_args!("{}: {error}", file.display())),
    }
}

struct Made {
    name: String,
    /// The key in PEM, when it is new.
    key: Option<String>,
    /// The request in PEM.
    request: String,
}

fn make(arguments: &Arguments) -> Result<Made, String> {
    let Arguments { purpose, issuer, organisation, unit, locality, country, key, .. } = arguments;
    if issuer.is_empty() || issuer.contains(['/', '\\']) || issuer.chars().any(char::is_control) {
        return Err("--issuer: give the name of the service, or the host".to_owned());
    }
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("--country: give two capital letters, such as PL".to_owned());
    }
    let name = match purpose {
        Purpose::Signing => format!("{issuer}_sig_ec"),
        Purpose::Encryption => format!("{issuer}_enc_ec"),
        Purpose::Tls => issuer.clone(),
    };
    // X.520: a common name has at most 64 letters (ub-common-name, RFC 5280 appendix A.1).
    if name.chars().count() > 64 {
        return Err(format!("--issuer: {name} has more than the 64 letters of a common name"));
    }
    let (pair, pem) = match key {
        Some(path) => (given(path)?, None),
        None => {
            let key = PrivateKey::generate_p256();
            let pem = key.pem();
            (pair(&key)?, Some(pem.expose().clone()))
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

fn pair(key: &PrivateKey) -> Result<KeyPair, String> {
    KeyPair::try_from(key.pkcs8().expose().as_slice()).map_err(|error| error.to_string())
}

/// Reads the one key of a file.
fn given(path: &Path) -> Result<KeyPair, String> {
    let material = material::read(path, None).map_err(|error| error.to_string())?;
    match material.keys.as_slice() {
        [key] => pair(key),
        keys => Err(format!("{}: there are {} keys in it, not one", path.display(), keys.len())),
    }
}
