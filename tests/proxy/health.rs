//! What balancers and orchestrators hear, and what operators are told in time: certificates that end,
//! a clock that goes wrong.

use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use brama::base::clock::{Clock as _, SystemClock};

use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Plan, Simulator, Tls, python, sign_in};

/// Asks the operations listener.
fn ask(gateway: &Gateway, path: &str) -> (u16, String) {
    let answer = gateway.operations().get("localhost", path);
    (answer.status, answer.text())
}

/// Waits until a question has this status, and returns what is said with it.
#[track_caller]
fn until(gateway: &Gateway, path: &str, status: u16) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let (found, text) = ask(gateway, path);
        if found == status {
            return text;
        }
        assert!(Instant::now() < deadline, "{path}: still {found}: {text}");
        sleep(Duration::from_millis(20));
    }
}

const UNREADY_STORE: &str = "not ready: store: see ?verbose and the log\n";
const STORE_AWAY: &str = "ready, but the session store is away\n";

#[test]
fn a_store_that_is_away_takes_a_replica_out_after_the_grace_where_that_is_wanted() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let mut redis = Redis::start();
    let plan = || {
        let store = format!("\n[store]\n{}\n\n[session]\ngrace = \"3s\"", redis.store());
        Plan::before("http://127.0.0.1:9")
            .with(&store)
            .file("pairwise", "0123456789abcdef0123456789abcdef")
            .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise")
    };
    let strict = plan().environment("BRAMA__OPERATIONS__READY_NEEDS", "[\"store\"]").start();
    let usual = plan().start();
    for gateway in [&strict, &usual] {
        assert_eq!(until(gateway, "/readyz", 200), "ready\n");
        let (_, parts) = ask(gateway, "/readyz?verbose");
        assert!(parts.contains("[+]store ok: redis\n"), "{parts}");
        assert_eq!(ask(gateway, "/startupz").0, 200);
    }
    redis.kill();
    // 1. Within the grace nothing is lost by it.
    let deadline = Instant::now() + PATIENCE;
    let mut said = ask(&strict, "/readyz");
    // Whoever keeps the keys may notice first.
    while said != (200, STORE_AWAY.to_owned()) {
        assert!(said.0 == 200 && Instant::now() < deadline, "{said:?}");
        said = ask(&strict, "/readyz");
    }
    let (status, parts) = ask(&strict, "/readyz?verbose");
    assert!(status == 200 && parts.contains("[!]store impaired: redis is away for "), "{parts}");
    // 2. After it: out, where that is wanted, and only there.
    assert_eq!(until(&strict, "/readyz", 503), UNREADY_STORE);
    let (status, parts) = ask(&strict, "/readyz?verbose");
    assert!(status == 503 && parts.contains("[-]store failed: redis is away for "), "{parts}");
    assert_eq!(ask(&strict, "/readyz?exclude=store"), (200, STORE_AWAY.to_owned()));
    let needed = until(&usual, "/readyz?needs=store", 503);
    assert_eq!(needed, UNREADY_STORE);
    assert_eq!(ask(&usual, "/readyz"), (200, STORE_AWAY.to_owned()));
    for path in ["/livez", "/healthz", "/ping", "/startupz"] {
        assert_eq!(ask(&strict, path), (200, "ok\n".to_owned()), "{path}");
    }
    // 3. And back.
    redis.start_again();
    let deadline = Instant::now() + PATIENCE;
    while ask(&strict, "/readyz") != (200, "ready\n".to_owned()) {
        assert!(Instant::now() < deadline, "{:?}", ask(&strict, "/readyz?verbose"));
        sleep(Duration::from_millis(20));
    }
}

#[test]
fn what_is_needed_changes_with_a_reload() {
    let gateway = Plan::before("http://127.0.0.1:9").start();
    // Nothing listens there, and nobody has found that out before a request comes.
    assert_eq!(ask(&gateway, "/readyz").0, 200);
    gateway.edit_configuration("[operations]\n", "[operations]\nready_needs = [\"node\"]\n");
    let (is_applied, said) = gateway.reload();
    assert!(!is_applied && said.contains("ready_needs"), "the node cannot be needed: {said}");
    let deadline = Instant::now() + PATIENCE;
    while !ask(&gateway, "/readyz?verbose").1.contains("[!]configuration impaired: ") {
        assert!(Instant::now() < deadline, "{:?}", ask(&gateway, "/readyz?verbose"));
        sleep(Duration::from_millis(20));
    }
    assert_eq!(ask(&gateway, "/readyz"), (200, "ready\n".to_owned()));
    gateway.edit_configuration("[\"node\"]", "[\"certificates\", \"keys\"]");
    assert!(gateway.reload().0);
    let (status, parts) = ask(&gateway, "/readyz?verbose");
    assert!(status == 200 && parts.contains("[+]configuration ok: in use since "), "{parts}");
    // A foreign page whose name leads here reads no parts; the state as a whole is no secret.
    for (path, status) in
        [("/readyz?verbose", 421), ("/readyz?needs=keys&verbose=", 421), ("/readyz", 200)]
    {
        assert_eq!(gateway.operations().get("rebound.example", path).status, status, "{path}");
    }
}

