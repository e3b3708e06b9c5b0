//! The numbers at `/metrics`: what they say, that they are well formed, and what they never hold.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use brama::observe::metrics::catalogue::ALL;

use crate::harness::http_2::{END_HEADERS, END_STREAM, HEADERS, RST_STREAM, begin, frame};
use crate::harness::numbers::Numbers;
use crate::harness::redis::Redis;
use crate::harness::tools::{self, PYTHON, Tool};
use crate::harness::{
    Answer, Gateway, PATIENCE, Plan, Simulator, Tls, Wire, free_address, python, sign_in,
};

/// Waits until the numbers are as they should become.
fn until(gateway: &Gateway, what: &str, is_so: impl Fn(&Numbers) -> bool) -> Numbers {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let numbers = gateway.numbers();
        if is_so(&numbers) {
            return numbers;
        }
        assert!(Instant::now() < deadline, "{what}");
        sleep(Duration::from_millis(20));
    }
}

fn ask(gateway: &Gateway, method: &str, path: &str, cookie: &str) -> Answer {
    let (mut wire, host) = (gateway.connect(), gateway.host());
    wire.send(
        format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nAccept: text/html\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .as_bytes(),
    );
    wire.answer(method)
}

/// The strict reader of the Prometheus project.
fn is_fine_for_python(text: &str, module: &str) {
    let program = format!(
        "import sys\nfrom prometheus_client.{module} import text_string_to_metric_families as read\n\
         print(sum(len(f.samples) for f in read(sys.stdin.read())))"
    );
    let mut command = Command::new(PYTHON);
    command.args(["-I", "-c", &program]).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read: usize = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
    assert_eq!(read, text.lines().filter(|line| !line.starts_with('#')).count());
}

