//! What a portal is told of a request, and what its client hears of the answer.

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::AsyncWriteExt as _;

use crate::app::testing::{HOST, OK, World, get, world};
use crate::base::clock::Clock as _;
use crate::identity::assurance::Assurance;
use crate::request::service::{Peer, Service as _, WantsUpgrade};
use crate::wire::framing::Framing;
use crate::wire::incoming::Incoming;
use crate::wire::pace::Slowest;
use crate::wire::reader::Reader;
use crate::wire::stream::ReadHalf;
use crate::wire::tunnel::TunnelHandover;
use crate::wire::websocket::Goodbye;

const SCRIPT: (&str, &str) = ("accept", "application/json");

impl World {
    /// The head of the request that went to the portal, line by line; the first as it is, the others
    /// with names in lower case.
    fn lines(&mut self) -> Vec<String> {
        let head = self.heads.try_recv().expect("it went to the portal");
        let line = |line: &str| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
            None => line.to_owned(),
        };
        head.trim_end().split("\r\n").map(line).collect()
    }
}

fn route(lines: &str) -> String {
    format!("[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n{lines}\n")
}

fn value<'l>(lines: &'l [String], name: &str) -> Option<&'l str> {
    let mut values = lines.iter().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let found = values.next();
    assert!(values.next().is_none(), "{name} is there twice: {lines:?}");
    found
}

