//! What a route does with a request that may pass, and what proxies in front of us may say.

use std::time::Duration;

use brama::config;
use brama::observe::access;
use brama::request::headers::forwarded::Believed;
use brama::request::headers::response::hsts;
use brama::request::networks::Networks;
use http::{Method, StatusCode};

use crate::harness::{World, world};

/// Routes with everything that a route can do.
const ROUTES: &str = "\
    [[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
    [[route]]\npath = \"/tax\"\nupstream = \"portal\"\n\
    strip_prefix = \"/tax\"\nadd_prefix = \"/app\"\n\
    [[route]]\npath = \"/open\"\nupstream = \"portal\"\naccess = \"public\"\n\
    strip_prefix = \"/open\"\nhost_header = \"portal.internal:81\"\n\
    [route.request_headers]\nset = [\"X-Env: test\"]\nadd = [\"X-Own: 2\"]\nremove = [\"X-Secret\"]\n\
    [route.response_headers]\nset = [\"X-Frame-Options: DENY\"]\nremove = [\"Server\"]\n\
    [[route]]\npath = \"/slow\"\nupstream = \"portal\"\naccess = \"public\"\n\
    strip_prefix = \"/slow\"\nresponse_timeout = \"100ms\"\nhost_header = \"upstream\"\n\
    [[route]]\npath = \"/old\"\naccess = \"public\"\nstrip_prefix = \"/old\"\n\
    redirect = { to = \"https://new.example/app{path}?{query}\", status = 308 }\n\
    response_headers = { set = [\"X-Why: moved\"] }\n\
    [[route]]\npath = \"/secret-old\"\nredirect = { to = \"/tax\" }\n\
    [[route]]\npath = \"/there\"\naccess = \"public\"\nredirect = { to = \"http://{host}/new\" }\n\
    [[route]]\npath = \"/secure\"\naccess = \"public\"\nredirect = { to = \"https://{host}/new\" }\n\
    [[route]]\nhost = \"żółw.example\"\npath = \"/there\"\naccess = \"public\"\n\
    redirect = { to = \"http://{host}/new\" }\n\
    [[route]]\npath = \"/gone\"\naccess = \"public\"\nrespond = { status = 410, body = \"gone\" }\n\
    [[route]]\npath = \"/work\"\nupstream = \"portal\"\nmaintenance = true\n\
    [[route]]\nhost = \"żółw.example\"\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n";

async fn routed() -> World {
    world().with_routes(ROUTES).start().await
}

#[tokio::test]
async fn a_prefix_goes_and_another_comes_and_the_portal_is_told() {
    let world = routed().await;
    let mut browser = world.browser();
    browser.sign_in("/tax/form", "anna").await;
    for (path, target) in [
        ("/tax", "/app"),
        ("/tax/form?a=%2Ftax", "/app/form?a=%2Ftax"),
        ("/%74ax/a%20b;x=1/", "/app/a%20b;x=1/"),
        ("/taxi", "/taxi"),
    ] {
        browser.fetch(path).await;
        assert_eq!(world.last_seen().target, target, "{path}");
    }
    browser.fetch("/tax/form").await;
    assert_eq!(world.last_seen().header("x-forwarded-prefix"), Some("/tax"));
    assert!(world.last_seen().assertion().is_some());
    browser.fetch("/taxi").await;
    assert_eq!(world.last_seen().header("x-forwarded-prefix"), None);
}

#[tokio::test]
async fn headers_are_removed_set_and_added_both_ways() {
    let world = routed().await;
    let mut browser = world.browser();
    let headers = [("x-env", "mine"), ("x-own", "1"), ("x-secret", "1"), ("x-other", "1")];
    let answer = browser.fetch_with(Method::GET, "/open/public/cookies", &headers, "").await;
    let seen = world.last_seen();
    assert_eq!(seen.header("x-env"), Some("test"));
    assert_eq!(seen.headers.get_all("x-own").iter().count(), 2);
    assert_eq!((seen.header("x-secret"), seen.header("x-other")), (None, Some("1")));
    assert_eq!(seen.header("host"), Some("portal.internal:81"));
    assert_eq!(seen.header("x-forwarded-host"), Some(world.origin.trim_start_matches("http://")));
    assert_eq!(answer.header("x-frame-options"), Some("DENY"));
    assert_eq!(answer.header("server"), None);
    let kept = "\"cache\", \"storage\", \"executionContexts\"";
    assert_eq!(answer.header("clear-site-data"), Some(kept), "our cookies stay");
    browser.fetch("/slow/public").await;
    assert!(world.last_seen().header("host").unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn a_route_has_a_time_of_its_own() {
    let world = routed().await;
    let asked = tokio::time::Instant::now();
    let answer = world.browser().open("/slow/public/never").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(asked.elapsed() < Duration::from_secs(4), "the upstream's own time is 5 s");
}

#[tokio::test]
async fn redirects_and_fixed_answers_are_for_who_may_pass() {
    let world = routed().await;
    let mut browser = world.browser();
    let answer = browser.fetch("/old/a%20b?q=1").await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(answer.header("location"), Some("https://new.example/app/a%20b?q=1"));
    assert_eq!(answer.header("x-why"), Some("moved"));
    assert_eq!(browser.fetch("/old").await.header("location"), Some("https://new.example/app/"));
    let answer = browser.fetch("/gone/x").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::GONE, "gone"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));

    let answer = browser.fetch("/secret-old").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("location"), None, "nobody is signed in");
    browser.sign_in("/tax", "anna").await;
    let answer = browser.fetch("/secret-old").await;
    assert_eq!(answer.status, StatusCode::FOUND);
    assert_eq!(answer.header("location"), Some("/tax"));
    assert_eq!(answer.header("cache-control"), Some("private, no-store"));
}

