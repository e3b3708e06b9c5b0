//! Hands a request that may pass on to its upstream, and the answer back: both streamed.
//!
//! 1. Only a [`Pass`] opens the way, and it says to where and in whose name.
//! 2. The request was cleaned before the decision; here it loses what speaks of the connection and
//!    our cookies, and gets what we say of it: identity, origin, request id (`request`).
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
mod watched;

use std::sync::Arc;
use std::time::Instant;

use http::header::CACHE_CONTROL;
use http::{Response, StatusCode};

use self::attempt::{Sent, Unread};
pub use self::error::Error;
use self::pool::Pool;
use self::upstream::{Group, Settings};
use crate::gate::Pass;
use crate::gate::action::Forward;
use crate::http::Gateway;
use crate::http::account::Answered;
use crate::http::exchange::Exchange;
use crate::http::hygiene;
use crate::http::lasting::Form;
use crate::http::passed::Passed;
use crate::http::service::Answer;
use crate::wire::incoming::{BodyError, Incoming};

/// All portals behind us, by number, with the connections of one worker.
pub struct Upstreams(Vec<Upstream>);

struct Upstream {
    group: Arc<Group>,
    pool: Arc<Pool>,
}

impl Upstreams {
    /// Makes the groups, with empty pools for one worker.
    #[must_use]
    pub fn new(settings: Vec<Settings>) -> Self {
        let now = Instant::now();
        Self::of(settings.into_iter().map(|settings| Group::new(settings, now)))
    }

    fn of(groups: impl Iterator<Item = Arc<Group>>) -> Self {
        let upstream = |group: Arc<Group>| Upstream { pool: Pool::new(&group), group };
        Self(groups.map(upstream).collect())
    }

    /// Makes empty pools for another worker.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self::of(self.groups().cloned())
    }

    /// Makes the groups of a new configuration; those that stay as they are go on.
    #[must_use]
    pub fn renewed_groups(&self, settings: Vec<Settings>) -> Vec<Arc<Group>> {
        let (before, now): (Vec<_>, _) = (self.groups().cloned().collect(), Instant::now());
        settings.into_iter().map(|settings| Group::renew(&before, settings, now)).collect()
    }

    /// Goes on with other groups for the same worker; connections of those that stay are kept.
    #[must_use]
    pub fn with_groups(&self, groups: &[Arc<Group>]) -> Self {
        let known = |group: &Arc<Group>| {
            let old = self.0.iter().find(|upstream| Arc::ptr_eq(&upstream.group, group));
            old.map(|old| Arc::clone(&old.pool))
        };
        let upstream = |group: &Arc<Group>| Upstream {
            pool: known(group).unwrap_or_else(|| Pool::new(group)),
            group: Arc::clone(group),
        };
        Self(groups.iter().map(upstream).collect())
    }

    /// Returns what requests are balanced over.
    pub fn groups(&self) -> impl Iterator<Item = &Arc<Group>> {
        self.0.iter().map(|upstream| &upstream.group)
    }

    /// Closes connections that waited too long, or whose server is gone.
    pub fn sweep(&self) {
        for upstream in &self.0 {
            upstream.pool.sweep(&upstream.group);
        }
    }
}

/// Forwards a request and returns the answer as it comes in.
///
/// # Errors
/// When there is no answer.
pub async fn forward(
    gateway: &Gateway,
    pass: &Pass,
    forward: &Forward,
    exchange: &mut Exchange,
    body: Incoming,
) -> Result<Answer, Error> {
    let upstream = &gateway.upstreams.0[forward.upstream];
    // 1. Not more of a body than may come.
    let limit = forward.bounds.max_body.unwrap_or(gateway.settings.edge.max_body);
    if body.length().is_some_and(|length| length > limit) {
        return Err(Error::Body(BodyError::TooLong(limit)));
    }
    let body = exchange.account.meter(body.limited(limit), gateway);

    // 2. What is said, to which server, and what it answers.
    let assertion = request::assertion(gateway, pass, exchange)?;
    let mut request = request::prepare(gateway, pass, forward, exchange, &upstream.group, &body)?;
    request.in_the_name_of(assertion);
    let answered = attempt::run(upstream, &forward.bounds, &request, body).await?;
    let is_misunderstood = request.must_upgrade() && answered.is_success();
    if is_misunderstood {
        return Err(Error::NotUpgraded);
    }
    if !gateway.access.is_off() {
        exchange.account.answered(Answered {
            server: answered.share.server_name(&upstream.group),
            connect: answered.connect,
            first_byte: answered.first_byte,
        });
    }
    // What is not all there yet lasts: it is judged again meanwhile.
    let mut lasts = None;
    let mut lasting = |form| {
        Arc::clone(lasts.insert(request::lasting(
            gateway,
            pass,
            exchange,
            form,
            Some(&gateway.counts),
        )))
    };

    // 3. The answer is cleaned, and its body follows as it comes.
    let idle = forward.bounds.idle_timeout.unwrap_or(upstream.group.settings().timeouts.idle);
    let rules = &pass.route().response_headers;
    let cookies = gateway.settings.cookies;
    let Sent { answer, share, .. } = answered;
    let (status, fields, body) = match answer {
        Unread::Http1(mut answered) => {
            let (status, length) = (answered.head.status, answered.head.said.length());
            let lines = std::mem::take(&mut answered.head.lines);
            if status == StatusCode::SWITCHING_PROTOCOLS {
                let lasting =
                    lasting(Form::Tunnel(lines.get("upgrade").unwrap_or_default().to_vec()));
                let tunnel =
                    tunnel::open(gateway, lines, *answered.connection, share, Arc::clone(&lasting));
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
            hygiene::clean_answer(&mut headers, cookies);
            rules.apply(&mut headers);
            *answer.response.headers_mut() = headers;
        }
    }
    if pass.live().is_some() && !answer.response.headers().contains_key(CACHE_CONTROL) {
        answer.passed.control_cache("private, no-store");
    }
    Ok(answer)
}
