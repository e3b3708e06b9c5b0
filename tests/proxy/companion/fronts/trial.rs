//! `print-config --test`: a proxy that is configured as printed breaks no rule, and one that is not
//! is told which.

use std::any::Any;

use super::{Site, Start, caddy, envoy, haproxy, nginx, traefik};
use crate::harness::free_address;
use crate::harness::tools::{self, Tool};

/// A proxy, and how it is started with what is printed.
#[derive(Clone, Copy)]
struct Front {
    name: &'static str,
    tool: Tool,
    start: fn(&Start<'_>) -> Box<dyn Any>,
}

const NGINX: Front = Front { name: "nginx", tool: Tool::Nginx, start: nginx::start };
const TRAEFIK: Front = Front { name: "traefik", tool: Tool::Traefik, start: traefik::start };
const CADDY: Front = Front { name: "caddy", tool: Tool::Caddy, start: caddy::start };
const ENVOY: Front = Front { name: "envoy", tool: Tool::Envoy, start: envoy::start };
const ENVOY_GRPC: Front = Front { name: "envoy-grpc", ..ENVOY };
const HAPROXY: Front = Front { name: "haproxy", tool: Tool::Haproxy, start: haproxy::start };

impl Front {
    /// Starts it before the place where the test stands, as printed but for a change, and tests it.
    fn tried(self, from: &str, to: &str, with_session: bool) -> Option<(bool, String)> {
        if !tools::has(&[self.tool, Tool::Curl]) {
            return None;
        }
        let portal = free_address();
        let site = Site::start_before(self.name, &portal.to_string(), |start| {
            assert!(start.printed.contains(from), "{from} is not in {}", start.printed);
            let printed = start.printed.replace(from, to);
            (self.start)(&Start { printed: &printed, ..*start })
        });
        let (origin, portal) = (site.origin(), portal.to_string());
        let mut words = vec![self.name, "--test", &origin, "--as-portal", &portal];
        let cookie = with_session.then(|| site.sign_in("anna").1);
        let cookie = cookie.as_deref().map(|line| line.trim().trim_start_matches("Cookie: "));
        let file = site.gateway.file("cookie");
        if let Some(cookie) = cookie {
            std::fs::write(&file, cookie).unwrap();
            words.extend(["--cookie-file", file.to_str().unwrap()]);
        }
        Some(site.gateway.command("print-config", &words, ""))
    }

    /// With a change it is told that it breaks this rule.
    fn breaks(self, from: &str, to: &str, with_session: bool, rule: &str) {
        let Some((is_well, said)) = self.tried(from, to, with_session) else { return };
        assert!(!is_well, "{rule}: {said}");
        let broken = said.lines().any(|line| line.starts_with("BROKEN") && line.contains(rule));
        assert!(broken, "{rule}: {said}");
    }
}

/// What is said of a proxy that speaks no WebSocket over HTTP/2.
const NO_WEB_SOCKET: &str = "no WebSocket over HTTP/2";

#[test]
fn what_is_printed_breaks_no_rule() {
    for (front, over_http_2) in [
        (NGINX, false),
        (TRAEFIK, false),
        (CADDY, false),
        (ENVOY, false),
        (ENVOY_GRPC, false),
        (HAPROXY, true),
    ] {
        for with_session in [false, true] {
            let Some((is_well, said)) = front.tried("", "", with_session) else { continue };
            assert!(is_well, "{}: {said}", front.name);
            assert!(said.contains(" 0 broken, 0 not to be told"), "{}: {said}", front.name);
            assert_eq!(!said.contains(NO_WEB_SOCKET), over_http_2, "{}: {said}", front.name);
        }
    }
}

#[test]
fn without_the_place_of_the_portal_answers_alone_are_judged() {
    if !tools::has(&[Tool::Nginx]) {
        return;
    }
    let site = Site::start_before("nginx", &free_address().to_string(), nginx::start);
    let words = ["nginx", "--test", &site.origin()];
    let (is_well, said) = site.gateway.command("print-config", &words, "");
    assert!(is_well && said.contains(" 0 broken, "), "{said}");
    assert!(!said.contains(", 0 not to be told"), "what cannot be known is said: {said}");
}

#[test]
fn what_was_changed_is_told_by_its_rule() {
    for (from, to, with_session, rule) in [
        ("        auth_request /brama-decide;\n", "", false, "no path leads past the question"),
        (
            "        proxy_set_header X-Original-URI $request_uri;\n",
            "        proxy_set_header X-Original-URI $http_x_rewrite_url$request_uri;\n",
            false,
            "the question is about the request",
        ),
        (
            "        proxy_set_header X-Brama-Assertion $brama_x_brama_assertion;\n",
            "",
            false,
            "no header of a client speaks of an identity",
        ),
        ("        internal;\n", "", true, "nobody but the proxy asks"),
        (
            "    location ^~ /.brama/ {\n        proxy_pass http://brama;",
            "    location ^~ /.brama/ {\n        proxy_pass http://brama_portal;",
            false,
            "our own places",
        ),
        // An answer of a public place leads to one that asks, and the question is about the first.
        (
            "proxy_ignore_headers X-Accel-Redirect ",
            "proxy_ignore_headers ",
            false,
            "no answer of the portal leads to another place",
        ),
    ] {
        NGINX.breaks(from, to, with_session, rule);
    }
}

#[test]
fn a_proxy_that_believes_whose_connection_it_is_is_told_so() {
    let believed = "    proxyProtocol:\n      insecure: true\n    forwardedHeaders:\n";
    let rule = "no client says whose connection it is";
    TRAEFIK.breaks("    forwardedHeaders:\n", believed, false, rule);
}

#[test]
fn a_web_socket_over_http_2_that_leads_past_the_question_is_found() {
    let question = "    http-request lua.brama ";
    let past = format!(
        "    use_backend brama_portal if {{ var(txn.upgrade) -m found }} {{ req.ver -m str 2.0 }}\n\
         {question}"
    );
    let rule = "a WebSocket over HTTP/2 is asked about like every request";
    HAPROXY.breaks(question, &past, false, rule);
}
