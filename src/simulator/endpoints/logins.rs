//! The last logins: pages, their messages as they were, and JSON.

use http::header::{CONTENT_SECURITY_POLICY, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::json::{finding, names};
use super::message::{answer, page};
use crate::base::body::Body;
use crate::pages::Language;
use crate::simulator::logins::{Login, Message};
use crate::simulator::node::Node;
use crate::simulator::pages;

/// Answers what is below `/logins`: the list, one login by number, one of its messages.
pub(super) fn show(node: &Node, path: &str, language: Language) -> Response<Body> {
    let state = node.state();
    let rest = path.strip_prefix(pages::LOGINS_PATH).unwrap_or_default().trim_start_matches('/');
    if rest.is_empty() {
        return page(StatusCode::OK, pages::logins(language, &state.logins));
    }
    let (number, message) = match rest.split_once('/') {
        Some((number, message)) => (number, Some(message)),
        None => (rest, None),
    };
    let login = number.parse().ok().and_then(|number| state.logins.find(number));
    let found = match (login, message) {
        (Some(login), None) => Some(page(StatusCode::OK, pages::login(language, login))),
        (Some(login), Some(index)) => {
            let index = index.parse::<usize>().ok();
            index.and_then(|index| login.messages.get(index)).map(raw)
        }
        (None, _) => None,
    };
    found.unwrap_or_else(|| page(StatusCode::NOT_FOUND, pages::not_found(language)))
}

/// A message byte by byte. It says what a stranger likes, so it is text and nothing else.
fn raw(message: &Message) -> Response<Body> {
    let bytes = message.bytes.clone();
    let mut response = answer(StatusCode::OK, "text/plain; charset=utf-8", bytes);
    let policy = HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'");
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// Lists the last logins for programs, oldest first.
pub(super) fn list(node: &Node) -> Value {
    node.state().logins.iter().map(entry).collect()
}

fn entry(login: &Login) -> Value {
    let messages = login.messages.iter().map(|message| {
        json!({
            "name": message.name,
            "time": message.time.to_string(),
            "findings": message.findings.iter().map(finding).collect::<Vec<_>>(),
            "bytes": message.length,
            "xml": String::from_utf8_lossy(&message.bytes),
        })
    });
    let choice = login.choice.as_ref();
    json!({
        "number": login.number,
        "time": login.since.to_string(),
        "service": login.service,
        "who": choice.map(|choice| &choice.who),
        "way": choice.map(|choice| choice.way.key()),
        "assurance": choice.map(|choice| choice.assurance.to_string()),
        "faults": choice.map(|choice| names(&choice.faults)),
        "replayed": choice.map(|choice| choice.is_replayed),
        "messages": messages.collect::<Vec<_>>(),
    })
}
