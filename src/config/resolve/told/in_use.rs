//! Names of header fields that mean something to HTTP, to browsers or to the gateway itself.
//!
//! A name in which some route tells an identity is taken from every client's request, before anything
//! else is looked at. `Origin`, `Accept` or `Content-Type` would be missed by all routes then, and by
//! the gateway's own checks.

use crate::identity::headers::folds_to_start;

/// Beginnings of such names, folded.
const BEGINNINGS: [&str; 13] = [
    "accept",
    "access-control-",
    "content-",
    "if-",
    "sec-",
    "proxy-",
    "grpc-",
    "x-forwarded-",
    "x-original-",
    "x-rewrite-",
    "x-http-method",
    "x-method-override",
    "x-brama-",
];

/// Whole names, folded.
const NAMES: [&str; 70] = [
    "age",
    "allow",
    "alt-used",
    "authorization",
    "baggage",
    "cache-control",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "cookie",
    "date",
    "depth",
    "destination",
    "dnt",
    "early-data",
    "expect",
    "fastly-client-ip",
    "forwarded",
    "from",
    "front-end-https",
    "host",
    "http2-settings",
    "if",
    "keep-alive",
    "last-event-id",
    "last-modified",
    "link",
    "lock-token",
    "max-forwards",
    "origin",
    "overwrite",
    "ping-from",
    "ping-to",
    "pragma",
    "prefer",
    "priority",
    "proxy",
    "purpose",
    "range",
    "referer",
    "save-data",
    "service-worker",
    "signature",
    "signature-input",
    "soapaction",
    "te",
    "timeout",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "translate",
    "true-client-ip",
    "upgrade",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "want-content-digest",
    "warning",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-csrf-token",
    "x-forwarded",
    "x-host",
    "x-moz",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
    "x-scheme",
    "x-xsrf-token",
];

/// Tells whether a name means something already, in whatever spelling folds to it.
pub(super) fn is_in_use(name: &str) -> bool {
    let is = |known: &&str| name.len() == known.len() && folds_to_start(name, known);
    BEGINNINGS.iter().any(|begin| folds_to_start(name, begin)) || NAMES.iter().any(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_is_known_in_every_spelling() {
        for name in [
            "Origin",
            "Sec-Fetch-Site",
            "sec_websocket_key",
            "Accept",
            "Accept-Language",
            "Content-Type",
            "CONTENT_DIGEST",
            "If-None-Match",
            "User-Agent",
            "X-CSRF-Token",
            "x_requested_with",
            "X-HTTP-Method-Override",
            "X-Real-IP",
            "traceparent",
        ] {
            assert!(is_in_use(name), "{name}");
        }
        for name in ["X-Citizen", "eppn", "mail", "uid", "X-Origin", "Hostname", "givenName"] {
            assert!(!is_in_use(name), "{name}");
        }
    }
}
