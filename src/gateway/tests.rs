//! What a client meets, from the head of its request to the answer: the gateway is asked in place.

use std::time::Duration;

use http::{HeaderValue, Method, Request, StatusCode, Version};

use super::stack::Unanswered;
use crate::app::testing::{Answer, HOST, OK, World, get, world, world_with};
use crate::base::clock::Clock as _;
use crate::identity::assurance::Assurance;
use crate::request::context::RequestContext;
use crate::request::service::{Peer, Service as _};
use crate::session::cached::Activity;
use crate::session::label::Why;
use crate::wire::refusal::Refusal;

mod answers;
mod noted;
mod taken_in;

const ROUTES: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/public\"\nupstream = \"portal\"\naccess = \"public\"\n\
    [[route]]\npath = \"/tax\"\nupstream = \"portal\"\n\
    [[route]]\npath = \"/write\"\nupstream = \"portal\"\naccess = \"public\"\nmethods = [\"POST\"]\n\
    [[route]]\npath = \"/health\"\nupstream = \"portal\"\nassurance = \"high\"\n\
    [[route]]\nhost = \"b.test\"\npath = \"/\"\nupstream = \"portal\"\n";

/// What a browser says that goes to a page, and what a script does.
const PAGE: (&str, &str) = ("accept", "text/html");
const SCRIPT: (&str, &str) = ("accept", "application/json");

async fn usual() -> World {
    world(ROUTES, OK).await
}

fn peer() -> Peer {
    Peer::new("192.0.2.1:1".parse().unwrap(), true)
}

impl World {
    /// Takes a request in, and no further.
    fn received(&self, request: Request<()>) -> RequestContext {
        let (parts, ()) = request.into_parts();
        let mut unanswered = Unanswered::begin(&self.worker, Box::new(parts), &peer());
        self.worker.receive(unanswered.context(), &peer()).unwrap();
        unanswered.answered()
    }

    fn step_ups(&self) -> u64 {
        self.worker.shared.events.counts().step_ups.value()
    }

    /// The last head that came to the portal, in lower case; none came without an answer of it.
    fn head(&mut self) -> Option<String> {
        let mut last = None;
        while let Ok(head) = self.heads.try_recv() {
            last = Some(head.to_lowercase());
        }
        last
    }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }
}

#[tokio::test]
async fn who_must_sign_in_is_told_in_the_way_that_they_read() {
    let mut world = usual().await;
    let begun = |world: &World| world.worker.shared.events.counts().logins_begun.value();
    let page = world.get("/tax?year=2031", &[PAGE]).await;
    assert_eq!((page.status, begun(&world)), (StatusCode::OK, 1));
    assert!(page.text.contains("https://node.test/sso") && page.text.contains("SAMLRequest"));
    assert!(page.header("set-cookie").contains("; Secure"), "the login is bound to the browser");
    // A program is told where a login begins, and none does.
    let told = world.get("/tax?year=2031", &[SCRIPT]).await;
    assert_eq!((told.status, begun(&world)), (StatusCode::UNAUTHORIZED, 1));
    let told = told.json();
    assert_eq!(told["error"], "login_required");
    assert_eq!(told["login"], "/.brama/login?return_to=%2F&assurance=substantial");
    // Who only asks about the page is told as a program.
    let mut head = get(HOST, "/tax?year=2031", &[PAGE]);
    *head.method_mut() = Method::HEAD;
    assert_eq!(world.ask(head).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(begun(&world), 1);
    // What was typed into a form leads back to it.
    let mut form = get(HOST, "/tax", &[PAGE]);
    *form.method_mut() = Method::PUT;
    let refused = world.ask(form).await;
    assert_eq!((refused.status, begun(&world)), (StatusCode::UNAUTHORIZED, 1));
    assert!(refused.text.contains("/.brama/login?return_to=%2Ftax"), "{}", refused.text);
    assert_eq!(world.head(), None, "nothing went to the portal");
}

#[tokio::test]
async fn who_is_signed_in_passes_with_a_signed_name_where_it_matters_who_asks() {
    let mut world = usual().await;
    let (_, cookie) = world.sign_in(Assurance::Substantial).await;
    for (target, is_told) in [("/tax", true), ("/", true), ("/public", false)] {
        let answer = world.get(target, &[SCRIPT, ("cookie", &cookie)]).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "ok"), "{target}");
        let head = world.head().unwrap();
        assert_eq!(head.contains("\r\nx-brama-assertion: "), is_told, "{head}");
        assert!(!head.contains("cookie"), "the portal has no use for it: {head}");
    }
    assert_eq!(world.get("/", &[SCRIPT]).await.status, StatusCode::OK);
    assert!(!world.head().unwrap().contains("x-brama-assertion"));
}

