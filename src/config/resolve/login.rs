//! `[node]` and `[service]`: all that a login needs.

use std::time::Duration;

use http::Uri;

use super::context::Context;
use super::purpose::{self, Purpose, Use};
use crate::config::file::{self, Environment, ExpiredCertificate};
use crate::config::presets::{LOGOUT_PATH, RESOLVE_PATH, SSO_PATH, preset};
use crate::flow;
use crate::gateway;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::authn_request::{ServiceKind, Template};
use crate::server::tls::Identity;
use crate::xml::keys::{Certificate, DecryptionKey, PrivateKey, pem};
use crate::xml::signature::TrustedCertificates;
use crate::xml::signer::Signer;

pub(super) struct Login {
    pub(super) flows: flow::Settings,
    pub(super) node: flow::node::Settings,
    pub(super) tls: rustls::ClientConfig,
}

struct Addresses {
    issuer: String,
    sso: String,
    destination: String,
    resolve: Uri,
    logout: Option<String>,
}

pub(super) fn resolve(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
) -> Option<Login> {
    let file = context.file();
    // Everything is looked at before anything is demanded.
    let addresses = addresses(context);
    let tls = tls(context);
    let signer = signer(context);
    let mut own = Vec::new();
    if let Some(signer) = &signer {
        own.push((SIGNING, signer.certificate().public_key().to_vec()));
    }
    let decryption_keys = decryption_keys(context, &mut own);
    let trusted = trusted(context, &own);
    check_kind(context);
    let (issuer, provider_name) = names(context);
    let (required, optional) = (
        attributes(&file.service.required_attributes),
        attributes(&file.service.optional_attributes),
    );
    check_attributes(context, &required, &optional);
    let skew = file.service.clock_skew.get();
    let maximum_answer = usize::try_from(file.node.max_answer.bytes()).unwrap_or(usize::MAX);
    check_bounds(context, skew, maximum_answer);

    let (addresses, portal) = (addresses?, portal?);
    let template = Template {
        issuer: issuer?.to_owned(),
        provider_name: provider_name?.to_owned(),
        kind: match file.service.kind {
            file::ServiceKind::Public => ServiceKind::Public,
            file::ServiceKind::Private => ServiceKind::Private,
        },
        destination: addresses.destination,
        acs: format!("{}{}", portal.origin, portal.acs_path),
        required,
        optional,
        force_authn: file.service.force_authn,
    };
    let (tls, client_certificate) = tls?;
    let logout_url = match &addresses.logout {
        Some(url) => Some(url.parse().ok()?),
        None => None,
    };
    Some(Login {
        flows: flow::Settings {
            template,
            sso_url: addresses.sso,
            logout_url: addresses.logout,
            node_issuer: addresses.issuer,
            signer: signer?,
            decryption_keys: decryption_keys?,
            trusted: trusted?,
            assurance: assurance(file.service.assurance),
            skew,
            maximum_answer,
            login_timeout: file.session.login_timeout.get(),
            maximum_pending: file.session.maximum_pending as u64,
            keep_forms: usize::try_from(file.session.keep_forms.bytes()).unwrap_or(usize::MAX),
            other_person: other_person(file.session.other_person),
            rooms: super::store::rooms(file),
        },
        node: flow::node::Settings {
            resolve_url: addresses.resolve,
            logout_url,
            timeout: file.node.timeout.get(),
            maximum_concurrent: file.node.max_concurrent,
            maximum_waiting: file.node.max_waiting,
            waiting_timeout: file.node.waiting_timeout.get(),
            maximum_answer,
            client_certificate,
        },
        tls,
    })
}

/// Who we are to the node, as far as that was given.
fn names<'f>(context: &mut Context<'f>) -> (Option<&'f str>, Option<&'f str>) {
    let file = context.file();
    let issuer = context.required(
        key!(service.issuer),
        file.service.issuer.as_deref().filter(|issuer| !issuer.trim().is_empty()),
        "give the identifier that was agreed with the operator",
    );
    let provider_name = context.required(
        key!(service.provider_name),
        file.service.provider_name.as_deref().filter(|name| !name.trim().is_empty()),
        "give the name that was agreed with the operator; the node refuses another one",
    );
    (issuer, provider_name)
}

/// What our key of signatures is called.
const SIGNING: &str = "the signing key";

/// A node for public bodies is told of a public body, and the other one of a private one.
fn check_kind(context: &mut Context<'_>) {
    let (environment, kind) = (context.file().node.environment, context.file().service.kind);
    let expected = match environment {
        Environment::Symulator | Environment::Custom => return,
        Environment::Integration | Environment::Production => file::ServiceKind::Public,
        Environment::IntegrationPrivate | Environment::ProductionPrivate => {
            file::ServiceKind::Private
        }
    };
    if kind == expected || context.was_refused(key!(node.environment)) {
        return;
    }
    let (is, other) = match expected {
        file::ServiceKind::Public => ("public bodies", "private"),
        file::ServiceKind::Private => ("private entities", "public"),
    };
    context.warn(
        key!(service.kind),
        format!("is \"{other}\", but node.environment is that of {is}"),
        "give the environment and the kind that were agreed with the operator",
    );
}

