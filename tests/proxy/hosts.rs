//! Portals on unrelated hosts, over TLS and HTTP/2, with a client that keeps cookies as it thinks
//! right: curl knows nothing of us, and takes a `__Host-` cookie only when all that belongs to it
//! is there.

use std::fs;
use std::net::SocketAddr;

use url::Url;

use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, Page, Person, Plan, Program, Simulator, Tls, python};

const A: &str = "https://portal-a.example";
const B: &str = "https://portal-b.test";
const HOSTS: [&str; 2] = ["portal-a.example", "portal-b.test"];

fn plan(portal: &str, more: &str) -> Plan {
    Plan::empty()
        .tls(Tls::On)
        .tls_names(&HOSTS)
        .public_url(A)
        .portal(&format!("other_urls = [\"{B}\"]"))
        .upstream("portal", portal)
        .route("/", "portal", "required")
        .route("/", "portal", "required")
        .with("host = \"portal-b.test\"")
        .with(more)
        .operated()
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise")
}

/// Somebody who reaches each host at a gateway of its own.
fn person(gateways: [&Gateway; 2]) -> Person {
    let certificates = gateways.map(|gateway| fs::read(gateway.certificate()).unwrap());
    Person::new(at(gateways), &certificates.concat())
}

fn at(gateways: [&Gateway; 2]) -> Vec<(String, SocketAddr)> {
    let addresses = gateways.map(|gateway| gateway.tls_address.unwrap());
    HOSTS.into_iter().map(|host| format!("{host}:443")).zip(addresses).collect()
}

#[test]
fn curl_signs_in_at_two_hosts_with_two_cookies_and_one_session() {
    if !tools::has(&[Tool::Python, Tool::Curl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let simulator = Simulator::start_for(A);
    let gateway = plan(&url, "").node(&simulator).start();
    let anna = person([&gateway, &gateway]);
    anna.sign_in(&format!("{B}/account?x=1"), A).is_of_portal(&format!("{B}/account?x=1"));
    anna.open(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));

    let jar = fs::read_to_string(anna.jar()).unwrap();
    let sessions: Vec<Vec<_>> = jar
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fields| fields.get(5) == Some(&"__Host-brama"))
        .collect();
    assert_eq!(sessions.len(), 2, "{jar}");
    assert_ne!(sessions[0][6], sessions[1][6], "each host has a cookie of its own");

    let (_, listed) = gateway.operate(&["list"], "");
    assert_eq!(listed.lines().count(), 1, "it is one session: {listed}");
    let key: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    let (ended, said) = gateway.operate(&["end", key["key"].as_str().unwrap()], "");
    assert!(ended, "{said}");
    for portal in [A, B] {
        anna.open(&format!("{portal}/account")).is_refused_with("session.ended_by_operator");
    }
}

#[test]
fn a_stolen_code_and_a_second_use_are_refused() {
    if !tools::has(&[Tool::Python, Tool::Curl]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let simulator = Simulator::start_for(A);
    let gateway = plan(&url, "").node(&simulator).start();
    let (anna, thief) = (person([&gateway, &gateway]), person([&gateway, &gateway]));
    anna.sign_in(&format!("{A}/account"), A).is_of_portal(&format!("{A}/account"));
    // The thief has begun there too, so has a binding cookie.
    thief.get(&Url::parse(&format!("{B}/account")).unwrap());
    let code = anna.code_for(&format!("{B}/account"));
    thief.get(&code).is_refused_with("crossing.code_of_other_browser");
    anna.get(&code).is_refused_with("crossing.code_used");
    let code = anna.code_for(&format!("{B}/account"));
    anna.open(code.as_str()).is_of_portal(&format!("{B}/account"));
    anna.get(&code).is_refused_with("crossing.code_used");
    thief.get(&code).is_refused_with("crossing.code_used");
    anna.open(&format!("{B}/account")).is_of_portal(&format!("{B}/account"));
    assert!(thief.open(&format!("{B}/account")).text.contains("SAMLRequest"));
}

/// The registered host is served by the first replica, the other host by the second.
struct Replicas {
    one: Gateway,
    two: Gateway,
    _redis: Redis,
    _portal: Program,
    _simulator: Simulator,
}

fn replicas() -> Option<Replicas> {
    if !tools::has(&[Tool::Python, Tool::Curl, Tool::Redis]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let redis = Redis::start();
    let simulator = Simulator::start_for(A);
    let start = || plan(&url, &format!("\n[store]\n{}", redis.store())).node(&simulator).start();
    let (one, two) = (start(), start());
    Some(Replicas { one, two, _redis: redis, _portal: portal, _simulator: simulator })
}

#[test]
fn a_crossing_begins_at_one_replica_goes_on_at_another_and_ends_at_either() {
    let Some(Replicas { one, two, .. }) = &replicas() else { return };
    let anna = person([one, two]);
    anna.sign_in(&format!("{B}/account"), A).is_of_portal(&format!("{B}/account"));
    anna.open(&format!("{A}/account")).is_of_portal(&format!("{A}/account"));
    // The same citizen at the other replicas.
    let moved = anna.goes_to(at([two, one]));
    for portal in [A, B] {
        moved.open(&format!("{portal}/account")).is_of_portal(&format!("{portal}/account"));
    }
    let (ended, said) = one.operate(&["end-all", "--yes"], "");
    assert!(ended && said.contains('1'), "{said}");
    for portal in [B, A] {
        let page = moved.open(&format!("{portal}/account"));
        page.is_refused_with("session.ended_by_operator");
    }
}

#[test]
fn of_two_uses_of_a_code_at_two_replicas_at_once_one_gives_a_session() {
    let Some(Replicas { one, two, .. }) = &replicas() else { return };
    let anna = person([one, two]);
    anna.sign_in(&format!("{A}/account"), A).is_of_portal(&format!("{A}/account"));
    for _ in 0..5 {
        // Without its session at the other host the browser wants a new one.
        let jar = fs::read_to_string(anna.jar()).unwrap();
        let is_kept = |line: &&str| !(line.contains("portal-b.test") && line.contains("brama\t"));
        let kept: String = jar.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        fs::write(anna.jar(), kept).unwrap();
        let code = anna.code_for(&format!("{B}/account"));
        let addresses = [one, two].map(|gateway| gateway.tls_address.unwrap());
        let uses = addresses
            .map(|address| anna.copying(&code, vec![("portal-b.test:443".to_owned(), address)]));
        let mut statuses = uses.map(|child| Page::read(&code, child).status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}
