//! `login`: a login begins, on purpose or because a page needs it. Only a person who goes to a page
//! begins one; scripts and frames are told that it is needed.

use std::time::Duration;

use http::header::{HeaderMap, SET_COOKIE};
use http::{Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::cookie::Bound;
use super::super::demand;
use super::super::exchange::{Caller, Exchange, is_reading};
use super::super::stop::Challenge;
use super::cross;
use crate::base::body::Body;
use crate::base::reason::Reason;
use crate::flow::binding::Tag;
use crate::flow::pending::Origin;
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::Demand;
use crate::identity::assurance::Assurance;
use crate::pages::{self, Trouble};
use crate::session::held::Live;

/// Answers `GET login?return_to=/path&assurance=high&max_age=300`; all parameters are optional. With
/// `max_age` (seconds) whoever identified longer ago does so anew, with 0 everybody. Neither asks for
/// less than the service and the return path do.
///
/// # Errors
/// When nobody can sign in, the network began too many logins, our request cannot be signed, or
/// the session store is away.
pub async fn answer(gateway: &Gateway, exchange: &Exchange) -> Result<Response<Body>, Failure> {
    let return_to = exchange.query("return_to").unwrap_or_default();
    let return_to = ReturnTo::parse(&return_to);
    let assurance = exchange.query("assurance").map(|text| {
        let detail = "assurance is low, substantial or high";
        Assurance::parse(&text).ok_or_else(|| Failure::malformed(Reason::RequestAssurance, detail))
    });
    let max_age = exchange.query("max_age").map(|text| parse_age(&text));
    let wish = (assurance.transpose()?, max_age.transpose()?);
    let demand = demand::demanded(gateway, exchange, &return_to, wish);
    // Whoever is signed in surely and recently enough need not go to the node again.
    let live = gateway.live(exchange).await?;
    let is_met = live.as_ref().map(Live::session).is_some_and(|session| {
        demand.is_met(session.assurance(), session.authenticated(), exchange.began)
    });
    if is_met {
        return Ok(answer::see_other(return_to.as_str()));
    }
    if live.is_some() {
        gateway.counts.step_ups.add();
    }
    check_outage(gateway, exchange)?;
    let login = gateway.settings.login_link(&return_to, demand);
    match exchange.caller() {
        Caller::Navigation => begin(gateway, exchange, return_to, demand).await,
        // Neither can go to the node, so nothing begins and no cookie is set: a script that asks
        // again and again leaves nothing behind.
        Caller::Program => {
            Ok(answer::challenge(&Challenge { login, demand, step_up: live.is_some() }))
        }
        Caller::Frame => {
            let (status, code) = (StatusCode::UNAUTHORIZED, Reason::RequestFrameWithoutSession);
            Err(Failure::new(Trouble::SignInNeeded, status, code).begin_again(login))
        }
    }
}

/// Refuses to begin a login while the operator says that the node is away. From another host the browser
/// goes to the registered one first: who is signed in there need not go to the node.
///
/// # Errors
/// When it is.
pub fn check_outage(gateway: &Gateway, exchange: &Exchange) -> Result<(), Failure> {
    let Some(outage) = &gateway.settings.outage else { return Ok(()) };
    if gateway.settings.other(exchange.host.name()).is_some() {
        return Ok(());
    }
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let failure = Failure::new(Trouble::NodeOutage, status, Reason::LoginOutage);
    Err(again_here(failure, exchange).retry_after(outage.retry_after))
}

/// Offers to ask for the same once more, where that is harmless.
pub(super) fn again_here(failure: Failure, exchange: &Exchange) -> Failure {
    if !is_reading(&exchange.parts.method) {
        return failure;
    }
    failure.begin_again(ReturnTo::parse(exchange.path_and_query()).as_str())
}

/// Begins a login: the page that takes the browser to the node, and the small cookies that bind the login
/// to the browser.
///
/// # Errors
/// When the network began too many, our request cannot be signed, or the store is away.
pub async fn begin(
    gateway: &Gateway,
    exchange: &Exchange,
    return_to: ReturnTo,
    demand: Demand,
) -> Result<Response<Body>, Failure> {
    gateway
        .limits
        .start(exchange.client.address, exchange.origin())
        .map_err(|refused| again_here(refused.into(), exchange))?;
    begin_counted(gateway, exchange, return_to, demand).await
}

/// Begins a login that was counted for its network before. It takes place at the registered host, so from
/// another one the browser goes there.
///
/// # Errors
/// When our request cannot be signed, the store is away, or the way to the registered host cannot be
/// remembered.
pub async fn begin_counted(
    gateway: &Gateway,
    exchange: &Exchange,
    return_to: ReturnTo,
    demand: Demand,
) -> Result<Response<Body>, Failure> {
    if let Some(portal) = gateway.settings.other(exchange.host.name()) {
        return cross::leave(gateway, exchange, portal, return_to, demand).await;
    }
    let begun = gateway.flows.begin(return_to, demand, exchange.origin()).await?;
    let look = answer::look(&gateway.settings, exchange);
    let handle = begun.relay_state.as_str();
    let page = pages::send_to_node(look, &begun.form_action, &begun.saml_request, handle);
    let mut response = answer::page(StatusCode::OK, page);
    let (lifetime, tag) = (gateway.flows.settings.login_timeout, begun.relay_state.tag());
    let (login, twin) = match exchange.origin() {
        Origin::Own => (Bound::Login, Bound::Twin),
        Origin::Elsewhere => (Bound::ForeignLogin, Bound::ForeignTwin),
    };
    for (kind, value) in [(login, &begun.remembered), (twin, &begun.twin)] {
        bind(gateway, exchange, (kind, &tag, value.expose()), lifetime, &mut response);
    }
    let (assurance, anew) = (demand.assurance, demand.max_age.is_some());
    gateway.counts.logins_begun.add();
    tracing::info!(request = exchange.id, assurance = %assurance, anew, "login begun");
    Ok(response)
}

/// Binds a thing to the browser that is answered, by a cookie of its own. The earliest of its kind make
/// room when there are many.
pub fn bind(
    gateway: &Gateway,
    exchange: &Exchange,
    (kind, tag, value): (Bound, &Tag, &str),
    lifetime: Duration,
    response: &mut Response<Body>,
) {
    let cookies = gateway.settings.cookies;
    let headers: &mut HeaderMap = response.headers_mut();
    for gone in cookies.make_room(&exchange.parts.headers, kind, (tag, value.len())) {
        headers.append(SET_COOKIE, gone);
    }
    if let Some(cookie) = cookies.bind(kind, tag, value, lifetime) {
        headers.append(SET_COOKIE, cookie);
    }
}

/// Reads whole seconds; ten digits are three centuries.
fn parse_age(text: &str) -> Result<Duration, Failure> {
    let is_number = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| Failure::malformed(Reason::RequestMaxAge, "max_age is a number of seconds"))
}
