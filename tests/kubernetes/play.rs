//! Overlays that run: podman plays the pods, and a citizen of the simulator signs in.
//!
//! What is changed of a manifest is what podman 4.3 needs: other images and ports, `optional` of Secrets, which it
//! looks at although it is not there, and `restartPolicy`, by which it would start what makes keys again
//! and again.

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::chart;
use crate::manifests::{text, the};
use crate::overlays::{self, Own};
use crate::podman::{IMAGE, PORTAL, Podman};
use crate::tools::{Tools, VERSIONS, root, tools};

/// How long a pod may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ports of this machine in the place of those of the pod: for citizens, of the simulator's pages, and for
/// operations.
struct Ports([u16; 3]);

impl Ports {
    fn free() -> Self {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        Self(listeners.map(|listener| listener.local_addr().unwrap().port()))
    }

    /// Puts them into a text, each in place of the one that the manifests have.
    fn put(&self, text: &str) -> String {
        // Behind a mark, so that what is put is not replaced in its turn.
        let marked = ["8080", "8081", "9480"].into_iter().zip(self.0);
        let text = marked.fold(text.to_owned(), |text, (old, new)| {
            let new: String = new.to_string().chars().flat_map(|digit| ['\0', digit]).collect();
            text.replace(old, &new)
        });
        text.replace('\0', "")
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.0[0])
    }
}

/// A pod that runs.
struct Played {
    podman: Podman,
    ports: Ports,
    /// What its containers' names begin with.
    name: String,
}

impl Played {
    /// Plays manifests, and waits until the gateway is ready.
    fn start(podman: Podman, ports: Ports, objects: &[Value]) -> Self {
        let texts: Vec<_> =
            objects.iter().cloned().map(for_podman).map(|one| one.to_string()).collect();
        let file = podman.file("pod.yaml");
        fs::write(&file, ports.put(&texts.join("\n---\n"))).unwrap();
        podman.does(&["kube", "play", file.to_str().unwrap()]);
        let name = format!("{}-pod-0-", text(&the(objects, "Deployment")["metadata"]["name"]));
        let played = Self { podman, ports, name };
        played.until_ready();
        played
    }

    fn container(&self, name: &str) -> String {
        format!("{}{name}", self.name)
    }

    fn until_ready(&self) {
        let address = format!("http://127.0.0.1:{}/readyz", self.ports.0[2]);
        let deadline = Instant::now() + PATIENCE;
        while self.ask(&address) != "ready\n" {
            let is_late = Instant::now() > deadline;
            assert!(!is_late, "{}", self.podman.logs(&self.container("brama")));
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Asks as the browser that has signed in.
    fn ask(&self, address: &str) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "10", "--header", "Accept: text/html", "--cookie"]);
        let said = curl.arg(self.podman.file("cookies")).arg(address).output().unwrap();
        String::from_utf8_lossy(&said.stdout).into_owned()
    }

    fn sign_in(&self) {
        let mut script = Command::new("sh");
        script.arg(root().join("deploy/curl/sign-in.sh"));
        script.args([&self.ports.origin(), "anna"]).arg(self.podman.file("cookies"));
        let said = script.output().unwrap();
        let logs = self.podman.logs(&self.container("brama"));
        assert!(said.status.success(), "{}{logs}", String::from_utf8_lossy(&said.stderr));
    }

    /// Whether Anna is signed in, by the gateway and by the portal behind it.
    fn knows_anna(&self) -> bool {
        let session = self.ask(&format!("{}/.brama/session", self.ports.origin()));
        let page = self.ask(&format!("{}/account", self.ports.origin()));
        session.contains("\"signed_in\":true") && page.contains("Anna Żółkiewska")
    }

    /// Whether a container may as little as its manifest says.
    fn is_restricted(&self, container: &str) -> bool {
        let format = "{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.EffectiveCaps}} {{.HostConfig.SecurityOpt}}";
        let told = self.podman.does(&["inspect", "--format", format, &self.container(container)]);
        told == "true 65532:65532 [] [no-new-privileges]"
    }
}

