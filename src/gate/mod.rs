//! The one decision behind every door.
//!
//! Whoever serves a request gathers [`facts::Facts`], finds the [`Door`] that they lead to, looks for
//! the session if the door asks who comes, and lets it [decide](Door::decide). Nobody else has a rule
//! of its own; what no rule allows is denied.

pub mod action;
pub mod facts;
pub mod header_rules;
pub mod policy;
pub mod rewrite;

use std::sync::Arc;

use self::facts::Facts;
use self::policy::{Access, Policy, Route};
use crate::identity::assurance::Assurance;
use crate::session::held::Live;

/// What is to happen with a request.
#[derive(Debug)]
pub enum Decision {
    /// It may go on.
    Pass(Pass),
    /// The citizen must sign in first.
    Login(Assurance),
    /// The citizen is signed in, but must identify more surely.
    StepUp(Assurance),
    /// The place is closed for work, whoever asks.
    Closed,
    /// There is no such place.
    Deny,
}

/// A request that may go on: where to, and in whose name. Only [`Door::decide`] makes one.
#[derive(Debug)]
pub struct Pass {
    route: Arc<Route>,
    live: Option<Live>,
}

impl Pass {
    /// Returns the route that the request takes.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Returns the session in whose name the request is made, if any.
    #[must_use]
    pub fn live(&self) -> Option<&Live> {
        self.live.as_ref()
    }
}

/// The place that a request is for, before it is known who asks.
#[derive(Debug, Clone, Copy)]
pub struct Door<'p> {
    route: Option<&'p Arc<Route>>,
    may_pass_maintenance: bool,
}

impl<'p> Door<'p> {
    /// Finds it.
    #[must_use]
    pub fn find(facts: &Facts<'_>, policy: &'p Policy) -> Self {
        let route = policy.find(facts.host, facts.path);
        Self { route, may_pass_maintenance: facts.may_pass_maintenance }
    }

    /// Tells whether it matters here who asks. Where it does not, nobody's session is looked for,
    /// so a place for all stays open when sessions cannot be found.
    #[must_use]
    pub fn asks_who(&self) -> bool {
        self.route.is_some_and(|route| route.access != Access::Public && !self.is_closed(route))
    }

    /// Decides.
    #[must_use]
    pub fn decide(self, session: Option<Live>) -> Decision {
        let Some(route) = self.route else { return Decision::Deny };
        // Nobody is sent to sign in to a place that is closed.
        if self.is_closed(route) {
            return Decision::Closed;
        }
        let pass = |live| Decision::Pass(Pass { route: Arc::clone(route), live });
        match (route.access, session) {
            // Nobody's name is told to a public place, whoever asks.
            (Access::Public, _) => pass(None),
            (Access::Optional, live) => pass(live),
            (Access::Required(least), Some(live)) if live.session().assurance() >= least => {
                pass(Some(live))
            }
            (Access::Required(least), Some(_)) => Decision::StepUp(least),
            (Access::Required(least), None) => Decision::Login(least),
        }
    }

    fn is_closed(&self, route: &Route) -> bool {
        route.maintenance && !self.may_pass_maintenance
    }
}

#[cfg(test)]
mod tests;
