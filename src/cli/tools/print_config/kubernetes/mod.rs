//! Kubernetes: gateways and controllers, each by its own kinds of objects.
//!
//! 1. These are written by what their projects document, and their objects fit the published
//!    schemas. They were not measured, as the others were, and their first line says so. Those of Envoy
//!    Gateway were run without Kubernetes, from files.
//! 2. A service is called as the address names it: `brama-decide.portal.svc:9080` is the port 9080 of
//!    `brama-decide`. All objects stand in one namespace, that of the portal.

pub(super) mod envoy_gateway;
pub(super) mod gateway_api;
pub(super) mod ingress_nginx;
pub(super) mod istio;

use std::fmt::Write as _;
use std::net::IpAddr;

use super::endpoint::Endpoint;
use super::site::{Site, Way};
use super::sketch::Sketch;
use super::yaml::quoted;

/// The headers of a request by which the gateway decides, where a proxy must name each.
const DECIDED_BY: [&str; 31] = [
    "accept",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "authorization",
    "content-type",
    "cookie",
    "depth",
    "destination",
    "origin",
    "overwrite",
    "purpose",
    "referer",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-purpose",
    "sec-websocket-key",
    "sec-websocket-version",
    "user-agent",
    "x-brama-background",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-moz",
    "x-purpose",
    "x-request-id",
    "x-requested-with",
];

/// A service, as the objects call it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Service {
    name: String,
    port: u16,
}

impl Service {
    /// Reads it from an address. One of IP, or a socket, is no service: then it has a name that is
    /// to be replaced.
    fn of(address: &str, name: &str) -> Self {
        match Endpoint::read(address) {
            Endpoint::Port(host, port) if host.parse::<IpAddr>().is_err() => {
                let first = host.split('.').next().unwrap_or(host);
                let first = if first == "localhost" { name } else { first };
                Self { name: first.to_owned(), port }
            }
            Endpoint::Port(_, port) => Self { name: name.to_owned(), port },
            Endpoint::Unix(_) => Self { name: name.to_owned(), port: 80 },
        }
    }
}

/// The three services.
struct Services {
    decide: Service,
    gateway: Service,
    portal: Service,
}

impl Services {
    fn of(sketch: &Sketch) -> Self {
        Self {
            decide: Service::of(&sketch.ask, "brama-decide"),
            gateway: Service::of(&sketch.gateway, "brama"),
            portal: Service::of(&sketch.portal, "portal"),
        }
    }
}

/// Returns a name for an object of a site.
fn object(site: &Site, what: &str) -> String {
    format!("{}-{what}", site.host.replace('.', "-"))
}

/// Writes items of a list, one a line.
fn list<'i>(text: &mut String, indent: usize, items: impl IntoIterator<Item = &'i str>) {
    for item in items {
        let _ = writeln!(text, "{:indent$}- {}", "", quoted(item));
    }
}

/// Writes the beginning of a route of the Gateway API.
fn route_head(text: &mut String, site: &Site, what: &str) {
    let _ = write!(
        text,
        "---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: {}
spec:
  parentRefs:
  - name: public
  hostnames:
  - {}
  rules:
",
        object(site, what),
        quoted(&site.host)
    );
}

/// Writes a rule of the Gateway API: where it holds, what comes between, and where it leads.
fn rule(text: &mut String, matches: &[(&str, &str)], filters: &str, service: &Service) {
    text.push_str("  - matches:\n");
    for (kind, path) in matches {
        let _ = writeln!(text, "    - path: {{ type: {kind}, value: {} }}", quoted(path));
    }
    text.push_str(filters);
    let Service { name, port } = service;
    let _ = writeln!(text, "    backendRefs:\n    - {{ name: {name}, port: {port} }}");
}

/// Returns the paths that one of both answers, as the Gateway API matches them: a prefix is whole
/// segments there.
fn matches(site: &Site, who: Way) -> Vec<(&'static str, &str)> {
    let places = site.prefixes().into_iter().filter(|(_, answers)| *answers == who);
    let prefixes = places.map(|(path, _)| ("PathPrefix", prefix(path)));
    let exactly = site.ours_exactly.iter().map(|path| ("Exact", &**path));
    match who {
        Way::Portal => prefixes.collect(),
        Way::Gateway => prefixes.chain(exactly).collect(),
    }
}

/// Returns a path without the slash at its end, unless it is all of it.
fn prefix(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_the_first_label_of_a_name() {
        let service = |address| Service::of(address, "brama");
        let named = |name: &str, port| Service { name: name.to_owned(), port };
        assert_eq!(service("decide.portal.svc.cluster.local:9080"), named("decide", 9080));
        assert_eq!(service("decide:9080"), named("decide", 9080));
        // No service is called by an address.
        assert_eq!(service("127.0.0.1:9080"), named("brama", 9080));
        assert_eq!(service("[::1]:9080"), named("brama", 9080));
        assert_eq!(service("localhost:9080"), named("brama", 9080));
        assert_eq!(service("unix:/run/brama.sock"), named("brama", 80));
    }
}
