//! `[portal]`, `[listen]` and `[operations]`.

use crate::app::settings::Listen;
use crate::config::presets::preset;
use crate::config::raise::context::{Context, is_loopback};
use crate::http;
use crate::http::cookie::Cookies;
use crate::server::listener::{Limits, Socket};
use crate::server::tls;

pub(super) fn raise(context: &mut Context<'_>) -> Option<http::Settings> {
    let file = &context.file().portal;
    let prefix = prefix(context);
    let acs_path = acs_path(context, prefix.as_deref());
    let text = context.required(
        "portal.public_url",
        file.public_url.as_deref(),
        "give the address that citizens open, such as \"https://portal.example.gov.pl\"",
    )?;
    let url = match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
        _ => {
            context.error(
                "portal.public_url",
                "is not an address of a web server",
                "give scheme and host, such as \"https://portal.example.gov.pl\"",
            );
            return None;
        }
    };
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || url.username() != ""
    {
        context.error(
            "portal.public_url",
            "holds more than scheme, host and port",
            "leave out everything after the host",
        );
    }
    let secure = url.scheme() == "https";
    if !secure && !is_loopback(&url) {
        context.error(
            "portal.public_url",
            "begins with http://, so session cookies would cross the network in the clear",
            "use https://; http:// is for localhost only",
        );
    }
    Some(http::Settings {
        portal_name: file.name.clone(),
        origin: url.origin().ascii_serialization(),
        prefix: prefix?,
        acs_path: acs_path?,
        test_environment: preset(context.file().node.environment)
            .and_then(|preset| preset.ribbon)
            .map(str::to_owned),
        cookies: if secure { Cookies::SECURE } else { Cookies::PLAIN },
    })
}

fn prefix(context: &mut Context<'_>) -> Option<String> {
    let prefix = &context.file().portal.prefix;
    let fits = prefix.len() > 2
        && prefix.ends_with('/')
        && http::path::canonical(prefix).is_ok_and(|path| path == prefix.as_str());
    if !fits {
        context.error(
            "portal.prefix",
            "is not a path with a slash at its beginning and end",
            "write it like \"/.brama/\"",
        );
    }
    fits.then(|| prefix.clone())
}

fn acs_path(context: &mut Context<'_>, prefix: Option<&str>) -> Option<String> {
    let Some(path) = &context.file().portal.acs_path else {
        return prefix.map(|prefix| format!("{prefix}acs"));
    };
    let fits = http::path::canonical(path).is_ok_and(|canonical| canonical == path.as_str());
    if !fits {
        context.error(
            "portal.acs_path",
            "is not a plain path",
            "write it as it is registered with the operator, such as \"/login/acs\"",
        );
    }
    fits.then(|| path.clone())
}

pub(super) fn listen(context: &mut Context<'_>, portal: Option<&http::Settings>) -> Option<Listen> {
    let file = &context.file().listen;
    let operations = context.file().operations.listen;
    if file.http.is_none() && file.https.is_none() {
        context.error(
            "listen",
            "there is no address to listen on",
            "give listen.http, for instance \"127.0.0.1:8080\", or listen.https",
        );
    }
    let secure = portal.is_some_and(|portal| portal.cookies == Cookies::SECURE);
    if let Some(address) = file.http
        && !address.ip().is_loopback()
        && secure
    {
        context.warn(
            "listen.http",
            "plain HTTP is offered to the network although the portal is on https://",
            "listen on loopback only, or make sure that a proxy with TLS is in front",
        );
    }
    if !operations.ip().is_loopback() {
        context.warn(
            "operations.listen",
            "the operations port is offered to the network",
            "keep it on loopback, or behind a network policy",
        );
    }
    let https = match file.https {
        None => {
            for (key, given) in
                [("listen.certificate", &file.certificate), ("listen.key", &file.key)]
            {
                if given.is_some() {
                    context.warn(key, "is not used without listen.https", "add listen.https");
                }
            }
            None
        }
        Some(address) => Some((Socket::from(address), server_tls(context)?)),
    };
    for (key, duration) in [
        ("listen.header_timeout", file.header_timeout),
        ("listen.drain_timeout", file.drain_timeout),
    ] {
        if duration.get().is_zero() {
            context.error(key, "is zero", "give a time such as \"10s\"");
        }
    }
    if file.max_connections == 0 {
        context.error("listen.max_connections", "is zero", "leave it out for the default");
    }
    let limits = Limits {
        connections: file.max_connections,
        header_timeout: file.header_timeout.get(),
        drain_timeout: file.drain_timeout.get(),
        ..Limits::default()
    };
    Some(Listen { http: file.http.map(Socket::from), https, operations: operations.into(), limits })
}

fn server_tls(context: &mut Context<'_>) -> Option<std::sync::Arc<rustls::ServerConfig>> {
    let file = &context.file().listen;
    let advice = "name a PEM file; TLS needs listen.certificate and listen.key";
    let certificate = context.required("listen.certificate", file.certificate.as_deref(), advice);
    let key = context.required("listen.key", file.key.as_deref(), advice);
    let (path, key_path) = (certificate?, key?);
    let certificate = context.read("listen.certificate", path);
    let key = context.read("listen.key", key_path);
    let config = tls::server(&certificate?, &key?);
    context.parsed("listen.certificate", path, config, "check that key and certificate are a pair")
}
