//! Requests that reach a second location: `MOVE` and `COPY` of WebDAV, and their kin.
//!
//! A route decides about a host and a path. `MOVE /drafts/a` with `Destination: /published/a`
//! writes to another location, which the portal does and no rule has seen. So both locations are
//! judged:
//!
//! 1. `Destination` (RFC 4918 10.3) is there exactly once, an absolute `http` or `https` address
//!    without query and fragment, or an absolute path, with a canonical path
//!    ([`crate::request::path`]).
//! 2. Its host is one of ours, its port that of the request, its location none of our own.
//! 3. The same session may do the same there, and `PUT`, and unless `Overwrite: F` also `DELETE`:
//!    what is there goes first (RFC 4918 9.8.4, 9.9.3).
//! 4. The upstream is the same.
//! 5. Collections move whole (`Depth: infinity`). So every route below either location that leads
//!    to the same upstream must let the same session do the same.
//! 6. It is told to the upstream as the upstream knows it: without the prefix that the route takes
//!    off, and so on. Otherwise it would mean another location there than the one that was judged.
//!
//! `If` (RFC 4918 10.4) may name other locations. It only asks about them, with an etag or a lock
//! token that the client has to know, and nothing is written there, so it is not judged.
//!
//! Methods that name their second location in the body (`IN_THE_BODY`) cannot be judged. They pass
//! only where a route names them in its `methods`: then the operator has decided so. `LINK` and
//! `UNLINK` only say something of the location that they are for.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::base::reason::Reason;
use crate::gate::action::{Action, Forward, HostHeader};
use crate::gate::policy::Route;
use crate::gate::visitor::Visitor;
use crate::gate::{Pass, Verdict};
use crate::gateway::Worker;
use crate::gateway::failure::Failure;
use crate::pages::ErrorPage;
use crate::request::context::RequestContext;
use crate::request::host::Host;
use crate::request::path;
use crate::session::cached::ActiveSession;

/// Methods whose second location stands in a header.
const IN_A_HEADER: [&str; 2] = ["COPY", "MOVE"];

/// Methods whose further locations stand in the body: RFC 5842 (bindings), RFC 3253 (`MERGE`), and
/// the batch methods of Exchange.
const IN_THE_BODY: [&str; 8] =
    ["BCOPY", "BDELETE", "BIND", "BMOVE", "BPROPPATCH", "MERGE", "REBIND", "UNBIND"];

/// The header (RFC 4918 10.3).
pub const DESTINATION: HeaderName = HeaderName::from_static("destination");
const OVERWRITE: HeaderName = HeaderName::from_static("overwrite");
const DEPTH: HeaderName = HeaderName::from_static("depth");

/// A second location that a request names, as the policy sees it.
#[derive(Debug, PartialEq, Eq)]
struct Target<'t> {
    /// The scheme and the host, unless it is a path alone.
    elsewhere: Option<(&'t str, Host)>,
    /// The path as it came.
    raw: &'t str,
    /// The path for the policy.
    path: Cow<'t, str>,
}

/// Tells whether a method may reach a second location.
#[must_use]
pub fn has_second_place(method: &Method) -> bool {
    // The usual ones first.
    !matches!(*method, Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::DELETE)
        && (IN_A_HEADER.contains(&method.as_str()) || IN_THE_BODY.contains(&method.as_str()))
}

