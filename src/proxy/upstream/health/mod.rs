//! Asks servers how they are.
//!
//! 1. A real request, over a connection of its own, in the HTTP and TLS of the upstream, by the client
//!    that serves citizens: what it would refuse is no good answer here either. Only the status of
//!    the answer counts.
//! 2. A server is well until a check says otherwise. So many bad answers in a row take it out, so
//!    many good ones bring it back; for a server that never was well, one bad answer is enough.
//! 3. Checks begin at a moment of chance and their distance varies, so that replicas of the
//!    gateway do not ask in step.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use http::header::{HOST, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::super::connection::{Connection, Outgoing, Unanswered, Watch};
use super::super::error::Error;
use super::super::http2;
use super::super::upload::{Sending, Upload};
use super::dial::{DialError, Spoken, dial};
use super::group::Group;
use super::resolve::{fraction, jittered};
use super::server::{Server, ServerId};
use super::settings::HealthCheck;
use crate::base::causes::in_one_line;
use crate::request::lasting::Cut;
use crate::wire::framing::Framing;
use crate::wire::incoming::Incoming;
use crate::wire::outgoing::{self, Fields};
use crate::wire::write_buffer;

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
enum Sick {
    #[error("no connection: {0}")]
    Unreachable(#[from] DialError),
    #[error("no answer within {0:?}")]
    Slow(std::time::Duration),
    #[error("no answer: {}", in_one_line(.0))]
    Broken(Error),
    #[error("answered with status {0}")]
    Status(StatusCode),
    #[error("request cannot be made: {0}")]
    Request(#[from] http::Error),
}

impl From<Error> for Sick {
    fn from(error: Error) -> Self {
        match error {
            Error::Slow(time) => Self::Slow(time),
            error => Self::Broken(error),
        }
    }
}

impl From<Unanswered> for Sick {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.error.into()
    }
}

/// The answers of one server.
#[derive(Debug, Default)]
struct Row {
    was_well: bool,
    is_down: bool,
    good: u32,
    bad: u32,
}

/// What the answer to a health check changes about a server.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Nothing,
    Down,
    Up,
}

impl Row {
    fn good(&mut self, check: &HealthCheck) -> Turn {
        self.was_well = true;
        self.bad = 0;
        self.good = self.good.saturating_add(1);
        if self.is_down && self.good >= check.healthy {
            self.is_down = false;
            return Turn::Up;
        }
        Turn::Nothing
    }

    fn bad(&mut self, check: &HealthCheck) -> Turn {
        self.good = 0;
        self.bad = self.bad.saturating_add(1);
        if !self.is_down && (self.bad >= check.unhealthy || !self.was_well) {
            self.is_down = true;
            return Turn::Down;
        }
        Turn::Nothing
    }
}

/// Asks the servers of a group how they are, again and again, as long as the group is held.
pub(super) async fn keep_asking(group: Weak<Group>) {
    let Some(check) = group.upgrade().and_then(|group| group.settings().health.clone()) else {
        return;
    };
    let mut rows = HashMap::new();
    sleep(check.interval.mul_f64(fraction())).await;
    loop {
        let Some(group) = group.upgrade() else { return };
        round(&group, &check, &mut rows).await;
        drop(group);
        sleep(jittered(check.interval)).await;
    }
}

/// Asks all servers at the same time, once.
async fn round(group: &Arc<Group>, check: &HealthCheck, rows: &mut HashMap<ServerId, Row>) {
    let mut asked = JoinSet::new();
    for entry in &group.set().entries {
        let (group, server) = (Arc::clone(group), Arc::clone(&entry.server));
        let check = check.clone();
        asked.spawn(async move {
            let answer = timeout(check.timeout, ask(&group, &server, &check)).await;
            (server, answer.unwrap_or(Err(Sick::Slow(check.timeout))))
        });
    }
    let mut seen = HashMap::new();
    while let Some(answer) = asked.join_next().await {
        // A check that panicked would say nothing about the server.
        let Ok((server, answer)) = answer else { continue };
        let mut row = rows.remove(&server.id).unwrap_or_default();
        learn(&server, answer, &mut row, check);
        seen.insert(server.id, row);
    }
    *rows = seen;
}

fn learn(server: &Server, answer: Result<(), Sick>, row: &mut Row, check: &HealthCheck) {
    let (core, now) = (&server.core, Instant::now().into_std());
    let (upstream, endpoint) = (&core.name, &server.endpoint);
    match answer {
        Ok(()) if row.good(check) == Turn::Up => {
            server.standing.bring_up(core.moment(now));
            info!(upstream, server = %endpoint, reason = "health checks went well", "server up");
            core.changed();
        }
        Err(sick) if row.bad(check) == Turn::Down => {
            server.standing.take_down();
            warn!(upstream, server = %endpoint, reason = %sick, "server down");
            core.changed();
        }
        Ok(()) | Err(_) => {}
    }
}

/// Asks one server over a connection of its own; an answer that does not fit is a [`Sick`].
async fn ask(group: &Group, server: &Server, check: &HealthCheck) -> Result<(), Sick> {
    let settings = group.settings();
    let tls = settings.tls.as_ref().map(|tls| (&tls.config, server.tls_name.as_ref()));
    let dialled = dial(&server.endpoint, tls, settings.protocol, check.timeout).await?;
    let host = match &check.host {
        Some(host) => host.clone(),
        None => HeaderValue::try_from(&server.authority).map_err(http::Error::from)?,
    };
    let (time, now) = (check.timeout, std::time::Instant::now());
    let status = match dialled.spoken {
        Spoken::Http1 => {
            let connection = Box::new(Connection::new(dialled.stream.split()));
            let request = to_http1(&check.path, &host);
            let answered = connection.exchange(request, time, now, &Unwatched).await;
            answered?.head.status
        }
        Spoken::Http2 => {
            let sender = http2::begin(dialled.stream).await.map_err(Error::Http2)?;
            let request = to_http2(&check.path, &host, tls.is_some())?;
            let answered =
                http2::exchange(sender, request, &Upload::default(), time, &Unwatched).await;
            answered?.status()
        }
    };
    if check.accepts(status) { Ok(()) } else { Err(Sick::Status(status)) }
}

fn to_http1(path: &str, host: &HeaderValue) -> Outgoing {
    let mut head = write_buffer::take();
    outgoing::request_line(&mut head, &Method::GET, path);
    head.add(&HOST, host);
    head.add(&USER_AGENT, &AGENT);
    head.extend_from_slice(b"\r\n");
    Outgoing {
        head,
        body: Incoming::empty(),
        framing: Framing::NONE,
        holds_back: false,
        upgrade: None,
        method: Method::GET,
    }
}

fn to_http2(path: &str, host: &HeaderValue, is_tls: bool) -> Result<Request<Sending>, http::Error> {
    let scheme = if is_tls { Scheme::HTTPS } else { Scheme::HTTP };
    let path = PathAndQuery::try_from(path)?;
    let uri = Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(path);
    Request::get(uri.build()?).header(USER_AGENT, AGENT).body(Sending::default())
}

/// A request of our own is in no citizen's name, so it ends with its time alone.
struct Unwatched;

impl Watch for Unwatched {
    fn look(&self, _: bool, _: &Context<'_>) -> Poll<Cut> {
        Poll::Pending
    }

    fn cut(&self) -> Option<Cut> {
        None
    }
}

/// What the request says in `User-Agent`.
const AGENT: HeaderValue = HeaderValue::from_static("brama-health-check");

#[cfg(test)]
mod tests;
