//! `[operations]`: TLS and the names of its listener.

use crate::app::inventory::Use;
use crate::app::settings::OperationsTls;
use crate::base::rights;
use crate::config::resolve::context::Context;
use crate::request::host;
use crate::server::tls;

/// Names are compared as requests have them: canonical.
pub(super) fn hosts(context: &mut Context<'_>) -> Vec<String> {
    let mut hosts = Vec::new();
    for (number, host) in context.file().operations.hosts.iter().enumerate() {
        match host::from_configuration(host) {
            Some(name) => hosts.push(name),
            None => {
                let key = format!("operations.hosts[{number}]");
                let what = format!("\"{host}\" is no name of a host");
                context.error(&key, what, "give a name without scheme and port");
            }
        }
    }
    hosts
}

/// How TLS is spoken to operators; none when it is not, or cannot be.
pub(super) fn tls(context: &mut Context<'_>) -> Option<OperationsTls> {
    let file = &context.file().operations;
    let name = key!(operations.certificate);
    if file.certificate.is_none() && file.key.is_none() {
        if file.client_ca_file.is_some() {
            context.error(
                key!(operations.client_ca_file),
                "has no meaning without TLS",
                "give operations.certificate and operations.key",
            );
        }
        return None;
    }
    let advice = "name a PEM file; TLS needs certificate and key";
    let certificate = context.required(name, file.certificate.as_deref(), advice);
    let private = context.required(key!(operations.key), file.key.as_deref(), advice);
    let (certificate, private) = (certificate?, private?);
    context.forbid(key!(operations.key), private, rights::of_secret);
    let certificates = context.listener_certificate(name, certificate, private)?;
    let authorities = match file.client_ca_file.as_deref() {
        None => None,
        Some(path) => {
            let name = key!(operations.client_ca_file);
            let bytes = context.read(name, path)?;
            if let Err(error) = tls::client_authorities(&bytes) {
                let advice = "give the certificates of the authorities in a PEM file";
                context.error(name, error.to_string(), advice);
                return None;
            }
            context.note_all(Use::OperationsCa, name, path, &bytes);
            Some(bytes)
        }
    };
    Some(OperationsTls { certificates, file: context.resolve(certificate), authorities })
}
