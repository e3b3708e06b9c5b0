//! What may be written below `[[upstream]]`, and what is told of what may not.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::base::clock::Time;
use crate::config::load;
use crate::proxy::upstream::{ServerAddress, Tls};

fn resolved_in(folder: &Path, text: &str) -> (Vec<Settings>, String) {
    let path = folder.join("brama.toml");
    fs::write(&path, text).unwrap();
    let loaded = load(&path, std::iter::empty()).unwrap();
    assert!(loaded.problems.is_empty(), "{}", loaded.problems);
    let mut context = Context::new(&loaded, Time::UNIX_EPOCH);
    let (_, settings) = resolve(&mut context);
    (settings, context.problems.to_string())
}

fn resolved(text: &str) -> (Vec<Settings>, String) {
    resolved_in(tempfile::tempdir().unwrap().path(), text)
}

/// Resolves one upstream of which nothing is to be told.
fn accepted(keys: &str) -> Settings {
    let (mut settings, told) = resolved(&format!("[[upstream]]\nname = \"portal\"\n{keys}\n"));
    assert!(!told.contains("error: ") && !told.contains("warning: "), "{told}");
    settings.pop().unwrap()
}

/// Resolves one upstream in which one thing is wrong.
fn refused(keys: &str) -> String {
    let (settings, told) = resolved(&format!("[[upstream]]\nname = \"portal\"\n{keys}\n"));
    assert!(settings.is_empty() || told.contains(": is zero"), "{told}");
    assert!(told.ends_with("1 error, 0 warnings"), "{told}");
    told
}

fn name(host: &str, port: u16) -> ServerAddress {
    ServerAddress::Name { host: host.to_owned(), port }
}

#[test]
fn name_and_url_are_enough() {
    let settings = accepted("url = \"http://127.0.0.1:3000\"");
    let address = ServerAddress::Socket(([127, 0, 0, 1], 3000).into());
    // One source of defaults: what the file leaves out is what the program leaves out.
    assert_eq!(settings, Settings::new("portal", vec![address.into()]));
}

#[test]
fn every_form_of_an_address_is_understood() {
    for (url, address) in [
        ("http://127.0.0.1", ServerAddress::Socket(([127, 0, 0, 1], 80).into())),
        ("http://[::1]:3000/", ServerAddress::Socket("[::1]:3000".parse().unwrap())),
        ("http://LOCALHOST:3000", name("localhost", 3000)),
        ("https://portal.example", name("portal.example", 443)),
        ("unix:/run/portal.sock", ServerAddress::Unix("/run/portal.sock".into())),
    ] {
        assert_eq!(accepted(&format!("url = \"{url}\"")).servers[0].address, address, "{url}");
    }
}

#[test]
fn what_is_no_address_is_told() {
    for (url, what) in [
        ("portal", "is not an address"),
        ("127.0.0.1:3000", "is not an address"),
        ("ftp://127.0.0.1", "is not http:// or https://"),
        ("http://127.0.0.1/path", "holds more than scheme, host and port"),
        ("http://127.0.0.1/?query", "holds more than scheme, host and port"),
        ("http://user@127.0.0.1", "holds a user name or a password"),
        ("http://127.0.0.1:0", "has port 0"),
        ("unix:portal.sock", "is not the path of a socket"),
        ("unix:///run/portal.sock", "is not the path of a socket"),
    ] {
        let told = refused(&format!("url = \"{url}\""));
        assert!(told.contains(&format!("upstream[0].url: {what}")), "{url}\n{told}");
    }
    assert!(refused("").contains("upstream[0].url: is missing"));
}

#[test]
fn several_servers_have_weights() {
    let settings = accepted(
        "servers = [{ address = \"http://127.0.0.1:1\", weight = 2 }, \
         { address = \"unix:/run/portal.sock\" }]",
    );
    let servers: Vec<_> =
        settings.servers.iter().map(|server| (server.address.to_string(), server.weight)).collect();
    assert_eq!(servers, [("127.0.0.1:1".to_owned(), 2), ("unix:/run/portal.sock".to_owned(), 1)]);
}

