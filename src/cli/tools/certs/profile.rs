//! The profile of the node: what certificates of a service are called and are for, and requests for
//! them (PKCS #10, RFC 2986).

use clap::ValueEnum;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, KeyUsagePurpose};
use rustls::pki_types::ServerName;

use crate::base::foreign::escaped;
use crate::xml::keys::PrivateKey;

/// What a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli::tools) enum Purpose {
    /// Signs our messages to the node: CN `<issuer>_sig_ec`, digitalSignature.
    Signing,
    /// The node encrypts to it: CN `<issuer>_enc_ec`, keyAgreement.
    Encryption,
    /// TLS towards the node, or for citizens: CN and DNS name of a host.
    Tls,
}

impl Purpose {
    /// Returns the common name of the certificate of a service.
    pub(in crate::cli::tools) fn common_name(self, issuer: &str) -> String {
        match self {
            Self::Signing => format!("{issuer}{SIGNING}"),
            Self::Encryption => format!("{issuer}{ENCRYPTION}"),
            Self::Tls => issuer.to_owned(),
        }
    }

    fn usage(self) -> KeyUsagePurpose {
        match self {
            Self::Signing | Self::Tls => KeyUsagePurpose::DigitalSignature,
            Self::Encryption => KeyUsagePurpose::KeyAgreement,
        }
    }
}

/// What the common name of a certificate that signs ends in.
pub(in crate::cli::tools) const SIGNING: &str = "_sig_ec";
/// What the common name of a certificate that is encrypted to ends in.
pub(in crate::cli::tools) const ENCRYPTION: &str = "_enc_ec";

/// Whom a certificate is for.
#[derive(Debug, Clone, Default, clap::Args)]
pub(in crate::cli::tools) struct Holder {
    /// The organisation (O).
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli::tools) organisation: Option<String>,
    /// The unit (OU).
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli::tools) unit: Option<String>,
    /// The place (L).
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli::tools) locality: Option<String>,
    /// The country (C), two letters.
    #[arg(long, value_name = "CODE", default_value = "PL")]
    pub(in crate::cli::tools) country: String,
}

/// Makes a request for the certificate of a key, in PEM.
///
/// # Errors
/// What is wrong with a name, by the option that it was given with.
pub(in crate::cli::tools) fn request(
    purpose: Purpose,
    issuer: &str,
    holder: &Holder,
    key: &PrivateKey,
) -> Result<String, String> {
    check_names(purpose, issuer, holder)?;
    let name = purpose.common_name(issuer);
    let Holder { organisation, unit, locality, country } = holder;
    let parts = [
        (DnType::CountryName, Some(country)),
        (DnType::LocalityName, locality.as_ref()),
        (DnType::OrganizationName, organisation.as_ref()),
        (DnType::OrganizationalUnitName, unit.as_ref()),
        (DnType::CommonName, Some(&name)),
    ];
    let mut subject = DistinguishedName::new();
    for (kind, value) in parts {
        if let Some(value) = value {
            subject.push(kind, value.as_str());
        }
    }
    let names = if purpose == Purpose::Tls { vec![issuer.to_owned()] } else { Vec::new() };
    request_for(subject, names, purpose.usage(), key)
}

/// Makes a request with this subject and these names of hosts, in PEM.
///
/// # Errors
/// When one of them cannot stand in a request.
pub(in crate::cli::tools) fn request_for(
    subject: DistinguishedName,
    names: Vec<String>,
    usage: KeyUsagePurpose,
    key: &PrivateKey,
) -> Result<String, String> {
    let pair = KeyPair::try_from(key.pkcs8().expose().as_slice());
    let pair = pair.map_err(|error| error.to_string())?;
    let mut params = CertificateParams::new(names).map_err(|error| format!("--issuer: {error}"))?;
    params.distinguished_name = subject;
    params.key_usages = vec![usage];
    let request = params.serialize_request(&pair).and_then(|request| request.pem());
    Ok(request.map_err(|error| error.to_string())?.replace('\r', ""))
}

/// Refuses names that no certificate can have.
///
/// # Errors
/// What is wrong, by the option that the name was given with.
pub(in crate::cli::tools) fn check_names(
    purpose: Purpose,
    issuer: &str,
    holder: &Holder,
) -> Result<(), String> {
    let Holder { organisation, unit, locality, country } = holder;
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("--country: give two capital letters, such as PL".to_owned());
    }
    // RFC 5280, appendix A.1: how long names may be.
    let given =
        [(organisation, "organisation", 64), (unit, "unit", 64), (locality, "locality", 128)];
    for (value, option, most) in given {
        value.as_deref().map_or(Ok(()), |value| check(value, option, most))?;
    }
    check(issuer, "issuer", 64)?;
    check(&purpose.common_name(issuer), "issuer", 64)?;
    if [SIGNING, ENCRYPTION].iter().any(|end| issuer.ends_with(end)) {
        return Err(
            "--issuer: give the name without _sig_ec and _enc_ec, which are added".to_owned()
        );
    }
    if purpose == Purpose::Tls && !is_host(issuer) {
        return Err(format!(
            "--issuer: \"{issuer}\" is no name of a host; give it in the letters of DNS"
        ));
    }
    Ok(())
}

/// Refuses what no name can be, or what nobody would see in it.
///
/// # Errors
/// What is wrong, by the option that the name was given with.
pub(in crate::cli::tools) fn check(value: &str, option: &str, most: usize) -> Result<(), String> {
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

/// Returns the name of a file: an issuer may be an address.
pub(in crate::cli::tools) fn file_name(name: &str) -> String {
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
