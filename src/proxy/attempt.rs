//! One request, one answer, and at most a few attempts.
//!
//! A request is sent again only when nothing of an answer came, and only if it is safe:
//! 1. nothing of it left us, because there was no connection, whatever the method; or
//! 2. its connection broke, the method is safe (RFC 9110 9.2.1), and it has no body. A connection
//!    that waited may have been closed by the upstream just as it was used.
//!
//! The next attempt avoids the server of the last one, and uses a new connection.

use std::time::{Duration, Instant};

use http::Response;

use super::connection::{Answered, Connection, Unanswered};
use super::error::Error;
use super::http2::{self, Sender};
use super::in_flight::InFlight;
use super::pool::Pooled;
use super::request::Prepared;
use super::upstream::{Failure, Lease, Requester, Spoken, dial};
use super::upstreams::Upstream;
use crate::gate::action::Bounds;
use crate::wire::framing::Said;
use crate::wire::incoming::{Breaker, Incoming};

/// An answer whose head is there.
pub(super) struct Sent {
    pub(super) answer: UpstreamResponse,
    pub(super) in_flight: InFlight,
    /// How long it took to connect, if that was needed.
    pub(super) connect: Option<Duration>,
    /// How long it took until the head was there.
    pub(super) first_byte: Duration,
}

impl Sent {
    /// Tells whether it is an answer of success.
    pub(super) fn is_success(&self) -> bool {
        match &self.answer {
            UpstreamResponse::Http1(answered) => answered.head.status.is_success(),
            UpstreamResponse::Http2(response, _) => response.status().is_success(),
        }
    }
}

/// The body of an answer, not yet read.
pub(super) enum UpstreamResponse {
    Http1(Answered),
    Http2(Response<hyper::body::Incoming>, Option<Breaker>),
}

/// Sends a request and waits for the head of its answer.
pub(super) async fn run(
    upstream: &Upstream,
    bounds: &Bounds,
    request: &Prepared<'_>,
    mut body: Incoming,
    requester: Requester,
) -> Result<Sent, Error> {
    let group = &upstream.group;
    let time = bounds.response_timeout.unwrap_or(group.settings().timeouts.response);
    let admission = group.admit(requester).await?;
    let (mut avoid, mut tries) = (None, MOST_TRIES);
    let begin = Instant::now();
    let mut now = begin;
    loop {
        tries -= 1;
        let mut lease = group.choose(avoid, now)?;
        // 1. A connection; one that waited only at the first try.
        let way = match find(upstream, &lease, avoid.is_none(), now).await {
            Ok(way) => way,
            Err(error) => {
                now = Instant::now();
                lease.failed(Failure::Connect, now);
                if tries == 0 {
                    return Err(error);
                }
                avoid = Some(lease.id());
                group.note_retry();
                continue;
            }
        };
        // 2. The request, and what comes of it.
        let (is_fresh, connect) = (way.connect.is_some(), way.connect);
        let sent = match way.way {
            Pooled::Http1(connection) => {
                let answered =
                    connection.exchange(request.to_http1(body), time, now, request).await;
                answered.map(UpstreamResponse::Http1)
            }
            Pooled::Http2(sender) => {
                let (body, upload) = http2::upload(body);
                let request_2 = request.to_http2(body);
                let response = http2::exchange(sender, request_2, &upload, time, request);
                Box::pin(response).await.and_then(|response| {
                    check_lengths(&response)?;
                    Ok(UpstreamResponse::Http2(response, upload))
                })
            }
        };
        now = Instant::now();
        match sent {
            Ok(answer) => {
                lease.succeeded(now);
                let first_byte = now.duration_since(begin);
                let in_flight = InFlight { lease, answered_at: now, _admission: admission };
                return Ok(Sent { answer, in_flight, connect, first_byte });
            }
            Err(Unanswered { error, body: untouched }) => {
                if let Some(failure) = failure(&error, is_fresh) {
                    lease.failed(failure, now);
                }
                match untouched {
                    Some(untouched)
                        if tries > 0 && request.is_repeatable() && is_broken(&error) =>
                    {
                        body = untouched;
                        avoid = Some(lease.id());
                        group.note_retry();
                        // One more, not two.
                        tries = 1;
                    }
                    _ => return Err(error),
                }
            }
        }
    }
}

/// A response may go on in HTTP/1.1, where two lengths are two meanings.
fn check_lengths(response: &Response<hyper::body::Incoming>) -> Result<(), Unanswered> {
    let mut said = Said::default();
    let mut fields = response.headers().iter();
    fields
        .try_for_each(|(name, value)| said.note(name.as_str(), value.as_bytes()))
        .map_err(|refusal| Unanswered { error: Error::BadAnswer(refusal), body: None })
}

/// A connection, and how long it took to make it, if it was made.
struct Way {
    way: Pooled,
    connect: Option<Duration>,
}

async fn find(
    upstream: &Upstream,
    lease: &Lease,
    may_have_waited: bool,
    now: Instant,
) -> Result<Way, Error> {
    if may_have_waited && let Some(way) = upstream.pool.take(lease.id(), now) {
        return Ok(Way { way, connect: None });
    }
    Box::pin(connect(upstream, lease)).await
}

/// Seldom needed, and far larger than the way of a connection that waits.
async fn connect(upstream: &Upstream, lease: &Lease) -> Result<Way, Error> {
    let settings = upstream.group.settings();
    let begin = Instant::now();
    let tls = settings.tls.as_ref().map(|tls| (&tls.config, lease.tls_name()));
    let dialled = dial(lease.endpoint(), tls, settings.protocol, settings.timeouts.connect).await;
    let dialled = dialled.map_err(Error::Connect)?;
    let way = match dialled.spoken {
        Spoken::Http1 => Pooled::Http1(Box::new(Connection::new(dialled.stream))),
        Spoken::Http2 => {
            let sender: Sender = http2::begin(dialled.stream).await.map_err(Error::Http2)?;
            upstream.pool.put_http2(lease.id(), sender.clone());
            Pooled::Http2(sender)
        }
    };
    Ok(Way { way, connect: Some(begin.elapsed()) })
}

/// Whose fault it was. A connection that waited and broke says nothing of its server.
fn failure(error: &Error, is_fresh: bool) -> Option<Failure> {
    match error {
        Error::Slow(_) => Some(Failure::Timeout),
        Error::BadAnswer(_) => Some(Failure::Broken),
        Error::Died(_) | Error::Http2(_) if is_fresh => Some(Failure::Broken),
        _ => None,
    }
}

fn is_broken(error: &Error) -> bool {
    matches!(error, Error::Died(_) | Error::Http2(_))
}

/// How often a connection is looked for.
const MOST_TRIES: usize = 3;
