//! nginx or Apache with two hosts in front of us, one open and one that it denies: no request that
//! comes in by the open one reaches the other. The lines for the headers are those of
//! `deploy/nginx/brama.conf` and of the manual as they are; careless ones show what they are there
//! for.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::harness::tools::{self, Tool};
use crate::harness::{Apache, Gateway, Nginx, Plan, Program, Wire, free_address, node};

const OPEN: &str = "open.localhost";
const CLOSED: &str = "closed.localhost";
/// Where the client comes from that the closed host is for.
const OFFICE: &str = "127.0.0.3";
/// Where everybody else comes from.
const ELSEWHERE: &str = "127.0.0.2";

/// Passes on whatever the client wrote of the host and the request.
const CARELESS: &str = "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; \
                        proxy_set_header X-Forwarded-Proto $scheme;";

struct Site {
    front: SocketAddr,
    _gateway: Gateway,
    _proxy: Front,
    _portal: Program,
}

/// What stands in front.
enum Front {
    Nginx { _nginx: Nginx },
    Apache { _apache: Apache },
}

/// Starts the portal, and has the gateway pass both hosts on to it.
fn plan(trusted: &str) -> (Program, Plan) {
    let (portal, url) = node("portal.js");
    let mut plan = Plan::before(&url);
    for host in [OPEN, CLOSED] {
        plan = plan.route("/", "portal", "public").with(&format!("host = \"{host}\""));
    }
    (portal, plan.listen("trusted_proxies = [\"127.0.0.1/32\"]").listen(trusted))
}

/// Starts the gateway and Apache before it, with the lines of the manual.
fn start_apache(trusted: &str) -> Option<Site> {
    if !tools::has(&[Tool::Node, Tool::Apache, Tool::Curl]) {
        return None;
    }
    let (portal, plan) = plan(trusted);
    let (front, behind) = (free_address(), plan.address());
    let lines = printed(&["ProxyPreserveHost ", "RequestHeader "]);
    let server = |name: &str, access: &str| {
        format!(
            "<VirtualHost *:{}>\nServerName {name}\nProxyPass / http://{behind}/\n\
             <Location />\nRequire {access}\n</Location>\n</VirtualHost>\n",
            front.port()
        )
    };
    let office = format!("ip {OFFICE}");
    let servers = [&lines, &*server(OPEN, "all granted"), &server(CLOSED, &office)].join("\n");
    let modules = ["authz_host", "headers", "proxy", "proxy_http"];
    let proxy = Front::Apache { _apache: Apache::start(front, &modules, &servers) };
    Some(Site { front, _gateway: plan.start(), _proxy: proxy, _portal: portal })
}

/// Returns the lines that the manual prints and that begin so.
fn printed(beginnings: &[&str]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let text = fs::read_to_string(file).unwrap();
    let begins = |line: &&str| beginnings.iter().any(|beginning| line.starts_with(beginning));
    let lines: Vec<_> = text.lines().filter(begins).collect();
    assert!(lines.len() > 5, "{lines:?}");
    lines.join("\n")
}

/// Starts the gateway and nginx before it. `lines` stand in the location of both hosts, `trusted`
/// in `[listen]`; `host` stands in the server blocks of both, `denied` in that of the closed one.
fn start(lines: &str, trusted: &str, host: &str, denied: &str) -> Option<Site> {
    if !tools::has(&[Tool::Node, Tool::Nginx, Tool::Curl]) {
        return None;
    }
    let (portal, plan) = plan(trusted);
    let (front, behind) = (free_address(), plan.address());
    let listen = if host.contains("ssl_") { format!("{front} ssl") } else { front.to_string() };
    let server = |name: &str, denied: &str| {
        format!(
            "server {{ listen {listen}; server_name {name}; {host} {denied}\n\
             location / {{ proxy_pass http://{behind}; proxy_http_version 1.1;\n{lines}\n}} }}\n"
        )
    };
    let connection = "map $http_upgrade $brama_connection { default upgrade; \"\" \"\"; }\n";
    let servers = [connection, &server(OPEN, ""), &server(CLOSED, denied)].concat();
    let nginx = Nginx::start_with(&servers, "");
    let proxy = Front::Nginx { _nginx: nginx };
    Some(Site { front, _gateway: plan.start(), _proxy: proxy, _portal: portal })
}

