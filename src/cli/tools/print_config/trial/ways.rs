//! Tricky ways for a request to come, and for an answer to go: a connection that begins as another's, a
//! WebSocket over HTTP/2, and a portal that leads elsewhere.

use super::case::{Case, Expected, FORGED, Manner, Places, case};
use super::portal::LEAD;

/// The address that a client claims to have. RFC 5737 3 keeps it for examples, so nobody has it.
pub(super) const CLAIMED: &str = "192.0.2.77";
/// Headers of the PROXY protocol that claim it, in both of its forms.
const HEADERS: [&[u8]; 2] = [
    b"PROXY TCP4 192.0.2.77 192.0.2.1 4711 443\r\n",
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x4d\xc0\0\x02\x01\x12\x67\x01\xbb",
];

const WHOSE: (&str, &str) = (
    "no client says whose connection it is",
    "take a PROXY header from the addresses of your own balancer, and from nobody else",
);
const LED: (&str, &str) = (
    "no answer of the portal leads to another place",
    "hand X-Accel-Redirect, X-Sendfile and the like on, and do not follow them (nginx: \
     proxy_ignore_headers)",
);
const MAPPED: (&str, &str) = (
    "no client says which file of the proxy an answer stands for",
    "take X-Sendfile-Type and X-Accel-Mapping away from clients: Rack believes them",
);
const HANDSHAKE: (&str, &str) = (
    "a WebSocket over HTTP/2 is asked about like every request",
    "let no rule for :protocol, or for Upgrade in HTTP/2, lead past the question",
);

/// What may reach the portal of somebody, or of nobody.
pub(super) fn told(
    cases: &mut Vec<Case>,
    places: &Places,
    (path, cookie): (&str, &str),
    is_somebody: bool,
) {
    let told = || Expected::Told { is_somebody, must_pass: false };
    for header in HEADERS {
        let case = case(WHOSE, ("GET", path), cookie, told());
        cases.push(case.sent(Manner::Behind(header)));
    }
    for name in ["X-Sendfile-Type", "X-Accel-Mapping"] {
        let fields = format!("{cookie}{name}: {FORGED}\r\n");
        cases.push(case(MAPPED, ("GET", path), &fields, told()));
    }
    let leads = format!("{path}?{LEAD}");
    cases.push(case(LED, ("GET", &leads), cookie, Expected::Undiverted));
    for forged in ["X-Brama-Assertion", "X_Brama_Assertion", "X-Brama-Subject", "Remote-User"] {
        let fields = format!("{cookie}Origin: {}\r\n{forged}: {FORGED}\r\n", places.origin);
        handshake(cases, path, &fields, told());
    }
}

/// Handshakes that nobody may make: without a session, and from a page of others.
pub(super) fn handshakes(cases: &mut Vec<Case>, places: &Places, cookie: Option<&str>) {
    let own = format!("Origin: {}\r\n", places.origin);
    handshake(cases, &places.protected, &own, Expected::Refused);
    if let Some(cookie) = cookie {
        let foreign = format!("Cookie: {cookie}\r\nOrigin: https://{FORGED}.example\r\n");
        handshake(cases, &places.protected, &foreign, Expected::Refused);
    }
}

fn handshake(cases: &mut Vec<Case>, path: &str, fields: &str, expected: Expected) {
    let fields = format!("{fields}Sec-WebSocket-Version: 13\r\n");
    let case = case(HANDSHAKE, ("CONNECT", path), &fields, expected);
    cases.push(case.sent(Manner::OverHttp2));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_headers_claim_the_same_address() {
        let [text, binary] = HEADERS;
        assert!(text.starts_with(format!("PROXY TCP4 {CLAIMED} ").as_bytes()));
        let claimed: std::net::Ipv4Addr = CLAIMED.parse().unwrap();
        assert_eq!(binary[16..20], claimed.octets());
        assert_eq!(usize::from(binary[15]), binary.len() - 16);
    }
}
