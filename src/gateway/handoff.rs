//! From another host to the registered one, where citizens sign in, and back
//! ([`crate::flow::handoff`]).

use http::Response;

use super::failure::Failure;
use super::settings::OtherPortal;
use super::{Worker, response};
use crate::base::body::Body;
use crate::flow::binding::Binding;
use crate::flow::handoff::requests::{HandoffHandle, HandoffRequest};
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::request::context::RequestContext;
use crate::request::cookie::Bound;

/// Leaves another host for the registered one, where the citizen is or will be signed in: a
/// redirect, and one small cookie.
///
/// # Errors
/// When the wish cannot be remembered.
pub async fn leave(
    worker: &Worker,
    context: &RequestContext,
    portal: &OtherPortal,
    return_to: ReturnTo,
    requirement: AuthnRequirement,
) -> Result<Response<Body>, Failure> {
    let origin = context.origin();
    let request = HandoffRequest { host: portal.host.clone(), return_to, requirement, origin };
    let (handle, binding) =
        worker.shared.flows.begin_handoff(request, worker.network(context)).await?;
    let target = worker.shared.settings.origin.clone() + address(worker, &handle).as_str();
    let mut response = response::see_other(&target);
    response::keep_address_private(&mut response);
    bind(worker, context, Bound::HandoffRequest, &handle, &binding, &mut response);
    Ok(response)
}

/// Binds a wish to the browser that is answered.
pub fn bind(
    worker: &Worker,
    context: &RequestContext,
    kind: Bound,
    handle: &HandoffHandle,
    binding: &Binding,
    response: &mut Response<Body>,
) {
    let cookie = (kind, &handle.tag(), binding.expose());
    let lifetime = worker.shared.flows.handoff_requests.lifetime();
    let (cookies, headers) = (worker.shared.settings.cookies, &context.parts.headers);
    cookies.set_bound(headers, cookie, lifetime, response.headers_mut());
}

/// Where a wish is brought, on the registered host.
#[must_use]
pub fn address(worker: &Worker, handle: &HandoffHandle) -> ReturnTo {
    ReturnTo::parse(&format!("{}cross?id={}", worker.shared.settings.prefix, handle.as_str()))
}
