//! What went wrong where other gateways were asked, or other proxies asked: a request for each, which
//! no proxy may let do here what it did there.

use std::collections::HashMap;

use super::shape::Shape;
use super::{Site, claims, values};
use crate::harness::{Script, Scripted, Wire};

/// A request of somebody who is up to something.
struct Known {
    /// Where it was found, and what it was.
    class: &'static str,
    target: &'static str,
    /// Before the port, for `Host`.
    host: &'static str,
    fields: &'static str,
}

const fn known(class: &'static str, target: &'static str, fields: &'static str) -> Known {
    Known { class, target, host: "localhost", fields }
}

const KNOWN: [Known; 36] = [
    // A header of the client stays where the answer has none of that name.
    known("GHSA-7r4p-vjf4-gxv4", "/public", "X-Brama-Given-Name: forged\r\n"),
    known("GHSA-7r4p-vjf4-gxv4", "/tax", "X-Brama-Given-Name: forged\r\n"),
    // What a proxy believes of the way by which a request came.
    known("CVE-2026-35051 Prefix", "/tax", "X-Forwarded-Prefix: /public/forged\r\n"),
    known("CVE-2026-54764 Port", "/tax", "X-Forwarded-Port: forged\r\n"),
    // Other names of one header.
    known("CVE-2026-39858 underscores", "/tax", "X_Forwarded_Uri: /public/forged\r\n"),
    known("CVE-2026-39858 underscores", "/tax", "X_Forwarded_Method: forged\r\n"),
    known("CVE-2026-39858 underscores", "/tax", "X_Forwarded_For: forged\r\n"),
    known("CVE-2026-88011 dots", "/tax", "X.Forwarded.Uri: /public/forged\r\n"),
    known("CVE-2026-88011 dots", "/tax", "X.Brama.Assertion: forged\r\n"),
    known("CVE-2025-64484 underscores", "/public", "X_Forwarded_User: forged\r\n"),
    known("CVE-2025-64484 underscores", "/tax", "X-Auth_Request-User: forged\r\n"),
    known("GHSA-f59h-q822-g45g underscores", "/public", "Remote_User: forged\r\n"),
    // Another request is asked about than the one that is made.
    known("CVE-2026-40575 X-Forwarded-Uri", "/tax", "X-Forwarded-Uri: /public\r\n"),
    known("CVE-2026-40575 X-Forwarded-Uri", "/tax", "X-Original-URI: /public\r\n"),
    known("CVE-2026-40575 X-Forwarded-Uri", "/tax", "X-Forwarded-Method: OPTIONS\r\n"),
    known("CVE-2026-40575 X-Forwarded-Uri", "/tax", "X-Auth-Request-Redirect: /public\r\n"),
    known(
        "CVE-2021-32777 several values",
        "/tax",
        "X-Forwarded-Uri: /public\r\nX-Forwarded-Uri: /public\r\n",
    ),
    // Whoever looks like a check of the machine may pass.
    known("CVE-2026-34457 health checks", "/tax", "User-Agent: kube-probe/1.30\r\n"),
    known("CVE-2026-34457 health checks", "/tax", "User-Agent: GoogleHC/1.0\r\n"),
    known("CVE-2026-34457 health checks", "/tax", "User-Agent: ELB-HealthChecker/2.0\r\n"),
    // A path that is read in more than one way.
    known("CVE-2026-41059 number sign", "/tax#/public", ""),
    known("CVE-2026-41059 number sign", "/public#/../../tax", ""),
    known("CVE-2026-41059 number sign", "/tax%23/public", ""),
    known("CVE-2021-32779 number sign", "/public/#/../tax", ""),
    known("GHSA-7rh7-c77v-6434 query", "/tax?/public", ""),
    known("GHSA-7rh7-c77v-6434 query", "/tax?next=/public", ""),
    known("GHSA-68wm-pfjf-wqp6 no URI", "/tax%", ""),
    known("GHSA-68wm-pfjf-wqp6 no URI", "/tax?%zz", ""),
    known("CVE-2026-63177 raw and cleaned", "/public/../tax", ""),
    known("CVE-2021-29492 escaped slashes", "/public/..%2ftax", ""),
    known("CVE-2019-9901 no normal path", "/public//../tax", ""),
    // A host in another spelling.
    Known { class: "CVE-2026-77560 case", target: "/tax", host: "LOCALHOST", fields: "" },
    // Something that cannot be read counts as nothing, or as well.
    known("CVE-2026-25748 cookie", "/tax", "Cookie: brama=\"\r\n"),
    known("CVE-2024-47070 address", "/tax", "X-Forwarded-For: forged\r\n"),
    // A client has the proxy take the identity away.
    known("traefik 11095 Connection", "/tax", "Connection: X-Brama-Assertion\r\n"),
    known("traefik 11095 Connection", "/tax", "Connection: X-Forwarded-Uri, X-Forwarded-For\r\n"),
];

