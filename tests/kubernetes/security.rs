//! What a pod may: nothing that it does not need.

use serde_json::{Value, json};

use crate::manifests::{containers, gateway, items, pods, seconds, text, variable};
use crate::overlays::{self, Own};
use crate::tools::{Tools, VERSIONS, tools};

const NEEDED: [&str; 4] = ["kustomize", "python", "crds", "podsecurity"];

/// The objects of every overlay.
fn rendered(tools: &Tools) -> Vec<(String, Vec<Value>)> {
    let names = overlays::overlays().into_iter();
    names.map(|name| (name.clone(), overlays::objects(tools, &name))).collect()
}

/// Says why pods would not be let in where `restricted` is enforced, and what they may needlessly.
pub(crate) fn refusals(tools: &Tools, objects: &[Value]) -> Vec<String> {
    let mut wrong = tools.admission(&pods(objects));
    wrong.retain(|said| !said.is_empty());
    wrong.extend(needless_rights(objects));
    wrong
}

#[test]
fn every_pod_is_let_in_where_restricted_is_enforced() {
    let Some(tools) = tools(&NEEDED) else { return };
    for (name, objects) in rendered(&tools) {
        assert_eq!(refusals(&tools, &objects), [""; 0], "{name}");
    }
}

/// The twin: each of these is refused by the admission of Kubernetes, in the pod of an overlay.
#[test]
fn what_restricted_forbids_is_found_wherever_it_is_planted() {
    let Some(tools) = tools(&NEEDED) else { return };
    let objects = overlays::objects(&tools, "demo");
    let good = &pods(&objects)[0];
    for (pointer, value, told) in [
        ("/spec", json!({ "hostNetwork": true }), "host namespaces"),
        ("/spec", json!({ "hostPID": true }), "host namespaces"),
        ("/spec/securityContext", json!({ "runAsUser": 0 }), "runAsUser"),
        ("/spec/securityContext", json!({ "seccompProfile": { "type": "Unconfined" } }), "seccomp"),
        (
            "/spec/securityContext",
            json!({ "sysctls": [{ "name": "kernel.msgmax", "value": "1" }] }),
            "sysctl",
        ),
        ("/spec/containers/1/securityContext", json!({ "privileged": true }), "privileged"),
        ("/spec/containers/1/securityContext", json!({ "runAsNonRoot": false }), "runAsNonRoot"),
        (
            "/spec/containers/1/securityContext",
            json!({ "allowPrivilegeEscalation": true }),
            "allowPrivilegeEscalation",
        ),
        ("/spec/containers/1/securityContext/capabilities", json!({ "drop": [] }), "capabilities"),
        (
            "/spec/containers/1/securityContext/capabilities",
            json!({ "add": ["NET_ADMIN"] }),
            "capabilities",
        ),
        ("/spec/initContainers/0/securityContext", json!({ "runAsUser": 0 }), "runAsUser"),
        ("/spec/containers/0/ports/0", json!({ "hostPort": 80 }), "hostPort"),
        ("/spec/volumes/0", json!({ "emptyDir": null, "hostPath": { "path": "/" } }), "hostPath"),
    ] {
        let mut bad = good.clone();
        let place = bad.pointer_mut(pointer).unwrap().as_object_mut().unwrap();
        place.extend(value.as_object().unwrap().clone());
        let said = tools.admission(&[bad]).remove(0);
        assert!(said.contains(told), "{pointer} {value}: {said}");
    }
}

/// Rules of our own, beyond those of Kubernetes.
fn needless_rights(objects: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    for pod in pods(objects) {
        let spec = &pod["spec"];
        for (name, wanted) in
            [("automountServiceAccountToken", false), ("enableServiceLinks", false)]
        {
            if spec[name] != wanted {
                wrong.push(format!("{name} is {}", spec[name]));
            }
        }
        for container in containers(&pod) {
            let name = text(&container["name"]);
            if container["securityContext"]["readOnlyRootFilesystem"] != true {
                wrong.push(format!("{name}: the root can be written to"));
            }
            let resources = &container["resources"];
            for amount in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
                if resources.pointer(amount).is_none() {
                    wrong.push(format!("{name}: nothing says {amount}"));
                }
            }
            // A single file that is mounted never changes.
            wrong.extend(
                items(&container["volumeMounts"])
                    .filter(|mount| !mount["subPath"].is_null())
                    .map(|mount| format!("{name}: {} is a single file", mount["mountPath"])),
            );
            // Secrets are files; what is in the environment is told to whoever can read the object.
            let told = items(&container["env"]).filter(|one| !one["valueFrom"].is_null());
            wrong.extend(told.map(|one| format!("{name}: {} is from elsewhere", one["name"])));
            wrong.extend(writable_secrets(spec, container));
        }
    }
    wrong
}

