//! Addresses in the headers of answers: what a portal says of itself, as a client must read it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use tempfile::TempDir;

use crate::harness::curl::curl;
use crate::harness::tools::{self, Tool};
use crate::harness::{Answer, Gateway, Nginx, Plan, Script, Scripted, Tomcat, free_address};

/// What a portal answers, by path, each with these lines in its head.
fn portal(answers: &[(&str, &str, &str)]) -> Script {
    let scripted = answers.iter().map(|(path, status, lines)| {
        let head = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: 0\r\n\r\n");
        ((*path).to_owned(), Scripted { bytes: head.into_bytes(), closes: false })
    });
    Script::start(scripted.collect::<HashMap<_, _>>())
}

fn get(gateway: &Gateway, path: &str) -> Answer {
    gateway.connect().get(&gateway.host(), path)
}

fn all<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let of_name = answer.headers.iter().filter(|(found, _)| found == name);
    of_name.map(|(_, value)| &**value).collect()
}

#[test]
fn prefixes_that_were_moved_are_moved_back() {
    let lines = "Location: /form?q=/form\r\nContent-Location: /form/1#x\r\n\
        Refresh: 5; URL='/next'\r\nSet-Cookie: a=/; Path=/\r\n\
        Set-Cookie: b=1; path=/form; Secure\r\nSet-Cookie: c=1\r\nSet-Cookie: __Host-d=1; Path=/\r\n";
    let portal = portal(&[
        ("/x", "302", lines),
        ("/page", "200", lines),
        ("/aware", "302", "Location: /tax/form\r\nSet-Cookie: a=1; Path=/tax\r\n"),
        ("/else", "302", "Location: https://elsewhere.example/x\r\nSet-Cookie: a=1; Path=form\r\n"),
        ("/relative", "303", "Location: form?x\r\n"),
        ("/net", "302", "Location: //evil.example/x\r\n"),
    ]);
    let plan = Plan::empty()
        .upstream("portal", &portal.url())
        .route("/tax", "portal", "public")
        .with("strip_prefix = \"/tax\"")
        .route("/raw", "portal", "public")
        .with("strip_prefix = \"/raw\"\nrewrite_responses = false");
    let gateway = plan.start();
    for path in ["/tax/x", "/tax/page"] {
        let answer = get(&gateway, path);
        assert_eq!(answer.header("location"), Some("/tax/form?q=/form"), "{path}");
        assert_eq!(answer.header("content-location"), Some("/tax/form/1#x"));
        assert_eq!(answer.header("refresh"), Some("5; URL='/tax/next'"));
        assert_eq!(
            all(&answer, "set-cookie"),
            ["a=/; Path=/tax", "b=1; path=/tax/form; Secure", "c=1", "__Host-d=1; Path=/"]
        );
    }
    for (path, location) in [
        ("/tax/aware", "/tax/form"),
        ("/tax/else", "https://elsewhere.example/x"),
        ("/tax/relative", "form?x"),
        ("/tax/net", "//evil.example/x"),
        // A route that wants none of it.
        ("/raw/x", "/form?q=/form"),
    ] {
        assert_eq!(get(&gateway, path).header("location"), Some(location), "{path}");
    }
    assert_eq!(all(&get(&gateway, "/tax/aware"), "set-cookie"), ["a=1; Path=/tax"]);
    assert_eq!(all(&get(&gateway, "/tax/else"), "set-cookie"), ["a=1; Path=form"]);
    assert_eq!(all(&get(&gateway, "/raw/x"), "set-cookie")[0], "a=/; Path=/");
}

#[test]
fn the_portals_own_address_becomes_the_public_one_and_no_other_does() {
    let plan = Plan::empty();
    let public = format!("http://localhost:{}", plan.address().port());
    let other = portal(&[]).address.port();
    let inner = free_address();
    speaks_of_itself(inner, other);
    let plan = plan.upstream("portal", &format!("http://{inner}"));
    let gateway = plan.route("/", "portal", "public").start();
    for (path, location) in [
        ("/server", format!("{public}/x?q#f")),
        ("/name", format!("{public}/x")),
        ("/bare", format!("{public}/")),
        ("/created", format!("{public}/x")),
        ("/refresh", format!("0;url=http://127.0.0.1:{}/x", inner.port())),
        ("/other", format!("http://127.0.0.1:{other}/x")),
        ("/usual", "http://localhost/x".to_owned()),
        ("/user", format!("http://a@127.0.0.1:{}/x", inner.port())),
        ("/scheme", format!("ftp://127.0.0.1:{}/x", inner.port())),
        ("/lookalike", format!("http://127.0.0.1.evil.example:{}/x", inner.port())),
    ] {
        let answer = get(&gateway, path);
        let found = answer.header("location").or(answer.header("refresh"));
        assert_eq!(found, Some(&*location), "{path}");
    }
}