#[tokio::test]
async fn a_closed_route_says_so_and_our_own_places_go_on() {
    let world = routed().await;
    let mut browser = world.browser();
    let page = browser.open("/work/x").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    page.is_our_page().is_refused_with("request.maintenance");
    assert!(page.text.contains("Maintenance is under way"));
    assert_eq!(page.header("retry-after"), Some("600"));
    let polish = [("accept", "text/html"), ("accept-language", "pl")];
    let page = browser.fetch_with(Method::GET, "/work", &polish, "").await;
    assert!(page.text.contains("Trwają prace techniczne"));
    let answer = browser.fetch("/work").await;
    assert_eq!(answer.json()["error"], "request.maintenance");
    assert!(world.seen().is_empty());
    assert_eq!(browser.open("/").await.text, "portal", "the rest is open");
}

#[tokio::test]
async fn a_closed_portal_is_open_to_who_works_on_it() {
    let open = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n";
    for (allow, status) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 503)] {
        let world = world()
            .with_routes(open)
            .with_portal(&format!(
                "maintenance = true\nmaintenance_retry_after = \"1h\"\n\
                 maintenance_allow = [\"{allow}\"]\n"
            ))
            .start()
            .await;
        let answer = world.browser().fetch("/").await;
        assert_eq!(answer.status, status, "{allow}");
        let jwks = world.browser().fetch("/.brama/jwks.json").await;
        assert_eq!(jwks.status, StatusCode::OK);
        if status == 503 {
            assert_eq!(answer.header("retry-after"), Some("3600"));
        }
    }
}

#[tokio::test]
async fn a_host_may_have_letters_of_its_language_in_the_configuration() {
    let world = routed().await;
    for (host, status) in
        [("xn--w-uga1v8h.example", 200), ("XN--W-UGA1V8H.example.", 200), ("xn--a.example", 400)]
    {
        let request = format!("GET /x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = world.send(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{host}: {answer}");
    }
    let request = "GET /x HTTP/1.1\r\nHost: żółw.example\r\nConnection: close\r\n\r\n";
    assert!(world.send(request.as_bytes()).await.starts_with("HTTP/1.1 400"));
    assert_eq!(world.last_seen().header("host"), Some("xn--w-uga1v8h.example"));
}

#[tokio::test]
async fn queries_are_visible_ascii() {
    let world = routed().await;
    for (query, status) in [("a=%C5%BC", 200), ("100%", 200), ("ż", 400), ("a\x01b", 400)] {
        let request =
            format!("GET /?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = world.send(request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{query}: {answer}");
    }
}