#[tokio::test]
async fn a_portal_is_told_the_request_and_what_we_say_of_it() {
    let mut world = world(&route(""), OK).await;
    let said = [
        SCRIPT,
        ("x-own", "1"),
        ("connection", "x-hop"),
        ("x-hop", "2"),
        ("keep-alive", "timeout=5"),
        ("expect", "100-continue"),
        ("te", "gzip"),
        ("upgrade", "h2c"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-request-id", "theirs"),
    ];
    assert_eq!(world.get("/a%20b?c=d", &said).await.status, StatusCode::OK);
    let lines = world.lines();
    assert_eq!(lines[0], "GET /a%20b?c=d HTTP/1.1");
    assert_eq!(lines[1], format!("host: {HOST}"));
    for (name, expected) in [
        ("accept", Some("application/json")),
        ("x-own", Some("1")),
        ("x-forwarded-for", Some("192.0.2.1")),
        ("x-forwarded-proto", Some("https")),
        ("x-forwarded-host", Some(HOST)),
        ("x-hop", None),
        ("connection", None),
        ("keep-alive", None),
        ("expect", None),
        ("te", None),
        ("upgrade", None),
        ("content-length", None),
        ("transfer-encoding", None),
    ] {
        assert_eq!(value(&lines, name), expected, "{name}");
    }
    assert!(value(&lines, "x-request-id").is_some_and(|id| id != "theirs"));
    assert!(value(&lines, "via").is_some_and(|via| via.starts_with("1.1 ")));
}

#[tokio::test]
async fn the_length_of_a_body_is_said_in_one_way() {
    let mut world = world(&route(""), OK).await;
    let body = || Incoming::whole(Bytes::from_static(b"abc"));
    for (length, body, expected) in [
        (Some("3"), body(), (Some("3"), None)),
        (None, body(), (None, Some("chunked"))),
        (Some("0"), Incoming::empty(), (Some("0"), None)),
        (None, Incoming::empty(), (None, None)),
    ] {
        let mut request = get(HOST, "/", &[SCRIPT]);
        *request.method_mut() = Method::POST;
        if let Some(length) = length {
            request.headers_mut().insert("content-length", length.parse().unwrap());
        }
        assert_eq!(world.ask_with(request, body).await.status, StatusCode::OK);
        let lines = world.lines();
        assert_eq!(lines[0], "POST / HTTP/1.1");
        let said = (value(&lines, "content-length"), value(&lines, "transfer-encoding"));
        assert_eq!(said, expected, "{length:?}");
    }
}

#[tokio::test]
async fn what_a_route_changes_is_changed_in_what_we_say_too() {
    let changes = "[route.request_headers]\nset = [\"X-Own: 2\"]\nadd = [\"X-More: 3\"]\n\
                   remove = [\"X-Forwarded-For\"]\n";
    let mut world = world(&route(changes), OK).await;
    world.get("/", &[SCRIPT, ("x-own", "1")]).await;
    let lines = world.lines();
    assert_eq!((value(&lines, "x-own"), value(&lines, "x-more")), (Some("2"), Some("3")));
    assert_eq!(value(&lines, "x-forwarded-for"), None);
    assert_eq!(value(&lines, "x-forwarded-proto"), Some("https"));
    assert!(value(&lines, "via").is_some() && value(&lines, "x-request-id").is_some());
}

#[tokio::test]
async fn a_portal_sees_the_host_and_the_path_that_its_route_says() {
    for (lines, host, path) in [
        ("", HOST.to_owned(), "/app/x?y"),
        ("host_header = \"c.example\"", "c.example".to_owned(), "/app/x?y"),
        ("host_header = \"upstream\"", "127.0.0.1".to_owned(), "/app/x?y"),
        ("add_prefix = \"/more\"", HOST.to_owned(), "/more/app/x?y"),
    ] {
        let mut world = world(&route(lines), OK).await;
        world.get("/app/x?y", &[SCRIPT]).await;
        let told = world.lines();
        assert_eq!(told[0], format!("GET {path} HTTP/1.1"), "{lines}");
        let found = value(&told, "host").unwrap();
        assert_eq!(found.split(':').next(), Some(host.as_str()), "{lines}");
    }
    // Below a prefix that is taken off.
    let strip = "[[route]]\npath = \"/app\"\nupstream = \"portal\"\naccess = \"public\"\n\
                 strip_prefix = \"/app\"\n";
    let mut world = world(strip, OK).await;
    world.get("/app/x?y", &[SCRIPT]).await;
    let told = world.lines();
    assert_eq!(told[0], "GET /x?y HTTP/1.1");
    assert_eq!(value(&told, "x-forwarded-prefix"), Some("/app"));
}

#[tokio::test]
async fn credentials_of_a_client_go_on_unless_they_are_of_a_connection_or_our_place() {
    let bearer = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n\
                  identity = [\"bearer\"]\n";
    let basic = ("authorization", "Basic YTpi");
    let mut plain = world(&route(""), OK).await;
    plain.get("/", &[SCRIPT, basic]).await;
    assert_eq!(value(&plain.lines(), "authorization"), Some("Basic YTpi"));
    for scheme in ["NTLM TlRM", "Negotiate YTpi"] {
        let refused = plain.get("/", &[SCRIPT, ("authorization", scheme)]).await;
        assert!(refused.status.is_client_error() && plain.heads.try_recv().is_err(), "{scheme}");
    }
    let mut told = world(bearer, OK).await;
    told.get("/", &[SCRIPT, basic]).await;
    assert_eq!(value(&told.lines(), "authorization"), None, "it would be taken for ours");
    let (_, cookie) = told.sign_in(Assurance::High).await;
    told.get("/", &[SCRIPT, basic, ("cookie", cookie.as_str())]).await;
    let lines = told.lines();
    assert!(value(&lines, "authorization").is_some_and(|value| value.starts_with("Bearer ey")));
}

#[tokio::test]
async fn a_signed_request_has_one_signature_and_it_is_ours() {
    let signed = "identity = [\"signature\"]\n";
    let routes = format!("{}{signed}", route("")).replace("\"public\"", "\"optional\"");
    let mut world = world(&routes, OK).await;
    let theirs = [SCRIPT, ("signature", "a=:YQ==:"), ("signature-input", "a=()")];
    world.get("/x", &theirs).await;
    let lines = world.lines();
    assert!(value(&lines, "signature").is_some_and(|value| value.starts_with("brama=:")));
    let input = value(&lines, "signature-input").unwrap();
    assert!(input.starts_with("brama=(\"@method\" \"@authority\" \"@path\" \"@query\""), "{input}");
}

#[tokio::test]
async fn a_client_hears_the_answer_less_what_is_for_the_connection_and_in_our_name() {
    const ANSWER: &str = "HTTP/1.1 201 Created\r\nContent-Length: 3\r\nConnection: close, x-hop\r\n\
        X-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-Own: 2\r\nSet-Cookie: a=b\r\n\
        Set-Cookie: __Host-brama=forged; Path=/; Secure\r\n\r\nabc";
    let world = world(&route("[route.response_headers]\nset = [\"X-More: 3\"]"), ANSWER).await;
    let answer = world.get("/", &[SCRIPT]).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::CREATED, "abc"));
    let own = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!((own("x-own"), own("x-more")), (Some("2"), Some("3")));
    for hop in ["connection", "x-hop", "keep-alive"] {
        assert_eq!(own(hop), None, "{hop}");
    }
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=b"]);
}

#[tokio::test]
async fn an_answer_that_is_none_is_told_as_such() {
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 502),
        ("nonsense\r\n\r\n", 502),
        ("", 502),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204),
    ] {
        let world = world(&route(""), answer).await;
        assert_eq!(world.get("/", &[SCRIPT]).await.status.as_u16(), status, "{answer}");
    }
}

