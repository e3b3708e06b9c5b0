//! What happens to a request over HTTP/2, from its head to the last byte of its answer.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::request::Parts;
use http::{Method, Response};
use hyper::body::Body as _;
use tracing::debug;

use super::presence::{Open, Presence};
use super::sending::{self, Sending};
use super::{answer, cookies};
use crate::base::body::Body;
use crate::base::shutdown::Shutdown;
use crate::request::service::{Peer, Service, ServiceResponse};
use crate::server::limits::Limits;
use crate::wire::framing;
use crate::wire::incoming::Incoming;
use crate::wire::refusal::Refusal;

/// What all requests of a connection have in common.
pub(super) struct Common<S> {
    pub(super) service: Arc<S>,
    pub(super) peer: Peer,
    pub(super) limits: Limits,
    pub(super) stop: Shutdown,
    pub(super) presence: Arc<Presence>,
}

/// A request under way.
pub(super) struct Exchange<S> {
    pub(super) common: Arc<Common<S>>,
    pub(super) respond: SendResponse<Bytes>,
    pub(super) open: Open,
}

impl<S: Service> Exchange<S> {
    /// Has a request answered. It is given up when the client takes it back.
    pub(super) async fn run(mut self, mut parts: Box<Parts>, body: RecvStream) {
        cookies::join(&mut parts.headers);
        let is_head = parts.method == Method::HEAD;
        let body = match parts.method {
            // There is none (RFC 9113 8.5): what comes is for whom it would lead to.
            Method::CONNECT => Incoming::empty(),
            _ if body.is_end_stream() => Incoming::empty(),
            _ => {
                let slowest = self.common.limits.slowest_request(&parts.headers);
                Incoming::http2(body, framing::length(&parts.headers), slowest)
            }
        };
        if let Some(answer) = self.ask(parts, body).await {
            self.answer(answer, is_head).await;
        }
    }

    /// Refuses what cannot be read as a request.
    pub(super) async fn refuse(self, refusal: Refusal) {
        let answer = self.common.service.refuse(refusal, &self.common.peer, false);
        self.answer(answer.into(), false).await;
    }

    /// Asks the service; `None` when the client took the request back meanwhile.
    pub(super) async fn ask(
        &mut self,
        parts: Box<Parts>,
        body: Incoming,
    ) -> Option<ServiceResponse> {
        let Self { common, respond, .. } = self;
        let mut said = pin!(common.service.call(parts, body, &common.peer));
        poll_fn(|cx| match said.as_mut().poll(cx) {
            Poll::Ready(said) => Poll::Ready(Some(said.into())),
            Poll::Pending => respond.poll_reset(cx).map(|_| None),
        })
        .await
    }

    /// Sends an answer.
    pub(super) async fn answer(mut self, mut answer: ServiceResponse, is_head: bool) {
        let lasting = answer.lasting.take();
        let response = answer::fit(answer, is_head);
        let (head, body) = response.into_parts();
        let is_end = body.is_end_stream();
        let Some(mut stream) = self.head(Response::from_parts(head, ()), is_end) else { return };
        if is_end {
            return;
        }
        let body = match body {
            Body::Whole(bytes) if sending::has_room(&mut stream, bytes.len()) => {
                if let Err(error) = stream.send_data(bytes, true) {
                    debug!(%error, "an answer could not be sent");
                }
                return;
            }
            body => body,
        };
        Sending::new(stream, body, self.common.limits.slowest(), lasting).run().await;
    }

    /// Sends the head of an answer; `None` when it cannot be sent any more.
    pub(super) fn head(
        &mut self,
        head: Response<()>,
        is_end: bool,
    ) -> Option<h2::SendStream<Bytes>> {
        match self.respond.send_response(head, is_end) {
            Ok(stream) => Some(stream),
            Err(error) => {
                debug!(%error, "an answer could not be sent");
                self.respond.send_reset(Reason::INTERNAL_ERROR);
                None
            }
        }
    }
}