/// Returns the headers that the shipped file sets.
fn shipped() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/brama.conf");
    let text = fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("proxy_set_header ")).collect();
    assert!(lines.len() > 5, "{text}");
    lines.join("\n")
}

fn by_address() -> String {
    format!("allow {OFFICE}; deny all;")
}

impl Site {
    /// Asks nginx from an address, and says the status and which host the portal was asked for.
    fn ask(&self, from: &str, host: &str, options: &[&str]) -> (u16, String) {
        let scheme = if options.contains(&"--insecure") { "https" } else { "http" };
        let port = self.front.port();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "30", "--noproxy", "*", "--interface", from]);
        for name in [OPEN, CLOSED] {
            curl.args(["--resolve", &format!("{name}:{port}:127.0.0.1")]);
        }
        curl.args(["--write-out", "\n%{http_code}"]).args(options);
        let output = curl.arg(format!("{scheme}://{host}:{port}/")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let (body, status) = said.rsplit_once('\n').unwrap_or(("", &said));
        let seen: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        let host = seen["host"].as_str().unwrap_or_default().split(':').next().unwrap_or_default();
        (status.parse().unwrap(), host.to_owned())
    }
}

/// What a client of the open host may try to name the closed one.
const CLAIMS: [&[&str]; 5] = [
    &["--header", "X-Forwarded-Host: closed.localhost"],
    &["--header", "Forwarded: for=127.0.0.2;host=closed.localhost"],
    &["--header", "Forwarded: host=closed.localhost"],
    &[
        "--header",
        "X-Forwarded-Host: closed.localhost",
        "--header",
        "Forwarded: host=closed.localhost",
    ],
    &["--header", "X-Original-Host: closed.localhost", "--header", "X-Host: closed.localhost"],
];
/// The request line names one host and the header another (RFC 9112 3.2.2: the first one counts).
const TWO_HOSTS: [&str; 4] =
    ["--request-target", "http://open.localhost/", "--header", "Host: closed.localhost"];

const USUAL: &str = "";
const HOST_TOO: &str = "trusted_for = [\"address\", \"scheme\", \"host\"]";

#[test]
fn a_host_that_nginx_denies_by_address_is_not_reached_through_another() {
    let printed = printed(&["proxy_set_header "]);
    for (lines, trusted) in [
        (shipped(), USUAL),
        (shipped(), HOST_TOO),
        (printed, HOST_TOO),
        (CARELESS.to_owned(), USUAL),
    ] {
        let Some(site) = start(&lines, trusted, "", &by_address()) else { return };
        let name = format!("{trusted:?} {lines}");
        // The accept and its twin.
        assert_eq!(site.ask(OFFICE, CLOSED, &[]), (200, CLOSED.to_owned()), "{name}");
        assert_eq!(site.ask(ELSEWHERE, CLOSED, &[]).0, 403, "{name}");
        assert_eq!(site.ask(ELSEWHERE, OPEN, &[]), (200, OPEN.to_owned()), "{name}");
        for claim in CLAIMS.into_iter().chain([&TWO_HOSTS[..]]) {
            let (status, host) = site.ask(ELSEWHERE, OPEN, claim);
            // Careless lines pass on a `Forwarded` of the client, which may be refused.
            assert!(status == 400 || host == OPEN, "{claim:?}: {status} {host}, {name}");
            if lines != CARELESS {
                assert_eq!(status, 200, "{claim:?}, {name}");
            }
        }
        // However the closed host is spelled, nginx knows it.
        for host in ["CLOSED.localhost", "closed.localhost.", "closed.localhost:81"] {
            let host = format!("Host: {host}");
            assert_eq!(site.ask(ELSEWHERE, OPEN, &["--header", &host]).0, 403, "{host}, {name}");
        }
    }
}

