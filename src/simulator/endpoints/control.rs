//! The control API: JSON for tests and for the curious.
//!
//! 1. Only for clients on the same machine, under a name of the same machine: a page that points
//!    its own name at loopback is refused by `Host`.
//! 2. What changes something needs the header `X-Brama-Control: 1`, which no page of another
//!    origin can send without being asked first, and it is never told yes.

use std::net::IpAddr;

use http::header;
use http::request::Parts;
use hyper::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::json::{finding, names, parse};
use super::message::{answer as send, field, read};
use super::{logins, transport};
use crate::base::body::Body;
use crate::pages::Language;
use crate::server::listener::Peer;
use crate::simulator::Service;
use crate::simulator::bounds::FAULTS;
use crate::simulator::faults::Fault;
use crate::simulator::kit::{Kit, Role};
use crate::simulator::node::Node;
use crate::simulator::people::Way;
use crate::wire::incoming::Incoming;
use crate::xml::keys::Certificate;

/// The header without which nothing is changed.
const CONTROL_HEADER: &str = "x-brama-control";

/// Answers a request under `/control/`.
pub(super) async fn answer(
    node: &Node,
    parts: &Parts,
    body: Incoming,
    peer: &Peer,
) -> Response<Body> {
    if !peer.address.ip().is_loopback() || !is_local_host(field(&parts.headers, header::HOST)) {
        return refuse(StatusCode::FORBIDDEN, "only from the same machine, by a local name");
    }
    let changes = parts.method != Method::GET;
    if changes && parts.headers.get(CONTROL_HEADER).is_none_or(|value| value != "1") {
        return refuse(StatusCode::FORBIDDEN, "the header X-Brama-Control: 1 is missing");
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(status) => return refuse(status, "body cannot be read"),
    };
    match (parts.uri.path(), &parts.method) {
        ("/control/state", &Method::GET) => reply(StatusCode::OK, &state(node)),
        ("/control/requests", &Method::GET) => reply(StatusCode::OK, &requests(node)),
        ("/control/sessions", &Method::GET) => reply(StatusCode::OK, &sessions(node)),
        ("/control/faults", &Method::PUT) => outcome(set_faults(node, &body)),
        ("/control/services", &Method::POST) => outcome(register(node, &body)),
        ("/control/certificates", &Method::GET) => reply(StatusCode::OK, &certificates(node)),
        ("/control/certificates", &Method::POST) => outcome(roll_over(node, &body)),
        ("/control/logins", &Method::GET) => reply(StatusCode::OK, &logins::list(node)),
        ("/control/tls", &Method::PUT) => outcome(transport::set_tls(node, &body)),
        ("/control/schedule", &Method::PUT) => outcome(transport::set_schedule(node, &body)),
        (
            "/control/state"
            | "/control/requests"
            | "/control/sessions"
            | "/control/faults"
            | "/control/services"
            | "/control/certificates"
            | "/control/logins"
            | "/control/tls"
            | "/control/schedule",
            _,
        ) => refuse(StatusCode::METHOD_NOT_ALLOWED, "method is not allowed here"),
        _ => refuse(StatusCode::NOT_FOUND, "there is nothing here"),
    }
}