#[tokio::test]
async fn addresses_in_an_answer_are_those_that_clients_know() {
    const ANSWER: &str = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nConnection: close\r\n\
        Location: https://portal.test/x?y#z\r\nContent-Location: /c\r\n\
        Refresh: 5; url=/r\r\nSet-Cookie: a=b; Path=/s\r\nSet-Cookie: c=d; Path=/app\r\n\r\n";
    let below = |more: &str| {
        format!(
            "[[route]]\npath = \"/app\"\nupstream = \"portal\"\naccess = \"public\"\n\
             strip_prefix = \"/app\"\n{more}\n"
        )
    };
    for (routes, location, own, refresh, cookie) in [
        (below(""), "https://portal.test/app/x?y#z", "/app/c", "5; url=/app/r", "/app/s"),
        (below("rewrite_responses = false"), "https://portal.test/x?y#z", "/c", "5; url=/r", "/s"),
        (route(""), "https://portal.test/x?y#z", "/c", "5; url=/r", "/s"),
    ] {
        let world = world(&routes, ANSWER).await;
        let answer = world.get("/app", &[SCRIPT]).await;
        assert_eq!(answer.status, StatusCode::FOUND);
        let value = |name: &str| answer.headers[name].to_str().unwrap();
        assert_eq!((value("location"), value("content-location")), (location, own));
        assert_eq!(value("refresh"), refresh);
        let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, [&*format!("a=b; Path={cookie}"), "c=d; Path=/app"], "{routes}");
    }
}

#[tokio::test]
async fn an_address_of_the_portals_own_is_mapped_where_it_leads_on() {
    for (status, said, heard) in [
        ("302 Found", "http://portal.test/x", "https://portal.test/x"),
        ("201 Created", "http://portal.test/x", "https://portal.test/x"),
        ("302 Found", "http://other.test/x", "http://other.test/x"),
        ("302 Found", "//portal.test/x", "https://portal.test/x"),
        ("200 OK", "http://portal.test/x", "http://portal.test/x"),
    ] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\nLocation: {said}\r\n\r\n"
        );
        let world = world(&route(""), answer.leak()).await;
        let answer = world.get("/", &[SCRIPT]).await;
        assert_eq!(answer.headers["location"].to_str().unwrap(), heard, "{status} {said}");
    }
}

#[tokio::test]
async fn an_answer_is_as_long_as_it_says_and_one_that_breaks_off_is_seen_to() {
    for (rest, heard) in [
        ("Content-Length: 3\r\n\r\nabc", Some("abc")),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", Some("abcde")),
        ("\r\nabc", Some("abc")),
        ("Content-Length: 5\r\n\r\nabc", None),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", None),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{rest}");
        let world = world(&route(""), answer.leak()).await;
        let answer = world.get("/", &[SCRIPT]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.whole.then_some(answer.text.as_str()), heard, "{rest}");
    }
}

#[tokio::test]
async fn a_challenge_that_is_for_a_connection_goes_no_further() {
    for (challenges, status, heard) in [
        ("WWW-Authenticate: Basic realm=\"a\"\r\n", 401, &["Basic realm=\"a\""][..]),
        (
            "WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Basic realm=\"a\"\r\n",
            401,
            &["Basic realm=\"a\""],
        ),
        ("WWW-Authenticate: Negotiate\r\n", 502, &[]),
    ] {
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n{challenges}\r\n"
        );
        let world = world(&route(""), answer.leak()).await;
        let answer = world.get("/", &[SCRIPT]).await;
        assert_eq!(answer.status.as_u16(), status, "{challenges}");
        let told: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
        assert_eq!(told, heard, "{challenges}");
    }
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_long_goes_nowhere() {
    let mut world = world(&route("max_body = \"3 B\""), OK).await;
    for (text, status) in [("abc", StatusCode::OK), ("abcd", StatusCode::PAYLOAD_TOO_LARGE)] {
        let mut request = get(HOST, "/", &[SCRIPT, ("content-length", &text.len().to_string())]);
        *request.method_mut() = Method::POST;
        let body = Incoming::whole(Bytes::from_static(text.as_bytes()));
        assert_eq!(world.ask_with(request, body).await.status, status);
        assert_eq!(world.heads.try_recv().is_ok(), status == StatusCode::OK, "{text}");
    }
}

