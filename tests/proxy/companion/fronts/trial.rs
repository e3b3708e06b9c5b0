//! `print-config --test`: a proxy that is configured as printed breaks no rule, and one that is not
//! is told which.

use super::nginx;
use super::{Site, Start};
use crate::harness::free_address;
use crate::harness::tools::{self, Tool};

/// Starts nginx before the place where the test stands, as printed but for a change.
fn tried(from: &str, to: &str, with_session: bool) -> Option<(bool, String)> {
    if !tools::has(&[Tool::Nginx]) {
        return None;
    }
    let portal = free_address();
    let site = Site::start_before("nginx", &portal.to_string(), |start| {
        assert!(start.printed.contains(from), "{}", start.printed);
        let printed = start.printed.replace(from, to);
        nginx::start(&Start { printed: &printed, ..*start })
    });
    let (origin, portal) = (site.origin(), portal.to_string());
    let mut words = vec!["nginx", "--test", &origin, "--as-portal", &portal];
    let cookie = with_session.then(|| site.sign_in("anna").1);
    let cookie = cookie.as_deref().map(|line| line.trim().trim_start_matches("Cookie: "));
    let file = site.gateway.file("cookie");
    if let Some(cookie) = cookie {
        std::fs::write(&file, cookie).unwrap();
        words.extend(["--cookie-file", file.to_str().unwrap()]);
    }
    Some(site.gateway.command("print-config", &words, ""))
}

#[test]
fn what_is_printed_breaks_no_rule() {
    for with_session in [false, true] {
        let Some((is_well, said)) = tried("auth_request", "auth_request", with_session) else {
            return;
        };
        assert!(is_well, "{said}");
        assert!(said.contains(" 0 broken, 0 not to be told"), "{said}");
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
    ] {
        let Some((is_well, said)) = tried(from, to, with_session) else { return };
        assert!(!is_well, "{rule}: {said}");
        let broken = said.lines().any(|line| line.starts_with("BROKEN") && line.contains(rule));
        assert!(broken, "{rule}: {said}");
    }
}
