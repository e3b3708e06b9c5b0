//! The moment in which the access log gets its line.
//!
//! A request ends when its answer was handed over or given up, which is when the answer's body is
//! dropped: [`RecordedBody`] counts its bytes and writes the line then, with what ended it when
//! that was not its end. A request whose client leaves before there is an answer ends in
//! [`unanswered`]. What ended it is counted, whether or not there is an access log.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::request::Parts;
use http::{Method, Uri, Version};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::{Body as HttpBody, Frame, SizeHint};

use super::access_record::AccessRecord;
use super::context::RequestContext;
use super::lasting::{Cut, Lasting};
use super::service::ServiceResponse;
use crate::base::body::{Body, BoxError};
use crate::base::clock::{SharedClock, Time};
use crate::base::reason::Reason;
use crate::observe::access::{AccessLog, Ended, Record};
use crate::observe::events::Events;
use crate::observe::traces::{self, Trace, Value};
use crate::session::PublicName;

/// Follows a response on its way: what ended it is counted, and the line of the access log written,
/// when the answer's body is dropped. `has_secret_query` says that the query may hold a handle.
#[must_use]
pub fn follow(
    context: RequestContext,
    answer: ServiceResponse,
    noted: Noted<'_>,
    has_secret_query: bool,
) -> ServiceResponse {
    let ServiceResponse { response, passed, lasting } = answer;
    let followed = followed(context, noted, has_secret_query, response.status().as_u16());
    // Its errors are boxed already.
    let response = response.map(|body| {
        Body::Stream(UnsyncBoxBody::new(RecordedBody { body, is_over: false, followed }))
    });
    ServiceResponse { response, passed, lasting }
}

/// Notes a request whose client left before there was an answer.
pub fn unanswered(context: RequestContext, noted: Noted<'_>, has_secret_query: bool) {
    let mut followed = followed(context, noted, has_secret_query, CLIENT_CLOSED);
    followed.ended = Some(Ended::ClientClosedUnanswered);
}

/// Where it is noted: the access log and the counts, and the clock that says when it was over.
pub type Noted<'n> = (&'n Arc<AccessLog>, &'n Arc<Events>, &'n SharedClock);

/// There is no status for it in RFC 9110; web servers write this one.
const CLIENT_CLOSED: u16 = 499;

fn followed(
    context: RequestContext,
    noted: Noted<'_>,
    has_secret_query: bool,
    status: u16,
) -> Followed {
    let (access, events, _) = noted;
    let is_head = context.parts.method == Method::HEAD;
    let lasting = context.record.lasting.clone();
    let is_traced = context.trace.as_ref().is_some_and(|trace| trace.is_recorded());
    let is_told = is_traced || !access.is_off();
    let entry = if is_told { Some(entry(context, noted, has_secret_query, status)) } else { None };
    Followed { events: Arc::clone(events), is_head, sent: 0, ended: None, lasting, entry }
}

fn entry(
    context: RequestContext,
    (access, _, clock): Noted<'_>,
    has_secret_query: bool,
    status: u16,
) -> Box<Entry> {
    let Parts { method, uri, version, .. } = *context.parts;
    Box::new(Entry {
        access: Arc::clone(access),
        clock: Arc::clone(clock),
        started: context.began,
        status,
        // Headers are not kept as long as a stream lasts.
        request: context.id,
        method,
        uri,
        protocol: version,
        address: context.client.address,
        is_tls: context.client.is_tls,
        host: context.host,
        trace: context.trace,
        record: context.record,
        has_secret_query,
    })
}

/// The body of an answer; the request is noted when it is dropped.
pub struct RecordedBody {
    body: Body,
    /// The end of the body was read.
    is_over: bool,
    followed: Followed,
}

impl HttpBody for RecordedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => self.followed.sent += data_length(frame.as_ref()).unwrap_or(0),
            Some(Err(_)) => self.followed.ended = Some(Ended::UpstreamBroke),
            None => self.is_over = true,
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is dropped early is given up by the client's side. Of an answer to HEAD none is
/// read.
impl Drop for RecordedBody {
    fn drop(&mut self) {
        let Self { body, is_over, followed } = self;
        let is_over = *is_over || followed.is_head || body.is_end_stream();
        if !is_over && followed.ended.is_none() {
            followed.ended = Some(Ended::ClientClosed);
        }
    }
}

/// What every answer is followed for: how it ended.
struct Followed {
    events: Arc<Events>,
    is_head: bool,
    sent: u64,
    ended: Option<Ended>,
    lasting: Option<Arc<Lasting>>,
    /// What is told of it: on the heap, and only where there is an access log or a span.
    entry: Option<Box<Entry>>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        let cut = self.lasting.as_ref().and_then(|lasting| lasting.cut());
        let ended = match cut {
            Some(Cut::SessionEnded) => Some(Ended::SessionEnded),
            Some(Cut::NotAllowed) => Some(Ended::NotAllowed),
            None => self.ended,
        };
        if let Some(ended) = ended {
            self.events.counts().requests_cut.add(ended.name());
        }
        if let Some(entry) = &self.entry {
            entry.tell(self.sent, ended, cut.map(Cut::code));
        }
    }
}

