//! What portals answer, and what a client gets of it: a table of bytes beside this file.
//!
//! 1. What is clear comes back as it was meant; what two clients could read in two ways is 502.
//! 2. A body that breaks off is a body that breaks off: never one that looks complete.
//! 3. A connection to a portal on which anything was odd is not used for a further request.
//!
//! | line | meaning |
//! |---|---|
//! | `200 hello` | the client gets that status and body, whole; without a body, an empty one |
//! | `502 upstream.bad_answer` | the client gets that status from the gateway, for that reason |
//! | `broken` | the client gets a beginning, and sees that it is not the whole |
//! | `... or ...` | either one |
//! | `with header n: v`, `without header n` | of what the client gets |
//! | `portal closes` | the portal ends the connection after these bytes |
//! | `kept`, `fresh` | the next request goes over the same connection to the portal, or another |

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::harness::cases::{self, Case, unescape};
use crate::harness::{Answer, End, Gateway, NoAnswer, Plan, Script, Scripted, Wire};

#[test]
fn an_answer_is_passed_on_as_it_was_meant_or_not_at_all() {
    let cases = cases::read(include_str!("answers.txt"));
    let script = cases.iter().enumerate().map(|(number, case)| {
        let closes = case.expected.iter().any(|line| line == "portal closes");
        (format!("/case/{number}"), Scripted { bytes: case.bytes.clone(), closes })
    });
    let portal = Script::start(script.collect());
    let gateway = Plan::before(&portal.url()).start();
    let mut report = String::new();
    let mut wrong = 0;
    for (number, case) in cases.iter().enumerate() {
        let mut wire = gateway.connect();
        let tried = try_case(number, case, &gateway, &portal, &mut wire);
        if let Err(what) = tried {
            wrong += 1;
            let _ = writeln!(report, "  {}\n    {what}", case.name);
        }
    }
    assert!(wrong == 0, "{wrong} of {} cases:\n{report}", cases.len());
}

fn try_case(
    number: usize,
    case: &Case,
    gateway: &Gateway,
    portal: &Script,
    wire: &mut Wire,
) -> Result<(), String> {
    // 1. What the client gets.
    let path = format!("/case/{number}");
    let method = if case.name.starts_with("HEAD") { "HEAD" } else { "GET" };
    let version = if case.name.starts_with("HTTP/1.0 clients") { "1.0" } else { "1.1" };
    wire.send(format!("{method} {path} HTTP/{version}\r\nHost: localhost\r\n\r\n").as_bytes());
    let answer = wire.try_answer(method);
    for line in &case.expected {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "portal" | "kept" | "fresh" => {}
            "with" | "without" => check_header(word, rest, &answer)?,
            _ => check_answer(line, &answer)?,
        }
    }
    // 2. Over which connection the next requests go, and that none of them gets anything else.
    if answer.as_ref().is_ok_and(|answer| answer.end == End::Broken) || version == "1.0" {
        *wire = gateway.connect();
    }
    let next = format!("/after/{number}");
    // More than one: the connection may come back to the pool a moment after the answer ended.
    for _ in 0..3 {
        wire.send(format!("GET {next} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes());
        let after = match wire.try_answer("GET") {
            Err(NoAnswer::Closed) => {
                *wire = gateway.connect();
                wire.get("localhost", &next)
            }
            after => after.map_err(|none| format!("then {none:?}"))?,
        };
        if (after.status, &*after.text()) != (200, "plain") {
            return Err(format!("then {} {}", after.status, after.text()));
        }
    }
    let heard = portal.heard();
    let connection = |path: &str| -> Vec<usize> {
        heard.iter().filter(|heard| heard.path == path).map(|heard| heard.connection).collect()
    };
    let (first, then) = (connection(&path), connection(&next));
    if first.len() != 1 && !case.bytes.is_empty() {
        return Err(format!("the portal was asked {} times", first.len()));
    }
    let kept = then.iter().any(|connection| first.contains(connection));
    let says = |word: &str| case.expected.iter().any(|line| line == word);
    if kept && says("fresh") {
        return Err("the connection to the portal was used again".to_owned());
    }
    if !kept && says("kept") {
        return Err("the connection to the portal was not used again".to_owned());
    }
    Ok(())
}

fn check_answer(line: &str, answer: &Result<Answer, NoAnswer>) -> Result<(), String> {
    let answer = answer.as_ref().map_err(|none| format!("{none:?}"))?;
    let fits = line.split(" or ").any(|expected| {
        let (status, rest) = expected.split_once(' ').unwrap_or((expected, ""));
        if status == "broken" {
            return answer.status == 200 && answer.end == End::Broken;
        }
        let is_own = rest.starts_with("upstream.");
        let said = if is_own { answer.reason() } else { answer.text() };
        answer.status.to_string() == status && answer.end != End::Broken && said == rest
    });
    if fits {
        return Ok(());
    }
    let text = answer.text();
    let text: String = text.chars().take(60).collect();
    Err(format!("{} {} {text:?} {:?}", answer.status, answer.reason(), answer.end))
}

fn check_header(word: &str, rest: &str, answer: &Result<Answer, NoAnswer>) -> Result<(), String> {
    let answer = answer.as_ref().map_err(|none| format!("{none:?}"))?;
    let rest = rest.strip_prefix("header ").expect("with header, or without header");
    let (name, value) = rest.split_once(": ").unwrap_or((rest, ""));
    let value: String = unescape(value).into_iter().map(char::from).collect();
    let found: Vec<_> =
        answer.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value).collect();
    let fits = if word == "with" { found == [&value] } else { found.is_empty() };
    if fits { Ok(()) } else { Err(format!("{name} is {found:?}")) }
}

/// The portal of these tests, without the gateway: what a case sends is what arrives.
#[test]
fn the_portal_sends_what_the_script_says() {
    let scripted = Scripted { bytes: b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec(), closes: true };
    let portal = Script::start(HashMap::from([("/case".to_owned(), scripted)]));
    let mut wire = Wire::connect(portal.address);
    let answer = wire.get("localhost", "/case");
    assert_eq!((&*answer.text(), answer.end), ("hello", End::ByClosing));
    assert_eq!(Wire::connect(portal.address).get("localhost", "/else").text(), "plain");
}
