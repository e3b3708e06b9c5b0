//! `deploy/monitoring`, by a real Prometheus: it asks the program, works out the rules, and alerts;
//! `promtool` judges the rules, their tests and the numbers; each query of the dashboard is asked.

mod alerts;
mod dashboard;
mod rules;

use std::collections::BTreeSet;

use brama::observe::metrics::catalogue::{ALL, Kind};

/// The names of all series that there are, as queries write them.
fn series() -> BTreeSet<String> {
    let of_prometheus = ["up".to_owned()];
    let ours = ALL.iter().flat_map(|metric| {
        let name = metric.full_name();
        match metric.kind {
            Kind::Histogram => {
                ["_bucket", "_count", "_sum"].iter().map(|end| format!("{name}{end}")).collect()
            }
            _ => vec![name],
        }
    });
    ours.chain(of_prometheus).collect()
}

/// The names of metrics in an expression: words that begin as ours do, and what rules record.
fn names(expression: &str) -> BTreeSet<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_:".contains(c);
    let words = expression.split(|c| !is_part(c));
    let is_name = |word: &&str| {
        let begins = ["brama_", "process_", "job:", "job_upstream:"];
        *word == "up" || begins.iter().any(|begin| word.starts_with(begin))
    };
    words.filter(is_name).collect()
}

#[test]
fn names_are_found_in_an_expression() {
    let found = names("rate(brama_requests_total{job=\"x\"}[5m]) / job:brama_requests:rate5m > up");
    assert_eq!(found, ["brama_requests_total", "job:brama_requests:rate5m", "up"].into());
    assert!(series().contains("brama_request_duration_seconds_bucket"));
    assert!(!series().contains("brama_request_duration_seconds"));
}
