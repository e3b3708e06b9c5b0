//! The ways in: certificates, the redirect to https, proxies in front, other sockets, and how many
//! connections one client may have.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::curl::{curl, curl_at, curl_over_tls};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Nginx, PATIENCE, Plan, Program, Tls, Wire, free_address, node};

/// A certificate for a name, and its key.
fn certificate(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    (made.cert.pem().replace('\r', ""), made.signing_key.serialize_pem())
}

/// Returns the certificate that a client gets who asks for this name.
fn presented(address: SocketAddr, name: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string(), "-servername", name]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = said.find("-----BEGIN CERTIFICATE-----").unwrap_or(said.len());
    let end = said.rfind("-----END CERTIFICATE-----").unwrap_or(said.len());
    format!("{}-----END CERTIFICATE-----\n", &said[begin..end])
}

/// A gateway before the portal on Node, on https with two certificates.
fn start_with_two_certificates() -> Option<(Program, Gateway)> {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl]) {
        return None;
    }
    let (portal, url) = node("portal.js");
    let (pem, key) = certificate("other.localhost");
    let plan = Plan::before(&url).tls(Tls::On);
    let plan = plan.file("other.pem", &pem).file("other.key", &key);
    let plan = plan.route("/", "portal", "public").with("host = \"other.localhost\"");
    let more = "[[listen.certificates]]\ncertificate = \"other.pem\"\nkey = \"other.key\"";
    Some((portal, plan.listen(more).start()))
}

#[test]
fn each_name_has_its_certificate_and_a_name_that_has_none_gets_the_first() {
    let Some((_portal, gateway)) = start_with_two_certificates() else { return };
    let address = gateway.tls_address.unwrap();
    let read = |name: &str| fs::read_to_string(gateway.file(name)).unwrap().replace('\r', "");
    let (first, other) = (read("localhost.pem"), read("other.pem"));
    for (name, expected) in [
        ("localhost", &first),
        ("other.localhost", &other),
        ("OTHER.localhost", &other),
        ("nobody.example", &first),
    ] {
        assert_eq!(presented(address, name), *expected, "{name}");
    }
    // A client that checks: the right authority lets it in, the wrong one does not.
    let port = address.port();
    let here = format!("other.localhost:{port}:127.0.0.1");
    let url = format!("https://other.localhost:{port}/");
    let fetch = |authority: &str| {
        let authority = gateway.file(authority);
        let authority = authority.to_str().unwrap();
        curl_at(&gateway, &["--resolve", &here, "--cacert", authority, &url])
    };
    fetch("other.pem").is_fine_over("2");
    // CURLE_PEER_FAILED_VERIFICATION
    assert_eq!(fetch("localhost.pem").exit, Some(60));
}

#[test]
fn a_new_certificate_is_shown_as_soon_as_it_is_there_and_a_broken_one_never() {
    let Some((_portal, mut gateway)) = start_with_two_certificates() else { return };
    let address = gateway.tls_address.unwrap();
    // A connection that is open does not notice.
    let read = |name: &str| fs::read_to_string(gateway.file(name)).unwrap().replace('\r', "");
    let first = read("localhost.pem");
    let (pem, key) = certificate("other.localhost");
    fs::write(gateway.file("other.key"), &key).unwrap();
    fs::write(gateway.file("other.pem"), &pem).unwrap();
    let deadline = Instant::now() + PATIENCE;
    while presented(address, "other.localhost") != pem {
        assert!(Instant::now() < deadline, "the new certificate is not shown");
        thread::sleep(Duration::from_millis(50));
    }
    fs::write(gateway.file("other.pem"), "nothing\n").unwrap();
    gateway.program.wait_for(|line| line.contains("other.pem").then_some(()));
    assert_eq!(presented(address, "other.localhost"), pem);
    assert_eq!(presented(address, "localhost"), first);
}

