//! Traces: what is believed of one, what goes on to the portal, and what a collector gets.

mod collector;

use std::fs;

use brama::request::headers::forwarded::Believed;
use brama::request::networks::Networks;
use brama::simulator::people::PEOPLE;
use http::{Method, StatusCode};
use serde_json::Value;

use self::collector::Collector;
use crate::harness::{Browser, World, world};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const EDGE: &str = "b7ad6b7169203331";
const STATE: &str = "edge=1,other=2";

/// The value that the edge sends.
fn told() -> String {
    format!("00-{TRACE}-{EDGE}-01")
}

/// A world with these lines in `[traces]`, behind an edge that is trusted, and believed for `trace`
/// or not.
async fn traced(lines: &str, believed: Option<bool>) -> World {
    let world = world().with(&format!("[traces]\n{lines}\n"));
    let world = world.with_settings(move |settings| {
        settings.log.access = brama::observe::access::Settings::off();
        let edge = &mut settings.gateway.edge;
        if let Some(trace) = believed {
            edge.trusted = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
            edge.believed = Believed { trace, ..Believed::default() };
        }
    });
    world.start().await
}

/// Asks for a page as an edge would, and returns what the portal is told of a trace.
async fn asked(
    browser: &mut Browser,
    world: &World,
    headers: &[(&str, &str)],
) -> [Option<String>; 2] {
    world.forget_seen();
    let answer = browser.fetch_with(Method::GET, "/public", headers, "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let seen = world.last_seen();
    ["traceparent", "tracestate"].map(|name| seen.header(name).map(str::to_owned))
}

#[tokio::test]
async fn no_client_chooses_a_trace_and_a_believed_edge_does() {
    let told = told();
    let said = [("traceparent", told.as_str()), ("tracestate", STATE)];
    for (lines, believed, passes, is_told) in [
        ("", None, false, false),
        ("", Some(false), false, false),
        // As it came: there are no traces here.
        ("", Some(true), true, false),
        ("propagate = true", None, false, true),
        ("propagate = true", Some(false), false, true),
        ("propagate = true", Some(true), true, true),
    ] {
        let world = traced(lines, believed).await;
        let [parent, state] = asked(&mut world.browser(), &world, &said).await;
        let case = format!("{lines} {believed:?}: {parent:?}");
        assert_eq!(state.as_deref(), passes.then_some(STATE), "{case}");
        assert_eq!(parent.is_some(), passes || is_told, "{case}");
        let parent = parent.unwrap_or_default();
        assert_eq!(parent.contains(TRACE), passes, "{case}");
        assert_eq!(parent == told, passes && !is_told, "{case}");
        assert_eq!(parent.contains(EDGE), passes && !is_told, "{case}");
    }
}

#[tokio::test]
async fn what_is_no_trace_begins_a_new_one() {
    let world = traced("propagate = true", Some(true)).await;
    let mut browser = world.browser();
    let told = told();
    for (said, goes_on) in [
        (vec![told.clone()], true),
        (vec![told.replace("00-", "01-")], true),
        (vec![told.clone(), told.clone()], false),
        (vec![told.to_uppercase()], false),
        (vec![format!("{told}-x")], false),
        (vec![told.replace("00-", "ff-")], false),
        (vec![told.replace(TRACE, &"0".repeat(32))], false),
        (vec![told.replace(EDGE, &"0".repeat(16))], false),
        (vec![String::new()], false),
        (vec!["0".repeat(10_000)], false),
    ] {
        let mut headers: Vec<_> =
            said.iter().map(|value| ("traceparent", value.as_str())).collect();
        headers.push(("tracestate", STATE));
        let [parent, state] = asked(&mut browser, &world, &headers).await;
        let parent = parent.unwrap();
        assert!(parent.len() == 55 && parent.starts_with("00-"), "{parent}");
        assert_eq!(parent.contains(TRACE), goes_on, "{said:?}: {parent}");
        assert_eq!(state.as_deref(), goes_on.then_some(STATE), "{said:?}");
    }
    // A state that is not written as it should be does not end a trace.
    let [parent, state] =
        asked(&mut browser, &world, &[("traceparent", &told), ("tracestate", "A=1,A=2")]).await;
    assert!(parent.unwrap().contains(TRACE) && state.is_none());
    // Nor can the client have it removed on the way.
    let answer =
        browser.fetch_with(Method::GET, "/public", &[("connection", "traceparent")], "").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_route_may_keep_a_trace_from_its_portal_or_say_another() {
    for (rule, expected) in [
        ("remove = [\"traceparent\"]", None),
        ("set = [\"traceparent: mine\"]", Some("mine")),
        ("set = [\"x-other: 1\"]", Some(TRACE)),
    ] {
        let routes = format!(
            "[[route]]\npath = \"/\"\nupstream = \"portal\"\naccess = \"public\"\n\
             [route.request_headers]\n{rule}\n"
        );
        let world = world().with_routes(&routes).with("[traces]\npropagate = true\n");
        let world = world.with_settings(|settings| {
            settings.log.access = brama::observe::access::Settings::off();
            settings.gateway.edge.trusted = Networks::new(vec!["127.0.0.0/8".parse().unwrap()]);
            settings.gateway.edge.believed = Believed::ALL;
        });
        let world = world.start().await;
        let said = told();
        let [parent, _] = asked(&mut world.browser(), &world, &[("traceparent", &said)]).await;
        match expected {
            Some(text) => {
                assert!(parent.as_ref().is_some_and(|p| p.contains(text)), "{rule}: {parent:?}");
            }
            None => assert_eq!(parent, None, "{rule}"),
        }
    }
}

/// One span, by its name.
fn named<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    let mut found = spans.iter().filter(|span| span["name"] == name);
    let first = found.next();
    first.unwrap_or_else(|| panic!("{name} is not in {spans:#?}"))
}

#[tokio::test]
async fn one_login_is_one_trace_from_the_edge_to_the_node_and_the_portal() {
    for protocol in ["http", "grpc"] {
        let Some(collector) = Collector::start() else { return };
        let lines = collector.lines(protocol);
        let more = "resource = [\"deployment.environment.name: test\"]\nsample_one_in = 0\n";
        let mut world = traced(&format!("{lines}{more}"), Some(true)).await;
        let mut browser = world.browser();
        browser.edge_says("traceparent", &told()).edge_says("tracestate", STATE);
        let page = browser.sign_in("/tax?pesel=44051401359&name=typed", "anna").await;
        assert_eq!(page.text, "portal");
        let seen = world.last_seen();
        let sid = {
            let lines = world.seen();
            let payload =
                lines.last().unwrap().assertion().unwrap().split('.').nth(1).unwrap().to_owned();
            claim(&payload, "sid")
        };
        let cookie = browser.session_cookie().unwrap().0;
        world.tell_to_stop();
        world.stopped().await;
        let spans = collector.spans();

        // 1. All of it is one trace, and what the edge said of it.
        assert!(spans.iter().all(|span| span["trace"] == TRACE && span["state"] == STATE));
        assert!(spans.iter().all(|span| span["protocol"] == protocol && span["scope"] == "brama"));
        for (name, value) in [("service.name", "brama"), ("deployment.environment.name", "test")] {
            assert!(spans.iter().all(|span| span["resource"][name] == value), "{name}");
        }
        // 2. Each request is below of the edge.
        let requests: Vec<_> = spans.iter().filter(|span| span["kind"] == 2).collect();
        assert!(requests.len() >= 4, "{requests:#?}");
        assert!(requests.iter().all(|span| span["parent"] == EDGE && span["flags"] == 0x301));
        // 3. The node was asked for the request that finished, and the portal for the page.
        let finish = named(&spans, "GET finish");
        let node = named(&spans, "node ArtifactResolve");
        assert_eq!((&node["parent"], &node["kind"]), (&finish["span"], &Value::from(3)));
        assert_eq!(node["attributes"]["server.address"], "127.0.0.1");
        let passed = spans.iter().find(|span| {
            span["name"] == "GET /tax" && span["attributes"]["http.response.status_code"] == 200
        });
        let passed = passed.unwrap();
        let upstream = named(&spans, "upstream");
        assert_eq!((&upstream["parent"], &upstream["kind"]), (&passed["span"], &Value::from(3)));
        let parent = seen.header("traceparent").unwrap();
        assert_eq!(parent, format!("00-{TRACE}-{}-01", upstream["span"].as_str().unwrap()));
        assert_eq!(upstream["attributes"]["http.response.status_code"], 200);
        assert_eq!(passed["attributes"]["session.id"], sid.as_str());
        assert_eq!(passed["attributes"]["http.route"], "/tax");
        // 4. What was decided, and what the store was asked on the way.
        let decided: Vec<_> = spans.iter().filter(|span| span["name"] == "decide").collect();
        let of = |parent: &Value| {
            let decided = decided.iter().find(|span| span["parent"] == parent["span"]);
            decided.map(|span| span["attributes"]["brama.decision"].clone())
        };
        assert_eq!(of(passed), Some(Value::from("pass")));
        assert!(decided.iter().any(|span| span["attributes"]["brama.decision"] == "login"));
        let stored = |span: &&Value| span["parent"] == finish["span"];
        assert!(spans.iter().filter(stored).any(|span| span["name"] == "store put_new"));
        assert_eq!(named(&spans, "store put_new")["attributes"]["db.system.name"], "memory");
        // 5. What was done for a request lies within it.
        assert!(node["start"].as_u64() >= finish["start"].as_u64());
        assert!(node["end"].as_u64() <= finish["end"].as_u64());
        // 6. The requests of a login name it, the one before the node and the one after; others do not.
        let login = |span: &Value| span["attributes"]["brama.authn_request"].clone();
        let of_login: Vec<_> = requests.iter().filter(|span| !login(span).is_null()).collect();
        assert!(of_login.len() >= 2 && of_login.iter().all(|span| login(span) == login(finish)));
        assert!(login(finish).as_str().unwrap().starts_with("ID-") && login(passed).is_null());
        // 7. Nothing of people, nothing that opens anything.
        let all = serde_json::to_string(&spans).unwrap();
        for secret in ["44051401359", "typed", "SAMLart", "ticket=", "state=", cookie.as_str()] {
            assert!(!all.contains(secret), "{secret}");
        }
        for person in &PEOPLE {
            for text in [&person.identifier, &person.family_name] {
                assert!(!all.contains(&**text), "{text}");
            }
        }
    }
}

/// A claim of the payload of a token.
fn claim(payload: &str, name: &str) -> String {
    use base64::Engine as _;
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap();
    let json: Value = serde_json::from_slice(&json).unwrap();
    json[name].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_sampling_of_zero_sends_nothing_and_one_of_all_sends_everything() {
    for (sampling, requests, flag) in [(0, 0, "-02"), (1, 5, "-03")] {
        let Some(collector) = Collector::start() else { return };
        let lines = format!("{}sample_one_in = {sampling}", collector.lines("grpc"));
        let mut world = traced(&lines, None).await;
        let mut browser = world.browser();
        for _ in 0..5 {
            let [parent, _] = asked(&mut browser, &world, &[("traceparent", &told())]).await;
            let parent = parent.unwrap();
            assert!(parent.ends_with(flag) && !parent.contains(TRACE), "{parent}");
        }
        world.tell_to_stop();
        world.stopped().await;
        let spans = collector.spans();
        let count = spans.iter().filter(|span| span["name"] == "GET /public").count();
        assert_eq!(count, requests);
        assert!(sampling == 1 || spans.is_empty());
        assert!(spans.iter().all(|span| span["kind"] != 2 || span["parent"] == ""));
    }
}

#[tokio::test]
async fn a_collector_that_is_away_makes_no_request_fail() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let lines = format!("endpoint = \"http://{nobody}\"\nsample_one_in = 1\n");
    let mut world = traced(&lines, None).await;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let mut browser = world.browser();
            tokio::spawn(async move {
                for _ in 0..250 {
                    let answer = browser.fetch_with(Method::GET, "/public", &[], "").await;
                    assert_eq!(answer.status, StatusCode::OK);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let metrics = world.metrics().await;
    let lost = metrics.lines().find(|line| line.starts_with("brama_spans_total{result=\"sent\"}"));
    assert_eq!(lost, Some("brama_spans_total{result=\"sent\"} 0"), "{metrics}");
    let began = std::time::Instant::now();
    world.tell_to_stop();
    world.stopped().await;
    assert!(began.elapsed() < std::time::Duration::from_secs(20));
}

#[tokio::test]
async fn the_access_log_says_which_session_and_which_trace_a_request_was_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("access.log");
    let lines =
        format!("[log]\naccess_file = \"{}\"\n[traces]\npropagate = true\n", file.display());
    let mut world = world().with(&lines).with_settings(|_| ()).start().await;
    let mut browser = world.browser();
    browser.sign_in("/tax", "anna").await;
    let seen = world.last_seen();
    let sid = claim(seen.assertion().unwrap().split('.').nth(1).unwrap(), "sid");
    let parent = seen.header("traceparent").unwrap().to_owned();
    world.browser().open("/public").await;
    world.tell_to_stop();
    world.stopped().await;
    let lines = fs::read_to_string(&file).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let passed = lines.iter().rfind(|line| line["path"] == "/tax").unwrap();
    assert_eq!(passed["session"], sid.as_str());
    assert_eq!(passed["trace_id"], parent.split('-').nth(1).unwrap());
    let nobody = lines.iter().rfind(|line| line["path"] == "/public").unwrap();
    assert!(nobody["session"].is_null() && nobody["trace_id"].is_string());
}
