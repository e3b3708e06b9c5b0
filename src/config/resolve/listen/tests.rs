//! What `check` says of `[listen]`, each key by itself.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::base::clock::{Clock, SystemClock};
use crate::config::load::load_text;

/// Resolves the section, and tells what came of it with all problems as text.
fn resolved(folder: &Path, section: &str) -> (Option<Listen>, String) {
    let name = folder.join("brama.toml");
    let text = format!("[listen]\n{section}\n");
    let loaded = load_text(name.to_str().unwrap(), &text, std::iter::empty()).unwrap();
    let mut context = Context::new(&loaded, SystemClock.now());
    let portal = gateway::Settings {
        portal_name: "Urząd".to_owned(),
        appearance: crate::pages::Appearance::default(),
        returns: gateway::settings::Returns::default(),
        language_place: "/.brama/language".to_owned(),
        origin: "https://portal.example".to_owned(),
        others: Vec::new(),
        prefix: "/.brama/".to_owned(),
        acs_path: "/.brama/acs".to_owned(),
        test_environment: None,
        cookies: Cookies::SECURE,
        edge: gateway::settings::Edge::default(),
        maintenance: gateway::settings::Maintenance::default(),
        limits: gateway::limits::Settings::default(),
        outage: None,
        portal_cookies: Vec::new(),
        well_known: false,
    };
    let listen = resolve(&mut context, Some(&portal));
    let resolved = context.problems;
    let mut problems = loaded.problems;
    problems.append(resolved);
    (listen, problems.to_string())
}

/// Writes a pair for a host.
fn pair(folder: &Path, name: &str, host: &str) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
    fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    let path = folder.join(format!("{name}.key"));
    crate::base::private::write(&path, key.serialize_pem().as_bytes()).unwrap();
}

const NOTHING: &str = "0 errors, 0 warnings";
const HTTPS: &str = "https = \"127.0.0.1:443\"\ncertificate = \"a.pem\"\nkey = \"a.key\"\n";

#[test]
fn addresses_overlap_when_the_system_would_refuse_the_second() {
    for (one, other, expected) in [
        ("127.0.0.1:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "127.0.0.1:81", false),
        ("127.0.0.1:80", "127.0.0.2:80", false),
        ("0.0.0.0:80", "127.0.0.1:80", true),
        ("[::]:80", "127.0.0.1:80", true),
        ("[::]:80", "[::1]:80", true),
        ("[::]:80", "0.0.0.0:80", true),
        ("0.0.0.0:80", "[::1]:80", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
    ] {
        let (one, other) = (one.parse().unwrap(), other.parse().unwrap());
        assert_eq!(overlap(one, other), expected, "{one} {other}");
        assert_eq!(overlap(other, one), expected, "{other} {one}");
    }
}

#[test]
fn the_defaults_of_the_file_are_those_of_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let (listen, told) = resolved(folder.path(), "http = \"127.0.0.1:8080\"");
    assert_eq!(told, NOTHING);
    let listen = listen.unwrap();
    let any = || Socket::from(SocketAddr::from(([127, 0, 0, 1], 0)));
    let plain = Listen::plain(any(), any());
    assert_eq!(listen.limits, plain.limits);
    assert_eq!(listen.limits, Limits::default());
    assert_eq!((listen.workers, listen.backlog), (plain.workers, plain.backlog));
    assert_eq!(listen.hsts, None);
}

#[test]
fn every_key_arrives_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), "a", "portal.example");
    pair(folder.path(), "b", "other.example");
    let text = format!(
        "{HTTPS}redirect = \"127.0.0.1:80\"\nunix = \"brama.sock\"\nunix_mode = \"0600\"\n\
         tls_minimum = \"1.3\"\nhttp2 = false\nhsts = \"365d\"\nworkers = 3\nbacklog = 7\n\
         proxy_protocol_from = [\"10.0.0.0/8\"]\ntrusted_proxies = [\"192.0.2.7\"]\n\
         trusted_for = [\"address\", \"scheme\", \"host\"]\n\
         max_connections_per_address = 0\nhandshake_timeout = \"3s\"\nidle_timeout = \"20s\"\n\
         drain_delay = \"5s\"\nmax_header = \"16 KiB\"\nmax_body = \"1 GiB\"\n\
         [[listen.certificates]]\ncertificate = \"b.pem\"\nkey = \"b.key\"\n"
    );
    let (listen, told) = resolved(folder.path(), &text);
    assert_eq!(told, NOTHING);
    let listen = listen.unwrap();
    let https = listen.https.unwrap();
    assert!(https.certificates.covers("portal.example"));
    assert!(https.certificates.covers("other.example"));
    assert_eq!(https.options.minimum, crate::server::tls::Version::Tls13);
    assert!(!https.options.http2);
    assert_eq!(https.socket.to_string(), "127.0.0.1:443");
    assert_eq!(listen.redirect.unwrap().to_string(), "127.0.0.1:80");
    let Some(Socket::Unix { path, mode }) = listen.unix else { panic!("it is a file") };
    assert_eq!((path, mode), (folder.path().join("brama.sock"), 0o600));
    assert_eq!(listen.hsts, Some(Duration::from_secs(365 * 24 * 3600)));
    assert_eq!((listen.workers, listen.backlog), (3, 7));
    assert_eq!(listen.proxy_protocol_from, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!(listen.trusted_proxies, ["192.0.2.7/32".parse().unwrap()]);
    assert_eq!(listen.trusted_for, Believed { host: true, ..Believed::default() });
    assert_eq!(
        listen.limits,
        Limits {
            connections_per_address: 0,
            handshake_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(20),
            drain_delay: Duration::from_secs(5),
            header_bytes: 16 * 1024,
            body_bytes: 1 << 30,
            http2: false,
            ..Limits::default()
        }
    );
}

