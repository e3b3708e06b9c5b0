//! `finish`: the browser that began a login comes with its cookie, and gets a session.

use http::Response;
use http::header::SET_COOKIE;

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::Exchange;
use crate::base::body::Body;
use crate::flow::finish::LoginError;
use crate::flow::pending::{self, Binding, RelayState};
use crate::flow::return_to::ReturnTo;
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
    let relay_state = exchange
        .query("state")
        .as_deref()
        .and_then(RelayState::parse);
    let Some(relay_state) = relay_state else {
        return Err(refused(
            gateway,
            None,
            LoginError::from(pending::Refused::Unknown),
        ));
    };
    // Known only to the browser that began it, so that the page leads nobody else there.
    let return_to = gateway
        .flows
        .pending
        .return_to(&relay_state, binding.as_ref());

    let finished = gateway
        .flows
        .finish(&relay_state, binding.as_ref(), earlier.as_ref())
        .await;
    let finished = finished.map_err(|error| refused(gateway, return_to, error))?;
    tracing::info!(
        request = exchange.id,
        session = finished.public_name,
        assurance = %finished.assurance,
        "citizen signed in"
    );
    let mut response = answer::see_other(finished.return_to.as_str());
    let cookie = cookies.set_session(finished.session.expose());
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

fn refused(gateway: &Gateway, return_to: Option<ReturnTo>, error: LoginError) -> Failure {
    let return_to = return_to.unwrap_or_else(ReturnTo::front_page);
    // Back to where the citizen was going: whoever is signed in by then simply arrives.
    let assurance = gateway.flows.settings.assurance;
    Failure::from(error).begin_again(gateway.login_link(&return_to, assurance))
}
