//! Three alerts that fire: the real program, a real Prometheus, and what goes wrong in between.

use std::fs;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};

use crate::harness::prometheus::{Prometheus, of_monitoring};
use crate::harness::tools::{self, Tool};
use crate::harness::{Citizen, Gateway, Plan, Simulator, Tls, python, sign_in};

/// The rules, for those who cannot wait: what looks back over minutes looks back over seconds, and
/// nothing lasts before it alerts.
fn hurried() -> String {
    let rules = fs::read_to_string(of_monitoring("rules.yaml")).unwrap();
    let hurried = rules.replace("[5m]", "[8s]").replace("[15m]", "[8s]");
    let lines = hurried.lines().map(|line| match line.trim_start().starts_with("for: ") {
        true => "    for: 1s",
        false => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn an_expired_certificate_alerts_and_a_good_one_does_not() {
    if !tools::has(&[Tool::Prometheus]) {
        return;
    }
    let gateway = Plan::before("http://127.0.0.1:9").tls(Tls::On).start();
    let prometheus = Prometheus::start(&[gateway.operations], &hurried());
    prometheus.until("it asks", |it| {
        it.query("brama_certificate_expiry_timestamp_seconds").unwrap().len() > 1
    });
    let alert = "BramaCertificateExpired";
    assert!(!prometheus.firing().contains(alert));

    let mut expired = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    expired.not_before = rcgen::date_time_ymd(2024, 1, 1);
    expired.not_after = rcgen::date_time_ymd(2024, 3, 1);
    let key = KeyPair::generate().unwrap();
    let pem = expired.self_signed(&key).unwrap().pem();
    fs::write(gateway.file("localhost.key"), key.serialize_pem()).unwrap();
    fs::write(gateway.certificate(), pem).unwrap();
    prometheus.until("it alerts", |it| it.firing().contains(alert));
    let alerts = prometheus.ask("alerts", &[]).unwrap();
    let alerts = alerts["alerts"].as_array().unwrap();
    let alert = alerts.iter().find(|one| one["labels"]["alertname"] == alert).unwrap();
    assert_eq!(
        (&alert["labels"]["severity"], &alert["labels"]["use"]),
        (&"critical".into(), &"citizens".into())
    );
    let summary = alert["annotations"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("The certificate localhost (citizens) of "), "{summary}");
}

/// A login that goes all the way to the node and back, and ends with a refusal.
fn fails_to_sign_in(gateway: &Gateway) {
    let mut citizen = Citizen::at(&gateway.url("/"));
    let page = citizen.open(&citizen.url("/.brama/login"));
    let last = citizen.choose(&page, "anna");
    let failed =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| citizen.return_with(&last)));
    assert!(failed.is_err(), "the login is refused");
}

#[test]
fn logins_that_fail_alert_and_so_does_a_node_that_is_away() {
    if !tools::has(&[Tool::Prometheus, Tool::Python, Tool::Curl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::before(&url);
    let simulator = Simulator::start(plan.address());
    let plan = plan.node(&simulator).with("\n[limits]\nlogin_failures = 1000\nlogin_starts = 1000");
    let gateway = plan.start();
    let prometheus = Prometheus::start(&[gateway.operations], &hurried());
    prometheus.until("it asks", |it| it.query("up == 1").unwrap().len() == 1);
    let sessions: Vec<_> = (0..8).map(|_| sign_in(&gateway, "anna")).collect();
    prometheus.until("it knows of the sessions", |it| {
        !it.query("sum(brama_logins_finished_total) == 8").unwrap().is_empty()
    });
    let alerts = ["BramaLoginsFail", "BramaNodeAway", "BramaForgedAnswers"];
    let [logins_fail, node_away, forged] = alerts;
    let firing = prometheus.firing();
    assert!(alerts.iter().all(|alert| !firing.contains(*alert)), "{firing:?}");

    // 1. The node answers, and its answers sign nobody in.
    simulator.always("foreign-signature");
    prometheus.until("logins fail", |it| {
        fails_to_sign_in(&gateway);
        let firing = it.firing();
        firing.contains(logins_fail) && firing.contains(forged)
    });
    assert!(!prometheus.firing().contains(node_away), "it does answer");

    // 2. The node is away: nobody is there to be told that sessions end.
    drop(simulator);
    let mut sessions = sessions.iter();
    prometheus.until("the node is away", |it| {
        // For longer than the rules look back to a time when it was there.
        if let Some(cookie) = sessions.next() {
            sign_out(&gateway, cookie);
            std::thread::sleep(Duration::from_millis(1_200));
        }
        it.firing().contains(node_away)
    });
}

fn sign_out(gateway: &Gateway, cookie: &str) {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    wire.send(
        format!(
            "POST /.brama/logout HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    wire.answer("POST");
}
