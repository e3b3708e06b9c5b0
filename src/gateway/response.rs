//! The shapes of our own responses.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::Settings;
use crate::base::body::{self, Body};
use crate::flow::return_to::ReturnTo;
use crate::pages::{Branding, Page, Switch};
use crate::request::context::{RequestContext, is_reading};

/// Keeps a page apart from the one that opened its window, which could otherwise read its address
/// when it is of the same origin (HTML, cross-origin opener policy).
pub fn isolate_opener(response: &mut Response<Body>) {
    let name = HeaderName::from_static("cross-origin-opener-policy");
    response.headers_mut().insert(name, HeaderValue::from_static("same-origin"));
}

/// Keeps the address that the browser is at or goes to from others: the next page, a page that
/// opened this one and looks on, and our own log.
pub fn keep_address_private(response: &mut Response<Body>) {
    let policy = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(REFERRER_POLICY, policy);
    isolate_opener(response);
    if let Some(location) = response.headers_mut().get_mut(LOCATION) {
        location.set_sensitive(true);
    }
}

/// Returns the look of our pages for a request.
#[must_use]
pub fn look<'a>(settings: &'a Settings, context: &'a RequestContext) -> Branding<'a> {
    Branding {
        language: context.language(settings.cookies),
        portal_name: &settings.portal_name,
        test_environment: settings.test_environment.as_deref(),
        appearance: Some(&settings.appearance),
        switch: Some(Switch {
            place: &settings.language_place,
            return_to: again_in_another_language(settings, context),
        }),
        prefix: &settings.prefix,
    }
}

/// Returns what to ask for once more: the same where that only reads, otherwise the front page. What
/// is good once stands in no page.
fn again_in_another_language<'c>(settings: &Settings, context: &'c RequestContext) -> &'c str {
    let (target, path) = (context.path_and_query(), context.path());
    if !is_reading(&context.parts.method) || settings.is_good_once(path) {
        return "/";
    }
    let fitting = [target, path].into_iter().find(|text| text.len() <= ReturnTo::MAXIMUM_LENGTH);
    fitting.unwrap_or("/")
}

/// Answers that all is well, and nothing more.
#[must_use]
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Answers with a page of ours.
#[must_use]
pub fn page(status: StatusCode, page: Page) -> Response<Body> {
    let mut response = Response::new(body::full(page.html));
    *response.status_mut() = status;
    let policy = HeaderValue::try_from(page.content_security_policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // Not "no-referrer": browsers would then send "Origin: null" with forms.
        (REFERRER_POLICY, "strict-origin-when-cross-origin"),
        (VARY, "Accept-Language, Cookie"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Makes an answer with JSON, which is not stored and which no page of another origin may read.
#[must_use]
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    json_text(status, value.to_string())
}

/// Makes the same of JSON that is written already.
#[must_use]
pub fn json_text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(body::full(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // RFC-less but universal: no page of another origin may read it.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    response
}

/// Sends the browser on with GET (RFC 9110 15.4.4).
#[must_use]
pub fn see_other(target: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let target = HeaderValue::from_str(target).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, target);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Has a client ask for the same once more, with the same method and body (RFC 9110 15.4.8): a
/// successor answers, who has the next connection.
#[must_use]
pub fn ask_again(target: &str) -> Response<Body> {
    let mut response = see_other(target);
    *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
    // It may have a ticket in it, or an artifact.
    keep_address_private(&mut response);
    response
}

/// Sends a client to another address for good, with the same method (RFC 9110 15.4.9).
#[must_use]
pub fn permanently_at(target: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(target) = HeaderValue::from_str(target) {
        response.headers_mut().insert(LOCATION, target);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_sent_on_in_the_way_that_is_meant() {
        let value = |response: &Response<Body>, name: HeaderName| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        let on = see_other("/x?y");
        assert_eq!(on.status(), StatusCode::SEE_OTHER);
        assert_eq!(value(&on, LOCATION).as_deref(), Some("/x?y"));
        assert_eq!(value(&on, CACHE_CONTROL).as_deref(), Some("no-store"));
        assert!(!on.headers()[LOCATION].is_sensitive());
        assert_eq!(value(&see_other("/\n"), LOCATION).as_deref(), Some("/"));
        let again = ask_again("/x?ticket");
        assert_eq!(again.status(), StatusCode::TEMPORARY_REDIRECT);
        assert!(again.headers()[LOCATION].is_sensitive(), "it is in no log");
        assert_eq!(value(&again, REFERRER_POLICY).as_deref(), Some("no-referrer"));
        let moved = permanently_at("https://a.example/");
        assert_eq!(moved.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(value(&moved, LOCATION).as_deref(), Some("https://a.example/"));
        assert_eq!(value(&permanently_at("/\n"), LOCATION), None);
        assert_eq!(no_content().status(), StatusCode::NO_CONTENT);
    }
}
