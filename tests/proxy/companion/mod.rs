//! Other proxies ask whether a request may pass: what each door takes for a question, and what it
//! answers. The questions are written by hand here, so that they can be wrong in every way.

mod answers;
mod envoy;
mod fronts;
mod grpc;
mod questions;
mod strangers;

use std::net::SocketAddr;

use crate::harness::{Answer, Gateway, Plan, Simulator, Wire, free_address, sign_in};

/// A gateway that proxies ask, with a citizen who is signed in.
pub(super) struct Asked {
    pub(super) gateway: Gateway,
    pub(super) cookie: String,
    doors: Vec<(&'static str, SocketAddr)>,
    _simulator: Simulator,
}

/// One question: what is asked about, and what else the front passes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) method: &'q str,
    pub(super) target: &'q str,
    pub(super) host: &'q str,
    pub(super) fields: &'q str,
}

impl<'q> Question<'q> {
    /// A browser goes to a page.
    pub(super) fn navigation(target: &'q str) -> Self {
        let fields = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\
                      Sec-Fetch-Site: none\r\n";
        Self { method: "GET", target, host: "localhost", fields }
    }

    /// A script asks for something.
    pub(super) fn script(target: &'q str) -> Self {
        let fields = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n\
                      Sec-Fetch-Site: same-origin\r\n";
        Self { method: "GET", target, host: "localhost", fields }
    }

    pub(super) fn by(self, method: &'q str) -> Self {
        Self { method, ..self }
    }

    pub(super) fn at(self, host: &'q str) -> Self {
        Self { host, ..self }
    }
}

/// The proxies that ask over HTTP.
pub(super) const OVER_HTTP: [&str; 6] =
    ["nginx", "ingress-nginx", "haproxy", "traefik", "caddy", "envoy"];

impl Asked {
    /// Routes: a path, who may, and lines of its own.
    pub(super) fn start(routes: &[(&str, &str, &str)]) -> Self {
        Self::start_with(routes, |plan| plan)
    }

    pub(super) fn start_with(routes: &[(&str, &str, &str)], change: impl Fn(Plan) -> Plan) -> Self {
        let doors: Vec<_> = OVER_HTTP.into_iter().map(|name| (name, free_address())).collect();
        let mut plan = Plan::empty();
        for (name, address) in &doors {
            plan = plan.companion(name, &format!("listen = \"{address}\""));
        }
        for (path, access, lines) in routes {
            plan = plan.permitted(path, access).with(lines);
        }
        let plan = change(plan);
        let simulator = Simulator::start(plan.address());
        let gateway = plan.node(&simulator).start();
        let cookie = format!("Cookie: {}\r\n", sign_in(&gateway, "anna"));
        Self { gateway, cookie, doors, _simulator: simulator }
    }

    pub(super) fn door(&self, name: &str) -> SocketAddr {
        self.doors.iter().find(|(door, _)| *door == name).unwrap().1
    }

    /// Sends bytes to a door.
    pub(super) fn send(&self, door: &str, bytes: &str, method: &str) -> Answer {
        let mut wire = Wire::connect(self.door(door));
        wire.send(bytes.as_bytes());
        wire.answer(method)
    }

    /// Asks as a proxy of that kind does.
    pub(super) fn ask(&self, door: &str, question: Question<'_>, more: &str) -> Answer {
        let text = words(door, question, more);
        let method = if door == "envoy" { question.method } else { "GET" };
        self.send(door, &text, method)
    }
}

/// What a proxy of that kind writes to ask.
pub(super) fn words(door: &str, question: Question<'_>, more: &str) -> String {
    let Question { method, target, host, fields } = question;
    let client = "X-Forwarded-For: 192.0.2.7\r\n";
    match door {
        "nginx" | "haproxy" => format!(
            "GET /authz/auth-request HTTP/1.1\r\nHost: brama\r\nX-Original-Method: {method}\r\n\
             X-Original-URI: {target}\r\nX-Original-Host: {host}\r\nX-Forwarded-Proto: http\r\n\
             {client}{fields}{more}\r\n"
        ),
        "ingress-nginx" => format!(
            "GET /authz/auth-request HTTP/1.1\r\nHost: brama\r\nX-Original-Method: {method}\r\n\
             X-Original-URL: http://{host}{target}\r\n{client}{fields}{more}\r\n"
        ),
        "traefik" | "caddy" => format!(
            "GET /authz/forward-auth HTTP/1.1\r\nHost: brama\r\nX-Forwarded-Method: {method}\r\n\
             X-Forwarded-Uri: {target}\r\nX-Forwarded-Host: {host}\r\nX-Forwarded-Proto: http\r\n\
             {client}{fields}{more}\r\n"
        ),
        "envoy" => format!(
            "{method} /authz/ext-authz{target} HTTP/1.1\r\nHost: {host}\r\n\
             X-Forwarded-Proto: http\r\n{client}{fields}{more}\r\n"
        ),
        other => panic!("{other}"),
    }
}

/// The values of all fields of a name.
pub(super) fn values<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    let fields = answer.headers.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
    fields.map(|(_, value)| &**value).collect()
}
