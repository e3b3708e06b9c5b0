//! One request, one answer, and at most a few attempts.
//!
//! A request is sent again only when nothing of an answer came, and only if it is safe:
//! 1. nothing of it left us, because there was no connection, whatever the method; or
//! 2. the upstream did nothing with it and said so (RFC 9113 8.7), whatever the method, if all of
//!    its body is still here; where it says that it wants HTTP/1.1, in that; or
//! 3. its connection broke, the method is safe (RFC 9110 9.2.1), and it has no body. A connection
//!    that waited may have been closed by the upstream just as it was used.
//!
//! The next attempt avoids the server of the last one, and uses a new connection. After the second
//! reason it may be one that others have made meanwhile.
//!
//! A server is not blamed for what its clients do: not for a body that fails, nor for breaking off
//! in the middle of one.

use std::time::{Duration, Instant};

use http::{Response, StatusCode};

use super::connection::{Answered, Connection, Unanswered};
use super::error::Error;
use super::http2;
use super::in_flight::InFlight;
use super::pool::Pooled;
use super::request::{Prepared, Signature};
use super::upload::{self, Upload};
use super::upstream::{Lease, Protocol, Requester, ServerError, Spoken, dial};
use super::upstreams::Upstream;
use crate::gate::action::Bounds;
use crate::observe::traces::{Open, SpanId, Value};
use crate::wire::framing::Said;
use crate::wire::incoming::Incoming;

/// An answer whose head is there.
pub(super) struct Sent {
    pub(super) answer: UpstreamResponse,
    pub(super) in_flight: InFlight,
    /// How long it took to connect, if that was needed.
    pub(super) connect: Option<Duration>,
    /// How long it waited for its turn.
    pub(super) waited: Duration,
    /// When it was tried first.
    pub(super) began: Instant,
}

impl Sent {
    /// Returns the status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        match &self.answer {
            UpstreamResponse::Http1(answered) => answered.head.status,
            UpstreamResponse::Http2(response, _) => response.status(),
        }
    }
}

/// The body of an answer, not yet read.
pub(super) enum UpstreamResponse {
    Http1(Answered),
    Http2(Response<hyper::body::Incoming>, Upload),
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
    let asked = Instant::now();
    let admission = group.admit(requester).await?;
    let (mut avoid, mut tries, mut connections) = (None, MOST_TRIES, Wanted::Any);
    // Hardly any waits, so that one look at the clock is enough.
    let (began, waited) = match admission.has_waited() {
        true => (Instant::now(), asked.elapsed()),
        false => (asked, Duration::ZERO),
    };
    let (mut now, mut sent_before) = (began, 0);
    loop {
        tries -= 1;
        let mut lease = group.choose(avoid, now)?;
        let mut span = request.attempt((group, lease.endpoint()), sent_before);
        sent_before += 1;
        // 1. A connection; one that waited only at the first try.
        let way = match find(upstream, &lease, connections, now).await {
            Ok(way) => way,
            Err(error) => {
                now = Instant::now();
                lease.failed(ServerError::Connect, now);
                note(&mut span, None, Err(&error));
                if tries == 0 {
                    return Err(error);
                }
                (avoid, connections) = (Some(lease.id()), connections.after_none());
                group.note_retry();
                continue;
            }
        };
        // 2. The request, and what comes of it.
        let (is_fresh, connect) = (way.connect.is_some(), way.connect);
        let span_id = span.as_ref().and_then(|span| span.id());
        let signed = (request, request.signature()?, span_id);
        let (sent, shared) = send(way.way, signed, body, (connections, time, now)).await;
        now = Instant::now();
        match sent {
            Ok(answer) => {
                note(&mut span, connect, Ok(&answer));
                lease.succeeded(now);
                let (answered_at, _admission) = (now, admission);
                let in_flight = InFlight { lease, answered_at, timer: None, _admission };
                return Ok(Sent { answer, in_flight, connect, waited, began });
            }
            Err(Unanswered { error, body: whole, is_cut_short }) => {
                note(&mut span, connect, Err(&error));
                if let Some(failure) = failure(&error, is_fresh, is_cut_short) {
                    lease.failed(failure, now);
                }
                // 3. Once more, where that cannot do anything twice.
                let next = once_more(&error, request.is_repeatable(), connections, tries);
                match (next, whole) {
                    (Some((left, wanted)), Some(whole)) if left > 0 => {
                        if let (Some(number), Error::NotProcessed(_)) = (shared, &error) {
                            upstream.pool.forget(lease.id(), number);
                        }
                        (body, avoid) = (whole, Some(lease.id()));
                        (tries, connections) = (left, wanted);
                        group.note_retry();
                    }
                    _ => return Err(error),
                }
            }
        }
    }
}

