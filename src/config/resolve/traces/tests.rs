//! Tests of what is said of traces, and of what is wrong with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::base::clock::Clock as _;
use crate::base::clock::SystemClock;
use crate::config;
use crate::config::resolve::context::Context;
use crate::observe::traces::{Protocol, Settings};

/// Resolves `[traces]` with these lines; also what is wrong.
fn resolved(folder: &Path, lines: &str) -> (Option<Settings>, String) {
    let path = folder.join("brama.toml");
    fs::write(&path, format!("[traces]\n{lines}\n")).unwrap();
    let loaded = config::load(&path, std::iter::empty()).unwrap();
    let mut context = Context::new(&loaded, SystemClock.now());
    let settings = super::resolve(&mut context);
    (settings, context.problems.to_string())
}

#[test]
fn without_a_word_there_are_no_traces() {
    let folder = tempfile::tempdir().unwrap();
    let (settings, told) = resolved(folder.path(), "");
    let settings = settings.unwrap();
    assert!(!settings.propagates && settings.export.is_none(), "{told}");
    for (lines, expected) in [("", 0.01), ("sample_one_in = 1", 1.0), ("sample_one_in = 0", 0.0)] {
        let sampling = resolved(folder.path(), lines).0.unwrap().sampling;
        assert!((sampling - expected).abs() < 1e-9, "{lines}");
    }
}

#[test]
fn an_address_says_host_port_and_path() {
    let folder = tempfile::tempdir().unwrap();
    for (lines, protocol, (host, port), authority, path) in [
        (
            "endpoint = 'http://localhost:4318'",
            Protocol::Http,
            ("localhost", 4318),
            "localhost:4318",
            "/v1/traces",
        ),
        (
            "endpoint = 'http://127.0.0.1:4318/otlp'",
            Protocol::Http,
            ("127.0.0.1", 4318),
            "127.0.0.1:4318",
            "/otlp",
        ),
        (
            "endpoint = 'http://[::1]:4317/'\nprotocol = 'grpc'",
            Protocol::Grpc,
            ("::1", 4317),
            "[::1]:4317",
            "/",
        ),
        (
            "endpoint = 'http://localhost'",
            Protocol::Http,
            ("localhost", 80),
            "localhost",
            "/v1/traces",
        ),
    ] {
        let (settings, told) = resolved(folder.path(), lines);
        let export = settings.unwrap_or_else(|| panic!("{told}")).export.unwrap();
        assert_eq!(export.protocol, protocol);
        assert_eq!((export.host.as_str(), export.port), (host, port));
        assert_eq!((export.authority.as_str(), export.path.as_str()), (authority, path));
        let said = |name: &str| export.resource.iter().any(|(key, _)| key == name);
        assert!(
            ["service.name", "service.version", "service.instance.id"]
                .iter()
                .all(|name| said(name))
        );
    }
}

#[test]
fn what_is_wrong_is_told_by_its_key() {
    let folder = tempfile::tempdir().unwrap();
    for (lines, key) in [
        ("endpoint = 'http://localhost:4318'\nresource = ['a']", "traces.resource"),
        ("endpoint = 'http://localhost:4318'\nresource = ['a: ']", "traces.resource"),
        ("endpoint = 'collector:4318'", "traces.endpoint"),
        ("endpoint = 'http://collector.example:4318'", "traces.endpoint"),
        ("endpoint = 'http://me:secret@localhost:4318'", "traces.endpoint"),
        ("endpoint = 'http://localhost:4318/?token=secret'", "traces.endpoint"),
        ("endpoint = 'http://localhost:4318'\ntimeout = '0s'", "traces.timeout"),
        ("endpoint = 'http://localhost:4318'\nheaders_file = 'no-such'", "traces.headers_file"),
        ("endpoint = 'https://localhost:4318'\nsystem_roots = false", "traces.system_roots"),
    ] {
        let (_, told) = resolved(folder.path(), lines);
        assert!(told.contains(key), "{lines}: {told}");
        assert!(!told.contains("secret"), "{told}");
    }
    let (settings, told) = resolved(folder.path(), "extra_ca_file = 'ca.pem'");
    assert!(settings.is_some() && told.contains("is not used without traces.endpoint"), "{told}");
}

#[test]
fn headers_are_a_secret_of_lines() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "endpoint = 'http://localhost:4318'\nheaders_file = 'headers'\n\
                 resource = ['service.name: gate']";
    let file = folder.path().join("headers");
    for (text, count) in [
        ("authorization: Bearer abc\nx-tenant: 7\n", Some(2)),
        ("\n\nauthorization:Bearer abc", Some(1)),
        ("", Some(0)),
        ("secret", None),
        ("host: secret", None),
        ("content-length: 1", None),
        ("a b: secret", None),
        ("x: \u{1}secret", None),
        (&"x: secret\n".repeat(17), None),
    ] {
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let (settings, told) = resolved(folder.path(), lines);
        let export = settings.and_then(|settings| settings.export);
        assert_eq!(export.as_ref().map(|export| export.headers.len()), count, "{text:?}: {told}");
        assert!(!told.contains("secret"), "{told}");
        if let Some(export) = export {
            assert!(export.headers.iter().all(|(_, value)| value.is_sensitive()));
            assert!(!format!("{export:?}").contains("Bearer"));
            let named: Vec<_> =
                export.resource.iter().filter(|(key, _)| key == "service.name").collect();
            assert_eq!(named.len(), 1);
            assert_eq!(named[0].1, "gate");
        }
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(resolved(folder.path(), lines).1.contains("traces.headers_file"));
}
