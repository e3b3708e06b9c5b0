//! Objects for Kubernetes: they are read back as YAML, and no way in them leads to the portal without
//! the question. Nothing here runs in a cluster; `envoy_gateway` runs without one.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Plan, free_address};

/// A gateway with public places, places of its own and a backend that it hands on to itself.
fn gateway() -> Option<Gateway> {
    if !tools::has(&[Tool::NodeYaml]) {
        return None;
    }
    let (envoy, ingress) = (free_address(), free_address());
    let plan = Plan::empty()
        .companion("envoy", &format!("listen = \"{envoy}\""))
        .companion("ingress-nginx", &format!("listen = \"{ingress}\""))
        .listen("trusted_proxies = [\"127.0.0.1/32\"]")
        .upstream("old", "http://127.0.0.1:9")
        .permitted("/", "required")
        .permitted("/public", "public")
        .route("/old", "old", "required")
        .permitted("/old/but/new", "required");
    Some(plan.start())
}

/// Prints what a proxy needs, and reads it.
fn objects(gateway: &Gateway, proxy: &str) -> Vec<Value> {
    let words = [
        proxy,
        "--ask",
        "brama-decide.portal.svc:9080",
        "--gateway",
        "brama.portal.svc:8080",
        "--portal",
        "offices.portal.svc:8080",
    ];
    let (is_well, printed) = gateway.command("print-config", &words, "");
    assert!(is_well, "{printed}");
    // What a test runs is in the file beside this one.
    let said = if proxy == "envoy-gateway" { "# Run with" } else { "# Read, not measured" };
    assert!(printed.starts_with(said), "{printed}");
    let script = "const yaml = require('/usr/share/nodejs/js-yaml');\
                  const text = require('fs').readFileSync(0, 'utf8');\
                  console.log(JSON.stringify(yaml.loadAll(text).filter(one => one)));";
    let mut node = Command::new("node");
    node.args(["-e", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = node.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), printed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{printed}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    let found: Vec<_> = objects.iter().filter(|object| object["kind"] == kind).collect();
    assert!(!found.is_empty(), "no {kind} in {objects:?}");
    found
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap_or_else(|| panic!("{value}")).iter()
}

/// The paths of the rules of a route that lead to a service.
fn paths_to<'r>(route: &'r Value, service: &str) -> Vec<&'r str> {
    let rules = items(&route["spec"]["rules"]);
    let rules = rules.filter(|rule| items(&rule["backendRefs"]).any(|to| to["name"] == service));
    let matches = rules.flat_map(|rule| items(&rule["matches"]));
    matches.map(|one| one["path"]["value"].as_str().unwrap()).collect()
}

const ASKED: [&str; 2] = ["/", "/old/but/new"];
const OWN: [&str; 2] = ["/old", "/.brama"];

#[test]
fn every_route_of_the_gateway_api_to_the_portal_asks() {
    let Some(gateway) = gateway() else { return };
    let objects = objects(&gateway, "gateway-api");
    for route in of_kind(&objects, "HTTPRoute") {
        assert_eq!(paths_to(route, "offices"), ASKED);
        let own = paths_to(route, "brama");
        assert!(OWN.iter().all(|path| own.contains(path)), "{own:?}");
        for rule in items(&route["spec"]["rules"]) {
            let asks = rule["filters"][0]["externalAuth"]["backendRef"]["name"] == "brama-decide";
            assert_eq!(asks, rule["backendRefs"][0]["name"] == "offices", "{rule}");
        }
        let auth = &route["spec"]["rules"][1]["filters"][0]["externalAuth"]["http"];
        assert_eq!(auth["path"], "/authz/ext-authz");
        assert!(items(&auth["allowedHeaders"]).any(|name| name == "cookie"), "{auth}");
        assert_eq!(
            auth["allowedResponseHeaders"],
            serde_json::json!(["x-brama-assertion", "cookie"])
        );
    }
}