#[test]
fn what_cannot_work_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), "a", "portal.example");
    pair(folder.path(), "b", "portal.example");
    let http = "http = \"127.0.0.1:8080\"\n";
    for (text, expected) in [
        (String::new(), "listen: there is no address to listen on"),
        (
            format!("{http}redirect = \"127.0.0.1:80\""),
            "listen.redirect: sends everybody to https, where nobody listens",
        ),
        (
            format!("{HTTPS}redirect = \"0.0.0.0:443\""),
            "listen.redirect: 0.0.0.0:443 is taken by listen.https",
        ),
        (
            "http = \"0.0.0.0:9480\"".to_owned(),
            "operations.listen: 127.0.0.1:9480 is taken by listen.http",
        ),
        (HTTPS.replace("a.pem", "no.pem"), "listen.certificate: "),
        (HTTPS.replace("a.key", "b.key"), "b.key: is not the key of "),
        (HTTPS.replace("key = \"a.key\"\n", ""), "listen.key: is missing"),
        (format!("{HTTPS}ocsp_staple = \"a.pem\""), "listen.ocsp_staple: "),
        (
            format!("{HTTPS}[[listen.certificates]]\ncertificate = \"b.pem\"\nkey = \"a.key\""),
            "listen.certificates[0].key: ",
        ),
        (
            format!("{HTTPS}[[listen.certificates]]\nkey = \"a.key\""),
            "listen.certificates[0].certificate: is missing",
        ),
        (format!("{http}unix_mode = \"rw\""), "listen.unix_mode: \"rw\" is no mode of a file"),
        (format!("{http}unix_mode = \"1777\""), "listen.unix_mode: \"1777\" is no mode of a file"),
        (format!("unix = \"{}\"", "x".repeat(108)), "listen.unix: "),
        (format!("{http}workers = 513"), "listen.workers: 513 workers are more"),
        (format!("{http}backlog = 0"), "listen.backlog: is zero"),
        (format!("{http}idle_timeout = \"0s\""), "listen.idle_timeout: is zero"),
        (format!("{http}http2_max_streams = 0"), "listen.http2_max_streams: is zero"),
        (format!("{http}max_header = \"1 KiB\""), "listen.max_header: 1 KiB is not between"),
        (format!("{http}max_target = \"33 KiB\""), "listen.max_target: is more than the whole"),
        (format!("{http}max_header_fields = 1001"), "listen.max_header_fields: 1001 fields"),
        (
            format!("{http}trusted_proxies = [\"10.1.2.3/8\"]"),
            "listen.trusted_proxies[0]: \"10.1.2.3/8\": not a whole network, which would be 10.0",
        ),
    ] {
        let (_, told) = resolved(folder.path(), &text);
        let errors: Vec<_> = told.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.iter().any(|line| line.contains(expected)), "{text}\n{told}");
        assert_eq!(errors.len(), 1, "{text}\n{told}");
    }
}

#[test]
fn what_is_unwise_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    pair(folder.path(), "a", "other.example");
    let http = "http = \"127.0.0.1:8080\"\n";
    let quiet = format!("{HTTPS}hsts = \"0s\"\n");
    for (text, expected) in [
        (HTTPS.to_owned(), "listen.hsts: is not given"),
        (quiet, "listen.certificate: no certificate is for portal.example"),
        (
            format!("{http}proxy_protocol_from = [\"0.0.0.0/0\"]"),
            "listen.proxy_protocol_from[0]: 0.0.0.0/0 is everybody",
        ),
        (
            format!("{http}trusted_proxies = [\"10.0.0.0/8\", \"::/0\"]"),
            "listen.trusted_proxies[1]: ::/0 is everybody",
        ),
        (
            format!("{http}trusted_for = [\"address\", \"scheme\", \"host\"]"),
            "listen.trusted_for: is not used without listen.trusted_proxies",
        ),
        ("http = \"0.0.0.0:8080\"".to_owned(), "listen.http: plain HTTP is offered"),
        (format!("{http}key = \"a.key\""), "listen.key: is not used without listen.https"),
    ] {
        let (listen, told) = resolved(folder.path(), &text);
        assert!(listen.is_some(), "{text}\n{told}");
        assert!(told.contains(expected), "{text}\n{told}");
        assert!(!told.contains("error: "), "{text}\n{told}");
    }
}