/// Judges the second location of a request that may pass at its first.
///
/// # Errors
/// When it cannot be judged, or may not be reached.
pub async fn judge(
    worker: &Worker,
    pass: &Pass,
    context: &mut RequestContext,
) -> Result<(), Failure> {
    let method = context.parts.method.clone();
    let forward = match &pass.route().action {
        Action::Forward(forward) => Some(forward),
        // The proxy in front hands the header on as it came, to a server that we do not know.
        Action::Permit => None,
        Action::Redirect(_) | Action::Respond(_) => return Ok(()),
    };
    let judged = forward.filter(|_| !IN_THE_BODY.contains(&method.as_str()));
    let Some(forward) = judged else {
        return match pass.route().methods.named().contains(&method) {
            true => Ok(()),
            false => Err(forbidden(
                Reason::RequestSecondPlace,
                "the method reaches a second location that cannot be judged here; a route must \
                 name it"
                    .to_owned(),
            )),
        };
    };
    // 1. What it says.
    let headers = &context.parts.headers;
    let mut values = headers.get_all(&DESTINATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(malformed("Destination is not there exactly once"));
    };
    let target = parse(value)?;
    // 2. Whether it is a location of the portal.
    let host = target.elsewhere.as_ref().map_or(&context.host, |(_, host)| host);
    if !worker.shared.rules.policy.has_host(host.name()) || host.port() != context.host.port() {
        return Err(not_allowed("is not a host of the portal"));
    }
    let location = (host.name(), &*target.path);
    if worker.shared.find(location, &method, None).route().is_none() {
        return Err(not_allowed("is a place of the gateway"));
    }
    // 3. The session, when there is one. At a public location none was looked for.
    let live = match pass.live() {
        Some(live) => Some(live.clone()),
        None => worker.live(context).await?,
    };
    // 4. Whether that is allowed at each location that it reaches.
    let overwrites = headers.get(&OVERWRITE).is_none_or(|value| value != "F");
    let reached = [&method, &Method::PUT, &Method::DELETE];
    let reached = if overwrites { &reached[..] } else { &reached[..2] };
    let judge = Judge { worker, context, live: live.as_ref(), forward };
    let mut route = None;
    for method in reached {
        route = Some(judge.passes((host.name(), &target.path), method)?);
    }
    let is_deep = method.as_str() == "MOVE" || headers.get(&DEPTH).is_none_or(|depth| depth != "0");
    if is_deep {
        let from = path::canonical(context.parts.uri.path())?;
        judge.passes_below((context.host.name(), &from), &[&method])?;
        judge.passes_below((host.name(), &target.path), reached)?;
    }
    // 5. As the upstream knows it.
    let Some(route) = route else { return Err(not_allowed("is judged by no route")) };
    let value = target.rewritten(route, forward)?;
    context.parts.headers.insert(DESTINATION, value);
    Ok(())
}

/// What the locations are judged by.
struct Judge<'j> {
    worker: &'j Worker,
    context: &'j RequestContext,
    live: Option<&'j ActiveSession>,
    forward: &'j Forward,
}

impl<'j> Judge<'j> {
    /// Requires that a method would pass at a location, and would go on to the same upstream.
    fn passes(&self, (host, path): (&str, &str), method: &Method) -> Result<&'j Route, Failure> {
        let visitor = self.live.map(|live| Visitor::from(live.session()));
        let client = Some(self.context.client.address);
        let found = self.worker.shared.rules.find((host, path), method, client);
        match found.judge(visitor.as_ref(), self.context.began) {
            Verdict { route: Some(route), outcome: Ok(_) } if self.is_same_upstream(route) => {
                Ok(route)
            }
            Verdict { outcome: Ok(_), .. } => Err(not_allowed("belongs to another upstream")),
            Verdict { outcome: Err(_), .. } => {
                Err(not_allowed(&format!("may not be reached with {method}")))
            }
        }
    }

    /// Requires the same of the locations below.
    fn passes_below(&self, (host, path): (&str, &str), methods: &[&Method]) -> Result<(), Failure> {
        for location in self.worker.shared.rules.policy.below(host, path) {
            if !location.routes().any(|route| self.is_same_upstream(route)) {
                continue;
            }
            for method in methods {
                self.passes((host, location.path()), method)?;
            }
        }
        Ok(())
    }

    fn is_same_upstream(&self, route: &Route) -> bool {
        matches!(&route.action, Action::Forward(it) if it.upstream == self.forward.upstream)
    }
}

