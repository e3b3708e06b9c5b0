//! What every door does with a request before it is answered, once its head was checked, proxies in
//! front were heard and its headers were cleaned (steps 1 to 3 of [`super::stack`]). No door has a
//! rule of its own.
//!
//! 1. [`host()`] and [`path()`]: one host and one path, the same for us and for whoever is behind
//!    us.
//! 2. [`Shared::find`]: an endpoint of ours, or what the policy has for that host, path and method.
//! 3. [`Worker::decide`]: the method is the one that the request line says, the cookie leads to a
//!    session where it matters who asks, and the gate decides.
//!
//! Whoever only wants to know what would be decided finds the same and asks it for a verdict
//! ([`RouteMatch::judge`](crate::gate::RouteMatch::judge)).

use std::borrow::Cow;
use std::net::IpAddr;

use http::request::Parts;
use http::{Method, Uri};

use crate::base::reason::Reason;
use crate::gate::{Decision, RouteMatch};
use crate::gateway::failure::Failure;
use crate::gateway::{Settings, Shared, Worker, endpoints};
use crate::request::context::RequestContext;
use crate::request::host::Host;
use crate::request::rules::Rules;
use crate::request::{headers, host, path};

/// Returns the canonical host of a request: the one that it names, unless a proxy in front is
/// believed to have `told` another.
///
/// # Errors
/// When it names none, two, or one that is not canonical, whatever was told.
pub fn host(parts: &Parts, is_tls: bool, told: Option<Host>) -> Result<Host, Failure> {
    let named = host::canonical(parts, is_tls)?;
    Ok(told.unwrap_or(named))
}

/// Returns the canonical path of a request for the policy.
///
/// # Errors
/// When path or query could be read in two ways.
pub fn path(uri: &Uri) -> Result<Cow<'_, str>, Failure> {
    let path = path::canonical(uri.path())?;
    path::check_query(uri.query().unwrap_or(""))?;
    Ok(path)
}

/// What a request is for.
#[derive(Debug)]
pub enum Found<'r> {
    /// An endpoint of ours, which no rule is for.
    Own(endpoints::Endpoint),
    /// What the policy has for it.
    Route(RouteMatch<'r>),
}

impl<'r> Found<'r> {
    /// Returns what the policy has for it, unless it is one of our own endpoints.
    #[must_use]
    pub fn route(self) -> Option<RouteMatch<'r>> {
        match self {
            Self::Own(_) => None,
            Self::Route(found) => Some(found),
        }
    }
}

/// Finds what a request is for, by its canonical host and path, its method, and its client, who may
/// be allowed to pass during maintenance.
#[must_use]
pub fn find<'r>(
    (settings, rules): (&Settings, &'r Rules),
    place: (&str, &str),
    method: &Method,
    client: Option<IpAddr>,
) -> Found<'r> {
    match endpoints::find(settings, place.0, place.1, &rules.policy) {
        Some(endpoint) => Found::Own(endpoint),
        None => Found::Route(rules.find(place, method, client)),
    }
}

impl Shared {
    /// Finds what a request is for, see [`find`].
    #[must_use]
    pub fn find(&self, place: (&str, &str), method: &Method, client: Option<IpAddr>) -> Found<'_> {
        find((&self.settings, &self.rules), place, method, client)
    }
}

impl Worker {
    /// Decides about a request, once it is known what it is for.
    ///
    /// # Errors
    /// When a header claims another method and it matters which it is, or the session cannot be
    /// looked for.
    pub async fn decide<'r>(
        &self,
        context: &RequestContext,
        found: RouteMatch<'r>,
    ) -> Result<Decision<'r>, Failure> {
        let names_methods = found.names_methods() || context.scan.has_destination;
        if names_methods && headers::method_override::is_overridden(&context.parts.headers) {
            let detail = "a header claims another method, and it matters here which it is";
            return Err(Failure::malformed(Reason::RequestMethodOverride, detail));
        }
        let live = if found.asks_who() { self.live(context).await? } else { None };
        Ok(found.decide(live, context.began))
    }
}
