//! Where Envoy goes: to the gateway with a question, to the gateway with a request, and to the portal.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::super::endpoint::Endpoint;
use super::super::sketch::Sketch;
use super::super::yaml::quoted;
use super::Asks;

/// Writes all of them.
pub(super) fn write(text: &mut String, sketch: &Sketch, asks: Asks) {
    text.push_str("\n  clusters:\n");
    cluster(text, "brama_decide", &sketch.ask);
    if asks == Asks::OverGrpc {
        text.push_str(GRPC);
    }
    if sketch.asks_by_tls {
        asks_by_tls(text, &sketch.ask, asks);
    }
    cluster(text, "brama", &sketch.gateway);
    if sketch.gateway_by_tls {
        text.push_str(GATEWAY_BY_TLS);
    }
    cluster(text, "brama_portal", &sketch.portal);
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

/// Calls of gRPC, and whether the gateway wants them: with several instances, those that do not are left
/// out.
const GRPC: &str = "    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: { http2_protocol_options: {} }
    health_checks:
    - grpc_health_check: {}
      timeout: 1s
      interval: 2s
      no_traffic_interval: 5s
      unhealthy_threshold: 2
      healthy_threshold: 1
";

/// Writes how it asks by TLS: with a certificate, of one whose name is the one that it goes to.
fn asks_by_tls(text: &mut String, address: &str, asks: Asks) {
    let matched = match Endpoint::read(address) {
        Endpoint::Unix(_) => String::new(),
        Endpoint::Port(host, _) => {
            let kind = if host.parse::<IpAddr>().is_ok() { "IP_ADDRESS" } else { "DNS" };
            NAMED.replace("KIND", kind).replace("HOST", &quoted(host))
        }
    };
    let protocol = match asks {
        Asks::OverHttp => "http/1.1",
        Asks::OverGrpc => "h2",
    };
    text.push_str(&ASKS_BY_TLS.replace("PROTOCOL", protocol).replace("NAMED", &matched));
}

const NAMED: &str = "
            match_typed_subject_alt_names:
            - { san_type: KIND, matcher: { exact: HOST } }";

const ASKS_BY_TLS: &str = "    transport_socket:
      name: envoy.transport_sockets.tls
      typed_config:
        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
        common_tls_context:
          alpn_protocols: [PROTOCOL]
          validation_context:
            trusted_ca: { filename: /etc/envoy/tls/brama-ca.pem }NAMED
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