impl Target<'_> {
    /// Writes it as the upstream knows it.
    fn rewritten(&self, route: &Route, forward: &Forward) -> Result<HeaderValue, Failure> {
        let path = match route.rewrite.is_none() {
            true => Cow::Borrowed(self.raw),
            false => Cow::Owned(route.rewrite.path(self.raw)),
        };
        let text = match (&self.elsewhere, &forward.host) {
            (Some((scheme, host)), HostHeader::Preserve) => {
                format!("{scheme}://{}{path}", host.authority())
            }
            // The upstream knows itself by another name, which is that of the request too.
            _ => path.into_owned(),
        };
        HeaderValue::try_from(text).map_err(|_| malformed("Destination cannot be written anew"))
    }
}

fn parse(value: &HeaderValue) -> Result<Target<'_>, Failure> {
    let text = value.to_str().map_err(|_| malformed("Destination is not visible ASCII"))?;
    if text.contains(['?', '#']) {
        return Err(malformed("Destination has a query or a fragment"));
    }
    let (elsewhere, raw) = if text.starts_with('/') {
        (None, text)
    } else {
        let (scheme, rest) = text
            .split_once("://")
            .filter(|(scheme, _)| {
                ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
            })
            .ok_or_else(|| malformed("Destination is neither an address nor a path"))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_tls = scheme.eq_ignore_ascii_case("https");
        let host = Host::parse(authority.as_bytes(), is_tls)
            .map_err(|_| malformed("Destination has no canonical host"))?;
        (Some((scheme, host)), if path.is_empty() { "/" } else { path })
    };
    let path = path::canonical(raw).map_err(|error| malformed(&error.to_string()))?;
    Ok(Target { elsewhere, raw, path })
}

fn malformed(detail: &str) -> Failure {
    Failure::malformed(Reason::RequestDestination, detail)
}

fn not_allowed(detail: &str) -> Failure {
    forbidden(Reason::RequestDestinationNotAllowed, format!("Destination {detail}"))
}

