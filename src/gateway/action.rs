//! Redirects and fixed answers of a route: made here, once the gate said pass.

use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response};

use crate::base::body::{self, Body};
use crate::gate::Pass;
use crate::gate::action::{Redirect, RedirectHost, Respond};
use crate::gateway::Settings;
use crate::request::context::RequestContext;

/// Sends the client elsewhere.
#[must_use]
pub fn redirect(
    redirect: &Redirect,
    pass: &Pass,
    context: &RequestContext,
    settings: &Settings,
) -> Response<Body> {
    let uri = &context.parts.uri;
    let rewrite = &pass.route().rewrite;
    let rewritten = (!rewrite.is_none()).then(|| rewrite.path(uri.path()));
    let path = rewritten.as_deref().unwrap_or(uri.path());
    let name = context.host.name();
    let host = RedirectHost { name, origin: settings.known_origin(name) };
    let location = redirect.location(host, path, uri.query());
    let mut response = Response::new(body::empty());
    *response.status_mut() = redirect.status;
    // All parts are visible ASCII; if one is not, home is a place that every client may go to.
    response.headers_mut().insert(LOCATION, location.unwrap_or(HeaderValue::from_static("/")));
    finish(response, pass)
}

/// Gives a fixed answer.
#[must_use]
pub fn respond(respond: &Respond, pass: &Pass) -> Response<Body> {
    let mut response = Response::new(body::full(respond.body.clone()));
    *response.status_mut() = respond.status;
    if !respond.body.is_empty() {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, respond.content_type.clone());
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    finish(response, pass)
}

fn finish(mut response: Response<Body>, pass: &Pass) -> Response<Body> {
    let headers = response.headers_mut();
    // As with what passes through: what a signed-in citizen gets is not stored for the next one.
    if pass.live().is_some() {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    pass.route().response_headers.apply(headers);
    response
}
