//! The chart: what Helm makes of its values, and which values it refuses.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::manifests::{items, of_kind, text, the};
use crate::overlays;
use crate::security::{check_life, refusals};
use crate::tools::{Tools, VERSIONS, root, tools};
use crate::wiring::loose_ends;

const NEEDED: [&str; 3] = ["helm", "python", "crds"];
pub(crate) const CHART: &str = "deploy/helm/brama";

/// Values as they stand on a command line; the first is that of `mode`.
pub(crate) type Values = Vec<String>;

/// Combinations of values that go together.
pub(crate) fn matrix() -> Vec<Values> {
    let stores = ["memory", "file", "redis", "redis,autoscaling.enabled=true", "redis,replicas=3"];
    let options = [
        "",
        "monitoring.serviceMonitor=true,monitoring.prometheusRule=true,test.enabled=true",
        "networkPolicy.enabled=false,podDisruptionBudget.enabled=false,configChange=watch",
        "secrets.operations=brama-operator,user=null,drain.delay=0,drain.timeout=600",
    ];
    let mut found = Vec::new();
    for mode in ["sidecar,portal.image=portal", "edge", "companion"] {
        for store in stores {
            for option in options {
                found.push(values(&[mode, &format!("store.kind={store}"), option]));
            }
        }
    }
    let sidecar = "sidecar,portal.image=portal";
    let more = [
        (sidecar, "ingress.enabled=true,ingress.className=public,ingress.tlsSecret=portal-tls"),
        (sidecar, "gatewayApi.enabled=true"),
        ("edge", "service.type=NodePort,service.annotations.a=b,image.digest=sha256:"),
        (
            "edge",
            "store.kind=redis,store.redis.mode=sentinel,store.redis.master=gate,store.redis.tls=false",
        ),
        ("companion", "priorityClassName=high,podLabels.team=gate,nodeSelector.disk=fast"),
        ("companion", "env[0].name=BRAMA__SESSION__IDLE,env[0].value=20m,image.tag=1.2.3"),
        ("demo", ""),
        ("demo", "monitoring.serviceMonitor=true,networkPolicy.enabled=false"),
    ];
    let digest = "0123456789abcdef".repeat(4);
    let of_digest = |more: &str| more.replace("sha256:", &format!("sha256:{digest}"));
    found.extend(more.map(|(mode, more)| values(&[mode, &of_digest(more)])));
    found
}

fn values(parts: &[&str]) -> Values {
    let parts = parts.iter().filter(|part| !part.is_empty());
    parts.map(|part| (*part).to_owned()).collect()
}

/// The words for Helm that say these values.
fn words(values: &Values) -> Vec<String> {
    let mode = values[0].split(',').next().unwrap();
    let set = format!("mode={}", values.join(","));
    let mut words =
        vec!["--kube-version".to_owned(), VERSIONS[0].to_owned(), "--set".to_owned(), set];
    if mode != "demo" {
        let file = format!("config=deploy/kubernetes/overlays/{mode}/brama.toml");
        words.extend(["--set-file".to_owned(), file]);
    }
    words
}

fn helm(tools: &Tools, verb: &[&str], values: &Values) -> Result<String, String> {
    let words = words(values);
    let words = words.iter().map(String::as_str);
    tools.helm(&verb.iter().copied().chain(words).collect::<Vec<_>>())
}

/// Renders the chart.
pub(crate) fn template(tools: &Tools, values: &Values) -> Result<String, String> {
    helm(tools, &["template", "gate", CHART], values)
}

#[test]
fn every_combination_of_values_fits_kubernetes_and_is_let_in() {
    let Some(tools) = tools(&["helm", "python", "crds", "podsecurity"]) else { return };
    let matrix = matrix();
    assert_eq!(matrix.len(), 68);
    for (number, values) in matrix.iter().enumerate() {
        let text = template(&tools, values).unwrap();
        let judged = tools.judge(&text, VERSIONS[number % 2]);
        assert_eq!(judged.problems, [""; 0], "{values:?}");
        assert_eq!(loose_ends(&judged.objects), [""; 0], "{values:?}");
        assert_eq!(refusals(&tools, &judged.objects), [""; 0], "{values:?}");
        check_life(&judged.objects, &format!("{values:?}"));
    }
}

#[test]
fn the_chart_passes_lint_and_is_for_the_version_of_the_program() {
    let Some(tools) = tools(&NEEDED) else { return };
    for mode in ["sidecar,portal.image=portal", "edge", "companion", "demo"] {
        let said = helm(&tools, &["lint", "--strict", CHART], &values(&[mode])).unwrap();
        assert!(said.contains("0 chart(s) failed") && !said.contains("[WARNING]"), "{said}");
    }
    let chart = fs::read_to_string(root().join(CHART).join("Chart.yaml")).unwrap();
    for key in ["version", "appVersion"] {
        let line = format!("\n{key}: {}\n", env!("CARGO_PKG_VERSION"));
        assert!(chart.contains(&line), "{line} in {chart}");
    }
}