#[test]
fn a_host_that_apache_denies_is_not_reached_through_another() {
    for trusted in [USUAL, HOST_TOO] {
        let Some(site) = start_apache(trusted) else { return };
        assert_eq!(site.ask(OFFICE, CLOSED, &[]), (200, CLOSED.to_owned()), "{trusted}");
        assert_eq!(site.ask(ELSEWHERE, CLOSED, &[]).0, 403, "{trusted}");
        for claim in CLAIMS.into_iter().chain([&TWO_HOSTS[..]]) {
            let reached = site.ask(ELSEWHERE, OPEN, claim);
            assert_eq!(reached, (200, OPEN.to_owned()), "{claim:?} {trusted}");
        }
    }
}

#[test]
fn a_host_that_nginx_wants_a_certificate_for_is_not_reached_through_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    for (name, hosts) in [("server", vec![OPEN, CLOSED]), ("client", vec!["officer"])] {
        let hosts: Vec<_> = hosts.into_iter().map(str::to_owned).collect();
        let made = rcgen::generate_simple_self_signed(hosts).unwrap();
        fs::write(file(name) + ".pem", made.cert.pem()).unwrap();
        fs::write(file(name) + ".key", made.signing_key.serialize_pem()).unwrap();
    }
    let (pem, key) = (file("server") + ".pem", file("server") + ".key");
    let tls = format!("ssl_certificate {pem}; ssl_certificate_key {key};");
    let client = file("client") + ".pem";
    let denied = format!("ssl_client_certificate {client}; ssl_verify_client on;");
    let Some(site) = start(&shipped(), HOST_TOO, &tls, &denied) else { return };

    let key = file("client") + ".key";
    let officer = ["--insecure", "--cert", &client, "--key", &key];
    assert_eq!(site.ask(OFFICE, CLOSED, &officer), (200, CLOSED.to_owned()));
    assert_eq!(site.ask(OFFICE, CLOSED, &["--insecure"]).0, 400);
    assert_eq!(site.ask(OFFICE, OPEN, &["--insecure"]), (200, OPEN.to_owned()));
    for claim in CLAIMS {
        let claim = [&["--insecure"], claim].concat();
        assert_eq!(site.ask(OFFICE, OPEN, &claim), (200, OPEN.to_owned()), "{claim:?}");
    }
    let target = "https://open.localhost/";
    let two = ["--insecure", "--request-target", target, "--header", "Host: closed.localhost"];
    assert_eq!(site.ask(OFFICE, OPEN, &two), (200, OPEN.to_owned()));
    // Another host than the one that TLS was begun for, which has no certificate of the client.
    let other = ["--insecure", "--header", "Host: closed.localhost"];
    assert_eq!(site.ask(OFFICE, OPEN, &other).0, 421);
}

#[test]
fn what_nginx_passes_on_unread_is_why_the_host_must_be_named() {
    // Believed for a host that it does not write, nginx has its clients choose.
    let Some(site) = start(CARELESS, HOST_TOO, "", &by_address()) else { return };
    assert_eq!(site.ask(ELSEWHERE, OPEN, CLAIMS[0]), (200, CLOSED.to_owned()));
    // And `$http_host` does so whatever is believed.
    let raw = CARELESS.replace("$host", "$http_host");
    let Some(site) = start(&raw, USUAL, "", &by_address()) else { return };
    assert_eq!(site.ask(ELSEWHERE, OPEN, &TWO_HOSTS), (200, CLOSED.to_owned()));
}

#[test]
fn the_number_of_a_request_is_that_of_nginx_when_it_is_believed_for_it() {
    let own = CARELESS.to_owned() + "proxy_set_header X-Request-Id $request_id;";
    let named = "trusted_for = [\"address\", \"scheme\", \"request_id\"]";
    for (lines, trusted, is_nginx) in
        [(CARELESS, USUAL, false), (&*own, USUAL, false), (&*own, named, true)]
    {
        let Some(site) = start(lines, trusted, "", "") else { return };
        let mut wire = Wire::connect(site.front);
        let request = format!("GET / HTTP/1.1\r\nHost: {OPEN}\r\nX-Request-Id: mine\r\n\r\n");
        wire.send(request.as_bytes());
        let seen = wire.answer("GET").json();
        let id = seen["x-request-id"].as_str().unwrap();
        assert_ne!(id, "mine");
        // nginx writes 32 hexadecimal digits, and we write fewer letters.
        let is_of_nginx = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert_eq!(is_of_nginx, is_nginx, "{id}");
    }
}