#[test]
fn who_comes_by_http_is_sent_to_https_on_hosts_of_the_portal_only() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let redirect = free_address();
    let plan = Plan::before(&url).tls(Tls::On);
    let port = plan.tls_address().port();
    let gateway = plan
        .public_url(&format!("https://localhost:{port}"))
        .listen(&format!("redirect = \"{redirect}\"\nhsts = \"1h\""))
        .start();

    for method in ["GET", "POST"] {
        let mut wire = Wire::connect(redirect);
        let target = "/a%20b?c=d&e=https://f.example/";
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: 0\r\n\r\n",
            redirect.port()
        );
        wire.send(request.as_bytes());
        let answer = wire.answer(method);
        let expected = format!("https://localhost:{port}{target}");
        assert_eq!((answer.status, answer.header("location")), (308, Some(&*expected)));
        // RFC 6797 7.2: never over plain HTTP.
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    for host in ["evil.example", "localhost.evil.example", "localhost:80@evil.example"] {
        let answer = Wire::connect(redirect).get(host, "/");
        assert!(matches!(answer.status, 400 | 404), "{host}: {}", answer.status);
        assert_eq!(answer.header("location"), None, "{host}");
    }

    let fetched = curl_over_tls(&gateway, &["/"]);
    assert!(fetched.is_fine_over("2").said.contains("strict-transport-security: max-age=3600"));
}

/// What a proxy in front says of a client at 192.0.2.7, in the two versions of its protocol.
const VERSION_1: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.2 50000 443\r\n";
const VERSION_2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\x00\x02\x07\xc6\x33\x64\x02\xc3\x50\x01\xbb";
/// `PROXY TCP4 192.0.2.8 ...`: another client.
const ANOTHER: &[u8] = b"PROXY TCP4 192.0.2.8 198.51.100.2 50000 443\r\n";

#[test]
fn a_proxy_that_is_listed_says_whose_connection_it_brings() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let plan = Plan::before(&url).tls(Tls::On);
    let gateway = plan.listen("proxy_protocol_from = [\"127.0.0.0/8\"]").start();
    for header in [VERSION_1, VERSION_2] {
        let mut wire = gateway.connect();
        wire.send(header);
        for _ in 0..2 {
            let seen = wire.get("localhost", "/").json();
            assert_eq!(seen["x-forwarded-for"], "192.0.2.7");
        }
    }
    // A balancer that asks for itself (PROXY UNKNOWN, LOCAL) is a client of its own.
    for header in [&b"PROXY UNKNOWN\r\n"[..], b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let mut wire = gateway.connect();
        wire.send(header);
        assert_eq!(wire.get("localhost", "/").json()["x-forwarded-for"], "127.0.0.1");
    }
    // curl says it too, also before TLS.
    curl(&gateway, &["--haproxy-protocol", "/"]).is_fine_over("1.1");
    curl_over_tls(&gateway, &["--haproxy-protocol", "/"]).is_fine_over("2");

    // Without the header, or with one that is none, there is no answer.
    for header in [&b""[..], b"PROXY TCP4 192.0.2.300 198.51.100.2 50000 443\r\n"] {
        let mut wire = gateway.connect();
        wire.send(header);
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!(wire.rest().as_deref(), Some(&b""[..]), "{}", header.escape_ascii());
    }
    let refused = curl_over_tls(&gateway, &["/"]);
    assert_ne!(refused.exit, Some(0), "{}", refused.said);
}

