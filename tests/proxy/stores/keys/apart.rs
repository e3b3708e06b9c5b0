//! What replicas share is away, cannot be read, or comes back as it was before: what holds at the
//! replica that was asked, what is told on later, and what the operator sees of it.

use std::time::Duration;

use tempfile::TempDir;

use super::{BEHIND, Site, identity, page, plan, published, site, site_with, stateful, until};
use crate::harness::redis::Redis;
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Plan, python, sign_in};

/// How long a key is published that was retired.
const WITHDRAWN: Duration = Duration::from_secs(5);

/// What a gateway says of its readiness.
fn ready(gateway: &Gateway) -> String {
    let mut wire = gateway.operations();
    wire.send(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let answer = wire.answer("GET");
    assert_eq!(answer.status, 200);
    answer.text().trim().to_owned()
}

fn are_kept(gateway: &Gateway) -> bool {
    gateway.numbers().value("brama_identity_keys_kept", &[]) == 1.0
}

const APART: &str = "ready, but the keys of identities are not kept, see the log";

/// The key of the record in Redis.
fn record(redis: &Redis) -> String {
    let keys = redis.ask("KEYS *");
    // The marks of the secrets have a label.
    let is_it =
        |key: &&str| key.contains("{used:") && redis.ask(&format!("HSTRLEN {key} l")).trim() == "0";
    let mut found = keys.lines().filter(is_it);
    let record = found.next().unwrap().to_owned();
    assert_eq!(found.next(), None);
    record
}

/// Puts a copy of a record in its place.
fn copy(redis: &Redis, from: &str, to: &str) {
    assert_eq!(redis.ask(&format!("COPY {from} {to} REPLACE")).trim(), "1");
}

fn current(gateway: &Gateway) -> String {
    let (done, said) = gateway.command("keys", &["list"], "");
    assert!(done, "{said}");
    let keys = said.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let signing: Vec<_> = keys.filter(|key| key["standing"] == "current").collect();
    signing[0]["kid"].as_str().unwrap().to_owned()
}

fn done(gateway: &Gateway, words: &[&str]) {
    let (done, said) = gateway.command("keys", words, "");
    assert!(done, "{said}");
}

fn publishes(gateway: &Gateway, key: &str) -> bool {
    published(gateway).iter().any(|known| known == key)
}

fn restart(gateway: &mut Gateway) {
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
}

#[test]
fn a_key_that_leaked_is_retired_where_that_is_asked_although_the_store_is_away_and_then_everywhere()
{
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    // The first of them has a folder.
    let is_first = std::cell::Cell::new(true);
    let keep = |plan: Plan| {
        if is_first.replace(false) {
            return plan.portal(&format!("state_directory = {state:?}"));
        }
        plan
    };
    let Some(mut site) = site_with(keep) else { return };
    let Site { one, two, redis, .. } = &mut site;
    let (host, cookie) = (one.host(), sign_in(one, "anna"));
    let leaked = current(one);
    assert_eq!(identity(one, &host, &cookie).0["kid"], leaked.as_str());
    redis.kill();
    let (everywhere, said) = one.command("keys", &["retire", &leaked], "");
    assert!(!everywhere && said.contains("retired at the gateway that was asked"), "{said}");
    assert!(said.contains("\"standing\":\"retired\""), "{said}");
    one.has_said(&["operator retired a key of identities: here alone", &leaked]);
    // 1. It signs nothing here from then on, and is withdrawn.
    assert_ne!(identity(one, &host, &cookie).0["kid"], leaked.as_str());
    until("the end of the key", WITHDRAWN, || !publishes(one, &leaked));
    assert!(publishes(two, &leaked), "the other one does not know");
    assert!(!are_kept(one));
    // One that is not there is none, whatever is away.
    let (known, said) = one.command("keys", &["retire", "nobody"], "");
    assert!(!known && !said.contains("retired at the gateway"), "{said}");
    // 2. A restart brings nothing back.
    restart(one);
    assert!(!publishes(one, &leaked));
    // 3. The other one learns of it, and both go on alike.
    redis.start_again();
    until("the end of the key", PATIENCE, || !publishes(two, &leaked));
    until("agreeing", PATIENCE, || published(one) == published(two));
    assert!(!publishes(one, &leaked));
    until("keeping", PATIENCE, || are_kept(one) && are_kept(two));
    assert_eq!(ready(one), "ready");
}

#[test]
fn without_a_folder_too_it_is_told_on_when_the_store_is_back_as_it_was() {
    let Some(site) = site() else { return };
    let Site { one, two, redis, .. } = &site;
    let leaked = current(one);
    // It forgets nothing meanwhile, and answers nobody.
    redis.ask("CLIENT PAUSE 6000 ALL");
    let (everywhere, said) = one.command("keys", &["retire", &leaked], "");
    assert!(!everywhere && said.contains("retired at the gateway that was asked"), "{said}");
    until("the end of the key", PATIENCE, || !publishes(one, &leaked) && !publishes(two, &leaked));
    until("agreeing", PATIENCE, || published(one) == published(two));
    done(one, &["retire", &leaked]);
}

#[test]
fn a_record_that_nobody_can_read_is_told_of_and_taken_away_at_no_cost() {
    let Some(site) = site() else { return };
    let Site { one, two, redis, .. } = &site;
    let record = record(redis);
    assert_eq!((ready(one).as_str(), are_kept(one)), ("ready", true));
    let name = record.split_once('{').unwrap().1;
    // Bytes that open nowhere, fields that are none, and what is no record at all.
    for (damage, said) in [
        (format!("HSET {record} s garbage"), format!("delete the record {{{name} from Redis")),
        (format!("HDEL {record} e"), "store cannot be used".to_owned()),
        (format!("SET {record} garbage"), "WRONGTYPE".to_owned()),
    ] {
        let keys = published(one);
        redis.ask(&damage);
        for gateway in [one, two] {
            until("being told", PATIENCE, || !are_kept(gateway));
            assert_eq!(ready(gateway), APART, "{damage}");
            gateway.has_said(&["no change outlives this process", &said]);
            assert_eq!(published(gateway), keys, "it goes on");
        }
        // A key that leaks meanwhile is retired all the same.
        let leaked = current(one);
        let (everywhere, told) = one.command("keys", &["retire", &leaked], "");
        assert!(!everywhere && told.contains("retired at the gateway"), "{told}");
        let (rotated, told) = one.command("keys", &["rotate"], "");
        assert!(!rotated, "{told}");
        until("the end of the key", WITHDRAWN, || !publishes(one, &leaked));
        // The way out.
        assert_eq!(redis.ask(&format!("DEL {record}")).trim(), "1");
        until("keeping", PATIENCE, || are_kept(one) && are_kept(two));
        until("agreeing", PATIENCE, || published(one) == published(two));
        assert_eq!(ready(two), "ready");
        let after = published(one);
        assert!(keys.iter().all(|key| *key == leaked || after.contains(key)), "nothing is lost");
        until("the end of the key", WITHDRAWN, || !publishes(two, &leaked));
    }
}

#[test]
fn a_record_from_before_a_retirement_brings_the_key_back_to_nobody() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (redis, folder) = (Redis::start(), TempDir::new().unwrap());
    let mut one = stateful(&url, &redis.store(), &folder.path().join("one")).start();
    let mut two = stateful(&url, &redis.store(), &folder.path().join("two")).start();
    let record = record(&redis);
    copy(&redis, &record, "before");
    let first = current(&one);
    done(&one, &["retire", &first]);
    until("the end of the key", PATIENCE, || !publishes(&one, &first) && !publishes(&two, &first));
    let keys = published(&one);
    // 1. While they run.
    copy(&redis, "before", &record);
    let says = |gateway: &Gateway| {
        gateway.program.said().iter().any(|line| line.contains("are older than those known here"))
    };
    until("being told", PATIENCE, || says(&one) || says(&two));
    until("agreeing", PATIENCE, || published(&one) == published(&two));
    assert_eq!(published(&one), keys);
    // 2. While none of them does: their folders know better.
    for gateway in [&mut one, &mut two] {
        gateway.program.signal("KILL");
        gateway.program.wait();
    }
    copy(&redis, "before", &record);
    one.start_again();
    assert_eq!(published(&one), keys);
    two.start_again();
    assert_eq!(published(&two), keys);
    // 3. A replica without a folder has what they put back.
    assert_eq!(published(&plan(&url, &redis.store()).start()), keys);
}

