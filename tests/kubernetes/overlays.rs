//! The overlays, and the parts that an operator puts together.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::manifests::{containers, gateway, the, variable};
use crate::tools::{Tools, VERSIONS, root, tools};
use crate::wiring::loose_ends;

/// What these tests need.
pub(crate) const NEEDED: [&str; 3] = ["kustomize", "python", "crds"];

/// The names of the overlays.
pub(crate) fn overlays() -> Vec<String> {
    let folders = fs::read_dir(root().join("deploy/kubernetes/overlays")).unwrap();
    let mut names: Vec<_> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["companion", "demo", "edge", "sidecar"]);
    names
}

/// Renders an overlay.
pub(crate) fn render(tools: &Tools, overlay: &str) -> String {
    tools.kustomize(&root().join("deploy/kubernetes/overlays").join(overlay)).unwrap()
}

/// Renders an overlay, and returns its objects.
pub(crate) fn objects(tools: &Tools, overlay: &str) -> Vec<Value> {
    tools.judge(&render(tools, overlay), VERSIONS[1]).objects
}

#[test]
fn every_overlay_fits_the_oldest_and_the_newest_kubernetes_and_has_no_loose_ends() {
    let Some(tools) = tools(&NEEDED) else { return };
    for overlay in overlays() {
        let text = render(&tools, &overlay);
        for version in VERSIONS {
            let judged = tools.judge(&text, version);
            assert_eq!(judged.problems, [""; 0], "{overlay} with {version}");
            assert_eq!(loose_ends(&judged.objects), [""; 0], "{overlay}");
        }
    }
}

/// The parts that go together: a mode, where sessions are, and what may be added.
fn combinations() -> Vec<Vec<&'static str>> {
    let stores: [&[&str]; 4] = [&[], &["file-store"], &["redis"], &["redis", "autoscaling"]];
    let ways: [&[&str]; 3] = [&[], &["ingress"], &["gateway-api"]];
    let mut found = Vec::new();
    for mode in ["sidecar", "edge", "companion"] {
        for store in stores {
            let ways = if mode == "sidecar" { &ways[..] } else { &ways[..1] };
            for (number, way) in ways.iter().enumerate() {
                // Monitoring changes nothing of the others, so it is with every second one.
                let monitoring: &[&str] =
                    if number % 2 == 0 { &["monitoring", "operators"] } else { &[] };
                found.push([&[mode], store, way, monitoring].concat());
            }
        }
    }
    found
}

/// A kustomization as an operator has it, outside of the project.
pub(crate) struct Own {
    folder: tempfile::TempDir,
}

impl Own {
    /// Puts these parts of the project together.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let own = Self { folder: tempfile::tempdir().unwrap() };
        let project = own.way_to("deploy/kubernetes");
        let parts: Vec<_> =
            parts.iter().map(|part| format!("{project}/components/{part}")).collect();
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [format!("{project}/base")],
            "components": parts,
            "configMapGenerator": [{ "name": "brama-config", "files": ["brama.toml"] }],
        });
        own.write("kustomization.yaml", &kustomization.to_string());
        own.write("brama.toml", "[portal]\n");
        own
    }

    /// Returns the path of something in the project from here: Kustomize takes none from the root.
    pub(crate) fn way_to(&self, place: &str) -> String {
        let here = self.folder.path().canonicalize().unwrap();
        let there = root().join(place).canonicalize().unwrap();
        let up = "../".repeat(here.components().count() - 1);
        format!("{up}{}", there.strip_prefix("/").unwrap().display())
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().to_owned()
    }
}

#[test]
fn the_parts_fit_together_in_all_their_combinations() {
    let Some(tools) = tools(&NEEDED) else { return };
    let combinations = combinations();
    assert_eq!(combinations.len(), 20);
    for parts in combinations {
        let own = Own::of(&parts);
        let judged = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[0]);
        assert_eq!(judged.problems, [""; 0], "{parts:?}");
        let mut loose = loose_ends(&judged.objects);
        // Without a way in that is named, nobody is let in.
        let is_closed =
            parts[0] == "sidecar" && !parts.contains(&"ingress") && !parts.contains(&"gateway-api");
        loose.retain(|one| !(is_closed && one.ends_with("lets nobody to the port http")));
        assert_eq!(loose, [""; 0], "{parts:?}");
    }
}

#[test]
fn replicas_are_several_only_where_sessions_are_shared_and_go_one_by_one_there() {
    let Some(tools) = tools(&NEEDED) else { return };
    for (parts, replicas, strategy, kind) in [
        (&["edge"][..], json!(1), "RollingUpdate", None),
        (&["edge", "file-store"], json!(1), "Recreate", Some("file")),
        (&["edge", "redis"], json!(2), "RollingUpdate", Some("redis")),
        (&["edge", "redis", "autoscaling"], Value::Null, "RollingUpdate", Some("redis")),
    ] {
        let own = Own::of(parts);
        let objects = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects;
        let spec = &the(&objects, "Deployment")["spec"];
        assert_eq!(
            (&spec["replicas"], &spec["strategy"]["type"]),
            (&replicas, &strategy.into()),
            "{parts:?}"
        );
        assert_eq!(variable(gateway(&objects), "BRAMA__STORE__KIND"), kind, "{parts:?}");
    }
}

