//! The one decision behind every door.
//!
//! A door gathers [`facts::Facts`] of a request, finds the [`RouteMatch`] that they lead to, looks
//! for the session if the location asks who comes, and lets it [decide](RouteMatch::decide). No
//! door has a rule of its own; what no rule allows is denied. A caller that only wants to know what
//! would be decided asks for the same [verdict](RouteMatch::judge), and cannot let anything pass
//! with it.

pub mod action;
pub mod case;
pub mod facts;
pub mod header_rules;
pub mod leniency;
pub mod majority;
pub mod methods;
pub mod origins;
pub mod policy;
pub mod protocols;
pub mod readings;
pub mod requirement;
pub mod rewrite;
pub mod standing;
pub mod visitor;

use std::sync::Arc;

use http::Method;

use self::action::Action;
use self::facts::Facts;
use self::policy::{Access, Location, Policy, Route};
use self::requirement::{AuthnRequirement, Refusal, Unmet};
use self::visitor::Visitor;
use crate::base::clock::Time;
use crate::session::cached::ActiveSession;

/// What is to happen with a request.
#[derive(Debug)]
pub enum Decision<'p> {
    /// It may go on.
    Pass(Pass),
    /// It may not go on, and this is why.
    Deny(Denial<'p>),
}

impl Decision<'_> {
    /// Returns what was decided, in a word for operators.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass(_) => "pass",
            Self::Deny(Denial::Login(_)) => "login",
            Self::Deny(Denial::StepUp(_)) => "step_up",
            Self::Deny(Denial::Refuse(_)) => "refuse",
            Self::Deny(Denial::Closed) => "closed",
            Self::Deny(Denial::NoMethod(_)) => "no_method",
            Self::Deny(Denial::NoRoute) => "no_route",
        }
    }
}

/// Why a request may not go on.
#[derive(Debug, Clone, Copy)]
pub enum Denial<'p> {
    /// The citizen must sign in first.
    Login(AuthnRequirement),
    /// The citizen is signed in, but must identify again: more surely, or anew.
    StepUp(AuthnRequirement),
    /// The citizen is signed in and may not go there.
    Refuse(Refusal),
    /// The location is closed for work, for every client.
    Closed,
    /// There is such a location, but nothing can be done there with this method.
    NoMethod(&'p Location),
    /// No route covers the path on that host.
    NoRoute,
}

/// What would be decided, and by which route, if any.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'p> {
    /// The route that decides.
    pub route: Option<&'p Arc<Route>>,
    /// Whether the request may go on with or without a name, or why it may not go on.
    pub outcome: Result<Naming, Denial<'p>>,
}

/// Whether a request goes on in the name of the citizen who is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Without a name, also when a citizen is signed in.
    Nobody,
    /// In the name of the citizen who is signed in, if one is.
    Visitor,
}

/// A request that may go on: where to, and in whose name. Only [`RouteMatch::decide`] makes one.
#[derive(Debug)]
pub struct Pass {
    route: Arc<Route>,
    live: Option<ActiveSession>,
}

impl Pass {
    /// Returns the route that the request takes.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.route
    }

    /// Returns the session in whose name the request is made, if any.
    #[must_use]
    pub fn live(&self) -> Option<&ActiveSession> {
        self.live.as_ref()
    }
}

/// The location that a request is for, before it is known who asks.
#[derive(Debug, Clone, Copy)]
pub struct RouteMatch<'p> {
    location: Option<&'p Location>,
    route: Option<&'p Arc<Route>>,
    may_pass_maintenance: bool,
    /// It only asks whether another request may be made, which the route answers for any client.
    is_preflight: bool,
}

impl<'p> RouteMatch<'p> {
    /// Returns what the policy has for a request's host, path and method.
    #[must_use]
    pub fn find(facts: &Facts<'_>, policy: &'p Policy) -> Self {
        let location = policy.find(facts.host, facts.path);
        let route = location.and_then(|location| location.route(facts.method));
        let may_pass_maintenance = facts.may_pass_maintenance;
        Self { location, route, may_pass_maintenance, is_preflight: false }
    }

