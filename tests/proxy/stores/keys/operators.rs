//! `brama keys`: at replicas, and at a gateway that is alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::super::end_successor_by;
use super::{BEHIND, Site, identity, jwks, names, page, published, site, stateful, until};
use crate::harness::tools::{self, Tool};
use crate::harness::{Gateway, PATIENCE, Simulator, TOKEN, python, sign_in};

/// Runs `brama keys`; what it prints is JSON.
fn keys(gateway: &Gateway, words: &[&str]) -> Vec<Value> {
    let (done, said) = gateway.command("keys", words, "");
    assert!(done, "{said}");
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn standing<'k>(keys: &'k [Value], name: &str) -> Vec<&'k str> {
    let of_it = keys.iter().filter(|key| key["standing"] == name);
    of_it.map(|key| key["kid"].as_str().unwrap()).collect()
}

#[test]
fn operators_rotate_and_retire_keys_at_one_replica_and_it_is_done_at_both() {
    let Some(site) = site() else { return };
    let Site { one, two, .. } = &site;
    let (host, cookie) = (one.host(), sign_in(one, "anna"));
    let signing = |gateway: &Gateway| identity(gateway, &host, &cookie).0["kid"].clone();
    let before = keys(one, &["list"]);
    let (first, second) = (standing(&before, "current")[0], standing(&before, "next")[0]);
    assert_eq!((signing(one), signing(two)), (first.into(), first.into()));
    // 1. The next one signs, as soon as it has been published for some seconds.
    keys(one, &["rotate"]);
    until("publishing", BEHIND, || published(two) == published(one));
    until("signing", Duration::from_secs(10), || {
        standing(&keys(two, &["list"]), "current") == [second]
    });
    until("another next one", BEHIND, || {
        published(one).len() == 3 && published(two) == published(one)
    });
    assert_eq!(published(one)[0], first, "what it signed is good");
    assert_eq!(signing(one), first, "as the token that was minted is");
    // 2. The first one leaked.
    keys(two, &["retire", first]);
    until("the end of its tokens", BEHIND, || signing(one) == second && signing(two) == second);
    let gone = |gateway| !published(gateway).iter().any(|kid| kid == first);
    until("the end of the key", Duration::from_secs(5), || gone(one) && gone(two));
    // 3. The one that signs leaked too.
    let third = standing(&keys(one, &["list"]), "next")[0].to_owned();
    keys(one, &["retire", second]);
    until("another key", Duration::from_secs(8), || {
        signing(one) == third.as_str() && signing(two) == third.as_str()
    });
    until("the end of the key", Duration::from_secs(5), || {
        [one, two].iter().all(|gateway| !published(gateway).iter().any(|kid| kid == second))
    });
    assert_eq!(published(one), published(two));
    assert_eq!(names(&keys(one, &["export"])[0]), published(two));
    assert!(!jwks(one).to_string().contains("\"d\""));
    // 4. What makes no sense is refused and changes nothing.
    for (words, said) in [
        (&["retire", "nobody"][..], "404"),
        (&["rotate", "--algorithm", "RS256"], "no audience has identities"),
    ] {
        let (done, told) = one.command("keys", words, "");
        assert!(!done && told.contains(said), "{told}");
    }
    keys(one, &["retire", first]);
    assert_eq!(published(one).len(), 2);
}

#[test]
fn nobody_without_the_token_learns_of_keys_or_changes_them() {
    let Some(site) = site() else { return };
    let Site { one, .. } = &site;
    let before = published(one);
    for (method, path) in [
        ("GET", "/keys"),
        ("GET", "/keys/jwks"),
        ("POST", "/keys/rotate"),
        ("POST", "/keys/retire"),
        ("POST", "/keys/backup"),
        ("POST", "/keys/restore"),
    ] {
        for token in ["", "Authorization: Bearer wrong\r\n"] {
            let mut wire = one.operations();
            let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{token}");
            wire.send(format!("{head}Content-Length: 2\r\n\r\n{{}}").as_bytes());
            assert_eq!(wire.answer(method).status, 401, "{method} {path}");
            // Nor is it there for the public.
            let mut wire = one.connect();
            wire.send(format!("{head}Content-Length: 0\r\n\r\n").as_bytes());
            assert_eq!(wire.answer(method).status, 401, "a page that asks for a login");
        }
    }
    assert_eq!(published(one), before);
}

