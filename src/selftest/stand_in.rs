//! What stands in for a portal: it writes down what reaches it, and answers with a short page.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response};

use crate::base::body::{self, Body};
use crate::server::listener::{Peer, Service};
use crate::wire::incoming::Incoming;

/// A request that reached a portal.
#[derive(Debug, Clone)]
pub(super) struct Told {
    /// The name of the upstream.
    pub(super) upstream: String,
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What reached all portals, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Vec<Told>>>);

impl Notes {
    /// Takes what was written down so far.
    pub(super) fn take(&self) -> Vec<Told> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, told: Told) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < MAX_NOTES {
            notes.push(told);
        }
    }
}

/// One portal, in the place of an upstream.
#[derive(Debug)]
pub(super) struct StandIn {
    pub(super) upstream: String,
    pub(super) notes: Notes,
}

impl Service for StandIn {
    type Said = Response<Body>;

    async fn call(&self, parts: Box<Parts>, incoming: Incoming, _peer: &Peer) -> Response<Body> {
        let body = body::read(incoming, MAX_BODY).await.unwrap_or_default();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let Parts { method, headers, .. } = *parts;
        let upstream = self.upstream.clone();
        self.notes.add(Told { upstream, method, target, headers, body });
        let mut response = Response::new(body::full(PAGE));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, html);
        response
    }
}

/// What a citizen sees at the portal.
pub(super) const PAGE: &str = "<!DOCTYPE html><html lang=\"pl\"><title>brama selftest</title><p>brama-selftest-portal</p></html>";
/// The most requests that are written down between two looks.
const MAX_NOTES: usize = 1000;
/// The most bytes of a body that are read.
const MAX_BODY: usize = 64 * 1024;
