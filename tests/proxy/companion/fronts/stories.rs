//! What must hold behind every proxy.

use super::{Site, claims, values};
use crate::harness::Wire;
use crate::harness::curl::{Fetched, curl_at};
use crate::harness::http_2::{self, DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM};

/// Browsers go to pages like this.
pub(super) const NAVIGATION: &str = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
                          Sec-Fetch-Site: none\r\nAccept: text/html\r\n";
/// Scripts fetch like this.
pub(super) const FETCH: &str = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
                     Sec-Fetch-Site: same-origin\r\n";

/// A citizen signs in, is known at the portal, and signs out.
pub(super) fn a_citizen_comes_and_goes(site: &Site) {
    let anonymous = site.send("GET", "/tax", NAVIGATION);
    assert!([200, 302].contains(&anonymous.status), "{}", anonymous.status);
    let is_login = anonymous.header("location").is_some_and(|at| at.contains("/.brama/login"))
        || anonymous.text().contains("SAMLRequest");
    assert!(is_login, "{}", anonymous.text());
    let fetched = site.send("GET", "/tax", FETCH);
    assert_eq!((fetched.status, &fetched.json()["error"]), (401, &"login_required".into()));
    assert_eq!(site.heard(), 0, "the portal hears of nothing");

    let (mut citizen, cookie) = site.sign_in("anna");
    let before = site.heard();
    let page = site.send("GET", "/tax?year=2026", &cookie);
    assert_eq!((page.status, &*page.text()), (200, "plain"));
    let heard = site.heard_since(before).pop().unwrap();
    assert_eq!(claims(&heard)["given_name"], "Anna");
    assert_eq!(values(&heard, "cookie").join(""), "", "our cookie stays here");
    assert_eq!(site.portal.heard().last().unwrap().path, "/tax?year=2026");
    let theirs = format!("{}; JSESSIONID=1; theme=dark\r\n", cookie.trim());
    site.send("GET", "/tax", &theirs);
    let heard = site.heard_since(before).pop().unwrap();
    assert_eq!(values(&heard, "cookie"), ["JSESSIONID=1; theme=dark"]);
    assert_eq!(values(&heard, "x-brama-given-name"), ["Anna"]);

    // A place that the gateway hands on itself, and one in it of which it is asked.
    for (path, is_named) in [("/app/x", false), ("/app/asked", true), ("/app/asked/x", true)] {
        assert_eq!(site.send("GET", path, FETCH).status, 401, "{path}");
        let before = site.heard();
        let page = site.send("GET", path, &cookie);
        assert_eq!((page.status, &*page.text()), (200, "plain"), "{path}");
        let heard = site.heard_since(before).pop().unwrap();
        assert_eq!(claims(&heard).get("given_name").is_some(), is_named, "{path}");
    }

    // Another level is asked for, and another method is not there.
    let step_up = site.send("GET", "/high", &format!("{cookie}{NAVIGATION}"));
    let is_step_up = step_up.header("location").is_some_and(|at| at.contains("assurance=high"))
        || step_up.text().contains("SAMLRequest");
    assert!(is_step_up, "{} {}", step_up.status, step_up.text());
    assert_eq!(site.send("GET", "/read", FETCH).status, 200);
    let refused = site.send("DELETE", "/read", FETCH).status;
    assert!([403, 405].contains(&refused), "{refused}");
    let closed = site.send("GET", "/closed", FETCH).status;
    assert!([403, 503].contains(&closed), "{closed}");

    let out = citizen.url("/.brama/logout");
    let said = citizen.posts(&out);
    assert!(said.status < 400, "{}", said.status);
    let heard = site.heard();
    assert_eq!(site.send("GET", "/tax", &format!("{cookie}{FETCH}")).status, 401);
    assert_eq!(site.heard(), heard);
}

