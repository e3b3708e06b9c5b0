//! `form`: the citizen is back, and a page asks whether to send what they had typed.
//!
//! The button posts to the address that the form was for, see [`crate::gateway::forms`]. A POST to
//! this place throws the form away.

use http::header::REFERRER_POLICY;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::base::body::Body;
use crate::flow::forms::{Form, Handle};
use crate::gate::{Decision, Denial, RouteMatch};
use crate::gateway::Worker;
use crate::gateway::endpoints::small_form;
use crate::gateway::failure::Failure;
use crate::gateway::forms::{self, BoundForm, FIELD};
use crate::gateway::login;
use crate::gateway::response;
use crate::pages::{self, KeptForm};
use crate::request::context::{Caller, RequestContext, form_value};
use crate::session::cached::ActiveSession;
use crate::wire::incoming::Incoming;

/// Answers `GET form?id=...`.
///
/// # Errors
/// When there is no such form for this browser, sign-in is closed, or the store is away.
pub async fn ask(worker: &Worker, context: &RequestContext) -> Result<Response<Body>, Failure> {
    let handle = context.query("id").as_deref().and_then(Handle::parse);
    let found = forms::find(worker, context, handle).await?;
    let (kept, form) = found.ok_or_else(forms::gone)?;
    let live = worker.live(context).await?;
    // 1. A citizen whom the gate would stop is led to the node first, not after the button.
    let now = context.began;
    if let Denial::Login(requirement) | Denial::StepUp(requirement) =
        match door(worker, context, &form)?.decide(live.clone(), now) {
            Decision::Deny(denial) => denial,
            // Nothing else is decided here: the button asks for that.
            Decision::Pass(_) => Denial::NoRoute,
        }
        && context.caller() == Caller::Navigation
    {
        login::check_outage(worker, context)?;
        return login::begin(worker, context, kept.return_to(worker), requirement).await;
    }
    // 2. The page: what would be sent where, and in whose name.
    let person = live.as_ref().map(ActiveSession::session).map(|session| session.person());
    let name: Vec<_> = person
        .map(|person| [person.given_name(), person.family_name()])
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let discard = worker.shared.settings.prefix.clone() + "form";
    let page = pages::kept_form(
        response::look(&worker.shared.settings, context),
        &KeptForm {
            target: &form.about.target,
            bytes: form.body.len(),
            name: &name.join(" "),
            field: FIELD,
            handle: kept.handle.as_str(),
            discard: &discard,
        },
    );
    let mut response = response::page(StatusCode::OK, page);
    // The citizen has as long again to press the button. And a page that came with a cookie is not
    // shown once more by "back", when the form is long gone.
    kept.bind(worker, context, &mut response);
    // The address of the page has the handle in it, which no other site may learn.
    let policy = HeaderValue::from_static("strict-origin");
    response.headers_mut().insert(REFERRER_POLICY, policy);
    Ok(response)
}

/// Answers `POST form`: the form is thrown away.
///
/// # Errors
/// When another site asks, or the store is away.
pub async fn discard(
    worker: &Worker,
    context: &RequestContext,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    forms::require_same_origin(worker, context)?;
    let body = small_form::read(body, 4096).await.unwrap_or_default();
    let handle = form_value(&body, &[FIELD]).as_deref().and_then(Handle::parse);
    if let Some((BoundForm { handle, binding }, _)) = forms::find(worker, context, handle).await? {
        worker.shared.flows.forms.take(&handle, &binding, context.began).await?;
    }
    Ok(response::see_other("/"))
}

/// Finds the door that the form would go through.
fn door<'g>(
    worker: &'g Worker,
    context: &RequestContext,
    form: &Form,
) -> Result<RouteMatch<'g>, Failure> {
    let raw = form.about.target.split('?').next().unwrap_or_default();
    let path = worker.shared.rules.path(&form.about.host, raw)?;
    let client = Some(context.client.address);
    Ok(worker.shared.rules.find((&form.about.host, &path), &Method::POST, client))
}
