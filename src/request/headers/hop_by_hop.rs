//! Fields that speak of one connection only (RFC 9110 7.6.1).

use http::HeaderMap;
use http::header::{
    CONNECTION, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

const HOP_BY_HOP_COUNT: usize = 9;

/// RFC 9110 7.6.1 and its predecessors.
pub(super) const HOP_BY_HOP: [HeaderName; HOP_BY_HOP_COUNT] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The place of a name in the list, by one comparison of text for nearly every name.
pub(super) fn hop_by_hop(name: &HeaderName) -> Option<usize> {
    Some(match name.as_str() {
        "connection" => 0,
        "keep-alive" => 1,
        "proxy-connection" => 2,
        "proxy-authenticate" => 3,
        "proxy-authorization" => 4,
        "te" => 5,
        "trailer" => 6,
        "transfer-encoding" => 7,
        "upgrade" => 8,
        _ => return None,
    })
}

/// Removes what speaks of one connection only, and what `Connection` names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    // One look at each name, so that a message without any costs no search for nine.
    let mut found = [false; HOP_BY_HOP_COUNT];
    for name in headers.keys() {
        if let Some(at) = hop_by_hop(name) {
            found[at] = true;
        }
    }
    if found[0] {
        let named: Vec<_> = connection_names(headers)
            .filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
    }
    for (name, found) in HOP_BY_HOP.iter().zip(found) {
        if found {
            headers.remove(name);
        }
    }
}

/// The names in `Connection`, but for those that are no names of headers in practice.
pub(super) fn connection_names(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all(CONNECTION)
        .iter()
        // Nearly always it is one word, which is found without taking a list apart.
        .filter(|value| names_a_field(value.as_bytes()))
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|option| names_a_field(option.as_bytes()))
}

/// Tells whether an option of `Connection` stands for another field; those that speak of the
/// connection itself do not.
pub(super) fn names_a_field(option: &[u8]) -> bool {
    !option.is_empty()
        && !option.eq_ignore_ascii_case(b"keep-alive")
        && !option.eq_ignore_ascii_case(b"close")
}