struct Entry {
    access: Arc<AccessLog>,
    clock: SharedClock,
    started: Time,
    status: u16,
    request: String,
    method: Method,
    uri: Uri,
    protocol: Version,
    address: std::net::IpAddr,
    is_tls: bool,
    host: crate::request::host::Host,
    trace: Option<Arc<Trace>>,
    record: AccessRecord,
    /// Whether the query is left out of the log: a handle may stand in it.
    has_secret_query: bool,
}

impl Entry {
    /// Writes the line, and ends the span.
    fn tell(&self, sent: u64, ended: Option<Ended>, cut: Option<Reason>) {
        let trace = self.trace.as_ref();
        if let Some(trace) = trace.filter(|trace| trace.is_recorded()) {
            self.end_span(trace, ended, cut);
        }
        let answered = self.record.answered.as_ref();
        let quoted = self.record.quoted.as_deref();
        let received = self.record.received.as_ref();
        self.access.write(&Record {
            time: self.started,
            request: &self.request,
            address: self.address,
            method: self.method.as_str(),
            host: self.host.name(),
            path: self.uri.path(),
            query: self.uri.query().filter(|_| !self.has_secret_query),
            protocol: self.protocol,
            is_tls: self.is_tls,
            status: self.status,
            received: received.map_or(0, |count| count.load(Ordering::Relaxed)),
            sent,
            total: self.clock.now().duration_since(self.started).unsigned_abs(),
            connect: answered.and_then(|answered| answered.connect),
            first_byte: answered.map(|answered| answered.first_byte),
            upstream: answered.map(|answered| &*answered.server),
            route: self.record.route.as_ref().map(|route| &*route.path),
            reason: self.record.reason.or(cut).map(|reason| reason.as_str()),
            ended,
            session: self.record.session.as_ref().map(PublicName::as_str),
            trace: trace.map(|trace| trace.id()),
            referer: quoted.and_then(|quoted| Some(quoted.referer.as_ref()?.as_bytes())),
            user_agent: quoted.and_then(|quoted| Some(quoted.user_agent.as_ref()?.as_bytes())),
        });
    }

    /// Ends the span of the request, by the names of OpenTelemetry (semantic conventions for HTTP,
    /// 1.37). The path is not said: people's numbers stand in it.
    fn end_span(&self, trace: &Trace, ended: Option<Ended>, cut: Option<Reason>) {
        let record = &self.record;
        let route = record.route.as_ref().map(|route| Value::text(&route.path));
        let route = route.or_else(|| record.endpoint.map(Value::from));
        let method = traces::method(&self.method);
        let (verb, place) = (if method == "_OTHER" { "HTTP" } else { method }, &record.route);
        let place = place.as_ref().map(|route| &*route.path).or(record.endpoint);
        let name = place.map_or_else(|| verb.to_owned(), |place| format!("{verb} {place}"));
        let version = match self.protocol {
            Version::HTTP_10 => "1.0",
            Version::HTTP_2 => "2",
            _ => "1.1",
        };
        let reason = record.reason.or(cut).map(Reason::as_str);
        let is_error = self.status >= 500 && self.status != CLIENT_CLOSED;
        let error = is_error.then(|| match reason {
            Some(reason) => Value::from(reason),
            None => Value::text(&self.status.to_string()),
        });
        // A host that no route is for is whatever somebody sent.
        let host = route.as_ref().map(|_| Value::text(self.host.name()));
        let said = [
            ("http.request.method", Some(method.into())),
            ("url.scheme", Some(if self.is_tls { "https" } else { "http" }.into())),
            ("http.route", route),
            ("server.address", host),
            ("network.protocol.version", Some(version.into())),
            ("http.response.status_code", Some(self.status.into())),
            ("error.type", error),
            ("session.id", record.session.as_ref().map(|name| Value::text(name.as_str()))),
            ("brama.request", Some(Value::text(&self.request))),
            ("brama.reason", reason.map(Value::from)),
            ("brama.ended", ended.map(|ended| ended.name().into())),
        ];
        let said = said.into_iter().filter_map(|(key, value)| Some((key, value?)));
        trace.end(name, is_error, said);
    }
}

fn data_length<D: Buf, E>(frame: Option<&Result<Frame<D>, E>>) -> Option<u64> {
    let data = frame?.as_ref().ok()?.data_ref()?;
    u64::try_from(data.remaining()).ok()
}
