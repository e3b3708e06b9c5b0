//! `[[companion]]`: listeners at which other proxies ask.

use std::sync::Arc;

use super::context::Context;
use super::listen::{networks, unix_socket};
use crate::app::settings::{Companion, CompanionTls};
use crate::base::rights;
use crate::companion::Askers;
use crate::companion::front::Front;
use crate::config::file;
use crate::request::networks::Networks;
use crate::server::certificates::{Certificates, Files};
use crate::server::listener::Socket;
use crate::server::tls;

/// The full key of one of the block's keys.
type Key<'k> = &'k dyn Fn(&str) -> String;

pub(super) fn resolve(context: &mut Context<'_>) -> Vec<Companion> {
    let given = &context.file().companion;
    let mut companions: Vec<Companion> = Vec::new();
    for (index, companion) in given.iter().enumerate() {
        let key = |name: &str| format!("companion[{index}].{name}");
        let advice = "name the kind of proxy that asks, such as \"nginx\"";
        let proxy =
            context.required(&key(key!(Companion: proxy)), companion.proxy.as_ref(), advice);
        let front = proxy.map(|proxy| Front::from(*proxy));
        let socket = socket(context, companion, &key);
        let tls = tls(context, companion, &key);
        let (Some(front), Some(socket), Some(tls)) = (front, socket, tls) else { continue };
        if companions.iter().any(|other| other.front == front) {
            let what = format!("there is a listener for {} already", front.name());
            let advice = "give each kind of proxy one listener, which several of that kind can ask";
            context.error(&key(key!(Companion: proxy)), what, advice);
            continue;
        }
        let askers = askers(context, companion, &key, tls.as_ref());
        companions.push(Companion { front, socket, askers, tls });
    }
    companions
}

fn socket(context: &mut Context<'_>, companion: &file::Companion, key: Key<'_>) -> Option<Socket> {
    match (companion.listen, companion.unix.as_deref()) {
        (Some(address), None) => Some(address.into()),
        (None, Some(path)) => {
            let keys = (&*key(key!(Companion: unix)), &*key(key!(Companion: unix_mode)));
            unix_socket(context, keys, path, &companion.unix_mode)
        }
        _ => {
            context.error(
                &key(key!(Companion: listen)),
                "names no place to ask at, or two",
                "give one of listen, such as \"127.0.0.1:9080\", and unix",
            );
            None
        }
    }
}

/// Who may ask. Without networks or certificates it is this machine.
fn askers(
    context: &mut Context<'_>,
    companion: &file::Companion,
    key: Key<'_>,
    tls: Option<&CompanionTls>,
) -> Askers {
    let name = key(key!(Companion: trusted));
    let asks_by_certificate = tls.is_some_and(|tls| tls.authorities.is_some());
    let Some(address) = companion.listen else {
        if !companion.trusted.is_empty() {
            let advice = "leave it out; unix_mode says who may connect";
            context.warn(&name, "has no meaning for a unix socket", advice);
        }
        return Askers::WhoeverReachesIt;
    };
    let trusted = networks(context, &name, &companion.trusted);
    if trusted.is_empty() && asks_by_certificate {
        return Askers::WhoeverReachesIt;
    }
    if trusted.is_empty() && !address.ip().is_loopback() {
        context.error(
            &name,
            "is not given, so nobody could ask at this address but this machine",
            "name the networks of the proxies, or give client_ca_file, or listen on loopback",
        );
    }
    if !trusted.is_empty() && tls.is_none() && !address.ip().is_loopback() {
        context.warn(
            &key(key!(Companion: certificate)),
            "cookies of citizens and signed identities go over the network in plain",
            "give certificate and key, or listen on loopback or at a unix socket",
        );
    }
    let this_machine = ["127.0.0.0/8", "::1/128"].into_iter().filter_map(|text| text.parse().ok());
    Askers::Networks(Networks::new(match trusted.is_empty() {
        true => this_machine.collect(),
        false => trusted,
    }))
}

/// Resolves how TLS is spoken, `Some(None)` without it.
fn tls(
    context: &mut Context<'_>,
    companion: &file::Companion,
    key: Key<'_>,
) -> Option<Option<CompanionTls>> {
    let (certificate, private) = (companion.certificate.as_deref(), companion.key.as_deref());
    if certificate.is_none() && private.is_none() {
        if companion.client_ca_file.is_some() {
            context.error(
                &key(key!(Companion: client_ca_file)),
                "has no meaning without TLS",
                "give certificate and key of the listener",
            );
            return None;
        }
        return Some(None);
    }
    let advice = "name a PEM file; TLS needs certificate and key";
    let certificate = context.required(&key(key!(Companion: certificate)), certificate, advice);
    let private = context.required(&key(key!(Companion: key)), private, advice);
    let (certificate, private) = (certificate?, private?);
    context.forbid(&key(key!(Companion: key)), private, rights::of_secret);
    let files = Files {
        certificate: context.resolve(certificate),
        key: context.resolve(private),
        ocsp_staple: None,
    };
    let certificates = match Certificates::open(vec![files]) {
        Ok(certificates) => Arc::new(certificates),
        Err(errors) => {
            for (_, error) in errors {
                let advice = "give a certificate and its private key, each in a PEM file";
                context.error(&key(key!(Companion: certificate)), error.to_string(), advice);
            }
            return None;
        }
    };
    let authorities = match companion.client_ca_file.as_deref() {
        None => None,
        Some(path) => {
            let name = key(key!(Companion: client_ca_file));
            let bytes = context.read(&name, path)?;
            if let Err(error) = tls::client_authorities(&bytes) {
                let advice = "give the certificates of the authorities in a PEM file";
                context.error(&name, error.to_string(), advice);
                return None;
            }
            Some(bytes)
        }
    };
    Some(Some(CompanionTls { certificates, authorities }))
}
