//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: identity, origin, request id.
//! 3. The answer loses what could speak in our name, and what was made for one citizen is not
//!    stored by browsers unless the portal says otherwise.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{CACHE_CONTROL, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_http::timeout::TimeoutBody;

use self::upstream::{Group, Settings};
use crate::base::body::Body;
use crate::base::causes::in_one_line;
use crate::base::connector::{Connector, connector};
use crate::gate::Pass;
use crate::http::Gateway;
use crate::http::exchange::Exchange;
use crate::http::{host, hygiene};
use crate::identity::headers::ASSERTION;
use crate::identity::token;

pub mod upstream;

/// All portals behind us, by number.
pub struct Upstreams(Vec<Upstream>);

struct Upstream {
    group: Arc<Group>,
    client: Client<Connector, RequestBody>,
}

/// A request's body as it comes in, given up when nothing comes for a while.
type RequestBody = Pin<Box<TimeoutBody<Incoming>>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection, or it broke.
    #[error("upstream cannot be reached: {0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("upstream did not answer within {0:?}")]
    Slow(Duration),
    /// There is no server to ask.
    #[error("no server of the upstream can be asked: {0}")]
    NoServer(#[from] upstream::NoServer),
    /// The upstream has as many requests as it may have.
    #[error("upstream is busy: {0}")]
    Busy(#[from] upstream::Busy),
    /// The identity could not be signed.
    #[error("{0}")]
    Identity(#[from] token::Error),
}

impl Error {
    /// Returns the stable reason code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "upstream.unreachable",
            Self::Slow(_) => "upstream.timeout",
            Self::NoServer(refused) => refused.code(),
            Self::Busy(refused) => refused.code(),
            Self::Identity(_) => "identity.cannot_sign",
        }
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Upstreams {
    /// Makes a client for each portal.
    #[must_use]
    pub fn new(settings: Vec<Settings>) -> Self {
        let now = Instant::now();
        let groups = settings.into_iter().map(|settings| Group::new(settings, now));
        Self(groups.map(Upstream::new).collect())
    }

    /// Returns what they are balanced over.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.0.iter().map(|upstream| &upstream.group)
    }
}

impl Upstream {
    fn new(group: Arc<Group>) -> Self {
        let tls = group.settings().tls.as_ref().map(|tls| (*tls.config).clone());
        let mut tls = tls.unwrap_or_else(unused_tls);
        // The connector says what it speaks, and demands that nobody said it before.
        tls.alpn_protocols.clear();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(group.settings().pool.keep_alive)
            .set_host(false)
            .build(connector(tls, group.settings().timeouts.connect));
        Self { group, client }
    }
}

/// Settings of TLS for an upstream that has none. They would trust nobody.
fn unused_tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_protocol_versions(rustls::DEFAULT_VERSIONS)
    .expect("the provider has the default versions")
    .with_root_certificates(rustls::RootCertStore::empty())
    .with_no_client_auth()
}

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    gateway: &Gateway,
    pass: &Pass,
    exchange: &Exchange,
    body: Incoming,
) -> Result<Response<Body>, Error> {
    let upstream = &gateway.upstreams.0[pass.route().upstream];
    let request = request(gateway, pass, exchange, upstream, body)?;
    let timeout = upstream.group.settings().timeouts.response;
    let answer = match tokio::time::timeout(timeout, upstream.client.request(request)).await {
        Err(_) => return Err(Error::Slow(timeout)),
        Ok(Err(error)) => return Err(Error::Unreachable(in_one_line(&error))),
        Ok(Ok(answer)) => answer,
    };
    let (mut parts, body) = answer.into_parts();
    hygiene::clean_answer(&mut parts.headers, gateway.settings.cookies);
    if pass.live().is_some() {
        parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    }
    parts.version = Version::HTTP_11;
    Ok(Response::from_parts(parts, body.map_err(Into::into).boxed_unsync()))
}

fn request(
    gateway: &Gateway,
    pass: &Pass,
    exchange: &Exchange,
    upstream: &Upstream,
    body: Incoming,
) -> Result<Request<RequestBody>, Error> {
    let mut headers = exchange.parts.headers.clone();
    hygiene::strip_for_upstream(&mut headers, gateway.settings.cookies);
    if let Some(live) = pass.live() {
        let route = pass.route();
        let token = gateway.minter.token(
            live.key.bytes(),
            (route.release_number, &route.release),
            live.session.subject(),
            gateway.clock.now(),
        )?;
        headers.insert(ASSERTION, token);
    }
    // What the citizen's browser speaks, also when something in front of us ends TLS.
    let secure = gateway.settings.origin.starts_with("https://");
    let scheme = if secure { "https" } else { "http" };
    headers.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    for (name, text) in [
        (X_FORWARDED_FOR, exchange.peer.address.ip().to_string()),
        (X_REQUEST_ID, exchange.id.clone()),
    ] {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
    // The canonical name, so that the portal sees the host that the route was chosen by.
    let port = headers.get(HOST).and_then(|host| host.to_str().ok()).and_then(host::port);
    let authority =
        port.map_or_else(|| exchange.host.clone(), |port| format!("{}:{port}", exchange.host));
    if let Ok(host) = HeaderValue::try_from(authority) {
        headers.insert(HOST, host.clone());
        headers.insert(X_FORWARDED_HOST, host);
    }

    let mut uri = http::uri::Parts::default();
    let settings = upstream.group.settings();
    uri.scheme = Some(if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP });
    // Until connections are made by `upstream::dial`, the first server gets all requests.
    let server = settings.servers.first().map(|server| server.address.to_string());
    uri.authority = server.and_then(|server| Authority::try_from(server).ok());
    let target = exchange.parts.uri.path_and_query().cloned();
    uri.path_and_query = Some(target.unwrap_or(PathAndQuery::from_static("/")));
    let mut request = Request::new(Box::pin(TimeoutBody::new(settings.timeouts.idle, body)));
    *request.method_mut() = exchange.parts.method.clone();
    *request.uri_mut() =
        Uri::from_parts(uri).map_err(|error| Error::Unreachable(error.to_string()))?;
    *request.headers_mut() = headers;
    Ok(request)
}
