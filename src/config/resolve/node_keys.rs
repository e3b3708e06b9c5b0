//! Keys and certificates on the way to the node: ours, and those that it is known by.

use std::path::Path;

use super::context::Context;
use super::purpose::{self, Purpose, Use};
use crate::app::inventory;
use crate::base::files;
use crate::config::file::ExpiredCertificate;
use crate::server::tls::Identity;
use crate::xml::keys::{Certificate, DecryptionKey, PrivateKey, pem};
use crate::xml::signature::TrustedCertificates;
use crate::xml::signer::Signer;

/// What our key of signatures is called.
pub(super) const SIGNING: &str = "the signing key";

pub(super) fn trusted(
    context: &mut Context<'_>,
    own: &[(&'static str, Vec<u8>)],
) -> Option<TrustedCertificates> {
    let key = key!(node.certificates);
    let file = &context.file().node;
    context.required(
        key,
        (!file.certificates.is_empty()).then_some(&file.certificates),
        "name the file of the node's signing certificate, which the operator hands over",
    )?;
    let mut certificates = Vec::new();
    let mut seen: Vec<(String, Certificate)> = Vec::new();
    for (index, path) in file.certificates.iter().enumerate() {
        let key = format!("{key}[{index}]");
        let Some(bytes) = context.read(&key, path) else { continue };
        let parsed = Certificate::parse_all(&bytes);
        let advice = "give certificates in PEM form, or one in DER form";
        let Some(found) = context.parsed(&key, path, parsed, advice) else { continue };
        for certificate in found {
            let is_same = |(_, other): &&(String, Certificate)| other.der() == certificate.der();
            if let Some((earlier, _)) = seen.iter().find(is_same) {
                let what = format!("{} is pinned already by {earlier}", certificate.subject());
                context.warn(&key, what, "leave one of them out, or give the one that follows it");
                continue;
            }
            seen.push((key.clone(), certificate.clone()));
            context.note(inventory::Use::Node, &key, path, &certificate);
            if is_of_the_node(context, &key, &certificate, own) {
                check_pinned(context, &key, &certificate);
                certificates.push(certificate);
            }
        }
    }
    match TrustedCertificates::pin(certificates) {
        Ok(trusted) => Some(trusted),
        Err(error) => {
            context.error(key, error.to_string(), "give certificates of EC or RSA keys");
            None
        }
    }
}

/// Reports what cannot be the certificate that the node signs with.
fn is_of_the_node(
    context: &mut Context<'_>,
    key: &str,
    certificate: &Certificate,
    own: &[(&'static str, Vec<u8>)],
) -> bool {
    let subject = certificate.subject();
    let own = own.iter().find(|(_, public)| public == certificate.public_key());
    let purpose = Purpose::of(certificate);
    let may_issue = purpose.as_ref().is_some_and(|purpose| purpose.may_issue);
    let what = if let Some((name, _)) = own {
        format!("{subject} is of {name} of this service, not of the node")
    } else if purpose.as_ref().is_some_and(|purpose| purpose.is_authority) {
        format!("{subject} is an authority, which signs certificates and no messages")
    } else if let Some(why) = purpose.and_then(|purpose| purpose.unusable) {
        format!("{subject} has {why}, so no message could be verified with it")
    } else {
        if may_issue {
            let what = format!("{subject} may be an authority, which signs no messages");
            context.warn(key, what, "make sure that the node signs its messages with it");
        }
        return true;
    };
    context.error(key, what, "give the certificate that the node signs its messages with");
    false
}

/// What is said of a pinned certificate past its date is for the operator to choose.
fn check_pinned(context: &mut Context<'_>, key: &str, certificate: &Certificate) {
    if certificate.not_after() > context.now {
        return context.check_dates(key, certificate);
    }
    let (subject, end) = (certificate.subject(), certificate.not_after());
    let what = format!("the pinned certificate {subject} ended on {end}");
    let advice = "ask the operator for the present one; both may be pinned side by side";
    match context.file().node.expired_certificate {
        ExpiredCertificate::Warn => context.warn(key, what, advice),
        ExpiredCertificate::Refuse => context.error(key, what, advice),
    }
}

/// Returns how TLS with the node is spoken, and the certificate that is shown in it.
pub(super) fn tls(
    context: &mut Context<'_>,
) -> Option<(rustls::ClientConfig, Option<Certificate>)> {
    let file = &context.file().node;
    if !file.system_roots && file.extra_ca_file.is_none() {
        context.error(
            key!(node.system_roots),
            "is false and node.extra_ca_file is missing, so no server could be verified",
            "name the file of the authorities",
        );
    }
    let from_p12 = match &file.client_p12 {
        None => None,
        Some(path) => {
            if file.client_certificate.is_some() || file.client_key.is_some() {
                context.error(
                    key!(node.client_p12),
                    "is given besides node.client_certificate or node.client_key",
                    "give either the PKCS #12 file or the two PEM files",
                );
            }
            let (key, password_key) = (key!(node.client_p12), key!(node.client_p12_password_file));
            let password = file.client_p12_password_file.as_deref();
            let password =
                context.required(password_key, password, "name the file of its password");
            let (private, certificate) = context.pkcs12(key, path, password_key, password?)?;
            let pem = pem("CERTIFICATE", certificate.der()).into_bytes();
            Some((pem, private.pem().expose().as_bytes().to_vec()))
        }
    };
    let identity = match (&file.client_certificate, &file.client_key) {
        _ if from_p12.is_some() => from_p12,
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let certificate = context.read(key!(node.client_certificate), certificate);
            let key = context.read_secret(key!(node.client_key), key);
            Some((certificate?, key?))
        }
        (Some(_), None) => {
            context.error(
                key!(node.client_key),
                "is missing",
                "it goes with node.client_certificate",
            );
            None
        }
        (None, Some(_)) => {
            let advice = "it goes with node.client_key";
            context.error(key!(node.client_certificate), "is missing", advice);
            None
        }
    };
    let identity = identity.as_ref().map(|(certificate, key)| Identity { certificate, key });
    let authority = inventory::Use::NodeCa;
    let extra =
        file.extra_ca_file.as_deref().map(|path| (key!(node.extra_ca_file), path, authority));
    let shown = identity.and_then(|identity| Certificate::parse(identity.certificate).ok());
    let key = if file.client_p12.is_some() {
        key!(node.client_p12)
    } else {
        key!(node.client_certificate)
    };
    let path = file.client_p12.as_deref().or(file.client_certificate.as_deref());
    if let (Some(certificate), Some(path)) = (&shown, path) {
        context.note(inventory::Use::Client, key, path, certificate);
    }
    let config = context.client_tls(
        key!(node.system_roots),
        file.system_roots,
        extra,
        identity.map(|identity| (key, identity)),
    )?;
    Some((config, shown))
}

pub(super) fn signer(context: &mut Context<'_>) -> Option<Signer> {
    let file = &context.file().service;
    let (key_name, pair) = if let Some(path) = &file.signing_p12 {
        if file.signing_key.is_some() || file.signing_certificate.is_some() {
            context.error(
                key!(service.signing_p12),
                "is given besides service.signing_key or service.signing_certificate",
                "give either the PKCS #12 file or the two PEM files",
            );
        }
        let password_key = key!(service.signing_p12_password_file);
        let password = file.signing_p12_password_file.as_deref();
        let password = context.required(password_key, password, "name the file of its password")?;
        let pair = context.pkcs12(key!(service.signing_p12), path, password_key, password)?;
        context.note(inventory::Use::Signing, key!(service.signing_p12), path, &pair.1);
        (key!(service.signing_p12), pair)
    } else {
        let advice = "name the PEM file that the operator handed over, or use service.signing_p12";
        let certificate = context.required(
            key!(service.signing_certificate),
            file.signing_certificate.as_deref(),
            advice,
        );
        let key = context.required(key!(service.signing_key), file.signing_key.as_deref(), advice);
        let certificate = certificate.and_then(|path| {
            let name = key!(service.signing_certificate);
            let found = context.certificate(name, path)?;
            context.note(inventory::Use::Signing, name, path, &found);
            Some(found)
        });
        let key = key.and_then(|path| context.private_key(key!(service.signing_key), path));
        (key!(service.signing_key), (key?, certificate?))
    };
    let (key, certificate) = pair;
    context.check_dates(key_name, &certificate);
    purpose::check(context, key_name, &certificate, Use::Signing);
    purpose::check_kind(context, key_name, key.kind());
    match Signer::new(&key, certificate) {
        Ok(signer) => Some(signer),
        Err(error) => {
            let advice = "give the key and the certificate whose names end alike (_sig_ec)";
            context.error(key_name, error.to_string(), advice);
            None
        }
    }
}

/// Notes the certificate of a decryption key that stands in the same file.
fn note_beside(context: &mut Context<'_>, (key, path): (&str, &Path), private: &PrivateKey) {
    // What cannot be read was reported, and a file without one has no date.
    let bytes = files::read(&context.resolve(path), files::MOST).unwrap_or_default();
    let all = Certificate::parse_all(&bytes).unwrap_or_default();
    if let Some(own) = all.iter().find(|one| one.public_key() == private.public_key()) {
        context.note(inventory::Use::Decryption, key, path, own);
    }
}

/// Adds the public keys to our own.
pub(super) fn decryption_keys(
    context: &mut Context<'_>,
    own: &mut Vec<(&'static str, Vec<u8>)>,
) -> Option<Vec<DecryptionKey>> {
    let file = &context.file().service;
    let given = file.decryption_keys.len() + file.decryption_p12.len();
    context.required(
        key!(service.decryption_keys),
        (given > 0).then_some(&()),
        "name the PEM file of the encryption key (_enc_ec), or use service.decryption_p12",
    )?;
    let mut found: Vec<(String, PrivateKey, Option<Certificate>)> = Vec::new();
    for (index, path) in file.decryption_keys.iter().enumerate() {
        let key = format!("service.decryption_keys[{index}]");
        if let Some(private) = context.private_key(&key, path) {
            note_beside(context, (&key, path), &private);
            found.push((key, private, None));
        }
    }
    for (index, entry) in file.decryption_p12.iter().enumerate() {
        let key = format!("service.decryption_p12[{index}]");
        let (file_key, password_key) = (format!("{key}.file"), format!("{key}.password_file"));
        let path = context.required(&file_key, entry.file.as_deref(), "name the PKCS #12 file");
        let advice = "name the file of its password";
        let password = context.required(&password_key, entry.password_file.as_deref(), advice);
        if let (Some(path), Some(password)) = (path, password)
            && let Some((private, certificate)) =
                context.pkcs12(&file_key, path, &password_key, password)
        {
            context.note(inventory::Use::Decryption, &file_key, path, &certificate);
            found.push((file_key, private, Some(certificate)));
        }
    }
    let complete = found.len() == given;
    let mut keys = Vec::new();
    for (key, private, certificate) in found {
        if let Some(certificate) = &certificate {
            context.check_dates(&key, certificate);
            purpose::check(context, &key, certificate, Use::Decryption);
        }
        let is_known =
            |(name, public): &(&str, Vec<u8>)| *name == SIGNING && public == private.public_key();
        if own.iter().any(is_known) {
            context.error(
                &key,
                "is the key that we sign with",
                "give the key of _enc_ec: the node encrypts to that, and signatures have their own",
            );
            continue;
        }
        own.push(("a decryption key", private.public_key().to_vec()));
        purpose::check_kind(context, &key, private.kind());
        match DecryptionKey::try_from(&private) {
            Ok(decryption) => keys.push(decryption),
            Err(error) => context.error(&key, error.to_string(), "give the key of _enc_ec"),
        }
    }
    complete.then_some(keys)
}
