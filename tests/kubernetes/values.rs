//! What single values of the chart become.

use std::fs;

use serde_json::{Value, json};

use crate::chart::{self, CHART};
use crate::manifests::{gateway, items, of_kind, text, the, variable};
use crate::tools::{Tools, VERSIONS, tools};

const NEEDED: [&str; 3] = ["helm", "python", "crds"];
const SIDECAR: &str = "sidecar,portal.image=portal";
const REDIS: &str = "edge,store.kind=redis";

/// The objects of the chart with values as they stand behind `mode=`.
fn objects(tools: &Tools, values: &str) -> Vec<Value> {
    let text = chart::template(tools, &vec![values.to_owned()]).unwrap();
    let judged = tools.judge(&text, VERSIONS[1]);
    assert_eq!(judged.problems, [""; 0], "{values}");
    judged.objects
}

/// The same with a configuration and further words for Helm.
fn with(tools: &Tools, release: &str, config: &str, words: &[&str]) -> Vec<Value> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), config).unwrap();
    let config = format!("config={}", file.path().display());
    let mut all = vec!["template", release, CHART, "--kube-version", VERSIONS[0]];
    all.extend(["--set", "mode=sidecar,portal.image=portal", "--set-file", &config]);
    all.extend(words);
    let judged = tools.judge(&tools.helm(&all).unwrap(), VERSIONS[0]);
    assert_eq!(judged.problems, [""; 0], "{words:?}");
    judged.objects
}

#[test]
fn a_value_becomes_what_it_says() {
    let Some(tools) = tools(&NEEDED) else { return };
    let container = "/spec/template/spec/containers/0";
    let portal = "/spec/template/spec/containers/1";
    let threshold = format!("{container}/startupProbe/failureThreshold");
    let cpu = format!("{container}/resources/requests/cpu");
    let [ready, sources, pull] =
        ["readinessProbe", "envFrom", "imagePullPolicy"].map(|name| format!("{portal}/{name}"));
    let user = format!("{portal}/securityContext/runAsUser");
    let timeout = "/spec/endpoints/0/scrapeTimeout";
    let portals = "portal.readinessProbe.exec.command={/bin/ready},portal.imagePullPolicy=Always,\
                   portal.envFrom[0].configMapRef.name=portal,portal.securityContext.runAsUser=null";
    let often = "monitoring.serviceMonitor=true,monitoring.interval=5s";
    for (values, rows) in [
        // What is long in opening is waited for; the user of the portal is not the gateway's.
        (
            SIDECAR.to_owned(),
            vec![
                ("Deployment", &*threshold, json!(600)),
                ("Deployment", &ready, Value::Null),
                ("Deployment", &user, json!(65531)),
            ],
        ),
        (
            format!("{SIDECAR},{portals}"),
            vec![
                ("Deployment", &ready, json!({ "exec": { "command": ["/bin/ready"] } })),
                ("Deployment", &sources, json!([{ "configMapRef": { "name": "portal" } }])),
                ("Deployment", &pull, json!("Always")),
                ("Deployment", &user, Value::Null),
            ],
        ),
        // The autoscaler counts percents of what is asked for; none are asked for longer than until the next time.
        (
            format!("{REDIS},autoscaling.enabled=true,{often}"),
            vec![
                ("Deployment", &threshold, json!(60)),
                ("Deployment", &cpu, json!("500m")),
                ("ServiceMonitor", timeout, json!("5s")),
            ],
        ),
        (
            format!("{REDIS},resources.requests=null,monitoring.serviceMonitor=true"),
            vec![("Deployment", &cpu, json!("100m")), ("ServiceMonitor", timeout, json!("10s"))],
        ),
        (
            format!("{REDIS},autoscaling.enabled=true,resources.requests.cpu=1"),
            vec![("Deployment", &cpu, json!(1))],
        ),
    ] {
        let objects = objects(&tools, &values);
        for (kind, pointer, expected) in rows {
            let found = the(&objects, kind).pointer(pointer).unwrap_or(&Value::Null);
            assert_eq!(*found, expected, "{values} {pointer}");
        }
    }
}

/// Secrets behind `sub` outlive a pod, unless somebody said that they need not.
#[test]
fn sessions_are_in_a_file_on_a_volume_when_nothing_is_said() {
    let Some(tools) = tools(&NEEDED) else { return };
    for (values, kind, volumes) in [
        (SIDECAR, "file", 1),
        ("edge", "file", 1),
        ("sidecar,portal.image=portal,store.kind=memory", "memory", 0),
        ("demo", "memory", 0),
    ] {
        let objects = objects(&tools, values);
        assert_eq!(variable(gateway(&objects), "BRAMA__STORE__KIND"), Some(kind), "{values}");
        assert_eq!(of_kind(&objects, "PersistentVolumeClaim").len(), volumes, "{values}");
    }
}