#[tokio::test]
async fn a_step_up_is_counted_where_a_person_may_make_it() {
    let world = usual().await;
    let (_, cookie) = world.sign_in(Assurance::Substantial).await;
    let cookie = ("cookie", cookie.as_str());
    assert_eq!(world.get("/tax", &[SCRIPT, cookie]).await.status, StatusCode::OK);
    assert_eq!(world.get("/health", &[PAGE]).await.status, StatusCode::OK);
    assert_eq!(world.step_ups(), 0, "nobody was signed in");
    let page = world.get("/health", &[PAGE, cookie]).await;
    assert!(page.text.contains("SAMLRequest") && world.step_ups() == 1);
    let told = world.get("/health", &[SCRIPT, cookie]).await;
    assert_eq!((told.json()["error"].as_str(), world.step_ups()), (Some("step_up_required"), 2));
    // Nobody sees the answer.
    let mut head = get(HOST, "/health", &[PAGE, cookie]);
    *head.method_mut() = Method::HEAD;
    assert_eq!(world.ask(head).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.step_ups(), 2);
    let ahead = world.get("/health", &[PAGE, cookie, ("sec-purpose", "prefetch")]).await;
    assert_eq!((ahead.status, world.step_ups()), (StatusCode::UNAUTHORIZED, 2));
}

