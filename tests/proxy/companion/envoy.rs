//! Envoy itself before a portal: it asks over gRPC, and the portal hears of nobody but who is signed
//! in.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::harness::{
    Answer, Citizen, Envoy, Gateway, Plan, Program, Simulator, Wire, envoy, free_address, python,
};

/// How Envoy is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Setup {
    /// As it should be: one reading of paths, no names that are read in two ways, and all headers
    /// go to the gateway as they came.
    Careful,
    /// The gateway does not see most headers, and Envoy itself takes nothing away.
    Lenient,
}

/// A portal behind Envoy, which asks a gateway.
struct World {
    citizen: Citizen,
    address: SocketAddr,
    gateway: Gateway,
    portal: Program,
    behind: SocketAddr,
    _envoy: Envoy,
    _simulator: Simulator,
}

impl World {
    fn start(setup: Setup) -> Option<Self> {
        let program = envoy()?;
        let (address, decide) = (free_address(), free_address());
        let origin = format!("http://localhost:{}", address.port());
        let plan = Plan::empty()
            .companion("envoy-grpc", &format!("listen = \"{decide}\""))
            .permitted("/", "required")
            .with("claims = [\"given_name\"]")
            .permitted("/public", "public")
            .public_url(&origin);
        let simulator = Simulator::start_for(&origin);
        let gateway = plan.node(&simulator).start();
        let (portal, url) = python("recorder.py");
        let behind = url.trim_start_matches("http://").parse().unwrap();
        let clusters = [
            cluster("portal", behind, &json!({})),
            cluster("brama", gateway.address, &json!({})),
            cluster("decide", decide, &json!({ "http2_protocol_options": {} })),
        ];
        let configuration = json!({ "static_resources": {
            "listeners": [listener(address, setup)],
            "clusters": clusters,
        } });
        let envoy = Envoy::start(program, &configuration, address);
        let citizen = Citizen::at(&origin);
        Some(Self {
            citizen,
            address,
            gateway,
            portal,
            behind,
            _envoy: envoy,
            _simulator: simulator,
        })
    }

    /// Asks for a path with these lines.
    fn get(&self, path: &str, lines: &str) -> Answer {
        let mut wire = Wire::connect(self.address);
        let port = self.address.port();
        wire.send(
            format!("GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n{lines}\r\n").as_bytes(),
        );
        wire.answer("GET")
    }

    /// What the portal has heard since it was asked last, up to a request of our own.
    fn heard(&mut self) -> Vec<Value> {
        let mut wire = Wire::connect(self.behind);
        assert_eq!(wire.get("localhost", "/marker").status, 200);
        let mut heard = Vec::new();
        loop {
            let event = self.portal.event("request");
            if event["target"] == "/marker" {
                return heard;
            }
            heard.push(event);
        }
    }
}

fn cluster(name: &str, address: SocketAddr, http: &Value) -> Value {
    let explicit = match http.as_object().unwrap().is_empty() {
        true => json!({ "http_protocol_options": {} }),
        false => http.clone(),
    };
    json!({
        "name": name,
        "connect_timeout": "1s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [
            { "endpoint": { "address": socket(address) } },
        ] }] },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": explicit,
            },
        },
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({ "socket_address": {
        "address": address.ip().to_string(), "port_value": address.port(),
    } })
}

fn listener(address: SocketAddr, setup: Setup) -> Value {
    let filter = "type.googleapis.com/envoy.extensions.filters.http";
    let mut asks = json!({
        "@type": format!("{filter}.ext_authz.v3.ExtAuthz"),
        "transport_api_version": "V3",
        "grpc_service": { "envoy_grpc": { "cluster_name": "decide" }, "timeout": "5s" },
        "failure_mode_allow": false,
        "status_on_error": { "code": "ServiceUnavailable" },
        "validate_mutations": true,
    });
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.\
                  HttpConnectionManager",
        "stat_prefix": "in",
        "use_remote_address": true,
        "xff_num_trusted_hops": 0,
        "strip_any_host_port": true,
        "strip_trailing_host_dot": true,
        "route_config": { "virtual_hosts": [{
            "name": "portal",
            "domains": ["localhost"],
            "routes": [
                {
                    "match": { "prefix": "/.brama/" },
                    "route": { "cluster": "brama" },
                    "typed_per_filter_config": { "envoy.filters.http.ext_authz": {
                        "@type": format!("{filter}.ext_authz.v3.ExtAuthzPerRoute"),
                        "disabled": true,
                    } },
                },
                { "match": { "prefix": "/" }, "route": { "cluster": "portal" } },
            ],
        }] },
    });
    match setup {
        Setup::Careful => {
            asks["encode_raw_headers"] = true.into();
            manager["normalize_path"] = true.into();
            manager["merge_slashes"] = true.into();
            manager["path_with_escaped_slashes_action"] = "REJECT_REQUEST".into();
            manager["common_http_protocol_options"] =
                json!({ "headers_with_underscores_action": "REJECT_REQUEST" });
            let names = ["x-brama-assertion", "x.brama.assertion"];
            manager["early_header_mutation_extensions"] = json!([{
                "name": "envoy.http.early_header_mutation.header_mutation",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.http.early_header_mutation.\
                              header_mutation.v3.HeaderMutation",
                    "mutations": names.map(|name| json!({ "remove": name })),
                },
            }]);
        }
        Setup::Lenient => {
            let patterns = json!([{ "exact": "cookie" }, { "prefix": "sec-fetch-" }]);
            asks["allowed_headers"] = json!({ "patterns": patterns });
        }
    }
    manager["http_filters"] = json!([
        { "name": "envoy.filters.http.ext_authz", "typed_config": asks },
        {
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": format!("{filter}.router.v3.Router") },
        },
    ]);
    json!({
        "address": socket(address),
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": manager,
        }] }],
    })
}

