//! The one decision behind every door.
//!
//! A door gathers [`facts::Facts`], finds the session, and asks [`decide`]. No door has a rule of
//! its own; what no rule allows is denied.

pub mod action;
pub mod facts;
pub mod header_rules;
pub mod policy;
pub mod rewrite;

use std::sync::Arc;

use self::facts::Facts;
use self::policy::{Access, Policy, Route};
use crate::identity::assurance::Assurance;
use crate::session::store::Live;

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

/// A request that may go on: where to, and in whose name. Only [`decide`] makes one.
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

/// Decides.
#[must_use]
pub fn decide(facts: &Facts<'_>, session: Option<Live>, policy: &Policy) -> Decision {
    let Some(route) = policy.find(facts.host, facts.path) else {
        return Decision::Deny;
    };
    // Nobody is sent to sign in to a place that is closed.
    if route.maintenance && !facts.may_pass_maintenance {
        return Decision::Closed;
    }
    let pass = |live| Decision::Pass(Pass { route: Arc::clone(route), live });
    match (route.access, session) {
        // Nobody's name is told to a public place, whoever asks.
        (Access::Public, _) => pass(None),
        (Access::Optional, live) => pass(live),
        (Access::Required(least), Some(live)) if live.session.assurance() >= least => {
            pass(Some(live))
        }
        (Access::Required(least), Some(_)) => Decision::StepUp(least),
        (Access::Required(least), None) => Decision::Login(least),
    }
}

#[cfg(test)]
mod tests;
