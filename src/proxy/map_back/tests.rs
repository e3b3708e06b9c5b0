//! Which addresses become others, and which answers are looked at.

use bytes::BytesMut;

use super::*;
use crate::base::clock::Time;
use crate::gate::policy::Access;
use crate::identity::release::Release;
use crate::request::access_record::AccessRecord;
use crate::request::headers::HeaderScan;
use crate::request::headers::forwarded::Client;
use crate::request::host::Host;
use crate::request::service::Peer;
use crate::wire::head::{Bounds, Search};

/// A portal at `10.0.0.1:8080`, `inner.example:8081`, `[fd00::1]:8082` and `[fd00::]:8083`.
fn settings() -> Settings {
    let servers = [
        ServerAddress::Socket(([10, 0, 0, 1], 8080).into()),
        ServerAddress::Name { host: "inner.example".to_owned(), port: 8081 },
        ServerAddress::Socket(([0xfd00, 0, 0, 0, 0, 0, 0, 1], 8082).into()),
        ServerAddress::Socket(([0xfd00, 0, 0, 0, 0, 0, 0, 0], 8083).into()),
    ];
    Settings::new("portal", servers.map(Into::into).into())
}

/// What a value becomes for a portal that was told that host, behind a route for `/tax`.
fn mapped(public: &str, told: &str, map: impl FnOnce(&Map<'_>) -> Option<String>) -> String {
    mapped_by(&settings(), public, told, map)
}

fn mapped_by(
    settings: &Settings,
    public: &str,
    told: &str,
    map: impl FnOnce(&Map<'_>) -> Option<String>,
) -> String {
    let rewrite = Rewrite::new("/tax", "/tax", "").unwrap();
    let (host, public) = ("portal.example", Cow::Borrowed(public));
    map(&Map { rewrite: &rewrite, settings, told, host, public }).unwrap_or_else(|| "-".to_owned())
}

#[test]
fn own_addresses_become_the_public_one_and_all_others_stay() {
    let (usual, other) = ("https://portal.example", "https://portal.example:8443");
    for (public, reference, expected) in [
        (usual, "http://10.0.0.1:8080/x?a#b", "https://portal.example/tax/x?a#b"),
        (usual, "http://inner.example:8081", "https://portal.example/tax/"),
        (usual, "http://portal.example:8080/x", "https://portal.example/tax/x"),
        (usual, "http://Portal.Example/x", "https://portal.example/tax/x"),
        (usual, "HTTPS://portal.example:443/tax/x", "https://portal.example/tax/x"),
        (usual, "//10.0.0.1:8080/x", "https://portal.example/tax/x"),
        (usual, "http://told.example/x", "https://portal.example/tax/x"),
        (other, "https://portal.example:8443/x", "https://portal.example:8443/tax/x"),
        (other, "http://portal.example:8081/x", "https://portal.example:8443/tax/x"),
        (other, "http://told.example/x", "https://portal.example:8443/tax/x"),
        (other, "https://told.example:443/x", "https://portal.example:8443/tax/x"),
        (usual, "http://[fd00::1]:8082/x", "https://portal.example/tax/x"),
        (usual, "http://[fd00::]:8083/x", "https://portal.example/tax/x"),
        // The usual port is another place there.
        (other, "https://portal.example/x", "-"),
        (other, "https://portal.example:443/x", "-"),
        (usual, "http://portal.example:443/x", "-"),
        (usual, "https://inner.example/x", "-"),
        (usual, "http://[fd00::1]/x", "-"),
        (usual, "http://[fd00::2]:8082/x", "-"),
        (usual, "http://10.0.0.1/x", "-"),
        (usual, "http://10.0.0.1:9000/x", "-"),
        (usual, "http://portal.example:9000/x", "-"),
        (usual, "http://elsewhere.example:8080/x", "-"),
        (usual, "http://a@portal.example/x", "-"),
        (usual, "http://a:b@portal.example/x", "-"),
        (usual, "http://portal.example:80@evil.example/x", "-"),
        (usual, "http://portal.example@evil.example:80/x", "-"),
        (usual, "http://portal.example:x/", "-"),
        (usual, "http:///x", "-"),
        (usual, "ws://portal.example/x", "-"),
        (usual, "mailto:a@portal.example", "-"),
        (usual, "x/y", "-"),
        (usual, "?q", "-"),
        (usual, "", "-"),
        (usual, "/x", "/tax/x"),
        (usual, "/", "/tax/"),
        (usual, "/tax?q=/x", "-"),
        (usual, "/x\\y", "-"),
        // Whole, it stays a path of the host.
        (usual, "http://10.0.0.1:8080//evil.example", "https://portal.example//evil.example"),
    ] {
        let found = mapped(public, "told.example", |map| map.reference(reference));
        assert_eq!(found, expected, "{public} {reference}");
    }
    // A portal that is told nothing has no name by that.
    assert_eq!(mapped(usual, "", |map| map.reference("http:///x")), "-");
}

#[test]
fn a_server_at_a_usual_port_need_not_say_it() {
    let servers = [
        ServerAddress::Name { host: "tls.example".to_owned(), port: 443 },
        ServerAddress::Unix("/run/portal.sock".into()),
    ];
    let settings = Settings::new("portal", servers.map(Into::into).into());
    for (reference, expected) in [
        ("https://tls.example/x", "https://portal.example/tax/x"),
        ("https://tls.example:443?a", "https://portal.example/tax/?a"),
        ("//tls.example", "https://portal.example/tax/"),
        ("http://localhost/x", "https://portal.example/tax/x"),
        ("http://portal.example:443/x", "https://portal.example/tax/x"),
        ("http://tls.example/x", "-"),
        ("https://tls.example:9/x", "-"),
        ("http://localhost:9/x", "-"),
        ("http://portal.example:9/x", "-"),
    ] {
        let map = |map: &Map<'_>| map.reference(reference);
        assert_eq!(
            mapped_by(&settings, "https://portal.example", "", map),
            expected,
            "{reference}"
        );
    }
}

#[test]
fn a_refresh_is_read_as_browsers_read_it() {
    for (value, expected) in [
        ("0;url=/x", "0;url=/tax/x"),
        ("5 ; URL = /x ", "5 ; URL = /tax/x "),
        ("5, /x", "5, /tax/x"),
        ("5;url=\"/x\"; y", "5;url=\"/tax/x\"; y"),
        ("5;url='/x", "5;url='/tax/x"),
        ("5;url= /x", "5;url= /tax/x"),
        ("5;/urls", "5;/tax/urls"),
        ("5;/ur=/x", "5;/tax/ur=/x"),
        ("5;url//x", "-"),
        ("5", "-"),
        ("5;", "-"),
        ("5;url=", "-"),
        ("5;url=\"", "-"),
        ("0;url=https://elsewhere.example/x", "-"),
    ] {
        let found = mapped("https://portal.example", "", |map| map.refresh(value));
        assert_eq!(found, expected, "{value}");
    }
}

#[test]
fn a_cookie_is_for_the_same_place_by_its_public_path() {
    for (value, expected) in [
        ("a=b; Path=/x", "a=b; Path=/tax/x"),
        ("a=b; Path=/; Secure", "a=b; Path=/tax; Secure"),
        ("a=b;path = /x ;HttpOnly", "a=b;path =/tax/x;HttpOnly"),
        ("a=/x; Path=/x; Path=/y", "a=/x; Path=/tax/x; Path=/tax/y"),
        ("__Hos=b; Path=/x", "__Hos=b; Path=/tax/x"),
        ("a=b; Path=/tax/x", "-"),
        // It is named so.
        ("Path=/x", "-"),
        ("a=b; Domain=/x", "-"),
        ("a=b; Path", "-"),
        ("a=b", "-"),
        // It is for the whole host, or it is none.
        ("__Host-a=b; Path=/", "-"),
        (" __host-a=b; Path=/", "-"),
    ] {
        let found = mapped("https://portal.example", "", |map| map.cookie(value));
        assert_eq!(found, expected, "{value}");
    }
}

/// A route for `/tax`, which is what is stripped.
fn route(strips: bool, rewrite_responses: bool) -> Route {
    let release = Release::by_assertion("portal", Vec::new());
    let route = ("portal.example", "/tax");
    let route = Route::to_upstream(route, Access::Public, 0, (0, release));
    let rewrite = Rewrite::new("/tax", if strips { "/tax" } else { "" }, "").unwrap();
    Route { rewrite, rewrite_responses, ..route }
}

#[test]
fn an_answer_goes_on_as_it_came_unless_it_says_an_address_where_that_matters() {
    let lines = |field: &str| {
        let mut text = BytesMut::from(&*format!("HTTP/1.1 200 OK\r\nA: b\r\n{field}: /x\r\n\r\n"));
        Search::default().take_answer(&mut text, &Bounds::default()).unwrap().unwrap().lines
    };
    let (plain, strips) = (route(false, true), route(true, true));
    let (never, neither) = (route(true, false), route(false, false));
    for (field, of_plain, of_stripped) in [
        ("Location", true, true),
        ("content-location", true, true),
        ("REFRESH", true, true),
        ("Set-Cookie", false, true),
        ("X-Other", false, false),
        // As long as those.
        ("X-Space", false, false),
        ("X-Letter", false, false),
        ("X-Longname", false, false),
        ("X-Another-Longer", false, false),
    ] {
        let lines = lines(field);
        for status in [StatusCode::FOUND, StatusCode::CREATED] {
            assert_eq!(concerns(&plain, status, &lines), of_plain, "{field} {status}");
            assert_eq!(concerns(&strips, status, &lines), of_stripped, "{field} {status}");
            assert!(!concerns(&never, status, &lines), "{field} {status}");
            assert!(!concerns(&neither, status, &lines), "{field} {status}");
        }
        // It does not lead on.
        for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
            assert!(!concerns(&plain, status, &lines), "{field} {status}");
            assert_eq!(concerns(&strips, status, &lines), of_stripped, "{field} {status}");
        }
    }
}

/// What becomes of a field with these values, in an answer to a request with or without TLS.
fn applied(
    route: &Route,
    (status, is_tls): (StatusCode, bool),
    (name, values): (&str, &[&str]),
) -> Vec<String> {
    let name: HeaderName = name.parse().unwrap();
    let mut fields = HeaderMap::new();
    for value in values {
        fields.append(&name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let peer = Peer::new("127.0.0.1:1".parse().unwrap(), is_tls);
    let (parts, ()) = http::Request::new(()).into_parts();
    let context = RequestContext {
        id: String::new(),
        parts: Box::new(parts),
        client: Client::direct(&peer, is_tls),
        host: Host::parse(b"portal.example", is_tls).unwrap(),
        record: AccessRecord::default(),
        assumed: None,
        began: Time::UNIX_EPOCH,
        scan: HeaderScan::default(),
        trace: None,
    };
    let told = HeaderValue::from_static("told.example");
    apply(&mut fields, status, route, (&settings(), &told), &context);
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    fields.get_all(&name).iter().map(text).collect()
}

#[test]
fn an_answer_has_all_of_its_addresses_changed_and_nothing_else() {
    let (plain, strips) = (route(false, true), route(true, true));
    let found = (StatusCode::FOUND, true);
    for (name, values, expected) in [
        ("location", &["http://told.example/x"][..], &["https://portal.example/tax/x"][..]),
        ("content-location", &["/x", "/tax/y", "/z"], &["/tax/x", "/tax/y", "/tax/z"]),
        ("refresh", &["5; url=/x"], &["5; url=/tax/x"]),
        ("set-cookie", &["a=b; Path=/x", "c=d"], &["a=b; Path=/tax/x", "c=d"]),
        ("location", &["/\u{17c}"], &["/\u{17c}"]),
        ("x-location", &["/x"], &["/x"]),
    ] {
        assert_eq!(applied(&strips, found, (name, values)), expected, "{name}");
        assert_eq!(applied(&route(true, false), found, (name, values)), values, "{name}");
    }
    let address = ("location", &["http://told.example/x"][..]);
    for (status, is_tls, expected) in [
        (StatusCode::FOUND, true, "https://portal.example/x"),
        (StatusCode::FOUND, false, "http://portal.example/x"),
        (StatusCode::CREATED, true, "https://portal.example/x"),
        (StatusCode::OK, true, "http://told.example/x"),
    ] {
        assert_eq!(applied(&plain, (status, is_tls), address), [expected], "{status} {is_tls}");
    }
    let cookie = ("set-cookie", &["a=b; Path=/x"][..]);
    assert_eq!(applied(&plain, found, cookie), cookie.1);
    assert_eq!(applied(&strips, (StatusCode::OK, true), cookie), ["a=b; Path=/tax/x"]);
    // The public address is that of the configuration, where it says one.
    let known =
        Route { origin: Some("https://portal.example:8443".to_owned()), ..route(false, true) };
    assert_eq!(applied(&known, found, address), ["https://portal.example:8443/x"]);
}
