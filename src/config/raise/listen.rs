//! `[listen]` and `[operations]`.

use super::context::Context;
use crate::app::settings::Listen;
use crate::http;
use crate::http::cookie::Cookies;
use crate::server::listener::{Limits, Socket};
use crate::server::tls;

pub(super) fn raise(context: &mut Context<'_>, portal: Option<&http::Settings>) -> Option<Listen> {
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
