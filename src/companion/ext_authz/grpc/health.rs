//! `grpc.health.v1.Health`: whether the gateway wants questions, as readiness says it at the
//! operations listener.
//!
//! 1. It is served while it is not about to stop and the store of sessions is there.
//! 2. Who watches is told at once and at each change, which is looked for every [`LOOK`]. A watch
//!    ends when the gateway is about to stop, so that it holds nothing up.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use prost::Message as _;

use super::framing::{self, Code};
use super::messages::{HealthCheckRequest, HealthCheckResponse};
use crate::base::body::{Body, BoxError};
use crate::base::shutdown::Shutdown;
use crate::gateway::Worker;
use crate::session::sessions::Sessions;
use crate::wire::incoming::Incoming;

pub(super) const CHECK: &str = "/grpc.health.v1.Health/Check";
pub(super) const WATCH: &str = "/grpc.health.v1.Health/Watch";

/// The services that there are; the first stands for all.
const SERVICES: [&str; 3] = ["", "envoy.service.auth.v3.Authorization", "grpc.health.v1.Health"];
/// How often a change is looked for.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serving {
    Yes = 1,
    No = 2,
    UnknownService = 3,
}

impl Serving {
    fn message(self) -> HealthCheckResponse {
        HealthCheckResponse { status: self as i32 }
    }
}

/// What is watched.
struct Health {
    sessions: Arc<Sessions>,
    stop: Shutdown,
    is_known: bool,
    told: Option<Serving>,
    is_over: bool,
}

impl Health {
    fn of(worker: &Worker, service: &str, stop: &Shutdown) -> Self {
        Self {
            sessions: Arc::clone(&worker.shared.flows.sessions),
            stop: stop.clone(),
            is_known: SERVICES.contains(&service),
            told: None,
            is_over: false,
        }
    }

    fn now(&self) -> Serving {
        match self.stop.is_draining() || self.sessions.is_away() {
            _ if !self.is_known => Serving::UnknownService,
            true => Serving::No,
            false => Serving::Yes,
        }
    }

    /// Waits for a change, and returns what is to be sent then.
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, BoxError>, Self)> {
        if self.is_over {
            return None;
        }
        loop {
            let now = self.now();
            if self.told != Some(now) {
                self.told = Some(now);
                return Some((Ok(Frame::data(framing::framed(&now.message()))), self));
            }
            if self.stop.is_draining() {
                self.is_over = true;
                return Some((Ok(Frame::trailers(framing::end(Some(Code::Unavailable)))), self));
            }
            tokio::select! {
                () = self.stop.wait_draining() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}

/// Answers `Check`.
pub(super) async fn check(
    worker: &Worker,
    headers: &HeaderMap,
    body: Incoming,
    stop: &Shutdown,
) -> Response<Body> {
    let Some(request) = read(headers, body).await else { return unreadable() };
    match Health::of(worker, &request.service, stop).now() {
        Serving::UnknownService => framing::failed(Code::NotFound, "there is no such service"),
        serving => framing::answer(&serving.message()),
    }
}

/// Answers `Watch`.
pub(super) async fn watch(
    worker: &Worker,
    headers: &HeaderMap,
    body: Incoming,
    stop: &Shutdown,
) -> Response<Body> {
    let Some(request) = read(headers, body).await else { return unreadable() };
    let health = Health::of(worker, &request.service, stop);
    framing::streamed(StreamBody::new(stream::unfold(health, Health::next)))
}

async fn read(headers: &HeaderMap, body: Incoming) -> Option<HealthCheckRequest> {
    HealthCheckRequest::decode(framing::read(headers, body).await.ok()?).ok()
}

fn unreadable() -> Response<Body> {
    framing::failed(Code::InvalidArgument, "the message cannot be read")
}
