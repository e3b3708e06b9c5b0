//! One request to its upstream, and its response back, in one function.

use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::{HeaderMap, Response, StatusCode};

use super::attempt::{self, Sent, UpstreamResponse};
use super::error::Error;
use super::in_flight::Timing;
use super::upstreams::Upstream;
use super::{Proxy, http2, request, response_body, response_fields, tunnel};
use crate::base::body::Body;
use crate::gate::Pass;
use crate::gate::action::Forward;
use crate::identity::forms::Identity;
use crate::request::access_record::Answered;
use crate::request::context::RequestContext;
use crate::request::headers::raw::RawHeaders;
use crate::request::lasting::{Form, Lasting};
use crate::request::service::{Peer, ServiceResponse};
use crate::wire::incoming::{BodyError, Incoming};

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    proxy: &Proxy,
    pass: &Pass,
    forward: &Forward,
    context: &mut RequestContext,
    (body, peer): (Incoming, &Peer),
    identity: Identity<'_>,
) -> Result<ServiceResponse, Error> {
    let upstream = proxy.upstreams.get(forward.upstream);
    // 1. Not more of a body than may come.
    let limit = forward.bounds.max_body.unwrap_or(proxy.settings.max_body);
    if body.length().is_some_and(|length| length > limit) {
        return Err(Error::Body(BodyError::TooLong(limit)));
    }
    let body = body.limited(limit).with_trailer_rule(&proxy.trailer_rule);
    let body = context.record.meter(body, &proxy.access);

    // 2. What is said, to which server, and what it answers.
    let requester = proxy.settings.requester(pass, context);
    let mut request =
        request::prepare(proxy, pass, forward, context, &upstream.group, (&body, peer))?;
    request.in_the_name_of(identity);
    let answered = attempt::run(upstream, &forward.bounds, &request, body, requester).await?;
    let status = answered.status();
    if request.must_upgrade() && status.is_success() {
        return Err(Error::NotUpgraded);
    }
    let host = request.into_host();
    let timing = head_is_there(proxy, upstream, context, &answered);
    // What is not all there yet lasts: it is judged again meanwhile.
    let mut lasts = None;
    let mut lasting =
        |form| Arc::clone(lasts.insert(request::lasting(proxy, pass, context, form, true)));

    // 3. The answer is cleaned, and its body follows as it comes.
    let idle = forward.bounds.idle_timeout.unwrap_or(upstream.group.settings().timeouts.idle);
    let cookies = proxy.settings.cookies;
    let Sent { answer, in_flight, .. } = answered;
    let (fields, body) = match answer {
        UpstreamResponse::Http1(mut answered) => {
            let head = &mut answered.head;
            let (length, lines) = (head.said.length(), std::mem::take(&mut head.lines));
            if status == StatusCode::SWITCHING_PROTOCOLS {
                let protocol = lines.get("upgrade").unwrap_or_default().to_vec();
                let lasting = lasting(Form::Tunnel(protocol));
                context.record.lasts(Arc::clone(&lasting));
                let connection = *answered.connection;
                return Ok(tunnel::open(cookies, lines, connection, in_flight, lasting).into());
            }
            let (held, pool) = ((in_flight, &timing), Arc::clone(&upstream.pool));
            let body = response_body::read(answered, held, pool, idle, || lasting(Form::Stream));
            // Most answers go on line by line; a map is made of those that must be changed.
            let passed = if response_fields::are_changed(pass.route(), status, &lines) {
                Err(lines)
            } else {
                RawHeaders::of(lines, length, cookies)
            };
            (passed.map_err(|lines| lines.to_map()), body)
        }
        UpstreamResponse::Http2(response, upload) => {
            let (parts, body) = response.into_parts();
            if status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Error::bad_switch());
            }
            let held = (in_flight, &timing);
            let body = http2::read(body, upload, held, idle, || lasting(Form::Stream));
            (Err(parts.headers), body)
        }
    };
    lasts.iter().for_each(|lasting| context.record.lasts(Arc::clone(lasting)));
    let fields = match fields {
        Ok(passed) => Ok(passed),
        Err(fields) => {
            let told = (upstream.group.settings(), &host);
            Err(response_fields::changed((status, fields), pass, cookies, told, context)?)
        }
    };
    Ok(response((status, fields, body), lasts, pass.live().is_some()))
}

/// Puts a response together. One for a citizen who is signed in is not stored, unless the portal
/// says otherwise.
fn response(
    (status, fields, body): (StatusCode, Result<RawHeaders, HeaderMap>, Body),
    lasts: Option<Arc<Lasting>>,
    is_of_somebody: bool,
) -> ServiceResponse {
    let mut answer = ServiceResponse::from(Response::new(body));
    *answer.response.status_mut() = status;
    answer.lasting = lasts;
    match fields {
        Ok(passed) => answer.passed = passed,
        Err(fields) => *answer.response.headers_mut() = fields,
    }
    if is_of_somebody && !answer.response.headers().contains_key(CACHE_CONTROL) {
        answer.passed.control_cache("private, no-store");
    }
    answer
}

/// Notes how long it took until the head of an answer was there, for the metrics and the access log.
fn head_is_there<'u>(
    proxy: &Proxy,
    upstream: &'u Upstream,
    context: &mut RequestContext,
    answered: &Sent,
) -> Timing<'u> {
    let first_byte = answered.in_flight.answered_at.duration_since(answered.began);
    upstream.durations.first_byte.observe(first_byte);
    if !proxy.access.is_off() {
        let server = answered.in_flight.server_name();
        context.record.answered(Answered { server, connect: answered.connect, first_byte });
    }
    context.record.is_timed = true;
    let (status, to_head) = (answered.status(), answered.waited.saturating_add(first_byte));
    let timing = Timing { durations: &upstream.durations, status, to_head };
    // What both sides say after a switch is none of its time.
    if status == StatusCode::SWITCHING_PROTOCOLS {
        timing.ends_with_head();
    }
    timing
}
