//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: identity, origin, request id.
//! 3. The answer loses what could speak in our name, and what was made for one citizen is not
//!    stored by browsers unless the portal says otherwise.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, HOST};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower_http::timeout::TimeoutBody;

use crate::base::body::Body;
use crate::base::causes::in_one_line;
use crate::base::connector::{Connector, connector};
use crate::gate::Pass;
use crate::gate::action::{Forward, HostHeader};
use crate::http::Gateway;
use crate::http::account::{Answered, Metered};
use crate::http::exchange::Exchange;
use crate::http::{forwarded, hygiene};
use crate::identity::headers::ASSERTION;
use crate::identity::token;

/// A portal behind us.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its name in the configuration.
    pub name: String,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Where it is.
    pub authority: Authority,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long it may take until the header of its answer is there.
    pub response_timeout: Duration,
}

/// All portals behind us, by number.
pub struct Upstreams(Vec<Upstream>);

struct Upstream {
    settings: Settings,
    /// What the access log calls it.
    server: Arc<str>,
    client: Client<Connector, RequestBody>,
}

/// A request's body as it comes in, given up when nothing comes for a while.
type RequestBody = Pin<Box<TimeoutBody<Metered<Incoming>>>>;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no connection, or it broke.
    #[error("upstream cannot be reached: {0}")]
    Unreachable(String),
    /// It takes too long.
    #[error("upstream did not answer within {0:?}")]
    Slow(Duration),
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
            Self::Identity(_) => "identity.cannot_sign",
        }
    }
}

/// How long a client may take between two pieces of a body.
const BODY_PATIENCE: Duration = Duration::from_secs(60);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Upstreams {
    /// Makes a client for each portal. TLS verifies against the given roots.
    #[must_use]
    pub fn new(settings: Vec<Settings>, tls: &rustls::ClientConfig) -> Self {
        Self(settings.into_iter().map(|settings| Upstream::new(settings, tls.clone())).collect())
    }
}

impl Upstream {
    fn new(settings: Settings, tls: rustls::ClientConfig) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .set_host(false)
            .build(connector(tls, settings.connect_timeout));
        let server = format!("{}/{}", settings.name, settings.authority).into();
        Self { settings, server, client }
    }
}

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    gateway: &Gateway,
    pass: &Pass,
    forward: &Forward,
    exchange: &Exchange,
    body: Incoming,
) -> Result<Response<Body>, Error> {
    let upstream = &gateway.upstreams.0[forward.upstream];
    let request = request(gateway, pass, forward, exchange, upstream, body)?;
    let timeout = forward.bounds.response_timeout.unwrap_or(upstream.settings.response_timeout);
    let asked = gateway.clock.now();
    let answer = match tokio::time::timeout(timeout, upstream.client.request(request)).await {
        Err(_) => return Err(Error::Slow(timeout)),
        Ok(Err(error)) => return Err(Error::Unreachable(in_one_line(&error))),
        Ok(Ok(answer)) => answer,
    };
    let first_byte = gateway.clock.now().duration_since(asked).unsigned_abs();
    let server = Arc::clone(&upstream.server);
    exchange.account.answered(Answered { server, connect: None, first_byte });
    let (mut parts, body) = answer.into_parts();
    hygiene::clean_answer(&mut parts.headers, gateway.settings.cookies);
    pass.route().response_headers.apply(&mut parts.headers);
    if pass.live().is_some() {
        parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    }
    parts.version = Version::HTTP_11;
    Ok(Response::from_parts(parts, body.map_err(Into::into).boxed_unsync()))
}

fn request(
    gateway: &Gateway,
    pass: &Pass,
    forward: &Forward,
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
    if let Ok(id) = HeaderValue::from_str(&exchange.id) {
        headers.insert(X_REQUEST_ID, id);
    }
    // The canonical name, so that the portal sees the host that the route was chosen by.
    let (client, host, route) = (&exchange.client, &exchange.host, pass.route());
    let standard = gateway.settings.edge.sends_forwarded;
    forwarded::announce(&mut headers, client, host, route.rewrite.prefix(), standard);
    let host = match &forward.host {
        HostHeader::Preserve => Ok(host.value().clone()),
        HostHeader::Upstream => HeaderValue::from_str(upstream.settings.authority.as_str()),
        HostHeader::Fixed(host) => Ok(host.clone()),
    };
    headers.insert(HOST, host.unwrap_or_else(|_| exchange.host.value().clone()));
    route.request_headers.apply(&mut headers);

    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(upstream.settings.scheme.clone());
    uri.authority = Some(upstream.settings.authority.clone());
    let target = exchange.parts.uri.path_and_query().cloned();
    let target = target.unwrap_or(PathAndQuery::from_static("/"));
    uri.path_and_query = Some(route.rewrite.target(&target).unwrap_or(target));
    let body = exchange.account.meter(body);
    let mut request = Request::new(Box::pin(TimeoutBody::new(BODY_PATIENCE, body)));
    *request.method_mut() = exchange.parts.method.clone();
    *request.uri_mut() =
        Uri::from_parts(uri).map_err(|error| Error::Unreachable(error.to_string()))?;
    *request.headers_mut() = headers;
    Ok(request)
}
