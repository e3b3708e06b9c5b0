//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: origin, request id, and the signed identity that
//!    the caller gives (`request`).
//! 3. It gets a place among the requests under way, a server, and a connection ([`upstream`],
//!    `pool`). It is sent once more when the connection proved dead before a byte was answered,
//!    and only if it is safe to repeat (`attempt`).
//! 4. The answer loses what could speak in our name, and what was made for one citizen is not
//!    stored by browsers unless the portal says otherwise.

mod answer_body;
mod attempt;
mod connection;
mod error;
mod http2;
mod pool;
mod pump;
mod request;
mod tunnel;
pub mod upstream;
mod upstreams;
mod watched;

use std::sync::Arc;

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response, StatusCode};

use self::attempt::{Sent, Unread};
pub use self::error::Error;
pub use self::upstreams::Upstreams;
use crate::gate::Pass;
use crate::gate::action::Forward;
use crate::observe::access::AccessLog;
use crate::request::access_record::Answered;
use crate::request::context::Exchange;
use crate::request::cookie::Cookies;
use crate::request::headers;
use crate::request::headers::raw::Passed;
use crate::request::lasting::Form;
use crate::request::rules::{CurrentRules, Rules};
use crate::request::service::Answer;
use crate::wire::incoming::{BodyError, Incoming};

/// What forwards requests: the portals behind, as one worker reaches them.
pub struct Proxy {
    /// The portals, with this worker's connections.
    pub upstreams: Upstreams,
    /// What the configuration says of all of them.
    pub settings: Settings,
    /// The rules by which requests pass.
    pub rules: Arc<Rules>,
    /// The rules of the moment, by which what lasts is judged again.
    pub current: Arc<CurrentRules>,
    /// The access log, for which bytes and times are noted unless it is off.
    pub access: Arc<AccessLog>,
}

/// What holds for the portals behind, all of them.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The names of our cookies, which no upstream gets or sets.
    pub cookies: Cookies,
    /// The most bytes of a request's body, where its route does not say.
    pub max_body: u64,
    /// Whether upstreams get the header `Forwarded` (RFC 7239) too.
    pub sends_forwarded: bool,
}

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    proxy: &Proxy,
    pass: &Pass,
    forward: &Forward,
    exchange: &mut Exchange,
    body: Incoming,
    identity: Option<HeaderValue>,
) -> Result<Answer, Error> {
    let upstream = proxy.upstreams.get(forward.upstream);
    // 1. Not more of a body than may come.
    let limit = forward.bounds.max_body.unwrap_or(proxy.settings.max_body);
    if body.length().is_some_and(|length| length > limit) {
        return Err(Error::Body(BodyError::TooLong(limit)));
    }
    let body = exchange.account.meter(body.limited(limit), &proxy.access);

    // 2. What is said, to which server, and what it answers.
    let mut request = request::prepare(proxy, pass, forward, exchange, &upstream.group, &body)?;
    request.in_the_name_of(identity);
    let answered = attempt::run(upstream, &forward.bounds, &request, body).await?;
    let is_misunderstood = request.must_upgrade() && answered.is_success();
    if is_misunderstood {
        return Err(Error::NotUpgraded);
    }
    if !proxy.access.is_off() {
        exchange.account.answered(Answered {
            server: answered.share.server_name(&upstream.group),
            connect: answered.connect,
            first_byte: answered.first_byte,
        });
    }
    // What is not all there yet lasts: it is judged again meanwhile.
    let mut lasts = None;
    let mut lasting =
        |form| Arc::clone(lasts.insert(request::lasting(proxy, pass, exchange, form, true)));

    // 3. The answer is cleaned, and its body follows as it comes.
    let idle = forward.bounds.idle_timeout.unwrap_or(upstream.group.settings().timeouts.idle);
    let rules = &pass.route().response_headers;
    let cookies = proxy.settings.cookies;
    let Sent { answer, share, .. } = answered;
    let (status, fields, body) = match answer {
        Unread::Http1(mut answered) => {
            let (status, length) = (answered.head.status, answered.head.said.length());
            let lines = std::mem::take(&mut answered.head.lines);
            if status == StatusCode::SWITCHING_PROTOCOLS {
                let lasting =
                    lasting(Form::Tunnel(lines.get("upgrade").unwrap_or_default().to_vec()));
                let tunnel =
                    tunnel::open(cookies, lines, *answered.connection, share, Arc::clone(&lasting));
                exchange.account.lasts(lasting);
                return Ok(tunnel.into());
            }
            let body = {
                let pool = Arc::clone(&upstream.pool);
                answer_body::read(answered, share, pool, idle, || lasting(Form::Stream))
            };
            // Most answers go on line by line; a map is made of those that must be changed.
            let passed =
                if rules.is_empty() { Passed::of(lines, length, cookies) } else { Err(lines) };
            (status, passed.map_err(|lines| lines.to_map()), body)
        }
        Unread::Http2(response, upload) => {
            let (parts, body) = response.into_parts();
            if parts.status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Error::bad_switch());
            }
            let body = http2::read(body, upload, share, idle, || lasting(Form::Stream));
            (parts.status, Err(parts.headers), body)
        }
    };
    let mut answer = Answer::from(Response::new(body));
    *answer.response.status_mut() = status;
    if let Some(lasting) = &lasts {
        exchange.account.lasts(Arc::clone(lasting));
    }
    answer.lasting = lasts;
    match fields {
        Ok(passed) => answer.passed = passed,
        Err(mut headers) => {
            headers::clean_response(&mut headers, cookies);
            rules.apply(&mut headers);
            *answer.response.headers_mut() = headers;
        }
    }
    if pass.live().is_some() && !answer.response.headers().contains_key(CACHE_CONTROL) {
        answer.passed.control_cache("private, no-store");
    }
    Ok(answer)
}