#[tokio::test]
async fn a_redirect_leads_to_no_port_that_a_client_wrote() {
    let world = routed().await;
    let own = format!("{}/new", world.origin);
    for (host, path, expected) in [
        // The port that citizens know, whatever the client says; only with its scheme.
        ("localhost", "/there", own.as_str()),
        ("localhost:4444", "/there", &own),
        ("LOCALHOST.:4444", "/there", &own),
        ("localhost:4444", "/secure", "https://localhost/new"),
        // Of a host of routes alone no port is known.
        ("xn--w-uga1v8h.example:4444", "/there", "http://xn--w-uga1v8h.example/new"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = world.send(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 302"), "{host}: {answer}");
        let location = format!("location: {expected}\r\n");
        assert!(answer.to_ascii_lowercase().contains(&location), "{host}: {answer}");
    }
}

#[tokio::test]
async fn a_listed_proxy_is_believed_when_it_says_one_thing() {
    let world = world()
        .with_settings(|settings| {
            settings.log.access = access::Settings::off();
            let edge = &mut settings.gateway.edge;
            edge.trusted = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
            edge.believed = Believed::ALL;
            edge.sends_forwarded = true;
            edge.hsts = Some(hsts(Duration::from_secs(60)));
        })
        .start()
        .await;
    let mut browser = world.browser();
    let headers = [
        ("x-forwarded-for", "6.6.6.6, 2001:db8::1, 127.0.0.9"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "LOCALHOST:443"),
        ("x-request-id", "front-1"),
        ("x-real-ip", "6.6.6.6"),
    ];
    let answer = browser.fetch_with(Method::GET, "/public", &headers, "").await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=60"));
    let seen = world.last_seen();
    for (name, value) in [
        ("x-forwarded-for", Some("2001:db8::1, 127.0.0.9, 127.0.0.1")),
        ("x-forwarded-proto", Some("https")),
        ("x-forwarded-host", Some("localhost")),
        ("host", Some("localhost")),
        (
            "forwarded",
            Some(
                "for=\"[2001:db8::1]\";host=\"localhost\";proto=https, for=127.0.0.9, for=127.0.0.1",
            ),
        ),
        ("x-request-id", Some("front-1")),
        ("x-real-ip", None),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }

    for (headers, code) in [
        (
            vec![("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=2.2.2.2")],
            "request.forwarded_conflict",
        ),
        (vec![("x-forwarded-proto", "http, https")], "request.forwarded_conflict"),
        (vec![("x-forwarded-proto", "gopher")], "request.forwarded_malformed"),
    ] {
        let answer = browser.fetch_with(Method::GET, "/public", &headers, "").await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.json()["error"], code);
    }
    let elsewhere = [("x-forwarded-host", "evil.example")];
    let answer = browser.fetch_with(Method::GET, "/public", &elsewhere, "").await;
    assert_eq!(answer.json()["error"], "request.no_route");
    assert_eq!(answer.header("strict-transport-security"), None, "not over TLS");
}

#[test]
fn a_route_that_could_be_misused_is_refused_before_anything_starts() {
    for (lines, expected) in [
        ("redirect = { to = \"//evil.example\" }", "redirect.to: begins neither"),
        ("redirect = { to = \"https://{host}.evil.example\" }", "redirect.to: has {host} where"),
        ("redirect = { to = \"/\", status = 200 }", "redirect.to: is none of 301"),
        ("respond = { status = 99 }", "respond.status: is no status"),
        ("respond = { status = 204, body = \"x\" }", "respond.body: has no place"),
        ("respond = { status = 200, content_type = \"ż\" }", "respond.content_type: is not"),
        ("upstream = \"a\"\nredirect = { to = \"/\" }", "upstream: does more than one of"),
        ("upstream = \"a\"\nstrip_prefix = \"/other\"", "strip_prefix: the path of the route"),
        ("upstream = \"a\"\nstrip_prefix = \"/x/../y\"", "strip_prefix: path has a dot"),
        ("upstream = \"a\"\nadd_prefix = \"/a?b\"", "add_prefix: has a query"),
        ("upstream = \"a\"\nadd_prefix = \"/a%20b\"", "add_prefix: it is not a plain path"),
        ("upstream = \"a\"\nhost_header = \"perserve\"", "host_header: is not a host"),
        ("upstream = \"a\"\nhost = \"a b\"", "host: is not a host"),
        ("upstream = \"a\"\nresponse_timeout = \"0s\"", "response_timeout: is zero"),
        ("upstream = \"a\"\nupgrade = [\"websocket\", \"h2c\"]", "upgrade[1]: is HTTP"),
        ("upstream = \"a\"\nupgrade = [\"a b\"]", "upgrade[0]: is not the name of a protocol"),
        (
            "upstream = \"a\"\nrequest_headers = { set = [\"X_Brama_Assertion: x\"] }",
            "request_headers.set[0]: is an identity header",
        ),
        (
            "upstream = \"a\"\nrequest_headers = { remove = [\"Host\"] }",
            "request_headers.remove[0]: is not for a rule",
        ),
        (
            "upstream = \"a\"\nresponse_headers = { add = [\"Vary: a\", \"Set-Cookie: a=b\"] }",
            "response_headers.add[1]: carries or drops cookies",
        ),
    ] {
        let text = format!(
            "[portal]\nprefix = \"brama\"\n[[upstream]]\nname = \"a\"\n\
             url = \"http://127.0.0.1:1\"\n[[route]]\npath = \"/tax\"\n{lines}\n"
        );
        let loaded = config::load_text("brama.toml", &text, std::iter::empty()).unwrap();
        let now = "2031-03-04T10:20:30Z".parse().unwrap();
        let (settings, problems) = config::resolve(loaded, now);
        let told = problems.to_string();
        assert!(settings.is_none());
        assert!(told.contains(&format!("route[0].{expected}")), "{lines}\n{told}");
        assert!(told.contains("portal.prefix: is not a path"), "{told}");
    }
}