#[test]
fn the_policy_of_envoy_gateway_is_for_every_route_to_the_portal() {
    let Some(gateway) = gateway() else { return };
    let objects = objects(&gateway, "envoy-gateway");
    let policies = of_kind(&objects, "SecurityPolicy");
    for route in of_kind(&objects, "HTTPRoute") {
        let name = &route["metadata"]["name"];
        let asks = policies.iter().any(|one| one["spec"]["targetRefs"][0]["name"] == *name);
        let (to_portal, own) = (paths_to(route, "offices"), paths_to(route, "brama"));
        assert_eq!((asks, to_portal.is_empty(), own.is_empty()), (asks, !asks, asks), "{name}");
        assert!(!asks || to_portal == ASKED, "{to_portal:?}");
    }
    for policy in policies {
        let auth = &policy["spec"]["extAuth"];
        assert_eq!(
            (&auth["failOpen"], &auth["http"]["path"]),
            (&false.into(), &"/authz/ext-authz".into())
        );
        assert_eq!(
            auth["http"]["headersToBackend"],
            serde_json::json!(["x-brama-assertion", "cookie"])
        );
        assert!(auth["http"]["pathOverride"].is_null(), "{auth}");
    }
    let traffic = &of_kind(&objects, "ClientTrafficPolicy")[0]["spec"];
    assert_eq!(traffic["path"]["escapedSlashesAction"], "RejectRequest");
    assert_eq!(traffic["headers"]["withUnderscoresAction"], "DropHeader");
}

#[test]
fn the_policy_of_istio_leaves_out_nothing_that_leads_to_the_portal() {
    let Some(gateway) = gateway() else { return };
    let objects = objects(&gateway, "istio");
    let mesh = &of_kind(&objects, "IstioOperator")[0]["spec"]["meshConfig"];
    let provider = &mesh["extensionProviders"][0];
    assert_eq!(provider["envoyExtAuthzHttp"]["failOpen"], false);
    let policy = &of_kind(&objects, "AuthorizationPolicy")[0]["spec"];
    assert_eq!(
        (&policy["action"], &policy["provider"]["name"]),
        (&"CUSTOM".into(), &provider["name"])
    );
    let operations: Vec<_> = items(&policy["rules"][0]["to"]).map(|to| &to["operation"]).collect();
    let has = |list: &Value, path: &str| {
        items(list).filter_map(Value::as_str).any(|one| match one.strip_suffix('*') {
            Some(beginning) => path.starts_with(beginning),
            None => path == one,
        })
    };
    let is_asked = |path: &str| {
        operations.iter().any(|operation| match &operation["paths"] {
            Value::Null => !has(&operation["notPaths"], path),
            paths => has(paths, path),
        })
    };
    assert!(!is_asked("/.brama/login") && is_asked("/old/but/new/x") && !is_asked("/old/x"));
    let service = of_kind(&objects, "VirtualService")[0];
    for rule in items(&service["spec"]["http"]) {
        let to = rule["route"][0]["destination"]["host"].as_str().unwrap();
        for place in items(&rule["match"]) {
            let uri = &place["uri"];
            let exact = uri["exact"].as_str().map(str::to_owned);
            let path =
                exact.or_else(|| uri["prefix"].as_str().map(|path| format!("{path}x"))).unwrap();
            // What is not asked about leads to the gateway alone.
            assert!(is_asked(&path) || to.starts_with("brama."), "{path} {to} {operations:?}");
        }
    }
}

#[test]
fn every_path_of_an_ingress_to_the_portal_asks() {
    let Some(gateway) = gateway() else { return };
    let objects = objects(&gateway, "ingress-nginx");
    let mut paths = Vec::new();
    for ingress in of_kind(&objects, "Ingress") {
        let asks = &ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/auth-url"];
        for path in items(&ingress["spec"]["rules"][0]["http"]["paths"]) {
            let is_portal = path["backend"]["service"]["name"] == "offices";
            assert_eq!(asks.is_string(), is_portal, "{ingress}");
            if is_portal {
                assert!(asks.as_str().unwrap().ends_with(":9080/authz/auth-request"), "{asks}");
                paths.push(path["path"].as_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(paths, ASKED);
}
