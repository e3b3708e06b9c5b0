//! `[node]` and `[service]`: all that a login needs.

use std::time::Duration;

use http::Uri;

use super::context::Context;
use super::node_keys::{SIGNING, decryption_keys, signer, tls, trusted};
use crate::config::file::{self, Environment};
use crate::config::presets::{LOGOUT_PATH, RESOLVE_PATH, SSO_PATH, preset};
use crate::flow;
use crate::gateway;
use crate::identity::assurance::Assurance;
use crate::identity::attribute::Attribute;
use crate::saml::authn_request::{ServiceKind, Template};

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
    let keep_histories = keep_histories(context);
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
            keep_histories,
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

/// Returns our names to the node, issuer and provider name, as far as they were given.
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

/// For how long histories of logins are kept.
fn keep_histories(context: &mut Context<'_>) -> Duration {
    let time = context.file().operations.login_history.get();
    if time > MOST_HISTORY {
        let what = "is longer than histories of logins are kept";
        context.error(key!(operations.login_history), what, "give \"90d\" or less");
    }
    time
}

/// A quarter of a year: after that nobody asks any more why a citizen could not sign in.
const MOST_HISTORY: Duration = Duration::from_secs(90 * 24 * 60 * 60);

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
