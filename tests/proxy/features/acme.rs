//! Certificates for citizens from an authority: ordered, kept, shared, renewed; and what happens when
//! that cannot be.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::numbers::Numbers;
use crate::harness::redis::{Redis, SECRET};
use crate::harness::tools::{self, Tool};
use crate::harness::{
    Authority, Gateway, Pebble, PebbleOptions, Plan, Program, Tls, Wire, free_address, node,
};

const NAME: &str = "portal.example";
/// Long enough for an order with all of its pauses.
const ORDER: Duration = Duration::from_secs(90);

/// A gateway whose certificate for [`NAME`] is to come from an authority.
fn plan(portal: &str, redirect: SocketAddr, directory: &str, authority: &str) -> Plan {
    Plan::before(portal)
        .tls(Tls::Ordered)
        .public_url(&format!("https://{NAME}"))
        .portal("state_directory = \"state\"")
        .log("level = \"info\"\naccess = \"off\"")
        .listen(&format!("redirect = \"{redirect}\"\nhsts = \"1h\"\n[listen.acme]"))
        .listen(&format!("directory = \"{directory}\"\nextra_ca_file = \"{authority}\""))
        .listen("agree_to_terms = true\ncontacts = [\"it@portal.example\"]")
}

fn options(asks_at: SocketAddr) -> PebbleOptions {
    PebbleOptions { asks_at, life: 90 * 24 * 3600, wants_account: false }
}

/// Returns what a client gets who asks for [`NAME`]: the certificate, or nothing when the handshake
/// fails.
fn presented(gateway: &Gateway) -> Option<String> {
    let mut command = Command::new("openssl");
    let address = gateway.tls_address.unwrap().to_string();
    command.args(["s_client", "-connect", &address, "-servername", NAME]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let begin = said.find("-----BEGIN CERTIFICATE-----")?;
    let end = said.rfind("-----END CERTIFICATE-----")?;
    Some(format!("{}-----END CERTIFICATE-----\n", &said[begin..end]))
}

/// Opens the portal as a client that trusts this root alone.
fn opens(gateway: &Gateway, root: &str) -> bool {
    fs::write(gateway.file("root.pem"), root).unwrap();
    let port = gateway.tls_address.unwrap().port();
    let mut command = Command::new("curl");
    command.args(["--silent", "--fail", "--noproxy", "*", "--max-time", "10"]);
    command.args(["--resolve", &format!("{NAME}:{port}:127.0.0.1")]);
    command.arg("--cacert").arg(gateway.file("root.pem"));
    let output = command.arg(format!("https://{NAME}:{port}/")).output().unwrap();
    output.status.success()
}

/// Waits for a line, longer than for others.
fn hears(program: &Program, count: usize, words: &str) {
    let deadline = Instant::now() + ORDER;
    while program.said().iter().filter(|line| line.contains(words)).count() < count {
        assert!(Instant::now() < deadline, "\"{words}\" is not said {count} times");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Starts it again with another time of day: a clock that jumps is not believed at once.
fn starts_later(gateway: &mut Gateway, off: &str) {
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.set_clock(off);
    gateway.start_again();
}

fn orders(numbers: &Numbers, result: &str) -> f64 {
    numbers.value("brama_certificate_orders_total", &[("result", result)])
}

#[test]
fn a_certificate_is_ordered_and_outlives_the_process_and_its_account() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl]) {
        return;
    }
    let redirect = free_address();
    let Some(pebble) = Pebble::start(&options(redirect)) else { return };
    let (_portal, url) = node("portal.js");
    let plan = plan(&url, redirect, &pebble.directory(), &pebble.authority());
    let mut gateway = plan.start();
    hears(&gateway.program, 1, "a certificate was issued");
    let root = pebble.root();
    assert!(opens(&gateway, &root));
    let first = presented(&gateway).unwrap();
    assert_eq!(orders(&gateway.numbers(), "issued"), 1.0);
    assert_eq!(gateway.numbers().value("brama_certificate_orders_well", &[]), 1.0);
    // Who asks as the authority does gets an answer that is no page, and everybody else goes to https.
    let ask = |target: &str| {
        let mut wire = Wire::connect(redirect);
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: {NAME}\r\n\r\n").as_bytes());
        wire.answer("GET")
    };
    let answer = ask("/.well-known/acme-challenge/abc-_123");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
    assert!(answer.text().starts_with("abc-_123."), "{}", answer.text());
    for target in ["/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/a.b"] {
        assert_eq!(ask(target).status, 308, "{target}");
    }
    // The keys are for the owner alone.
    for name in ["state/acme.json", "state/acme.pem"] {
        let mode = std::os::unix::fs::MetadataExt::mode(&fs::metadata(gateway.file(name)).unwrap());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }

    // It is killed, and has it at once when it starts again; it orders nothing.
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
    assert_eq!(presented(&gateway), Some(first.clone()));
    assert!(opens(&gateway, &root) && !opens(&gateway, "no root"));
    // A file that somebody took away is made anew of what is kept.
    gateway.program.signal("KILL");
    gateway.program.wait();
    fs::remove_file(gateway.file("state/acme.pem")).unwrap();
    gateway.start_again();
    hears(&gateway.program, 1, "new certificate is in use");
    assert_eq!(presented(&gateway), Some(first));
    assert_eq!(orders(&gateway.numbers(), "issued"), 0.0);
}

