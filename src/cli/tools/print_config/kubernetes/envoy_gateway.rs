//! Envoy Gateway: `SecurityPolicy` on the routes that ask, `ClientTrafficPolicy` on the gateway.

use std::fmt::Write as _;

use super::{DECIDED_BY, Services, list, matches, object, route_head, rule};
use crate::cli::tools::print_config::names::{OURS_BUT_BACKGROUND, patterns};
use crate::cli::tools::print_config::site::{Site, Way};
use crate::cli::tools::print_config::sketch::Sketch;

/// Writes routes and policies.
pub(in crate::cli::tools::print_config) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    let services = Services::of(sketch);
    client_traffic(&mut text, sketch);
    for site in &sketch.sites {
        route_head(&mut text, site, "own");
        rule(&mut text, &matches(site, Way::Gateway), "", &services.gateway);
        route_head(&mut text, site, "asked");
        rule(&mut text, &matches(site, Way::Portal), "", &services.portal);
        security(&mut text, sketch, site, &services);
    }
    // Without Kubernetes it reads files, and a document of remarks alone is none to it.
    text.replacen("---\n", "", 1)
}

const HEAD: &str = "\
# Run with Envoy Gateway 1.9.1 and Envoy 1.40 on one machine, without Kubernetes, and in no cluster.
#
# - failOpen stays false: with true, a wrong policy opens the portal too.
# - `path` is a prefix before the client's path. With pathOverride the path itself would not be told.
# - The policy is for the routes that ask (-asked). The others (-own) lead to the gateway alone.
# - Replace `public` by the name of the Gateway.
";

fn client_traffic(text: &mut String, sketch: &Sketch) {
    text.push_str(
        "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: ClientTrafficPolicy
metadata:
  name: brama
spec:
  targetRefs:
  - { group: gateway.networking.k8s.io, kind: Gateway, name: public }
  path:
    disableMergeSlashes: false
    escapedSlashesAction: RejectRequest
  headers:
    withUnderscoresAction: DropHeader
    earlyRequestHeaders:
      # What a client says of itself, in whatever spelling.
      removeOnMatch:
",
    );
    for pattern in [OURS_BUT_BACKGROUND.to_owned()].into_iter().chain(patterns(&sketch.told)) {
        let _ = writeln!(text, "      - {{ type: RegularExpression, value: '{pattern}' }}");
    }
}

fn security(text: &mut String, sketch: &Sketch, site: &Site, services: &Services) {
    let (route, decide) = (object(site, "asked"), &services.decide);
    let _ = write!(
        text,
        "---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: SecurityPolicy
metadata:
  name: {route}
spec:
  targetRefs:
  - {{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: {route} }}
  extAuth:
    failOpen: false
    statusOnError: 503
    timeout: 5s
    recomputeRoute: false
    headersToExtAuth:
"
    );
    list(text, 4, DECIDED_BY);
    let _ = write!(
        text,
        "    http:
      backendRefs:
      - {{ name: {}, port: {} }}
      path: {}
      headersToBackend:
",
        decide.name, decide.port, sketch.path
    );
    list(text, 6, sketch.copied().map(http::HeaderName::as_str));
}