/// The twin: several replicas without what they share are not made at all.
#[test]
fn replicas_that_would_share_nothing_are_refused() {
    let Some(tools) = tools(&NEEDED) else { return };
    for parts in [
        &["edge", "autoscaling"][..],
        &["edge", "file-store", "autoscaling"],
        &["edge", "redis", "file-store"],
        &["edge", "redis", "autoscaling", "file-store"],
    ] {
        let said = tools.kustomize(&Own::of(parts).path()).unwrap_err();
        assert!(said.contains("/spec/replicas"), "{parts:?}: {said}");
    }
}

/// The twin: what is wrong is found, so that all is well means something.
#[test]
fn what_is_wrong_in_a_manifest_is_found() {
    let Some(tools) = tools(&NEEDED) else { return };
    let good = render(&tools, "edge");
    let with = |before: &str, after: &str| {
        assert!(good.contains(before), "{before:?} is in {good}");
        good.replacen(before, after, 1)
    };
    for (text, told) in [
        (with("periodSeconds: 10", "periodSecond: 10"), "periodSecond"),
        (with("periodSeconds: 10", "periodSeconds: ten"), "'ten' is not of type"),
        (with("minReadySeconds: 5", "minReadySeconds: 5\n  minReadySeconds: 6"), "stands twice"),
        (with("autoscaling/v2", "autoscaling/v2beta2"), "no schema"),
        (with("kind: Service\n", "sort: Service\n"), "is no object of Kubernetes"),
    ] {
        let problems = tools.judge(&text, VERSIONS[1]).problems.join("\n");
        assert!(problems.contains(told), "{told}: {problems}");
    }
    let own = Own::of(&["sidecar", "gateway-api", "monitoring"]);
    let good = tools.kustomize(&own.path()).unwrap();
    for (before, after, told) in [
        ("type: PathPrefix", "type: PathBeginning", "PathBeginning"),
        ("sectionName: https", "sectionname: https", "sectionname"),
        ("scrapeTimeout: 10s", "scrapeTimeout: soon", "soon"),
    ] {
        let problems =
            tools.judge(&good.replacen(before, after, 1), VERSIONS[1]).problems.join("\n");
        assert!(problems.contains(told), "{told}: {problems}");
    }
}

#[test]
fn a_loose_end_is_found() {
    let Some(tools) = tools(&NEEDED) else { return };
    let own = Own::of(&["sidecar", "ingress", "monitoring", "redis", "autoscaling"]);
    let good = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects;
    assert_eq!(loose_ends(&good), [""; 0]);
    let planted = |kind: &str, pointer: &str, value: Value| {
        let mut objects = good.clone();
        let object = objects.iter_mut().find(|object| object["kind"] == kind).unwrap();
        *object.pointer_mut(pointer).unwrap_or_else(|| panic!("{kind} has {pointer}")) = value;
        loose_ends(&objects).join("\n")
    };
    let pod = "/spec/template/spec";
    for (kind, pointer, value, told) in [
        ("Service", "/spec/selector/app.kubernetes.io~1name", json!("other"), "selects no pod"),
        ("NetworkPolicy", "/spec/podSelector", json!({}), "NetworkPolicy/brama selects no pod"),
        ("PodDisruptionBudget", "/spec/selector", json!({}), "selects no pod"),
        ("Service", "/spec/ports/0/targetPort", json!("https"), "no container has the port"),
        (
            "NetworkPolicy",
            "/spec/ingress/0/ports/0/port",
            json!("http"),
            "lets nobody to the port operations",
        ),
        (
            "Ingress",
            "/spec/rules/0/http/paths/0/backend/service/name",
            json!("other"),
            "no Service",
        ),
        ("ServiceMonitor", "/spec/endpoints/0/port", json!("metrics"), "means one Service"),
        ("HorizontalPodAutoscaler", "/spec/scaleTargetRef/name", json!("other"), "autoscaler"),
        ("Deployment", &format!("{pod}/volumes/0/name"), json!("other"), "the volume"),
        ("Deployment", &format!("{pod}/serviceAccountName"), json!("other"), "no ServiceAccount"),
    ] {
        let said = planted(kind, pointer, value);
        assert!(said.contains(told), "{kind} {pointer}: {said}");
    }
}

/// Folders that hold what an overlay is made of, and nothing that no overlay has.
#[test]
fn every_component_is_in_a_combination() {
    let all: Vec<_> = combinations().concat();
    for entry in fs::read_dir(root().join("deploy/kubernetes/components")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(all.contains(&&*name), "{name}");
    }
}

#[test]
fn the_image_is_that_of_this_version() {
    let Some(tools) = tools(&NEEDED) else { return };
    for overlay in overlays() {
        // The gateway alone has no simulator, and what is for production is to have none.
        let name = if overlay == "demo" { "brama-tools" } else { "brama" };
        let image = format!("{name}:{}", env!("CARGO_PKG_VERSION"));
        let objects = objects(&tools, &overlay);
        let pod = &the(&objects, "Deployment")["spec"]["template"];
        for container in containers(pod).filter(|one| one["image"] != "portal") {
            assert_eq!(container["image"], *image, "{overlay}");
        }
    }
}
