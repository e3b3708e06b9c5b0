//! What an upstream is told: the request as it came, less what is not for it, and what we say.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, TE, VIA};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use hyper::body::Body as _;

use super::Proxy;
use super::connection::{Outgoing, Watch};
use super::error::Error;
use super::response_fields::changed_interim;
use super::upload::Sending;
use super::upstream::{Endpoint, Group};
use crate::gate::Pass;
use crate::gate::action::{Forward, HostHeader};
use crate::gate::policy::Route;
use crate::identity::forms::signature::{self, Message, Signer, takes_its_place};
use crate::identity::forms::{self, Field, Identity, Told};
use crate::observe::traces::context::{TRACEPARENT, TRACESTATE};
use crate::observe::traces::{self, Kind, Open, SpanId, Trace, Value};
use crate::request::context::RequestContext;
use crate::request::headers::{self, connection_auth, forwarded};
use crate::request::interim::Interim;
use crate::request::lasting::{Cut, Form, Lasting, Opened};
use crate::request::preflight;
use crate::request::service::{ExpectContinue, Peer, WantsUpgrade};
use crate::wire::framing::{self, Framing};
use crate::wire::head::ResponseHead;
use crate::wire::incoming::Incoming;
use crate::wire::outgoing::{self, Fields};
use crate::wire::write_buffer;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Of `application/grpc`, `application/grpc-web` and their kin.
const GRPC: &[u8] = b"application/grpc";
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// A request, ready to be sent in either protocol.
pub(super) struct Prepared<'r> {
    method: &'r Method,
    target: Target<'r>,
    host: HeaderValue,
    scheme: Scheme,
    /// What the client says, without what speaks of the connection.
    headers: &'r HeaderMap,
    ours: Ours<'r>,
    framing: Framing,
    /// Whether the client said a length, if only that of nothing.
    says_length: bool,
    holds_back: bool,
    takes_trailers: bool,
    upgrade: Option<HeaderValue>,
    /// The client takes success for an upgrade.
    must_upgrade: bool,
    pass: &'r Pass,
    lasting: OnceLock<Arc<Lasting>>,
    /// Takes what the upstream says before its answer.
    interim: Option<&'r Interim>,
}

/// What signs one sending of a request; none where that is not wanted. On the heap, so that the
/// others do not carry its room along.
pub(super) type Signature = Option<Box<[Field; signature::FIELDS]>>;

/// The target as it came, or as the route rewrites it.
enum Target<'r> {
    Same(&'r str),
    Rewritten(PathAndQuery),
}

/// What we say. It is not put among the client's headers: most requests are written as they are.
struct Ours<'r> {
    proxy: &'r Proxy,
    context: &'r RequestContext,
    prefix: Option<&'r HeaderValue>,
    /// In whose name it is made.
    told: Option<Told>,
    /// Signs it, as it is, each time that it is sent.
    signer: Option<Signer<'r>>,
    /// The rules of the route have had their say on it, so it is among the headers.
    is_among_headers: bool,
    /// The trace that the upstream is told of.
    trace: Option<&'r Trace>,
}