/// Tells whether a `Host` names the machine itself.
pub(super) fn is_local_host(host: Option<&str>) -> bool {
    let Some(authority) = host.and_then(|host| host.parse::<http::uri::Authority>().ok()) else {
        return false;
    };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_name = |name: &str| name == "localhost" || name.ends_with(".localhost");
    is_name(&name.to_ascii_lowercase())
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn state(node: &Node) -> Value {
    let roster = node.equipment.roster.people();
    let front = &node.equipment.front;
    let state = node.state();
    let people: Vec<Value> = roster
        .list
        .iter()
        .map(|person| {
            json!({
                "key": person.key,
                "given_name": person.given_name,
                "family_name": person.family_name,
                "birthdate": person.birthdate.to_string(),
                "identifier": person.identifier,
                "login": person.login,
                "note": person.note(Language::English),
                "status": person.status.map(|status| status.codes()),
                "way": person.way.map(Way::key),
                "assurance": person.assurance.map(|level| level.to_string()),
                "faults": names(&person.faults),
            })
        })
        .collect();
    let faults: Vec<Value> = Fault::ALL
        .iter()
        .map(|fault| {
            json!({
                "name": fault.name(),
                "kind": fault.kind().name(),
                "description": fault.description(Language::English),
            })
        })
        .collect();
    let services: Vec<Value> = state
        .services
        .iter()
        .map(|registered| {
            let service = &registered.service;
            let signing: Vec<&str> = service.signing.iter().map(Certificate::subject).collect();
            json!({
                "issuer": service.issuer,
                "acs": service.acs,
                "provider_name": service.provider_name,
                "signing": signing,
                "encryption": service.encryption.subject(),
            })
        })
        .collect();
    json!({
        "issuer": node.issuer,
        "sso_url": node.addresses.sso,
        "resolve_url": node.addresses.resolve,
        "logout_url": node.addresses.logout,
        "people": people,
        "persons_problem": roster.trouble.as_deref(),
        "ways": Way::ALL.map(Way::key),
        "faults": faults,
        "services": services,
        "next": names(&state.next),
        "always": names(&state.always),
        "tls": front.tls().map(|fault| fault.to_string()),
        "schedule": front.schedule().map(|schedule| schedule.to_string()),
        "condition": front.condition().to_string(),
        "recorded_logins_left": node.equipment.replay.left(),
    })
}

fn requests(node: &Node) -> Value {
    let state = node.state();
    let requests = state.received.iter().map(|received| {
        json!({
            "kind": received.kind.name(),
            "time": received.time.to_string(),
            "issuer": received.issuer,
            "id": received.id,
            "accepted": received.findings.is_empty(),
            "findings": received.findings.iter().map(finding).collect::<Vec<_>>(),
            "xml": received.xml,
        })
    });
    Value::Array(requests.collect())
}

fn sessions(node: &Node) -> Value {
    let state = node.state();
    let sessions = state.sessions.iter().map(|(index, session)| {
        json!({
            "session_index": index,
            "name_id": session.name_id,
            "person": session.person,
            "service": session.service,
            "since": session.since.to_string(),
        })
    });
    Value::Array(sessions.collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Faults {
    next: Option<Vec<String>>,
    always: Option<Vec<String>>,
}

fn set_faults(node: &Node, body: &[u8]) -> Result<Value, String> {
    let Faults { next, always } = parse(body)?;
    let next = next.as_deref().map(find_faults).transpose()?;
    let always = always.as_deref().map(find_faults).transpose()?;
    let mut state = node.state();
    if let Some(next) = next {
        state.next = next;
    }
    if let Some(always) = always {
        state.always = always;
    }
    Ok(json!({ "next": names(&state.next), "always": names(&state.always) }))
}

fn find_faults(names: &[String]) -> Result<Vec<Fault>, String> {
    if names.len() > FAULTS {
        return Err(format!("more than {FAULTS} faults"));
    }
    names
        .iter()
        .map(|name| Fault::find(name).ok_or_else(|| format!("unknown fault \"{name}\"")))
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registration {
    issuer: String,
    acs: Vec<String>,
    #[serde(default)]
    provider_name: Option<String>,
    signing_certificate: String,
    encryption_certificate: String,
}

fn register(node: &Node, body: &[u8]) -> Result<Value, String> {
    let registration: Registration = parse(body)?;
    let issuer = registration.issuer;
    let broken = |name: &str, error: &dyn std::fmt::Display| format!("{name}: {error}");
    let signing = Certificate::parse_all(registration.signing_certificate.as_bytes())
        .map_err(|error| broken("signing_certificate", &error))?;
    let encryption = Certificate::parse(registration.encryption_certificate.as_bytes())
        .map_err(|error| broken("encryption_certificate", &error))?;
    let service = Service {
        issuer: issuer.clone(),
        acs: registration.acs,
        provider_name: registration.provider_name,
        signing,
        encryption,
    };
    node.register(service).map_err(|error| error.to_string())?;
    Ok(json!({ "issuer": issuer }))
}

/// What the node signs with, and what it is going to sign with.
fn certificates(node: &Node) -> Value {
    let pem = |kit: &Kit| kit.pair(Role::NodeSigning).certificate_pem();
    json!({
        "used": pem(&node.keys.kit()),
        "announced": node.keys.announced().map(|kit| pem(&kit)),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollOver {
    step: Step,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    /// Makes a certificate, which is not used yet.
    Announce,
    /// Uses what was announced.
    Change,
}

fn roll_over(node: &Node, body: &[u8]) -> Result<Value, String> {
    let RollOver { step } = parse(body)?;
    match step {
        Step::Announce => node.announce().map_err(|error| error.to_string())?,
        Step::Change if node.keys.change().map_err(|error| error.to_string())? => {}
        Step::Change => return Err("no certificate was announced".to_owned()),
    }
    Ok(certificates(node))
}

fn outcome(result: Result<Value, String>) -> Response<Body> {
    match result {
        Ok(value) => reply(StatusCode::OK, &value),
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error),
    }
}

fn refuse(status: StatusCode, error: &str) -> Response<Body> {
    reply(status, &json!({ "error": error }))
}

fn reply(status: StatusCode, value: &Value) -> Response<Body> {
    send(status, "application/json", value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_local_only_by_its_own_names() {
        for local in
            ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.8.9.1", "[::1]:1", "a.localhost:2"]
        {
            assert!(is_local_host(Some(local)), "{local}");
        }
        for other in
            ["", "example.com", "localhost.example.com", "10.0.0.1", "evil@localhost.test", "[::2]"]
        {
            assert!(!is_local_host(Some(other)), "{other}");
        }
        assert!(!is_local_host(None));
    }
}
