//! The operations listener: health and readiness, on a port of its own.
//!
//! Health ([`crate::operations::health`]) is asked for by balancers and orchestrators. `/metrics`
//! has the numbers ([`crate::observe::metrics`]), in the text form of Prometheus or in that of
//! OpenMetrics. `/sessions`, `/keys`, `/why` and `/capture` are for operators ([`crate::operations::sessions`],
//! [`crate::operations::keys`], [`crate::operations::why`], [`crate::operations::capture`]). All of them are answered
//! under the listener's own names alone, and so is `/probes` ([`crate::operations::probes`]): a foreign page whose name leads to this address would
//! read them in the operator's browser. Nothing here is answered on the public listeners.

pub mod address;
pub mod capture;
pub mod health;
mod json;
pub mod keys;
pub mod probes;
pub mod sessions;
pub mod why;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use tokio::sync::{Mutex, Semaphore};
use tracing::warn;

use self::capture::CaptureDesk;
use self::health::Health;
use self::keys::Keys;
use self::probes::ProbeDesk;
use self::sessions::Admin;
use self::why::Why;
use crate::base::body::{self, Body};
use crate::observe::metrics::{Format, Scraper};
use crate::request::host;
use crate::request::probes::Probes;
use crate::request::service::{Peer, Service};
use crate::wire::incoming::Incoming;

/// Answers the operators' questions.
pub struct Operations {
    health: Arc<dyn Health>,
    admin: Admin,
    keys: Keys,
    why: Why,
    capture: CaptureDesk,
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
    /// Makes the service; `health` knows how the gateway is. `hosts` are names under which it is asked,
    /// beside addresses and `localhost`.
    #[must_use]
    pub fn new(
        health: Arc<dyn Health>,
        (admin, keys, why, capture): (Admin, Keys, Why, CaptureDesk),
        scraper: Scraper,
        hosts: Vec<String>,
        probes: &Arc<Probes>,
    ) -> Self {
        let wrong = (Mutex::new(()), Semaphore::new(MOST_WRONG));
        let (scraper, turn) = (Arc::new(scraper), Arc::default());
        let probes = ProbeDesk(Arc::clone(probes));
        Self { health, admin, keys, why, capture, scraper, probes, hosts, wrong, turn }
    }

    /// Answers what operators do with sessions and keys. Wrong tokens are answered one after the other, each
    /// after [`PAUSE`], so that few can be tried; a right one waits for none.
    async fn manage(&self, request: Request<Incoming>, peer: &Peer) -> Response<Body> {
        let has_token = request.headers().contains_key(AUTHORIZATION);
        let path = request.uri().path();
        let response = if path.starts_with(keys::PATH) {
            self.keys.answer(request, peer.address.ip(), &self.admin).await
        } else if path.starts_with(why::PATH) {
            self.why.answer(request, &self.admin).await
        } else if path.starts_with(capture::PATH) {
            self.capture.answer(request, &self.admin).await
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

    /// Tells whether a request names us. Health as a whole says nothing that is worth hiding, and
    /// balancers ask for it under any name.
    fn is_meant(&self, parts: &Parts) -> bool {
        if health::is_asked(parts.uri.path()) && !health::is_verbose(parts.uri.query()) {
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
        if ADMIN_PATHS.iter().any(|path| request.uri().path().starts_with(path)) {
            return self.manage(request, peer).await;
        }
        if request.uri().path().starts_with(probes::PATH) {
            return self.probes.answer(&request);
        }
        let asked = (request.method(), request.uri().path());
        if let (&Method::GET | &Method::HEAD, "/metrics") = asked {
            return self.metrics(request.headers()).await;
        }
        match health::answer(asked, request.uri().query(), &*self.health) {
            Some((status, text)) => state(status, text),
            None => plain(StatusCode::NOT_FOUND, "not found\n"),
        }
    }
}

/// What nothing is told or done about without the operators' token.
const ADMIN_PATHS: [&str; 4] = [sessions::PATH, keys::PATH, why::PATH, capture::PATH];
/// How long a wrong token waits for its answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How many wrong tokens wait at once.
const MOST_WRONG: usize = 8;
/// The text of status 421 (RFC 9110 15.5.20), for a request by another name.
const NOT_MEANT: &str =
    "this listener has another name: ask it by its address, or name this one in operations.hosts\n";

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    response
}

/// A state is that of now: nothing between keeps it, and no browser takes it for a page.
fn state(status: StatusCode, text: String) -> Response<Body> {
    let mut response = plain(status, text);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