/// What an authority needs, and the state folder that goes with it.
const ACME: &str = "https = \"127.0.0.1:443\"\nredirect = \"127.0.0.1:80\"\n[portal]\n\
                    state_directory = \"state\"\n[listen.acme]\n\
                    directory = \"https://authority.example/dir\"\nagree_to_terms = true\n";

#[test]
fn a_certificate_is_ordered_for_the_hosts_of_the_portal_or_for_those_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let ordered = |text: &str| {
        let (listen, told) = resolved(folder.path(), text);
        assert_eq!(told.lines().filter(|line| line.starts_with("error")).count(), 0, "{told}");
        listen.unwrap().https.unwrap().acme.unwrap()
    };
    let settings = ordered(ACME);
    assert_eq!(settings.directory, "https://authority.example/dir");
    assert_eq!(settings.names, ["portal.example"]);
    let more =
        "names = [\"B.example\", \"a.example\", \"b.example\"]\ncontacts = [\"it@a.example\"]\n";
    assert_eq!(ordered(&format!("{ACME}{more}")).names, ["b.example", "a.example"]);
    // Keys are given as authorities give them, with a line end and padding.
    crate::base::private::write(&folder.path().join("account"), b"c2VjcmV0IA==\n").unwrap();
    let more = "external_account = \"kid\"\nexternal_account_key_file = \"account\"\n";
    let (id, key) = ordered(&format!("{ACME}{more}")).external_account.unwrap();
    assert_eq!((&*id, &**key.expose()), ("kid", &b"secret "[..]));
}

#[test]
fn what_an_authority_would_refuse_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    crate::base::private::write(&folder.path().join("account"), b"not base64url!").unwrap();
    for (from, to, key) in [
        ("agree_to_terms = true", "agree_to_terms = false", "listen.acme.agree_to_terms"),
        ("https://authority.example", "http://authority.example", "listen.acme.directory"),
        ("https://authority.example", "http://127.0.0.1", "listen.acme.directory"),
        (
            "https://authority.example",
            "https://me:secret@authority.example",
            "listen.acme.directory",
        ),
        ("https://authority.example/dir", "authority", "listen.acme.directory"),
        ("redirect = \"127.0.0.1:80\"\n", "", "listen.redirect"),
        ("state_directory = \"state\"\n", "", "portal.state_directory"),
        ("true\n", "true\nnames = [\"*.example.pl\"]\n", "listen.acme.names"),
        ("true\n", "true\nnames = [\"10.0.0.1\"]\n", "listen.acme.names"),
        ("true\n", "true\nnames = [\"[::1]\"]\n", "listen.acme.names"),
        ("true\n", "true\nnames = [\"portal\"]\n", "listen.acme.names"),
        ("true\n", "true\nnames = [\"a b.example\"]\n", "listen.acme.names"),
        ("true\n", "true\ncontacts = [\"it\"]\n", "listen.acme.contacts[0]"),
        ("true\n", "true\ncontacts = [\"a@b.c,d@e.f\"]\n", "listen.acme.contacts[0]"),
        ("true\n", "true\nexternal_account = \"a\"\n", "listen.acme.external_account_key_file"),
        (
            "true\n",
            "true\nexternal_account_key_file = \"account\"\n",
            "listen.acme.external_account",
        ),
        (
            "true\n",
            "true\nexternal_account = \"a\"\nexternal_account_key_file = \"account\"\n",
            "listen.acme.external_account_key_file",
        ),
        ("true\n", "true\nextra_ca_file = \"nothing.pem\"\n", "listen.acme.extra_ca_file"),
    ] {
        assert!(ACME.contains(from), "{from}");
        let (_, told) = resolved(folder.path(), &ACME.replace(from, to));
        assert!(told.contains(&format!("{key}: ")) && told.contains("1 error,"), "{to}: {told}");
    }
    // Without a directory the rest is of no use, and nothing is ordered.
    let rest = ACME.replace("directory = \"https://authority.example/dir\"\n", "");
    let (_, told) = resolved(folder.path(), &rest);
    assert!(told.contains("is not used without listen.acme.directory"), "{told}");
    assert!(told.contains("listen.certificate: is missing"), "{told}");
}
