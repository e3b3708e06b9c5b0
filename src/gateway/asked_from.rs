//! The page of ours that a script or a form asks from: a citizen who signs in for it wants to be
//! there again afterwards.
//!
//! 1. The browser says it (`Referer`, RFC 9110 10.1.3), and no other source. It only ever leads
//!    back to a page of the same origin, by a path that could be asked for; what else it says is
//!    nothing.
//! 2. None of our own places is such a page: its address may have a handle in it.
//!
//! What could break it in deployment: a page with `Referrer-Policy: no-referrer` or `origin`, and a
//! proxy in front that takes `Referer` away. Then a citizen comes back to the front page.

use http::header::REFERER;

use crate::flow::return_to::ReturnTo;
use crate::gateway::Settings;
use crate::request::context::RequestContext;
use crate::request::path;

/// Returns the page, where the browser says it.
#[must_use]
pub fn page(settings: &Settings, context: &RequestContext) -> Option<ReturnTo> {
    let referer = context.parts.headers.get(REFERER)?.to_str().ok()?;
    of(referer, settings.known_origin(context.host.name())?, settings)
}

fn of(referer: &str, origin: &str, settings: &Settings) -> Option<ReturnTo> {
    let target = referer.strip_prefix(origin).filter(|target| target.starts_with('/'))?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    path::canonical(path).ok()?;
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
    use crate::gateway::portals::testing::settings;

    const ORIGIN: &str = "https://a.example:8443";

    fn page_of(referer: &str) -> Option<String> {
        of(referer, ORIGIN, &settings(ORIGIN)).map(|page| page.as_str().to_owned())
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
            "https://a.example:8443/.brama/finish?state=1&ticket=2",
            "https://a.example:8443/%2Ebrama/login",
        ] {
            assert_eq!(page_of(referer), None, "{referer}");
        }
    }
}
