//! The assertion consumer service: the node's page brings the artifact, across sites.
//!
//! 1. Only a person who goes to a page delivers something, and that is asked before anything is
//!    counted: a foreign page can have a browser fetch what it likes.
//! 2. No cookie of ours need come with a cross-site POST, so whose login it is cannot be told here.
//!    The browser that delivers gets a ticket and is sent to [`crate::gateway::endpoints::finish`],
//!    where its cookies are present. Where a browser does send its twin cookies across sites, that
//!    of this login must be among them.
//! 3. The ticket stands in an address, so this answer has the browser keep its own to itself.
//! 4. Where a login was to lead is known where its cookie is present. So a browser that comes too
//!    late is sent there as well, without a ticket, and begins again where it wanted to go.

use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};

use crate::base::body::{self, Body};
use crate::base::reason::Reason;
use crate::flow::login_error::{LoginError, LoginRefusal};
use crate::flow::relay_state::{NotRecognised, RelayState};
use crate::gateway::Worker;
use crate::gateway::endpoints::{finish, small_form};
use crate::gateway::failure::Failure;
use crate::gateway::response;
use crate::pages::ErrorPage;
use crate::request::context::{RequestContext, form_value};
use crate::request::cookie::Bound;
use crate::saml::artifact::Artifact;
use crate::wire::incoming::Incoming;

/// The longest form that is read: an artifact, a relay state, and room to spare.
const MAXIMUM_FORM: usize = 8 * 1024;

/// Answers `POST` with a form, or `GET` with a query: `SAMLart` and `RelayState`.
///
/// # Errors
/// When the fields are not there, no login is under way for them, or another browser began it.
pub async fn answer(
    worker: &Worker,
    context: &RequestContext,
    body: Incoming,
) -> Result<Response<Body>, Failure> {
    let again = || worker.shared.settings.prefix.clone() + "login";
    let form = if context.parts.method == Method::POST {
        read_form(context, body).await?
    } else {
        context.parts.uri.query().unwrap_or("").as_bytes().to_vec()
    };
    // Both spellings of the field have been seen (SAML bindings 3.6.3 has the first).
    let artifact = form_value(&form, &["SAMLart", "SAMLArt"]).unwrap_or_default();
    let artifact = Artifact::parse(&artifact).map_err(|error| {
        Failure::malformed(Reason::LoginMalformedArtifact, error.to_string()).begin_again(again())
    })?;
    let relay_state = form_value(&form, &["RelayState"]).unwrap_or_default();
    let flows = &worker.shared.flows;
    let now = worker.shared.clock.now();
    let relay_state = match RelayState::recognise(&relay_state, &flows.sealer, now) {
        Ok(relay_state) => relay_state,
        Err(NotRecognised::Expired(expired)) => {
            return Ok(to_finish(worker, expired.as_str(), ""));
        }
        Err(unknown) => {
            let error = LoginError::from(LoginRefusal::from(unknown));
            return Err(Failure::from(error).begin_again(again()));
        }
    };
    let (cookies, headers) = (worker.shared.settings.cookies, &context.parts.headers);
    let kinds = [Bound::Twin, Bound::ForeignTwin];
    let has_twins = kinds.iter().any(|kind| cookies.all_bound(headers, *kind).next().is_some());
    let tag = relay_state.tag();
    let twins: Vec<_> = kinds.iter().flat_map(|kind| cookies.bound(headers, *kind, &tag)).collect();
    let (twins, network) = (has_twins.then_some(&*twins), worker.network(context));
    let ticket = flows.deliver(&relay_state, &artifact, twins, network).await;
    let ticket = ticket.map_err(|error| finish::refused(worker, None, error))?;
    Ok(to_finish(worker, relay_state.as_str(), &format!("&ticket={}", ticket.expose())))
}

fn to_finish(worker: &Worker, state: &str, ticket: &str) -> Response<Body> {
    let prefix = &worker.shared.settings.prefix;
    let mut response = response::see_other(&format!("{prefix}finish?state={state}{ticket}"));
    response::keep_address_private(&mut response);
    response
}

async fn read_form(context: &RequestContext, body: Incoming) -> Result<Vec<u8>, Failure> {
    let is_form = context
        .parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(Failure::malformed(Reason::LoginNotAForm, "content type is not of a form"));
    }
    match small_form::read(body, MAXIMUM_FORM).await {
        Ok(form) => Ok(form.to_vec()),
        Err(body::ReadError::TooLong(_)) => Err(Failure::new(
            ErrorPage::TooLarge,
            StatusCode::PAYLOAD_TOO_LARGE,
            Reason::LoginFormTooLarge,
        )),
        Err(error @ body::ReadError::Slow(_)) => Err(Failure {
            detail: error.to_string(),
            ..Failure::new(
                ErrorPage::MalformedRequest,
                StatusCode::REQUEST_TIMEOUT,
                Reason::LoginFormTooSlow,
            )
        }),
        Err(error @ body::ReadError::Broken(_)) => {
            Err(Failure::malformed(Reason::LoginFormBroken, error.to_string()))
        }
    }
}