#[test]
fn after_a_day_in_small_everything_in_the_catalogue_has_a_value_and_nothing_says_who() {
    if !tools::has(&[Tool::Python, Tool::PythonPrometheus]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "required")
        .tls(Tls::On)
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise");
    let file = plan.path("sessions.db");
    let plan = plan.with(&format!("\n[store]\nkind = \"file\"\nfile = {{ path = {file:?} }}"));
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    let cookie = sign_in(&gateway, "anna");
    assert_eq!(ask(&gateway, "GET", "/account", &cookie).status, 200);
    assert_eq!(ask(&gateway, "GET", "/.brama/nothing", &cookie).status, 404);

    // 1. Well formed, for us and for others, in both forms.
    let numbers = gateway.numbers();
    let open = gateway.metrics("application/openmetrics-text").text();
    is_fine_for_python(&open, "openmetrics.parser");
    let plain = gateway.metrics("text/plain");
    assert_eq!(plain.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    is_fine_for_python(&plain.text(), "parser");
    assert!(open.len() < 96 * 1024, "{} bytes", open.len());

    // 2. What the catalogue says, no less and no more.
    let told: BTreeSet<_> = numbers.kinds.iter().map(|(n, k)| (n.as_str(), k.as_str())).collect();
    let known: BTreeSet<_> = ALL.iter().map(|metric| (metric.name, metric.kind.name())).collect();
    assert_eq!(told, known);
    for metric in ALL {
        let rows = numbers.labels(metric.name, metric.kind.name());
        assert!(!rows.is_empty(), "{} has no value", metric.name);
        assert!(rows.iter().all(|labels| labels == metric.labels), "{}", metric.name);
    }

    // 3. True.
    assert_eq!(numbers.value("brama_sessions", &[]), 1.0);
    assert_eq!(numbers.value("brama_logins_begun_total", &[]), 1.0);
    let finished: f64 = ["low", "substantial", "high"]
        .iter()
        .map(|level| numbers.value("brama_logins_finished_total", &[("assurance", level)]))
        .sum();
    assert_eq!(finished, 1.0);
    let ways = numbers.values_of("brama_logins_total", "way_in");
    assert!(ways.contains("profil_zaufany") && ways.contains("mobywatel"), "{ways:?}");
    let (mut signed_in, mut refused) = (0.0, 0.0);
    for way_in in &ways {
        for level in ["low", "substantial", "high"] {
            let labels = [("result", "signed_in"), ("reason", "")];
            let labels = [labels[0], labels[1], ("way_in", way_in), ("assurance", level)];
            signed_in += numbers.value("brama_logins_total", &labels);
        }
    }
    for code in ["login.cancelled", "login.signature_not_trusted"] {
        let labels = [("result", "refused"), ("reason", code), ("way_in", ""), ("assurance", "")];
        refused += numbers.value("brama_logins_total", &labels);
    }
    assert_eq!((signed_in, refused), (1.0, 0.0));
    let resolved = [("purpose", "resolve"), ("result", "ok")];
    assert_eq!(numbers.value("brama_node_exchanges_total", &resolved), 1.0);
    let took = |suffix: &str| format!("brama_node_exchange_duration_seconds{suffix}");
    assert_eq!(numbers.value(&took("_count"), &resolved), 1.0);
    assert!((0.0..5.0).contains(&numbers.value(&took("_sum"), &resolved)));
    let late = [("purpose", "resolve"), ("result", "login.node_timeout")];
    assert_eq!(numbers.value(&took("_count"), &late), 0.0, "so that the first one is seen");
    assert_eq!(numbers.value("brama_store_up", &[("place", "file")]), 1.0);
    let resident = numbers.value("process_resident_memory_bytes", &[]);
    assert!((1e6..1e9).contains(&resident), "{resident}");
    // The node's certificate, our own, and the one for citizens.
    let name = "brama_certificate_expiry_timestamp_seconds";
    assert_eq!(
        numbers.values_of(name, "use"),
        ["citizens", "client", "node", "node_ca", "signing"].into()
    );
    assert!(numbers.values_of(name, "name").contains("localhost"));

    // 4. Nobody is named, and no client chose a word.
    for secret in ["anna", "Anna", "Żółkiewska", "84851401359", cookie.trim_start_matches("brama=")]
    {
        assert!(!open.contains(secret), "{secret}");
    }
    assert!(!open.contains("account") && !open.contains("nothing"));

    // 5. And when the citizen signs out.
    assert!(ask(&gateway, "POST", "/.brama/logout", &cookie).status < 400);
    let numbers = gateway.numbers();
    assert_eq!(numbers.value("brama_sessions", &[]), 0.0);
    let cause = [("cause", "signed_out")];
    assert_eq!(numbers.value("brama_sessions_ended_total", &cause), 1.0);
    let outcome = [("outcome", "signed_out_everywhere")];
    assert_eq!(numbers.value("brama_logouts_total", &outcome), 1.0);
}

#[test]
fn numbers_are_told_on_the_operations_listener_only_and_to_whoever_reads_only() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let gateway = Plan::before(&url).start();
    // For citizens it is a path of the portal like any other.
    let public = gateway.connect().get(&gateway.host(), "/metrics");
    assert_eq!((public.status, public.header("content-type")), (200, Some("application/json")));
    assert!(!public.text().contains("brama_"), "{}", public.text());
    for (method, path, status) in [
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("GET", "/metrics/", 404),
        ("GET", "/METRICS", 404),
    ] {
        let mut wire = gateway.operations();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        wire.send(request.as_bytes());
        assert_eq!(wire.answer(method).status, status, "{method} {path}");
    }
}

#[test]
fn answers_are_counted_by_class_whichever_worker_gave_them() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let gateway = Plan::before(&url).listen("workers = 2").start();
    let before = gateway.numbers();
    for _ in 0..20 {
        assert_eq!(gateway.connect().get("localhost", "/x").status, 200);
    }
    // What cannot be read as a request is answered too.
    let mut wire = gateway.connect();
    wire.send(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    assert_eq!(wire.answer("GET").status, 400);
    let after = gateway.numbers();
    let more = |name: &str, labels: &[(&str, &str)]| {
        after.value(name, labels) - before.find(name, labels).unwrap_or(0.0)
    };
    assert_eq!(more("brama_requests_total", &[("class", "2xx")]), 20.0);
    assert_eq!(more("brama_requests_total", &[("class", "4xx")]), 1.0);
    assert_eq!(more("brama_requests_total", &[("class", "5xx")]), 0.0);
    assert_eq!(more("brama_connections_accepted_total", &[]), 21.0);
    assert_eq!(after.value("brama_workers", &[]), 2.0);
    // And connections that ended are not open.
    drop(wire);
    until(&gateway, "connections end", |numbers| numbers.value("brama_connections", &[]) == 0.0);
    let _open = gateway.connect();
    until(&gateway, "one is open", |numbers| numbers.value("brama_connections", &[]) == 1.0);
}

