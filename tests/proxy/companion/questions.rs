//! What is taken for a question: each value from its one place, exactly once, and nothing that
//! contradicts it.

use super::{Asked, OVER_HTTP, Question, words};

fn is_refused(status: u16) -> bool {
    (400..500).contains(&status)
}

#[test]
fn a_path_that_two_servers_could_read_in_two_ways_gets_no_yes_at_any_door() {
    let asked = Asked::start(&[("/", "required", ""), ("/public", "public", "")]);
    for door in OVER_HTTP {
        for target in [
            "/public/../private",
            "/public/%2e%2e/private",
            "/public/..%2fprivate",
            "/public/..;/private",
            "/public/..%5cprivate",
            "/public/..\\private",
            "/public/%252e%252e/private",
            "//public/x",
            "/public//x",
            "/public%2fx",
            "/public/%00",
            "/public/x#/../../private",
            "/public/%zz",
            "public",
            "*",
            "http://localhost/public",
            "/public/\u{7f}",
        ] {
            let answer = asked.ask(door, Question::script(target), "");
            assert!(is_refused(answer.status), "{door} {target}: {}", answer.status);
        }
        // Whole segments, and never the query.
        for target in ["/publicx", "/private?x=/public", "/private;/public", "/Public"] {
            let answer = asked.ask(door, Question::script(target), "");
            assert_eq!(answer.status, 401, "{door} {target}");
        }
        for target in ["/public", "/public/", "/public/x;y=1", "/%70ublic", "/public?x=/../private"]
        {
            let answer = asked.ask(door, Question::script(target), "");
            assert_eq!(answer.status, 200, "{door} {target}: {}", answer.text());
        }
    }
}

#[test]
fn a_host_is_read_in_one_way() {
    let asked = Asked::start(&[("/", "public", "")]);
    for door in OVER_HTTP {
        for (host, expected) in [
            ("localhost", 200),
            ("LocalHost", 200),
            ("localhost.", 200),
            ("localhost:8443", 200),
            ("other.example", 404),
            ("localhost.evil.example", 404),
            ("localhost, other.example", 400),
            ("localhost@other.example", 400),
            ("other.example@localhost", 400),
            ("local host", 400),
        ] {
            let expected = if expected > 400 && door.contains("nginx") { 403 } else { expected };
            let status = asked.ask(door, Question::script("/").at(host), "").status;
            let is_as_expected = match expected {
                400 => is_refused(status),
                expected => status == expected,
            };
            assert!(is_as_expected, "{door} {host}: {status}");
        }
    }
}

#[test]
fn each_value_is_there_exactly_once() {
    let asked = Asked::start(&[("/", "public", "")]);
    for door in OVER_HTTP {
        let whole = words(door, Question::script("/a"), "");
        assert_eq!(asked.send(door, &whole, "GET").status, 200, "{door}");
        let lines: Vec<&str> = whole.split("\r\n").collect();
        for line in &lines {
            let name = line.split(':').next().unwrap();
            if !name.starts_with("X-") {
                continue;
            }
            let without = whole.replace(&format!("{line}\r\n"), "");
            let status = asked.send(door, &without, "GET").status;
            assert!(is_refused(status), "{door} without {name}: {status}");
            let empty = whole.replace(line, &format!("{name}: "));
            let status = asked.send(door, &empty, "GET").status;
            assert!(is_refused(status), "{door} with an empty {name}: {status}");
            // Of addresses there may be many, and the last one counts.
            if name == "X-Forwarded-For" {
                continue;
            }
            let twice = whole.replace(line, &format!("{line}\r\n{name}: x"));
            let status = asked.send(door, &twice, "GET").status;
            assert!(is_refused(status), "{door} with two of {name}: {status}");
        }
    }
}

