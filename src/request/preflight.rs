//! A preflight: what a browser asks before a page of another site may make a request (Fetch 4.8).
//!
//! It says nothing of who asks, because browsers send it without cookies; a location for which
//! every client must be signed in would refuse all of them, and with them every request behind
//! them.
//!
//! Only what a browser sends is taken for one: `OPTIONS` without a body, with one `Origin` and one
//! `Access-Control-Request-Method`. Whatever else is there is for the portal.

use http::header::{ACCESS_CONTROL_REQUEST_METHOD, HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use crate::wire::head::is_method;

/// Returns the method that a preflight asks about; nothing for any other request.
#[must_use]
pub fn asked(parts: &Parts, has_body: bool) -> Option<Method> {
    if parts.method != Method::OPTIONS || has_body {
        return None;
    }
    only(&parts.headers, &ORIGIN)?;
    let asked = only(&parts.headers, &ACCESS_CONTROL_REQUEST_METHOD)?.as_bytes();
    let method = is_method(asked).then(|| Method::from_bytes(asked).ok()).flatten()?;
    // No client may make such a request, so none has to ask.
    (!matches!(method, Method::CONNECT | Method::TRACE)).then_some(method)
}

/// Returns the value of a field that is there once, and says something.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h HeaderValue> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Some(value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(method: &str, fields: &[(&'static str, &'static str)]) -> Parts {
        let mut request = Request::builder().method(method);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_what_a_browser_sends_is_a_preflight() {
        let (origin, method) =
            (("origin", "https://a.example"), ("access-control-request-method", "PUT"));
        assert_eq!(asked(&of("OPTIONS", &[origin, method]), false), Some(Method::PUT));
        let null = ("origin", "null");
        assert_eq!(asked(&of("OPTIONS", &[null, method]), false), Some(Method::PUT));
        assert_eq!(asked(&of("OPTIONS", &[origin, method]), true), None, "it has a body");
        for (name, fields) in [
            ("GET", &[origin, method][..]),
            ("POST", &[origin, method]),
            ("OPTIONS", &[origin]),
            ("OPTIONS", &[method]),
            ("OPTIONS", &[]),
            ("OPTIONS", &[origin, origin, method]),
            ("OPTIONS", &[origin, method, method]),
            ("OPTIONS", &[("origin", ""), method]),
            ("OPTIONS", &[origin, ("access-control-request-method", "")]),
            ("OPTIONS", &[origin, ("access-control-request-method", "put")]),
            ("OPTIONS", &[origin, ("access-control-request-method", "PUT, GET")]),
            ("OPTIONS", &[origin, ("access-control-request-method", "TRACE")]),
            ("OPTIONS", &[origin, ("access-control-request-method", "CONNECT")]),
        ] {
            assert_eq!(asked(&of(name, fields), false), None, "{name} {fields:?}");
        }
    }
}
