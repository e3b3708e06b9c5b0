//! The contract of stores, run on each of them with a clock that the test moves.

use std::time::Duration;

use super::*;
use crate::base::clock::later;
use crate::base::random;

/// When the contract begins: now, because a store on another machine tidies by a clock of its own.
pub(crate) fn begin() -> Time {
    use crate::base::clock::{Clock, SystemClock};
    SystemClock.now()
}

/// Returns the time so many seconds later.
pub(crate) fn after(time: Time, seconds: u64) -> Time {
    later(time, Duration::from_secs(seconds))
}

/// A record that lives for some seconds.
pub(crate) fn record(sealed: &'static [u8], now: Time, seconds: u64) -> Record {
    Record {
        sealed: Bytes::from_static(sealed),
        label: Bytes::from_static(b"{}"),
        owner: None,
        alive: now.as_millisecond(),
        expires: after(now, seconds),
    }
}

fn key(kind: Kind) -> Key {
    Key { kind, digest: random::bytes() }
}

/// Runs the whole contract on one store, which may hold records of others.
pub(crate) async fn check(store: &dyn RecordStore) {
    let now = begin();
    store.check().await.unwrap();
    finds_what_was_put_and_nothing_else(store, now).await;
    forgets_what_has_expired(store, now).await;
    puts_something_new_for_one_only(store, now).await;
    swaps_only_what_is_as_it_was(store, now).await;
    gives_what_is_taken_to_one_and_tells_everybody(store, now).await;
    touches_what_is_there_and_only_forwards(store, now).await;
    finds_all_of_an_owner(store, now).await;
    lists_everything_page_by_page(store, now).await;
    keeps_large_records_and_odd_bytes(store, now).await;
}

async fn finds_what_was_put_and_nothing_else(store: &dyn RecordStore, now: Time) {
    let (one, other) = (key(Kind::Session), key(Kind::Session));
    let kept = Record { owner: Some([7; 32]), ..record(b"one", now, 60) };
    store.put(one, kept.clone()).await.unwrap();
    assert_eq!(store.get(one, now).await.unwrap(), Some(kept));
    assert_eq!(store.get(other, now).await.unwrap(), None);
    // The same digest of another kind is another key.
    let login = Key { kind: Kind::Login, ..one };
    assert_eq!(store.get(login, now).await.unwrap(), None);
    store.put(one, record(b"two", now, 60)).await.unwrap();
    assert_eq!(store.get(one, now).await.unwrap().unwrap().sealed, "two");
}

async fn forgets_what_has_expired(store: &dyn RecordStore, now: Time) {
    let key = key(Kind::Session);
    store.put(key, record(b"x", now, 60)).await.unwrap();
    assert!(store.get(key, after(now, 59)).await.unwrap().is_some());
    assert!(store.get(key, after(now, 60)).await.unwrap().is_none());
    assert!(store.take(key, after(now, 60)).await.unwrap().is_none());
}

async fn puts_something_new_for_one_only(store: &dyn RecordStore, now: Time) {
    let key = key(Kind::Used);
    let put = || store.put_new(key, record(b"x", now, 60), now);
    let (a, b, c) = tokio::join!(put(), put(), put());
    let new = [a, b, c].into_iter().filter(|done| done.clone().unwrap()).count();
    assert_eq!(new, 1);
    assert!(!put().await.unwrap());
    let later = after(now, 60);
    assert!(store.put_new(key, record(b"y", now, 120), later).await.unwrap(), "it has expired");
}

async fn swaps_only_what_is_as_it_was(store: &dyn RecordStore, now: Time) {
    let key = key(Kind::Login);
    let swap = |from: &'static [u8], to| {
        store.swap(key, Bytes::from_static(from), record(to, now, 60), now)
    };
    assert!(!swap(b"a", b"b").await.unwrap(), "there is nothing");
    store.put(key, record(b"a", now, 60)).await.unwrap();
    let (one, two) = tokio::join!(swap(b"a", b"b"), swap(b"a", b"c"));
    assert_eq!(u8::from(one.unwrap()) + u8::from(two.unwrap()), 1);
    assert!(!swap(b"a", b"d").await.unwrap());
    assert_ne!(store.get(key, now).await.unwrap().unwrap().sealed, "d");
    let over = after(now, 60);
    let sealed = store.get(key, now).await.unwrap().unwrap().sealed;
    assert!(!store.swap(key, sealed, record(b"e", now, 90), over).await.unwrap());
}

