//! Headers by which some portals take a request for one with another method.
//!
//! A `POST` with `X-HTTP-Method-Override: DELETE` is a `POST` to us and a `DELETE` to a portal that
//! heeds the header. Where rules name methods, such a request would go round them, so it is refused
//! there; elsewhere the header means nothing to us and goes on.

use http::HeaderMap;

/// The headers, as CGI folds their names.
const OVERRIDES: [&str; 4] =
    ["x-http-method-override", "x-http-method", "x-method-override", "x-original-method"];

/// Tells whether a request claims another method than its own.
#[must_use]
pub fn is_overridden(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| OVERRIDES.iter().any(|known| is_folded(name.as_str(), known)))
}

/// Names of headers are in lower case here.
fn is_folded(name: &str, known: &str) -> bool {
    name.len() == known.len()
        && name.bytes().zip(known.bytes()).all(|(a, b)| a == b || (a == b'_' && b == b'-'))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn finds_each_override_however_it_is_spelt_and_nothing_else() {
        for (name, expected) in [
            ("X-HTTP-Method-Override", true),
            ("x_http_method_override", true),
            ("X-HTTP-Method", true),
            ("X-Method_Override", true),
            ("X-Original-Method", true),
            ("X-HTTP-Methods", false),
            ("Method", false),
            ("X-HTTP-MethXX-Override", false),
            ("XaHTTP-Method-Override", false),
            ("X-HTTP-Method-Overrid_", false),
            ("X-HTTP-Method-Override-2", false),
            ("Access-Control-Request-Method", false),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("GET"))]);
            assert_eq!(is_overridden(&headers), expected, "{name}");
        }
        assert!(!is_overridden(&HeaderMap::new()));
    }
}
