//! The gateway that a worker serves with at the moment. A new configuration takes its place
//! between two requests; those under way end with the one that they began with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use http::request::Parts;
use http::{Response, StatusCode};

use crate::base::body::Body;
use crate::http::Gateway;
use crate::http::service::{Answer, Peer, Service};
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

/// What one worker serves with.
pub(super) struct Current {
    gateway: ArcSwap<Gateway>,
    answered: Answered,
}

/// How many answers a worker gave, by the first digit of their status. Nobody else writes here, and
/// nothing else is near, so that counting one is a matter of nanoseconds.
#[derive(Default)]
#[repr(align(128))]
struct Answered([AtomicU64; CLASSES]);

/// The statuses from 100 to 599.
pub(super) const CLASSES: usize = 5;

impl Current {
    pub(super) fn new(gateway: Gateway) -> Arc<Self> {
        let gateway = ArcSwap::from_pointee(gateway);
        Arc::new(Self { gateway, answered: Answered::default() })
    }

    /// Returns how many answers it gave, by class.
    pub(super) fn answered(&self) -> [u64; CLASSES] {
        self.answered.0.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    #[inline]
    fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(count) = self.answered.0.get(class.wrapping_sub(1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the gateway of the moment.
    pub(super) fn gateway(&self) -> Arc<Gateway> {
        self.gateway.load_full()
    }

    /// Serves with another gateway from the next request on.
    pub(super) fn replace(&self, gateway: Gateway) {
        self.gateway.store(Arc::new(gateway));
    }
}

impl Service for Current {
    type Said = Answer;

    async fn call(&self, parts: Box<Parts>, body: Incoming, peer: &Peer) -> Answer {
        let answer = self.gateway().call(parts, body, peer).await;
        self.count(answer.response.status());
        answer
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        let response = self.gateway().refuse(refusal, peer, wants_page);
        self.count(response.status());
        response
    }
}

/// Sends everybody to https, by whatever gateway is the present one.
pub(super) struct ToHttps(pub(super) Arc<Current>);

impl Service for ToHttps {
    type Said = Answer;

    async fn call(&self, parts: Box<Parts>, _: Incoming, peer: &Peer) -> Answer {
        let answer = self.0.gateway().to_https(parts, peer);
        self.0.count(answer.response.status());
        answer
    }

    fn refuse(&self, refusal: Refusal, peer: &Peer, wants_page: bool) -> Response<Body> {
        self.0.refuse(refusal, peer, wants_page)
    }
}