/// Prepares a request for its upstream. The headers of the context lose what does not go there.
pub(super) fn prepare<'r>(
    proxy: &'r Proxy,
    pass: &'r Pass,
    forward: &Forward,
    context: &'r mut RequestContext,
    group: &Group,
    (body, peer): (&Incoming, &'r Peer),
) -> Result<Prepared<'r>, Error> {
    let route = pass.route();
    // 1. What is for one connection only, and what of it is wanted on the next.
    let extensions = &context.parts.extensions;
    let (upgrade, must_upgrade) = match extensions.get::<WantsUpgrade>() {
        None => (None, false),
        Some(WantsUpgrade::IfPossible(wish)) => (route.upgrade.of(wish), false),
        Some(WantsUpgrade::Only(wish)) => (route.upgrade.of(wish), true),
    };
    if must_upgrade && upgrade.is_none() {
        return Err(Error::NoUpgrade);
    }
    let holds_back = extensions.get::<ExpectContinue>().is_some() && !body.is_end_stream();
    let (scan, headers) = (context.scan, &mut context.parts.headers);
    let takes_trailers = scan.has_te && headers.get(TE).is_some_and(|te| te == TRAILERS);
    headers::strip_for_upstream(headers, scan, proxy.settings.cookies);
    let length = if scan.has_length { framing::length(headers) } else { None };
    let framing = match length {
        Some(length) => Framing::Length(length),
        None if body.is_end_stream() => Framing::NONE,
        None => Framing::Chunked,
    };
    // 2. What the route adds and takes away, also of what we say.
    let prefix = route.rewrite.prefix();
    let is_among_headers = !route.request_headers.is_empty();
    let is_trace_told = !is_among_headers || apply_rules(proxy, route, context);
    let may_have_credentials = scan.has_credentials || is_among_headers;
    take_place(route, &mut context.parts.headers, may_have_credentials);
    if may_have_credentials && connection_auth::has_credentials(&context.parts.headers) {
        return Err(Error::ConnectionCredentials);
    }
    let context = &*context;
    let trace = context.trace.as_deref().filter(|_| is_trace_told);
    let ours = Ours { proxy, context, prefix, told: None, signer: None, is_among_headers, trace };
    // 3. The canonical name, so that the portal sees the host that the route was chosen by.
    let settings = group.settings();
    let host = match &forward.host {
        HostHeader::Preserve => context.host.value().clone(),
        HostHeader::Fixed(host) => host.clone(),
        HostHeader::Upstream => settings
            .servers
            .first()
            .and_then(|server| HeaderValue::try_from(server.address.authority()).ok())
            .unwrap_or_else(|| context.host.value().clone()),
    };
    let target = context.parts.uri.path_and_query();
    let rewritten = target.and_then(|target| route.rewrite.target(target));
    Ok(Prepared {
        method: &context.parts.method,
        target: rewritten.map_or(Target::Same(context.path_and_query()), Target::Rewritten),
        host,
        scheme: if settings.tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP },
        headers: &context.parts.headers,
        ours,
        framing,
        says_length: length.is_some(),
        holds_back,
        takes_trailers,
        upgrade,
        must_upgrade,
        pass,
        lasting: OnceLock::new(),
        // RFC 9110 15.2: not to a client of HTTP/1.0.
        interim: peer.interim.as_deref().filter(|_| context.parts.version == Version::HTTP_11),
    })
}

/// Has the rules of the route have their say, on what we say too. Tells whether they leave the trace to
/// us: each attempt says its own.
fn apply_rules(proxy: &Proxy, route: &Route, context: &mut RequestContext) -> bool {
    let mut headers = std::mem::take(&mut context.parts.headers);
    say(proxy, context, route.rewrite.prefix(), &mut headers);
    let trace = context.trace.as_deref().map(|trace| trace.traceparent(None));
    if let Some(trace) = &trace {
        headers.add_text(&TRACEPARENT, trace.as_bytes());
    }
    route.request_headers.apply(&mut headers);
    let is_ours =
        |value: &HeaderValue| trace.is_some_and(|trace| value.as_bytes() == trace.as_bytes());
    let is_told = headers.get(TRACEPARENT).is_some_and(is_ours);
    if is_told {
        headers.remove(TRACEPARENT);
    }
    context.parts.headers = headers;
    is_told
}

/// Removes what stands where the route tells an identity under names that are not ours alone.
fn take_place(route: &Route, headers: &mut HeaderMap, may_have_credentials: bool) {
    if may_have_credentials && route.release.forms.contains(&forms::Form::Bearer) {
        headers.remove(AUTHORIZATION);
    }
    if route.signature.is_some() {
        let taken: Vec<_> = headers.keys().filter(|name| takes_its_place(name)).cloned().collect();
        for name in taken {
            headers.remove(name);
        }
    }
}