/// An object as podman 4.3 takes it.
fn for_podman(mut object: Value) -> Value {
    let Some(spec) = object.pointer_mut("/spec/template/spec") else { return object };
    spec["restartPolicy"] = json!("OnFailure");
    for volume in spec["volumes"].as_array_mut().into_iter().flatten() {
        if volume["secret"].is_object() {
            volume["secret"]["optional"] = json!(false);
        }
    }
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            let image = if container["image"] == "portal" { PORTAL } else { IMAGE };
            container["image"] = json!(image);
        }
    }
    object
}

const NEEDED: [&str; 3] = overlays::NEEDED;

#[test]
fn a_citizen_signs_in_at_the_demo() {
    let Some(tools) = tools(&NEEDED) else { return };
    let Some(podman) = Podman::new() else { return };
    podman.make_image();
    let played = Played::start(podman, Ports::free(), &overlays::objects(&tools, "demo"));
    assert!(!played.knows_anna());
    played.sign_in();
    assert!(played.knows_anna());
    for container in ["brama", "simulator", "portal"] {
        assert!(played.is_restricted(container), "{container}");
    }
}

/// What `helm test` does in a pod of a cluster, done from this machine: the names of the Service are its own.
#[test]
fn the_test_of_the_chart_signs_in_at_its_demo() {
    let Some(tools) = tools(&["helm", "python", "crds"]) else { return };
    let Some(podman) = Podman::new() else { return };
    podman.make_image();
    let rendered = chart::template(&tools, &vec!["demo".to_owned()]).unwrap();
    let objects = tools.judge(&rendered, VERSIONS[1]).objects;
    let is_hook = |one: &Value| !one["metadata"]["annotations"]["helm.sh/hook"].is_null();
    let (hooks, objects): (Vec<_>, Vec<_>) = objects.into_iter().partition(is_hook);
    let played = Played::start(podman, Ports::free(), &objects);
    let folder = tempfile::tempdir().unwrap();
    let here = format!("{}/", folder.path().display());
    for (name, script) in the(&hooks, "ConfigMap")["data"].as_object().unwrap() {
        let script = played.ports.put(text(script)).replace("gate-brama", "127.0.0.1");
        let script = script.replace("/tmp/", &here).replace("/test/", &here);
        fs::write(folder.path().join(name), script).unwrap();
    }
    let test = || {
        let mut command = Command::new("sh");
        command.arg(folder.path().join("test.sh")).env("CURL_HOME", folder.path());
        command.output().unwrap()
    };
    let said = test();
    let logs = played.podman.logs(&played.container("brama"));
    assert!(said.status.success(), "{said:?} {logs}");
    assert!(String::from_utf8_lossy(&said.stdout).contains("Anna is signed in"), "{said:?}");
    // The twin: a release that does not work fails.
    played.podman.does(&["stop", "--time", "1", &played.container("simulator")]);
    assert!(!test().status.success());
}

