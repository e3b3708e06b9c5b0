//! What an object names by a label, a port or a name is there. A cluster admits all of it otherwise, and
//! nothing works.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::manifests::{containers, items, of_kind, text, the};

/// Names that the manifests take for granted: what an operator has made before.
const GIVEN: [&str; 5] = ["brama-keys", "brama-tls", "brama-store", "portal-tls", "brama-operator"];

/// Says what is named and is not there.
pub(crate) fn loose_ends(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let pod = &the(objects, "Deployment")["spec"]["template"];
    let labels = &pod["metadata"]["labels"];
    selectors(objects, labels, &mut wrong);
    references(objects, &mut wrong);
    ports(objects, pod, &mut wrong);
    backends(objects, &mut wrong);
    volumes(objects, pod, &mut wrong);
    wrong
}

/// Tells whether labels have all that a selector wants; one that wants nothing is for everything.
fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector.as_object().filter(|wanted| !wanted.is_empty());
    wanted.is_some_and(|wanted| wanted.iter().all(|(name, value)| labels[name] == *value))
}

fn selectors(objects: &[Value], labels: &Value, wrong: &mut Vec<String>) {
    for (kind, selector) in [
        ("Deployment", "/spec/selector/matchLabels"),
        ("Service", "/spec/selector"),
        ("NetworkPolicy", "/spec/podSelector/matchLabels"),
        ("PodDisruptionBudget", "/spec/selector/matchLabels"),
    ] {
        for object in of_kind(objects, kind) {
            if !object.pointer(selector).is_some_and(|selector| selects(selector, labels)) {
                wrong.push(format!("{kind}/{} selects no pod", name(object)));
            }
        }
    }
    for constraint in
        items(&the(objects, "Deployment")["spec"]["template"]["spec"]["topologySpreadConstraints"])
    {
        if !selects(&constraint["labelSelector"]["matchLabels"], labels) {
            wrong.push(format!("{constraint} spreads no pods"));
        }
    }
}

/// What watches and what scales is for what there is.
fn references(objects: &[Value], wrong: &mut Vec<String>) {
    for monitor in of_kind(objects, "ServiceMonitor") {
        let selector = &monitor["spec"]["selector"]["matchLabels"];
        let meant: Vec<_> = of_kind(objects, "Service")
            .into_iter()
            .filter(|service| selects(selector, &service["metadata"]["labels"]))
            .collect();
        let port = &monitor["spec"]["endpoints"][0]["port"];
        let has_port =
            |service: &&&Value| items(&service["spec"]["ports"]).any(|one| one["name"] == *port);
        if meant.len() != 1 || meant.iter().filter(has_port).count() != 1 {
            wrong
                .push(format!("ServiceMonitor/{} means one Service with that port", name(monitor)));
        }
    }
    for scaler in of_kind(objects, "HorizontalPodAutoscaler") {
        let deployment = the(objects, "Deployment");
        let named = scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"];
        if !named || !deployment["spec"]["replicas"].is_null() {
            wrong.push("the autoscaler has the number of replicas, of the Deployment".to_owned());
        }
    }
}

/// Ports by name are those of a container.
fn ports(objects: &[Value], pod: &Value, wrong: &mut Vec<String>) {
    let there: BTreeSet<_> = containers(pod)
        .flat_map(|one| items(&one["ports"]))
        .map(|port| text(&port["name"]))
        .collect();
    let of_services =
        of_kind(objects, "Service").into_iter().flat_map(|one| items(&one["spec"]["ports"]));
    let mut named: Vec<_> = of_services.map(|port| &port["targetPort"]).collect();
    for policy in of_kind(objects, "NetworkPolicy") {
        let rules = items(&policy["spec"]["ingress"]);
        named.extend(rules.flat_map(|rule| items(&rule["ports"])).map(|port| &port["port"]));
    }
    for container in containers(pod) {
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let port = &container[probe]["httpGet"]["port"];
            named.extend((!port.is_null()).then_some(port));
        }
    }
    let lost =
        named.into_iter().filter(|port| !port.as_str().is_some_and(|port| there.contains(port)));
    wrong.extend(lost.map(|port| format!("no container has the port {port}")));
    // Everything that listens for others is let through, where anything is.
    for policy in of_kind(objects, "NetworkPolicy") {
        let open: BTreeSet<_> = items(&policy["spec"]["ingress"])
            .flat_map(|rule| items(&rule["ports"]))
            .filter_map(|port| port["port"].as_str())
            .collect();
        for port in there.difference(&open) {
            wrong.push(format!("NetworkPolicy/{} lets nobody to the port {port}", name(policy)));
        }
    }
}

/// Ways from outside lead to a Service that is there, at a port that it has.
fn backends(objects: &[Value], wrong: &mut Vec<String>) {
    let mut named: Vec<(&Value, Value)> = Vec::new();
    for ingress in of_kind(objects, "Ingress") {
        for path in items(&ingress["spec"]["rules"]).flat_map(|rule| items(&rule["http"]["paths"]))
        {
            let service = &path["backend"]["service"];
            named.push((&service["name"], json!({ "name": service["port"]["name"] })));
        }
    }
    for route in of_kind(objects, "HTTPRoute") {
        for backend in items(&route["spec"]["rules"]).flat_map(|rule| items(&rule["backendRefs"])) {
            named.push((&backend["name"], json!({ "port": backend["port"] })));
        }
    }
    for (service, port) in named {
        let found =
            of_kind(objects, "Service").into_iter().find(|one| one["metadata"]["name"] == *service);
        let has_port =
            |one: &Value| items(&one["spec"]["ports"]).any(|there| selects(&port, there));
        if !found.is_some_and(has_port) {
            wrong.push(format!("no Service {service} has {port}"));
        }
    }
}

/// What is mounted is a volume, every volume is mounted, and what it is of is there.
fn volumes(objects: &[Value], pod: &Value, wrong: &mut Vec<String>) {
    let there: BTreeSet<_> = items(&pod["spec"]["volumes"]).map(|one| text(&one["name"])).collect();
    let mounted: BTreeSet<_> = containers(pod)
        .flat_map(|one| items(&one["volumeMounts"]))
        .map(|mount| text(&mount["name"]))
        .collect();
    let odd = there.symmetric_difference(&mounted);
    wrong.extend(
        odd.map(|volume| format!("the volume {volume} is a volume, or mounted, and not both")),
    );
    for volume in items(&pod["spec"]["volumes"]) {
        let sources = [
            (&volume["configMap"]["name"], "ConfigMap"),
            (&volume["persistentVolumeClaim"]["claimName"], "PersistentVolumeClaim"),
            (&volume["secret"]["secretName"], "Secret"),
        ];
        for (source, kind) in sources.into_iter().filter(|(source, _)| source.is_string()) {
            let is_made =
                of_kind(objects, kind).iter().any(|one| one["metadata"]["name"] == *source);
            let is_given = kind == "Secret" && GIVEN.contains(&text(source));
            if !is_made && !is_given {
                wrong.push(format!("no {kind} {source} is there"));
            }
        }
    }
    let account = &pod["spec"]["serviceAccountName"];
    if !of_kind(objects, "ServiceAccount").iter().any(|one| one["metadata"]["name"] == *account) {
        wrong.push(format!("no ServiceAccount {account} is there"));
    }
}

fn name(object: &Value) -> &str {
    text(&object["metadata"]["name"])
}
