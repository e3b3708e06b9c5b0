use serde::Deserialize;

use super::contract::{LIFE, Note, Notes, note};
use super::*;
use crate::base::clock::later;
use crate::store::contract::begin;
use crate::store::memory::Memory;

fn memory() -> Arc<Memory> {
    Arc::new(Memory::new(1000))
}

#[tokio::test]
async fn records_under_handles_keep_their_rules_in_memory() {
    contract::check(memory()).await;
}

struct Short;

impl HandleKind for Short {
    const KIND: Kind = Kind::HandoffRequest;
}

impl RandomHandle for Short {
    const STRENGTH: Strength = Strength::Bits128;
}

#[test]
fn only_what_could_be_a_handle_is_taken_for_one() {
    let (short, long) = (Handle::<Short>::generate(), Handle::<Notes>::generate());
    assert_eq!((short.expose().len(), long.expose().len()), (22, 43));
    assert!(Handle::<Short>::parse(short.expose()).is_some());
    assert_eq!(Handle::<Notes>::parse(long.expose()).unwrap().key(), long.key());
    assert!(Handle::<Short>::parse(long.expose()).is_none());
    let longer = format!("{}x", long.expose());
    for text in ["", "x", short.expose(), &longer, &"ż".repeat(43), &"a ".repeat(22)[..43]] {
        assert!(Handle::<Notes>::parse(text).is_none(), "{text}");
    }
}

#[test]
fn handles_are_all_different_and_print_nothing() {
    let (one, other) = (Handle::<Notes>::generate(), Handle::<Notes>::generate());
    assert_ne!(one.key(), other.key());
    let whole = one.with("cookie");
    assert_eq!(whole.key(), one.key(), "it is found by the handle");
    for printed in [format!("{one:?}"), format!("{whole:?}")] {
        assert!(!printed.contains(one.expose()) && !printed.contains("cookie"), "{printed}");
    }
}

/// What is kept is there for the next version of the program too, so the form of keys and secrets
/// stays.
#[tokio::test]
async fn records_are_where_they_always_were_and_open_as_they_always_did() {
    let (store, sealer, now) = (memory(), Sealer::default(), begin());
    let notes = Handles::<Note>::new(store.clone(), sealer.clone());
    let handle = Handle::<Notes>::generate();
    let key = Key { kind: Kind::Code, digest: sha256(handle.expose().as_bytes()) };
    for (handle, secret) in [
        (handle.clone(), handle.expose().to_owned()),
        (handle.with("cookie"), format!("{}.cookie", handle.expose())),
    ] {
        notes.begin(&handle, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
        let record = store.take(key, now).await.unwrap().unwrap();
        let plain = sealer.open(key, secret.as_bytes(), &record.sealed).unwrap();
        assert_eq!(plain.expose(), b"\"a\"");
    }
}

/// Something for which JSON has no words.
#[derive(Debug, Deserialize)]
struct Unspeakable;

impl Serialize for Unspeakable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no words"))
    }
}

impl JsonContent for Unspeakable {
    type Handles = Notes;
}

#[tokio::test]
async fn what_cannot_be_written_is_an_error_and_changes_nothing() {
    let (store, sealer, now) = (memory(), Sealer::default(), begin());
    let notes = Handles::<Note>::new(store.clone(), sealer.clone());
    let others = Handles::<Unspeakable>::new(store, sealer);
    let (handle, end) = (Handle::generate(), later(now, LIFE));
    let said = others.begin(&handle, &Unspeakable, end, now).await.unwrap_err().to_string();
    assert!(said.contains("\"code\"") && said.contains("it has no words"), "{said}");
    assert!(notes.find(&handle, now).await.unwrap().is_none(), "nor is it kept empty");
    let version = notes.begin(&handle, &note("a"), end, now).await.unwrap().unwrap();
    assert!(others.swap(&handle, version, &Unspeakable, end, now).await.is_err());
    assert_eq!(notes.find(&handle, now).await.unwrap().unwrap().value, note("a"));
}

#[derive(Debug, Serialize, Deserialize)]
struct Number(u32);

impl JsonContent for Number {
    type Handles = Notes;
}

#[tokio::test]
async fn what_says_something_that_is_not_understood_is_not_there_and_stays() {
    let (store, sealer, now) = (memory(), Sealer::default(), begin());
    let notes = Handles::<Note>::new(store.clone(), sealer.clone());
    let numbers = Handles::<Number>::new(store, sealer);
    let handle = Handle::generate();
    notes.begin(&handle, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
    assert!(numbers.find(&handle, now).await.unwrap().is_none());
    assert!(numbers.take(&handle, now).await.unwrap().is_none());
    assert!(notes.take(&handle, now).await.unwrap().is_some());
}
