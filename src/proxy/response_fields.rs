//! The fields of an answer on their way to the client: cleaned, with the public addresses, and
//! changed as the route says.

use http::{HeaderMap, HeaderValue, StatusCode};

use super::error::Error;
use super::map_back;
use super::upstream::Settings;
use crate::gate::Pass;
use crate::gate::policy::Route;
use crate::request::context::RequestContext;
use crate::request::cookie::Cookies;
use crate::request::headers::{self, connection_auth};
use crate::wire::lines::Lines;

/// Tells whether there is something to change in an answer that would go on line by line
/// otherwise.
pub(super) fn are_changed(route: &Route, status: StatusCode, lines: &Lines) -> bool {
    !route.response_headers.is_empty()
        || status == StatusCode::UNAUTHORIZED
        || map_back::concerns(route, status, lines)
}

/// Changes the fields of an answer of an upstream that was told `host`.
///
/// # Errors
/// When it asks for nothing but a scheme that authenticates a connection.
pub(super) fn changed(
    (status, mut fields): (StatusCode, HeaderMap),
    pass: &Pass,
    cookies: Cookies,
    (settings, host): (&Settings, &HeaderValue),
    context: &RequestContext,
) -> Result<HeaderMap, Error> {
    if status == StatusCode::UNAUTHORIZED {
        let removed = connection_auth::remove_challenges(&mut fields);
        removed.map_err(|_| Error::ConnectionChallenge)?;
    }
    headers::clean_response(&mut fields, cookies);
    map_back::apply(&mut fields, status, pass.route(), (settings, host), context);
    pass.route().response_headers.apply(&mut fields);
    Ok(fields)
}

/// Changes the fields of an interim answer (1xx), which say no addresses.
pub(super) fn changed_interim(mut fields: HeaderMap, pass: &Pass, cookies: Cookies) -> HeaderMap {
    headers::clean_response(&mut fields, cookies);
    pass.route().response_headers.apply(&mut fields);
    fields
}
