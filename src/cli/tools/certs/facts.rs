//! What a certificate says of itself (RFC 5280), in words that are compared. They are foreign: whoever
//! shows them bounds and escapes them.

use serde::Serialize;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::AttributeTypeAndValue;

use crate::base::clock::{Time, at_second};
use crate::base::encoding::{hex_lower, sha256};

/// The facts of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli::tools) struct Facts {
    pub(in crate::cli::tools) subject: String,
    pub(in crate::cli::tools) issuer: String,
    /// In hexadecimal digits.
    pub(in crate::cli::tools) serial: String,
    pub(in crate::cli::tools) not_before: Time,
    pub(in crate::cli::tools) not_after: Time,
    /// The kind of key, such as `EC P-256`.
    pub(in crate::cli::tools) key: String,
    /// The algorithm by which the issuer signed.
    pub(in crate::cli::tools) signed_with: String,
    /// Key usages, as RFC 5280 4.2.1.3 names them.
    pub(in crate::cli::tools) usages: Vec<String>,
    /// Extended key usages.
    pub(in crate::cli::tools) purposes: Vec<String>,
    /// Names of DNS, addresses, mail.
    pub(in crate::cli::tools) names: Vec<String>,
    pub(in crate::cli::tools) is_authority: bool,
    /// Where lists of what is revoked are.
    pub(in crate::cli::tools) revocation: Vec<String>,
    /// The SHA-256 of the certificate in DER, in hexadecimal digits.
    pub(in crate::cli::tools) fingerprint: String,
    /// The SHA-256 of the public key (SubjectPublicKeyInfo).
    pub(in crate::cli::tools) key_fingerprint: String,
    /// Every common name; one that is no text as its bytes in hexadecimal digits.
    #[serde(skip)]
    pub(in crate::cli::tools) common_names: Vec<String>,
}

/// Reads the facts of a certificate in DER.
pub(in crate::cli::tools) fn read(der: &[u8]) -> Result<Facts, String> {
    let (rest, certificate) =
        X509Certificate::from_der(der).map_err(|error| format!("no certificate: {error}"))?;
    if !rest.is_empty() {
        return Err("no certificate: there are bytes behind its end".to_owned());
    }
    let time = |time: x509_parser::time::ASN1Time| at_second(time.timestamp());
    let mut facts = Facts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        serial: hex_lower(certificate.raw_serial()),
        not_before: time(certificate.validity().not_before),
        not_after: time(certificate.validity().not_after),
        key: key(&certificate),
        signed_with: algorithm(&certificate.signature_algorithm.algorithm.to_id_string()),
        usages: Vec::new(),
        purposes: Vec::new(),
        names: Vec::new(),
        is_authority: false,
        revocation: Vec::new(),
        fingerprint: hex_lower(&sha256(der)),
        key_fingerprint: hex_lower(&sha256(certificate.public_key().raw)),
        common_names: common_names(&certificate),
    };
    for extension in certificate.extensions() {
        facts.take_in(extension.parsed_extension());
    }
    Ok(facts)
}