#[test]
fn the_time_of_a_request_counts_for_its_upstream_and_class_whichever_worker_had_it() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let dead = free_address();
    let gateway = Plan::before(&url)
        .upstream("away", &format!("http://{dead}"))
        .route("/away", "away", "public")
        .route("/mine", "portal", "required")
        .listen("workers = 2")
        .log("access = \"off\"")
        .start();
    let counted = |numbers: &Numbers, name: &str, upstream: &str, class: &str| {
        let labels = [("upstream", upstream), ("class", class)];
        let labels = if class.is_empty() { &labels[..1] } else { &labels[..] };
        numbers.value(&format!("{name}_count"), labels)
    };
    let of = |numbers: &Numbers, upstream, class| {
        counted(numbers, "brama_request_duration_seconds", upstream, class)
    };
    let first = |numbers: &Numbers, upstream| {
        counted(numbers, "brama_upstream_first_byte_duration_seconds", upstream, "")
    };
    let before = gateway.numbers();
    for class in ["2xx", "3xx", "4xx", "5xx"] {
        assert_eq!(of(&before, "portal", class), 0.0, "so that the first one is seen");
    }
    for _ in 0..10 {
        assert_eq!(gateway.connect().get("localhost", "/x").status, 200);
    }
    assert_eq!(gateway.connect().get("localhost", "/away").status, 502);
    assert_eq!(gateway.connect().get("localhost", "/mine").status, 401);
    let after = until(&gateway, "all have ended", |numbers| of(numbers, "portal", "2xx") == 10.0);
    // 1. An answer of the portal, one in the place of a portal that gave none, and one of our own.
    assert_eq!((of(&after, "away", "5xx"), of(&after, "", "4xx")), (1.0, 1.0));
    assert_eq!((of(&after, "portal", "5xx"), of(&after, "portal", "4xx")), (0.0, 0.0));
    // 2. A portal that never answered took no time to its first byte.
    assert_eq!((first(&after, "portal"), first(&after, "away")), (10.0, 0.0));
    let seconds = |name: &str, labels: &[(&str, &str)]| after.value(&format!("{name}_sum"), labels);
    let all =
        seconds("brama_request_duration_seconds", &[("upstream", "portal"), ("class", "2xx")]);
    let waited = seconds("brama_upstream_first_byte_duration_seconds", &[("upstream", "portal")]);
    assert!(waited > 0.0 && all >= waited && all < 100.0, "{all} {waited}");
    // 3. What each request took is kept when the configuration changes.
    gateway
        .edit_configuration("access = \"off\"", "access = \"off\"\n\n[limits]\nlogin_starts = 55");
    gateway.program.signal("HUP");
    let numbers = until(&gateway, "it is applied", |numbers| {
        numbers.value("brama_config_reloads_total", &[("result", "applied")]) == 1.0
    });
    assert_eq!((of(&numbers, "portal", "2xx"), of(&numbers, "", "4xx")), (10.0, 1.0));
}

#[test]
fn who_tells_an_identity_is_counted_by_how_it_is_told() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let gateway = Plan::before(&url).start();
    let kinds = ["identity_header", "foreign_identity_header", "forged_answer"];
    let counted = |numbers: &Numbers| {
        kinds.map(|kind| numbers.value("brama_spoof_attempts_total", &[("kind", kind)]))
    };
    let mut seen = counted(&gateway.numbers());
    assert_eq!(seen, [0.0; 3]);
    for (field, status, more) in [
        ("X-Brama-Assertion: forged", 200, [1.0, 0.0, 0.0]),
        ("X_Brama_Assertion: forged", 400, [1.0, 0.0, 0.0]),
        ("Remote-User: anna", 200, [0.0, 1.0, 0.0]),
        // What our own pages send, and what everybody does.
        ("X-Brama-Background: 1", 200, [0.0; 3]),
        ("X-Forwarded-For: 192.0.2.1", 200, [0.0; 3]),
    ] {
        let mut wire = gateway.connect();
        wire.send(format!("GET /x HTTP/1.1\r\nHost: localhost\r\n{field}\r\n\r\n").as_bytes());
        assert_eq!(wire.answer("GET").status, status, "{field}");
        let now = counted(&gateway.numbers());
        let grown = [now[0] - seen[0], now[1] - seen[1], now[2] - seen[2]];
        assert_eq!(grown, more, "{field}");
        seen = now;
    }
}