/// What a client says of itself reaches the portal under no name, on no path.
pub(super) fn nobody_tells_the_portal_who_they_are(site: &Site) {
    let (_, cookie) = site.sign_in("anna");
    for path in ["/public", "/tax"] {
        for line in [
            "X-Brama-Assertion: forged",
            "x-brama-assertion: forged",
            "X-BRAMA-ASSERTION: forged",
            "X_Brama_Assertion: forged",
            "X.Brama.Assertion: forged",
            "X-Brama_Assertion: forged",
            "X~Brama~Assertion: forged",
            "X-Brama!Assertion: forged",
            "X+Brama*Assertion: forged",
            "X-Brama-Assertion: forged\r\nX-Brama-Assertion: forged",
            "X-Brama-Encrypted-Assertion: forged",
            "X-Brama-Given-Name: forged",
            "X_Brama_Given_Name: forged",
            "X-Brama-Family-Name: forged",
            "Remote-User: forged",
            "Remote_User: forged",
            "Remote~User: forged",
            "X-Remote-User: forged",
            "X-Forwarded-User: forged",
            "X-Auth-Request-User: forged",
            "Connection: close, X-Brama-Assertion",
            "Connection: X-Brama-Assertion, Cookie",
            "X-Forwarded-Uri: /public",
            "X-Original-URI: /public",
            "X-Original-URL: http://localhost/public",
            "X-Rewrite-URL: /public",
            "X-Forwarded-Host: forged",
            "X-Forwarded-For: 10.0.0.1",
            "X-Forwarded-Port: forged",
            "X-Forwarded-Prefix: /forged",
            "X-Forwarded-Server: forged",
            "X-Real-IP: forged",
            "X-Sendfile-Type: forged",
            "X-Accel-Mapping: /=/forged",
            "X_Forwarded_Host: forged",
            "X.Forwarded.Host: forged",
            "Forwarded: for=10.0.0.1;host=forged",
        ] {
            let before = site.heard();
            let answer = site.send("GET", path, &format!("{cookie}{line}\r\n"));
            let heard = site.heard_since(before);
            // Refused is well, too.
            assert_eq!(heard.is_empty(), answer.status != 200, "{path} {line}");
            for fields in &heard {
                let told = fields.iter().filter(|(_, value)| value.contains("forged"));
                assert_eq!(told.count(), 0, "{path} {line}: {fields:?}");
                let is_anna = site.told(fields).is_some_and(|told| told["given_name"] == "Anna");
                assert_eq!(is_anna, path == "/tax", "{path} {line}");
            }
        }
    }
    // Without a session, too.
    let before = site.heard();
    for line in ["X-Brama-Assertion: forged", "X_Brama_Assertion: forged"] {
        site.send("GET", "/tax", &format!("{FETCH}{line}\r\n"));
        site.send("GET", "/public", &format!("{line}\r\n"));
    }
    for fields in site.heard_since(before) {
        let is_nobody = site.told(&fields).is_none_or(|told| told["anonymous"] == true);
        assert!(is_nobody, "{fields:?}");
        assert!(!format!("{fields:?}").contains("forged"), "{fields:?}");
    }
}

