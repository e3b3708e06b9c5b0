//! The operations listener: health and readiness, on a port of its own.
//!
//! `/healthz` says that the process answers. `/readyz` says that it wants requests: not before it
//! has started, and no more once it stops. When the place where sessions are kept is away, it says
//! so in its text and stays 200: public pages go on, and so do sessions that are near. `/metrics`
//! has the numbers ([`crate::observe::metrics`]), in the text form of Prometheus or in that of
//! OpenMetrics. `/sessions` is for operators ([`crate::operations::sessions`]). Nothing here is
//! answered on the public listeners.

pub mod sessions;

use std::sync::Arc;

use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tokio::sync::Mutex;

use self::sessions::Admin;
use crate::base::body::{self, Body};
use crate::base::shutdown::Shutdown;
use crate::observe::metrics::{Format, Scraper};
use crate::request::service::{Peer, Service};
use crate::wire::incoming::Incoming;

/// Answers the operators' questions.
pub struct Operations {
    stop: Shutdown,
    admin: Admin,
    scraper: Arc<Scraper>,
    /// One answer is made at a time, however many ask.
    turn: Arc<Mutex<()>>,
}

impl Operations {
    /// Makes the service; it is ready until `stop` says otherwise.
    #[must_use]
    pub fn new(stop: Shutdown, admin: Admin, scraper: Scraper) -> Self {
        Self { stop, admin, scraper: Arc::new(scraper), turn: Arc::default() }
    }

    async fn metrics(&self, headers: &HeaderMap) -> Response<Body> {
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        let (format, scraper) = (Format::accepted(accept), Arc::clone(&self.scraper));
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let text = tokio::task::spawn_blocking(move || {
            // Held to the end, although whoever asked may have left.
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

    async fn call(&self, parts: Box<Parts>, body: Incoming, _peer: &Peer) -> Response<Body> {
        let request = Request::from_parts(*parts, body);
        if request.uri().path().starts_with(sessions::PATH) {
            return self.admin.answer(request).await;
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
            (&Method::GET | &Method::HEAD, "/readyz") => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::NOT_FOUND, "not found\n"),
        };
        plain(status, text)
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    response
}