impl Facts {
    fn take_in(&mut self, extension: &ParsedExtension<'_>) {
        match extension {
            ParsedExtension::KeyUsage(usage) => {
                let known = [
                    (usage.digital_signature(), "digitalSignature"),
                    (usage.non_repudiation(), "nonRepudiation"),
                    (usage.key_encipherment(), "keyEncipherment"),
                    (usage.data_encipherment(), "dataEncipherment"),
                    (usage.key_agreement(), "keyAgreement"),
                    (usage.key_cert_sign(), "keyCertSign"),
                    (usage.crl_sign(), "cRLSign"),
                    (usage.encipher_only(), "encipherOnly"),
                    (usage.decipher_only(), "decipherOnly"),
                ];
                self.usages = named(&known);
            }
            ParsedExtension::ExtendedKeyUsage(usage) => {
                let known = [
                    (usage.any, "anyExtendedKeyUsage"),
                    (usage.server_auth, "serverAuth"),
                    (usage.client_auth, "clientAuth"),
                    (usage.code_signing, "codeSigning"),
                    (usage.email_protection, "emailProtection"),
                    (usage.time_stamping, "timeStamping"),
                    (usage.ocsp_signing, "OCSPSigning"),
                ];
                self.purposes = named(&known);
                self.purposes.extend(usage.other.iter().map(|one| one.to_id_string()));
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                self.names = names.general_names.iter().map(general_name).collect();
            }
            ParsedExtension::BasicConstraints(constraints) => self.is_authority = constraints.ca,
            ParsedExtension::CRLDistributionPoints(points) => {
                let names = points.iter().filter_map(|point| match &point.distribution_point {
                    Some(x509_parser::extensions::DistributionPointName::FullName(names)) => {
                        Some(names.iter().map(general_name))
                    }
                    _ => None,
                });
                self.revocation = names.flatten().collect();
            }
            _ => {}
        }
    }
}

/// Returns the bits of the public key of a certificate in DER.
pub(in crate::cli::tools) fn public_key(der: &[u8]) -> Option<Vec<u8>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(certificate.public_key().subject_public_key.data.to_vec())
}

/// Returns the whole days between two times; less than none when the second is the earlier one.
pub(in crate::cli::tools) fn days(from: Time, until: Time) -> i64 {
    (until.as_second() - from.as_second()).div_euclid(24 * 3600)
}

/// Returns the names of what is there.
fn named(known: &[(bool, &str)]) -> Vec<String> {
    known.iter().filter(|(is, _)| *is).map(|(_, name)| (*name).to_owned()).collect()
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::RFC822Name(name) => format!("mail:{name}"),
        GeneralName::URI(uri) => (*uri).to_owned(),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(bytes) => format!("IP:{}", std::net::Ipv4Addr::from(bytes)),
            Err(_) => match <[u8; 16]>::try_from(*bytes) {
                Ok(bytes) => format!("IP:{}", std::net::Ipv6Addr::from(bytes)),
                Err(_) => "an address that is none".to_owned(),
            },
        },
        GeneralName::DirectoryName(name) => name.to_string(),
        _ => "a name of another kind".to_owned(),
    }
}

fn common_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject().iter_common_name();
    let text = |name: &AttributeTypeAndValue<'_>| match name.as_str() {
        Ok(text) => text.to_owned(),
        Err(_) => format!("#{}", hex_lower(name.as_slice())),
    };
    names.map(text).collect()
}

fn key(certificate: &X509Certificate<'_>) -> String {
    let info = certificate.public_key();
    let curve = info.algorithm.parameters.as_ref().and_then(|curve| curve.as_oid().ok());
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => format!("RSA {}", key.key_size()),
        Ok(PublicKey::EC(_)) => {
            let curve = curve.map(|oid| oid.to_id_string());
            let curve = curve.unwrap_or_else(|| "with parameters of its own".to_owned());
            let name = CURVES.iter().find(|(oid, _)| *oid == curve).map(|(_, name)| *name);
            format!("EC {}", name.unwrap_or(&curve))
        }
        _ => algorithm(&info.algorithm.algorithm.to_id_string()),
    }
}

/// RFC 5480, 2.1.1.1, and RFC 5639.
const CURVES: [(&str, &str); 5] = [
    ("1.2.840.10045.3.1.7", "P-256"),
    ("1.3.132.0.34", "P-384"),
    ("1.3.132.0.35", "P-521"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
];

fn algorithm(oid: &str) -> String {
    let named = match oid {
        "1.2.840.10045.4.3.2" => "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3" => "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4" => "ecdsa-with-SHA512",
        "1.2.840.113549.1.1.5" => "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12" => "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13" => "sha512WithRSAEncryption",
        "1.3.101.112" => "Ed25519",
        other => other,
    };
    named.to_owned()
}
