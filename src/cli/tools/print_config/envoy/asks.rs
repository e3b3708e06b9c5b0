//! The filters: the question, the proof of an answer, and the way on.

use std::fmt::Write as _;

use super::super::sketch::Sketch;
use super::super::yaml::quoted;

/// How Envoy asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Asks {
    OverHttp,
    OverGrpc,
}

impl Asks {
    /// Returns what stands before it all: what must not be changed, and why.
    pub(super) fn head(self) -> String {
        let (how, own, behind) = match self {
            Self::OverHttp => ("HTTP", HTTP_MUST, HTTP_BEHIND),
            Self::OverGrpc => ("gRPC", GRPC_MUST, GRPC_BEHIND),
        };
        HEAD.replace("HOW", how).replace("OWN", own).replace("BEHIND", behind)
    }

    /// Writes the filters.
    pub(super) fn filters(self, text: &mut String, sketch: &Sketch) {
        text.push_str(FILTER);
        match self {
            Self::OverHttp => {
                text.push_str(&OVER_HTTP.replace("PREFIX", sketch.path));
                for name in sketch.copied() {
                    let name = quoted(name.as_str());
                    let _ = writeln!(text, "                    - exact: {name}");
                }
            }
            Self::OverGrpc => text.push_str(OVER_GRPC),
        }
        text.push_str(PROOF);
    }
}

const HEAD: &str = "\
# Envoy asks Brama about each request (ext_authz over HOW). For Envoy 1.34 and later.
#
# What must stay as it is:
# - failure_mode_allow is false: with true, everybody is let in while the gateway is away;
# - all of normalize_path, merge_slashes, path_with_escaped_slashes_action: without them a place
#   without a question (disabled: true) is a way to every other one (/.brama/../tax);
# - no clear_route_cache, and disabled: true nowhere but before the gateway itself. Public places are
#   the gateway's to say (access = \"public\");
OWN
# - the filter rbac: a yes without an identity is none;
BEHIND

";

const HTTP_MUST: &str = "\
# - early_header_mutation_extensions: an answer overwrites a header, but takes none away. What it
#   does not set would be what the client wrote;";

const HTTP_BEHIND: &str = "\
# - the gateway's listener for questions has nothing else on it: a client has a say in the path there.
#
# Answers of the gateway with a status from 500 on become a bare 503, so its page for maintenance is
# not seen behind Envoy.";

const GRPC_MUST: &str = "\
# - early_header_mutation_extensions: what a client says of itself is taken away before the question;
# - encode_raw_headers: without it Envoy joins lines of cookies by commas, and writes ! for bytes that
#   it cannot say; such questions are refused;
# - neither allowed_headers nor with_request_body: the gateway decides about what the portal gets, so it
#   sees all headers. Of what it does not see it can take nothing away. It reads no body;";

const GRPC_BEHIND: &str = "\
# - no healthy_panic_threshold of 0 at brama_decide: a gateway whose store is away says that it would
#   rather not be asked, and knows citizens for a while all the same.";

const FILTER: &str = "          http_filters:
          - name: envoy.filters.http.ext_authz
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
              transport_api_version: V3
              failure_mode_allow: false
              status_on_error: { code: ServiceUnavailable }
";

/// Up to the names of what an answer sets.
const OVER_HTTP: &str = "              # The gateway decides about what the portal gets, so it sees the headers that the portal
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
";

const OVER_GRPC: &str = "              # Every header as it came.
              encode_raw_headers: true
              # An answer that no header could say is an error, and so a no.
              validate_mutations: true
              grpc_service:
                envoy_grpc: { cluster_name: brama_decide }
                timeout: 5s
";

const PROOF: &str = "          # A yes has one signed identity that is not empty.
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