#[test]
fn nobody_has_more_connections_than_one_client_may_have() {
    if !tools::has(&[Tool::Node]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let limits = "proxy_protocol_from = [\"127.0.0.0/8\"]\nmax_connections_per_address = 3";
    let gateway = Plan::before(&url).listen(limits).start();
    let enter = |header: &[u8]| {
        let mut wire = gateway.connect();
        wire.send(header);
        wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        wire.try_answer("GET").is_ok_and(|answer| answer.status == 200).then_some(wire)
    };
    let mut inside: Vec<_> = (0..3).map(|_| enter(VERSION_1).expect("a place")).collect();
    assert!(enter(VERSION_1).is_none(), "a fourth connection");
    assert!(enter(VERSION_2).is_none(), "a fourth connection, announced otherwise");
    assert!(enter(ANOTHER).is_some(), "another client has places of its own");
    // Those who are inside stay, and a place that is given back is had again.
    for wire in &mut inside {
        assert_eq!(wire.get("localhost", "/").status, 200);
    }
    inside.pop();
    let deadline = Instant::now() + PATIENCE;
    while enter(VERSION_1).is_none() {
        assert!(Instant::now() < deadline, "the place is not given back");
    }
}

#[test]
fn a_socket_of_the_file_system_is_for_those_whom_its_mode_lets_in() {
    if !tools::has(&[Tool::Node, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let plan = Plan::before(&url).listen("unix = \"brama.sock\"\nunix_mode = \"0640\"");
    let mut gateway = plan.start();
    let socket = gateway.file("brama.sock");
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--max-time", "60", "--noproxy", "*", "--unix-socket"]);
    let fetched = curl.arg(&socket).arg(gateway.url("/")).output().unwrap();
    let seen: serde_json::Value = serde_json::from_slice(&fetched.stdout).unwrap();
    assert_eq!(seen["host"], *gateway.host());
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    gateway.program.signal("TERM");
    assert!(gateway.program.wait().success());
    assert!(!socket.exists(), "it is left behind");
}

#[test]
fn systemd_may_hold_the_socket_and_start_the_gateway_at_the_first_connection() {
    if !tools::has(&[Tool::Node, Tool::SocketActivate]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    let plan = Plan::before(&url);
    let address = plan.address().to_string();
    let systemd = ["systemd-socket-activate", "--listen", &address, "--fdname", "http"];
    let mut gateway = plan.launched_by(&systemd).start();
    for _ in 0..20 {
        assert_eq!(gateway.connect().get("localhost", "/").status, 200);
    }
    gateway.program.signal("TERM");
    assert!(gateway.program.wait().success());
}

#[test]
fn nginx_in_front_is_believed_when_it_is_listed_and_its_clients_never() {
    if !tools::has(&[Tool::Node, Tool::Nginx, Tool::Curl]) {
        return;
    }
    let (_portal, url) = node("portal.js");
    const CLIENT: Option<&str> = Some("127.0.0.2");
    // Left to itself, nginx passes `Forwarded` on as its client sent it.
    let (passes, clears) = ("", "proxy_set_header Forwarded \"\";");
    for (is_listed, forwarded) in [(true, passes), (true, clears), (false, passes)] {
        let plan = Plan::before(&url);
        let nginx = Nginx::start(&format!(
            "location / {{ proxy_pass http://{}; proxy_set_header Host $host; {forwarded} \
             proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; \
             proxy_set_header X-Forwarded-Host \"\"; proxy_set_header X-Request-Id \"\"; \
             proxy_set_header X-Forwarded-Proto https; }}",
            plan.address()
        ));
        let lines = if is_listed { "trusted_proxies = [\"127.0.0.1/32\"]" } else { "" };
        let gateway = plan.listen(lines).start();
        // A client at another address than nginx, which claims yet another.
        let claim = [
            "--interface",
            "127.0.0.2",
            "--header",
            "X-Forwarded-For: 198.51.100.7",
            "--header",
            "Forwarded: for=198.51.100.7;proto=http",
            "--header",
            "X-Real-IP: 198.51.100.7",
            "--header",
            "Host: localhost",
        ];
        let fetched = curl_at(&gateway, &[&claim[..], &[&format!("{}/", nginx.url)]].concat());
        // Two headers that disagree are refused.
        if is_listed && forwarded == passes {
            assert_eq!(fetched.status, 400, "{}", fetched.said);
            assert!(fetched.text().contains("request.forwarded_conflict"), "{}", fetched.text());
        } else if is_listed {
            let seen = fetched.is_fine_over("1.1").json();
            assert_eq!(seen["x-forwarded-for"].as_str().unwrap().split(',').next(), CLIENT);
            assert_eq!(seen["x-forwarded-proto"], "https");
            assert!(!seen.to_string().contains("198.51.100.7"), "{seen}");
        } else {
            let seen = fetched.is_fine_over("1.1").json();
            assert_eq!(seen["x-forwarded-for"], "127.0.0.1");
            assert_eq!(seen["x-forwarded-proto"], "http");
        }
        let claim = [&claim[..4], &claim[6..]].concat();
        let fetched = curl_at(&gateway, &[&claim[..], &[&format!("{}/", nginx.url)]].concat());
        let seen = fetched.is_fine_over("1.1").json();
        let (address, scheme) =
            if is_listed { ("127.0.0.2", "https") } else { ("127.0.0.1", "http") };
        let chain = seen["x-forwarded-for"].as_str().unwrap();
        assert_eq!(chain.split(',').next(), Some(address), "{chain}");
        assert!(!seen.to_string().contains("198.51.100.7"), "{seen}");
        assert_eq!(seen["x-forwarded-proto"], scheme);
        // Whoever comes past nginx is nobody's proxy.
        let direct = curl(&gateway, &[&claim[..], &["/"]].concat());
        let seen = direct.is_fine_over("1.1").json();
        assert_eq!(seen["x-forwarded-for"], "127.0.0.2");
        assert!(!seen.to_string().contains("198.51.100.7"), "{seen}");
    }
}