#[test]
fn servers_that_do_not_go_together_are_told() {
    let server = |text: &str| format!("{{ address = \"{text}\" }}");
    let two = |one: &str, other: &str| format!("servers = [{}, {}]", server(one), server(other));
    for (keys, what) in [
        (two("http://127.0.0.1:1", "https://127.0.0.1:2"), "servers[1].address: is with TLS where"),
        (two("https://127.0.0.1:2", "unix:/run/s"), "servers[1].address: is with TLS where"),
        (two("http://127.0.0.1:1", "http://127.0.0.1:1"), "servers[1].address: is the address of"),
        (two("http://127.0.0.1:1", "nowhere"), "servers[1].address: is not an address"),
        ("servers = [{ weight = 2 }]".to_owned(), "servers[0].address: is missing"),
        (
            "servers = [{ address = \"unix:/run/s\", weight = 0 }]".to_owned(),
            "servers[0].weight: is not between 1 and 1000",
        ),
        (
            "servers = [{ address = \"unix:/run/s\", weight = 1001 }]".to_owned(),
            "servers[0].weight: is not between 1 and 1000",
        ),
        (
            format!("url = \"unix:/run/s\"\nservers = [{}]", server("unix:/run/t")),
            "url: is given besides servers",
        ),
    ] {
        let (_, told) = resolved(&format!("[[upstream]]\nname = \"portal\"\n{keys}\n"));
        assert!(told.contains(&format!("upstream[0].{what}")), "{keys}\n{told}");
        assert!(told.ends_with("1 error, 0 warnings"), "{keys}\n{told}");
    }
}

#[test]
fn plain_http_to_another_machine_is_warned_of() {
    let (settings, told) = resolved(
        "[[upstream]]\nname = \"portal\"\nservers = [{ address = \"http://127.0.0.1\" }, \
         { address = \"http://10.0.0.1\" }]\n",
    );
    assert_eq!(settings.len(), 1);
    assert!(told.contains("servers[1].address: identities and answers cross"), "{told}");
    assert!(told.ends_with("0 errors, 1 warning"), "{told}");
}

#[test]
fn times_and_numbers_that_would_stop_everything_are_told() {
    let url = "url = \"unix:/run/s\"";
    for key in [
        "connect_timeout",
        "response_timeout",
        "idle_timeout",
        "keep_alive",
        "pending_timeout",
        "fail_timeout",
        "dns_refresh",
    ] {
        let told = refused(&format!("{url}\n{key} = \"0s\""));
        assert!(told.contains(&format!("upstream[0].{key}: is zero")), "{told}");
    }
    assert!(refused(&format!("{url}\nmax_requests = 0")).contains("max_requests: is zero"));
    let settings = accepted(&format!(
        "{url}\nmax_pending = 0\nmax_idle_connections = 0\nmax_fails = 0\nslow_start = \"10s\""
    ));
    assert_eq!((settings.limits.max_pending, settings.pool.max_idle), (0, 0));
    assert_eq!((settings.passive.max_fails, settings.slow_start.as_secs()), (0, 10));
}

#[test]
fn health_checks_begin_with_a_path() {
    let url = "url = \"unix:/run/s\"\n[upstream.health]\n";
    let health = accepted(&format!("{url}path = \"/health?full=1\"\nstatuses = [200, 401]"));
    let health = health.health.unwrap();
    assert_eq!(health.path, "/health?full=1");
    assert_eq!((health.interval, health.timeout), (Duration::from_secs(5), Duration::from_secs(2)));
    assert!(health.accepts(401.try_into().unwrap()) && !health.accepts(204.try_into().unwrap()));

    let (settings, told) =
        resolved(&format!("[[upstream]]\nname = \"portal\"\n{url}interval = \"1m\"\n"));
    assert!(settings[0].health.is_none());
    assert!(
        told.contains("warning: ") && told.contains("upstream[0].health: is not used"),
        "{told}"
    );
}

#[test]
fn health_checks_that_cannot_be_made_are_told_all_at_once() {
    let (settings, told) = resolved(
        "[[upstream]]\nname = \"portal\"\nurl = \"unix:/run/s\"\n[upstream.health]\n\
         path = \"health\"\nhost = \"a b\"\ninterval = \"1s\"\ntimeout = \"2s\"\nhealthy = 0\n\
         unhealthy = 0\nstatuses = [200, 100, 999]\n",
    );
    assert!(settings.is_empty());
    for key in ["path", "host", "timeout", "healthy", "unhealthy", "statuses[1]", "statuses[2]"] {
        assert!(told.contains(&format!("upstream[0].health.{key}: ")), "{key}\n{told}");
    }
    assert!(told.ends_with("7 errors, 0 warnings"), "{told}");
}

