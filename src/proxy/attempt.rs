//! One request, one answer, and at most one more attempt.
//!
//! A connection that waited may have been closed by the upstream just as it was used. Then
//! nothing was answered, and the request is sent once more on a new connection, if it is safe:
//! 1. nothing of it left us (there was no connection), whatever the method; or
//! 2. the method is safe (RFC 9110 9.2.1) and it has no body.

use http::Method;

use super::Upstream;
use super::connect::connect;
use super::connection::{Answered, Outgoing, Unanswered};
use super::error::Error;
use crate::wire::framing::Framing;

/// Sends a request and waits for the head of its answer.
pub(super) async fn run(upstream: &Upstream, request: Outgoing) -> Result<Answered, Error> {
    let settings = &upstream.settings;
    let is_repeatable = request.framing == Framing::NONE
        && !request.wants_upgrade
        && matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let spare = is_repeatable.then(|| request.head.clone());
    let (framing, holds_back) = (request.framing, request.holds_back);
    let (wants_upgrade, method) = (request.wants_upgrade, request.method.clone());

    let connection = match upstream.pool.take(&upstream.endpoint) {
        Some(connection) => connection,
        None => {
            connect(&upstream.endpoint, upstream.tls.as_ref(), settings.connect_timeout).await?
        }
    };
    match (connection.exchange(request, settings.response_timeout).await, spare) {
        (Ok(answered), _) => Ok(answered),
        (Err(Unanswered { error: Error::Died(_), body: Some(body) }), Some(head)) => {
            let request = Outgoing { head, body, framing, holds_back, wants_upgrade, method };
            let time = settings.connect_timeout;
            let connection = connect(&upstream.endpoint, upstream.tls.as_ref(), time).await?;
            let again = connection.exchange(request, settings.response_timeout).await;
            again.map_err(|unanswered| unanswered.error)
        }
        (Err(unanswered), _) => Err(unanswered.error),
    }
}
