//! Finding records by owner and page by page.

use std::collections::BTreeSet;

use super::servers::Program;
use super::*;

const OWNER: Digest = [5; 32];

fn owned_record(now: Time, seconds: u64) -> Record {
    Record { owner: Some(OWNER), ..contract::record(b"x", now, seconds) }
}

async fn count(store: &Redis, now: Time) -> usize {
    store.owned(Kind::Session, OWNER, 100, now).await.unwrap().len()
}

#[tokio::test]
async fn a_note_without_its_record_finds_nothing_and_goes_when_it_is_old() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let (key, now) = (session(), contract::begin());
    store.own(key, &owned_record(now, 60)).await.unwrap();
    assert_eq!(count(&store, now).await, 0);
    let notes = store.names.owner(Kind::Session, OWNER);
    let cards = || server.ask(&format!("ZCARD {notes}"));
    assert_eq!(cards(), ":1", "the record may be on its way");
    store.put(key, owned_record(now, 60)).await.unwrap();
    assert_eq!(count(&store, now).await, 1);
    // Another record there, of another person: the note is not believed.
    store.put(key, Record { owner: Some([6; 32]), ..owned_record(now, 60) }).await.unwrap();
    assert_eq!(count(&store, now).await, 0);
    assert_eq!(count(&store, contract::after(now, 2 * 60 * 60)).await, 0);
    assert_eq!(cards(), ":0");
}

#[tokio::test]
async fn what_is_taken_leaves_no_note() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let (key, now) = (session(), contract::begin());
    store.put(key, owned_record(now, 60)).await.unwrap();
    store.take(key, now).await.unwrap().unwrap();
    assert_eq!(server.ask(&format!("ZCARD {}", store.names.owner(Kind::Session, OWNER))), ":0");
}

#[tokio::test]
async fn notes_stay_as_long_as_records_that_are_touched() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let (key, now) = (session(), contract::begin());
    store.put(key, owned_record(now, 60)).await.unwrap();
    let day = 24 * 60 * 60;
    let expires = contract::after(now, day);
    store.touch(vec![Touch { key, alive: 1, expires }]).await.unwrap();
    assert_eq!(count(&store, contract::after(now, day - 1)).await, 1);
    let notes = store.names.owner(Kind::Session, OWNER);
    let left = |name: &str| -> i64 {
        server.ask(&format!("PTTL {name}")).trim_start_matches(':').parse().unwrap()
    };
    let record = left(&store.names.record(key));
    assert!(record > 1000 * i64::try_from(day).unwrap(), "{record}");
    assert!(left(&notes) > record);
}

#[tokio::test]
async fn old_notes_make_room_when_others_come() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let now = contract::begin();
    let notes = store.names.owner(Kind::Session, OWNER);
    assert_eq!(server.ask(&format!("ZADD {notes} 1000 old")), ":1");
    store.put(session(), owned_record(now, 60)).await.unwrap();
    assert_eq!(server.ask(&format!("ZCARD {notes}")), ":1");
}

#[tokio::test]
async fn pages_hold_no_more_than_was_asked_for_and_lose_nothing() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let now = contract::begin();
    let mut expected = BTreeSet::new();
    for number in 0..300_u64 {
        let key = session();
        // Others in between, and some that are over.
        let seconds = if number % 10 == 0 { 10 } else { 60 };
        store.put(key, contract::record(b"x", now, seconds)).await.unwrap();
        store.put(Key { kind: Kind::Used, ..key }, contract::record(b"x", now, 60)).await.unwrap();
        if seconds == 60 {
            expected.insert(key.digest);
        }
    }
    for limit in [1, 7, 1000] {
        let (mut seen, mut next) = (BTreeSet::new(), None);
        loop {
            let at = contract::after(now, 20);
            let page = store.list(Kind::Session, next, limit, at).await.unwrap();
            assert!(page.records.len() <= limit);
            seen.extend(page.records.into_iter().map(|(digest, _)| digest));
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{limit}");
    }
}

#[tokio::test]
async fn many_records_are_touched_in_few_steps() {
    let Some(program) = Program::redis() else { return };
    let server = Server::start(&program, "");
    let store = connect_patiently(&server);
    let now = contract::begin();
    let keys: Vec<_> = std::iter::repeat_with(session).take(2000).collect();
    for key in &keys {
        store.put(*key, contract::record(b"x", now, 60)).await.unwrap();
    }
    let expires = contract::after(now, 90);
    let touches = keys.iter().map(|&key| Touch { key, alive: 1, expires }).collect();
    let begin = tokio::time::Instant::now();
    store.touch(touches).await.unwrap();
    eprintln!("2000 touched in {:?}", begin.elapsed());
    for key in &keys {
        assert!(store.get(*key, contract::after(now, 80)).await.unwrap().is_some());
    }
}