/// Each of them, of nobody and of a citizen.
pub(super) fn nothing_that_went_wrong_elsewhere_does_here(site: &Site) {
    let (_, anna) = site.sign_in("anna");
    for (target, cookie) in [("/public", ""), ("/public", &*anna), ("/tax", &*anna)] {
        let plain = known("without any of it", target, "");
        assert!(is_heard_in_truth(site, &plain, cookie), "{target}");
    }
    for known in &KNOWN {
        for cookie in ["", &*anna] {
            let is_heard = is_heard_in_truth(site, known, cookie);
            let is_refused = cookie.is_empty() && !known.target.starts_with("/public");
            assert!(!(is_heard && is_refused), "{}: {}", known.class, known.target);
        }
    }
}

/// Sends a request, and returns whether the portal heard it; if so, then of who it is and of nothing
/// that the client made up.
fn is_heard_in_truth(site: &Site, known: &Known, cookie: &str) -> bool {
    let Known { class, target, host, fields } = known;
    let before = site.heard();
    let mut wire = Wire::connect(site.front);
    let port = site.front.port();
    wire.send(
        format!("GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n{fields}{cookie}\r\n").as_bytes(),
    );
    let _ = wire.try_answer("GET");
    let heard = site.heard_since(before);
    for (head, fields) in site.portal.heard()[before..].iter().zip(&heard) {
        let what = format!("{class}: {target} with {:?} is {}", known.fields, head.head);
        assert!(!head.head.contains("forged"), "{what}");
        let path = head.path.split(['?', '#']).next().unwrap();
        let is_public = path == "/public" || path.starts_with("/public/");
        let is_plain = !path.contains("..") && !path.contains(['%', ';', '\\']);
        let is_anna = claims(fields).get("given_name").is_some_and(|name| name == "Anna");
        assert!(is_anna || (is_public && is_plain), "{what}");
        assert_eq!(is_anna, !cookie.is_empty() && !is_public, "{what}");
    }
    !heard.is_empty()
}

/// What a proxy does with a yes that does not say who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsaid {
    /// Takes it for an error of the one that is asked.
    Refused,
    /// Cannot look, and has the request go on without an identity.
    GoesOn,
}

/// Of a yes without an identity the portal hears nothing that the client made up (GHSA-7r4p-vjf4-gxv4);
/// the gateway gives no such answer, but what is asked may not be the gateway.
pub(super) fn a_yes_that_says_not_who_tells_the_portal_nothing(
    site: impl FnOnce(Shape) -> Option<Site>,
    unsaid: Unsaid,
) {
    let yes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let paths = ["/authz/auth-request", "/authz/forward-auth"];
    let answers =
        paths.map(|path| (path.to_owned(), Scripted { bytes: yes.clone(), closes: false }));
    let asked = Script::start(HashMap::from(answers));
    let Some(site) = site(Shape::YesOf(asked.address)) else { return };
    let forged = "X-Brama-Assertion: forged\r\nX-Brama-Given-Name: forged\r\n";
    let (status, passes) = match unsaid {
        Unsaid::Refused => (503, 0),
        Unsaid::GoesOn => (200, 1),
    };
    assert_eq!(site.send("GET", "/tax", forged).status, status);
    assert_eq!((asked.heard().len(), site.heard()), (1, passes));
    for fields in site.heard_since(0) {
        assert!(values(&fields, "x-brama-assertion").iter().all(|value| value.is_empty()));
        assert!(!format!("{fields:?}").contains("forged"), "{fields:?}");
    }
}
