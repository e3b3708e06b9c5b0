//! What holds of records under handles, run on each store as its own contract is.

use std::time::Duration;

use serde::Deserialize;

use super::*;
use crate::base::clock::later;
use crate::store::contract::begin;

/// Notes that are kept under handles.
pub(super) struct Notes;

impl HandleKind for Notes {
    const KIND: Kind = Kind::Code;
}

impl RandomHandle for Notes {
    const STRENGTH: Strength = Strength::Bits256;
}

/// What a note says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note(pub(super) String);

impl JsonContent for Note {
    type Handles = Notes;
}

pub(super) fn note(text: &str) -> Note {
    Note(text.to_owned())
}

/// How long a note is good.
pub(super) const LIFE: Duration = Duration::from_secs(60);

/// Runs all of it on one store, which may hold records of others.
pub(crate) async fn check(store: Arc<dyn RecordStore>) {
    let now = begin();
    let notes = Handles::new(Arc::clone(&store), Sealer::default());
    begins_once_and_is_found(&notes, now).await;
    is_over_when_it_expires(&notes, now).await;
    is_swapped_by_who_knows_how_it_was(&notes, now).await;
    is_taken_by_one(&notes, now).await;
    takes_both_to_open(&notes, now).await;
    is_discarded_unread(&notes, now).await;
    opens_for_no_other_sealer(store, &notes, now).await;
}

async fn begins_once_and_is_found(notes: &Handles<Note>, now: Time) {
    let (handle, end) = (Handle::generate(), later(now, LIFE));
    assert!(notes.find(&handle, now).await.unwrap().is_none());
    let (one, other) = (note("one"), note("other"));
    let (a, b) =
        tokio::join!(notes.begin(&handle, &one, end, now), notes.begin(&handle, &other, end, now));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_ne!(a.is_some(), b.is_some(), "one is the first");
    let first = if a.is_some() { one } else { other };
    let found = notes.find(&handle, now).await.unwrap().unwrap();
    assert_eq!((found.value, Some(found.version)), (first, a.or(b)));
    assert!(notes.begin(&handle, &note("late"), end, now).await.unwrap().is_none());
    assert!(notes.find(&Handle::generate(), now).await.unwrap().is_none());
}

async fn is_over_when_it_expires(notes: &Handles<Note>, now: Time) {
    let (handle, end) = (Handle::generate(), later(now, LIFE));
    let version = notes.begin(&handle, &note("a"), end, now).await.unwrap().unwrap();
    let just_before = later(now, LIFE - Duration::from_millis(1));
    assert!(notes.find(&handle, just_before).await.unwrap().is_some());
    assert!(notes.find(&handle, end).await.unwrap().is_none());
    let more = later(end, LIFE);
    assert!(!notes.swap(&handle, version, &note("b"), more, end).await.unwrap());
    assert!(notes.take(&handle, end).await.unwrap().is_none());
    assert!(notes.begin(&handle, &note("c"), more, end).await.unwrap().is_some(), "it was free");
}

async fn is_swapped_by_who_knows_how_it_was(notes: &Handles<Note>, now: Time) {
    let (handle, end) = (Handle::generate(), later(now, LIFE));
    let began = notes.begin(&handle, &note("a"), end, now).await.unwrap().unwrap();
    let (b, c) = (note("b"), note("c"));
    let (one, two) = tokio::join!(
        notes.swap(&handle, began.clone(), &b, end, now),
        notes.swap(&handle, began.clone(), &c, end, now)
    );
    assert_ne!(one.clone().unwrap(), two.unwrap(), "one is the first");
    assert!(!notes.swap(&handle, began, &note("d"), end, now).await.unwrap());
    let found = notes.find(&handle, now).await.unwrap().unwrap();
    assert_eq!(found.value, if one.unwrap() { b } else { c });
    // As it was found, it is swapped; also when it says the same as before.
    let same = found.value.clone();
    assert!(notes.swap(&handle, found.version.clone(), &same, end, now).await.unwrap());
    assert!(!notes.swap(&handle, found.version, &same, end, now).await.unwrap());
    let nothing = Handle::generate();
    let version = notes.find(&handle, now).await.unwrap().unwrap().version;
    assert!(!notes.swap(&nothing, version, &note("e"), end, now).await.unwrap());
}

async fn is_taken_by_one(notes: &Handles<Note>, now: Time) {
    let handle = Handle::generate();
    notes.begin(&handle, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
    let (a, b) = tokio::join!(notes.take(&handle, now), notes.take(&handle, now));
    let taken: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().flatten().collect();
    assert_eq!(taken, [note("a")]);
    assert!(notes.find(&handle, now).await.unwrap().is_none());
}

async fn takes_both_to_open(notes: &Handles<Note>, now: Time) {
    let handle = Handle::generate();
    let whole = handle.with("cookie");
    let version = notes.begin(&whole, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
    assert_eq!(whole.expose(), handle.expose(), "the browser gets the handle alone");
    for wrong in [handle.clone(), handle.with("other"), handle.with("")] {
        assert!(notes.find(&wrong, now).await.unwrap().is_none());
        assert!(notes.take(&wrong, now).await.unwrap().is_none());
    }
    let found = notes.find(&whole, now).await.unwrap().unwrap();
    assert_eq!(found.version, version, "nobody changed it");
    assert_eq!(notes.take(&whole, now).await.unwrap(), Some(note("a")));
}

async fn is_discarded_unread(notes: &Handles<Note>, now: Time) {
    let (handle, stays) = (Handle::generate(), Handle::generate());
    for handle in [&handle.with("cookie"), &stays] {
        notes.begin(handle, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
    }
    notes.discard(handle.key().digest, now).await.unwrap();
    notes.discard(handle.key().digest, now).await.unwrap();
    assert!(notes.find(&handle.with("cookie"), now).await.unwrap().is_none());
    assert!(notes.find(&stays, now).await.unwrap().is_some());
}

async fn opens_for_no_other_sealer(store: Arc<dyn RecordStore>, notes: &Handles<Note>, now: Time) {
    let handle = Handle::generate();
    notes.begin(&handle, &note("a"), later(now, LIFE), now).await.unwrap().unwrap();
    let others = Handles::<Note>::new(Arc::clone(&store), Sealer::default());
    assert!(others.find(&handle, now).await.unwrap().is_none());
    assert!(others.take(&handle, now).await.unwrap().is_none());
    assert!(notes.find(&handle, now).await.unwrap().is_some(), "it took nothing away");
    // The store learns neither the handle nor what the record says.
    let record = store.get(handle.key(), now).await.unwrap().unwrap();
    for known in [handle.expose(), "\"a\""] {
        assert!(memchr::memmem::find(&record.sealed, known.as_bytes()).is_none());
    }
    assert!(record.label.is_empty() && record.owner.is_none());
}
