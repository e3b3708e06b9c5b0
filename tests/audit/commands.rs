//! `brama audit` as an operator types it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use brama::simulator::faults::Fault;
use brama::simulator::people::PEOPLE;
use serde_json::Value;

use super::*;
use crate::harness::world;

fn brama(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brama"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

/// A log in which a citizen signed in, and the place of what is beside it.
async fn log() -> Kept {
    let kept = Kept::new();
    let mut world = world().with(&kept.lines("")).start().await;
    world.browser().sign_in("/tax", "anna").await;
    world.browser().sign_in("/tax", "zofia").await;
    world.tell_to_stop();
    world.stopped().await;
    kept
}

#[tokio::test]
async fn verify_says_what_is_wrong_and_where_and_what_it_could_not_read() {
    let kept = log().await;
    let folder = kept.folder.path().join("log");
    let folder = folder.to_str().unwrap();
    let good = brama(&["audit", "verify", folder], "");
    assert_eq!(good.status.code(), Some(0), "{}", said(&good));
    assert!(said(&good).contains(" in 1 file: nothing is wrong"), "{}", said(&good));
    assert!(said(&good).contains("give --key"));
    let text = said(&good);
    let checkpoint = text.lines().find_map(|line| line.strip_prefix("checkpoint ")).unwrap();
    let records = kept.records();
    let key = records[0]["public_key"].as_str().unwrap();
    let pinned = ["audit", "verify", "--key", key, "--expect-checkpoint", checkpoint, folder];
    let pinned = brama(&pinned, "");
    assert_eq!(pinned.status.code(), Some(0), "{}", said(&pinned));
    assert!(said(&pinned).contains("signed with a known key"));

    let json = brama(&["audit", "verify", "--json", folder], "");
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["chains"][0]["checkpoint"], checkpoint);

    let text = fs::read_to_string(kept.file()).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    let changed = lines[1].replace("\"instance\":\"", "\"instance\":\"x");
    lines[1] = &changed;
    fs::write(kept.file(), lines.join("\n") + "\n").unwrap();
    let wrong = brama(&["audit", "verify", folder], "");
    assert_eq!(wrong.status.code(), Some(1), "{}", said(&wrong));
    assert!(said(&wrong).contains("WRONG (changed): ") && said(&wrong).contains("audit.log:2: "));
    // Nobody is to keep the end of a forger's chain.
    assert!(!said(&wrong).contains("checkpoint "), "{}", said(&wrong));
    assert!(said(&wrong).contains("no checkpoint: "), "{}", said(&wrong));
    let json = brama(&["audit", "verify", "--json", folder], "");
    assert_eq!(json.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(report["chains"][0]["checkpoint"].is_null(), "{report}");
    assert_eq!(
        (&report["findings"][0]["fault"], &report["findings"][0]["line"]),
        (&"changed".into(), &2.into())
    );

    lines.pop();
    fs::write(kept.file(), lines.join("\n") + "\n").unwrap();
    let cut = brama(&["audit", "verify", "--expect-checkpoint", checkpoint, folder], "");
    assert!(said(&cut).contains("WRONG (truncated)"), "{}", said(&cut));
    for unread in
        [&["audit", "verify", "/nowhere/audit.log"][..], &["audit", "verify", "--key", "x", folder]]
    {
        assert_eq!(brama(unread, "").status.code(), Some(2));
    }
}

/// What `brama audit verify --config` says, and with which status.
fn configured(folder: &Path) -> (Option<i32>, String) {
    let config = folder.join("brama.toml");
    let output = brama(&["audit", "verify", "--config", config.to_str().unwrap()], "");
    (output.status.code(), said(&output))
}

#[test]
fn verify_misses_what_the_gateway_noted_and_what_nobody_signed() {
    let folder = killed::folder();
    let (folder, log) = (folder.path(), folder.path().join("log/audit.log"));
    for _ in 0..2 {
        killed::start_and_end(folder);
    }
    let good = configured(folder);
    assert!(good.0 == Some(0) && good.1.contains("nothing is wrong"), "{good:?}");

    // What was noted is gone, and with it the end of the log.
    let (head, whole) = (folder.join("state/audit-head"), fs::read_to_string(&log).unwrap());
    let aside = folder.join("audit-head");
    fs::rename(&head, &aside).unwrap();
    fs::write(&log, whole.split_inclusive('\n').take(2).collect::<String>()).unwrap();
    let without = configured(folder);
    assert!(without.0 == Some(1) && without.1.contains("WRONG (truncated): "), "{without:?}");
    assert!(without.1.contains("audit-head: "), "{without:?}");

    // One record that goes on behind what was noted, and has no signature.
    fs::rename(&aside, &head).unwrap();
    fs::write(&log, &whole).unwrap();
    assert_eq!(configured(folder).0, Some(0));
    let last: Value = serde_json::from_str(whole.lines().last().unwrap()).unwrap();
    let (chain, number) = (last["chain"].as_str().unwrap(), last["sequence"].as_u64().unwrap() + 1);
    let invented = format!(
        "{{\"version\":1,\"chain\":\"{chain}\",\"sequence\":{number},\"previous\":\"{}\",\
         \"time\":\"2031-05-04T23:00:00.000000Z\",\"kind\":\"signed_in\"}}\n",
        "A".repeat(43)
    );
    fs::write(&log, invented).unwrap();
    let replaced = configured(folder);
    assert!(replaced.0 == Some(1) && replaced.1.contains("WRONG (signature): "), "{replaced:?}");
    assert!(replaced.1.contains("WRONG (changed): "), "{replaced:?}");

    // The file is gone at a start.
    fs::remove_file(&log).unwrap();
    killed::start_and_end(folder);
    let gone = configured(folder);
    assert!(gone.0 == Some(1) && gone.1.contains("WRONG (removed): "), "{gone:?}");
}

#[tokio::test]
async fn find_reads_the_identifier_where_nobody_sees_it_and_refuses_it_elsewhere() {
    let kept = log().await;
    let anna = PEOPLE.iter().find(|person| person.key == "anna").unwrap();
    let (file, key) = (kept.file(), kept.folder.path().join("person.key"));
    let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
    let find = |identifier: &str| {
        let arguments = ["audit", "find", "--person-key-file", key, "--identifier-file", "-", file];
        brama(&arguments, identifier)
    };
    let found = find(&format!("{}\n", anna.identifier));
    assert_eq!(found.status.code(), Some(0), "{}", said(&found));
    let lines: Vec<_> = std::str::from_utf8(&found.stdout).unwrap().lines().collect();
    assert!(lines.len() == 1 && lines[0].contains("\"kind\":\"signed_in\""), "{lines:?}");
    assert!(!said(&found).contains(&*anna.identifier));
    assert_eq!(find("44051401358").status.code(), Some(1));
    assert_eq!(find("").status.code(), Some(2));
    let record: Value = serde_json::from_str(lines[0]).unwrap();
    let by_sid = brama(&["audit", "find", "--session", record["sid"].as_str().unwrap(), file], "");
    assert_eq!(by_sid.status.code(), Some(0), "{}", said(&by_sid));

    let identifier: &str = &anna.identifier;
    for named in [
        &["audit", "find", "--identifier", identifier, file][..],
        &["audit", "find", "--pesel", identifier, file],
        &["audit", "find", "--identifier-file", identifier, file],
        &["audit", "find", "--session", identifier, file],
        &["audit", "find", "--number", identifier, file],
        &["audit", "find", "--from", identifier, file],
        &["audit", "find", identifier],
    ] {
        let refused = brama(named, "");
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(!said(&refused).contains(identifier), "it is repeated: {}", said(&refused));
    }
}

#[tokio::test]
async fn find_takes_the_number_of_a_page_as_people_write_it_and_a_date_without_a_time() {
    let kept = Kept::new();
    let mut world = world().with(&kept.lines("")).start().await;
    world.next_fault(Fault::Audience);
    world.browser().sign_in("/tax", "zofia").await;
    world.tell_to_stop();
    world.stopped().await;
    let records = kept.records();
    let refused = records.iter().find(|record| record["kind"] == "login_refused").unwrap();
    let number = refused["name"].as_str().unwrap();
    let today = refused["time"].as_str().unwrap()[..10].to_owned();
    let file = kept.file();
    let find = |arguments: &[&str]| {
        let all = [&["audit", "find"], arguments, &[file.to_str().unwrap()]].concat();
        brama(&all, "")
    };
    let (small, apart) = (number.to_lowercase(), format!("{} {}", &number[..4], &number[4..]));
    for written in [number, &small, &apart] {
        let found = find(&["--number", written]);
        assert_eq!(found.status.code(), Some(0), "{written}: {}", said(&found));
        assert!(said(&found).contains("login.wrong_audience"), "{}", said(&found));
    }
    let other = if number == "22222222" { "33333333" } else { "22222222" };
    assert_eq!(find(&["--number", other]).status.code(), Some(1));
    assert_eq!(find(&["--number", "x"]).status.code(), Some(2));
    for (limit, status) in [
        (["--from", &today], 0),
        (["--to", &today], 1),
        (["--from", "2101-01-01"], 1),
        (["--to", "2101-01-01T12:00:00Z"], 0),
        (["--from", "2031-13-01"], 2),
        (["--from", "2031-05"], 2),
        (["--to", "yesterday"], 2),
    ] {
        let found = find(&limit);
        assert_eq!(found.status.code(), Some(status), "{limit:?}: {}", said(&found));
    }
}

#[tokio::test]
async fn every_record_is_one_of_the_published_schema() {
    let kept = log().await;
    let schema = brama(&["reference", "--audit-schema"], "");
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let kinds = schema.to_string();
    for record in kept.records() {
        let members = record.as_object().unwrap();
        for required in schema["required"].as_array().unwrap() {
            assert!(members.contains_key(required.as_str().unwrap()), "{required}: {record}");
        }
        for (name, value) in members {
            let wanted = &schema["properties"][name];
            assert!(wanted.is_object(), "{name} is not in the schema");
            let kind = wanted["type"].as_str();
            let fits = match kind {
                Some("string") => value.is_string(),
                Some("integer") => value.is_u64(),
                None => kinds.contains(&value.to_string()),
                other => panic!("{name}: {other:?}"),
            };
            assert!(fits, "{name}: {value}");
            if let Some(pattern) = wanted["pattern"].as_str() {
                let length = pattern.split(['{', '}']).nth(1).unwrap().parse::<usize>().unwrap();
                assert_eq!(value.as_str().unwrap().len(), length, "{name}: {value}");
            }
        }
    }
}
