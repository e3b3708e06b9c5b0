//! A login begins, for whichever door or endpoint wants one.

use std::time::Duration;

use http::{Response, StatusCode};

use super::failure::Failure;
use super::{Worker, handoff, history, landing, response};
use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::pending::Origin;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::AuthnRequirement;
use crate::observe::event::{Event, LoginFacts};
use crate::pages::{self, ErrorPage};
use crate::request::context::{RequestContext, is_reading};
use crate::request::cookie::Bound;
use crate::saml::finding::{Finding, Value};

/// How long a browser remembers where a login was to lead that took too long.
const REMEMBERED_AFTER: Duration = Duration::from_secs(30 * 60);

/// When records may be written again.
const AUDIT_RETRY_AFTER: Duration = Duration::from_secs(30);

/// Refuses to begin a login while the operator says that the node is away. From another host the
/// browser goes to the registered one first: a citizen who is signed in there need not go to the
/// node.
///
/// # Errors
/// When it is.
pub fn check_outage(worker: &Worker, context: &RequestContext) -> Result<(), Failure> {
    let Some(outage) = &worker.shared.settings.outage else { return Ok(()) };
    if worker.shared.settings.other(context.host.name()).is_some() {
        return Ok(());
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let failure = Failure::new(ErrorPage::NodeOutage, status, Reason::LoginOutage);
    Err(again_here(failure, context).retry_after(outage.retry_after))
}

/// Refuses to begin or to finish a login while its records cannot be written and must be.
///
/// # Errors
/// When that is so. Nothing is spent by then.
pub fn check_audit(worker: &Worker, context: &RequestContext) -> Result<(), Failure> {
    if worker.shared.audit.takes_logins() {
        return Ok(());
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let failure = Failure::new(ErrorPage::NotRecorded, status, Reason::LoginAuditUnavailable);
    let finding = Finding::new("audit_written", Value::Nothing, Value::Nothing);
    let failure = Failure { finding: Some(Box::new(finding)), ..failure };
    Err(again_here(failure, context).retry_after(AUDIT_RETRY_AFTER))
}

/// Offers to ask for the same once more, where that is harmless.
pub fn again_here(failure: Failure, context: &RequestContext) -> Failure {
    if !is_reading(&context.parts.method) {
        return failure;
    }
    failure.begin_again(ReturnTo::parse(context.path_and_query()).as_str())
}

/// Begins a login: the page that takes the browser to the node, and the small cookies that bind the
/// login to the browser.
///
/// # Errors
/// When the network began too many, our request cannot be signed, or the store is away.
pub async fn begin(
    worker: &Worker,
    context: &RequestContext,
    return_to: ReturnTo,
    requirement: AuthnRequirement,
) -> Result<Response<Body>, Failure> {
    if let Some(page) = landing::before(worker, context, &return_to, requirement) {
        return Ok(page);
    }
    worker
        .shared
        .limits
        .start(context.client.address, context.origin())
        .map_err(|refused| again_here(refused.into(), context))?;
    begin_counted(worker, context, return_to, requirement).await
}

/// Begins a login that was counted for its network before. It takes place at the registered host,
/// so from another one the browser goes there.
///
/// # Errors
/// When our request cannot be signed, the store is away, or the way to the registered host cannot
/// be remembered.
pub async fn begin_counted(
    worker: &Worker,
    context: &RequestContext,
    return_to: ReturnTo,
    requirement: AuthnRequirement,
) -> Result<Response<Body>, Failure> {
    if let Some(portal) = worker.shared.settings.other(context.host.name()) {
        return handoff::leave(worker, context, portal, return_to, requirement).await;
    }
    check_audit(worker, context)?;
    if let Some(page) = landing::before(worker, context, &return_to, requirement) {
        return Ok(page);
    }
    let begun = worker.shared.flows.begin(return_to, requirement, context.origin()).await?;
    let look = response::look(&worker.shared.settings, context);
    let handle = begun.relay_state.as_str();
    let page = pages::send_to_node(look, &begun.form_action, &begun.saml_request, handle);
    let mut response = response::page(StatusCode::OK, page);
    let (timeout, tag) = (worker.shared.flows.settings.login_timeout, begun.relay_state.tag());
    let (login, twin) = match context.origin() {
        Origin::Own => (Bound::Login, Bound::Twin),
        Origin::Elsewhere => (Bound::ForeignLogin, Bound::ForeignTwin),
    };
    let (cookies, headers) = (worker.shared.settings.cookies, response.headers_mut());
    let remembered = (login, &begun.remembered, timeout.saturating_add(REMEMBERED_AFTER));
    for (kind, value, lifetime) in [remembered, (twin, &begun.twin, timeout)] {
        let cookie = (kind, &tag, value.expose().as_str());
        cookies.set_bound(&context.parts.headers, cookie, lifetime, headers);
    }
    let login = LoginFacts { authn_request: Some(&begun.request_id), ..LoginFacts::default() };
    let (assurance, is_anew) = (requirement.assurance.name(), requirement.max_age.is_some());
    worker.shared.tell(context, Event::LoginStarted { login, assurance, is_anew });
    history::began_again(&worker.shared, context);
    Ok(response)
}
