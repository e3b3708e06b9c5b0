//! The access log: what is in it, and what never is.

use std::fs;
use std::path::PathBuf;

use http::Method;
use tempfile::TempDir;

use crate::harness::{World, world};

/// A world whose access log goes into a file, and the file.
async fn noted(more: &str) -> (World, PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let lines = format!("[log]\naccess_file = \"{}\"\n{more}", file.display());
    (world().with(&lines).with_settings(|_| ()).start().await, file, folder)
}

/// Stops the gateway, which writes what waits, and reads the lines.
async fn lines(mut world: World, file: &PathBuf) -> Vec<String> {
    world.tell_to_stop();
    world.stopped().await;
    fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_request_has_one_line_with_what_became_of_it() {
    let (world, file, _folder) = noted("").await;
    let mut browser = world.browser();
    browser.sign_in("/tax?pesel=44051401359", "anna").await;
    let headers = [("x-request-id", "mine"), ("x-forwarded-for", "6.6.6.6")];
    browser.fetch_with(Method::POST, "/public/a?name=typed", &headers, "body").await;
    let number = world.last_seen().header("x-request-id").unwrap().to_owned();
    browser.fetch("/public/a;/../b").await;
    browser.fetch("/.brama/jwks.json").await;
    let secrets = [
        browser.session_cookie().unwrap().0,
        world.last_seen().header("x-request-id").unwrap().to_owned(),
    ];
    let lines = lines(world, &file).await;

    let read = |line: &String| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let find = |path: &str| {
        let found = lines.iter().map(read).find(|line| line["path"] == path);
        found.unwrap_or_else(|| panic!("{path} is not in {lines:?}"))
    };
    let passed = find("/public/a");
    for (field, value) in [
        ("message", "request"),
        ("request", number.as_str()),
        ("client", "127.0.0.0"),
        ("method", "POST"),
        ("host", "localhost"),
        ("protocol", "HTTP/1.1"),
        ("route", "/public"),
    ] {
        assert_eq!(passed[field], value, "{field}");
    }
    assert_eq!(
        (&passed["status"], &passed["received"], &passed["sent"]),
        (&200.into(), &4.into(), &6.into())
    );
    assert_eq!(passed["tls"], false);
    assert!(passed["upstream"].as_str().unwrap().starts_with("portal/127.0.0.1:"));
    assert!(passed["first_byte"].is_u64() && passed["microseconds"].is_u64());
    assert_eq!(find("/.brama/jwks.json")["upstream"], serde_json::Value::Null);
    let all = lines.join("\n");
    for secret in [&secrets[0], "44051401359", "typed", "pesel", "Anna", "6.6.6.6", "127.0.0.1\""] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
}

#[tokio::test]
async fn a_refusal_has_its_reason_and_begins_no_line_of_its_own() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (world, file, _folder) = noted("access_query = true\naccess_addresses = \"off\"\n").await;
    let address = world.origin.replace("http://localhost", "127.0.0.1");
    for target in ["/a%0d%0a%22x/..", "/public?a=\\}"] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
    let lines = lines(world, &file).await;
    let lines: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["status"], 400);
    assert_eq!(lines[0]["reason"], "request.ambiguous_path");
    assert_eq!(lines[0]["client"], serde_json::Value::Null);
    assert_eq!((&lines[1]["status"], &lines[1]["query"]), (&200.into(), &"a=\\}".into()));
}

#[tokio::test]
async fn the_combined_format_is_there_for_tools_that_know_it() {
    let (world, file, _folder) = noted("access = \"combined\"\n").await;
    let headers = [("user-agent", "agent \"1\""), ("referer", "http://localhost/x?typed=1")];
    world.browser().fetch_with(Method::GET, "/public?q=1", &headers, "").await;
    let lines = lines(world, &file).await;
    assert!(lines[0].starts_with("127.0.0.0 - - ["), "{lines:?}");
    let end = "\"GET /public HTTP/1.1\" 200 6 \"http://localhost/x\" \"agent \\x221\\x22\"";
    assert!(lines[0].ends_with(end), "{lines:?}");
}