/// The twin: values that cannot work are refused with what to do, by the schema or by the chart.
#[test]
fn values_that_cannot_work_are_refused() {
    let Some(tools) = tools(&NEEDED) else { return };
    let sidecar = "sidecar,portal.image=portal";
    for (mode, value, told) in [
        ("nothing", "", "value must be one of"),
        ("edge", "replica=2", "additional properties 'replica' not allowed"),
        ("edge", "store.kind=mysql", "/store/kind"),
        ("edge", "replicas=2", "store.kind=redis"),
        ("edge", "autoscaling.enabled=true", "store.kind=redis"),
        ("edge", "ingress.enabled=true", "the edge ends TLS itself"),
        ("companion", "gatewayApi.enabled=true", "printed by brama print-config"),
        ("sidecar", "", "portal.image"),
        (sidecar, "ingress.enabled=true,gatewayApi.enabled=true", "citizens come one way"),
        (sidecar, "config=", "config is missing"),
        (sidecar, "env[0].name=BRAMA_NODE_ISSUER", "/env/0/name"),
        (sidecar, "user=0", "/user"),
        (sidecar, "drain.delay=5s", "/drain/delay"),
        (sidecar, "image.repository=brama:latest", "/image/repository"),
        (sidecar, "store.kind=redis,store.redis.mode=sentinel", "store.redis.master"),
        (sidecar, "store.kind=redis,store.redis.addresses={redis}", "/store/redis/addresses/0"),
        ("demo", "store.kind=file", "the demo keeps nothing"),
        (sidecar, "secrets.keys=", "secrets.keys"),
        ("edge", "secrets.tls=", "secrets.tls"),
        (sidecar, "store.kind=redis,secrets.store=", "secrets.store"),
        (
            sidecar,
            "store.kind=redis,autoscaling.enabled=true,autoscaling.minReplicas=7",
            "minReplicas is more",
        ),
        (sidecar, "drain.delay=4", "drain.delay of 5 or more"),
        (sidecar, "store.file.maximumSize=5121 MiB", "maximumSize is more"),
        (sidecar, "store.file.size=4G", "maximumSize is more"),
        (sidecar, "monitoring.interval=0s", "/monitoring/interval"),
        (sidecar, "portal.livenessProbe.httpGet.port=3000", "/portal/livenessProbe"),
        (sidecar, "env[0].name=MALLOC_ARENA", "/env/0/name"),
    ] {
        let mut given = words(&values(&[mode, value]));
        if value == "config=" || mode == "nothing" {
            given.truncate(4);
        }
        let given = ["template", "gate", CHART].into_iter().chain(given.iter().map(String::as_str));
        let said = tools.helm(&given.collect::<Vec<_>>()).expect_err(value);
        assert!(said.contains(told), "{mode} {value}: {said}");
    }
    let old = ["template", "gate", CHART, "--kube-version", "1.29.0", "--set", "mode=demo"];
    assert!(tools.helm(&old).unwrap_err().contains("incompatible with Kubernetes"));
}

/// One who changes from the overlay to the chart, or back, has the same gateway.
#[test]
fn the_chart_makes_what_the_overlay_has() {
    let Some(tools) = tools(&["helm", "python", "crds", "kustomize"]) else { return };
    for (overlay, values) in [
        ("sidecar", values(&["sidecar,portal.image=portal", "store.kind=file,image.tag=x"])),
        ("edge", values(&["edge", "store.kind=redis,autoscaling.enabled=true,drain.delay=25"])),
        ("companion", values(&["companion", "store.kind=redis,autoscaling.enabled=true"])),
        ("demo", values(&["demo", "drain.delay=0,drain.timeout=5"])),
    ] {
        let of_chart = tools.judge(&template(&tools, &values).unwrap(), VERSIONS[1]).objects;
        let of_overlay = overlays::objects(&tools, overlay);
        assert_eq!(essence(&of_chart), essence(&of_overlay), "{overlay}");
    }
}

