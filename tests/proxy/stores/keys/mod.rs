//! The keys that sign identities and the secret behind `sub`, as replicas share them over Redis, and
//! what operators do with them.

mod apart;
mod operators;
mod under_load;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use brama::base::encoding::from_base64url;
use serde_json::Value;
use tempfile::TempDir;

use super::page;
use crate::harness::redis::{Redis, SECRET, redis_at};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Plan, Program, Simulator, python, sign_in};

/// How far behind a replica may be with what it publishes.
const BEHIND: Duration = Duration::from_secs(2);

/// A portal with a required and a public part, whose replicas share what they make.
fn plan(portal: &str, store: &str) -> Plan {
    Plan::empty()
        .upstream("portal", portal)
        .route("/", "portal", "required")
        .route("/public", "portal", "public")
        .with(&format!("\n[store]\n{store}"))
        .log("level = \"info\"\naccess = \"off\"")
        .operated()
        .file("pairwise", "0123456789abcdef0123456789abcdef")
}

/// Two replicas that share a store, and a portal that tells what it was sent.
struct Site {
    one: Gateway,
    two: Gateway,
    redis: Redis,
    _portal: Program,
    _simulator: Simulator,
}

fn site() -> Option<Site> {
    site_with(|plan| plan)
}

fn site_with(more: impl Fn(Plan) -> Plan) -> Option<Site> {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return None;
    }
    let (portal, url) = python("recorder.py");
    let redis = Redis::start();
    let first = more(plan(&url, &redis.store()));
    let simulator = Simulator::start(first.address());
    let origin = format!("http://localhost:{}", first.address().port());
    let one = first.node(&simulator).start();
    let second = more(plan(&url, &redis.store()));
    let two = second.public_url(&origin).node(&simulator).start();
    Some(Site { one, two, redis, _portal: portal, _simulator: simulator })
}

/// What a gateway publishes.
fn jwks(gateway: &Gateway) -> Value {
    let answer = gateway.connect().get("localhost", "/.brama/jwks.json");
    assert_eq!(answer.status, 200);
    answer.json()
}

/// The names of the keys that a gateway publishes.
fn published(gateway: &Gateway) -> Vec<String> {
    names(&jwks(gateway))
}

fn names(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// What a portal is told of a citizen: the header of the token and its claims.
fn identity(gateway: &Gateway, host: &str, cookie: &str) -> (Value, Value) {
    let answer = page(gateway, host, "/account", cookie);
    assert_eq!(answer.status, 200, "{}", answer.text());
    read(&token(&answer.json()))
}

/// The token in what the recorder answers.
fn token(seen: &Value) -> String {
    let headers = seen["headers"].as_array().unwrap();
    let header = headers.iter().find(|header| header[0] == "x-brama-assertion").unwrap();
    header[1].as_str().unwrap().to_owned()
}

fn read(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        serde_json::from_slice(&from_base64url(part).unwrap_or_default()).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// Waits until a condition holds; says how long that took.
fn until(what: &str, within: Duration, holds: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < within, "{what} takes more than {within:?}");
        sleep(Duration::from_millis(20));
    }
    began.elapsed()
}

#[test]
fn replicas_publish_the_same_keys_and_tell_the_same_sub_of_a_citizen() {
    let Some(mut site) = site() else { return };
    let Site { one, two, redis, .. } = &mut site;
    let host = one.host();
    let keys = published(one);
    assert_eq!(published(two), keys);
    let cookie = sign_in(one, "anna");
    let (header, claims) = identity(one, &host, &cookie);
    let same = |gateway: &Gateway, cookie: &str| {
        let (other, told) = identity(gateway, &host, cookie);
        assert_eq!(other["kid"], header["kid"]);
        assert_eq!(told["sub"], claims["sub"]);
    };
    same(two, &cookie);
    // Neither has them anywhere else: a restart of both changes nothing.
    for gateway in [&mut *one, &mut *two] {
        gateway.program.signal("KILL");
        gateway.program.wait();
        gateway.start_again();
    }
    assert_eq!(published(one), keys);
    assert_eq!(published(two), keys);
    same(one, &cookie);
    // Another citizen has another one; the same citizen, signed in again, has not.
    let other = sign_in(one, "lukasz");
    assert_ne!(identity(two, &host, &other).1["sub"], claims["sub"]);
    same(two, &sign_in(one, "anna"));
    // Nobody who reads the store reads them.
    let dump = redis.ask("KEYS *");
    let records: Vec<_> = dump.lines().filter(|key| key.contains("{used:")).collect();
    assert!(!records.is_empty());
    for record in records {
        let text = redis.ask(&format!("HGETALL {record}"));
        assert!(!text.contains("pkcs8") && !text.contains("pairwise"), "{text}");
    }
}

