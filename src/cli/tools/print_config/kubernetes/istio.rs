//! Istio: a provider of the mesh, a policy that asks it, and a filter that takes headers away.

use std::fmt::Write as _;

use super::{DECIDED_BY, Service, Services, list, object, prefix, quoted};
use crate::cli::tools::print_config::names::{OURS_BUT_BACKGROUND, patterns};
use crate::cli::tools::print_config::site::{Site, Way};
use crate::cli::tools::print_config::sketch::Sketch;

/// Writes the provider, the policies and the routes.
pub(in crate::cli::tools::print_config) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    let services = Services::of(sketch);
    provider(&mut text, sketch, &services);
    early_removal(&mut text, sketch);
    for site in &sketch.sites {
        policy(&mut text, site);
        virtual_service(&mut text, site, &services);
    }
    text
}

const HEAD: &str = "\
# Read, not measured: what Istio documents of extensionProviders and AuthorizationPolicy (1.32).
#
# - failOpen stays false. The default time limit is ten minutes.
# - The policies stand in the namespace of the ingress gateway, and so does the EnvoyFilter.
# - headers.request.remove of a VirtualService runs behind the question and takes the identity away:
#   what clients may not say is taken away by the EnvoyFilter.
# - With Helm, meshConfig of the first object belongs into the values of istiod.
# - Replace `public` by the name of the Gateway, and `portal` in the addresses by the namespace.
";

fn provider(text: &mut String, sketch: &Sketch, services: &Services) {
    let decide = &services.decide;
    let _ = write!(
        text,
        "---
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata:
  name: brama
spec:
  meshConfig:
    pathNormalization:
      normalization: DECODE_AND_MERGE_SLASHES
    extensionProviders:
    - name: brama
      envoyExtAuthzHttp:
        service: {}
        port: {}
        pathPrefix: {}
        timeout: 5s
        failOpen: false
        clearRouteCache: false
        statusOnError: '503'
        includeRequestHeadersInCheck:
",
        in_mesh(decide),
        decide.port,
        sketch.path
    );
    list(text, 8, DECIDED_BY);
    let _ = writeln!(text, "        headersToUpstreamOnAllow:");
    list(text, 8, sketch.copied().map(http::HeaderName::as_str));
    // Without these, a page for a citizen comes as plain text, and a login leads nowhere.
    let _ = writeln!(text, "        headersToDownstreamOnDeny:");
    list(text, 8, DENIED_WITH);
}

/// The fields of a refusal.
const DENIED_WITH: [&str; 12] = [
    "allow",
    "cache-control",
    "content-language",
    "content-security-policy",
    "content-type",
    "location",
    "referrer-policy",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
];

fn early_removal(text: &mut String, sketch: &Sketch) {
    text.push_str(
        "---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata:
  name: brama
spec:
  workloadSelector:
    labels: { istio: ingressgateway }
  configPatches:
  - applyTo: NETWORK_FILTER
    match:
      context: GATEWAY
      listener: { filterChain: { filter: { name: envoy.filters.network.http_connection_manager } } }
    patch:
      operation: MERGE
      value:
        typed_config:
          '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          path_with_escaped_slashes_action: REJECT_REQUEST
          common_http_protocol_options: { headers_with_underscores_action: DROP_HEADER }
          early_header_mutation_extensions:
          - name: envoy.http.early_header_mutation.header_mutation
            typed_config:
              '@type': type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
              # What a client says of itself, in whatever spelling.
              mutations:
",
    );
    for pattern in [OURS_BUT_BACKGROUND.to_owned()].into_iter().chain(patterns(&sketch.told)) {
        let _ = writeln!(
            text,
            "              - remove_on_match: {{ key_matcher: {{ safe_regex: {{ regex: '{pattern}' }} }} }}"
        );
    }
}

fn policy(text: &mut String, site: &Site) {
    let _ = write!(
        text,
        "---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {}
spec:
  selector:
    matchLabels: {{ istio: ingressgateway }}
  action: CUSTOM
  provider: {{ name: brama }}
  rules:
  - to:
",
        object(site, "brama")
    );
    let places = site.prefixes();
    let (asked, own): (Vec<_>, Vec<_>) =
        places.into_iter().partition(|(_, answers)| *answers == Way::Portal);
    // What is left out by one operation is asked about by another: each place below one of ours.
    if asked.iter().any(|(path, _)| *path == "/") {
        operation(text, site, "notPaths", &own);
        list(text, 8, site.ours_exactly.iter().map(String::as_str));
    }
    let below: Vec<_> = asked.into_iter().filter(|(path, _)| *path != "/").collect();
    if !below.is_empty() {
        operation(text, site, "paths", &below);
    }
}

fn operation(text: &mut String, site: &Site, key: &str, places: &[(&str, Way)]) {
    let Site { host, .. } = site;
    let _ = write!(
        text,
        "    - operation:
        hosts:
        - {}
        - {}
        {key}:
",
        quoted(host),
        quoted(&format!("{host}:*"))
    );
    for (path, _) in places {
        let path = prefix(path);
        list(text, 8, [path, &format!("{path}/*")]);
    }
}

fn virtual_service(text: &mut String, site: &Site, services: &Services) {
    let _ = write!(
        text,
        "---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {}
spec:
  gateways:
  - public
  hosts:
  - {}
  http:
",
        object(site, "brama"),
        quoted(&site.host)
    );
    let mut http = |matches: &[String], service: &Service| {
        text.push_str("  - match:\n");
        for line in matches {
            let _ = writeln!(text, "    - uri: {{ {line} }}");
        }
        let _ = writeln!(
            text,
            "    route:\n    - destination: {{ host: {}, port: {{ number: {} }} }}",
            in_mesh(service),
            service.port
        );
    };
    let exactly: Vec<_> =
        site.ours_exactly.iter().map(|path| format!("exact: {}", quoted(path))).collect();
    if !exactly.is_empty() {
        http(&exactly, &services.gateway);
    }
    // The first that matches counts.
    for (path, answers) in site.prefixes().into_iter().rev() {
        let service = match answers {
            Way::Portal => &services.portal,
            Way::Gateway => &services.gateway,
        };
        let below = format!("prefix: {}", quoted(&format!("{}/", path.trim_end_matches('/'))));
        let itself = format!("exact: {}", quoted(prefix(path)));
        http(&[below, itself], service);
    }
}

/// The name of a service in the mesh.
fn in_mesh(service: &Service) -> String {
    format!("{}.portal.svc.cluster.local", service.name)
}