/// Says what we say of every request.
fn say(
    proxy: &Proxy,
    context: &RequestContext,
    prefix: Option<&HeaderValue>,
    fields: &mut impl Fields,
) {
    let standard = proxy.settings.sends_forwarded;
    forwarded::announce(fields, &context.client, &context.host, prefix, standard);
    fields.add_text(&X_REQUEST_ID, context.id.as_bytes());
    fields.add(&VIA, proxy.via.of(context.parts.version));
    if let Some(state) = context.trace.as_deref().and_then(Trace::state) {
        fields.add(&TRACESTATE, state);
    }
}

/// Returns the right by which what comes of a request goes on, and whether its end is counted.
pub(super) fn lasting(
    proxy: &Proxy,
    pass: &Pass,
    context: &RequestContext,
    form: Form,
    is_counted: bool,
) -> Arc<Lasting> {
    Lasting::new(&Opened {
        current: &proxy.current,
        rules: &proxy.rules,
        route: pass.route(),
        is_counted,
        host: &context.host,
        uri: &context.parts.uri,
        method: &context.parts.method,
        // What has a body is no preflight, and passed as something else.
        asked: preflight::asked(&context.parts, false),
        address: context.client.address,
        began: context.began,
        live: pass.live(),
        form,
    })
}

impl Watch for Prepared<'_> {
    fn look(&self, is_under_way: bool, cx: &Context<'_>) -> Poll<Cut> {
        // The outcome of what was sent whole belongs to its citizen. What only reads has none, and
        // what speaks gRPC may be a stream that has not begun.
        let may_end = is_under_way
            || self.method.is_safe()
            || self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(GRPC));
        if !may_end {
            return Poll::Pending;
        }
        let Ours { proxy, context, .. } = self.ours;
        // Nothing was answered yet, so the refusal counts.
        let begin = || lasting(proxy, self.pass, context, Form::Stream, false);
        self.lasting.get_or_init(begin).look(cx)
    }

    fn cut(&self) -> Option<Cut> {
        self.lasting.get()?.cut()
    }

    fn interim(&self, head: &ResponseHead) {
        if let Some(interim) = self.interim {
            let cookies = self.ours.proxy.settings.cookies;
            interim.put(head.status, &changed_interim(head.lines.to_map(), self.pass, cookies));
        }
    }
}

impl<'r> Prepared<'r> {
    /// Says in whose name it is made. Nothing takes that away any more.
    pub(super) fn in_the_name_of(&mut self, identity: Identity<'r>) {
        (self.ours.told, self.ours.signer) = (identity.told, identity.signer);
    }

    /// Signs it where that is wanted: at this moment, and with a nonce that nobody has seen.
    pub(super) fn signature(&self) -> Result<Signature, Error> {
        let Some(signer) = &self.ours.signer else { return Ok(None) };
        let message = Message {
            method: self.method.as_str(),
            authority: self.authority(),
            target: self.target(),
            headers: self.headers,
            identity: self.ours.told.as_ref().map_or(&[], Told::fields),
        };
        Ok(Some(Box::new(signer.sign(&message)?)))
    }

    /// Returns the host as a signature covers it (RFC 9421 2.2.3). It is canonical already, whether a
    /// client, the configuration or the address of a server says it.
    fn authority(&self) -> &str {
        let port = if self.scheme == Scheme::HTTPS { ":443" } else { ":80" };
        let host = self.host.to_str().unwrap_or_default();
        host.strip_suffix(port).unwrap_or(host)
    }

    fn target(&self) -> &str {
        match &self.target {
            Target::Same(target) => target,
            Target::Rewritten(target) => target.as_str(),
        }
    }

    /// Returns the host that the upstream is told.
    pub(super) fn into_host(self) -> HeaderValue {
        self.host
    }

    /// Tells whether an answer of success without a change of protocols would be misunderstood.
    pub(super) fn must_upgrade(&self) -> bool {
        self.must_upgrade
    }

