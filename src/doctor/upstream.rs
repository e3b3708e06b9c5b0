//! The servers behind, each as the gateway reaches it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{HOST, USER_AGENT};
use http_body_util::Full;
use tokio::time::timeout;

use super::check::{Check, Group};
use super::exchange::{self, Answer, NoAnswer};
use super::finding::Findings;
use super::network::{self, Place};
use super::options::Options;
use super::site::AGENT;
use super::tls::{self, Failed};
use crate::app::Settings;
use crate::proxy::upstream::{
    self, DialError, Dialled, Endpoint, Protocol, ServerAddress, ServerSettings, Spoken, dial,
};
use crate::wire::stream::Stream;

/// The most servers of one upstream that are asked.
const MOST: usize = 16;

/// A server that answered, by the number of its upstream.
#[derive(Debug)]
pub(super) struct Reached {
    pub(super) upstream: usize,
    pub(super) endpoint: Endpoint,
    pub(super) server: ServerSettings,
}

pub(super) async fn examine(
    options: &Options,
    settings: &Settings,
    findings: &mut Findings,
) -> Vec<Reached> {
    let mut reached = Vec::new();
    for (number, upstream) in settings.upstreams.iter().enumerate() {
        for server in upstream.servers.iter().take(MOST) {
            let about = format!("{} ({})", upstream.name, server.address);
            let time = options.timeout.min(upstream.timeouts.connect);
            let found = one(upstream, server, (&about, time), findings).await;
            if let Some(endpoint) = found {
                let server = server.clone();
                reached.push(Reached { upstream: number, endpoint, server });
            }
        }
        if let Some(left) = upstream.servers.len().checked_sub(MOST).filter(|left| *left > 0) {
            let why = format!("{left} more servers are not asked");
            findings.not_examined(Check::UpstreamAnswers, &upstream.name, why);
        }
    }
    if settings.upstreams.is_empty() {
        findings.fill(&[Group::Upstream], "there is no [[upstream]]");
    }
    reached
}

/// Asks one server all the way.
async fn one(
    upstream: &upstream::Settings,
    server: &ServerSettings,
    (about, time): (&str, Duration),
    findings: &mut Findings,
) -> Option<Endpoint> {
    let skipped = |findings: &mut Findings, why: &str| {
        for check in
            [Check::UpstreamDns, Check::UpstreamTcp, Check::UpstreamTls, Check::UpstreamAnswers]
        {
            if !findings.iter().any(|found| found.check == check && found.about == about) {
                findings.not_examined(check, about, why);
            }
        }
    };
    let Some(endpoint) = endpoint(server, (about, time), findings).await else {
        skipped(findings, "the server is not reached");
        return None;
    };
    let dialled = match open(upstream, server, &endpoint, time).await {
        Ok(dialled) => dialled,
        Err(error) => {
            not_dialled(&error, about, findings);
            skipped(findings, "there is no connection to ask on");
            return None;
        }
    };
    if upstream.tls.is_some() {
        findings.ok(Check::UpstreamTls, about, "its certificate is believed");
    } else {
        findings.not_examined(Check::UpstreamTls, about, "it is spoken to without TLS");
    }
    if dialled.spoken == Spoken::Http2 {
        let why = "it speaks HTTP/2; that it takes connections is all that is looked at";
        findings.not_examined(Check::UpstreamAnswers, about, why);
        return Some(endpoint);
    }
    let health = upstream.health.as_ref();
    let path = health.map_or("/", |health| &*health.path);
    let host = health.and_then(|health| health.host.as_ref()?.to_str().ok().map(str::to_owned));
    let host = host.unwrap_or_else(|| server.address.authority());
    let request = Request::get(path).header(HOST, host).header(USER_AGENT, AGENT);
    let request = request.body(Full::<Bytes>::default()).unwrap_or_default();
    let answer = ask(dialled.stream, request, time.max(health.map_or(time, |h| h.timeout))).await;
    answers(&answer, path, upstream, about, findings);
    Some(endpoint)
}

