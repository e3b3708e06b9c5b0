//! What a login must bring: never less than the service and the way back ask for.
//!
//! 1. A client may ask for more than it needs, and never for less: of the wish, of the route that
//!    the return path leads to and of the service the highest level holds, and the least age.
//! 2. The return path is read as a request for it would be, by host, path and `GET`. A path that a
//!    request could not have, and one of our own places, ask for nothing beside the service.
//! 3. It opens nothing: a citizen who comes back meets the gate, which asks for the same again.

use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::gateway::Worker;
use crate::identity::assurance::Assurance;
use crate::request::context::RequestContext;

/// Returns what a login must bring that a client asks for.
#[must_use]
pub fn demanded(
    worker: &Worker,
    context: &RequestContext,
    return_to: &ReturnTo,
    wish: (Option<Assurance>, Option<std::time::Duration>),
) -> AuthnRequirement {
    let service = AuthnRequirement::from(worker.shared.flows.settings.assurance);
    let wish = AuthnRequirement { assurance: wish.0.unwrap_or(service.assurance), max_age: wish.1 };
    let asked = service.and(wish);
    of_route(worker, context, return_to).map_or(asked, |route| asked.and(route))
}

/// Returns what the route asks for that a return path leads to.
fn of_route(
    worker: &Worker,
    context: &RequestContext,
    return_to: &ReturnTo,
) -> Option<AuthnRequirement> {
    let raw = return_to.as_str().split(['?', '#']).next()?;
    let host = context.host.name();
    let path = worker.shared.rules.path(host, raw).ok()?;
    worker.shared.find((host, &path), &http::Method::GET, None).route()?.requirement()
}
