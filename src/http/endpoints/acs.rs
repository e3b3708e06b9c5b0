//! The assertion consumer service: the node's page brings the artifact, across sites.
//!
//! No cookie comes with a cross-site POST, so nothing is decided here: the artifact is kept with
//! its login, and the browser is sent to [`super::finish`], where its cookie is present.

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};

use super::super::Gateway;
use super::super::answer::{self, Failure};
use super::super::exchange::{Exchange, form_value};
use super::FORM_TIME;
use crate::base::body::{self, Body};
use crate::flow::finish::LoginError;
use crate::flow::pending::{self, RelayState};
use crate::pages::Trouble;
use crate::saml::artifact::Artifact;
use crate::wire::incoming::Incoming;

/// The longest form that is read: an artifact, a relay state, and room to spare.
const MAXIMUM_FORM: usize = 8 * 1024;

/// Answers `POST` with a form, or `GET` with a query: `SAMLart` and `RelayState`.
///
/// # Errors
/// When the fields are not there, or no login is under way for them.
pub async fn answer(
    gateway: &Gateway,
    exchange: &Exchange,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    let again = || gateway.settings.prefix.clone() + "login";
    let form = if exchange.parts.method == Method::POST {
        read_form(exchange, body).await?
    } else {
        exchange.parts.uri.query().unwrap_or("").as_bytes().to_vec()
    };
    // Both spellings of the field have been seen (SAML bindings 3.6.3 has the first).
    let artifact = form_value(&form, &["SAMLart", "SAMLArt"]).unwrap_or_default();
    let artifact = Artifact::parse(&artifact).map_err(|error| {
        Failure::malformed("login.malformed_artifact", error.to_string()).begin_again(again())
    })?;
    let relay_state = form_value(&form, &["RelayState"]).unwrap_or_default();
    let relay_state = RelayState::parse(&relay_state).ok_or_else(|| {
        Failure::from(LoginError::from(pending::Refused::Unknown)).begin_again(again())
    })?;
    gateway
        .flows
        .pending
        .keep_artifact(&relay_state, artifact, gateway.clock.now())
        .await
        .map_err(|refused| Failure::from(LoginError::from(refused)).begin_again(again()))?;
    let target = format!("{}finish?state={}", gateway.settings.prefix, relay_state.as_str());
    Ok(answer::see_other(&target))
}

async fn read_form(exchange: &Exchange, body: Incoming) -> Result<Vec<u8>, Failure> {
    let is_form = exchange
        .parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(Failure::malformed("login.not_a_form", "content type is not of a form"));
    }
    match body::read_within(body, MAXIMUM_FORM, FORM_TIME).await {
        Ok(form) => Ok(form.to_vec()),
        Err(body::ReadError::TooLong(_)) => Err(Failure::new(
            Trouble::TooLarge,
            StatusCode::PAYLOAD_TOO_LARGE,
            "login.form_too_large",
        )),
        Err(error @ body::ReadError::Slow(_)) => Err(Failure {
            detail: error.to_string(),
            ..Failure::new(
                Trouble::MalformedRequest,
                StatusCode::REQUEST_TIMEOUT,
                "login.form_too_slow",
            )
        }),
        Err(error @ body::ReadError::Broken(_)) => {
            Err(Failure::malformed("login.form_broken", error.to_string()))
        }
    }
}
