//! The portal's own session ends with ours, in the browser at least: named cookies of the portal are
//! taken away when a citizen signs out, and when another person signs in.
//!
//! A portal that keeps a session of its own, and looks into our header only at its beginning, would
//! show one citizen's pages to the next who signs in with the same browser. What the portal itself
//! must do is in [`crate::manual::backends`]; this helps where it cannot be changed. Cookies at
//! another host stay until a citizen signs in there: only an answer of that host can take them
//! away.

use http::header::SET_COOKIE;
use http::{HeaderMap, Response};

use crate::base::body::Body;
use crate::gate::policy::Policy;
use crate::gate::rewrite;
use crate::gateway::Worker;
use crate::request::context::RequestContext;
use crate::request::portal_cookie::PortalCookie;

/// The most cookies that an answer takes away.
pub const MOST_CLEARED: usize = 64;

/// Takes the portal's cookies away from the browser that is answered.
pub(super) fn clear(worker: &Worker, context: &RequestContext, response: &mut Response<Body>) {
    let settings = &worker.shared.settings;
    if settings.portal_cookies.is_empty() {
        return;
    }
    let paths = paths(&worker.shared.rules.policy, context.host.name());
    add(&settings.portal_cookies, &paths, worker.is_https(), response.headers_mut());
}

fn add(cookies: &[PortalCookie], paths: &[String], is_secure: bool, headers: &mut HeaderMap) {
    let all = cookies.iter().flat_map(|cookie| {
        let paths = paths.iter().map(String::as_str);
        cookie.clear(paths, is_secure)
    });
    for value in all.take(MOST_CLEARED) {
        headers.append(SET_COOKIE, value);
    }
}

/// Returns the paths of a host at which a portal may have set a cookie, as browsers see them.
#[must_use]
pub fn paths(policy: &Policy, host: &str) -> Vec<String> {
    let mut paths = vec!["/".to_owned()];
    let routes = policy.routes().filter(|route| route.host == host);
    for path in routes.map(|route| rewrite::encoded(&route.path)) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::policy::{Access, Route};
    use crate::identity::release::Release;

    fn cookies(count: usize) -> Vec<PortalCookie> {
        (0..count).map(|n| PortalCookie::parse(&format!("id{n}")).unwrap()).collect()
    }

    fn cleared(count: usize, paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|&path| path.to_owned()).collect();
        let mut headers = HeaderMap::new();
        add(&cookies(count), &paths, true, &mut headers);
        let values = headers.get_all(SET_COOKIE).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_cookie_goes_at_each_path_up_to_a_number() {
        let [root, tax] = cleared(1, &["/", "/tax"]).try_into().unwrap();
        assert_eq!(root, "id0=; Path=/; Max-Age=0; Secure");
        assert_eq!(tax, "id0=; Path=/tax; Max-Age=0; Secure");
        assert!(cleared(0, &["/"]).is_empty());
        assert_eq!(cleared(MOST_CLEARED + 1, &["/"]).len(), MOST_CLEARED);
    }

    #[test]
    fn a_path_of_the_host_is_named_once_as_browsers_see_it() {
        let route = |host, path| {
            let release = Release::by_assertion("a", Vec::new());
            Route::to_upstream((host, path), Access::Public, 0, (0, release))
        };
        let host = "portal.example";
        let policy = Policy::new(vec![
            route(host, "/"),
            route(host, "/żó"),
            route(host, "/tax"),
            route(host, "/tax"),
            route("other.example", "/other"),
        ]);
        let mut found = paths(&policy, host);
        assert_eq!(found[0], "/");
        found.sort();
        assert_eq!(found, ["/", "/%C5%BC%C3%B3", "/tax"]);
        assert_eq!(paths(&policy, "none.example"), ["/"]);
    }
}
