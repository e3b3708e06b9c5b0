//! How a request is written in either protocol, whether it may be repeated, and when it ends early.

use std::task::Waker;

use bytes::Bytes;

use crate::app::testing::{HOST, World, get, world_before};
use crate::base::clock::Clock as _;
use crate::gate::Decision;
use crate::gate::action::Action;
use crate::gateway::decide::Found;
use crate::gateway::stack::Unanswered;
use crate::identity::assurance::Assurance;
use crate::proxy::testing::in_flight;
use crate::proxy::upload;
use crate::proxy::upstream::{Settings, Tls};
use crate::server::tls;
use crate::session::SessionId;
use crate::wire::head::{Bounds, Search};

use super::*;

/// A gateway that asks no portal.
async fn gateway(lines: &str) -> World {
    let route = "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"optional\"\n";
    world_before(1, ("", &format!("{route}{lines}"))).await
}

/// What there is besides a request.
struct Around {
    body: Incoming,
    peer: Peer,
    /// What the route says of the host.
    host: HostHeader,
    has_tls: bool,
}

impl Around {
    fn new(body: &'static str) -> Self {
        let body = Incoming::whole(Bytes::from_static(body.as_bytes()));
        let peer = Peer::new("192.0.2.1:1".parse().unwrap(), true);
        Self { body, peer, host: HostHeader::Preserve, has_tls: false }
    }
}

