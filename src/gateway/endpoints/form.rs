//! `form`: the citizen is back, and a page asks whether to send what they had typed.
//!
//! The button posts to the address that the form was for, see [`crate::gateway::forms`]. A POST to this
//! place throws the form away.

use http::header::REFERRER_POLICY;
use http::{HeaderValue, Method, Response, StatusCode};

use crate::base::body::Body;
use crate::flow::forms::{Form, Handle};
use crate::gate::{Decision, Door, Stop};
use crate::gateway::Worker;
use crate::gateway::endpoints::small_form;
use crate::gateway::failure::Failure;
use crate::gateway::forms::{self, FIELD, Kept};
use crate::gateway::login;
use crate::gateway::response;
use crate::pages::{self, KeptForm};
use crate::request::context::{Caller, Exchange, form_value};
use crate::request::path;
use crate::session::held::Live;
use crate::wire::incoming::Incoming;

/// Answers `GET form?id=...`.
///
/// # Errors
/// When there is no such form for this browser, nobody can sign in, or the store is away.
pub async fn ask(worker: &Worker, exchange: &Exchange) -> Result<Response<Body>, Failure> {
    let handle = exchange.query("id").as_deref().and_then(Handle::parse);
    let found = forms::find(worker, exchange, handle).await?;
    let (kept, form) = found.ok_or_else(forms::gone)?;
    let live = worker.live(exchange).await?;
    // 1. Whoever would be stopped at the door is led to the node first, not after the button.
    let now = exchange.began;
    if let Stop::Login(demand) | Stop::StepUp(demand) =
        match door(worker, exchange, &form)?.decide(live.clone(), now) {
            Decision::Stop(stop) => stop,
            // Nothing else is decided here: the button asks for that.
            Decision::Pass(_) => Stop::Deny,
        }
        && exchange.caller() == Caller::Navigation
    {
        login::check_outage(worker, exchange)?;
        return login::begin(worker, exchange, kept.return_to(worker), demand).await;
    }
    // 2. The page: what would be sent where, and in whose name.
    let person = live.as_ref().map(Live::session).map(|session| session.person());
    let name: Vec<_> = person
        .map(|person| [person.given_name(), person.family_name()])
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let discard = worker.shared.settings.prefix.clone() + "form";
    let page = pages::kept_form(
        response::look(&worker.shared.settings, exchange),
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
    // The citizen has as long again to press the button. And a page that came with a cookie is not shown
    // once more by "back", when the form is long gone.
    kept.bind(worker, exchange, &mut response);
    // The address of the page has the handle in it, and is nobody's business.
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
    exchange: &Exchange,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    forms::require_same_origin(worker, exchange)?;
    let body = small_form::read(body, 4096).await.unwrap_or_default();
    let handle = form_value(&body, &[FIELD]).as_deref().and_then(Handle::parse);
    if let Some((Kept { handle, binding }, _)) = forms::find(worker, exchange, handle).await? {
        worker.shared.flows.forms.take(&handle, &binding, exchange.began).await?;
    }
    Ok(response::see_other("/"))
}

/// Finds the door that the form would go through.
fn door<'g>(worker: &'g Worker, exchange: &Exchange, form: &Form) -> Result<Door<'g>, Failure> {
    let raw = form.about.target.split('?').next().unwrap_or_default();
    let path = path::canonical(raw)?;
    let client = Some(exchange.client.address);
    Ok(worker.shared.rules.find((&form.about.host, &path), &Method::POST, client))
}
