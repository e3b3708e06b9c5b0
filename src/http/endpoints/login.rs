//! `login`: a login begins, on purpose or because a page needs it.

use std::time::Duration;

use http::header::SET_COOKIE;
use http::{Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::Exchange;
use crate::base::body::Body;
use crate::flow::pending::Binding;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::Demand;
use crate::identity::assurance::Assurance;
use crate::pages;

/// Answers `GET login?return_to=/path&assurance=high&max_age=300`; all parameters are optional. With
/// `max_age` (seconds) whoever identified longer ago does so anew, with 0 everybody.
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
    let max_age = exchange.query("max_age").map(|text| parse_age(&text)).transpose()?;
    let demand = Demand { assurance, max_age };
    // Whoever is signed in surely and recently enough need not go to the node again.
    if let Some(live) = gateway.live(exchange).await?
        && let session = live.session()
        && demand.is_met(session.assurance(), session.authenticated(), exchange.began)
    {
        return Ok(answer::see_other(return_to.as_str()));
    }
    begin(gateway, exchange, return_to, demand).await
}

/// Begins a login: the page that takes the browser to the node, and one small cookie.
///
/// # Errors
/// When our request cannot be signed, or the login cannot be remembered.
pub async fn begin(
    gateway: &Gateway,
    exchange: &Exchange,
    return_to: ReturnTo,
    demand: Demand,
) -> Result<Response<Body>, Failure> {
    let cookies = gateway.settings.cookies;
    let binding = cookies.binding(&exchange.parts.headers).and_then(Binding::parse);
    let begun = gateway.flows.begin(binding, return_to, demand).await?;
    let look = answer::look(&gateway.settings, exchange);
    let page =
        pages::send_to_node(look, &begun.form_action, &begun.saml_request, &begun.relay_state);
    let mut response = answer::page(StatusCode::OK, page);
    let lifetime = gateway.flows.settings.login_timeout;
    let cookie = cookies.set_binding(begun.binding.expose(), lifetime);
    response.headers_mut().insert(SET_COOKIE, cookie);
    let (assurance, anew) = (demand.assurance, demand.max_age.is_some());
    tracing::info!(request = exchange.id, assurance = %assurance, anew, "login begun");
    Ok(response)
}

/// Reads whole seconds; ten digits are three centuries.
fn parse_age(text: &str) -> Result<Duration, Failure> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::malformed("request.max_age", "max_age is a number of seconds"))
}