async fn gives_what_is_taken_to_one_and_tells_everybody(store: &dyn RecordStore, now: Time) {
    let key = key(Kind::Session);
    let mut events = store.watch();
    store.put(key, record(b"x", now, 60)).await.unwrap();
    let (a, b) = tokio::join!(store.take(key, now), store.take(key, now));
    assert_eq!([a.unwrap(), b.unwrap()].iter().flatten().count(), 1);
    assert_eq!(store.get(key, now).await.unwrap(), None);
    let told = async {
        loop {
            match events.recv().await.unwrap() {
                Event::Gone(gone) if gone == key => return,
                _ => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(1), told).await.expect("whoever watches is told");
}

async fn touches_what_is_there_and_only_forwards(store: &dyn RecordStore, now: Time) {
    let (there, gone) = (key(Kind::Session), key(Kind::Session));
    let mut events = store.watch();
    store.put(there, record(b"x", now, 60)).await.unwrap();
    let touch = |key, seconds| Touch {
        key,
        alive: after(now, seconds).as_millisecond(),
        expires: after(now, 60 + seconds),
    };
    store.touch(vec![touch(there, 30), touch(gone, 30)]).await.unwrap();
    store.touch(vec![touch(there, 10)]).await.unwrap();
    let found = store.get(there, after(now, 89)).await.unwrap().unwrap();
    assert_eq!(found.alive, after(now, 30).as_millisecond());
    assert_eq!(found.expires, after(now, 90));
    assert_eq!(found.sealed, "x");
    assert!(store.get(gone, now).await.unwrap().is_none(), "a touch brings nothing back");
    store.touch(Vec::new()).await.unwrap();
    // A touch is no end.
    while let Ok(event) = events.try_recv() {
        assert_ne!(event, Event::Gone(there));
    }
}

async fn finds_all_of_an_owner(store: &dyn RecordStore, now: Time) {
    let owner = random::bytes();
    let mut expected = Vec::new();
    for seconds in [60, 60, 5] {
        let key = key(Kind::Session);
        store.put(key, Record { owner: Some(owner), ..record(b"x", now, seconds) }).await.unwrap();
        if seconds == 60 {
            expected.push(key.digest);
        }
    }
    let taken = key(Kind::Session);
    store.put(taken, Record { owner: Some(owner), ..record(b"x", now, 60) }).await.unwrap();
    store.take(taken, now).await.unwrap();
    let found = store.owned(Kind::Session, owner, 100, after(now, 5)).await.unwrap();
    let mut found: Vec<_> = found.into_iter().map(|(digest, _)| digest).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(store.owned(Kind::Session, owner, 1, now).await.unwrap().len(), 1);
    assert!(store.owned(Kind::Login, owner, 9, now).await.unwrap().is_empty());
    assert!(store.owned(Kind::Session, random::bytes(), 9, now).await.unwrap().is_empty());
}

async fn lists_everything_page_by_page(store: &dyn RecordStore, now: Time) {
    let mut expected = std::collections::BTreeSet::new();
    for _ in 0..25 {
        let key = key(Kind::Form);
        expected.insert(key.digest);
        store.put(key, record(b"x", now, 60)).await.unwrap();
    }
    let (mut next, mut pages) = (None, 0);
    loop {
        let page = store.list(Kind::Form, next, 10, now).await.unwrap();
        for (digest, found) in page.records {
            assert_eq!(found.sealed, "x");
            expected.remove(&digest);
        }
        pages += 1;
        assert!(pages < 10_000, "pages without end");
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(expected.is_empty(), "{} were not listed", expected.len());
    let odd = store.list(Kind::Form, Some("nonsense".to_owned()), 10, now).await;
    // Nonsense begins anew or is refused; it breaks nothing.
    drop(odd);
}

async fn keeps_large_records_and_odd_bytes(store: &dyn RecordStore, now: Time) {
    let key = key(Kind::Form);
    let bytes: Vec<u8> = (0..1_500_000_u32).map(|number| (number % 251) as u8).collect();
    let large = Record { sealed: bytes.into(), ..record(b"", now, 60) };
    store.put(key, large.clone()).await.unwrap();
    assert_eq!(store.take(key, now).await.unwrap(), Some(large));
}