/// A folder with an authority and a client's certificate and key.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["portal.internal".to_owned()]).unwrap();
    for (name, text) in [
        ("ca.pem", pair.cert.pem()),
        ("client.pem", pair.cert.pem()),
        ("client.key", pair.signing_key.serialize_pem()),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn tls_in(folder: &Path, keys: &str) -> Result<Tls, String> {
    let text = format!("[[upstream]]\nname = \"portal\"\nurl = \"https://10.0.0.1\"\n{keys}\n");
    let (mut settings, told) = resolved_in(folder, &text);
    settings.pop().and_then(|settings| settings.tls).ok_or(told)
}

#[test]
fn tls_has_its_own_authorities_name_and_certificate() {
    let folder = folder();
    let tls = tls_in(
        folder.path(),
        "protocol = \"auto\"\ntls_ca_file = \"ca.pem\"\ntls_server_name = \"portal.internal\"\n\
         tls_client_certificate = \"client.pem\"\ntls_client_key = \"client.key\"",
    )
    .unwrap();
    assert_eq!(tls.config.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
    assert!(tls.config.client_auth_cert_resolver.has_certs());
    assert_eq!(tls.server_name.unwrap().to_str(), "portal.internal");

    let tls = tls_in(folder.path(), "tls_ca_file = \"ca.pem\"").unwrap();
    assert_eq!(tls.config.alpn_protocols, [b"http/1.1".to_vec()]);
    assert!(!tls.config.client_auth_cert_resolver.has_certs());
    assert!(tls.server_name.is_none());
}

#[test]
fn tls_that_verifies_nobody_or_is_half_is_told() {
    let folder = folder();
    for (keys, what) in [
        ("tls_system_roots = false", "tls_system_roots: is false and tls_ca_file is missing"),
        ("tls_ca_file = \"absent.pem\"", "tls_ca_file: "),
        ("tls_ca_file = \"client.key\"", "tls_ca_file: "),
        ("tls_client_certificate = \"client.pem\"", "tls_client_key: is missing"),
        ("tls_client_key = \"client.key\"", "tls_client_certificate: is missing"),
        (
            "tls_client_certificate = \"client.pem\"\ntls_client_key = \"absent\"",
            "tls_client_key: ",
        ),
        ("tls_server_name = \"a b\"", "tls_server_name: is not the name of a server"),
    ] {
        let told = tls_in(folder.path(), keys).unwrap_err();
        assert!(told.contains(&format!("upstream[0].{what}")), "{keys}\n{told}");
    }
    let (_, told) =
        resolved("[[upstream]]\nname = \"p\"\nurl = \"unix:/run/s\"\ntls_server_name = \"x\"\n");
    assert!(told.contains("upstream[0].tls_server_name: is not used without https://"), "{told}");
}

#[test]
fn a_file_with_another_content_makes_other_settings() {
    let (one, other) = (folder(), folder());
    let keys = "tls_ca_file = \"ca.pem\"";
    let before = tls_in(one.path(), keys).unwrap();
    assert_eq!(before, tls_in(one.path(), keys).unwrap());
    assert_ne!(before, tls_in(other.path(), keys).unwrap());
    assert_ne!(before, tls_in(one.path(), &format!("{keys}\ntls_system_roots = true")).unwrap());
}

#[test]
fn an_upstream_that_is_ourselves_is_an_error() {
    let listen = "[listen]\nhttp = \"127.0.0.1:8080\"\nhttps = \"0.0.0.0:443\"\nunix = \"/run/own.sock\"\n\
                  redirect = \"[::]:80\"\n[operations]\nlisten = \"127.0.0.1:9480\"\n";
    for (url, expected) in [
        ("http://127.0.0.1:9480", Some("operations.listen")),
        ("http://localhost:9480", Some("operations.listen")),
        ("http://[::ffff:127.0.0.1]:9480", Some("operations.listen")),
        ("http://0.0.0.0:9480", Some("operations.listen")),
        ("http://127.0.0.1:8080", Some("listen.http")),
        ("https://127.0.0.1", Some("listen.https")),
        ("https://127.0.0.2", Some("listen.https")),
        ("http://[::1]", Some("listen.redirect")),
        ("http://127.0.0.1", Some("listen.redirect")),
        ("unix:/run/own.sock", Some("listen.unix")),
        ("http://127.0.0.1:3000", None),
        ("http://127.0.0.2:8080", None),
        ("http://[::1]:9480", None),
        ("https://10.0.0.1", None),
        ("https://portal.example:9480", None),
        ("unix:/run/portal.sock", None),
    ] {
        for key in ["url = ", "[[upstream.servers]]\naddress = "] {
            let text = format!("{listen}[[upstream]]\nname = \"portal\"\n{key}{url:?}\n");
            let (_, told) = resolved(&text);
            match expected {
                Some(listener) => {
                    assert!(told.contains(&format!(": is {listener}, so ")), "{told}");
                }
                None => assert!(told.contains("0 errors"), "{url}: {told}"),
            }
        }
    }
}