#[test]
fn a_certificate_is_renewed_before_it_ends() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl]) {
        return;
    }
    let redirect = free_address();
    let Some(pebble) = Pebble::start(&PebbleOptions { life: 30, ..options(redirect) }) else {
        return;
    };
    let (_portal, url) = node("portal.js");
    let plan = plan(&url, redirect, &pebble.directory(), &pebble.authority());
    let gateway = plan.start();
    hears(&gateway.program, 1, "a certificate was issued");
    let (first, root) = (presented(&gateway).unwrap(), pebble.root());
    let mut seen = vec![first];
    let end = Instant::now() + ORDER;
    // Whoever comes at whatever time gets one that is valid.
    while seen.len() < 3 {
        assert!(Instant::now() < end, "it is not renewed");
        assert!(opens(&gateway, &root));
        let now = presented(&gateway).unwrap();
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert!(orders(&gateway.numbers(), "issued") >= 3.0);
    assert_eq!(orders(&gateway.numbers(), "failed"), 0.0);
}

#[test]
fn a_certificate_is_replaced_when_its_authority_wants_it_even_one_that_forgot_us() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl, Tool::Faketime]) {
        return;
    }
    let redirect = free_address();
    let Some(mut pebble) = Pebble::start(&options(redirect)) else { return };
    let (_portal, url) = node("portal.js");
    let plan = plan(&url, redirect, &pebble.directory(), &pebble.authority());
    let mut gateway = plan.with_clock().start();
    hears(&gateway.program, 1, "a certificate was issued");
    // It is asked after six hours, and wanted it replaced yesterday.
    let first = presented(&gateway).unwrap();
    pebble.wants_replaced(&first, "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    starts_later(&mut gateway, "+7h");
    hears(&gateway.program, 1, "a certificate was issued");
    let second = presented(&gateway).unwrap();
    assert_ne!(first, second);
    // It knows of no account when the next one is due.
    pebble.forgets_everything();
    starts_later(&mut gateway, "+70d");
    hears(&gateway.program, 1, "does not know our account any more");
    hears(&gateway.program, 1, "a certificate was issued");
    assert!(opens(&gateway, &pebble.root()));
    hears(&gateway.program, 1, "there is an account at the authority");
}