#[test]
fn what_lasts_is_counted_when_it_ends_and_an_upgrade_when_it_begins() {
    if !tools::has(&[Tool::Python, Tool::PythonWebsockets]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (_talks, socket) = python("websocket.py");
    let gateway =
        Plan::before(&url).upstream("talks", &socket).route("/talk", "talks", "public").start();
    let count = |numbers: &Numbers, upstream, class| {
        let labels = [("upstream", upstream), ("class", class)];
        numbers.find("brama_request_duration_seconds_count", &labels)
    };
    let mut wire = gateway.connect();
    wire.send(
        b"GET /talk HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    assert_eq!(wire.answer("GET").status, 101);
    let numbers = gateway.numbers();
    assert_eq!(count(&numbers, "talks", "1xx"), Some(1.0), "it still lasts");
    assert_eq!(count(&numbers, "portal", "1xx"), None, "none was upgraded there");
}

#[test]
fn a_refused_login_counts_under_its_code_and_what_was_counted_outlives_a_new_configuration() {
    let plan = Plan::before("http://127.0.0.1:9").listen("hsts = \"1d\"");
    let gateway = plan.start();
    let refused = [("code", "login.malformed_artifact")];
    let count = |numbers: &Numbers| numbers.find("brama_refusals_total", &refused);
    assert_eq!(count(&gateway.numbers()), Some(0.0), "so that the first one is seen");
    for _ in 0..3 {
        let answer = ask(&gateway, "GET", "/.brama/acs?SAMLart=%22%7D%20x", "");
        assert_eq!(answer.status, 400);
    }
    let reloads = |numbers: &Numbers, result| {
        numbers.value("brama_config_reloads_total", &[("result", result)])
    };
    let numbers = gateway.numbers();
    assert_eq!(count(&numbers), Some(3.0));
    assert_eq!((reloads(&numbers, "applied"), reloads(&numbers, "refused")), (0.0, 0.0));
    let first = numbers.value("brama_config_last_reload_success_timestamp_seconds", &[]);

    // 1. A good one.
    gateway.edit_configuration("hsts = \"1d\"", "hsts = \"2d\"");
    gateway.program.signal("HUP");
    let numbers = until(&gateway, "it is applied", |n| reloads(n, "applied") >= 1.0);
    assert_eq!(count(&numbers), Some(3.0));
    let time = numbers.value("brama_config_last_reload_success_timestamp_seconds", &[]);
    assert!(time > first, "{time}, {first}");
    // 2. One that cannot be read.
    gateway.edit_configuration("hsts = \"2d\"", "hsts = \"soon\"");
    gateway.program.signal("HUP");
    let numbers = until(&gateway, "it is refused", |n| reloads(n, "refused") >= 1.0);
    assert_eq!(numbers.value("brama_config_last_reload_successful", &[]), 0.0);
    assert_eq!(numbers.value("brama_config_last_reload_success_timestamp_seconds", &[]), time);
    // 3. One that needs another process.
    gateway.edit_configuration("hsts = \"soon\"", "max_connections = 77");
    gateway.program.signal("HUP");
    until(&gateway, "it is refused too", |n| reloads(n, "refused") >= 2.0);
    // 4. And a good one again.
    gateway.edit_configuration("max_connections = 77", "hsts = \"3d\"");
    gateway.program.signal("HUP");
    let numbers = until(&gateway, "it is applied", |n| {
        n.value("brama_config_last_reload_successful", &[]) == 1.0
    });
    assert_eq!(count(&numbers), Some(3.0));
    assert_eq!(ask(&gateway, "GET", "/.brama/acs?SAMLart=x", "").status, 400);
    assert_eq!(count(&gateway.numbers()), Some(4.0));
}

#[test]
fn a_store_that_dies_is_told_and_so_is_its_return() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let mut redis = Redis::start();
    let plan = Plan::empty()
        .upstream("portal", &url)
        .route("/", "portal", "required")
        .with(&format!("\n[store]\n{}", redis.store()))
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise");
    let simulator = Simulator::start(plan.address());
    let gateway = plan.node(&simulator).start();
    sign_in(&gateway, "anna");
    let is_up = |numbers: &Numbers| numbers.value("brama_store_up", &[("place", "redis")]) == 1.0;
    let away = |numbers: &Numbers| numbers.value("brama_store_away_seconds", &[]);
    let numbers = until(&gateway, "events are heard of", |numbers| {
        numbers.value("brama_store_events_up", &[]) == 1.0
            && numbers.value("brama_replicas", &[]) == 1.0
    });
    assert!(is_up(&numbers) && away(&numbers) == 0.0);
    let last = numbers.value("brama_store_last_success_timestamp_seconds", &[]);

    redis.kill();
    let numbers = until(&gateway, "it is away", |numbers| away(numbers) > 1.0);
    assert!(!is_up(&numbers));
    assert_eq!(numbers.value("brama_store_events_up", &[]), 0.0);
    until(&gateway, "nobody can be counted", |n| n.value("brama_replicas", &[]) == 0.0);
    assert!(numbers.value("brama_store_errors_total", &[("operation", "check")]) >= 1.0);
    // A login cannot begin, and that counts.
    assert_eq!(ask(&gateway, "GET", "/.brama/login", "").status, 503);
    let numbers = gateway.numbers();
    let code = [("code", "session.store_unavailable")];
    assert_eq!(numbers.value("brama_refusals_total", &code), 1.0);
    assert!(numbers.value("brama_store_errors_total", &[("operation", "check")]) >= 2.0);

    redis.start_again();
    let numbers = until(&gateway, "it is back", |numbers| {
        is_up(numbers)
            && numbers.value("brama_store_events_up", &[]) == 1.0
            && numbers.value("brama_replicas", &[]) == 1.0
    });
    assert_eq!(away(&numbers), 0.0);
    assert!(numbers.value("brama_store_last_success_timestamp_seconds", &[]) > last);
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_until_one_can() {
    let gateway = Plan::before("http://127.0.0.1:9").tls(Tls::On).start();
    let path = gateway.certificate();
    let file = [("file", path.to_str().unwrap())];
    let failed = |numbers: &Numbers| numbers.value("brama_certificate_reload_failed", &file) == 1.0;
    let reloads = |numbers: &Numbers, result| {
        numbers.value("brama_certificate_reloads_total", &[("result", result)])
    };
    let end = |numbers: &Numbers| {
        let name = "brama_certificate_expiry_timestamp_seconds";
        numbers.value(name, &[("use", "citizens"), ("name", "localhost"), file[0]])
    };
    let numbers = gateway.numbers();
    let first = end(&numbers);
    assert!(!failed(&numbers));

    let good = fs::read(&path).unwrap();
    fs::write(&path, "nothing\n").unwrap();
    let numbers = until(&gateway, "it cannot be used", failed);
    assert_eq!((reloads(&numbers, "refused"), reloads(&numbers, "taken")), (1.0, 0.0));
    assert_eq!(end(&numbers), first, "the last good one is told");
    // The very one that is in use is fine again, and nothing new.
    fs::write(&path, good).unwrap();
    let numbers = until(&gateway, "it can be used", |numbers| !failed(numbers));
    assert_eq!((reloads(&numbers, "refused"), reloads(&numbers, "taken")), (1.0, 0.0));
}

#[test]
fn a_dead_server_is_told_with_what_was_tried() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let dead = free_address().to_string();
    let gateway = Plan::empty()
        .upstream_on("portal", &[&url, &format!("http://{dead}")])
        .with("max_fails = 1\nfail_timeout = \"60s\"")
        .route("/", "portal", "public")
        .start();
    for _ in 0..10 {
        assert_eq!(gateway.connect().get("localhost", "/x").status, 200);
    }
    let numbers = gateway.numbers();
    let server = [("upstream", "portal"), ("server", &*dead)];
    let state = |state| {
        let labels = [server[0], server[1], ("state", state)];
        numbers.value("brama_upstream_server_state", &labels)
    };
    assert_eq!((state("ejected"), state("up"), state("down")), (1.0, 0.0, 0.0));
    assert_eq!(numbers.value("brama_upstream_server_failures_total", &server), 1.0);
    assert_eq!(numbers.value("brama_upstream_server_ejections_total", &server), 1.0);
    assert_eq!(numbers.value("brama_upstream_retries_total", &[("upstream", "portal")]), 1.0);
    // Of the other one nothing bad is told.
    let well = [("upstream", "portal"), ("server", url.trim_start_matches("http://"))];
    assert_eq!(numbers.value("brama_upstream_server_failures_total", &well), 0.0);
}

#[test]
fn a_connection_that_ends_before_it_spoke_is_told_with_the_reason() {
    let plan = Plan::before("http://127.0.0.1:9").tls(Tls::On);
    let gateway = plan.listen("max_connections_per_address = 2").start();
    let refused = |numbers: &Numbers, reason| {
        numbers.value("brama_connections_refused_total", &[("reason", reason)])
    };
    let before = gateway.numbers();
    assert_eq!((refused(&before, "per_address"), refused(&before, "tls")), (0.0, 0.0));
    // 1. One that speaks no TLS.
    let mut wire = Wire::connect(gateway.tls_address.unwrap());
    wire.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    until(&gateway, "it is no TLS", |numbers| refused(numbers, "tls") == 1.0);
    drop(wire);
    until(&gateway, "it ended", |numbers| numbers.value("brama_connections", &[]) == 0.0);
    // 2. One more than a client may have.
    let _open = [gateway.connect(), gateway.connect(), gateway.connect()];
    let numbers = until(&gateway, "one is too many", |n| refused(n, "per_address") == 1.0);
    assert_eq!(refused(&numbers, "handshake_timeout"), 0.0);
}

#[test]
fn a_rapid_reset_is_told_and_a_client_with_manners_is_not() {
    let gateway = Plan::before("http://127.0.0.1:9").start();
    let cut = |numbers: &Numbers| {
        numbers.value("brama_http2_connections_cut_total", &[("reason", "enhance_your_calm")])
    };
    // GET, http, / of the static table, and `:authority` as a literal (RFC 7541 6).
    let head = b"\x82\x86\x84\x41\x09localhost";
    drop(begin(gateway.connect()));
    until(&gateway, "it ended", |numbers| numbers.value("brama_connections", &[]) == 0.0);
    assert_eq!(cut(&gateway.numbers()), 0.0);
    let mut wire = begin(gateway.connect());
    for number in 0..2_000 {
        let stream = 2 * number + 1;
        let request = frame(HEADERS, END_STREAM | END_HEADERS, stream, head);
        wire.send(&[request, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat());
    }
    until(&gateway, "it is cut", |numbers| cut(numbers) == 1.0);
}

#[test]
fn a_process_that_takes_leave_says_so() {
    let mut gateway = Plan::before("http://127.0.0.1:9").listen("drain_delay = \"2s\"").start();
    assert_eq!(gateway.numbers().value("brama_leaving", &[]), 0.0);
    gateway.program.signal("TERM");
    until(&gateway, "it takes leave", |numbers| numbers.value("brama_leaving", &[]) == 1.0);
    assert!(gateway.program.wait().success());
}

#[test]
fn a_successor_that_does_not_come_up_is_told_and_the_old_process_goes_on() {
    let gateway = Plan::before("http://127.0.0.1:9").listen("hsts = \"1d\"").start();
    let failed =
        |numbers: &Numbers| numbers.value("brama_successions_total", &[("result", "failed")]);
    assert_eq!(failed(&gateway.numbers()), 0.0);
    gateway.edit_configuration("hsts = \"1d\"", "hsts = \"soon\"");
    gateway.program.signal("USR2");
    let numbers = until(&gateway, "the successor failed", |numbers| failed(numbers) == 1.0);
    assert_eq!(numbers.value("brama_leaving", &[]), 0.0);
    assert_eq!(numbers.value("brama_successions_total", &[("result", "ready")]), 0.0);
}
