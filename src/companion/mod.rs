//! Answers to another proxy that stands in front and asks: may this request pass, and as whom?
//!
//! 1. Each proxy in front has a listener of its own, with nothing else on it: at some of them a
//!    client has a say in the path that is asked here, and all of them take a 200 for a yes. Who may
//!    ask is settled where connections are taken ([`Askers`]), before anything is read of them.
//! 2. [`front`] says how each kind of proxy asks and how it wants to be answered. What it asks about
//!    is read from the one documented place of that kind ([`auth_request`], [`forward_auth`],
//!    [`ext_authz`]); [`asked`] holds whatever else claims the same against it ([`naming`]).
//! 3. [`decision`] is the one way from a question to an answer. It does what every door does
//!    ([`crate::gateway::decide`]), and has no rule of its own.
//! 4. Yes is 200 with one signed identity that is not empty, of a citizen or of nobody, and every
//!    other field of the route. Everything else is a no, an error of ours above all ([`denial`]).
//!    No answer sets a cookie: a login begins at our own places, to which the proxy leads.

pub mod asked;
pub mod auth_request;
pub mod decision;
pub mod denial;
pub mod error;
pub mod ext_authz;
pub mod forward_auth;
pub mod front;
pub mod naming;

use std::sync::Arc;

use http::Response;
use http::request::Parts;

use self::error::Error;
use self::front::{Front, Kind};
use crate::base::body::Body;
use crate::base::shutdown::Shutdown;
use crate::gateway::Worker;
use crate::request::networks::Networks;
use crate::request::service::{Peer, Service, ServiceResponse};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

/// Has the gateway that a worker serves with at the moment.
pub trait Present: Send + Sync + 'static {
    /// Returns it.
    fn present(&self) -> Arc<Worker>;
}

/// Who may ask at a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Askers {
    /// Whoever reaches it: a file with rights, or a certificate, stands before it.
    WhoeverReachesIt,
    /// Proxies in these networks.
    Networks(Networks),
}

/// What serves a listener that a proxy in front asks.
#[derive(Debug)]
pub struct Companion<P> {
    current: Arc<P>,
    front: Front,
    stop: Shutdown,
}

impl<P: Present> Companion<P> {
    /// Serves one kind of proxy, by whatever gateway is the present one, until it stops.
    #[must_use]
    pub fn new(current: Arc<P>, front: Front, stop: Shutdown) -> Self {
        Self { current, front, stop }
    }

    async fn answer(
        &self,
        worker: &Worker,
        parts: Box<Parts>,
        body: Incoming,
        peer: &Peer,
    ) -> Response<Body> {
        // 1. What is asked about?
        let trusted = &worker.shared.settings.edge.trusted;
        let question = match self.front.kind() {
            Kind::ExtAuthzGrpc => {
                return ext_authz::grpc::answer(worker, parts, body, peer, &self.stop).await;
            }
            Kind::ExtAuthzHttp => ext_authz::http::read(&parts, self.front.path(), trusted),
            Kind::AuthRequest(_) | Kind::ForwardAuth if parts.uri.path() != self.front.path() => {
                Err(Error::Elsewhere(self.front.path()).into())
            }
            Kind::AuthRequest(source) => auth_request::read(&parts, source, trusted),
            Kind::ForwardAuth => forward_auth::read(&parts, trusted),
        };
        // 2. May it pass, and as whom?
        match question {
            Ok(question) => {
                decision::answer(worker, self.front, question.about(parts, peer), peer).await
            }
            Err(failure) => self.front.refusal(decision::refuse(worker, parts, peer, &failure)),
        }
    }
}

impl<P: Present> Service for Companion<P> {
    type Said = ServiceResponse;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> ServiceResponse {
        let worker = self.current.present();
        self.answer(&worker, parts, body, peer).await.into()
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        self.front.refusal(self.current.present().refuse(refusal, peer, wants_page))
    }
}