/// Each side of a store that had split changed the record.
#[test]
fn records_that_were_changed_apart_cost_no_key_that_signed() {
    if !tools::has(&[Tool::Python, Tool::Redis]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let (redis, folder) = (Redis::start(), TempDir::new().unwrap());
    let mut one = stateful(&url, &redis.store(), &folder.path().join("one")).start();
    let mut two = stateful(&url, &redis.store(), &folder.path().join("two")).start();
    let (record, keys) = (record(&redis), published(&one));
    copy(&redis, &record, "before");
    two.program.signal("KILL");
    two.program.wait();
    // 1. What one does, the other does not learn of: a key more, and one that leaked.
    done(&one, &["rotate"]);
    done(&one, &["retire", &keys[0]]);
    until("the end of the key", WITHDRAWN, || !publishes(&one, &keys[0]));
    let at_one = published(&one);
    copy(&redis, &record, "of-one");
    one.program.signal("KILL");
    one.program.wait();
    // 2. And the other way round.
    copy(&redis, "before", &record);
    two.start_again();
    for _ in 0..2 {
        done(&two, &["rotate"]);
    }
    let at_two = published(&two);
    assert!(at_two.iter().any(|key| !at_one.contains(key)));
    // 3. The store comes together again.
    copy(&redis, "of-one", &record);
    until("all keys", PATIENCE, || at_one.iter().all(|key| publishes(&two, key)));
    until("the end of the key", WITHDRAWN, || !publishes(&two, &keys[0]));
    let both = published(&two);
    assert!(at_two.iter().all(|key| *key == keys[0] || both.contains(key)), "{at_two:?} {both:?}");
    one.start_again();
    until("agreeing", PATIENCE, || published(&one) == published(&two));
    assert!(both.iter().all(|key| publishes(&one, key)));
}

#[test]
fn nobody_is_told_a_sub_before_the_secret_that_replicas_share_is_known() {
    let Some(mut site) = site() else { return };
    let Site { one, two, redis, .. } = &mut site;
    let (host, cookie) = (one.host(), sign_in(one, "anna"));
    let (_, claims) = identity(two, &host, &cookie);
    let record = record(redis);
    two.program.signal("KILL");
    two.program.wait();
    // It starts without the store, and finds nothing that it can read when that is back.
    redis.ask(&format!("HSET {record} s garbage"));
    redis.ask("CLIENT PAUSE 8000 ALL");
    two.start_again();
    until("the store", PATIENCE, || ready(two) == APART);
    for _ in 0..3 {
        let answer = page(two, &host, "/account", &cookie);
        assert_eq!(answer.status, 503, "{}", answer.text());
    }
    assert_eq!(two.connect().get(&host, "/public").status, 200, "nobody's needs no sub");
    redis.ask(&format!("DEL {record}"));
    until("the secret", PATIENCE, || are_kept(two));
    assert_eq!(identity(two, &host, &cookie).1["sub"], claims["sub"], "the session goes on");
}

#[test]
fn a_replica_whose_own_secret_behind_sub_is_not_shared_any_more_says_so_until_it_is() {
    let Some(site) = site() else { return };
    let Site { one, redis, .. } = &site;
    let saved = one.file("saved");
    done(one, &["backup", saved.to_str().unwrap()]);
    let three = plan("http://127.0.0.1:9", &redis.store());
    brama::base::private::write(&three.path("own"), &std::fs::read(&saved).unwrap()).unwrap();
    let three = three.environment("BRAMA__IDENTITY__PAIRWISE_SECRET_FILE", "own").start();
    assert_eq!((ready(&three).as_str(), are_kept(&three)), ("ready", true));
    let other = one.file("other");
    brama::base::private::write(&other, &[7; 40]).unwrap();
    done(one, &["restore", other.to_str().unwrap(), "--yes"]);
    until("being told", BEHIND, || ready(&three) == APART && !are_kept(&three));
    three.has_said(&["pairwise_secret_file is not the secret that replicas share"]);
    assert!(are_kept(one));
    done(one, &["restore", saved.to_str().unwrap(), "--yes"]);
    until("agreeing", BEHIND, || ready(&three) == "ready" && are_kept(&three));
}

/// A replica with other secrets of the store, which began while that was away, leaves the record
/// alone: those who share it could not read it any more.
#[test]
fn a_replica_with_other_secrets_and_a_folder_replaces_nothing_that_others_share() {
    if !tools::has(&[Tool::Redis]) {
        return;
    }
    let (redis, folder) = (Redis::start(), TempDir::new().unwrap());
    let state = format!("state_directory = {:?}", folder.path().join("state"));
    let other = || super::sealed_with(redis.address, &["other"]).portal(&state);
    // It has keys and a secret of its own.
    drop(stateful("http://127.0.0.1:9", "kind = \"memory\"", &folder.path().join("state")).start());
    let one = super::sealed_with(redis.address, &["old"]).start();
    let keys = published(&one);
    assert!(other().refused().contains("another secret for the session store"));
    redis.ask("CLIENT PAUSE 8000 ALL");
    let two = other().start();
    until("being told", PATIENCE, || ready(&two) == APART);
    two.has_said(&["keys of identities that replicas share do not open here"]);
    done(&one, &["rotate"]);
    assert!(are_kept(&one) && !are_kept(&two));
    assert!(keys.iter().all(|key| publishes(&one, key)));
}

#[test]
fn two_processes_do_not_write_into_one_state_folder() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let start = || stateful("http://127.0.0.1:9", "kind = \"memory\"", &state);
    let one = start().start();
    let keys = published(&one);
    let said = start().refused();
    assert!(said.contains("another process has this state folder"), "{said}");
    drop(one);
    assert_eq!(published(&start().start()), keys);
}
