//! `[listen]` and `[operations]`: addresses, networks and bounds.

mod operations;

use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ipnet::IpNet;

use super::certificates;
use super::context::Context;
use super::descriptors;
use crate::app::settings::{Https, Listen};
use crate::base::rights::{self, folder_of};
use crate::config::file::{self, HumanDuration, Network};
use crate::gateway;
use crate::request::cookie::Cookies;
use crate::request::headers::forwarded::Believed;
use crate::server::cores::MOST_WORKERS;
use crate::server::listener::{Limits, Socket};
use crate::wire::head::MOST_FIELDS;

pub(super) fn resolve(
    context: &mut Context<'_>,
    portal: Option<&gateway::Settings>,
) -> Option<Listen> {
    let file = &context.file().listen;
    let operations = context.file().operations.listen;
    addresses(context, portal);
    let unix = unix(context);
    let https = match file.https {
        None => {
            unused_without_https(context);
            None
        }
        Some(address) => {
            let (certificates, options, acme) = certificates::resolve(context, portal)?;
            Some(Https { socket: address.into(), certificates, options, acme })
        }
    };
    let limits = limits(context);
    let limits = descriptors::fit(context, limits);
    let workers = file.workers;
    if workers > MOST_WORKERS {
        let what = format!("{workers} workers are more than any machine has cores");
        context.error(key!(listen.workers), what, "leave it out for one on each core");
    }
    if file.backlog == 0 {
        context.error(key!(listen.backlog), "is zero", "leave it out for the default");
    }
    Some(Listen {
        http: file.http.map(Socket::from),
        https,
        unix,
        redirect: file.redirect.map(Socket::from),
        operations: operations.into(),
        operations_hosts: operations::hosts(context),
        operations_tls: operations::tls(context),
        hsts: file.hsts.map(HumanDuration::get).filter(|time| !time.is_zero()),
        proxy_protocol_from: networks(
            context,
            key!(listen.proxy_protocol_from),
            &file.proxy_protocol_from,
        ),
        trusted_proxies: networks(context, key!(listen.trusted_proxies), &file.trusted_proxies),
        trusted_for: trusted_for(context),
        companions: Vec::new(),
        workers,
        backlog: file.backlog,
        limits,
    })
}

fn addresses(context: &mut Context<'_>, portal: Option<&gateway::Settings>) {
    let file = &context.file().listen;
    let operations = context.file().operations.listen;
    if file.http.is_none() && file.https.is_none() && file.unix.is_none() {
        context.error(
            "listen",
            "there is no address to listen on",
            "give listen.http, for instance \"127.0.0.1:8080\", or listen.https or listen.unix",
        );
    }
    let secure = portal.is_some_and(|portal| portal.cookies == Cookies::SECURE);
    if let Some(address) = file.http
        && !address.ip().is_loopback()
        && secure
    {
        context.warn(
            key!(listen.http),
            "plain HTTP is offered to the network although the portal is on https://",
            "listen on loopback only, make sure that a proxy with TLS is in front, or use \
             listen.redirect",
        );
    }
    if !operations.ip().is_loopback() && context.file().operations.certificate.is_none() {
        context.warn(
            key!(operations.listen),
            "the operations port is offered to the network",
            "keep it on loopback, or behind a network policy",
        );
    }
    let given = [
        (key!(listen.http), file.http),
        (key!(listen.https), file.https),
        (key!(listen.redirect), file.redirect),
        (key!(operations.listen), Some(operations)),
    ];
    let given = given.map(|(key, address)| (key.to_owned(), address)).into_iter();
    let companions = context.file().companion.iter().enumerate();
    let companions = companions.map(|(n, one)| (format!("companion[{n}].listen"), one.listen));
    let given: Vec<_> = given.chain(companions).filter_map(|(key, a)| Some((key, a?))).collect();
    for (number, (key, address)) in given.iter().enumerate() {
        for (earlier, other) in &given[..number] {
            if overlap(*address, *other) {
                let what = format!("{address} is taken by {earlier}");
                context.error(key, what, "give each listener an address or a port of its own");
            }
        }
    }
}

/// Tells whether two addresses cannot both be listened on. An unspecified IPv6 address takes the
/// port of IPv4 too.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let covers = |one: IpAddr, other: IpAddr| {
        one == other || (one.is_unspecified() && (one.is_ipv6() || other.is_ipv4()))
    };
    let (a, b) = (one.ip(), other.ip());
    one.port() != 0 && one.port() == other.port() && (covers(a, b) || covers(b, a))
}

fn unix(context: &mut Context<'_>) -> Option<Socket> {
    let file = &context.file().listen;
    let keys = (key!(listen.unix), key!(listen.unix_mode));
    match file.unix.as_deref() {
        Some(path) => unix_socket(context, keys, path, &file.unix_mode),
        None => {
            unix_mode(context, keys.1, &file.unix_mode);
            None
        }
    }
}

/// Resolves a unix socket; the keys are those of its path and of its mode.
pub(super) fn unix_socket(
    context: &mut Context<'_>,
    (key, mode_key): (&str, &str),
    path: &Path,
    mode: &str,
) -> Option<Socket> {
    let mode = unix_mode(context, mode_key, mode);
    let path = context.resolve(path);
    // A user who can replace what is in the folder can lead citizens to a socket of their own.
    context.forbid(key, folder_of(&path), rights::of_folder);
    if path.as_os_str().as_bytes().len() > LONGEST_PATH {
        let what = format!("{} is longer than {LONGEST_PATH} bytes", path.display());
        context.error(key, what, "the system takes no longer path; use one in /run");
    }
    Some(Socket::Unix { path, mode: mode? })
}