/// Starts a portal at an address that its answers name.
fn speaks_of_itself(address: SocketAddr, other: u16) {
    let listener = TcpListener::bind(address).unwrap();
    let port = address.port();
    // It ends with the process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            lines.find(|line| line.as_ref().is_ok_and(String::is_empty));
            let (status, line) = match first.split(' ').nth(1).unwrap_or_default() {
                "/server" => (302, format!("Location: http://127.0.0.1:{port}/x?q#f")),
                "/name" => (302, format!("Location: https://LocalHost:{port}/x")),
                "/bare" => (302, format!("Location: //127.0.0.1:{port}")),
                "/created" => (201, format!("Location: http://localhost:{port}/x")),
                // Not where a browser is led on by the status.
                "/refresh" => (200, format!("Refresh: 0;url=http://127.0.0.1:{port}/x")),
                "/other" => (302, format!("Location: http://127.0.0.1:{other}/x")),
                "/usual" => (302, "Location: http://localhost/x".to_owned()),
                "/user" => (302, format!("Location: http://a@127.0.0.1:{port}/x")),
                "/scheme" => (302, format!("Location: ftp://127.0.0.1:{port}/x")),
                _ => (302, format!("Location: http://127.0.0.1.evil.example:{port}/x")),
            };
            let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
            let _ = write!(stream, "HTTP/1.1 {status} X\r\n{line}\r\n{rest}");
        }
    });
}

#[test]
fn nginx_redirects_to_the_public_port_and_not_to_its_own() {
    if !tools::has(&[Tool::Nginx, Tool::Curl]) {
        return;
    }
    let nginx =
        Nginx::start("location = /app/old { return 301 /app/new; } location / { return 200 new; }");
    for (lines, path, target) in [
        ("", "/app/old", "/app/new"),
        ("strip_prefix = \"/tax\"", "/tax/app/old", "/tax/app/new"),
        ("add_prefix = \"/app\"", "/old", "/new"),
        ("host_header = \"upstream\"", "/app/old", "/app/new"),
    ] {
        let plan = Plan::empty().upstream("portal", &nginx.url);
        let route = if lines.contains("strip") { "/tax" } else { "/" };
        let gateway = plan.route(route, "portal", "public").with(lines).start();
        let answer = get(&gateway, path);
        let expected = gateway.url(target);
        assert_eq!(answer.header("location"), Some(&*expected), "{lines}");
        assert_eq!(curl(&gateway, &["--location", path]).is_fine_over("1.1").text(), "new");
    }
}

#[test]
fn an_application_below_a_path_of_its_own_keeps_its_session() {
    if !tools::has(&[Tool::Tomcat, Tool::Curl]) {
        return;
    }
    let to = |target: &str| format!("<% session.getId(); response.sendRedirect({target}); %>");
    let inner =
        "\"http://\" + request.getLocalAddr() + \":\" + request.getLocalPort() + \"/app/home\"";
    let tomcat = Tomcat::start(&[
        ("/home", "<%= session.getId() %>"),
        // A client without a cookie gets the session in the path too.
        ("/x", &to("response.encodeRedirectURL(\"/app/home?from=here\")")),
        ("/relative", &to("\"home?from=here\"")),
        ("/absolute", &to(inner)),
    ]);
    for (route, lines) in [
        ("/", "add_prefix = \"/app\""),
        ("/tax", "strip_prefix = \"/tax\"\nadd_prefix = \"/app\""),
        ("/", "add_prefix = \"/app\"\nhost_header = \"upstream\""),
    ] {
        let plan = Plan::empty().upstream("portal", &tomcat.url);
        let gateway = plan.route(route, "portal", "public").with(lines).start();
        let prefix = route.trim_end_matches('/');
        let paths = ["/x", "/", "/relative", "/absolute", "/home"];
        let sessions = paths_in_turn(&gateway, &paths.map(|path| format!("{prefix}{path}")));
        assert!(sessions.iter().all(|session| *session == sessions[0]), "{lines}: {sessions:?}");
        assert!(!sessions[0].trim().is_empty(), "{lines}");
        let answer = get(&gateway, &format!("{prefix}/folder"));
        let location = answer.header("location").unwrap_or_default();
        assert!(location.ends_with(&format!("{prefix}/folder/")), "{location}");
        assert!(!location.contains("/app"), "{location}");
    }
    // As it comes, the cookie is for a path that no client knows.
    let plan = Plan::empty().upstream("portal", &tomcat.url).route("/", "portal", "public");
    let gateway = plan.with("add_prefix = \"/app\"\nrewrite_responses = false").start();
    let sessions = paths_in_turn(&gateway, &["/home", "/home"].map(str::to_owned));
    assert_ne!(sessions[0], sessions[1]);
}

/// What a browser reads at these paths, one after another, with the cookies that it got.
fn paths_in_turn(gateway: &Gateway, paths: &[String]) -> Vec<String> {
    let folder = TempDir::new().unwrap();
    let jar = folder.path().join("jar");
    fs::write(&jar, "").unwrap();
    let jar = jar.to_str().unwrap();
    let read = |path: &String| {
        let options = ["--location", "--cookie", jar, "--cookie-jar", jar, path];
        curl(gateway, &options).is_fine_over("1.1").text()
    };
    paths.iter().map(read).collect()
}
