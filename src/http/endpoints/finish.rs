//! `finish`: the browser that began a login comes with its cookie, and gets a session.

use std::time::Duration;

use http::header::{REFRESH, SET_COOKIE};
use http::{HeaderValue, Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::{Caller, Exchange};
use super::login;
use crate::base::body::Body;
use crate::flow::finish::LoginError;
use crate::flow::node::NodeError;
use crate::flow::pending::{self, Binding, PendingLogin, RelayState};
use crate::flow::return_to::ReturnTo;
use crate::gate::requirement::Demand;
use crate::pages;
use crate::session::SessionId;

/// Answers `GET finish?state=...`.
///
/// # Errors
/// Whatever keeps the citizen from being signed in.
pub async fn answer(gateway: &Gateway, exchange: &Exchange) -> Result<Response<Body>, Failure> {
    let cookies = gateway.settings.cookies;
    let headers = &exchange.parts.headers;
    let binding = cookies.binding(headers).and_then(Binding::parse);
    let earlier = cookies.session(headers).and_then(SessionId::parse);
    let relay_state = exchange.query("state").as_deref().and_then(RelayState::parse);
    let Some(relay_state) = relay_state else {
        return Err(refused(gateway, None, LoginError::from(pending::Refused::Unknown)));
    };
    // Known only to the browser that began it, so that the page leads nobody else there.
    let now = gateway.clock.now();
    let begun = gateway.flows.pending.remembered(&relay_state, binding.as_ref(), now).await;

    let finished = gateway.flows.finish(&relay_state, binding.as_ref(), earlier.as_ref()).await;
    let finished = finished.map_err(|error| match error {
        // Nothing is spent yet: the same address finishes the same login in a moment.
        LoginError::Node(NodeError::Busy) => login::again_here(error.into(), exchange),
        error => refused(gateway, begun, error),
    })?;
    gateway.counts.logins_finished.add(finished.assurance.name());
    tracing::info!(
        request = exchange.id,
        session = finished.public_name,
        assurance = %finished.assurance,
        "citizen signed in"
    );
    let mut response = arrive(gateway, exchange, finished.return_to.as_str());
    let cookie = cookies.set_session(finished.session.expose());
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

/// Leads the browser on. People get a page that refreshes to the target: see [`pages::arriving`].
pub(super) fn arrive(gateway: &Gateway, exchange: &Exchange, target: &str) -> Response<Body> {
    if exchange.caller() != Caller::Navigation {
        return answer::see_other(target);
    }
    let look = answer::look(&gateway.settings, exchange);
    let mut response = answer::page(StatusCode::OK, pages::arriving(look, target));
    if let Ok(refresh) = HeaderValue::try_from(format!("0; url={target}")) {
        response.headers_mut().insert(REFRESH, refresh);
    }
    response
}

/// The way to begin again leads back to where the citizen was going: whoever is signed in by then
/// simply arrives.
fn refused(gateway: &Gateway, begun: Option<PendingLogin>, error: LoginError) -> Failure {
    let (return_to, demand) = match begun {
        Some(login) => {
            let max_age = login.fresh_since.map(|_| Duration::ZERO);
            (login.return_to, Demand { assurance: login.assurance, max_age })
        }
        None => (ReturnTo::front_page(), Demand::from(gateway.flows.settings.assurance)),
    };
    Failure::from(error).begin_again(gateway.settings.login_link(&return_to, demand))
}