fn writable_secrets(spec: &Value, container: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for volume in items(&spec["volumes"]).filter(|volume| !volume["secret"].is_null()) {
        if volume["secret"]["defaultMode"] != 0o440 {
            wrong.push(format!("the Secret {} is for everybody", volume["name"]));
        }
        let mounts =
            items(&container["volumeMounts"]).filter(|mount| mount["name"] == volume["name"]);
        let open = mounts.filter(|mount| mount["readOnly"] != true);
        wrong.extend(open.map(|mount| format!("{} can be written to", mount["mountPath"])));
    }
    wrong
}

#[test]
fn a_needless_right_is_found() {
    let Some(tools) = tools(&NEEDED) else { return };
    let good = overlays::objects(&tools, "edge");
    let deployment = good.iter().position(|object| object["kind"] == "Deployment").unwrap();
    let secret = items(&good[deployment]["spec"]["template"]["spec"]["volumes"])
        .position(|volume| !volume["secret"].is_null())
        .unwrap();
    let mode = format!("/volumes/{secret}/secret/defaultMode");
    for (pointer, value, told) in [
        ("/automountServiceAccountToken", json!(true), "automountServiceAccountToken is true"),
        (
            "/containers/0/securityContext/readOnlyRootFilesystem",
            json!(false),
            "the root can be written to",
        ),
        ("/containers/0/resources/limits", json!({}), "nothing says /limits/memory"),
        (
            "/containers/0/volumeMounts/0",
            json!({ "name": "config", "mountPath": "/x", "subPath": "x" }),
            "single file",
        ),
        (
            "/containers/0/env/0",
            json!({ "name": "X", "valueFrom": { "secretKeyRef": {} } }),
            "from elsewhere",
        ),
        (&mode, json!(0o644), "is for everybody"),
    ] {
        let mut bad = good.clone();
        let pointer = format!("/spec/template/spec{pointer}");
        *bad[deployment].pointer_mut(&pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        let said = needless_rights(&bad).join("\n");
        assert!(said.contains(told), "{pointer}: {said}");
    }
}

/// How a pod begins and ends, as the gateway has it.
pub(crate) fn check_life(objects: &[Value], which: &str) {
    let container = gateway(objects);
    for (probe, path) in
        [("startupProbe", "/startupz"), ("readinessProbe", "/readyz"), ("livenessProbe", "/livez")]
    {
        let asked = &container[probe]["httpGet"];
        assert_eq!(
            (&asked["path"], &asked["port"]),
            (&path.into(), &"operations".into()),
            "{which}"
        );
    }
    // A file of many sessions is long in opening.
    let kind = variable(container, "BRAMA__STORE__KIND");
    let patience = if kind == Some("file") { 600 } else { 60 };
    assert_eq!(container["startupProbe"]["failureThreshold"], patience, "{which}");
    let told = |name| seconds(variable(container, name).unwrap());
    let (delay, timeout) =
        (told("BRAMA__LISTEN__DRAIN_DELAY"), told("BRAMA__LISTEN__DRAIN_TIMEOUT"));
    let spec = &crate::manifests::the(objects, "Deployment")["spec"]["template"]["spec"];
    let grace = spec["terminationGracePeriodSeconds"].as_u64().unwrap();
    assert!(grace >= delay + timeout + 5, "{which}: {grace} s for {delay} s and {timeout} s");
    // Readiness is noticed before the delay is over.
    let ready = &container["readinessProbe"];
    let noticed =
        ready["periodSeconds"].as_u64().unwrap() * ready["failureThreshold"].as_u64().unwrap();
    assert!(delay == 0 || noticed < delay, "{which}: {noticed} s");
    assert!(container["lifecycle"].is_null(), "{which}: SIGTERM drains");
    // A portal beside is there as long as the gateway has requests for it.
    for portal in
        items(&spec["containers"]).filter(|one| one["name"] == "portal" && one["image"] == "portal")
    {
        assert_eq!(portal["lifecycle"]["preStop"]["sleep"]["seconds"], delay + timeout, "{which}");
    }
}

#[test]
fn a_pod_is_asked_how_it_is_and_has_the_time_that_it_needs_to_end() {
    let Some(tools) = tools(&NEEDED) else { return };
    for (name, objects) in rendered(&tools) {
        check_life(&objects, &name);
    }
    let own = Own::of(&["sidecar", "redis"]);
    let objects = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects;
    check_life(&objects, "sidecar with Redis");
}
