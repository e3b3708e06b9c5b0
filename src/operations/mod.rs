//! The operations listener: health and readiness, on a port of its own.
//!
//! `/healthz` says that the process answers. `/readyz` says that it wants requests: not before it
//! has started, and no more once it stops. When the place where sessions are kept is away, or the
//! keys of identities cannot be kept there, it says so in its text and stays 200: public pages go on,
//! and so do sessions that are near. `/metrics`
//! has the numbers ([`crate::observe::metrics`]), in the text form of Prometheus or in that of
//! OpenMetrics. `/sessions` and `/keys` are for operators ([`crate::operations::sessions`],
//! [`crate::operations::keys`]). All three are answered
//! under the listener's own names alone, and so is `/probes` ([`crate::operations::probes`]): a foreign page whose name leads to this address would
//! read them in the operator's browser. Nothing here is answered on the public listeners.

pub mod address;
mod json;
pub mod keys;
pub mod probes;
pub mod sessions;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use tokio::sync::{Mutex, Semaphore};
use tracing::warn;

use self::keys::Keys;
use self::probes::ProbeDesk;
use self::sessions::Admin;
use crate::base::body::{self, Body};
use crate::base::shutdown::Shutdown;
use crate::observe::metrics::{Format, Scraper};
use crate::request::host;
use crate::request::probes::Probes;
use crate::request::service::{Peer, Service};
use crate::wire::incoming::Incoming;

/// Answers the operators' questions.
pub struct Operations {
    stop: Shutdown,
    admin: Admin,
    keys: Keys,
    scraper: Arc<Scraper>,
    probes: ProbeDesk,
    /// Names of hosts, beside addresses and `localhost`.
    hosts: Vec<String>,
    /// The wrong token that is answered next, and how many may wait for that.
    wrong: (Mutex<()>, Semaphore),
    /// One answer is made at a time, however many ask.
    turn: Arc<Mutex<()>>,
}

impl Operations {
    /// Makes the service; it is ready until `stop` says otherwise. `hosts` are names under which it
    /// is asked, beside addresses and `localhost`.
    #[must_use]
    pub fn new(
        stop: Shutdown,
        (admin, keys): (Admin, Keys),
        scraper: Scraper,
        hosts: Vec<String>,
        probes: &Arc<Probes>,
    ) -> Self {
        let wrong = (Mutex::new(()), Semaphore::new(MOST_WRONG));
        let (scraper, turn) = (Arc::new(scraper), Arc::default());
        let probes = ProbeDesk(Arc::clone(probes));
        Self { stop, admin, keys, scraper, probes, hosts, wrong, turn }
    }

    /// Answers what operators do with sessions and keys. Wrong tokens are answered one after the other, each
    /// after [`PAUSE`], so that few can be tried; a right one waits for none.
    async fn manage(&self, request: Request<Incoming>, peer: &Peer) -> Response<Body> {
        let has_token = request.headers().contains_key(AUTHORIZATION);
        let response = if request.uri().path().starts_with(keys::PATH) {
            self.keys.answer(request, peer.address.ip(), &self.admin).await
        } else {
            self.admin.answer(request).await
        };
        if response.status() != StatusCode::UNAUTHORIZED || !has_token {
            return response;
        }
        let Ok(_place) = self.wrong.1.try_acquire() else {
            return plain(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens, wait a moment\n");
        };
        let _turn = self.wrong.0.lock().await;
        warn!("somebody has a wrong token for the operations listener");
        tokio::time::sleep(PAUSE).await;
        response
    }

    /// Tells whether a request names us. Health says nothing that is worth hiding, and balancers
    /// ask for it under any name.
    fn is_meant(&self, parts: &Parts) -> bool {
        if matches!(parts.uri.path(), "/healthz" | "/readyz" | "/startupz") {
            return true;
        }
        let Ok(host) = host::canonical(parts, false) else {
            // A browser always says it; a program of old may not (RFC 1945).
            return parts.version < Version::HTTP_11 && !parts.headers.contains_key(HOST);
        };
        let name = host.name();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost"
            || address.parse::<IpAddr>().is_ok()
            || self.hosts.iter().any(|known| known == name)
    }

    async fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let (format, scraper) = (Format::accepted(accept), Arc::clone(&self.scraper));
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let text = tokio::task::spawn_blocking(move || {
            // Held to the end, although the client may have left.
            let _turn = turn;
            scraper.text(format)
        });
        let text = text.await;
        let Ok(Ok(text)) = text else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "numbers cannot be told\n");
        };
        let mut response = Response::new(body::full(text));
        let content_type = HeaderValue::from_static(format.content_type());
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Service for Operations {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Response<Body> {
        if !self.is_meant(&parts) {
            return plain(StatusCode::MISDIRECTED_REQUEST, NOT_MEANT);
        }
        let request = Request::from_parts(*parts, body);
        if [sessions::PATH, keys::PATH].iter().any(|path| request.uri().path().starts_with(path)) {
            return self.manage(request, peer).await;
        }
        if request.uri().path().starts_with(probes::PATH) {
            return self.probes.answer(&request);
        }
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => {
                return self.metrics(request.headers()).await;
            }
            (&Method::GET | &Method::HEAD, "/healthz" | "/startupz") => (StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") if self.stop.is_draining() => {
                (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
            }
            (&Method::GET | &Method::HEAD, "/readyz") if self.admin.is_store_away() => {
                (StatusCode::OK, "ready, but the session store is away\n")
            }
            (&Method::GET | &Method::HEAD, "/readyz") if !self.keys.are_kept() => {
                (StatusCode::OK, KEYS_APART)
            }
            (&Method::GET | &Method::HEAD, "/readyz") => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::NOT_FOUND, "not found\n"),
        };
        plain(status, text)
    }
}

/// How long a wrong token waits for its answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How many wrong tokens wait at once.
const MOST_WRONG: usize = 8;
/// What readiness says while a change of the keys would not reach other replicas, or has not yet.
const KEYS_APART: &str = "ready, but the keys of identities are not kept, see the log\n";
/// The text of status 421 (RFC 9110 15.5.20), for a request by another name.
const NOT_MEANT: &str =
    "this listener has another name: ask it by its address, or name this one in operations.hosts\n";

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    response
}