#[test]
fn replicas_have_one_account_and_one_certificate_and_any_of_them_answers_the_authority() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl, Tool::Redis]) {
        return;
    }
    // The authority's questions come to the second replica alone.
    let asked = free_address();
    let Some(pebble) = Pebble::start(&options(asked)) else { return };
    let (redis, (_portal, url)) = (Redis::start(), node("portal.js"));
    let replica = |redirect| {
        let plan = plan(&url, redirect, &pebble.directory(), &pebble.authority());
        let store = format!(
            "[store]\nkind = \"redis\"\n{SECRET}\nredis = {{ addresses = [\"{}\"] }}",
            redis.address
        );
        plan.file("pairwise", &"s".repeat(64)).listen(&store).launch()
    };
    let first = replica(free_address());
    hears(&first.program, 1, "there is an account at the authority");
    let second = replica(asked);
    hears(&first.program, 1, "a certificate was issued");
    hears(&second.program, 1, "new certificate is in use");
    let root = pebble.root();
    assert!(opens(&first, &root) && opens(&second, &root));
    assert_eq!(presented(&first), presented(&second));
    // One that comes later has it from the others.
    let third = replica(free_address());
    hears(&third.program, 1, "new certificate is in use");
    assert_eq!(presented(&third), presented(&first));
    assert_eq!(orders(&first.numbers(), "issued"), 1.0);
    for other in [&second, &third] {
        assert_eq!(orders(&other.numbers(), "issued") + orders(&other.numbers(), "failed"), 0.0);
    }
    // The store loses it: it is put back, and nothing is ordered.
    redis.ask("FLUSHALL");
    let deadline = Instant::now() + ORDER;
    let is_put_back =
        |one: &Gateway| one.program.said().iter().any(|line| line.contains("the store lost it"));
    while ![&first, &second, &third].into_iter().any(is_put_back) {
        assert!(Instant::now() < deadline, "nobody puts it back");
        thread::sleep(Duration::from_millis(50));
    }
    let fourth = replica(free_address());
    hears(&fourth.program, 1, "new certificate is in use");
    assert_eq!(presented(&fourth), presented(&first));
    assert_eq!(orders(&fourth.numbers(), "issued") + orders(&first.numbers(), "issued"), 1.0);
    // What is in the store is sealed.
    let kept = redis.ask("KEYS *");
    let all: String = kept.lines().map(|key| redis.ask(&format!("HGETALL {key}"))).collect();
    assert!(!all.contains("PRIVATE KEY") && !all.contains("credentials"));
}

#[test]
fn without_the_authority_citizens_are_served_as_before_and_it_is_said_why() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl]) {
        return;
    }
    let redirect = free_address();
    let Some(pebble) = Pebble::start(&options(free_address())) else { return };
    let (_portal, url) = node("portal.js");
    let directory = pebble.directory();
    let nobody = format!("https://localhost:{}/dir", free_address().port());
    let (stranger, ours) = (Authority::new(), pebble.authority());
    let stranger = stranger.path("ca.pem");
    for (directory, authority, says) in [
        (&*nobody, &ours, "Connection refused"),
        (&directory, &stranger, "invalid peer certificate"),
        (&directory, &ours, "portal.example: the authority did not see that this name leads here"),
    ] {
        let gateway = plan(&url, redirect, directory, authority).start();
        hears(&gateway.program, 1, says);
        gateway.has_said(&["no certificate was issued, and it is tried again", says]);
        // A handshake ends with an alert, and not with a certificate that nobody vouches for.
        assert_eq!(presented(&gateway), None);
        assert_eq!(orders(&gateway.numbers(), "failed"), 1.0);
        assert_eq!(gateway.numbers().value("brama_certificate_orders_well", &[]), 0.0);
        // The rest goes on.
        let mut wire = Wire::connect(redirect);
        wire.send(format!("GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n").as_bytes());
        assert_eq!(wire.answer("GET").status, 308);
    }
}

#[test]
fn an_account_that_the_authority_knows_otherwise_is_named() {
    if !tools::has(&[Tool::Node, Tool::Curl, Tool::OpenSsl]) {
        return;
    }
    let redirect = free_address();
    let wanted = PebbleOptions { wants_account: true, ..options(redirect) };
    let Some(pebble) = Pebble::start(&wanted) else { return };
    let (_portal, url) = node("portal.js");
    let plan = || plan(&url, redirect, &pebble.directory(), &pebble.authority());
    let gateway = plan().start();
    hears(&gateway.program, 1, "externalAccountRequired");
    drop(gateway);
    let named = "external_account = \"kid-1\"\nexternal_account_key_file = \"account.key\"";
    let gateway = plan().listen(named).file("account.key", Pebble::KEY).start();
    hears(&gateway.program, 1, "a certificate was issued");
    assert!(opens(&gateway, &pebble.root()));
}
