//! A store that is still being opened, such as a file that a predecessor of this process holds.
//!
//! A caller meanwhile waits, up to a bound, instead of hearing that the store is away.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{broadcast, watch};
use tokio::time::timeout;

use super::{
    Digest, EVENTS, Event, Key, Kind, Page, Record, RecordStore, Touch, Unavailable, Work,
};
use crate::base::clock::Time;

/// The store, as soon as it is open.
pub struct OpeningStore {
    opened: watch::Receiver<Option<Arc<dyn RecordStore>>>,
    events: broadcast::Sender<Event>,
}

/// Says when the store is open.
pub struct Opened {
    opened: watch::Sender<Option<Arc<dyn RecordStore>>>,
    events: broadcast::Sender<Event>,
}

/// Makes a store that is not open yet.
#[must_use]
pub fn opening() -> (Opened, OpeningStore) {
    let (sender, opened) = watch::channel(None);
    let events = broadcast::Sender::new(EVENTS);
    (Opened { opened: sender, events: events.clone() }, OpeningStore { opened, events })
}

impl Opened {
    /// Gives the store to all callers, and passes on what happens there for as long as this runs.
    pub async fn open(self, store: Arc<dyn RecordStore>) {
        let mut events = store.watch();
        self.opened.send_replace(Some(store));
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                Err(broadcast::error::RecvError::Lagged(_)) => Event::Missed,
                Err(broadcast::error::RecvError::Closed) => return,
            };
            // There may be no listener.
            let _ = self.events.send(event);
        }
    }
}

impl OpeningStore {
    fn then<'p, T, F>(&self, act: F) -> Work<'p, T>
    where
        T: Send + 'p,
        F: for<'a> FnOnce(&'a dyn RecordStore) -> Work<'a, T> + Send + 'p,
    {
        let mut opened = self.opened.clone();
        Box::pin(async move {
            let store = match timeout(PATIENCE, opened.wait_for(Option::is_some)).await {
                Ok(Ok(store)) => store.clone(),
                Ok(Err(_)) | Err(_) => None,
            };
            match store {
                Some(store) => act(&*store).await,
                None => Err(Unavailable("it is not open yet".to_owned())),
            }
        })
    }
}

impl RecordStore for OpeningStore {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        self.then(move |store| store.put(key, record))
    }

    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        self.then(move |store| store.put_new(key, record, now))
    }

    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        self.then(move |store| store.swap(key, sealed, record, now))
    }

    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.then(move |store| store.get(key, now))
    }

    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.then(move |store| store.take(key, now))
    }

    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        self.then(move |store| store.touch(touches))
    }

    fn owned(
        &self,
        kind: Kind,
        owner: Digest,
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<(Digest, Record)>> {
        self.then(move |store| store.owned(kind, owner, limit, now))
    }

    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.then(move |store| store.list(kind, after, limit, now))
    }

    fn is_watching(&self) -> bool {
        // Nothing happens in a store that is not open, so all of it is heard.
        self.opened.borrow().as_ref().is_none_or(|store| store.is_watching())
    }

    fn watch(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    fn check(&self) -> Work<'_, ()> {
        self.then(|store| store.check())
    }

    fn close(&self) {
        if let Some(store) = &*self.opened.borrow() {
            store.close();
        }
    }
}

/// How long a caller waits for the store to open.
const PATIENCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::super::memory::Memory;
    use super::super::redis::Redis;
    use super::super::redis::settings::{Address, Mode, Settings};
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract_once_it_is_open() {
        let (opened, store) = opening();
        // It opens only after it was asked for the first time.
        let opening = async {
            tokio::task::yield_now().await;
            opened.open(Arc::new(Memory::new(10_000))).await;
        };
        tokio::select! {
            () = contract::check(&store) => {}
            () = opening => panic!("the store has gone"),
        }
    }

    #[tokio::test]
    async fn whoever_watches_an_open_store_is_told_whether_it_hears_of_everything() {
        let nobody_listens = Address { host: "127.0.0.1".to_owned(), port: 0 };
        let deaf = Redis::connect(Settings::new(Mode::Single, vec![nobody_listens])).unwrap();
        for (store, hears) in [(Arc::new(deaf) as Arc<dyn RecordStore>, false), (memory(), true)] {
            let (opened, opening) = opening();
            assert!(opening.is_watching(), "nothing happens there yet");
            let mut is_open = opening.opened.clone();
            tokio::select! {
                () = opened.open(store) => panic!("the store has gone"),
                open = is_open.wait_for(Option::is_some) => drop(open),
            }
            assert_eq!(opening.is_watching(), hears);
        }
    }

    fn memory() -> Arc<dyn RecordStore> {
        Arc::new(Memory::new(10))
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let (opened, store) = opening();
        store.check().await.unwrap_err();
        drop(opened);
        store.check().await.unwrap_err();
    }
}
