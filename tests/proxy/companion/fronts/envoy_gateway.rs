//! Envoy Gateway on a machine of its own, without Kubernetes: it reads what is printed from files, and
//! starts Envoy.
//!
//! Two things are otherwise than in a cluster. A service is a `Backend` with an address, for its files
//! know no endpoints of services; and the class and the gateway are written here. Its own ports are
//! fixed, so that there can be but one of it on a machine.

use std::any::Any;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Shape, Site, Start, journeys, known, stories};
use crate::harness::Program;
use crate::harness::tools::{self, Tool};

/// The release of Envoy that stands in the place of the one that it would fetch.
const ENVOY: &str = "1.40.0";

/// What it is told of itself.
const ITSELF: &str = "apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyGateway
gateway: { controllerName: gateway.envoyproxy.io/gatewayclass-controller }
provider:
  type: Custom
  custom:
    resource: { type: File, file: { paths: [\"HERE/objects\"] } }
    infrastructure:
      type: Host
      host: { configHome: HERE/config, dataHome: HERE/data, stateHome: HERE/state, runtimeDir: HERE/run }
logging: { level: { default: warn } }
extensionApis: { enableBackend: true }
";

/// The class and the gateway, which are a cluster's. What names no namespace is in that of Envoy
/// Gateway itself.
const GATEWAY: &str = "---
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: { name: brama }
spec:
  controllerName: gateway.envoyproxy.io/gatewayclass-controller
  parametersRef: { group: gateway.envoyproxy.io, kind: EnvoyProxy, name: brama, namespace: envoy-gateway-system }
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: { name: brama }
spec:
  provider: { type: Host, host: { envoyVersion: VERSION } }
  concurrency: 1
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: public }
spec:
  gatewayClassName: brama
  listeners:
  - { name: http, protocol: HTTP, port: PORT }
";

/// Returns where it is. It comes with no set-up of the tests: `go install` makes it.
fn program() -> Option<PathBuf> {
    let program = std::env::var_os("BRAMA_ENVOY_GATEWAY").map(PathBuf::from);
    let program = program.filter(|program| program.is_file());
    if program.is_none() {
        eprintln!(
            "SKIPPED: BRAMA_ENVOY_GATEWAY is not set; it is the program that is made by go install \
             github.com/envoyproxy/gateway/cmd/envoy-gateway"
        );
    }
    program
}

/// Has a service stand for an address.
fn at_address(printed: &str, name: &str, address: SocketAddr) -> String {
    let service = format!("{{ name: {name}, port: {} }}", address.port());
    assert!(printed.contains(&service), "{service} is not in {printed}");
    let backend = format!("{{ group: gateway.envoyproxy.io, kind: Backend, name: {name} }}");
    let (ip, port) = (address.ip(), address.port());
    printed.replace(&service, &backend)
        + &format!(
            "---\napiVersion: gateway.envoyproxy.io/v1alpha1\nkind: Backend\nmetadata: {{ name: {name} }}\n\
             spec: {{ endpoints: [{{ ip: {{ address: {ip}, port: {port} }} }}] }}\n"
        )
}

fn start(start: &Start<'_>) -> Box<dyn Any> {
    let here = start.folder;
    let text = start.printed.to_owned() + &GATEWAY.replace("VERSION", ENVOY);
    let mut text = text.replace("PORT", &start.front.port().to_string());
    for (name, address) in
        [("brama-decide", start.asked), ("brama", start.gateway), ("portal", start.portal)]
    {
        text = at_address(&text, name, address);
    }
    fs::create_dir_all(here.join("objects")).unwrap();
    fs::write(here.join("objects/brama.yaml"), text).unwrap();
    let itself = here.join("itself.yaml");
    fs::write(&itself, ITSELF.replace("HERE", here.to_str().unwrap())).unwrap();
    let bin = here.join(format!("data/envoy-versions/{ENVOY}/bin"));
    if !bin.is_dir() {
        fs::create_dir_all(&bin).unwrap();
        symlink(envoy(), bin.join("envoy")).unwrap();
    }
    let program = program().expect("it was found");
    let config = here.join("config");
    let mut command = Command::new(&program);
    command.args(["certgen", "--local", "--config-home"]).arg(&config);
    let made = command.output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let mut command = Command::new(&program);
    command.args(["server", "--config-path"]).arg(&itself).env("HOME", here);
    let program = Program::start(&mut command);
    start.wait_until_it_serves();
    Box::new(program)
}

fn envoy() -> PathBuf {
    let envoy = Tool::Envoy.beside_judges().expect("Envoy was found");
    assert!(Path::new(&envoy).is_absolute(), "{}", envoy.display());
    envoy
}

#[test]
fn a_cluster_of_one_machine_keeps_every_rule_of_the_others() {
    if program().is_none() || !tools::has(&[Tool::Envoy, Tool::Curl]) {
        return;
    }
    // One after the other, for the ports are the same.
    let site = Site::shaped("envoy-gateway", Shape::Plain, start);
    stories::a_citizen_comes_and_goes(&site);
    stories::nobody_tells_the_portal_who_they_are(&site);
    stories::no_spelling_leads_past_the_question(&site);
    stories::no_spelling_of_the_host_does(&site);
    stories::a_handshake_comes_from_a_page_of_the_portal(&site);
    stories::over_http_2_all_is_the_same(&site);
    stories::no_trailer_tells_who_it_is(&site);
    journeys::a_place_that_wants_a_recent_login_gets_one(&site);
    known::nothing_that_went_wrong_elsewhere_does_here(&site);
    stories::without_an_answer_nobody_passes(site);
    let site = Site::shaped("envoy-gateway", Shape::Part, start);
    journeys::a_part_is_asked_about_and_the_gateway_has_the_rest(&site);
}