#[tokio::test]
async fn a_connection_that_changes_is_handed_over_and_ends_with_its_session() {
    let mut tunnels = Vec::new();
    for (protocol, is_websocket) in [("WebSocket", true), ("chat", false)] {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade, x-hop\r\nX-Hop: 1\r\n\
             Upgrade: {protocol}\r\nX-Own: 2\r\nSet-Cookie: __Host-brama=forged; Path=/\r\n\r\n"
        );
        let routes = route("upgrade = [\"websocket\", \"chat\"]").replace("public", "required");
        let world = world(&routes, answer.leak()).await;
        let (id, cookie) = world.sign_in(Assurance::High).await;
        let said = [SCRIPT, ("cookie", cookie.as_str()), ("connection", "upgrade")];
        let mut request = get(HOST, "/", &said);
        let wish = HeaderValue::from_static(protocol);
        request.extensions_mut().insert(WantsUpgrade::IfPossible(wish));
        let (parts, ()) = request.into_parts();
        let peer = Peer::new("192.0.2.1:1".parse().unwrap(), true);
        let answer = world.worker.call(Box::new(parts), Incoming::empty(), &peer).await;
        let mut answer = answer.into_response();
        assert_eq!(answer.status(), StatusCode::SWITCHING_PROTOCOLS);
        let field = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!((field("connection"), field("upgrade")), (Some("upgrade"), Some(protocol)));
        assert_eq!((field("x-own"), field("x-hop"), field("set-cookie")), (Some("2"), None, None));
        let handover: TunnelHandover = answer.extensions_mut().remove().unwrap();
        let tunnel = handover.take().unwrap();
        assert_eq!(tunnel.is_websocket, is_websocket);
        tunnels.push((world, id, tunnel));
    }
    tokio::time::pause();
    for (world, id, mut tunnel) in tunnels {
        let minute = std::time::Duration::from_secs(60);
        assert!(tokio::time::timeout(minute, &mut tunnel.ended).await.is_err(), "it lasts");
        let (sessions, now) = (&world.worker.shared.flows.sessions, world.clock.now());
        sessions.remove(&id, now).await.unwrap();
        assert_eq!(tunnel.ended.await, Goodbye::SessionEnded);
    }
}

#[tokio::test]
async fn what_a_citizen_gets_is_not_stored_unless_the_portal_says_otherwise() {
    for rules in ["", "[route.response_headers]\nset = [\"X-More: 3\"]"] {
        for (said, heard) in
            [("", "private, no-store"), ("Cache-Control: max-age=5\r\n", "max-age=5")]
        {
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n{said}\r\n");
            let world = world(&route(rules).replace("public", "optional"), answer.leak()).await;
            let (_, cookie) = world.sign_in(Assurance::High).await;
            let answer = world.get("/", &[SCRIPT, ("cookie", cookie.as_str())]).await;
            assert_eq!(answer.headers["cache-control"], heard, "{rules}");
            assert_eq!(answer.headers.contains_key("x-more"), !rules.is_empty());
            let stranger = world.get("/", &[SCRIPT]).await;
            let stored = stranger.headers.get("cache-control").is_some();
            assert_eq!(stored, !said.is_empty(), "{rules}");
        }
    }
}

#[tokio::test]
async fn a_challenge_is_one_in_an_answer_that_asks_for_it_only() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\
                  WWW-Authenticate: Negotiate\r\n\r\n";
    let world = world(&route("[route.response_headers]\nset = [\"X-More: 3\"]"), answer).await;
    let answer = world.get("/", &[SCRIPT]).await;
    assert_eq!(
        (answer.status, &answer.headers["www-authenticate"]),
        (StatusCode::OK, &HeaderValue::from_static("Negotiate"))
    );
}

#[tokio::test]
async fn nothing_behind_a_body_speaks_in_our_name() {
    for (lines, field, is_taken) in [
        ("identity = [\"signature\"]", "Signature", false),
        ("identity = [\"signature\"]", "X-Sum", true),
        ("", "Signature", true),
        ("", "X-Brama-Person", false),
    ] {
        let world = world(&route(lines).replace("public", "optional"), OK).await;
        let (mut client, source) = tokio::io::duplex(1024);
        let text = format!("1\r\na\r\n0\r\n{field}: a=:YQ==:\r\n\r\n");
        client.write_all(text.as_bytes()).await.unwrap();
        let reader = Reader::new(ReadHalf::Other(Box::new(source)));
        let slowest = Slowest { stall: std::time::Duration::from_secs(60), rate: 0 };
        let (body, _lease) = Incoming::wire(reader, Framing::Chunked, false, slowest);
        let body = body.with_trailer_rule(&world.worker.proxy.trailer_rule);
        assert_eq!(body.collect().await.is_ok(), is_taken, "{lines} {field}");
    }
}

#[tokio::test]
async fn an_answer_that_is_not_all_there_has_a_right_to_go_on_by() {
    for (rest, lasts) in
        [("Content-Length: 2\r\n\r\nab", false), ("Content-Length: 3\r\n\r\nab", true)]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{rest}");
        let world = world(&route(""), answer.leak()).await;
        let (parts, ()) = get(HOST, "/", &[SCRIPT]).into_parts();
        let peer = Peer::new("192.0.2.1:1".parse().unwrap(), true);
        let answer = world.worker.call(Box::new(parts), Incoming::empty(), &peer).await;
        assert_eq!(answer.lasting.is_some(), lasts, "{rest}");
    }
}