#[test]
fn headers_of_other_proxies_may_say_the_same_and_nothing_else() {
    let asked = Asked::start(&[("/", "public", "")]);
    for door in OVER_HTTP {
        let about = Question::script("/a?b=1");
        for (line, is_same) in [
            ("X-Rewrite-URL: /a?b=1", true),
            ("X-Rewrite-URL: /a", false),
            ("X-Rewrite-URL: http://localhost/a?b=1", true),
            ("X-Rewrite-URL: https://evil.example/a?b=1", false),
            ("X-Forwarded-Scheme: http", true),
            ("X-Forwarded-Scheme: https", false),
            ("X-Scheme: https", false),
            ("Forwarded: for=1.2.3.4", true),
            ("Forwarded: for=1.2.3.4;host=localhost;proto=http", true),
            ("Forwarded: host=evil.example", false),
            ("Forwarded: proto=https", false),
            ("Forwarded: \"", false),
        ] {
            let status = asked.ask(door, about, &format!("{line}\r\n")).status;
            assert_eq!(status == 200, is_same, "{door} {line}: {status}");
        }
    }
    for (door, lines) in [
        ("nginx", ["X-Forwarded-Uri: /b", "X-Original-URL: http://localhost/b"]),
        ("haproxy", ["X-Forwarded-Host: evil.example", "X-Forwarded-Method: POST"]),
        ("ingress-nginx", ["X-Original-URI: /b", "X-Forwarded-Host: evil.example"]),
        ("traefik", ["X-Original-URI: /b", "X-Original-Method: POST"]),
        ("caddy", ["X-Original-URL: /b", "X-Original-Host: evil.example"]),
        ("envoy", ["X-Forwarded-Uri: /b", "X-Forwarded-Method: POST"]),
    ] {
        for line in lines {
            let answer = asked.ask(door, Question::script("/a"), &format!("{line}\r\n"));
            assert!(is_refused(answer.status), "{door} {line}: {}", answer.status);
            assert_eq!(answer.reason(), "companion.conflict", "{door} {line}");
        }
    }
}

#[test]
fn the_log_names_the_header_that_is_missing_or_says_something_else() {
    let asked = Asked::start(&[("/", "public", "")]);
    asked.ask("traefik", Question::script("/a"), "X-Original-URL: /b\r\n");
    asked.gateway.has_said(&["companion.conflict", "x-original-url", "take that header away"]);
    let whole = words("nginx", Question::script("/a"), "");
    asked.send("nginx", &whole.replace("X-Original-Host", "X-Another"), "GET");
    asked.gateway.has_said(&["companion.header", "x-original-host", "must set it"]);
}

#[test]
fn nothing_else_is_at_the_listener_of_a_door() {
    let asked = Asked::start(&[("/", "public", "")]);
    for door in OVER_HTTP {
        let question = words(door, Question::script("/a"), "");
        let (_, fields) = question.split_once("\r\n").unwrap();
        for path in [
            "/",
            "/healthz",
            "/metrics",
            "/.brama/jwks.json",
            "/.brama/login",
            "/authz",
            "/authz/auth-requests",
            "/authz/ext-authzz/a",
            "/authz/auth-request/../../healthz",
            "/authz/ext-authz",
        ] {
            let status =
                asked.send(door, &format!("GET {path} HTTP/1.1\r\n{fields}"), "GET").status;
            assert!(is_refused(status), "{door} {path}: {status}");
        }
    }
}

/// The proxy that shows such a header to us shows it to the portal, too.
#[test]
fn what_a_client_says_of_itself_is_refused_unless_the_operator_gives_it_back() {
    let told = "identity = [\"assertion\", \"headers\"]\n\
                identity_headers = { fields = [\"X-Citizen-Id: subject\"] }";
    let asked = Asked::start_with(&[("/", "public", told)], |plan| {
        plan.environment("BRAMA__IDENTITY__PASS_HEADERS", "[\"X-Remote-User\"]")
    });
    for door in OVER_HTTP {
        for (name, passes) in [
            ("Shib-Session-ID", false),
            ("Remote-User", false),
            ("REMOTE_USER", false),
            ("X-Forwarded-User", false),
            ("Cf-Access-Jwt-Assertion", false),
            ("X-Client-Cert", false),
            ("X-Citizen-Id", false),
            ("X_Citizen.Id", false),
            ("X-Remote-User", true),
            ("X-Citizens", true),
            ("Authorization", true),
        ] {
            let line = format!("{name}: somebody\r\n");
            let answer = asked.ask(door, Question::script("/"), &line);
            assert_eq!(answer.status == 200, passes, "{door} {name}: {}", answer.status);
            if !passes {
                assert_eq!(answer.reason(), "companion.conflict", "{door} {name}");
            }
        }
    }
}