    /// Tells whether it may be sent again when nothing of an answer came: it only reads
    /// (RFC 9110 9.2.1), and all of it is still here.
    pub(super) fn is_repeatable(&self) -> bool {
        self.framing == Framing::NONE
            && self.upgrade.is_none()
            && matches!(*self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// Says all headers but `Host` and those of the connection.
    fn say(&self, (signature, span): (&Signature, Option<SpanId>), fields: &mut impl Fields) {
        for (name, value) in self.headers {
            // The length is ours to say, in one way.
            if !matches!(*name, HOST | EXPECT | CONTENT_LENGTH) {
                fields.add(name, value);
            }
        }
        let ours = &self.ours;
        if !ours.is_among_headers {
            say(ours.proxy, ours.context, ours.prefix, fields);
        }
        if let Some(trace) = ours.trace {
            fields.add_text(&TRACEPARENT, trace.traceparent(span).as_bytes());
        }
        for (name, value) in ours.told.iter().flat_map(Told::fields) {
            fields.add(name, value);
        }
        for (name, value) in signature.as_deref().into_iter().flatten() {
            fields.add(name, value);
        }
    }

    /// Begins the span of an attempt at a server; none when there are none.
    pub(super) fn attempt(
        &self,
        (group, server): (&Group, &Endpoint),
        number: usize,
    ) -> Option<Box<Open>> {
        let mut span = self.ours.context.trace.as_ref()?.open(Kind::Client, "upstream")?;
        span.set("brama.upstream", Value::text(&group.settings().name));
        span.set("http.request.method", traces::method(self.method));
        span.set("url.scheme", if self.scheme == Scheme::HTTPS { "https" } else { "http" });
        match server {
            Endpoint::Tcp(address) => {
                span.set("server.address", Value::text(&address.ip().to_string()));
                span.set("server.port", address.port());
            }
            Endpoint::Unix(path) => {
                span.set("server.address", Value::text(&path.to_string_lossy()));
                span.set("network.transport", "unix");
            }
        }
        if number > 0 {
            span.set("http.request.resend_count", i64::try_from(number).unwrap_or(i64::MAX));
        }
        Some(span)
    }

    /// Writes it for HTTP/1.1, with what signs this sending, and the span that it is of.
    pub(super) fn to_http1(&self, said: (&Signature, Option<SpanId>), body: Incoming) -> Outgoing {
        let mut head = write_buffer::take();
        outgoing::request_line(&mut head, self.method, self.target());
        head.add(&HOST, &self.host);
        self.say(said, &mut head);
        match self.framing {
            Framing::Chunked => outgoing::field(&mut head, "transfer-encoding", b"chunked"),
            Framing::Length(length) if self.says_length => {
                outgoing::content_length(&mut head, length);
            }
            Framing::Length(_) | Framing::UntilClose => {}
        }
        if self.holds_back {
            outgoing::field(&mut head, "expect", b"100-continue");
        }
        if let Some(protocol) = &self.upgrade {
            outgoing::field(&mut head, "connection", b"upgrade");
            outgoing::field(&mut head, "upgrade", protocol.as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        Outgoing {
            head,
            body,
            framing: self.framing,
            holds_back: self.holds_back,
            upgrade: self.upgrade.clone(),
            method: self.method.clone(),
        }
    }

    /// Makes it for HTTP/2. An upgrade is not for HTTP/2 and is left out (RFC 9113 8.6).
    pub(super) fn to_http2(
        &self,
        said: (&Signature, Option<SpanId>),
        body: Sending,
    ) -> Request<Sending> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.version_mut() = Version::HTTP_2;
        let mut uri = http::uri::Parts::default();
        uri.scheme = Some(self.scheme.clone());
        // A host that was taken for canonical is an authority.
        uri.authority = http::uri::Authority::try_from(self.host.as_bytes()).ok();
        uri.path_and_query = match &self.target {
            Target::Same(target) => PathAndQuery::try_from(*target).ok(),
            Target::Rewritten(target) => Some(target.clone()),
        };
        *request.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
        self.say(said, request.headers_mut());
        if let Framing::Length(length) = self.framing
            && self.says_length
        {
            request.headers_mut().insert(CONTENT_LENGTH, length.into());
        }
        if self.takes_trailers {
            request.headers_mut().insert(TE, TRAILERS);
        }
        request
    }
}

#[cfg(test)]
mod tests;