#[test]
fn a_store_that_loses_its_records_or_is_away_costs_no_key_and_no_sub() {
    let Some(mut site) = site() else { return };
    let Site { one, two, redis, .. } = &mut site;
    let host = one.host();
    let (keys, cookie) = (published(one), sign_in(one, "anna"));
    let (_, claims) = identity(one, &host, &cookie);
    redis.kill();
    assert_eq!(published(two), keys);
    // What was found goes on without the store.
    assert_eq!(identity(one, &host, &cookie).1["sub"], claims["sub"]);
    let (done, said) = one.command("keys", &["rotate"], "");
    assert!(!done && said.contains("503"), "{said}");
    assert_eq!(published(one), keys, "nothing changes for one alone");
    redis.start_again();
    one.has_said(&["the store lost the keys of identities: they are put back"]);
    two.program.signal("TERM");
    two.program.wait();
    two.start_again();
    assert_eq!(published(two), keys);
    let again = sign_in(one, "anna");
    assert_eq!(identity(two, &host, &again).1["sub"], claims["sub"]);
}

/// What a reload asks for while nothing can be kept is made when it can.
#[test]
fn an_algorithm_that_is_asked_for_while_the_store_is_away_has_its_key_when_it_is_back() {
    let Some(site) = site() else { return };
    let Site { one, two, redis, .. } = &site;
    let (host, cookie) = (one.host(), sign_in(one, "anna"));
    assert_eq!(identity(one, &host, &cookie).0["alg"], "ES256");
    // It forgets nothing meanwhile, and answers nobody.
    redis.ask("CLIENT PAUSE 8000 ALL");
    one.edit_configuration(
        "path = \"/\"",
        "path = \"/\"\naudience = \"other\"\ntoken_algorithm = \"EdDSA\"",
    );
    let (_, said) = one.reload();
    let answer = page(one, &host, "/account", &cookie);
    assert_eq!(answer.status, 503, "there is no key to sign with: {said}");
    let has_key = |gateway: &Gateway| {
        jwks(gateway)["keys"].as_array().unwrap().iter().any(|key| key["alg"] == "EdDSA")
    };
    until("a key", PATIENCE, || has_key(one));
    assert_eq!(identity(one, &host, &cookie).0["alg"], "EdDSA");
    until("agreeing", PATIENCE, || published(one) == published(two));
}

#[test]
fn without_the_store_and_without_a_copy_a_replica_begins_and_signs_nothing_until_it_is_there() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let mut redis = Redis::start();
    let one = plan(&url, &redis.store()).start();
    let keys = published(&one);
    redis.kill();
    let two = plan(&url, &redis.store()).start();
    let answer = two.connect().get("localhost", "/.brama/jwks.json");
    assert_eq!((answer.status, answer.header("cache-control")), (503, Some("no-store")));
    redis.start_again();
    // The first puts back what it knows, and the second made none of its own before.
    until("publishing", PATIENCE, || {
        two.connect().get("localhost", "/.brama/jwks.json").status == 200
    });
    until("agreeing", PATIENCE, || published(&one) == published(&two));
    assert_eq!(published(&one), keys);
}

/// A replica that keeps a copy in a folder.
fn stateful(url: &str, store: &str, folder: &Path) -> Plan {
    plan(url, store).portal(&format!("state_directory = {folder:?}"))
}