fn forbidden(code: Reason, detail: String) -> Failure {
    Failure { detail, ..Failure::new(ErrorPage::Forbidden, StatusCode::FORBIDDEN, code) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing;
    use crate::identity::assurance::Assurance;

    #[test]
    fn reads_addresses_and_paths_and_nothing_that_could_be_read_in_two_ways() {
        for (text, host, path) in [
            ("/a/b", None, "/a/b"),
            ("/a%20b/", None, "/a b/"),
            ("http://portal.example/a", Some("portal.example"), "/a"),
            ("HTTPS://Portal.Example:443/a", Some("portal.example"), "/a"),
            ("https://portal.example:8443/a", Some("portal.example:8443"), "/a"),
            ("https://portal.example", Some("portal.example"), "/"),
        ] {
            let value = HeaderValue::from_static(text);
            let target = parse(&value).unwrap();
            let read = target.elsewhere.as_ref().map(|(_, host)| host.authority());
            assert_eq!((read, &*target.path), (host, path), "{text}");
        }
        for text in [
            "",
            "a",
            "*",
            "//other.example/a",
            "/a/../b",
            "/a/%2e%2e/b",
            "/a%2fb",
            "/a\\b",
            "/a?b",
            "/a#b",
            "http:/a",
            "http:///a",
            "ftp://portal.example/a",
            "http://user@portal.example/a",
            "http://portal.example\\@other.example/a",
            "http://portal.example//a",
            " /a",
            "/a, /b",
        ] {
            let value = HeaderValue::from_static(text);
            assert!(parse(&value).is_err(), "{text}");
        }
    }

    const PLACES: &str = "\
        [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n\
        [[route]]\npath = \"/mine\"\nupstream = \"portal\"\n\
        [[route]]\npath = \"/read\"\nupstream = \"portal\"\naccess = \"public\"\n\
        methods = [\"GET\", \"COPY\", \"PUT\"]\n\
        [[route]]\npath = \"/deep/mine\"\nupstream = \"portal\"\n\
        [[route]]\npath = \"/named\"\nupstream = \"portal\"\naccess = \"public\"\n\
        methods = [\"MERGE\"]\n\
        [[upstream]]\nname = \"other\"\nurl = \"http://127.0.0.1:9\"\n\
        [[route]]\npath = \"/shared/x\"\nupstream = \"other\"\naccess = \"public\"\n\
        [[route]]\npath = \"/other\"\nupstream = \"other\"\naccess = \"public\"\n\
        [[route]]\npath = \"/app\"\nupstream = \"portal\"\naccess = \"public\"\n\
        strip_prefix = \"/app\"\n";

    fn asks(method: &str, from: &str, headers: &[(&str, &str)]) -> http::Request<()> {
        let mut request = testing::get(testing::HOST, from, headers);
        *request.method_mut() = method.parse().unwrap();
        request
    }

    #[tokio::test]
    async fn both_places_of_a_request_are_judged() {
        let mut world = testing::world(PLACES, testing::OK).await;
        let keep = [("overwrite", "F"), ("depth", "0")];
        for (method, from, to, more, status) in [
            ("COPY", "/a", "/b", &[][..], 200),
            ("COPY", "/a", "https://portal.test/b", &[], 200),
            ("MOVE", "/a", "/b", &[], 200),
            // What somebody else may reach, who is signed in.
            ("COPY", "/a", "/mine/b", &[], 403),
            ("COPY", "/a", "/deep", &[], 403),
            ("COPY", "/deep", "/b", &[], 403),
            ("COPY", "/a", "/deep", &[("depth", "0")], 200),
            // What is below leads to another upstream, and so nothing of this one is there.
            ("COPY", "/a", "/shared", &[], 200),
            ("MOVE", "/a", "/deep", &[("depth", "0")], 403),
            // What is there goes first.
            ("COPY", "/a", "/read/b", &[], 403),
            ("COPY", "/a", "/read/b", &keep, 200),
            ("COPY", "/a", "/read/b", &[("overwrite", "T"), ("depth", "0")], 403),
            // Elsewhere.
            ("COPY", "/a", "/other/b", &keep, 403),
            ("COPY", "/a", "https://c.test/b", &keep, 403),
            ("COPY", "/a", "https://portal.test:9/b", &keep, 403),
            ("COPY", "/a", "/.brama/session", &keep, 403),
            ("COPY", "/a", "/b?c", &keep, 400),
            ("COPY", "/a", "/b/../mine/c", &keep, 400),
            ("COPY", "/a", "b", &keep, 400),
            // Further places that nobody can judge.
            ("MERGE", "/a", "/b", &keep, 403),
            ("MERGE", "/named/a", "/b", &keep, 200),
            // One that reaches no second place.
            ("PUT", "/a", "/mine/b", &[], 200),
        ] {
            let headers = [&[("destination", to)], more].concat();
            let answer = world.ask(asks(method, from, &headers)).await;
            assert_eq!(answer.status.as_u16(), status, "{method} {from} {to} {more:?}");
            let went_on = world.heads.try_recv().is_ok();
            assert_eq!(went_on, status == 200, "{method} {from} {to} {more:?}");
        }
        for destinations in [&[][..], &[("destination", "/b"), ("destination", "/c")]] {
            let answer = world.ask(asks("COPY", "/a", destinations)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{destinations:?}");
        }
    }

    #[tokio::test]
    async fn the_same_session_reaches_the_second_place_which_is_told_as_the_portal_knows_it() {
        let mut world = testing::world(PLACES, testing::OK).await;
        let (_, cookie) = world.sign_in(Assurance::High).await;
        let headers = [("destination", "/mine/b"), ("cookie", cookie.as_str())];
        assert_eq!(world.ask(asks("COPY", "/a", &headers)).await.status, StatusCode::OK);
        for (to, told) in [
            ("/app/x", "/x"),
            ("https://portal.test/app/x", "https://portal.test/x"),
            ("/app/%41", "/%41"),
        ] {
            while world.heads.try_recv().is_ok() {}
            let answer = world.ask(asks("COPY", "/app/a", &[("destination", to)])).await;
            assert_eq!(answer.status, StatusCode::OK, "{to}");
            let head = world.heads.try_recv().unwrap().to_lowercase();
            assert!(head.contains(&format!("\r\ndestination: {told}\r\n")), "{head}");
        }
    }
}
