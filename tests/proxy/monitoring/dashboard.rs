//! The dashboard: each of its queries is one, and asks for what there is.

use std::fs;

use serde_json::Value;

use super::{names, series};
use crate::harness::Plan;
use crate::harness::prometheus::{Prometheus, of_monitoring};
use crate::harness::tools::{self, Tool};

fn dashboard() -> Value {
    serde_json::from_str(&fs::read_to_string(of_monitoring("grafana/brama.json")).unwrap()).unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What Grafana asks in the place of its variables.
fn asked(expression: &str) -> String {
    let known = ["namespace", "job", "instance"];
    let asked = expression.replace("$__rate_interval", "1m");
    known.iter().fold(asked, |text, name| text.replace(&format!("${name}"), ".*"))
}

/// Every query, with the title of its panel.
fn queries(dashboard: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for panel in list(&dashboard["panels"]) {
        for target in list(&panel["targets"]) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            found.push((text(&panel["title"]), text(&target["expr"])));
        }
    }
    found
}

#[test]
fn every_query_is_one_and_asks_for_what_there_is() {
    if !tools::has(&[Tool::Prometheus]) {
        return;
    }
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let prometheus = Prometheus::start(&[gateway.operations], "groups: []\n");
    prometheus.until("it asks", |it| it.query("up == 1").unwrap().len() == 1);
    let (dashboard, series) = (dashboard(), series());
    let queries = queries(&dashboard);
    assert!(queries.len() > 60, "{}", queries.len());
    for (title, expression) in &queries {
        let asked = asked(expression);
        assert!(!asked.contains('$'), "{title}: {asked}");
        prometheus.query(&asked).unwrap_or_else(|error| panic!("{title}: {asked}: {error}"));
        let names = names(&asked);
        assert!(!names.is_empty(), "{title}: {asked}");
        for name in names {
            assert!(series.contains(name), "{title}: {name}");
        }
    }
    // The twin: one with a bracket too few.
    assert!(prometheus.query(queries[1].1.trim_end_matches(')')).is_err());
    // The variables find what they choose from.
    for variable in list(&dashboard["templating"]["list"]) {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let of = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (of, label) = of.unwrap().rsplit_once(", ").unwrap();
        let values = prometheus.ask(&format!("label/{label}/values"), &[("match[]", &asked(of))]);
        let has_values = !list(&values.unwrap()).is_empty();
        assert!(has_values || label == "namespace", "{query}");
    }
}

#[test]
fn it_is_whole_and_needs_no_plug_in() {
    let dashboard = dashboard();
    let panels = list(&dashboard["panels"]);
    let of_grafana = ["row", "stat", "table", "timeseries"];
    let mut ids = Vec::new();
    for panel in panels {
        let (title, kind) = (panel["title"].as_str().unwrap(), panel["type"].as_str().unwrap());
        assert!(of_grafana.contains(&kind), "{title}: {kind}");
        assert!(!title.is_empty());
        ids.push(panel["id"].as_u64().unwrap());
        if kind != "row" {
            assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        }
        // Nothing lies upon another, or beside the page.
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(place("w") > 0 && place("x") + place("w") <= 24, "{title}");
    }
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count);
    let rows: Vec<_> =
        panels.iter().filter(|panel| panel["type"] == "row").map(|row| &row["title"]).collect();
    assert_eq!(
        rows,
        ["Overview", "Logins", "Node", "Store", "Upstreams", "Certificates and keys", "Program"]
    );
    assert!(dashboard["__inputs"].is_null() && dashboard["id"].is_null());
}
