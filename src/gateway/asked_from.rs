//! The page of ours that a script or a form asks from: a citizen who signs in for it wants to be
//! there again afterwards.
//!
//! 1. The browser says it (`Referer`, RFC 9110 10.1.3), and no other source. It only ever leads
//!    back to a page of the same origin, by a path that could be asked for there, in a spelling
//!    that its route takes ([`Rules::path`]); what else it says is nothing.
//! 2. None of our own places is such a page: its address may have a handle in it.
//!
//! What could break it in deployment: a page with `Referrer-Policy: no-referrer` or `origin`, and a
//! proxy in front that takes `Referer` away. Then a citizen comes back to the front page.

use http::header::REFERER;

use crate::flow::return_to::ReturnTo;
use crate::gateway::{Settings, Worker};
use crate::request::context::RequestContext;
use crate::request::path;
use crate::request::rules::Rules;

/// Returns the page, where the browser says it.
#[must_use]
pub fn page(worker: &Worker, context: &RequestContext) -> Option<ReturnTo> {
    let referer = context.parts.headers.get(REFERER)?.to_str().ok()?;
    of(referer, context.host.name(), &worker.shared.settings, &worker.shared.rules)
}

fn of(referer: &str, host: &str, settings: &Settings, rules: &Rules) -> Option<ReturnTo> {
    let origin = settings.known_origin(host)?;
    let target = referer.strip_prefix(origin).filter(|target| target.starts_with('/'))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    rules.path(host, path).ok()?;
    path::check_query(query).ok()?;
    // RFC 9110 10.1.3: it has no fragment.
    if target.contains('#') || settings.may_be_ours(path) {
        return None;
    }
    Some(ReturnTo::parse(target))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::leniency::{Kind, Leniency};
    use crate::gate::policy::{Access, Policy, Route};
    use crate::gateway::portals::testing::settings;
    use crate::identity::release::Release;
    use crate::request::networks::Networks;

    const ORIGIN: &str = "https://a.example:8443";

    fn route(path: &str) -> Route {
        let release = Release::by_assertion("a", Vec::new());
        Route::to_upstream(("a.example", path), Access::Public, 0, (0, release))
    }

    fn page_of(referer: &str) -> Option<String> {
        let leniency = Leniency::default().with(Kind::EncodedSlash).with(Kind::EmptySegment);
        let lenient = Route { leniency, ..route("/files") };
        let policy = Policy::new(vec![route("/"), lenient, route("/files/own")]);
        let rules = Rules { policy, may_pass_maintenance: Networks::default() };
        let page = of(referer, "a.example", &settings(ORIGIN), &rules);
        page.map(|page| page.as_str().to_owned())
    }

    #[test]
    fn it_is_a_page_of_the_same_origin_word_for_word() {
        for target in ["/", "/tax", "/tax/2031?form=PIT-37&x=%C5%BB", "/a/b/"] {
            assert_eq!(page_of(&format!("{ORIGIN}{target}")).as_deref(), Some(target));
        }
        let long = format!("{ORIGIN}/tax?{}", "x".repeat(3000));
        assert_eq!(page_of(&long).as_deref(), Some("/tax"));
    }

    #[test]
    fn it_is_spelled_as_its_route_takes_it() {
        for target in ["/files/group%2Fproject?a=b", "/files/a//b"] {
            assert_eq!(page_of(&format!("{ORIGIN}{target}")).as_deref(), Some(target));
        }
        for target in [
            "/tax/group%2Fproject",
            "/tax//b",
            "/files/a%3Bb",
            "/files/a%2F..%2Fb",
            "/files/own%2Fx",
            "/files//own/x",
            "//files/a",
            "//files//a",
            "/.brama%2Ffinish?state=1&ticket=2",
        ] {
            assert_eq!(page_of(&format!("{ORIGIN}{target}")), None, "{target}");
        }
    }

    #[test]
    fn nothing_else_is_one() {
        for referer in [
            "",
            ORIGIN,
            "/tax",
            "https://a.example/tax",
            "https://a.example:84431/tax",
            "https://a.example:8443.evil.example/tax",
            "https://a.example:8443@evil.example/tax",
            "http://a.example:8443/tax",
            "https://evil.example/tax",
            "https://evil.example/?https://a.example:8443/tax",
            "https://a.example:8443//evil.example/",
            "https://a.example:8443/a/../b",
            "https://a.example:8443/a%2fb",
            "https://a.example:8443/\\evil.example",
            "https://a.example:8443/tax#part",
            "https://a.example:8443/tax?#part",
            "https://a.example:8443/tax?a b",
            "https://a.example:8443/.brama/finish?state=1&ticket=2",
            "https://a.example:8443/%2Ebrama/login",
        ] {
            assert_eq!(page_of(referer), None, "{referer}");
        }
    }
}
