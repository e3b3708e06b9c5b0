//! Asks servers how they are.
//!
//! 1. A real request, over a connection of its own, in the HTTP and TLS of the upstream. Only the
//!    status of the answer counts.
//! 2. A server is well until a check says otherwise. So many bad answers in a row take it out, so
//!    many good ones bring it back; for a server that never was well, one bad answer is enough.
//! 3. Checks begin at a moment of chance and their distance varies, so that replicas of the
//!    gateway do not ask in step.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::header::{HOST, USER_AGENT};
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use super::dial::{DialError, Spoken, dial};
use super::group::Group;
use super::resolve::{fraction, jittered};
use super::server::{Server, ServerId};
use super::settings::HealthCheck;
use crate::base::causes::in_one_line;

/// Why a server is not well.
#[derive(Debug, thiserror::Error)]
enum Sick {
    #[error("no connection: {0}")]
    Unreachable(#[from] DialError),
    #[error("no answer within {0:?}")]
    Slow(std::time::Duration),
    #[error("no answer: {}", in_one_line(.0))]
    Broken(#[from] hyper::Error),
    #[error("answered with status {0}")]
    Status(StatusCode),
    #[error("request cannot be made: {0}")]
    Request(#[from] http::Error),
}

/// The answers of one server.
#[derive(Debug, Default)]
struct Row {
    was_well: bool,
    is_down: bool,
    good: u32,
    bad: u32,
}

/// What an answer changes.
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

/// Asks the servers of a group how they are, again and again, as long as somebody holds it.
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

/// Asks one server.
async fn ask(group: &Group, server: &Server, check: &HealthCheck) -> Result<(), Sick> {
    let settings = group.settings();
    let tls = settings.tls.as_ref().map(|tls| (&tls.config, server.tls_name.as_ref()));
    let dialled = dial(&server.endpoint, tls, settings.protocol, check.timeout).await?;
    let host = match &check.host {
        Some(host) => host.clone(),
        None => HeaderValue::try_from(&server.authority).map_err(http::Error::from)?,
    };
    let path = PathAndQuery::try_from(check.path.as_str()).map_err(http::Error::from)?;
    let request = Request::get("/").header(USER_AGENT, "brama-health-check");
    let stream = TokioIo::new(dialled.stream);
    let answer = match dialled.spoken {
        Spoken::Http1 => {
            let request = request.uri(path.as_str()).header(HOST, host);
            let request = request.body(Empty::<Bytes>::new())?;
            let (mut sender, connection) = http1::handshake(stream).await?;
            either_first(sender.send_request(request), connection).await?
        }
        Spoken::Http2 => {
            let scheme = if tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
            let uri = Uri::builder().scheme(scheme).authority(host.as_bytes());
            let request = request.uri(uri.path_and_query(path).build()?);
            let request = request.body(Empty::<Bytes>::new())?;
            let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
            either_first(sender.send_request(request), connection).await?
        }
    };
    let status = answer.status();
    if check.accepts(status) { Ok(()) } else { Err(Sick::Status(status)) }
}

/// Drives a connection until the answer is there. A connection that ends has told it what it knows.
async fn either_first<A: Future, C: Future>(answer: A, connection: C) -> A::Output {
    let (mut answer, connection) = (pin!(answer), pin!(connection));
    tokio::select! {
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

#[cfg(test)]
mod tests;