#[test]
fn the_secret_behind_sub_is_saved_and_comes_back_at_every_replica() {
    let Some(site) = site() else { return };
    let Site { one, two, .. } = &site;
    let host = one.host();
    let sub = |gateway: &Gateway, cookie: &str| identity(gateway, &host, cookie).1["sub"].clone();
    let before = sign_in(one, "anna");
    let first = sub(one, &before);
    let file = one.file("saved");
    let path = file.to_str().unwrap();
    let (done, said) = one.command("keys", &["backup", path], "");
    assert!(done, "{said}");
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (32, 0o600));
    let (done, said) = one.command("keys", &["backup", path], "");
    assert!(!done && said.contains("is there already"), "{said}");
    // Another one takes its place, at both.
    let other = one.file("another");
    brama::base::private::write(&other, &[7; 40]).unwrap();
    let (done, said) = one.command("keys", &["restore", other.to_str().unwrap()], "");
    assert!(!done && said.contains("--yes"), "{said}");
    let restore = |gateway: &Gateway, file: &str| {
        let (done, said) = gateway.command("keys", &["restore", file, "--yes"], "");
        assert!(done, "{said}");
    };
    restore(two, other.to_str().unwrap());
    two.has_said(&["operator replaced the secret of the pseudonyms"]);
    two.has_said(&["all sessions ended, since every sub is another one"]);
    // Whoever was signed in is not any more, at either.
    for gateway in [one, two] {
        until("the end of the session", BEHIND, || {
            !page(gateway, &host, "/account", &before).text().contains("x-brama-assertion")
        });
    }
    let cookie = sign_in(one, "anna");
    let second = sub(one, &cookie);
    assert_ne!(second, first);
    assert_eq!(sub(two, &cookie), second);
    // And the first one comes back.
    restore(one, path);
    let cookie = sign_in(one, "anna");
    assert_eq!((sub(one, &cookie), sub(two, &cookie)), (first.clone(), first));
    // What is too long for a request is said to be.
    let long = one.file("long");
    for (length, fits) in [(2048, true), (2049, false)] {
        brama::base::private::write(&long, &vec![7; length]).unwrap();
        let (done, said) = one.command("keys", &["restore", long.to_str().unwrap(), "--yes"], "");
        assert_eq!(done, fits, "{said}");
        assert!(fits || said.contains("has more than 2048 bytes"), "{said}");
    }
    // Too short is no secret.
    let short = one.file("short");
    brama::base::private::write(&short, &[7; 31]).unwrap();
    let (done, said) = one.command("keys", &["restore", short.to_str().unwrap(), "--yes"], "");
    assert!(!done && said.contains("fewer than 32 bytes"), "{said}");
}

/// Redis answers late, and the operator does not wait for that.
#[test]
fn what_was_begun_is_done_and_logged_although_the_operator_leaves() {
    let Some(site) = site() else { return };
    let Site { one, two, redis, .. } = &site;
    let leaked = standing(&keys(one, &["list"]), "current")[0].to_owned();
    redis.ask("CLIENT PAUSE 60000 WRITE");
    let mut wire = one.operations();
    let body = format!("{{\"kid\": \"{leaked}\"}}");
    wire.send(
        format!(
            "POST /keys/retire HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
    );
    // It has been heard of.
    until("the end of the key", PATIENCE, || {
        standing(&keys(one, &["list"]), "retired").contains(&leaked.as_str())
    });
    drop(wire);
    assert!(published(two).contains(&leaked), "it is under way still");
    redis.ask("CLIENT UNPAUSE");
    one.has_said(&["operator retired a key of identities", &leaked]);
    until("the end of the key", PATIENCE, || !published(two).contains(&leaked));
}

#[test]
fn a_gateway_that_is_alone_keeps_what_operators_did_in_its_folder() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    for store in ["kind = \"memory\"", "kind = \"file\"\nfile = { path = \"sessions.db\" }"] {
        let plan = stateful(&url, store, &state);
        let simulator = Simulator::start(plan.address());
        let mut gateway = plan.node(&simulator).start();
        let before = published(&gateway);
        let current = standing(&keys(&gateway, &["list"]), "current")[0].to_owned();
        keys(&gateway, &["rotate"]);
        keys(&gateway, &["retire", &current]);
        let gone = |gateway: &Gateway| !published(gateway).contains(&current);
        until("the end of the key", Duration::from_secs(5), || gone(&gateway));
        let after = published(&gateway);
        assert!(before.contains(&current) && after.len() >= 2);
        gateway.program.signal("KILL");
        gateway.program.wait();
        gateway.start_again();
        assert_eq!(published(&gateway), after);
        let (host, cookie) = (gateway.host(), sign_in(&gateway, "anna"));
        assert_ne!(identity(&gateway, &host, &cookie).0["kid"], current);
        let saved = folder.path().join(format!("saved-{}", store.len()));
        let (done, said) = gateway.command("keys", &["backup", saved.to_str().unwrap()], "");
        assert!(done, "{said}");
        assert_eq!(fs::read(saved).unwrap(), fs::read(state.join("pairwise-secret")).unwrap());
    }
}

/// The predecessor goes on for a while; and the successor is killed.
#[test]
fn what_operators_did_at_a_successor_holds_while_its_predecessor_drains_and_at_a_new_start() {
    if !tools::has(&[Tool::Python]) {
        return;
    }
    let (_portal, url) = python("recorder.py");
    let folder = TempDir::new().unwrap();
    let store = "kind = \"file\"\nfile = { path = \"sessions.db\" }";
    let plan = stateful(&url, store, &folder.path().join("state"));
    let mut gateway = plan.listen("drain_timeout = \"1h\"").start();
    let first = standing(&keys(&gateway, &["list"]), "current")[0].to_owned();
    // A connection that was accepted by the predecessor.
    let mut upload = gateway.connect();
    assert_eq!(upload.get("localhost", "/public").status, 200);
    upload.send(b"POST /public HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc");
    gateway.program.signal("USR2");
    gateway.program.wait_for(|line| line.contains("successor is ready").then_some(()));
    // 1. Operators reach the successor alone.
    until("the end of the key", PATIENCE, || {
        let (done, _) = gateway.command("keys", &["retire", &first], "");
        done && !published(&gateway).contains(&first)
    });
    let after = published(&gateway);
    // 2. It is killed, and started anew beside the one that still drains.
    end_successor_by(&gateway, "KILL");
    assert!(!gateway.program.has_ended(), "it drains");
    let mut before = gateway.start_beside();
    assert_eq!(published(&gateway), after);
    upload.send(b"defghi");
    assert_eq!(upload.answer("POST").status, 200);
    assert!(before.wait().success());
    // 3. And once more, from what the three of them left in the folder.
    gateway.program.signal("KILL");
    gateway.program.wait();
    gateway.start_again();
    assert_eq!(published(&gateway), after);
    assert!(standing(&keys(&gateway, &["list"]), "current")[0] != first);
}
