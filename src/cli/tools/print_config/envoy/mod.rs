//! Envoy: the filter `ext_authz`, over HTTP or gRPC, as a whole static configuration.
//!
//! A refusal of the gateway goes to the client as it is. Of an error over HTTP Envoy makes a bare 503.

mod asks;
mod clusters;

use std::fmt::Write as _;

pub(super) use self::asks::Asks;
use super::names::{OURS_BUT_BACKGROUND, patterns};
use super::site::{Place, Site, Way};
use super::sketch::Sketch;
use super::yaml::quoted;

/// Writes a configuration that Envoy starts with.
pub(super) fn text(sketch: &Sketch, asks: Asks) -> String {
    let mut text = asks.head();
    text.push_str("static_resources:\n  listeners:\n");
    for ((port, is_tls), sites) in sketch.ports() {
        text.push_str(&LISTENER.replace("PORT", &port.to_string()));
        taken_away(&mut text, sketch);
        asks.filters(&mut text, sketch);
        let _ = write!(
            text,
            "          route_config:\n            name: citizens_{port}\n            \
             virtual_hosts:\n"
        );
        for site in &sites {
            virtual_host(&mut text, site);
        }
        if is_tls {
            tls_of_clients(&mut text, &sites);
        }
    }
    clusters::write(&mut text, sketch, asks);
    text
}

/// Begins a listener, up to what is taken away.
const LISTENER: &str = "  - name: citizens_PORT
    address: { socket_address: { address: 0.0.0.0, port_value: PORT } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: citizens_PORT
          codec_type: AUTO
          # One reading of each path, here, at the gateway and at the portal.
          normalize_path: true
          merge_slashes: true
          path_with_escaped_slashes_action: REJECT_REQUEST
          strip_any_host_port: true
          strip_trailing_host_dot: true
          # The client is who is connected here. When another proxy stands before this one, say how
          # many (xff_num_trusted_hops), and let x-forwarded-for and x-forwarded-proto stay below.
          use_remote_address: true
          xff_num_trusted_hops: 0
          request_headers_timeout: 10s
          common_http_protocol_options:
            # X_Brama_Assertion is another name of one header to many portals.
            headers_with_underscores_action: DROP_HEADER
          # No other protocol than WebSocket.
          upgrade_configs:
          - upgrade_type: websocket
";

/// Writes which headers of a client go no further.
fn taken_away(text: &mut String, sketch: &Sketch) {
    text.push_str(
        "          # What a client says of itself, in whatever spelling.
          early_header_mutation_extensions:
          - name: envoy.http.early_header_mutation.header_mutation
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation
              mutations:
              # All of x-brama- but x-brama-background, which pages say with their own requests.
",
    );
    for pattern in [OURS_BUT_BACKGROUND.to_owned()].into_iter().chain(patterns(&sketch.told)) {
        let _ = writeln!(
            text,
            "              - remove_on_match: {{ key_matcher: {{ safe_regex: {{ regex: '{pattern}' }} }} }}"
        );
    }
}

fn virtual_host(text: &mut String, site: &Site) {
    let host = quoted(&site.host);
    let _ = write!(
        text,
        "            - name: {host}\n              domains: [{host}]\n              routes:\n"
    );
    // The first that matches counts.
    for Place { path, is_exact, way } in site.places() {
        let matcher = match path {
            _ if is_exact => "path",
            path if path.ends_with('/') => "prefix",
            _ => "path_separated_prefix",
        };
        route(text, site, &format!("{matcher}: {}", quoted(path)), way);
    }
}

fn route(text: &mut String, site: &Site, matcher: &str, way: Way) {
    let cluster = match way {
        Way::Portal => "brama_portal",
        Way::Gateway => "brama",
    };
    let _ = write!(
        text,
        "              - match: {{ {matcher} }}
                # No limit for a whole answer; a silent connection is closed all the same.
                route: {{ cluster: {cluster}, host_rewrite_literal: {}, timeout: 0s }}\n",
        quoted(&site.authority())
    );
    if way == Way::Gateway {
        text.push_str(UNASKED);
    }
}

const UNASKED: &str = "                typed_per_filter_config:
                  envoy.filters.http.ext_authz:
                    \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute
                    disabled: true
                  envoy.filters.http.rbac:
                    \"@type\": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute
";

fn tls_of_clients(text: &mut String, sites: &[&Site]) {
    text.push_str(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
          common_tls_context:
            alpn_protocols: [h2, http/1.1]
            tls_certificates:\n",
    );
    for site in sites {
        let file = |kind| quoted(&format!("/etc/envoy/tls/{}.{kind}", site.host));
        let _ = writeln!(
            text,
            "            - certificate_chain: {{ filename: {} }}\n              \
             private_key: {{ filename: {} }}",
            file("pem"),
            file("key")
        );
    }
}