fn other_person(person: file::OtherPerson) -> flow::OtherPerson {
    match person {
        file::OtherPerson::Refuse => flow::OtherPerson::Refuse,
        file::OtherPerson::Replace => flow::OtherPerson::Replace,
    }
}

fn check_attributes(context: &mut Context<'_>, required: &[Attribute], optional: &[Attribute]) {
    if let Some(both) = optional.iter().find(|attribute| required.contains(attribute)) {
        let what = format!("{both} is asked for as required and as optional");
        context.error(key!(service.optional_attributes), what, "name it in one of the two lists");
    }
    if !required.contains(&Attribute::PersonIdentifier) {
        context.warn(
            key!(service.required_attributes),
            "without the identifier a person is known only by a login name, which can change",
            "add \"identifier\"",
        );
    }
}

fn check_bounds(context: &mut Context<'_>, skew: Duration, maximum_answer: usize) {
    if skew.as_secs() > 300 {
        context.warn(
            key!(service.clock_skew),
            "answers of the node are believed for minutes after they have expired",
            "keep the clock right (NTP) and give at most \"5m\"",
        );
    }
    let node = &context.file().node;
    if node.timeout.get().is_zero() || node.max_concurrent == 0 {
        context.error("node", "timeout and max_concurrent must be more than zero", "raise them");
    }
    if !(16 * 1024..=4 * 1024 * 1024).contains(&maximum_answer) {
        context.error(
            key!(node.max_answer),
            "must be between 16 KiB and 4 MiB",
            "leave it out; a genuine answer has some 15 KiB",
        );
    }
}

pub(super) fn assurance(level: file::Assurance) -> Assurance {
    match level {
        file::Assurance::Low => Assurance::Low,
        file::Assurance::Substantial => Assurance::Substantial,
        file::Assurance::High => Assurance::High,
    }
}

fn attributes(list: &[file::Attribute]) -> Vec<Attribute> {
    list.iter()
        .map(|attribute| match attribute {
            file::Attribute::GivenName => Attribute::GivenName,
            file::Attribute::FamilyName => Attribute::FamilyName,
            file::Attribute::Birthdate => Attribute::DateOfBirth,
            file::Attribute::Identifier => Attribute::PersonIdentifier,
        })
        .collect()
}

/// The preset's addresses, each with its own override.
fn addresses(context: &mut Context<'_>) -> Option<Addresses> {
    let file = &context.file().node;
    let preset = preset(file.environment);
    let from_preset = |path: &str| preset.map(|preset| format!("https://{}{path}", preset.host));
    let advice = "environment \"custom\" has no addresses of its own: give this one";
    let issuer = file.issuer.clone().or_else(|| preset.map(|preset| preset.host.to_owned()));
    let issuer = context.required(key!(node.issuer), issuer.as_deref(), advice).map(str::to_owned);
    let sso = file.sso_url.clone().or_else(|| from_preset(SSO_PATH));
    let sso = context.required(key!(node.sso_url), sso.as_deref(), advice).map(str::to_owned);
    let resolve = file.resolve_url.clone().or_else(|| from_preset(RESOLVE_PATH));
    let resolve =
        context.required(key!(node.resolve_url), resolve.as_deref(), advice).map(str::to_owned);
    let logout = file.logout_url.clone().or_else(|| from_preset(LOGOUT_PATH));
    if logout.is_none() {
        context.warn(
            key!(node.logout_url),
            "is missing, so signing out does not end the session at the node",
            "give the address of the node's single logout service",
        );
    }
    let sso = sso.and_then(|sso| context.url(key!(node.sso_url), &sso));
    let resolve = resolve.and_then(|resolve| context.url(key!(node.resolve_url), &resolve));
    let logout = match logout {
        Some(logout) => Some(context.url(key!(node.logout_url), &logout)?),
        None => None,
    };
    let sso = sso?.to_string();
    Some(Addresses {
        issuer: issuer?,
        destination: file.sso_destination.clone().unwrap_or_else(|| sso.clone()),
        sso,
        resolve: resolve?.as_str().parse().ok()?,
        logout: logout.map(|url| url.to_string()),
    })
}

fn trusted(
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
fn tls(context: &mut Context<'_>) -> Option<(rustls::ClientConfig, Option<Certificate>)> {
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
    let extra = file.extra_ca_file.as_deref().map(|path| (key!(node.extra_ca_file), path));
    let shown = identity.and_then(|identity| Certificate::parse(identity.certificate).ok());
    let key = if file.client_p12.is_some() {
        key!(node.client_p12)
    } else {
        key!(node.client_certificate)
    };
    let config = context.client_tls(
        key!(node.system_roots),
        file.system_roots,
        extra,
        identity.map(|identity| (key, identity)),
    )?;
    Some((config, shown))
}

fn signer(context: &mut Context<'_>) -> Option<Signer> {
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
        (key!(service.signing_p12), pair)
    } else {
        let advice = "name the PEM file that the operator handed over, or use service.signing_p12";
        let certificate = context.required(
            key!(service.signing_certificate),
            file.signing_certificate.as_deref(),
            advice,
        );
        let key = context.required(key!(service.signing_key), file.signing_key.as_deref(), advice);
        let certificate = certificate
            .and_then(|path| context.certificate(key!(service.signing_certificate), path));
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

/// Adds the public keys to our own.
fn decryption_keys(
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