/// Sentinels say where the servers are, which the values do not know.
#[test]
fn what_leaves_a_pod_is_let_out() {
    let Some(tools) = tools(&NEEDED) else { return };
    let rule = |values: &str, label: &str| {
        let objects = objects(&tools, values);
        let policy = the(&objects, "NetworkPolicy");
        let is_it = |rule: &&Value| rule.to_string().contains(label);
        (
            policy["spec"]["policyTypes"].clone(),
            items(&policy["spec"]["egress"]).find(is_it).cloned(),
        )
    };
    let redis = "app.kubernetes.io/name\":\"redis";
    let (_, single) = rule(REDIS, redis);
    assert_eq!(single.unwrap()["ports"], json!([{ "port": 6379 }]));
    let sentinel = "store.redis.mode=sentinel,store.redis.master=gate";
    let (_, sentinel) = rule(&format!("{REDIS},{sentinel}"), redis);
    assert_eq!(sentinel.unwrap()["ports"], Value::Null);
    // What the portal of a sidecar needs is not known, unless it is said.
    assert_eq!(rule(SIDECAR, "kube-system"), (json!(["Ingress"]), None));
    let own = "networkPolicy.extraEgress[0].to[0].ipBlock.cidr=10.1.2.3/32";
    let (types, database) = rule(&format!("{SIDECAR},{own}"), "10.1.2.3/32");
    assert!(types == json!(["Ingress", "Egress"]) && database.is_some(), "{types}");
    let (_, names) = rule(&format!("{SIDECAR},{own}"), "kube-system");
    assert!(names.unwrap().to_string().contains("169.254.20.10/32"));
}

/// A variable that stands twice is a warning at each `kubectl apply`, and which one wins is nobody's promise.
#[test]
fn a_variable_of_the_operator_takes_the_place_of_the_charts() {
    let Some(tools) = tools(&NEEDED) else { return };
    let env = "env[0].name=BRAMA__LISTEN__HTTP,env[0].value=[::]:8080,\
               env[1].name=MIMALLOC_ALLOW_THP,env[1].value=1";
    let words = ["--set-string", env];
    let objects = with(&tools, "gate", "[portal]\n", &words);
    let own = items(&gateway(&objects)["env"]).filter(|one| one["name"] == "BRAMA__LISTEN__HTTP");
    assert_eq!(own.map(|one| text(&one["value"])).collect::<Vec<_>>(), ["[::]:8080"]);
    assert_eq!(variable(gateway(&objects), "MIMALLOC_ALLOW_THP"), Some("1"));
}

/// Pods that run have the configuration that they began with, until a new one is ready.
#[test]
fn another_configuration_is_another_object_that_stays() {
    let Some(tools) = tools(&NEEDED) else { return };
    let config = |text: &str, words: &[&str]| {
        let objects = with(&tools, "gate", text, words);
        let config = the(&objects, "ConfigMap").clone();
        let volumes = &the(&objects, "Deployment")["spec"]["template"]["spec"]["volumes"];
        assert_eq!(volumes[0]["configMap"]["name"], config["metadata"]["name"]);
        assert_eq!(config["data"]["brama.toml"], text, "to the letter");
        config["metadata"].clone()
    };
    let indented = "  [portal]\n\tname = \"<&>\" # ż\n";
    let (one, other) = (config("[portal]\n", &[]), config(indented, &[]));
    assert_ne!(one["name"], other["name"]);
    assert_eq!(one["annotations"]["helm.sh/resource-policy"], "keep");
    let watch = ["--set", "configChange=watch"];
    let (one, other) = (config("[portal]\n", &watch), config(indented, &watch));
    assert_eq!((&one["name"], &one["annotations"]), (&json!("gate-brama-config"), &Value::Null));
    assert_eq!(one["name"], other["name"]);
}

/// YAML takes digits for a number, and Kubernetes takes no number for a name.
#[test]
fn names_of_digits_are_names() {
    let Some(tools) = tools(&NEEDED) else { return };
    let values = "secrets.keys=1,secrets.operations=4,host=5,priorityClassName=6,portal.image=7,\
                  store.file.storageClassName=8,ingress.className=9,ingress.tlsSecret=10,\
                  networkPolicy.monitoringNamespace=11,networkPolicy.proxyNamespaces={12},test.image=13";
    let words = ["--set-string", values, "--set"];
    let more = "ingress.enabled=true,test.enabled=true,monitoring.serviceMonitor=true";
    let objects = with(&tools, "2026", "[portal]\n", &[&words[..], &[more]].concat());
    // A Service begins with a letter.
    assert_eq!(the(&objects, "Deployment")["metadata"]["name"], "brama-2026");
    let spec = &the(&objects, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(
        (&spec["priorityClassName"], &spec["containers"][1]["image"]),
        (&json!("6"), &json!("7"))
    );
}