/// Prepares a request and looks at it.
async fn prepared<T>(
    world: &World,
    request: Request<()>,
    around: Around,
    look: impl AsyncFnOnce(&Prepared<'_>, Incoming) -> T,
) -> Result<T, Error> {
    let Around { body, peer, host, has_tls } = around;
    let (parts, ()) = request.into_parts();
    let mut unanswered = Unanswered::begin(&world.worker, Box::new(parts), &peer);
    let context = unanswered.context();
    let received = world.worker.receive(context, &peer).unwrap();
    let Found::Route(found) = world.worker.find(&received, context, !body.is_end_stream()) else {
        panic!("it is for the portal");
    };
    let Decision::Pass(pass) = world.worker.decide(context, found).await.unwrap() else {
        panic!("it may pass");
    };
    let Action::Forward(forward) = &pass.route().action else { panic!("it goes on") };
    let forward = Forward { host, ..forward.clone() };
    let settings = in_flight().await.1.settings().clone();
    let tls = has_tls.then(|| Tls {
        config: tls::client(rustls::RootCertStore::empty(), None).unwrap().into(),
        server_name: None,
        made_from: [0; 32],
    });
    let group = Group::new(Settings { tls, ..settings }, std::time::Instant::now());
    let proxy = &world.worker.proxy;
    let request = prepare(proxy, &pass, &forward, context, &group, (&body, &peer))?;
    Ok(look(&request, body).await)
}

fn request(method: &str, target: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = get(HOST, target, headers);
    *request.method_mut() = method.parse().unwrap();
    request
}

/// The fields that are said in HTTP/1.1 and not by us, in lower case, and whether the body is held
/// back.
async fn written(world: &World, request: Request<()>, body: &'static str) -> (Vec<String>, bool) {
    let outgoing = prepared(world, request, Around::new(body), async |request, body| {
        request.to_http1((&None, None), body)
    });
    let outgoing = outgoing.await.unwrap();
    let head = String::from_utf8(outgoing.head.to_vec()).unwrap().to_lowercase();
    let head = head.strip_suffix("\r\n\r\n").expect("it ends");
    let is_ours =
        |line: &str| ["x-forwarded-", "x-request-id", "via"].iter().any(|n| line.starts_with(n));
    let lines = head.split("\r\n").filter(|line| !is_ours(line)).map(str::to_owned).collect();
    (lines, outgoing.holds_back)
}

#[tokio::test]
async fn what_is_for_one_connection_is_said_anew_for_the_next_one_where_that_is_wanted() {
    let world = gateway("upgrade = [\"websocket\"]\n").await;
    let base = |line: &str| vec![line.to_owned(), format!("host: {HOST}")];
    let with = |more: &[&str]| {
        let mut lines = base("post / http/1.1");
        lines.extend(more.iter().map(|line| (*line).to_owned()));
        lines
    };
    // A client that holds its body back, if it has one.
    for (body, expected) in [
        ("abc", (with(&["content-length: 3", "expect: 100-continue"]), true)),
        ("", (with(&["content-length: 0"]), false)),
    ] {
        let length = body.len().to_string();
        let mut request = request("POST", "/", &[("content-length", length.as_str())]);
        request.extensions_mut().insert(ExpectContinue);
        assert_eq!(written(&world, request, body).await, expected);
    }
    for (method, length, body, more) in [
        ("POST", Some("3"), "abc", &["content-length: 3"][..]),
        ("POST", None, "abc", &["transfer-encoding: chunked"]),
        ("POST", Some("0"), "", &["content-length: 0"]),
        ("POST", None, "", &[]),
    ] {
        let length = length.map(|length| ("content-length", length));
        let request = request(method, "/", length.as_slice());
        assert_eq!(written(&world, request, body).await, (with(more), false));
    }
    for (wish, expected) in
        [("websocket", vec!["connection: upgrade", "upgrade: websocket"]), ("chat", Vec::new())]
    {
        let mut request = request("GET", "/x?y", &[("connection", "upgrade"), ("upgrade", wish)]);
        request.extensions_mut().insert(WantsUpgrade::IfPossible(HeaderValue::from_static(wish)));
        let (lines, _) = written(&world, request, "").await;
        assert_eq!(lines[..2], base("get /x?y http/1.1"));
        assert_eq!(lines[2..], expected, "{wish}");
    }
}

#[tokio::test]
async fn in_http_2_it_is_the_same_request() {
    let world = gateway(
        "upgrade = [\"websocket\"]\n[[route]]\npath = \"/in\"\n\
        upstream = \"portal\"\naccess = \"optional\"\nstrip_prefix = \"/in\"\n",
    )
    .await;
    for (method, target, headers, body, expected) in [
        ("GET", "/x?y", &[][..], "", ("http://portal.test/x?y", None, None)),
        ("GET", "/in/x?y", &[], "", ("http://portal.test/x?y", None, None)),
        ("POST", "/", &[("content-length", "3")], "abc", ("http://portal.test/", Some("3"), None)),
        ("POST", "/", &[], "abc", ("http://portal.test/", None, None)),
        ("POST", "/", &[], "", ("http://portal.test/", None, None)),
        ("POST", "/", &[("te", "trailers")], "", ("http://portal.test/", None, Some("trailers"))),
        ("POST", "/", &[("te", "gzip")], "", ("http://portal.test/", None, None)),
    ] {
        for has_tls in [false, true] {
            let around = Around { has_tls, ..Around::new(body) };
            let request = request(method, target, headers);
            let made = prepared(&world, request, around, async |request, body| {
                request.to_http2((&None, None), upload::share(body).0)
            });
            let made = made.await.unwrap();
            let field = |name: &str| made.headers().get(name).map(|value| value.to_str().unwrap());
            let uri = made.uri().to_string().replace("https://", "http://");
            assert_eq!(
                (&*uri, field("content-length"), field("te")),
                expected,
                "{method} {target}"
            );
            assert_eq!(made.uri().scheme_str(), Some(if has_tls { "https" } else { "http" }));
            assert_eq!((made.method().as_str(), made.version()), (method, Version::HTTP_2));
            assert_eq!((field("host"), field("transfer-encoding")), (None, None));
            assert!(field("via").is_some() && field("x-request-id").is_some());
        }
    }
}

#[tokio::test]
async fn a_signature_covers_the_host_without_the_usual_port() {
    let world = gateway("").await;
    for (host, has_tls, expected) in [
        ("c.example:80", false, "c.example"),
        ("c.example:443", false, "c.example:443"),
        ("c.example:443", true, "c.example"),
        ("c.example:80", true, "c.example:80"),
        ("c.example", true, "c.example"),
    ] {
        let host = HostHeader::Fixed(HeaderValue::from_static(host));
        let around = Around { host, has_tls, ..Around::new("") };
        let authority = prepared(&world, request("GET", "/", &[]), around, async |request, _| {
            request.authority().to_owned()
        });
        assert_eq!(authority.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn what_only_reads_and_is_all_here_may_be_repeated() {
    let world = gateway("upgrade = [\"websocket\"]\n").await;
    for (method, body, upgrades, expected) in [
        ("GET", "", false, true),
        ("HEAD", "", false, true),
        ("OPTIONS", "", false, true),
        ("GET", "abc", false, false),
        ("GET", "", true, false),
        ("POST", "", false, false),
        ("DELETE", "", false, false),
    ] {
        let mut request = request(method, "/", &[]);
        if upgrades {
            let wish = HeaderValue::from_static("websocket");
            request.extensions_mut().insert(WantsUpgrade::IfPossible(wish));
        }
        let around = Around::new(body);
        let found = prepared(&world, request, around, async |request, _| request.is_repeatable());
        assert_eq!(found.await.unwrap(), expected, "{method} {body} {upgrades}");
    }
}

async fn end(world: &World, id: &SessionId) {
    let now = world.clock.now();
    world.worker.shared.flows.sessions.remove(id, now).await.unwrap();
}

#[tokio::test]
async fn a_request_ends_with_its_session_unless_all_that_is_left_is_its_outcome() {
    let world = gateway("").await;
    let (json, grpc) = ("application/json", "application/grpc+proto");
    for (method, kind, is_under_way, ends) in [
        ("GET", None, false, true),
        ("POST", None, true, true),
        ("POST", None, false, false),
        ("POST", Some(json), false, false),
        ("POST", Some(grpc), false, true),
    ] {
        let (id, cookie) = world.sign_in(Assurance::High).await;
        let mut headers = vec![("cookie", cookie.as_str())];
        headers.extend(kind.map(|kind| ("content-type", kind)));
        let asked = request(method, "/", &headers);
        let found = prepared(&world, asked, Around::new(""), async |request, _| {
            let cx = Context::from_waker(Waker::noop());
            assert!(request.look(is_under_way, &cx).is_pending() && request.cut().is_none());
            end(&world, &id).await;
            let cut = request.look(is_under_way, &cx);
            assert_eq!(request.cut().is_some(), cut.is_ready());
            cut
        });
        let found = found.await.unwrap();
        let expected = if ends { Poll::Ready(Cut::SessionEnded) } else { Poll::Pending };
        assert_eq!(found, expected, "{method} {kind:?} {is_under_way}");
    }
}

#[tokio::test]
async fn an_interim_answer_goes_to_who_can_read_it_less_what_is_in_our_name() {
    let world = gateway("[route.response_headers]\nset = [\"X-More: 3\"]\n").await;
    let head = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX-More: 1\r\nConnection: x-hop\r\n\
                X-Hop: 1\r\nSet-Cookie: __Host-brama=forged; Path=/; Secure\r\n\r\n";
    let head = Search::default().take_answer(&mut head.into(), &Bounds::default());
    let head = head.unwrap().unwrap();
    let peer = || Around::new("").peer;
    for (version, peer, is_told) in [
        (Version::HTTP_11, peer().with_interim(), true),
        (Version::HTTP_10, peer().with_interim(), false),
        (Version::HTTP_11, peer(), false),
    ] {
        let mut request = request("GET", "/", &[]);
        *request.version_mut() = version;
        let interim = peer.interim.clone();
        let around = Around { peer, ..Around::new("") };
        prepared(&world, request, around, async |request, _| request.interim(&head)).await.unwrap();
        let told = interim.and_then(|interim| interim.take());
        let told = told.map(|told| String::from_utf8(told.to_vec()).unwrap().to_lowercase());
        assert_eq!(told.is_some(), is_told, "{version:?}");
        let Some(told) = told else { continue };
        assert!(told.starts_with("http/1.1 103 ") && told.contains("\r\nlink: </a>\r\n"), "{told}");
        assert!(
            told.contains("\r\nx-more: 3\r\n") && told.matches("x-more").count() == 1,
            "{told}"
        );
        assert!(!told.contains("hop") && !told.contains("cookie"), "{told}");
    }
}

#[tokio::test]
async fn a_signature_of_a_client_goes_where_none_of_ours_does() {
    let world = gateway("").await;
    let headers = [("signature", "a=:YQ==:"), ("signature-input", "a=()")];
    let (lines, _) = written(&world, request("GET", "/", &headers), "").await;
    assert_eq!(lines[2..], ["signature: a=:yq==:", "signature-input: a=()"]);
}
