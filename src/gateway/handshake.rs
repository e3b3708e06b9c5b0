//! A handshake that opens a connection in a citizen's name must come from a page of the portal.
//!
//! 1. A browser says in `Origin` which page asks (RFC 6455 4.1, 10.2). Where it matters who comes,
//!    that must be a page of the same host, or one that the route names
//!    (`upgrade_origins`).
//! 2. A request without `Origin` is not made by a browser's page, and nothing leads its client to
//!    send another person's cookie.
//! 3. Whatever else says where it comes from (`null`, two of them) is another site.

use http::StatusCode;
use http::header::ORIGIN;

use crate::base::foreign::Foreign;
use crate::base::reason::Reason;
use crate::gate::Pass;
use crate::gate::policy::Access;
use crate::gateway::Settings;
use crate::gateway::failure::Failure;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::service::WantsUpgrade;

/// Refuses a handshake that a page of another site makes, where it matters who comes.
///
/// # Errors
/// When it does.
pub fn check(pass: &Pass, context: &RequestContext, settings: &Settings) -> Result<(), Failure> {
    let route = pass.route();
    let wish = match context.parts.extensions.get::<WantsUpgrade>() {
        None => return Ok(()),
        Some(WantsUpgrade::IfPossible(wish) | WantsUpgrade::Only(wish)) => wish,
    };
    // What the route does not name is not asked for: the request goes on as any other.
    if matches!(route.access, Access::Public) || route.upgrade.of(wish).is_none() {
        return Ok(());
    }
    let mut origins = context.parts.headers.get_all(ORIGIN).iter();
    let own = settings.origin_of(context.host.name());
    match (origins.next(), origins.next()) {
        (None, _) => Ok(()),
        (Some(origin), None)
            if origin.as_bytes() == own.as_bytes()
                || route.upgrade_origins.has(origin.as_bytes()) =>
        {
            Ok(())
        }
        (Some(origin), _) => {
            let (status, code) = (StatusCode::FORBIDDEN, Reason::RequestUpgradeFromElsewhere);
            let detail = format!(
                "a page of {} asks for it, and upgrade_origins of the route does not name that",
                Foreign::new(&String::from_utf8_lossy(origin.as_bytes()))
            );
            Err(Failure { detail, ..Failure::new(ErrorPage::Forbidden, status, code) })
        }
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;
    use crate::base::clock::Time;
    use crate::gate::facts::Facts;
    use crate::gate::origins::Origins;
    use crate::gate::policy::{Policy, Route};
    use crate::gate::protocols::Protocols;
    use crate::gate::{Decision, RouteMatch};
    use crate::gateway::portals::testing::settings;
    use crate::identity::release::Release;
    use crate::request::access_record::AccessRecord;
    use crate::request::headers::HeaderScan;
    use crate::request::headers::forwarded::Client;
    use crate::request::host::Host;
    use crate::request::service::Peer;

    /// What is said of a request with these origins that would like to go on with a protocol.
    fn passes(access: Access, wish: Option<&'static str>, origins: &[&'static str]) -> bool {
        let release = Release::by_assertion("a", Vec::new());
        let route = Route {
            upgrade: Protocols::parse(&["websocket".to_owned()]).unwrap(),
            upgrade_origins: Origins::parse(&["https://app.example".to_owned()]).unwrap(),
            ..Route::to_upstream(("a.example", "/"), access, 0, (0, release))
        };
        let policy = Policy::new(vec![route]);
        let (host, method) = ("a.example", &Method::GET);
        let facts = Facts { host, path: "/", method, may_pass_maintenance: false };
        let decision = RouteMatch::find(&facts, &policy).decide(None, Time::UNIX_EPOCH);
        let Decision::Pass(pass) = decision else { panic!("{decision:?}") };
        let (mut parts, ()) = http::Request::get("/").body(()).unwrap().into_parts();
        for origin in origins {
            parts.headers.append(ORIGIN, HeaderValue::from_static(origin));
        }
        if let Some(wish) = wish.map(HeaderValue::from_static) {
            parts.extensions.insert(WantsUpgrade::IfPossible(wish));
        }
        let peer = Peer::new("127.0.0.1:1".parse().unwrap(), false);
        let context = RequestContext {
            id: String::new(),
            parts: Box::new(parts),
            client: Client::direct(&peer, true),
            host: Host::parse(host.as_bytes(), true).unwrap(),
            record: AccessRecord::default(),
            assumed: None,
            began: Time::UNIX_EPOCH,
            scan: HeaderScan::default(),
            trace: None,
        };
        check(&pass, &context, &settings("https://a.example")).is_ok()
    }

    #[test]
    fn a_page_of_another_site_opens_nothing_where_it_matters_who_comes() {
        let (own, named) = ("https://a.example", "https://app.example");
        for (origins, is_ours) in [
            (&[][..], true),
            (&[own], true),
            (&[named], true),
            (&["https://evil.example"], false),
            (&["http://a.example"], false),
            (&["null"], false),
            (&[own, named], false),
            (&[own, "https://evil.example"], false),
        ] {
            let optional = || Access::Optional;
            assert_eq!(passes(optional(), Some("websocket"), origins), is_ours, "{origins:?}");
            // Nothing is opened by what the route does not name, or where anybody may come.
            assert!(passes(optional(), Some("other"), origins), "{origins:?}");
            assert!(passes(optional(), None, origins), "{origins:?}");
            assert!(passes(Access::Public, Some("websocket"), origins), "{origins:?}");
        }
    }
}