    /// Says that the request is a preflight for one with another method (Fetch 4.8). Where the
    /// route of that method lets preflights through, this one takes it, without a name; otherwise
    /// it is as any other request.
    #[must_use]
    pub fn asking_for(self, method: &Method) -> Self {
        let route = self.location.and_then(|location| location.route(method));
        match route.filter(|route| route.cors_preflight) {
            Some(route) => Self { route: Some(route), is_preflight: true, ..self },
            None => self,
        }
    }

    /// Tells whether a form that is stopped here may be kept across a login: not where the request
    /// goes on by another proxy, to which the form could not be given back.
    #[must_use]
    pub fn keeps_forms(&self) -> bool {
        self.route.is_none_or(|route| !matches!(route.action, Action::Permit))
    }

    /// Returns the most bytes that the body of the request may have, where its route says that.
    #[must_use]
    pub fn max_body(&self) -> Option<u64> {
        match &self.route?.action {
            Action::Forward(forward) => forward.bounds.max_body,
            Action::Redirect(_) | Action::Respond(_) | Action::Permit => None,
        }
    }

    /// Tells whether it matters here who asks. Where it does not, no session is looked for, so a
    /// location for all stays open when sessions cannot be found.
    #[must_use]
    pub fn asks_who(&self) -> bool {
        !self.is_preflight
            && self.route.is_some_and(|route| {
                !matches!(route.access, Access::Public) && !self.is_closed(route)
            })
    }

    /// Tells whether it depends on the method what is decided here.
    #[must_use]
    pub fn names_methods(&self) -> bool {
        self.is_preflight
            || self.location.is_some_and(|location| location.methods().next().is_some())
    }

    /// Returns what a login must bring for it, where one is needed.
    #[must_use]
    pub fn requirement(&self) -> Option<AuthnRequirement> {
        match &self.route?.access {
            Access::Required(requirement) => Some(requirement.requirement()),
            Access::Public | Access::Optional => None,
        }
    }

    /// Decides, once and for all, whether a request with this session may go on.
    #[must_use]
    pub fn decide(self, session: Option<ActiveSession>, now: Time) -> Decision<'p> {
        let visitor = session.as_ref().map(|live| Visitor::from(live.session()));
        let Verdict { route, outcome } = self.judge(visitor.as_ref(), now);
        match (route, outcome) {
            (Some(route), Ok(naming)) => {
                let live = session.filter(|_| naming == Naming::Visitor);
                Decision::Pass(Pass { route: Arc::clone(route), live })
            }
            (_, Err(denial)) => Decision::Deny(denial),
            (None, Ok(_)) => Decision::Deny(Denial::NoRoute),
        }
    }

    /// Says what would be decided.
    #[must_use]
    pub fn judge(&self, visitor: Option<&Visitor<'_>>, now: Time) -> Verdict<'p> {
        let outcome = match (self.route, self.location) {
            (Some(route), _) => self.judge_route(route, visitor, now),
            (None, Some(location)) => Err(Denial::NoMethod(location)),
            (None, None) => Err(Denial::NoRoute),
        };
        Verdict { route: self.route, outcome }
    }

    fn judge_route(
        &self,
        route: &Route,
        visitor: Option<&Visitor<'_>>,
        now: Time,
    ) -> Result<Naming, Denial<'p>> {
        // No client is sent to sign in to a location that is closed.
        if self.is_closed(route) {
            return Err(Denial::Closed);
        }
        if self.is_preflight {
            return Ok(Naming::Nobody);
        }
        match (&route.access, visitor) {
            // A public location is told no name, also when a citizen is signed in.
            (Access::Public, _) => Ok(Naming::Nobody),
            (Access::Optional, _) => Ok(Naming::Visitor),
            (Access::Required(requirement), Some(visitor)) => {
                requirement.check(visitor, now).map_err(|unmet| match unmet {
                    Unmet::Login(requirement) => Denial::StepUp(requirement),
                    Unmet::Refused(refusal) => Denial::Refuse(refusal),
                })?;
                Ok(Naming::Visitor)
            }
            (Access::Required(requirement), None) => Err(Denial::Login(requirement.requirement())),
        }
    }

    fn is_closed(&self, route: &Route) -> bool {
        route.maintenance && !self.may_pass_maintenance
    }
}

#[cfg(test)]
mod tests;
