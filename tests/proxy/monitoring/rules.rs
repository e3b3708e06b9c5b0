//! The rules, as `promtool` reads and tests them, and what the manual says of them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{names, series};
use crate::harness::prometheus::{Prometheus, of_monitoring, promtool};
use crate::harness::tools::{self, Tool};
use crate::harness::{Plan, Simulator, sign_in};

fn read(name: &str) -> String {
    fs::read_to_string(of_monitoring(name)).unwrap()
}

fn after<'t>(text: &'t str, begin: &str) -> Vec<&'t str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix(begin)).collect()
}

#[test]
fn the_rules_hold_their_tests_and_each_alert_has_one_that_fires_and_one_that_does_not() {
    if !tools::has(&[Tool::Prometheus]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = |rules: &str| {
        fs::write(folder.path().join("rules.yaml"), rules).unwrap();
        fs::write(folder.path().join("rules.test.yaml"), read("rules.test.yaml")).unwrap();
        let (is_read, read) = promtool(folder.path(), &["check", "rules", "rules.yaml"], "");
        let (holds, said) = promtool(folder.path(), &["test", "rules", "rules.test.yaml"], "");
        (is_read, holds, format!("{read}{said}"))
    };
    let rules = read("rules.yaml");
    let (is_read, holds, said) = run(&rules);
    assert!(is_read && holds, "{said}");
    // The twins: one that cannot be read, one that never fires, and one that always does.
    assert!(!run(&rules.replacen("== 0", "=== 0", 1)).0);
    assert!(!run(&rules.replace("brama_store_up == 0", "brama_store_up == 7")).1);
    assert!(!run(&rules.replace("brama_store_up == 0", "brama_store_up >= 0")).1);

    let tested: BTreeSet<_> =
        after(&read("rules.test.yaml"), "- name: ").into_iter().map(str::to_owned).collect();
    let alerts = after(&rules, "- alert: ");
    assert!(alerts.len() > 30);
    for alert in alerts {
        for what in ["fires", "stays silent"] {
            assert!(tested.contains(&format!("{alert} {what}")), "{alert} {what}");
        }
    }
}

#[test]
fn each_alert_says_how_bad_it_is_and_where_the_manual_says_what_to_do() {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monitoring.md");
    let manual = fs::read_to_string(manual).unwrap();
    let rules = read("rules.yaml");
    let mut told: BTreeSet<&str> = after(&manual, "### Brama").into_iter().collect();
    for rule in rules.split("- alert: Brama").skip(1) {
        let name = rule.lines().next().unwrap();
        let is_so = |line: &str| rule.lines().any(|one| one.trim() == line);
        let severities = ["critical", "warning"];
        let severity = |severity| is_so(&format!("labels: {{ severity: {severity} }}"));
        assert!(severities.into_iter().any(severity), "{name}");
        assert!(rule.contains("\n      summary: "), "{name}");
        let anchor = format!("brama{}", name.to_lowercase());
        assert!(is_so(&format!("runbook: docs/monitoring.md#{anchor}")), "{name}");
        assert!(told.remove(name), "docs/monitoring.md does not say what to do about {name}");
    }
    assert!(told.is_empty(), "there are no such alerts: {told:?}");
}

#[test]
fn every_rule_asks_for_what_there_is_and_prometheus_reads_every_number() {
    if !tools::has(&[Tool::Prometheus, Tool::Python]) {
        return;
    }
    let (_portal, url) = crate::harness::python("recorder.py");
    let plan = Plan::before(&url);
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    sign_in(&gateway, "anna");

    // 1. The names are as Prometheus wants them.
    let text = gateway.metrics("text/plain").text();
    let folder = tempfile::tempdir().unwrap();
    let (is_well, said) = promtool(folder.path(), &["check", "metrics"], &text);
    assert!(is_well && said.is_empty(), "{said}");
    let wrong = "# HELP brama_a_counter what it counts\n# TYPE brama_a_counter counter\nbrama_a_counter 1\n";
    assert!(!promtool(folder.path(), &["check", "metrics"], wrong).0);

    // 2. Prometheus reads all that the program tells.
    let prometheus = Prometheus::start(&[gateway.operations], &read("rules.yaml"));
    prometheus.until("it asks", |it| it.query("up == 1").unwrap().len() == 1);
    let stored = prometheus.ask("label/__name__/values", &[]).unwrap();
    let stored: BTreeSet<_> =
        stored.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
    // What certificates for citizens tell is not there without one.
    let absent = |name: &str| name.starts_with("brama_certificate_reload");
    let missing: Vec<_> =
        series().into_iter().filter(|name| !stored.contains(name) && !absent(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");

    // 3. No rule asks for something else, and none is without an answer that it could have.
    let groups = prometheus.ask("rules", &[]).unwrap();
    let groups = groups["groups"].as_array().unwrap().clone();
    let rules: Vec<_> =
        groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).collect();
    let is_record = |rule: &serde_json::Value| rule["type"] == "recording";
    let named = rules.iter().filter(|rule| is_record(rule)).map(|rule| rule["name"].as_str());
    let records: BTreeSet<_> = named.flatten().collect();
    assert!(rules.len() > 40 && records.len() > 5, "{} {}", rules.len(), records.len());
    let series = series();
    for rule in &rules {
        let expression = rule["query"].as_str().unwrap();
        let asked = names(expression);
        assert!(!asked.is_empty(), "{expression}");
        for name in asked {
            assert!(series.contains(name) || records.contains(name), "{name} of {expression}");
        }
    }
    prometheus.until("all rules are worked out", |it| {
        let groups = it.ask("rules", &[]).unwrap();
        let groups = groups["groups"].as_array().unwrap().clone();
        let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        rules.all(|rule| rule["health"] == "ok")
    });
}
