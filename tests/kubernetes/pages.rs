//! What `docs/kubernetes.md` shows, and what alerts and scripts are made of.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::manifests::{gateway, items, of_kind, text};
use crate::overlays::{NEEDED, Own};
use crate::tools::{VERSIONS, root, skip, tools};
use crate::wiring::loose_ends;

/// Returns the blocks of the page in a language.
pub(crate) fn blocks(language: &str) -> Vec<String> {
    let page = fs::read_to_string(root().join("docs/kubernetes.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks =
        page.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap().to_owned());
    let blocks: Vec<_> = blocks.collect();
    assert!(!blocks.is_empty(), "{language} is on the page");
    blocks
}

#[test]
fn the_kustomizations_of_the_page_work() {
    let Some(tools) = tools(&NEEDED) else { return };
    let blocks = blocks("yaml");
    assert_eq!(blocks.len(), 2);
    for (shown, namespace) in blocks.iter().zip(["demo", "portal"]) {
        let own = Own::of(&[]);
        let project = own.way_to("deploy/kubernetes");
        own.write("kustomization.yaml", &shown.replace("brama/deploy/kubernetes", &project));
        let judged = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]);
        assert_eq!(judged.problems, [""; 0]);
        assert_eq!(loose_ends(&judged.objects), [""; 0]);
        for object in &judged.objects {
            assert_eq!(object["metadata"]["namespace"], namespace, "{object}");
        }
        let image = text(&gateway(&judged.objects)["image"]);
        let name = if namespace == "demo" { "brama-tools" } else { "brama" };
        let expected = format!("registry.example.gov.pl/{name}:{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(image, expected);
    }
}

/// An alert about a metric that nobody gives never comes.
#[test]
fn every_alert_is_about_metrics_that_there_are() {
    let Some(tools) = tools(&NEEDED) else { return };
    let own = Own::of(&["edge", "monitoring"]);
    let objects = tools.judge(&tools.kustomize(&own.path()).unwrap(), VERSIONS[1]).objects;
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let groups = &of_kind(&objects, "PrometheusRule")[0]["spec"]["groups"];
    let rules: Vec<&Value> = items(groups).flat_map(|group| items(&group["rules"])).collect();
    assert!(rules.len() > 30);
    let records: BTreeSet<_> = rules.iter().filter_map(|rule| rule["record"].as_str()).collect();
    for rule in rules {
        let expression = text(&rule["expr"]);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
        let words = expression.split(|c| !is_part(c));
        let metrics: BTreeSet<_> = words
            .filter(|word| {
                ["brama_", "process_", "job:", "job_", "up"].iter().any(|b| word.starts_with(b))
            })
            .filter(|word| *word != "upstream" && *word != "up")
            .collect();
        for metric in metrics {
            let plain =
                ["_bucket", "_count", "_sum"].iter().find_map(|end| metric.strip_suffix(end));
            let is_told = |name: &str| page.contains(&format!("| `{name}` |"));
            let is_there = records.contains(metric) || is_told(plain.unwrap_or(metric));
            assert!(is_there, "{metric} of {expression}");
        }
        assert_eq!(
            expression.matches('(').count(),
            expression.matches(')').count(),
            "{expression}"
        );
    }
}

/// The judge of Prometheus itself, where it is installed.
#[test]
fn every_alert_can_be_asked() {
    let rules = root().join("deploy/monitoring/rules.yaml");
    let promtool = |file: &Path| {
        let said = Command::new("promtool").args(["check", "rules"]).arg(file).output().ok()?;
        Some((said.status.success(), String::from_utf8_lossy(&said.stdout).into_owned()))
    };
    let Some((is_well, said)) = promtool(&rules) else {
        eprintln!("SKIPPED: promtool is not installed (it is in the package prometheus)");
        return;
    };
    assert!(is_well && said.contains("rules found"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let wrong = folder.path().join("wrong.yaml");
    let text = fs::read_to_string(rules).unwrap();
    fs::write(&wrong, text.replacen("== 0", "=== 0", 1)).unwrap();
    assert!(!promtool(&wrong).unwrap().0);
}

/// Every script for a shell in the project.
fn scripts() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        [".ci", "benches", "deploy", "tests"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let is_made = ["target", "corpus", "node_modules", ".venv"]
                    .iter()
                    .any(|name| path.ends_with(name));
                folders.extend((!is_made).then_some(path));
            } else if is_script(&path) {
                found.push(path);
            }
        }
    }
    found
}

fn is_script(path: &Path) -> bool {
    let bytes = fs::read(path).unwrap_or_default();
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let first = String::from_utf8_lossy(first);
    first.starts_with("#!")
        && ["/bin/sh", "/bin/bash", "env bash"].iter().any(|shell| first.ends_with(shell))
}

/// Says what shellcheck has to say of scripts; `None` where it is not installed.
fn shellcheck(scripts: &[PathBuf]) -> Option<String> {
    let said = Command::new("shellcheck")
        .args(["--severity=warning", "--format=gcc"])
        .args(scripts)
        .output();
    let Ok(said) = said else {
        skip("shellcheck is not installed (apt-get install shellcheck)");
        return None;
    };
    Some(String::from_utf8(said.stdout).unwrap())
}

#[test]
fn every_script_passes_shellcheck() {
    let scripts = scripts();
    assert!(scripts.len() > 10, "{scripts:?}");
    let Some(said) = shellcheck(&scripts) else { return };
    assert_eq!(said, "");
}

/// Scripts that stand in the chart, as a pod of it has them; and the twin.
#[test]
fn the_script_of_helm_test_passes_shellcheck() {
    let Some(tools) = tools(&["helm", "python", "crds"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    for mode in ["demo", "edge,test.enabled=true"] {
        let objects = tools
            .judge(&crate::chart::template(&tools, &vec![mode.to_owned()]).unwrap(), VERSIONS[1]);
        let test = of_kind(&objects.objects, "ConfigMap")
            .into_iter()
            .find(|one| text(&one["metadata"]["name"]).ends_with("-test"))
            .unwrap();
        let script = format!("#!/bin/sh\n{}", text(&test["data"]["test.sh"]));
        let file = folder.path().join("test.sh");
        for (text, is_well) in
            [(script.clone(), true), (format!("{script}\nrm -r $nothing\n"), false)]
        {
            fs::write(&file, text).unwrap();
            let Some(said) = shellcheck(std::slice::from_ref(&file)) else { return };
            assert_eq!(said.is_empty(), is_well, "{said}");
        }
    }
}
