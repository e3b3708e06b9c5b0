//! `portal.other_urls`: portals on hosts of their own.

use url::Url;

use super::address;
use super::context::Context;
use crate::gateway::settings::OtherPortal;
use crate::request::host;

/// Resolves them; `registered` is the address at which citizens sign in.
pub(super) fn resolve(context: &mut Context<'_>, registered: &Url) -> Vec<OtherPortal> {
    let mut hosts = vec![registered.host_str().unwrap_or_default().to_owned()];
    let mut others = Vec::new();
    for (index, text) in context.file().portal.other_urls.iter().enumerate() {
        let key = format!("portal.other_urls[{index}]");
        let Some(url) = address::read(context, &key, text) else { continue };
        if url.scheme() != registered.scheme() {
            let advice = "give all of them the same scheme: their cookies have the same attributes";
            context.error(&key, "has another scheme than portal.public_url", advice);
        }
        let Some(host) = url.host_str().and_then(host::name) else {
            context.error(&key, "has no host that a request could name", "write a plain DNS name");
            continue;
        };
        if hosts.contains(&host) {
            let advice = "give each portal a host of its own; cookies do not tell ports apart";
            context.error(&key, format!("has the host {host}, which is given already"), advice);
            continue;
        }
        hosts.push(host.clone());
        others.push(OtherPortal { host, origin: url.origin().ascii_serialization() });
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, SystemClock};
    use crate::config::load::load_text;

    /// Resolves the addresses beside `https://portal.example`, and tells what came of it.
    fn resolved(others: &[&str]) -> (Vec<OtherPortal>, String) {
        let text = format!("[portal]\nother_urls = {others:?}\n");
        let loaded = load_text("brama.toml", &text, std::iter::empty()).unwrap();
        let mut context = Context::new(&loaded, SystemClock.now());
        let others = resolve(&mut context, &Url::parse("https://portal.example").unwrap());
        (others, context.problems.to_string())
    }

    #[test]
    fn a_portal_has_a_host_and_perhaps_a_port() {
        let (others, said) =
            resolved(&["https://b.test", "https://C.example:8443/", "https://żółw.example"]);
        let found: Vec<_> = others.iter().map(|o| (o.host.as_str(), o.origin.as_str())).collect();
        let expected = [
            ("b.test", "https://b.test"),
            ("c.example", "https://c.example:8443"),
            ("xn--w-uga1v8h.example", "https://xn--w-uga1v8h.example"),
        ];
        assert_eq!(found, expected);
        assert!(said.contains("0 errors, 0 warnings"), "{said}");
    }

    #[test]
    fn what_is_no_portal_of_its_own_is_an_error() {
        for (others, expected) in [
            (&["b.test"][..], "is not an address of a web server"),
            (&["ftp://b.test"], "is not an address of a web server"),
            (&["https://b.test/path"], "holds more than scheme, host and port"),
            (&["https://b.test/?q"], "holds more than scheme, host and port"),
            (&["https://user@b.test"], "holds more than scheme, host and port"),
            (&["http://localhost"], "has another scheme than portal.public_url"),
            (&["https://portal.example"], "has the host portal.example, which is given already"),
            (&["https://portal.example:8443"], "the host portal.example, which is given already"),
            (
                &["https://b.test", "https://B.test:1"],
                "has the host b.test, which is given already",
            ),
        ] {
            let (_, said) = resolved(others);
            assert!(said.contains("portal.other_urls["), "{others:?}: {said}");
            assert!(said.contains(expected), "{others:?}: {said}");
            assert!(said.contains("1 error, 0 warnings"), "{others:?}: {said}");
        }
        let (_, said) = resolved(&["http://b.test"]);
        assert!(said.contains("would cross the network in the clear"), "{said}");
    }
}