async fn endpoint(
    server: &ServerSettings,
    (about, time): (&str, Duration),
    findings: &mut Findings,
) -> Option<Endpoint> {
    let (host, port) = match &server.address {
        ServerAddress::Unix(path) => {
            let why = "it is a socket in the file system";
            findings.not_examined(Check::UpstreamDns, about, why);
            let connecting = tokio::net::UnixStream::connect(path);
            let tried = match timeout(time, connecting).await {
                Ok(tried) => tried.map_err(|error| error.to_string()),
                Err(_) => Err(format!("no answer within {time:?}")),
            };
            return match tried {
                Ok(_) => {
                    findings.ok(Check::UpstreamTcp, about, "the socket takes connections");
                    Some(Endpoint::Unix(Arc::from(&**path)))
                }
                Err(error) => {
                    let advice = "start the server behind, and look at the rights of the socket: this \
                                  user must be able to write to it";
                    findings.problem(Check::UpstreamTcp, about, error, advice);
                    None
                }
            };
        }
        ServerAddress::Name { host, port } => (host.clone(), *port),
        ServerAddress::Socket(address) => (address.ip().to_string(), address.port()),
    };
    let place = Place { about, host: &host, port };
    let addresses = network::resolve(Check::UpstreamDns, place, time, findings).await?;
    let first: SocketAddr =
        network::connect(Check::UpstreamTcp, about, &addresses, time, findings).await?;
    Some(Endpoint::Tcp(first))
}

/// Connects as the gateway does.
pub(super) async fn open(
    upstream: &upstream::Settings,
    server: &ServerSettings,
    endpoint: &Endpoint,
    time: Duration,
) -> Result<Dialled, DialError> {
    let name = server.address.tls_name();
    let tls = upstream.tls.as_ref();
    let tls = tls.map(|tls| (&tls.config, tls.server_name.as_ref().or(name.as_ref())));
    // What can be asked in HTTP/1.1 is.
    let protocol = match upstream.protocol {
        Protocol::Http2 => Protocol::Http2,
        Protocol::Http1 | Protocol::Auto => Protocol::Http1,
    };
    dial(endpoint, tls, protocol, time).await
}

fn not_dialled(error: &DialError, about: &str, findings: &mut Findings) {
    let check = Check::UpstreamTls;
    let advice = "look at the keys tls_* of this upstream";
    match error {
        DialError::Io(error) => match tls::failed(error) {
            Failed::Refused(seen, advice) | Failed::Broken(seen, advice) => {
                findings.problem(check, about, seen, advice);
            }
            Failed::OfOurs(alert) => {
                let seen = format!("it refuses our client certificate, or misses one ({alert:?})");
                let advice = "look at tls_client_certificate of this upstream";
                findings.problem(check, about, seen, advice);
            }
        },
        other => findings.problem(check, about, other.to_string(), advice),
    }
}

/// Asks on a connection, whatever it runs over.
pub(super) async fn ask(
    stream: Stream,
    request: Request<Full<Bytes>>,
    time: Duration,
) -> Result<Answer, NoAnswer> {
    match stream {
        Stream::Tcp(stream) => exchange::ask(stream, request, time).await,
        Stream::Unix(stream) => exchange::ask(stream, request, time).await,
        Stream::Tls(stream) => exchange::ask(*stream, request, time).await,
    }
}

fn answers(
    answer: &Result<Answer, NoAnswer>,
    path: &str,
    upstream: &upstream::Settings,
    about: &str,
    findings: &mut Findings,
) {
    let check = Check::UpstreamAnswers;
    let answer = match answer {
        Ok(answer) => answer,
        Err(none) => {
            let advice = "something takes connections there and does not answer in HTTP: look whether \
                          it is the portal, and whether it wants TLS (https:// in the url)";
            return findings.problem(check, about, none.to_string(), advice);
        }
    };
    let seen = format!("GET {path} is answered by {}", answer.told());
    if answer.status == http::StatusCode::BAD_REQUEST && answer.text().contains("HTTPS port") {
        let advice = "the server wants TLS: write https:// in the url of this upstream";
        return findings.problem(check, about, seen, advice);
    }
    let is_well = upstream.health.as_ref().map(|health| health.accepts(answer.status));
    match (is_well, answer.status.as_u16()) {
        (Some(false), _) => {
            let advice = "its health check takes that for ill, so it gets no requests";
            findings.problem(check, about, seen, advice);
        }
        (None, 502..=504) => {
            let advice = "the portal says itself that it cannot serve: look at its log";
            findings.problem(check, about, seen, advice);
        }
        (None, 500..) => findings.warning(check, about, seen, "look at the log of the portal"),
        _ => findings.ok(check, about, seen),
    }
}
