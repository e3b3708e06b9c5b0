//! A server lent to one request.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use rustls::pki_types::ServerName;
use tracing::{info, warn};

use super::server::{Endpoint, Server, ServerId};
use super::standing::{Kind, Verdict};

/// A server for one request, which counts as under way there until this is dropped. So keep it
/// until the last piece of the answer.
#[derive(Debug)]
pub struct Lease {
    server: Arc<Server>,
    kind: Kind,
    /// The request has taught something about the server already, and teaches it once.
    ended: bool,
}

/// How a server failed a request, through no fault of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// There is no connection to it.
    #[error("no connection")]
    Connect,
    /// It did not answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke off, or the answer could not be read.
    #[error("connection broke")]
    Broken,
}

impl Lease {
    pub(super) fn new(server: Arc<Server>, kind: Kind) -> Self {
        server.in_flight.0.fetch_add(1, Ordering::Relaxed);
        Self { server, kind, ended: false }
    }

    /// Returns what tells it apart, for pools.
    #[must_use]
    pub fn id(&self) -> ServerId {
        self.server.id
    }

    /// Returns the address that a connection to the server goes to.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.server.endpoint
    }

    /// Returns what the server is called in logs.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.server.name
    }

    /// Returns the name that its certificate must be for, where there is TLS.
    #[must_use]
    pub fn tls_name(&self) -> Option<&ServerName<'static>> {
        self.server.tls_name.as_ref()
    }

    /// The server answered: the header of its answer is there, whatever it says.
    pub fn succeeded(&mut self, now: Instant) {
        self.ended = true;
        let core = &self.server.core;
        if self.server.standing.succeed(self.kind, || core.moment(now)) {
            let (upstream, server) = (&core.name, &self.server.endpoint);
            info!(upstream, %server, reason = "a request went well", "server up");
            core.changed();
        }
    }

    /// The server broke off in the middle of an answer. It counts as a failure and puts no server
    /// out: a page that always breaks would let any client put out every server.
    pub fn broke_off(&self) {
        self.server.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// The server failed. A client that went away or sent nonsense is no failure: then say
    /// nothing.
    pub fn failed(&mut self, failure: ServerError, now: Instant) {
        self.ended = true;
        let (server, core) = (&self.server, &self.server.core);
        server.failures.fetch_add(1, Ordering::Relaxed);
        if failure == ServerError::Connect {
            core.resolve_now.notify_one();
        }
        if let Verdict::Ejected(time) =
            server.standing.fail(self.kind, core.moment(now), &core.rules)
        {
            server.ejections.add();
            let (upstream, server) = (&core.name, &server.endpoint);
            warn!(upstream, %server, reason = %failure, for_time = ?time, "server ejected");
            core.changed();
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.server.in_flight.0.fetch_sub(1, Ordering::Relaxed);
        if self.kind == Kind::Trial && !self.ended {
            self.server.standing.return_trial();
        }
    }
}