#[test]
fn a_gateway_that_is_told_to_stop_is_live_and_not_ready() {
    let gateway = Plan::before("http://127.0.0.1:9").listen("drain_delay = \"20s\"").start();
    assert_eq!(healthcheck(&gateway, &[]), (true, "ready".to_owned()));
    gateway.program.signal("TERM");
    assert_eq!(until(&gateway, "/readyz", 503), "stopping\n");
    assert_eq!(ask(&gateway, "/readyz?exclude=drain"), (200, "ready\n".to_owned()));
    for path in ["/livez", "/startupz"] {
        assert_eq!(ask(&gateway, path).0, 200, "{path}");
    }
    let (is_well, said) = healthcheck(&gateway, &[]);
    assert!(!is_well && said.contains("says 503 Service Unavailable: stopping"), "{said}");
    assert_eq!(healthcheck(&gateway, &["--live"]), (true, "ok".to_owned()));
    assert_eq!(healthcheck(&gateway, &["--startup"]), (true, "ok".to_owned()));
    assert!(healthcheck(&gateway, &["--exclude", "drain", "--needs", "store"]).0);
    gateway.program.signal("TERM");
}

/// Runs `brama healthcheck`; says whether that went well, and what it said.
fn healthcheck(gateway: &Gateway, words: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_brama"));
    command.args(["healthcheck", "--address", &gateway.operations.to_string()]).args(words);
    let output = command.output().unwrap();
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.success(), text.trim_end().to_owned())
}

/// Writes a pair for `localhost` that ends so many seconds from now.
fn pair(gateway: &Gateway, seconds: i64) {
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let at = |second: i64| {
        let second = u64::try_from(SystemClock.now().as_second() + second).unwrap();
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(second)
    };
    (params.not_before, params.not_after) = (at(-60), at(seconds));
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    fs::write(gateway.file("localhost.pem"), made.pem()).unwrap();
    let key_file = gateway.file("localhost.key");
    brama::base::private::write(&key_file, key.serialize_pem().as_bytes()).unwrap();
}