/// The sidecar with a simulator beside it, in place of the node: what an operator changes is the
/// configuration and the Secret.
fn sidecar(tools: &Tools, podman: &Podman) -> Vec<Value> {
    let own = Own::of(&[]);
    let kit = podman.file("kit");
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["simulator", "--keys-only", "--directory"]).arg(&kit);
    assert!(command.output().unwrap().status.success());
    let read = |name: &str| fs::read_to_string(kit.join(name)).unwrap();
    // In Secrets of its own podman has texts, and no Base64.
    let secret = |name: &str, files: Vec<(&str, String)>| {
        let files: serde_json::Map<_, _> =
            files.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
        let file = podman.file(&format!("{name}.json"));
        fs::write(&file, json!({ "data": files }).to_string()).unwrap();
        podman.does(&["secret", "create", name, file.to_str().unwrap()]);
    };
    let keys = [
        ("node-signing.pem", "node-signing.crt.pem"),
        ("authorities.pem", "ca.crt.pem"),
        ("signing.pem", "service-sig.crt.pem"),
        ("signing.key", "service-sig.key.pem"),
        ("decryption.key", "service-enc.key.pem"),
    ];
    secret("brama-keys", keys.map(|(name, original)| (name, read(original))).into());
    let names =
        fs::read_dir(&kit).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: Vec<_> = names.collect();
    secret("kit", names.iter().map(|name| (&**name, read(name))).collect());
    own.write("brama.toml", CONFIGURATION);
    let simulator = json!({
        "name": "simulator",
        "image": "brama",
        "args": [
            "simulator", "--directory=/kit", "--pages=0.0.0.0:8081", "--public-pages=http://127.0.0.1:8081",
            "--soap=127.0.0.1:8082", "--mutual-tls=optional", "--allow-remote",
            "--acs=http://localhost:8080/.brama/acs"
        ],
        "ports": [{ "name": "simulator", "containerPort": 8081 }],
        "volumeMounts": [{ "name": "kit", "mountPath": "/kit", "readOnly": true }],
    });
    let volume = json!({ "name": "kit", "secret": { "secretName": "kit" } });
    let patch = json!([
        { "op": "add", "path": "/spec/template/spec/containers/-", "value": simulator },
        { "op": "add", "path": "/spec/template/spec/volumes/-", "value": volume },
    ]);
    let kustomization = json!({
        "kind": "Kustomization",
        "resources": [own.way_to("deploy/kubernetes/overlays/sidecar")],
        "configMapGenerator": [{ "name": "brama-config", "behavior": "replace", "files": ["brama.toml"] }],
        "patches": [{ "target": { "kind": "Deployment" }, "patch": patch.to_string() }],
    });
    own.write("kustomization.yaml", &kustomization.to_string());
    tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects
}

const CONFIGURATION: &str = "
[portal]
public_url = \"http://localhost:8080\"
# Podman knows no defaultMode of a Secret.
private_mounts = [\"/etc/brama\"]

[node]
environment = \"custom\"
issuer = \"symulator.brama.localhost\"
sso_url = \"http://127.0.0.1:8081/login/SingleSignOnService\"
resolve_url = \"https://127.0.0.1:8082/login-services/idpArtifactResolutionService\"
certificates = [\"/etc/brama/keys/node-signing.pem\"]
extra_ca_file = \"/etc/brama/keys/authorities.pem\"
system_roots = false

[service]
issuer = \"portal.brama.localhost\"
provider_name = \"Portal\"
signing_certificate = \"/etc/brama/keys/signing.pem\"
signing_key = \"/etc/brama/keys/signing.key\"
decryption_keys = [\"/etc/brama/keys/decryption.key\"]

[[upstream]]
name = \"demo-portal\"
url = \"http://127.0.0.1:3000\"

[[route]]
path = \"/\"
upstream = \"demo-portal\"
claims = [\"given_name\", \"family_name\"]
";

#[test]
fn a_citizen_signs_in_at_the_sidecar_and_a_gateway_that_is_killed_knows_them_still() {
    let Some(tools) = tools(&NEEDED) else { return };
    let Some(podman) = Podman::new() else { return };
    let ports = Ports::free();
    podman.make_image();
    let origin = ports.origin();
    let gateway = format!("--gateway=http://127.0.0.1:{}", ports.0[0]);
    podman.make_portal(&[
        "demo-portal",
        "--listen=127.0.0.1:3000",
        &format!("--issuer={origin}"),
        &gateway,
    ]);
    let objects = sidecar(&tools, &podman);
    let played = Played::start(podman, ports, &objects);
    played.sign_in();
    assert!(played.knows_anna());
    assert!(played.is_restricted("brama"));
    played.podman.does(&["kill", &played.container("brama")]);
    assert!(!played.knows_anna());
    played.podman.does(&["start", &played.container("brama")]);
    played.until_ready();
    assert!(played.knows_anna());
}
