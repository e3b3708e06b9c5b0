//! Envoy: the filter `ext_authz`, over HTTP, as a whole static configuration.
//!
//! A refusal of the gateway goes to the client as it is. Envoy makes a bare 503 of an error.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::endpoint::Endpoint;
use super::names::{OURS_BUT_BACKGROUND, patterns};
use super::site::{Place, Site, Way};
use super::sketch::Sketch;
use super::yaml::quoted;

/// Writes a configuration that Envoy starts with.
pub(super) fn text(sketch: &Sketch) -> String {
    let mut text = format!("{HEAD}static_resources:\n  listeners:\n");
    for ((port, is_tls), sites) in sketch.ports() {
        text.push_str(&LISTENER.replace("PORT", &port.to_string()));
        taken_away(&mut text, sketch);
        filters(&mut text, sketch);
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
    text.push_str("\n  clusters:\n");
    cluster(&mut text, "brama_decide", &sketch.ask);
    if sketch.asks_by_tls {
        text.push_str(ASKS_BY_TLS);
    }
    cluster(&mut text, "brama", &sketch.gateway);
    if sketch.gateway_by_tls {
        text.push_str(GATEWAY_BY_TLS);
    }
    cluster(&mut text, "brama_portal", &sketch.portal);
    text
}

const HEAD: &str = "\
# Envoy asks Brama about each request (ext_authz over HTTP). For Envoy 1.34 and later.
#
# What must stay as it is:
# - failure_mode_allow is false: with true, everybody is let in while the gateway is away;
# - all of normalize_path, merge_slashes, path_with_escaped_slashes_action: without them a place
#   without a question (disabled: true) is a way to every other one (/.brama/../tax);
# - no clear_route_cache, and disabled: true nowhere but before the gateway itself. Public places are
#   the gateway's to say (access = \"public\");
# - early_header_mutation_extensions: an answer overwrites a header, but takes none away. What it
#   does not set would be what the client wrote;
# - the filter rbac: a yes without an identity is none;
# - the gateway's listener for questions has nothing else on it: a client has a say in the path there.
#
# Answers of the gateway with a status from 500 on become a bare 503, so its page for maintenance is
# not seen behind Envoy.

";

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

/// Writes the filters: the question, the proof of an answer, and the way on.
fn filters(text: &mut String, sketch: &Sketch) {
    let told: String = sketch
        .copied()
        .map(|name| format!("                    - exact: {}\n", quoted(name.as_str())))
        .collect();
    text.push_str(&FILTERS.replace("PREFIX", sketch.path).replace("TOLD", told.trim_end()));
}

const FILTERS: &str = "          http_filters:
          - name: envoy.filters.http.ext_authz
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              failure_mode_allow: false
              status_on_error: { code: ServiceUnavailable }
              # The gateway decides about what the portal gets, so it sees the headers that the portal
              # gets, but for those of one connection: `upgrade` would make a tunnel of the question.
              allowed_headers:
                patterns:
                - safe_regex: { regex: '.*' }
              disallowed_headers:
                patterns:
                - exact: connection
                - exact: expect
                - exact: http2-settings
                - exact: keep-alive
                - exact: proxy-connection
                - exact: te
                - exact: trailer
                - exact: transfer-encoding
                - exact: upgrade
              http_service:
                server_uri: { uri: http://brama_decide, cluster: brama_decide, timeout: 5s }
                path_prefix: PREFIX
                authorization_response:
                  # Nothing else of an answer gets to the portal.
                  allowed_upstream_headers:
                    patterns:
TOLD
          # A yes has one signed identity that is not empty.
          - name: envoy.filters.http.rbac
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
              rules:
                action: ALLOW
                policies:
                  has_identity:
                    permissions: [{ any: true }]
                    principals:
                    - header: { name: x-brama-assertion, string_match: { safe_regex: { regex: '[^, ]+' } } }
          - name: envoy.filters.http.router
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
              suppress_envoy_headers: true
";

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

fn cluster(text: &mut String, name: &str, address: &str) {
    let (kind, address) = match Endpoint::read(address) {
        Endpoint::Unix(path) => ("STATIC", format!("pipe: {{ path: {} }}", quoted(path))),
        Endpoint::Port(host, port) => {
            let kind = if host.parse::<IpAddr>().is_ok() { "STATIC" } else { "STRICT_DNS" };
            let socket = format!("address: {}, port_value: {port}", quoted(host));
            (kind, format!("socket_address: {{ {socket} }}"))
        }
    };
    let _ = write!(
        text,
        "  - name: {name}
    type: {kind}
    connect_timeout: 1s
    load_assignment:
      cluster_name: {name}
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ {address} }} }}
"
    );
}

const ASKS_BY_TLS: &str = "    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          validation_context: { trusted_ca: { filename: /etc/envoy/tls/brama-ca.pem } }
          tls_certificates:
          - certificate_chain: { filename: /etc/envoy/tls/envoy.pem }
            private_key: { filename: /etc/envoy/tls/envoy.key }
";

const GATEWAY_BY_TLS: &str = "    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        upstream_http_protocol_options: { auto_sni: true, auto_san_validation: true }
        explicit_http_config: { http_protocol_options: {} }
    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          validation_context: { trusted_ca: { filename: /etc/ssl/certs/ca-certificates.crt } }
";
