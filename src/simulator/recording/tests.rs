use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::identity::assurance::Assurance;
use crate::simulator::faults::Fault;
use crate::simulator::people::{NodeStatus, PEOPLE, Way};

fn around() -> Around<'static> {
    Around {
        time: "2031-03-04T10:20:30Z".parse().unwrap(),
        service: "portal",
        acs: "https://portal.example/acs",
        answer: b"<a>\n\xff</a>",
        assertion: Some("<b/>"),
    }
}

fn record(ended: Ended) -> Record {
    let faults = vec![Fault::Slow, Fault::Audience];
    Record { ended, way: Way::MObywatel, assurance: Assurance::High, faults }
}

#[test]
fn what_is_recorded_is_played_back_in_order_and_is_for_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("records");
    let recorder = Recorder::open(path.clone()).unwrap();
    let people = PEOPLE.iter().map(|person| Ended::Person(Box::new(person.clone())));
    let statuses = NodeStatus::ALL.into_iter().map(Ended::Failed);
    let records: Vec<_> = people.chain(statuses).map(record).collect();
    for record in &records {
        recorder.write(record, around());
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&path.join("login-000001.json"))), (0o700, 0o600));
    fs::write(path.join("notes.txt"), "of somebody").unwrap();
    let replay = Replay::open(&path).unwrap();
    assert_eq!(replay.left(), records.len());
    for record in &records {
        let mut record = record.clone();
        if let Ended::Person(person) = &mut record.ended {
            // A record has one note.
            person.note[0] = person.note[1].clone();
        }
        assert_eq!(replay.next(), Some(record));
    }
    assert_eq!(replay.next(), None);
}

#[test]
fn the_oldest_goes_and_numbers_go_on_where_they_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for number in 5..5 + RECORDS as u64 {
        fs::write(path.join(name(number)), "").unwrap();
    }
    let recorder = Recorder::open(path.to_owned()).unwrap();
    recorder.write(&record(Ended::Failed(NodeStatus::AuthnFailed)), around());
    let found = files(path).unwrap();
    assert_eq!((found.len(), found[0].0), (RECORDS, 6));
    assert_eq!(found.last().unwrap().0, 5 + RECORDS as u64);
}

#[test]
fn a_record_that_is_wrong_is_named_with_line_key_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let said = || Replay::open(folder.path()).unwrap_err().to_string();
    assert!(said().contains("has 0 recorded logins; name a folder with 1 to"), "{}", said());
    let whole = record(Ended::Person(Box::new(PEOPLE[0].clone()))).write(around());
    for (from, to, expected) in [
        ("\"audience\"", "\"audiences\"", "faults[1]: is no fault: \"audiences\""),
        ("\"mobywatel\"", "\"pz\"", "way: is not known: \"pz\"; write one of"),
        ("\"Anna\"", "7", ".json:7: person.given_name: is no text"),
        ("\"person\"", "\"persons\"", "persons: is not known; there are"),
        ("\"way\"", "\"status\": \"Requester\", \"way\"", "neither a person nor a status, or both"),
    ] {
        assert!(whole.contains(from), "{whole}");
        fs::write(folder.path().join(name(7)), whole.replacen(from, to, 1)).unwrap();
        assert!(said().contains(expected), "{}\n{expected}", said());
        assert!(said().contains("login-000007.json"), "{}", said());
    }
    assert!(Replay::open(&folder.path().join("none")).is_err());
}
