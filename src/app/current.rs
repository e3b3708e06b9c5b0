//! The gateway that a worker serves with at the moment. A new configuration takes its place
//! between two requests; those under way end with the one that they began with.

use std::sync::Arc;

use arc_swap::ArcSwap;
use http::Response;
use http::request::Parts;

use super::acme::Challenges;
use crate::base::body::Body;
use crate::companion::Present;
use crate::gateway::Worker;
use crate::request::service::{Peer, Service, ServiceResponse};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

/// What one worker serves with.
pub(super) struct Current(ArcSwap<Worker>);

impl Current {
    pub(super) fn new(worker: Worker) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(worker)))
    }

    /// Returns what it serves with at the moment.
    pub(super) fn worker(&self) -> Arc<Worker> {
        self.0.load_full()
    }

    /// Serves with something else from the next request on.
    pub(super) fn replace(&self, worker: Worker) {
        self.0.store(Arc::new(worker));
    }
}

impl Present for Current {
    fn present(&self) -> Arc<Worker> {
        self.worker()
    }
}

impl Service for Current {
    type Said = ServiceResponse;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> ServiceResponse {
        self.worker().call(parts, body, peer).await
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        self.worker().refuse(refusal, peer, wants_page)
    }
}

/// Sends every client to https, by whatever gateway is the present one. The authority that issues
/// certificates is answered here.
pub(super) struct ToHttps {
    pub(super) current: Arc<Current>,
    /// What the authority asks that issues certificates.
    pub(super) challenges: Option<Arc<Challenges>>,
}

impl Service for ToHttps {
    type Said = ServiceResponse;

    async fn call(&self, parts: Box<Parts>, _: Incoming, peer: &Peer) -> ServiceResponse {
        let asked = |all: &Arc<Challenges>| all.answer(&parts.method, parts.uri.path());
        match self.challenges.as_ref().and_then(asked) {
            Some(answer) => self.current.worker().answer(parts, peer, answer),
            None => self.current.worker().to_https(parts, peer),
        }
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        self.current.refuse(refusal, peer, wants_page)
    }
}
