//! `[traces]`.

use http::{HeaderName, HeaderValue};
use rustls::pki_types::ServerName;
use url::Url;

use super::context::Context;
use crate::app::inventory::Use;
use crate::base::random;
use crate::config::file::{Believed, TraceProtocol};
use crate::observe::traces::{ExportSettings, Protocol, Settings};

pub(super) fn resolve(context: &mut Context<'_>) -> Option<Settings> {
    let file = &context.file().traces;
    let sampling = match file.sample_one_in {
        0 => 0.0,
        number => 1.0 / f64::from(number),
    };
    let Some(endpoint) = file.endpoint.as_deref() else {
        warn_of_unused(context);
        return Some(Settings { propagates: file.propagate, sampling, export: None });
    };
    let export = export(context, endpoint);
    Some(Settings { propagates: file.propagate, sampling, export: Some(export?) })
}

fn warn_of_unused(context: &mut Context<'_>) {
    let file = &context.file().traces;
    for (key, is_given) in [
        (key!(traces.headers_file), file.headers_file.is_some()),
        (key!(traces.extra_ca_file), file.extra_ca_file.is_some()),
        (key!(traces.resource), !file.resource.is_empty()),
    ] {
        if is_given {
            context.warn(key, "is not used without traces.endpoint", "add traces.endpoint");
        }
    }
    let file = context.file();
    if file.listen.trusted_for.contains(&Believed::Trace) && !file.traces.propagate {
        let what = "names trace, which goes on and is in the log, but is not told as part of Brama";
        let advice =
            "set traces.propagate or traces.endpoint, so that portals see what led to them";
        context.warn(key!(listen.trusted_for), what, advice);
    }
}

fn export(context: &mut Context<'_>, endpoint: &str) -> Option<ExportSettings> {
    let key = key!(traces.endpoint);
    let url = context.url(key, endpoint);
    let file = &context.file().traces;
    if file.timeout.get().is_zero() {
        context.error(key!(traces.timeout), "is zero", "give a time such as \"10s\"");
    }
    let headers = headers(context);
    let resource = resource(context);
    let extra = file
        .extra_ca_file
        .as_deref()
        .map(|path| (key!(traces.extra_ca_file), path, Use::CollectorCa));
    let url = url?;
    let is_tls = url.scheme() == "https";
    let tls = match is_tls {
        true => {
            Some(context.client_tls(key!(traces.system_roots), file.system_roots, extra, None)?)
        }
        false => None,
    };
    if is_tls && !file.system_roots && extra.is_none() {
        let what =
            "is false and traces.extra_ca_file is missing, so no collector could be verified";
        context.error(key!(traces.system_roots), what, "name a file with the authorities");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        let advice = "give scheme, host, port and path; put a token into traces.headers_file";
        context.error(key, "has a name, a password or a query", advice);
        return None;
    }
    let (host, authority) = places(&url)?;
    let tls = match tls {
        Some(tls) => Some((tls, ServerName::try_from(host.clone()).ok()?)),
        None => None,
    };
    let path = match (url.path(), file.protocol) {
        ("" | "/", TraceProtocol::Http) => "/v1/traces".to_owned(),
        (path, _) => path.to_owned(),
    };
    Some(ExportSettings {
        protocol: match file.protocol {
            TraceProtocol::Http => Protocol::Http,
            TraceProtocol::Grpc => Protocol::Grpc,
        },
        port: url.port_or_known_default()?,
        host,
        tls,
        authority,
        path,
        headers: headers?,
        timeout: file.timeout.get(),
        resource: resource?,
    })
}

/// Returns the host as it is connected to, and as requests say it.
fn places(url: &Url) -> Option<(String, String)> {
    let said = url.host_str()?;
    let bare = said.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(said);
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some((bare.to_owned(), format!("{said}{port}")))
}

/// Reads the file with headers.
fn headers(context: &mut Context<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let key = key!(traces.headers_file);
    let Some(path) = context.file().traces.headers_file.as_deref() else {
        return Some(Vec::new());
    };
    let bytes = context.read_secret(key, path)?;
    let read = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(line[..colon].trim_ascii()).ok()?;
        let mut value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        value.set_sensitive(true);
        (!OURS.contains(&name.as_str())).then_some((name, value))
    };
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let headers: Option<Vec<_>> = lines.iter().map(|line| read(line)).collect();
    if headers.as_ref().is_none_or(|headers| headers.len() > MOST_HEADERS) {
        // Its lines are secrets and are not told.
        let what = "has a line that is not \"name: value\", names what Brama says, or has too many";
        context.error(key, what, "write a line such as \"authorization: Bearer TOKEN\"");
        return None;
    }
    headers
}

/// What is for Brama to say.
const OURS: [&str; 7] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "grpc-timeout",
];
/// The most headers of the file.
const MOST_HEADERS: usize = 16;

/// Returns what is said of this program (OpenTelemetry, semantic conventions for `service`).
fn resource(context: &mut Context<'_>) -> Option<Vec<(String, String)>> {
    let read = |line: &String| {
        let (name, value) = line.split_once(':')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), value.to_owned()))
    };
    let given: Option<Vec<_>> = context.file().traces.resource.iter().map(read).collect();
    let Some(given) = given else {
        let advice = "write \"deployment.environment.name: production\"";
        context.error(key!(traces.resource), "has an attribute without name or value", advice);
        return None;
    };
    let ours = [
        ("service.name", env!("CARGO_PKG_NAME").to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", random::handle()),
    ];
    let is_given = |name: &str| given.iter().any(|(known, _)| known == name);
    let ours = ours.into_iter().filter(|(name, _)| !is_given(name));
    let ours: Vec<_> = ours.map(|(name, value)| (name.to_owned(), value)).collect();
    Some(ours.into_iter().chain(given).collect())
}

#[cfg(test)]
mod tests;