/// A place that asks who comes is not reached by another spelling of it, or by a way through a place
/// that does not ask.
pub(super) fn no_spelling_leads_past_the_question(site: &Site) {
    for target in [
        "/public/../tax",
        "/public/%2e%2e/tax",
        "/public/..%2ftax",
        "/public/..;/tax",
        "/public/..%5ctax",
        "/public/..\\tax",
        "/public/%252e%252e/tax",
        "/public/..%252ftax",
        "//tax",
        "/public//../tax",
        "/./tax",
        "/%74ax",
        "/public%2f..%2ftax",
        "/public/x#/../../tax",
        "/public%00/../tax",
        "/publicx",
        "/Public",
        "/tax;/public",
        "/tax?/public",
        "/tax%3f/public",
        "http://localhost/tax",
        "http://evil.example/public",
        "*",
    ] {
        let before = site.heard();
        let mut wire = Wire::connect(site.front);
        let host = format!("localhost:{}", site.front.port());
        wire.send(
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
                .as_bytes(),
        );
        let status = wire.try_answer("GET").map(|answer| answer.status);
        for heard in &site.portal.heard()[before..] {
            // What reaches the portal is in the public place, as every server would read it.
            let path = heard.path.split(['?', '#']).next().unwrap();
            let is_public = path == "/public" || path.starts_with("/public/");
            let is_plain = !path.contains("..") && !path.contains(['%', ';', '\\']);
            assert!(is_public && is_plain, "{target}: {status:?} {}", heard.path);
        }
    }
    // A host that is none of ours, in whatever spelling, reaches nothing.
    for host in ["evil.example", "localhost.evil.example", "evil@localhost", "localhost, evil"] {
        let before = site.heard();
        let mut wire = Wire::connect(site.front);
        wire.send(
            format!("GET /public HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        let _ = wire.try_answer("GET");
        for heard in &site.portal.heard()[before..] {
            assert!(!heard.head.contains("evil"), "{host}: {}", heard.head);
        }
    }
}

/// However the host is written, a place that asks who comes does.
pub(super) fn no_spelling_of_the_host_does(site: &Site) {
    let (_, cookie) = site.sign_in("anna");
    let port = site.front.port();
    let mut passed = 0;
    for host in [
        format!("localhost:{port}"),
        format!("LOCALHOST:{port}"),
        format!("LocalHost.:{port}"),
        format!("localhost.:{port}"),
        "localhost".to_owned(),
        "localhost:1".to_owned(),
        format!("localhost:{port}:{port}"),
        format!("localhost@evil.example:{port}"),
        String::new(),
    ] {
        for (target, cookie) in [("/tax", ""), ("/tax", &*cookie), ("/public", "")] {
            let before = site.heard();
            let mut wire = Wire::connect(site.front);
            let end = "Connection: close\r\n\r\n";
            wire.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{cookie}{end}").as_bytes());
            let _ = wire.try_answer("GET");
            for fields in site.heard_since(before) {
                let is_anna = claims(&fields).get("given_name").is_some();
                assert_eq!((is_anna, target == "/tax"), (!cookie.is_empty(), is_anna), "{host}");
                passed += 1;
            }
        }
    }
    assert!(passed >= 2, "the right one passes");
}

/// A page of another site opens no connection in a citizen's name.
pub(super) fn a_handshake_comes_from_a_page_of_the_portal(site: &Site) {
    let (_, cookie) = site.sign_in("anna");
    let shake = format!(
        "{cookie}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    );
    let before = site.heard();
    let own = format!("{shake}Origin: {}\r\n", site.origin());
    let mut wire = Wire::connect(site.front);
    let host = format!("localhost:{}", site.front.port());
    wire.send(format!("GET /ws HTTP/1.1\r\nHost: {host}\r\n{own}\r\n").as_bytes());
    assert_eq!(wire.answer("GET").status, 101, "the portal's own page may");
    assert_eq!(wire.exactly(7), b"\x81\x05hello");
    assert_eq!(claims(&site.heard_since(before)[0])["given_name"], "Anna");
    let foreign = site.send("GET", "/tax", &format!("{shake}Origin: https://evil.example\r\n"));
    assert_eq!((foreign.status, site.heard()), (403, before + 1));
    // Another protocol, which would lead past the questions.
    let h2c = "HTTP2-Settings: AAMAAABk\r\nUpgrade: h2c\r\n";
    for upgrade in
        [h2c, "Upgrade: connect-ip\r\n", "Upgrade: TLS/1.2\r\n", "Upgrade: websocket, h2c\r\n"]
    {
        let connection = "Connection: Upgrade, HTTP2-Settings\r\n";
        opens_nothing_else(site, "/public", &format!("{connection}{upgrade}"));
    }
    let two = own.replace("Upgrade: websocket", "Upgrade: connect-ip\r\nUpgrade: websocket");
    opens_nothing_else(site, "/tax", &two);
}

/// The portal hears of no wish for another protocol than WebSocket.
fn opens_nothing_else(site: &Site, path: &str, fields: &str) {
    let before = site.heard();
    site.send("GET", path, fields);
    for heard in site.heard_since(before) {
        let is_other = |name: &&str| !name.eq_ignore_ascii_case("websocket");
        assert_eq!(
            values(&heard, "upgrade").into_iter().find(is_other),
            None,
            "{fields}: {heard:?}"
        );
    }
}

/// Has curl open a page over HTTP/2 without TLS.
fn over_http_2(site: &Site, path: &str, fields: &[&str]) -> Fetched {
    let url = format!("{}{path}", site.origin());
    let fields = fields.iter().flat_map(|field| ["--header", *field]);
    let words =
        ["--http2-prior-knowledge", "--path-as-is"].into_iter().chain(fields).chain([&*url]);
    let fetched = curl_at(&site.gateway, &words.collect::<Vec<_>>());
    assert_eq!(fetched.version, "2", "{}", fetched.said);
    fetched
}

/// Over HTTP/2 nothing is otherwise.
pub(super) fn over_http_2_all_is_the_same(site: &Site) {
    let before = site.heard();
    let script = ["Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin"];
    let fetched = over_http_2(site, "/tax", &script);
    assert_eq!((fetched.status, &fetched.json()["error"]), (401, &"login_required".into()));
    assert_eq!(site.heard(), before, "the portal hears of nothing");
    let (_, cookie) = site.sign_in("anna");
    let cookie = cookie.trim_end();
    for line in [
        "Accept: text/html",
        "X-Brama-Assertion: forged",
        "X_Brama_Assertion: forged",
        "X.Brama.Assertion: forged",
        "X-Brama-Given-Name: forged",
        "Remote-User: forged",
    ] {
        let before = site.heard();
        let page = over_http_2(site, "/tax?year=2026", &[cookie, line]);
        let heard = site.heard_since(before);
        assert_eq!(heard.is_empty(), page.status != 200, "{line}: {}", page.status);
        for fields in &heard {
            assert_eq!(claims(fields)["given_name"], "Anna", "{line}");
            assert!(!format!("{fields:?}").contains("forged"), "{line}: {fields:?}");
            assert_eq!(site.portal.heard().last().unwrap().path, "/tax?year=2026");
        }
        assert!(!line.starts_with("Accept") || heard.len() == 1, "the first reaches it");
    }
    let before = site.heard();
    for path in ["/public/../tax", "/public/%2e%2e/tax", "/public/..%2ftax", "//tax", "/%74ax"] {
        let status = over_http_2(site, path, &[]).status;
        assert_eq!(site.heard(), before, "{path}: {status}");
    }
}

/// What comes behind a body tells the portal nothing (RFC 9110 6.5.1).
pub(super) fn no_trailer_tells_who_it_is(site: &Site) {
    let before = site.portal.heard().len();
    let host = format!("localhost:{}", site.front.port());
    // Over HTTP/1.1, with the end of the body in the same piece, and later.
    let head = format!(
        "POST /public HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\
         Trailer: X-Brama-Assertion\r\nConnection: close\r\n\r\n"
    );
    let end = "0\r\nX-Brama-Assertion: forged\r\n\r\n";
    let mut at_once = Wire::connect(site.front);
    at_once.send(format!("{head}{end}").as_bytes());
    let _ = at_once.try_answer("POST");
    let mut later = Wire::connect(site.front);
    later.send(head.as_bytes());
    later.send(end.as_bytes());
    let _ = later.try_answer("POST");
    // Over HTTP/2, with a body and without.
    for body in ["", "abc"] {
        let mut wire = http_2::begin(Wire::connect(site.front));
        let pseudo = [(":method", "POST"), (":scheme", "http"), (":path", "/public")];
        let fields = pseudo.into_iter().chain([(":authority", &*host)]);
        let fields = http_2::block(fields);
        let mut frames = http_2::frame(HEADERS, END_HEADERS, 1, &fields);
        if !body.is_empty() {
            frames.extend(http_2::frame(DATA, 0, 1, body.as_bytes()));
        }
        let trailers = http_2::block([("x-brama-assertion", "forged")]);
        frames.extend(http_2::frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers));
        wire.send(&frames);
        // Until it is answered, or cut off.
        let is_end =
            |frame: http_2::Frame| frame.stream == 1 && [HEADERS, RST_STREAM].contains(&frame.kind);
        while http_2::read(&mut wire).is_ok_and(|frame| !is_end(frame)) {}
    }
    for heard in &site.portal.heard()[before..] {
        assert!(!heard.head.contains("forged"), "{}", heard.head);
    }
}

/// When the gateway is gone, everything is closed, the public places too.
pub(super) fn without_an_answer_nobody_passes(mut site: Site) {
    let (_, cookie) = site.sign_in("anna");
    site.gateway.program.signal("KILL");
    site.gateway.program.wait();
    let before = site.heard();
    for (path, fields) in [("/public", ""), ("/tax", ""), ("/tax", &*cookie)] {
        let status = site.send("GET", path, fields).status;
        assert!(status >= 400, "{path}: {status}");
    }
    assert_eq!(site.heard(), before);
}