#[test]
fn what_a_gateway_had_in_its_folder_is_what_replicas_share() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    // 1. It was alone, with a store of its own.
    let first = stateful(&url, "kind = \"memory\"", &state);
    let simulator = Simulator::start(first.address());
    let alone = first.node(&simulator).start();
    let (keys, host) = (published(&alone), alone.host());
    let (_, claims) = identity(&alone, &host, &sign_in(&alone, "anna"));
    let origin = format!("http://{host}");
    drop(alone);
    // 2. It shares one from now on.
    let redis = Redis::start();
    let start = |plan: Plan| plan.public_url(&origin).node(&simulator).start();
    let one = start(stateful(&url, &redis.store(), &state));
    one.has_said(&["keys of identities are taken from the state folder for all replicas"]);
    let two = start(plan(&url, &redis.store()));
    assert_eq!(published(&one), keys);
    assert_eq!(published(&two), keys);
    // 3. A replica with others in its folder takes the shared ones, and keeps its secret aside.
    let other = folder.path().join("other");
    let lone = stateful(&url, "kind = \"memory\"", &other).start();
    assert_ne!(published(&lone), keys);
    drop(lone);
    let before = fs::read(other.join("pairwise-secret")).unwrap();
    let three = start(stateful(&url, &redis.store(), &other));
    assert_eq!(published(&three), keys);
    let shared = fs::read(state.join("pairwise-secret")).unwrap();
    assert_eq!(fs::read(other.join("pairwise-secret")).unwrap(), shared);
    assert_eq!(fs::read(other.join("pairwise-secret.before")).unwrap(), before);
    for gateway in [&one, &two, &three] {
        let mut citizen = crate::harness::Citizen::at(&origin);
        citizen.goes_to(gateway.address);
        let cookie = citizen.sign_in("anna");
        assert_eq!(identity(gateway, &host, &cookie).1["sub"], claims["sub"]);
    }
}

#[test]
fn a_replica_with_another_secret_of_its_own_does_not_start() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    let replica = |secret: Option<&str>| {
        let plan = plan("http://127.0.0.1:9", &redis.store());
        match secret {
            None => plan,
            Some(text) => plan
                .file("of-its-own", text)
                .environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "of-its-own"),
        }
    };
    let same = "the secret behind every sub, of 32 bytes";
    let _one = replica(Some(same)).start();
    let said = replica(Some("another secret behind every sub here")).refused();
    assert!(said.contains("pairwise_secret_file is not the secret that replicas share"), "{said}");
    replica(Some(same)).start();
    replica(None).start();
}

#[test]
fn what_seals_the_keys_rotates_and_whoever_cannot_open_them_does_not_start() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let redis = Redis::start();
    let replica = |secrets: &[&str]| sealed_with(redis.address, secrets);
    let keys = published(&replica(&["old"]).start());
    for secrets in [&["old", "new"][..], &["new", "old"], &["new"]] {
        assert_eq!(published(&replica(secrets).start()), keys, "{secrets:?}");
    }
    // What marks the secrets of replicas is gone; what they sealed is not.
    let marks = redis.ask("KEYS *");
    for key in marks.lines().filter(|key| key.contains("{used:")) {
        if redis.ask(&format!("HSTRLEN {key} l")).trim() != "0" {
            redis.ask(&format!("DEL {key}"));
        }
    }
    let said = replica(&["other"]).refused();
    assert!(said.contains("keys of identities that replicas share do not open here"), "{said}");
    // It does when every sub stays as it is: then the keys are other ones.
    let other = replica(&["other"]);
    let other = other.environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "pairwise").start();
    assert!(published(&other).iter().all(|key| !keys.contains(key)));
}

fn sealed_with(redis: SocketAddr, secrets: &[&str]) -> Plan {
    let store = redis_at(redis).replace(SECRET, &format!("secret_files = {secrets:?}"));
    let plan = plan("http://127.0.0.1:9", &store);
    secrets.iter().fold(plan, |plan, name| plan.file(name, &name.repeat(32)))
}