/// The fields that a program behind could take for one of this name.
fn taken_for<'a>(answer: &'a Value, name: &str) -> Vec<&'a str> {
    let fold = |name: &str| name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
    let fields = answer["headers"].as_array().unwrap().iter();
    let same = fields.filter(|field| fold(field[0].as_str().unwrap()) == name);
    same.map(|field| field[1].as_str().unwrap()).collect()
}

const SCRIPT: &str = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
const FOLDINGS: [&str; 8] = [
    "X-Brama-Assertion",
    "x-brama-assertion",
    "X_Brama_Assertion",
    "x.brama.assertion",
    "X-Brama_Assertion",
    "X.Brama-Assertion",
    "X_Brama.Assertion",
    "X.Brama_Assertion",
];

#[test]
fn a_citizen_signs_in_through_envoy_and_the_portal_hears_who_it_is() {
    let Some(mut world) = World::start(Setup::Careful) else { return };
    // A page leads to the node, and back.
    let first = world.citizen.open(&world.citizen.url("/tax?year=2026"));
    assert_eq!(first.status, 302);
    let page = world.citizen.follow(&first);
    let last = world.citizen.choose(&page, "anna");
    world.citizen.return_with(&last);
    let cookie = format!("Cookie: {}\r\n", world.citizen.session().unwrap());
    assert!(world.heard().is_empty());
    let answer = world.get("/tax?year=2026", &format!("{SCRIPT}{cookie}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let heard = answer.json();
    assert_eq!(heard["target"], "/tax?year=2026");
    let [token] = taken_for(&heard, "x-brama-assertion")[..] else { panic!("{heard}") };
    assert_eq!(token.split('.').count(), 3);

    // A script is told so, and nobody passes a public page as somebody.
    let script = world.get("/tax", SCRIPT);
    assert_eq!(script.status, 401, "{}", script.text());
    assert_eq!(script.json()["error"], "login_required");
    let public = world.get("/public", SCRIPT).json();
    let [nobody] = taken_for(&public, "x-brama-assertion")[..] else { panic!("{public}") };
    assert_ne!(nobody, token);

    // Two lines of cookies are two lines.
    let two = world.get("/tax", &format!("{SCRIPT}Cookie: a=1,2\r\n{cookie}"));
    assert_eq!(two.status, 200, "{}", two.text());

    // A gateway that is gone is no yes.
    assert_eq!(world.heard().len(), 3);
    world.gateway.program.signal("KILL");
    let _ = world.gateway.program.wait();
    for path in ["/tax", "/public"] {
        let closed = world.get(path, &format!("{SCRIPT}{cookie}"));
        assert!(closed.status >= 400, "{path}: {}", closed.status);
    }
    assert!(world.heard().is_empty());
}

#[test]
fn no_spelling_of_a_forged_identity_gets_past_envoy() {
    for setup in [Setup::Careful, Setup::Lenient] {
        let Some(mut world) = World::start(setup) else { return };
        let session = world.citizen.sign_in("anna");
        for (path, cookie) in
            [("/tax", format!("Cookie: {session}\r\n")), ("/public", String::new())]
        {
            for name in FOLDINGS {
                let answer = world.get(path, &format!("{SCRIPT}{cookie}{name}: forged\r\n"));
                if answer.status >= 400 {
                    assert_eq!(setup, Setup::Careful, "{name}: {}", answer.text());
                }
            }
        }
        let heard = world.heard();
        assert!(heard.len() >= FOLDINGS.len() / 2);
        for request in heard {
            let taken = taken_for(&request, "x-brama-assertion");
            assert!(taken.len() == 1 && taken[0].len() > 100, "{setup:?}: {request}");
        }
    }
}