/// Sends a request on a connection and waits for the head of its answer. Says which connection it
/// was, where others use it too.
async fn send(
    way: Pooled,
    (request, signature, span): (&Prepared<'_>, Signature, Option<SpanId>),
    body: Incoming,
    (connections, time, now): (Wanted, Duration, Instant),
) -> (Result<UpstreamResponse, Unanswered>, Option<u64>) {
    match way {
        Pooled::Http1(connection) => {
            let answered = connection
                .exchange(request.to_http1((&signature, span), body), time, now, request)
                .await;
            let answered = answered.map(|mut answered| {
                // The next request is not to be spoken like this one.
                answered.head.keep_alive &= connections != Wanted::Http1;
                UpstreamResponse::Http1(answered)
            });
            (answered, None)
        }
        Pooled::Http2(multiplexed) => {
            let number = multiplexed.number();
            let (body, upload) = upload::share(body);
            let request_2 = request.to_http2((&signature, span), body);
            let response = http2::exchange(multiplexed.sender, request_2, &upload, time, request);
            let answered = Box::pin(response).await.and_then(|response| {
                check_lengths(&response)?;
                Ok(UpstreamResponse::Http2(response, upload))
            });
            (answered, Some(number))
        }
    }
}

/// Says in the span of an attempt what came of it.
fn note(
    span: &mut Option<Box<Open>>,
    connect: Option<Duration>,
    answer: Result<&UpstreamResponse, &Error>,
) {
    let Some(span) = span else { return };
    if let Some(connect) = connect {
        span.set("brama.connect_microseconds", i64::try_from(connect.as_micros()).unwrap_or(0));
    }
    match answer {
        Ok(answer) => {
            let (status, version) = match answer {
                UpstreamResponse::Http1(answered) => (answered.head.status, "1.1"),
                UpstreamResponse::Http2(response, _) => (response.status(), "2"),
            };
            span.set("network.protocol.version", version);
            span.set("http.response.status_code", status.as_u16());
            if status.is_server_error() {
                span.fail(Value::text(status.as_str()));
            }
        }
        Err(error) => span.fail(error.code().as_str()),
    }
}

/// Tells whether a request may be sent once more after an error, because that cannot do anything
/// twice: how many times from now on, and on which connections.
fn once_more(
    error: &Error,
    is_repeatable: bool,
    connections: Wanted,
    tries: usize,
) -> Option<(usize, Wanted)> {
    match error {
        Error::NotProcessed(_) | Error::StreamRefused(_) => {
            Some((tries, Wanted::after_nothing(tries)))
        }
        Error::Http1Required(_) => Some((tries, Wanted::Http1)),
        // One more, not two.
        Error::Died(_) | Error::Http2(_) if is_repeatable => {
            Some((tries.min(1), connections.after_none()))
        }
        _ => None,
    }
}

/// Which connections will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Any, also one that waited.
    Any,
    /// One that others share, if it was made since, or a new one.
    Shared,
    /// A new one, of whatever HTTP the upstream speaks.
    New,
    /// A new one, of HTTP/1.1.
    Http1,
}

impl Wanted {
    /// After an attempt without a trace of an answer.
    fn after_none(self) -> Self {
        if self == Self::Http1 { self } else { Self::New }
    }

    /// After an upstream that did nothing, with so many tries left: the last is one's own.
    fn after_nothing(tries: usize) -> Self {
        if tries > 1 { Self::Shared } else { Self::New }
    }
}

/// A response may go on in HTTP/1.1, where two lengths are two meanings.
fn check_lengths(response: &Response<hyper::body::Incoming>) -> Result<(), Unanswered> {
    let mut said = Said::default();
    let mut fields = response.headers().iter();
    fields
        .try_for_each(|(name, value)| said.note(name.as_str(), value.as_bytes()))
        .map_err(|refusal| Error::BadAnswer(refusal).into())
}

/// A connection, and how long it took to make it, if it was made.
struct Way {
    way: Pooled,
    connect: Option<Duration>,
}

async fn find(
    upstream: &Upstream,
    lease: &Lease,
    wanted: Wanted,
    now: Instant,
) -> Result<Way, Error> {
    let waiting = match wanted {
        Wanted::Any => upstream.pool.take(lease.id(), now),
        Wanted::Shared => upstream.pool.take_multiplexed(lease.id()),
        Wanted::New | Wanted::Http1 => None,
    };
    if let Some(way) = waiting {
        return Ok(Way { way, connect: None });
    }
    Box::pin(connect(upstream, lease, wanted)).await
}

/// Seldom needed, and far larger than the way of a connection that waits.
async fn connect(upstream: &Upstream, lease: &Lease, wanted: Wanted) -> Result<Way, Error> {
    let settings = upstream.group.settings();
    let begin = Instant::now();
    let tls = settings.tls.as_ref().map(|tls| (&tls.config, lease.tls_name()));
    let protocol = match wanted {
        Wanted::Http1 => Protocol::Http1,
        Wanted::Any | Wanted::Shared | Wanted::New => settings.protocol,
    };
    let dialled = dial(lease.endpoint(), tls, protocol, settings.timeouts.connect).await;
    let dialled = dialled.map_err(Error::Connect)?;
    let way = match dialled.spoken {
        Spoken::Http1 => Pooled::Http1(Box::new(Connection::new(dialled.stream.split()))),
        Spoken::Http2 => {
            let sender = http2::begin(dialled.stream).await.map_err(Error::Http2)?;
            upstream.pool.put_http2(lease.id(), sender)
        }
    };
    Ok(Way { way, connect: Some(begin.elapsed()) })
}

/// Says what failed, if it is the server's fault. A connection that waited and broke says nothing
/// of its server, nor does one that broke in the middle of a body: a server that answers early may
/// break off.
fn failure(error: &Error, is_fresh: bool, is_cut_short: bool) -> Option<ServerError> {
    match error {
        Error::Slow(_) => Some(ServerError::Timeout),
        Error::BadAnswer(_) => Some(ServerError::Broken),
        Error::Died(_) | Error::Http2(_) if is_fresh && !is_cut_short => Some(ServerError::Broken),
        // A server that takes nothing at all.
        Error::NotProcessed(_) | Error::StreamRefused(_) if is_fresh => Some(ServerError::Broken),
        _ => None,
    }
}

/// How often a request is tried, with those for which there was no connection.
const MOST_TRIES: usize = 3;

#[cfg(test)]
mod tests;