/// What of the pod has nothing to do with the tool that made it.
fn essence(objects: &[Value]) -> Value {
    let mut spec = the(objects, "Deployment")["spec"]["template"]["spec"].clone();
    let security = spec["securityContext"].clone();
    let containers = spec["containers"].as_array_mut().unwrap();
    containers.sort_by_key(|one| one["name"].to_string());
    for container in containers {
        let one = container.as_object_mut().unwrap();
        one.remove("imagePullPolicy");
        // The version is that of the test above; the name says whether it is the full program.
        let image = text(&one["image"]).split(':').next().unwrap().to_owned();
        one.insert("image".to_owned(), image.into());
        for (list, key) in [("env", "name"), ("volumeMounts", "name"), ("ports", "name")] {
            let mut sorted: Vec<_> = items(&one.get(list).cloned().unwrap_or_default())
                // What the program would take anyway.
                .filter(|item| !(item["value"] == "memory" || item["value"] == "single"))
                .cloned()
                .collect();
            sorted.sort_by_key(|item| item[key].to_string());
            one.insert(list.to_owned(), sorted.into());
        }
    }
    let volumes = items(&spec["volumes"]).map(|volume| volume["name"].to_string());
    let mut volumes: Vec<_> = volumes.collect();
    volumes.sort();
    let ports = |kind: &str| {
        let of_kind = of_kind(objects, kind).into_iter();
        let mut ports: Vec<_> =
            of_kind.flat_map(|one| items(&one["spec"]["ports"])).map(Value::to_string).collect();
        ports.sort();
        ports
    };
    serde_json::json!({
        "containers": spec["containers"],
        "security": security,
        "volumes": volumes,
        "services": ports("Service"),
        "configuration": of_kind(objects, "ConfigMap")[0]["data"]["brama.toml"].as_str().unwrap().trim(),
        "strategy": the(objects, "Deployment")["spec"]["strategy"]["type"],
    })
}

/// The chart is one folder that goes its own way, so it has copies.
#[test]
fn what_the_chart_has_of_the_project_is_what_the_project_has() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    for (copy, original) in [
        ("files/demo.toml", "deploy/kubernetes/overlays/demo/brama.toml"),
        ("files/sign-in.sh", "deploy/curl/sign-in.sh"),
        ("files/rules.yaml", "deploy/monitoring/rules.yaml"),
    ] {
        assert!(read(&format!("{CHART}/{copy}")) == read(original), "copy {original} anew");
    }
    let rules = read("deploy/kubernetes/components/monitoring/prometheusrule.yaml");
    let rules = &rules[rules.find("  groups:\n").unwrap()..];
    let rules: String = rules
        .lines()
        .map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line)))
        .collect();
    let original = read("deploy/monitoring/rules.yaml");
    assert!(original.ends_with(&format!("\n{rules}")), "copy the rules anew");
}

/// What Helm says after an installation. It needs a cluster to say it, so here it is a text in an object of a
/// copy of the chart.
fn notes(tools: &Tools, values: &Values) -> String {
    let folder = tempfile::tempdir().unwrap();
    let copied = Command::new("cp").arg("-r").arg(root().join(CHART)).arg(folder.path()).status();
    assert!(copied.unwrap().success());
    let chart = folder.path().join("brama");
    fs::rename(chart.join("templates/NOTES.txt"), chart.join("notes.txt")).unwrap();
    let object = "kind: Notes\ntext: {{ tpl (.Files.Get \"notes.txt\") . | toJson }}\n";
    fs::write(chart.join("templates/notes.yaml"), object).unwrap();
    let verb = ["template", "gate", chart.to_str().unwrap(), "--namespace", "portal"];
    let judged = tools.judge(&helm(tools, &verb, values).unwrap(), VERSIONS[1]);
    the(&judged.objects, "Notes")["text"].as_str().unwrap().to_owned()
}

#[test]
fn helm_says_what_to_do_next() {
    let Some(tools) = tools(&NEEDED) else { return };
    for (mode, told) in [
        ("demo", "port-forward deployment/gate-brama 8080 8081"),
        ("demo", "helm test gate --namespace portal"),
        ("edge", "get secret brama-keys brama-tls\n"),
        ("edge,store.kind=memory", "a new pod signs everybody out"),
        ("edge,store.kind=memory", "gets another `sub`"),
        ("companion,store.kind=redis", "--ask gate-brama-decide.portal.svc:9080"),
        ("companion,store.kind=redis", "get secret brama-keys brama-store\n"),
        ("sidecar,portal.image=portal", "logs deployment/gate-brama --container brama"),
    ] {
        let said = notes(&tools, &values(&[mode]));
        assert!(said.contains(told), "{told}: {said}");
    }
}

#[test]
fn the_test_of_the_demo_signs_in_at_the_simulator_by_the_names_of_the_laptop() {
    let Some(tools) = tools(&NEEDED) else { return };
    let objects = tools.judge(&template(&tools, &values(&["demo"])).unwrap(), VERSIONS[1]).objects;
    let pod = the(&objects, "Pod");
    assert_eq!(pod["metadata"]["annotations"]["helm.sh/hook"], "test");
    let configs = of_kind(&objects, "ConfigMap");
    let config = configs.iter().find(|one| one["metadata"]["name"] == "gate-brama-test").unwrap();
    let script = config["data"]["test.sh"].as_str().unwrap();
    assert!(script.contains("sh /test/sign-in.sh http://localhost:8080 anna"), "{script}");
    let names = config["data"][".curlrc"].as_str().unwrap();
    for port in [8080, 8081] {
        assert!(names.contains(&format!(":gate-brama:{port}\"")), "{names}");
    }
}