fn unix_mode(context: &mut Context<'_>, key: &str, text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o777);
    if mode.is_none() {
        let what = format!("\"{text}\" is no mode of a file");
        context.error(key, what, "write it like \"0660\"");
    }
    mode
}

/// The longest path of a unix socket (`sun_path`, unix(7)).
const LONGEST_PATH: usize = 107;

fn unused_without_https(context: &mut Context<'_>) {
    let file = &context.file().listen;
    for (key, given) in [
        (key!(listen.certificate), file.certificate.is_some()),
        (key!(listen.key), file.key.is_some()),
        (key!(listen.ocsp_staple), file.ocsp_staple.is_some()),
        (key!(listen.certificates), !file.certificates.is_empty()),
        (key!(listen.acme.directory), file.acme.directory.is_some()),
    ] {
        if given {
            context.warn(key, "is not used without listen.https", "add listen.https");
        }
    }
    if file.redirect.is_some() {
        context.error(
            key!(listen.redirect),
            "sends everybody to https, where nobody listens",
            "add listen.https; a gateway behind a proxy with TLS lets the proxy redirect",
        );
    }
}

pub(super) fn networks(context: &mut Context<'_>, key: &str, given: &[Network]) -> Vec<IpNet> {
    for (number, network) in given.iter().enumerate() {
        if network.get().prefix_len() == 0 {
            let key = format!("{key}[{number}]");
            let what = format!("{network} is everybody, so every client can claim any address");
            context.warn(&key, what, "name the networks of the proxies only");
        }
    }
    given.iter().map(|network| network.get()).collect()
}

fn trusted_for(context: &mut Context<'_>) -> Believed {
    let file = &context.file().listen;
    if file.trusted_proxies.is_empty() && file.trusted_for != file::Listen::default().trusted_for {
        let advice = "name the networks of the proxies there, or leave this out";
        context.warn(
            key!(listen.trusted_for),
            "is not used without listen.trusted_proxies",
            advice,
        );
    }
    let names = |what: file::Believed| file.trusted_for.contains(&what);
    Believed {
        address: names(file::Believed::Address),
        scheme: names(file::Believed::Scheme),
        host: names(file::Believed::Host),
        request_id: names(file::Believed::RequestId),
        trace: names(file::Believed::Trace),
    }
}

fn limits(context: &mut Context<'_>) -> Limits {
    let file = &context.file().listen;
    for (key, duration) in [
        (key!(listen.handshake_timeout), file.handshake_timeout),
        (key!(listen.header_timeout), file.header_timeout),
        (key!(listen.idle_timeout), file.idle_timeout),
        (key!(listen.stall_timeout), file.stall_timeout),
        (key!(listen.drain_timeout), file.drain_timeout),
    ] {
        if duration.get().is_zero() {
            context.error(key, "is zero", "give a time such as \"10s\"");
        }
    }
    let numbers = [
        (key!(listen.max_connections), file.max_connections as u64),
        (key!(listen.max_header_fields), file.max_header_fields as u64),
        (key!(listen.max_target), file.max_target.bytes()),
        (key!(listen.max_body), file.max_body.bytes()),
        (key!(listen.http2_max_streams), file.http2_max_streams.into()),
        (key!(listen.http2_max_resets), file.http2_max_resets as u64),
        (key!(listen.http2_max_local_resets), file.http2_max_local_resets as u64),
    ];
    for (key, number) in numbers {
        if number == 0 {
            context.error(key, "is zero", "leave it out for the default");
        }
    }
    if !(SMALLEST_HEADER..=LARGEST_HEADER).contains(&file.max_header.bytes()) {
        let what = format!("{} is not between 8 KiB and 1 MiB", file.max_header);
        context.error(key!(listen.max_header), what, "leave it out for the default");
    } else if file.max_target > file.max_header {
        let what = format!("is more than the whole head may have, {}", file.max_header);
        context.error(key!(listen.max_target), what, "give at most listen.max_header");
    }
    if file.max_header_fields > MOST_FIELDS {
        let what = format!("{} fields are more than {MOST_FIELDS}", file.max_header_fields);
        context.error(key!(listen.max_header_fields), what, "leave it out for the default");
    }
    let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
    Limits {
        connections: file.max_connections,
        connections_per_address: file.max_connections_per_address,
        handshake_timeout: file.handshake_timeout.get(),
        header_timeout: file.header_timeout.get(),
        idle_timeout: file.idle_timeout.get(),
        stall_timeout: file.stall_timeout.get(),
        min_body_rate: file.min_body_rate,
        drain_delay: file.drain_delay.get(),
        drain_timeout: file.drain_timeout.get(),
        header_bytes: size(file.max_header.bytes()),
        header_fields: file.max_header_fields,
        target_bytes: size(file.max_target.bytes()),
        body_bytes: file.max_body.bytes(),
        http2: file.http2,
        http2_streams: file.http2_max_streams,
        http2_resets: file.http2_max_resets,
        http2_local_resets: file.http2_max_local_resets,
    }
}

/// hyper reads into no smaller buffer.
const SMALLEST_HEADER: u64 = 8 * 1024;

/// Each connection may come to hold as much.
const LARGEST_HEADER: u64 = 1024 * 1024;

#[cfg(test)]
mod tests;
