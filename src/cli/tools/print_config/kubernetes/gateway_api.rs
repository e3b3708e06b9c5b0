//! The Gateway API with the filter `ExternalAuth`.

use std::fmt::Write as _;

use super::{DECIDED_BY, Services, list, matches, route_head, rule};
use crate::cli::tools::print_config::site::Way;
use crate::cli::tools::print_config::sketch::Sketch;

/// Writes routes.
pub(in crate::cli::tools::print_config) fn text(sketch: &Sketch) -> String {
    let mut text = String::from(HEAD);
    let services = Services::of(sketch);
    for site in &sketch.sites {
        route_head(&mut text, site, "brama");
        rule(&mut text, &matches(site, Way::Gateway), "", &services.gateway);
        let filter = filter(sketch, &services);
        rule(&mut text, &matches(site, Way::Portal), &filter, &services.portal);
    }
    text
}

const HEAD: &str = "\
# Read, not measured: what the Gateway API documents of its filter ExternalAuth (GEP-1494, experimental).
#
# - Ask whether the implementation has the filter: one that ignores it leaves the portal open. Try a page
#   without a session before anybody relies on it.
# - Nothing here takes x-brama-* away from a client, for a RequestHeaderModifier may run behind the
#   filter and take the identity itself. An answer always overwrites X-Brama-Assertion: let the portal
#   believe that one alone (identity = [\"assertion\"]), and have the implementation refuse X_Brama_Assertion
#   and normalise paths.
# - allowedResponseHeaders must not be empty: then every field of an answer would reach the portal.
# - In another namespace, the services need a ReferenceGrant.
# - Replace `public` by the name of the Gateway.
";

fn filter(sketch: &Sketch, services: &Services) -> String {
    let decide = &services.decide;
    let mut text = format!(
        "    filters:
    - type: ExternalAuth
      externalAuth:
        protocol: HTTP
        backendRef: {{ name: {}, port: {} }}
        http:
          # A prefix before the client's path.
          path: {}
          allowedHeaders:
",
        decide.name, decide.port, sketch.path
    );
    list(&mut text, 10, DECIDED_BY);
    let _ = writeln!(text, "          allowedResponseHeaders:");
    list(&mut text, 10, sketch.copied().map(http::HeaderName::as_str));
    text
}