#[tokio::test]
async fn of_several_cookies_the_one_of_a_live_session_counts() {
    let world = usual().await;
    let (ended, dead) = world.sign_in(Assurance::High).await;
    let (id, live) = world.sign_in(Assurance::High).await;
    let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
    sessions.remove(&ended, now).await.unwrap();
    for cookies in [[&dead, &live], [&live, &dead]] {
        let cookies = cookies.map(String::as_str).join("; ");
        let cookies = [SCRIPT, ("cookie", cookies.as_str())];
        assert_eq!(world.get("/tax", &cookies).await.status, StatusCode::OK);
        let context = world.received(get(HOST, "/tax", &cookies));
        let found = world.worker.session_id(&context).await.unwrap().unwrap();
        assert!(found.key() == id.key(), "the one that lives");
        let all = world.worker.session_ids(&context).await.unwrap();
        assert_eq!(all.len(), 2);
    }
    // The twins: one that has ended is known as such, and an invention is nothing.
    for (cookie, is_ours) in [(dead, true), (world.cookie(&"x".repeat(43)), false)] {
        let cookies = [SCRIPT, ("cookie", cookie.as_str())];
        assert_eq!(world.get("/tax", &cookies).await.status, StatusCode::UNAUTHORIZED);
        let context = world.received(get(HOST, "/tax", &cookies));
        assert_eq!(world.worker.session_id(&context).await.unwrap().is_some(), is_ours);
    }
    assert_eq!(world.get("/tax", &[SCRIPT]).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_that_has_ended_is_found_no_more_by_the_worker_that_found_it_last() {
    let world = usual().await;
    let (id, cookie) = world.sign_in(Assurance::High).await;
    let ask = async || world.get("/tax", &[SCRIPT, ("cookie", cookie.as_str())]).await.status;
    assert_eq!((ask().await, ask().await), (StatusCode::OK, StatusCode::OK));
    let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
    sessions.remove(&id, now).await.unwrap();
    assert_eq!(ask().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_was_signed_out_by_an_operator_is_told_so_before_a_new_login() {
    let world = usual().await;
    let (id, cookie) = world.sign_in(Assurance::High).await;
    let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    let cookie = ("cookie", cookie.as_str());
    let page = world.get("/tax", &[PAGE, cookie]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(!page.text.contains("SAMLRequest"), "{}", page.text);
    assert!(page.text.contains("/.brama/login?return_to=%2Ftax"), "{}", page.text);
    // A script is told what scripts are told, and may ask why.
    assert_eq!(world.get("/tax", &[SCRIPT, cookie]).await.json()["error"], "login_required");
    let told = world.get("/.brama/session", &[SCRIPT, cookie]).await.json();
    assert_eq!((&told["signed_in"], &told["ended"]), (&false.into(), &"operator".into()));
    // The twin: one that ended by itself.
    assert!(world.get("/tax", &[PAGE]).await.text.contains("SAMLRequest"));
}

#[tokio::test]
async fn a_linked_session_leads_on_at_its_host_and_what_nobody_knows_is_asked_for_so_often() {
    let limits = format!("{ROUTES}[limits]\nunknown_sessions = 2\n");
    let (world, again) = (world(&limits, OK).await, world(&limits, OK).await);
    let (flows, now) = (&world.worker.shared.flows, world.clock.now());
    let (id, _) = world.sign_in(Assurance::High).await;
    let live = flows.sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    let link = async |host: &str| {
        let linked = flows.linked_sessions.begin(&id, &live, host, now).await.unwrap();
        world.cookie(linked.expose())
    };
    let ask = async |cookie: &str| {
        world.ask(get("b.test", "/", &[SCRIPT, ("cookie", cookie)])).await.status
    };
    let known = link("b.test").await;
    assert_eq!(ask(&known).await, StatusCode::OK);
    // That of another host leads nowhere. Two of them may be asked for in a minute, and after a third
    // one none is.
    for status in [
        StatusCode::UNAUTHORIZED,
        StatusCode::UNAUTHORIZED,
        StatusCode::UNAUTHORIZED,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        assert_eq!(ask(&link("c.test").await).await, status);
    }
    // What is known near is not asked for, nor what has no mark of ours.
    assert_eq!(ask(&known).await, StatusCode::OK);
    assert_eq!(ask(&world.cookie(&"x".repeat(43))).await, StatusCode::UNAUTHORIZED);
    // Nor is what leads on counted, however often.
    let world = again;
    let (flows, now) = (&world.worker.shared.flows, world.clock.now());
    let (id, _) = world.sign_in(Assurance::High).await;
    let live = flows.sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    for _ in 0..5 {
        let linked = flows.linked_sessions.begin(&id, &live, "b.test", now).await.unwrap();
        let cookie = world.cookie(linked.expose());
        let request = get("b.test", "/", &[SCRIPT, ("cookie", cookie.as_str())]);
        assert_eq!(world.ask(request).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_head_that_could_be_read_in_two_ways_goes_nowhere() {
    let mut world = usual().await;
    let method = |method: &str, target| {
        let mut request = get(HOST, target, &[SCRIPT]);
        *request.method_mut() = Method::from_bytes(method.as_bytes()).unwrap();
        request
    };
    let version = |version, value: &'static str| {
        let mut request = get(HOST, "/public", &[SCRIPT]);
        *request.version_mut() = version;
        request.headers_mut().insert("x-a", HeaderValue::from_static(value));
        request
    };
    let overridden = |target| get(HOST, target, &[SCRIPT, ("x-http-method-override", "DELETE")]);
    let mut written = overridden("/write");
    *written.method_mut() = Method::POST;
    for (request, status) in [
        (method("GET", "/public"), StatusCode::OK),
        (method("PURGE", "/public"), StatusCode::OK),
        (method("Get", "/public"), StatusCode::BAD_REQUEST),
        (method("G!T", "/public"), StatusCode::BAD_REQUEST),
        (method("TRACE", "/public"), StatusCode::METHOD_NOT_ALLOWED),
        (method("CONNECT", "/public"), StatusCode::METHOD_NOT_ALLOWED),
        (method("GET", "/write"), StatusCode::METHOD_NOT_ALLOWED),
        (method("POST", "/write"), StatusCode::OK),
        // It matters which method it is where a route names methods.
        (written, StatusCode::BAD_REQUEST),
        (overridden("/public"), StatusCode::OK),
        // Of HTTP/2 a value has no white space around it.
        (version(Version::HTTP_2, "a"), StatusCode::OK),
        (version(Version::HTTP_2, "a "), StatusCode::BAD_REQUEST),
        (version(Version::HTTP_11, "a "), StatusCode::OK),
        (method("GET", "*"), StatusCode::BAD_REQUEST),
        (method("OPTIONS", "*"), StatusCode::NO_CONTENT),
        (method("OPTIONS", "/public/../tax"), StatusCode::BAD_REQUEST),
        (get(HOST, "/public/../tax", &[SCRIPT]), StatusCode::BAD_REQUEST),
        (get(HOST, "/public?a=\u{17c}", &[SCRIPT]), StatusCode::BAD_REQUEST),
        (get("portal.test, b.test", "/public", &[SCRIPT]), StatusCode::BAD_REQUEST),
        (get("c.test", "/public", &[SCRIPT]), StatusCode::NOT_FOUND),
    ] {
        let what = format!("{request:?}");
        world.head();
        assert_eq!(world.ask(request).await.status, status, "{what}");
        assert_eq!(world.head().is_some(), status == StatusCode::OK, "{what}");
    }
}

#[tokio::test]
async fn nobody_speaks_in_our_name_nor_in_that_of_other_gateways() {
    let mut world = usual().await;
    let told = |world: &World| world.worker.shared.events.counts().identities_told.value();
    let mut ask = async |name: &str| {
        let status = world.get("/public", &[SCRIPT, (name, "forged")]).await.status;
        (status, world.head().unwrap_or_default().contains("forged"), told(&world))
    };
    assert_eq!(ask("x-brama-assertion").await, (StatusCode::OK, false, 0));
    assert_eq!(ask("remote-user").await, (StatusCode::OK, false, 1));
    assert_eq!(ask("x_brama_assertion").await, (StatusCode::BAD_REQUEST, false, 1));
    // The twin: what tells nobody's name.
    assert_eq!(ask("x-forged").await, (StatusCode::OK, true, 1));
}

#[tokio::test]
async fn the_word_of_a_proxy_in_front_counts_when_it_is_trusted() {
    let said = [
        SCRIPT,
        ("x-forwarded-for", "198.51.100.7"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "portal.test:7443"),
    ];
    for (is_trusted, lines) in [(false, ""), (true, "trusted_proxies = [\"192.0.2.0/24\"]")] {
        let mut world = world_with((lines, ROUTES), OK).await;
        assert_eq!(world.get("/public", &said).await.status, StatusCode::OK);
        let head = world.head().unwrap();
        let client = if is_trusted { "198.51.100.7" } else { "192.0.2.1" };
        assert!(head.contains(&format!("\r\nx-forwarded-for: {client}")), "{head}");
    }
}

#[tokio::test]
async fn a_port_that_is_none_of_ours_is_told_to_nobody() {
    let mut world = usual().await;
    assert_eq!(world.ask(get("portal.test:9", "/public", &[SCRIPT])).await.status, StatusCode::OK);
    let head = world.head().unwrap();
    assert!(head.contains("\r\nhost: portal.test\r\n") && !head.contains(":9\r\n"), "{head}");
}

#[tokio::test]
async fn what_came_through_us_before_goes_round_no_further() {
    let mut world = usual().await;
    world.get("/public", &[SCRIPT]).await;
    let head = world.heads.try_recv().unwrap();
    let is_via = |name: &str| name.eq_ignore_ascii_case("via");
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let (_, via) = fields.find(|(name, _)| is_via(name)).unwrap();
    let looped = world.get("/public", &[SCRIPT, ("via", via)]).await;
    assert_eq!((looped.status, world.head()), (StatusCode::LOOP_DETECTED, None));
    let other = world.get("/public", &[SCRIPT, ("via", "1.1 other")]).await;
    assert_eq!(other.status, StatusCode::OK);
    assert!(world.head().unwrap().contains("via: 1.1 other"));
}

#[tokio::test]
async fn plain_http_is_sent_to_the_same_place_by_https_and_nowhere_else() {
    let world = usual().await;
    for (host, target, expected) in [
        (HOST, "/tax?year=2031", Some("https://portal.test/tax?year=2031")),
        ("portal.test:80", "/", Some("https://portal.test/")),
        ("b.test", "/x", Some("https://b.test/x")),
        ("c.test", "/x", None),
        (HOST, "/a/../b", None),
        (HOST, "/a/%2e%2e/b", None),
    ] {
        let (parts, ()) = get(host, target, &[PAGE]).into_parts();
        let peer = Peer::new("192.0.2.1:1".parse().unwrap(), false);
        let answer = world.worker.to_https(Box::new(parts), &peer).into_response();
        let location = answer.headers().get("location").map(|value| value.to_str().unwrap());
        assert_eq!(location, expected, "{host} {target}");
        let is_permanent = answer.status() == StatusCode::PERMANENT_REDIRECT;
        assert_eq!(is_permanent, expected.is_some(), "{host} {target}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_answered_in_the_way_that_was_asked_for_and_counted() {
    let world = usual().await;
    for (wants_page, kind) in [(true, "text/html"), (false, "application/")] {
        let refusal = Refusal::Malformed("head of the request");
        let answer = world.worker.refuse(refusal, &peer(), wants_page);
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let found = answer.headers()["content-type"].to_str().unwrap();
        assert!(found.starts_with(kind), "{found}");
    }
    let refusals = world.worker.shared.events.counts().refusals.all();
    let count = refusals.iter().find(|(name, _)| *name == "request.malformed").unwrap().1;
    assert_eq!(count, 2);
    assert_eq!(world.worker.answers.all()[3], 2, "of 4xx");
}

#[tokio::test]
async fn a_session_says_how_long_it_lasts_and_a_sign_of_life_keeps_it() {
    let world = usual().await;
    let (_, cookie) = world.sign_in(Assurance::High).await;
    let cookie = ("cookie", cookie.as_str());
    let left = async |target: &str, method: Method| {
        let mut request = get(HOST, target, &[SCRIPT, cookie, ("sec-fetch-site", "same-origin")]);
        *request.method_mut() = method;
        let told = world.ask(request).await.json();
        assert_eq!((&told["signed_in"], &told["limit"]), (&true.into(), &"idle".into()));
        told["seconds_left"].as_i64().unwrap()
    };
    let idle = left("/.brama/session", Method::GET).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(left("/.brama/session", Method::GET).await, idle - 60, "to ask is none");
    assert_eq!(left("/.brama/keepalive", Method::POST).await, idle);
    assert_eq!(left("/.brama/session", Method::GET).await, idle);
    // Not for another site's page.
    let mut request = get(HOST, "/.brama/keepalive", &[SCRIPT, cookie]);
    *request.method_mut() = Method::POST;
    request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    assert_eq!(world.ask(request).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn our_places_are_there_for_whom_they_are_for() {
    let world = usual().await;
    let refused = StatusCode::METHOD_NOT_ALLOWED;
    for (host, method, target, said, status) in [
        (HOST, "GET", "/.brama/nothing", PAGE, StatusCode::NOT_FOUND),
        (HOST, "POST", "/.brama/login", PAGE, refused),
        (HOST, "GET", "/.brama/keepalive", SCRIPT, refused),
        (HOST, "DELETE", "/.brama/logout", SCRIPT, refused),
        (HOST, "POST", "/.brama/session", SCRIPT, refused),
        (HOST, "POST", "/.brama/session.js", SCRIPT, refused),
        (HOST, "POST", "/.brama/jwks.json", SCRIPT, refused),
        (HOST, "DELETE", "/.brama/acs", PAGE, refused),
        (HOST, "POST", "/.brama/finish", PAGE, refused),
        // What a page fetches is no person who goes there.
        (HOST, "GET", "/.brama/acs", SCRIPT, StatusCode::FORBIDDEN),
        (HOST, "GET", "/.brama/finish", SCRIPT, StatusCode::FORBIDDEN),
        (HOST, "GET", "/.brama/cross", SCRIPT, StatusCode::FORBIDDEN),
        ("b.test", "GET", "/.brama/arrive", SCRIPT, StatusCode::FORBIDDEN),
        // Each host has its own.
        (HOST, "GET", "/.brama/arrive", PAGE, StatusCode::NOT_FOUND),
        ("b.test", "GET", "/.brama/finish", PAGE, StatusCode::NOT_FOUND),
        ("b.test", "GET", "/.brama/acs", PAGE, StatusCode::NOT_FOUND),
        ("c.test", "GET", "/.brama/login", PAGE, StatusCode::NOT_FOUND),
        // Keys are for every client.
        ("c.test", "GET", "/.brama/jwks.json", SCRIPT, StatusCode::OK),
        (HOST, "GET", "/.brama/session", SCRIPT, StatusCode::OK),
        (HOST, "HEAD", "/.brama/session.js", SCRIPT, StatusCode::OK),
        (HOST, "GET", "/.brama/logout", PAGE, StatusCode::OK),
        // The language of pages is chosen wherever pages of ours are shown.
        (HOST, "GET", "/.brama/language?to=uk&return_to=/a", PAGE, StatusCode::SEE_OTHER),
        ("b.test", "GET", "/.brama/language?to=uk", PAGE, StatusCode::SEE_OTHER),
        ("c.test", "GET", "/.brama/language?to=uk", PAGE, StatusCode::NOT_FOUND),
        (HOST, "POST", "/.brama/language?to=uk", PAGE, refused),
        (HOST, "GET", "/.brama/logo-light-0", PAGE, StatusCode::NOT_FOUND),
        (HOST, "POST", "/.brama/logo-light-0", PAGE, refused),
    ] {
        let mut request = get(host, target, &[said]);
        *request.method_mut() = method.parse().unwrap();
        let answer = world.ask(request).await;
        assert_eq!(answer.status, status, "{host} {method} {target}: {}", answer.text);
        // A person reads a page, a program JSON.
        if status.is_client_error() {
            let kind = if said == PAGE { "text/html" } else { "application/" };
            let found = answer.header("content-type");
            assert!(found.starts_with(kind), "{host} {method} {target}: {found}");
        }
    }
}

#[tokio::test]
async fn keys_are_told_with_a_tag_and_not_kept_while_one_is_on_its_way_out() {
    let world = usual().await;
    let ask =
        async |tag: &str| world.get("/.brama/jwks.json", &[SCRIPT, ("if-none-match", tag)]).await;
    let told = ask("\"x\"").await;
    assert_eq!((told.status, told.json()["keys"].is_array()), (StatusCode::OK, true));
    assert_eq!(told.header("content-type"), "application/jwk-set+json");
    assert_eq!(told.header("cache-control"), "public, max-age=300");
    let tag = told.header("etag");
    for known in [tag, "*", &format!("W/{tag}"), &format!("\"x\", {tag}")] {
        let same = ask(known).await;
        assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(same.header("etag"), tag);
    }
    let keys = &world.worker.shared.keys;
    let mut ring = keys.ring().clone();
    let retired = ring.list(world.clock.now()).remove(0).id;
    ring.retire(&retired, world.clock.now()).unwrap();
    keys.replace(ring.clone());
    let changing = ask(tag).await;
    assert_eq!(
        (changing.status, changing.header("cache-control")),
        (StatusCode::OK, "public, no-cache")
    );
    keys.replace(crate::identity::keyring::KeyRing::empty(Duration::MAX, &[]));
    let away = ask(tag).await;
    assert_eq!(away.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(away.header("retry-after"), "5");
}

#[tokio::test]
async fn the_script_of_a_page_is_told_packed_and_once() {
    let world = usual().await;
    let ask =
        async |said: (&'static str, &str)| world.get("/.brama/session.js", &[SCRIPT, said]).await;
    let plain = ask(("accept-encoding", "br, gzip;q=0")).await;
    assert!(plain.header("content-type").contains("javascript") && !plain.text.is_empty());
    assert_eq!(plain.header("content-encoding"), "");
    let packed = ask(("accept-encoding", "br, gzip")).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.header("etag") != plain.header("etag"));
    let same = ask(("if-none-match", plain.header("etag"))).await;
    assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
}

#[tokio::test]
async fn what_is_answered_of_our_own_is_kept_from_other_pages_and_from_stores() {
    let world = usual().await;
    let kept = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")];
    let page = world.get("/.brama/nothing", &[PAGE]).await;
    let json = world.get("/.brama/nothing", &[SCRIPT]).await;
    for (name, value) in kept {
        assert_eq!((page.header(name), json.header(name)), (value, value), "{name}");
    }
    for (name, value) in [
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("vary", "Accept-Language, Cookie"),
        // A handle may stand in the address of a place of ours.
        ("referrer-policy", "no-referrer"),
        ("connection", ""),
        ("retry-after", ""),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(json.header("cross-origin-resource-policy"), "same-origin");
    let told = json.json();
    assert_eq!((&told["error"], &told["status"]), (&"request.no_such_place".into(), &404.into()));
    // Elsewhere a page may say where it was; what could be misread ends the connection.
    let elsewhere = world.get("/public/../x", &[PAGE]).await;
    assert_eq!(elsewhere.header("referrer-policy"), "strict-origin-when-cross-origin");
    assert_eq!(elsewhere.header("connection"), "close");
    // What a method is not for says for which it is.
    assert_eq!(world.get("/write", &[SCRIPT]).await.header("allow"), "POST");
}

#[tokio::test]
async fn a_frame_is_told_to_sign_in_where_it_is_shown() {
    let world = usual().await;
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let told = world.get("/tax", &frame).await;
    assert_eq!((told.status, told.header("x-frame-options")), (StatusCode::UNAUTHORIZED, ""));
    let other = world.get("/.brama/nothing", &frame).await;
    assert_eq!((other.status, other.header("x-frame-options")), (StatusCode::NOT_FOUND, "DENY"));
}

#[tokio::test]
async fn a_closed_place_and_a_portal_that_is_away_say_when_to_come_again() {
    let closed = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n\
                  maintenance = true\n";
    let world = world(closed, OK).await;
    let told = world.get("/", &[PAGE]).await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.header("retry-after"), "600");
}
