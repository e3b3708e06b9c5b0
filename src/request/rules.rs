//! What a request is judged by, and which of it holds at the moment.
//!
//! Every request keeps the [`Rules`] that it began with. What lasts longer than a new configuration
//! takes to come is judged again by the [`CurrentRules`] (see [`crate::request::lasting`]).

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use http::Method;

use crate::base::clock::SharedClock;
use crate::gate::RouteMatch;
use crate::gate::facts::Facts;
use crate::gate::policy::Policy;
use crate::gate::readings::Refusal;
use crate::observe::events::Events;
use crate::request::networks::Networks;
use crate::request::{lenient_path, path};
use crate::session::sessions::Sessions;

/// By what a request is judged.
pub struct Rules {
    /// Which requests go where, and what a client needs for them.
    pub policy: Policy,
    /// The networks of clients that may pass while a route is under maintenance.
    pub may_pass_maintenance: Networks,
}

impl Rules {
    /// Returns the canonical path of a request for the policy. A spelling that is read in more than
    /// one way is taken only where the route says so.
    ///
    /// # Errors
    /// When it could be read in two ways.
    pub fn path<'p>(&self, host: &str, raw: &'p str) -> Result<Cow<'p, str>, path::Error> {
        path::canonical(raw).or_else(|error| self.lenient_path(host, raw, error).map(Cow::Owned))
    }

    #[cold]
    fn lenient_path(
        &self,
        host: &str,
        raw: &str,
        error: path::Error,
    ) -> Result<String, path::Error> {
        if !self.policy.is_lenient(host) {
            return Err(error);
        }
        let readings = lenient_path::read(raw).ok_or(error)?;
        match self.policy.take(host, &readings) {
            Ok(()) => Ok(readings.path),
            Err(Refusal::NotTaken) => Err(error),
            Err(Refusal::LeadsElsewhere) => Err(path::Error::LeadsElsewhere),
        }
    }

    /// Finds the route of a request: by its canonical host and path, its method, and its client,
    /// which may be allowed to pass during maintenance. `None` is no client in particular.
    #[must_use]
    pub fn find(
        &self,
        (host, path): (&str, &str),
        method: &Method,
        client: Option<IpAddr>,
    ) -> RouteMatch<'_> {
        let may_pass_maintenance =
            client.is_some_and(|client| self.may_pass_maintenance.contains(client));
        RouteMatch::find(&Facts { host, path, method, may_pass_maintenance }, &self.policy)
    }
}

/// The rules of the moment, one for all workers: a new configuration changes them. Beside them is
/// all else that judging something again takes.
pub struct CurrentRules {
    rules: ArcSwap<Rules>,
    /// The sessions, for whether one still lives.
    pub sessions: Arc<Sessions>,
    /// The clock by which open requests are judged again.
    pub clock: SharedClock,
    /// Who is told that something was cut.
    pub events: Arc<Events>,
}

impl CurrentRules {
    /// Makes the current rules, which a reload replaces.
    #[must_use]
    pub fn new(
        rules: Arc<Rules>,
        sessions: Arc<Sessions>,
        clock: SharedClock,
        events: Arc<Events>,
    ) -> Arc<Self> {
        Arc::new(Self { rules: ArcSwap::new(rules), sessions, clock, events })
    }

    /// Judges by others from now on.
    pub fn replace(&self, rules: Arc<Rules>) {
        self.rules.store(rules);
    }

    /// Returns the rules of the moment.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Rules>> {
        self.rules.load()
    }
}
