//! `login`: a login begins, on purpose or because a page needs it.

use http::header::SET_COOKIE;
use http::{Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::Exchange;
use crate::base::body::Body;
use crate::flow::pending::Binding;
use crate::flow::return_to::ReturnTo;
use crate::identity::assurance::Assurance;
use crate::pages::{self, Trouble};

/// Answers `GET login?return_to=/path&assurance=high`; both parameters are optional.
///
/// # Errors
/// When our request cannot be signed, or the session store is away.
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
    if let Some(live) = gateway.live(exchange).await?
        && live.session().assurance() >= assurance
    {
        return Ok(answer::see_other(return_to.as_str()));
    }
    begin(gateway, exchange, return_to, assurance)
}

/// Begins a login: the page that takes the browser to the node, and one small cookie.
///
/// # Errors
/// When our request cannot be signed.
pub fn begin(
    gateway: &Gateway,
    exchange: &Exchange,
    return_to: ReturnTo,
    assurance: Assurance,
) -> Result<Response<Body>, Failure> {
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