#[test]
fn a_certificate_that_ends_is_told_before_it_does_and_takes_a_replica_out_where_that_is_wanted() {
    let plan = Plan::before("http://127.0.0.1:9").tls(Tls::On).log("level = \"info\"");
    let mut gateway =
        plan.environment("BRAMA__OPERATIONS__READY_NEEDS", "[\"certificates\"]").start();
    let alarm =
        |gateway: &Gateway| gateway.numbers().value("brama_alarm", &[("alarm", "certificates")]);
    assert_eq!(alarm(&gateway), 0.0);
    // 1. One that ends in some seconds.
    let life = 8;
    pair(&gateway, life);
    let line = |words: &'static [&'static str]| {
        move |line: &str| words.iter().all(|word| line.contains(word)).then(|| line.to_owned())
    };
    gateway.program.wait_for(line(&["certificate was replaced", "used_for=\"citizens\""]));
    let said = gateway.program.wait_for(line(&["WARN", "certificate ends soon", "within_days=1"]));
    assert!(
        said.contains("key=\"listen.certificate\"") && said.contains("localhost.pem"),
        "{said}"
    );
    assert_eq!(alarm(&gateway), 1.0);
    // 2. It has ended. It is used all the same, and is no reason to be unready unless that is wanted.
    gateway.program.wait_for(line(&["ERROR", "certificate has ended"]));
    assert_eq!(
        until(&gateway, "/readyz", 503),
        "not ready: certificates: see ?verbose and the log\n"
    );
    let (_, parts) = ask(&gateway, "/readyz?verbose");
    assert!(parts.contains("[-]certificates failed: none for citizens is valid; "), "{parts}");
    assert_eq!(ask(&gateway, "/readyz?exclude=certificates"), (200, "ready\n".to_owned()));
    let (is_well, said) = healthcheck(&gateway, &["--verbose"]);
    assert!(!is_well && said.contains("[-]certificates failed"), "{said}");
    // 3. The twin: a new one, and all is well.
    pair(&gateway, 90 * 24 * 3600);
    let said =
        gateway.program.wait_for(line(&["certificate was replaced", "used_for=\"citizens\""]));
    assert!(said.contains("before="), "{said}");
    assert_eq!(until(&gateway, "/readyz", 200), "ready\n");
    let told = gateway.program.said();
    let count = |word: &str| told.iter().filter(|line| line.contains(word)).count();
    assert_eq!((count("certificate ends soon"), count("certificate has ended")), (1, 1));
    let deadline = Instant::now() + PATIENCE;
    while alarm(&gateway) != 0.0 {
        assert!(Instant::now() < deadline, "the alarm goes on");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn every_certificate_in_use_has_its_date_among_the_numbers() {
    let plan = Plan::empty()
        .tls(Tls::On)
        .file("pairwise", "0123456789abcdef0123456789abcdef")
        .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise");
    let kit = plan.path("kit");
    let file = |name: &str| kit.join(name).display().to_string();
    let (ca, client, key) = (
        file("ca.crt.pem"),
        file("service-tls-client.crt.pem"),
        file("service-tls-client.key.pem"),
    );
    let upstream = format!(
        "url = \"https://127.0.0.1:9\"\ntls_ca_file = \"{ca}\"\ntls_system_roots = false\n\
         tls_client_certificate = \"{client}\"\ntls_client_key = \"{key}\""
    );
    let store = format!(
        "\n[store]\nkind = \"redis\"\nsecret_files = [\"pairwise\"]\n[store.redis]\n\
         addresses = [\"127.0.0.1:9\"]\ntls = true\nca_file = \"{ca}\"\n\
         client_certificate = \"{client}\"\nclient_key = \"{key}\""
    );
    let gateway =
        plan.upstream_with("portal", &upstream).route("/", "portal", "public").with(&store).start();
    let numbers = gateway.numbers();
    let name = "brama_certificate_expiry_timestamp_seconds";
    let uses = numbers.values_of(name, "use");
    let expected = [
        "citizens",
        "client",
        "node",
        "node_ca",
        "redis_ca",
        "redis_client",
        "signing",
        "upstream_ca",
        "upstream_client",
    ];
    assert_eq!(uses, expected.into());
    let text = gateway.metrics("text/plain").text();
    let mut rows = text.lines().filter(|line| line.starts_with(name));
    let is_a_date = |row: &str| row.rsplit(' ').next().unwrap().parse::<f64>().unwrap() > 1.7e9;
    assert!(rows.all(is_a_date), "{text}");
    // The store that nobody answers for was asked, so the gateway has started.
    assert_eq!(ask(&gateway, "/startupz").0, 200);
}

#[test]
fn a_clock_that_is_slow_is_measured_by_a_login_and_told_before_anybody_is_refused() {
    if !tools::has(&[Tool::Faketime, Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let plan = Plan::empty().upstream("portal", &url).route("/", "portal", "required");
    let plan = plan.log("level = \"info\"").with_clock();
    let simulator = Simulator::start(plan.address());
    let mut gateway = plan.node(&simulator).start();
    let value = |gateway: &Gateway, name: &str, witness: &str| {
        gateway.numbers().value(name, &[("witness", witness)])
    };
    let (offset, error, time) = (
        "brama_node_clock_offset_seconds",
        "brama_node_clock_offset_error_seconds",
        "brama_node_clock_offset_timestamp_seconds",
    );
    for witness in ["message", "date"] {
        assert_eq!(value(&gateway, time, witness), 0.0);
    }
    let alarm = |gateway: &Gateway| gateway.numbers().value("brama_alarm", &[("alarm", "clock")]);
    // 1. Both are of one machine.
    sign_in(&gateway, "anna");
    assert!(value(&gateway, time, "message") > 1.7e9);
    let (found, most) = (value(&gateway, offset, "message"), value(&gateway, error, "message"));
    assert!(found.abs() <= most + 0.1, "{found} {most}");
    assert_eq!(alarm(&gateway), 0.0);
    // 2. Ours is half a minute slow: nobody is refused for that.
    gateway.set_clock("-30s");
    let deadline = Instant::now() + PATIENCE;
    while value(&gateway, offset, "message") < 20.0 {
        assert!(Instant::now() < deadline, "the clock is not followed");
        sleep(Duration::from_millis(500));
        sign_in(&gateway, "anna");
    }
    let line = gateway.program.wait_for(|line| {
        line.contains("clock of this machine differs from the node's").then(|| line.to_owned())
    });
    assert!(line.contains("witness=\"message\""), "{line}");
    assert_eq!(alarm(&gateway), 1.0);
    // 3. It is right again.
    gateway.set_clock("+0");
    while value(&gateway, offset, "message") > 5.0 {
        assert!(Instant::now() < deadline, "the clock is not followed");
        sleep(Duration::from_millis(500));
        sign_in(&gateway, "anna");
    }
    gateway.program.wait_for(|line| {
        line.contains("clock of this machine agrees with the node's").then_some(())
    });
}
