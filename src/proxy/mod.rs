//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: identity, origin, request id ([`request`]).
//! 3. It is sent once more when the connection proved dead before a byte was answered, and only
//!    if it is safe to repeat ([`attempt`]).
//! 4. The answer loses what could speak in our name, and what was made for one citizen is not
//!    stored by browsers unless the portal says otherwise.

mod answer_body;
mod attempt;
mod connect;
mod connection;
mod error;
mod pool;
mod pump;
mod request;
mod tunnel;

use std::sync::Arc;
use std::time::Duration;

use http::header::CACHE_CONTROL;
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Response, StatusCode};
use rustls::pki_types::ServerName;

use self::connect::{Endpoint, Tls};
pub use self::error::Error;
use self::pool::Pool;
use crate::base::body::Body;
use crate::gate::Pass;
use crate::http::Gateway;
use crate::http::exchange::Exchange;
use crate::http::hygiene;
use crate::wire::incoming::Incoming;

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

/// All portals behind us, by number, with the connections of one worker.
pub struct Upstreams(Vec<Upstream>);

pub(crate) struct Upstream {
    settings: Settings,
    endpoint: Arc<Endpoint>,
    tls: Option<Tls>,
    pool: Arc<Pool>,
}

impl Upstreams {
    /// Makes empty pools. TLS verifies against the given roots.
    #[must_use]
    pub fn new(settings: Vec<Settings>, tls: &rustls::ClientConfig) -> Self {
        let tls = Arc::new(tls.clone());
        Self(settings.into_iter().map(|settings| Upstream::new(settings, &tls)).collect())
    }

    /// Makes empty pools for another worker.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self(self.0.iter().map(Upstream::for_worker).collect())
    }

    /// Makes upstreams by new settings for the same worker.
    #[must_use]
    pub fn renewed(&self, settings: Vec<Settings>, tls: &rustls::ClientConfig) -> Self {
        Self::new(settings, tls)
    }

    /// Closes connections that waited too long.
    pub fn sweep(&self) {
        for upstream in &self.0 {
            upstream.pool.sweep();
        }
    }
}

impl Upstream {
    fn new(settings: Settings, tls: &Arc<rustls::ClientConfig>) -> Self {
        let host = settings.authority.host().trim_matches(['[', ']']).to_owned();
        let is_tls = settings.scheme == Scheme::HTTPS;
        let port = settings.authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let tls = ServerName::try_from(host.clone())
            .ok()
            .filter(|_| is_tls)
            .map(|name| Tls { config: Arc::clone(tls), name });
        let endpoint = Arc::new(Endpoint::Tcp(host, port));
        Self { settings, endpoint, tls, pool: Pool::new(Duration::from_secs(30), 1024) }
    }
}

impl Upstream {
    fn for_worker(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            endpoint: Arc::clone(&self.endpoint),
            tls: self.tls.clone(),
            pool: Pool::new(Duration::from_secs(30), 1024),
        }
    }
}

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    gateway: &Gateway,
    pass: &Pass,
    exchange: &mut Exchange,
    body: Incoming,
) -> Result<Response<Body>, Error> {
    let upstream = &gateway.upstreams.0[pass.route().upstream];
    // 1. What goes out, and what comes back.
    let request = request::compose(gateway, pass, exchange, body)?;
    let answered = attempt::run(upstream, request).await?;

    // 2. The answer is cleaned.
    let mut response = Response::new(());
    *response.status_mut() = answered.head.status;
    let (mut parts, ()) = response.into_parts();
    let mut answered = answered;
    parts.headers = std::mem::take(&mut answered.head.headers);
    if parts.status == StatusCode::SWITCHING_PROTOCOLS {
        return Ok(tunnel::open(gateway, pass, parts, answered.connection));
    }
    hygiene::clean_answer(&mut parts.headers, gateway.settings.cookies);
    if pass.live().is_some() {
        parts.headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
    }

    // 3. The body follows as it comes.
    let idle = upstream.settings.response_timeout;
    let (pool, endpoint) = (Arc::clone(&upstream.pool), Arc::clone(&upstream.endpoint));
    let body = answer_body::read(answered, pool, endpoint, idle);
    Ok(Response::from_parts(parts, body))
}
