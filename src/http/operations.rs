//! The operations listener: health and readiness, on a port of its own.
//!
//! `/healthz` says that the process answers. `/readyz` says that it wants requests: not before it
//! has started, and no more once it stops. When the place where sessions are kept is away, it says so
//! in its text and stays 200: public pages go on, and so do sessions that are near. `/sessions` is for
//! operators ([`super::admin`]). Nothing here is answered on the public listeners.

use http::request::Parts;
use http::{Method, Request, Response, StatusCode};

use super::admin::{self, Admin};
use super::service::{Peer, Service};
use crate::base::body::{self, Body};
use crate::base::stop::Stop;
use crate::wire::incoming::Incoming;

/// Answers the operators' questions.
pub struct Operations {
    stop: Stop,
    admin: Admin,
}

impl Operations {
    /// Makes the service; it is ready until `stop` says otherwise.
    #[must_use]
    pub fn new(stop: Stop, admin: Admin) -> Self {
        Self { stop, admin }
    }
}

impl Service for Operations {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, body: Incoming, _peer: &Peer) -> Response<Body> {
        let request = Request::from_parts(*parts, body);
        if request.uri().path().starts_with(admin::PATH) {
            return self.admin.answer(request).await;
        }
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz" | "/startupz") => (StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") if self.stop.is_leaving() => {
                (StatusCode::SERVICE_UNAVAILABLE, "stopping\n")
            }
            (&Method::GET | &Method::HEAD, "/readyz") if self.admin.is_store_away() => {
                (StatusCode::OK, "ready, but the session store is away\n")
            }
            (&Method::GET | &Method::HEAD, "/readyz") => (StatusCode::OK, "ready\n"),
            _ => (StatusCode::NOT_FOUND, "not found\n"),
        };
        let mut response = Response::new(body::full(text));
        *response.status_mut() = status;
        response
    }
}
