//! `login`: a login begins, on purpose or because a page needs it. Only a person who goes to a page
//! begins one; scripts and frames are told that it is needed.

use http::header::SET_COOKIE;
use http::{Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::{Caller, Exchange, is_reading};
use crate::base::body::Body;
use crate::flow::pending::Binding;
use crate::flow::return_to::ReturnTo;
use crate::identity::assurance::Assurance;
use crate::pages::{self, Trouble};

/// Answers `GET login?return_to=/path&assurance=high`; both parameters are optional.
///
/// # Errors
/// When nobody can sign in, the network began too many logins, our request cannot be signed, or
/// the session store is away.
pub async fn answer(gateway: &Gateway, exchange: &Exchange) -> Result<Response<Body>, Failure> {
    let return_to = exchange.query("return_to").unwrap_or_default();
    let return_to = ReturnTo::parse(&return_to);
    let assurance = match exchange.query("assurance") {
        None => gateway.flows.settings.assurance,
        Some(text) => Assurance::parse(&text).ok_or_else(|| {
            Failure::malformed("request.assurance", "assurance is low, substantial or high")
        })?,
    };
    // Whoever is signed in surely enough need not go to the node again.
    let live = gateway.live(exchange).await?;
    if live.as_ref().is_some_and(|live| live.session().assurance() >= assurance) {
        return Ok(answer::see_other(return_to.as_str()));
    }
    check_outage(gateway, exchange)?;
    let link = gateway.login_link(&return_to, assurance);
    match exchange.caller() {
        Caller::Navigation => begin(gateway, exchange, return_to, assurance),
        // Neither can go to the node, so nothing begins and no cookie is set: a script that asks
        // again and again leaves nothing behind.
        Caller::Program => Ok(answer::login_required(&link, assurance.name(), live.is_some())),
        Caller::Frame => {
            let (status, code) = (StatusCode::UNAUTHORIZED, "request.frame_without_session");
            Err(Failure::new(Trouble::SignInNeeded, status, code).begin_again(link))
        }
    }
}

/// Refuses to begin a login while the operator says that the node is away.
///
/// # Errors
/// When it is.
pub fn check_outage(gateway: &Gateway, exchange: &Exchange) -> Result<(), Failure> {
    let Some(outage) = &gateway.settings.outage else { return Ok(()) };
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let failure = Failure::new(Trouble::NodeOutage, status, "login.outage");
    Err(again_here(failure, exchange).retry_after(outage.retry_after))
}

/// Offers to ask for the same once more, where that is harmless.
pub(super) fn again_here(failure: Failure, exchange: &Exchange) -> Failure {
    if !is_reading(&exchange.parts.method) {
        return failure;
    }
    failure.begin_again(ReturnTo::parse(exchange.path_and_query()).as_str())
}

/// Begins a login: the page that takes the browser to the node, and one small cookie.
///
/// # Errors
/// When the network began too many, or our request cannot be signed.
pub fn begin(
    gateway: &Gateway,
    exchange: &Exchange,
    return_to: ReturnTo,
    assurance: Assurance,
) -> Result<Response<Body>, Failure> {
    gateway
        .limits
        .start(exchange.client.address)
        .map_err(|refused| again_here(refused.into(), exchange))?;
    let cookies = gateway.settings.cookies;
    let binding = cookies.binding(&exchange.parts.headers).and_then(Binding::parse);
    let begun = gateway.flows.begin(binding, return_to, assurance).map_err(|error| Failure {
        detail: error.to_string(),
        ..Failure::new(Trouble::OurFault, StatusCode::INTERNAL_SERVER_ERROR, "login.cannot_sign")
    })?;
    let look = answer::look(&gateway.settings, exchange);
    let page =
        pages::send_to_node(look, &begun.form_action, &begun.saml_request, &begun.relay_state);
    let mut response = answer::page(StatusCode::OK, page);
    let lifetime = gateway.flows.settings.login_timeout;
    let cookie = cookies.set_binding(begun.binding.expose(), lifetime);
    response.headers_mut().insert(SET_COOKIE, cookie);
    tracing::info!(request = exchange.id, assurance = %assurance, "login begun");
    Ok(response)
}
