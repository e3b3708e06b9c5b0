//! What becomes of sessions that make room for others.

use super::*;

#[tokio::test]
async fn a_session_that_made_room_is_over_for_whoever_holds_it() {
    let clock = clock();
    let settings = Settings { maximum: 2, ..settings() };
    let sessions = Sessions::in_memory(settings, owners(), Arc::default());
    let oldest = begun(&sessions, &clock).await;
    let live = sessions.find(&oldest, Activity::Alive, clock.now()).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(1));
    let second = begun(&sessions, &clock).await;
    assert!(sessions.is_live(&live, clock.now()).await.unwrap(), "there is room for two");
    let third = begun(&sessions, &clock).await;
    assert!(live.held().has_ended(), "also for a worker that found it a moment ago");
    assert!(!sessions.is_live(&live, clock.now()).await.unwrap());
    for (id, is_there) in [(oldest, false), (second, true), (third, true)] {
        assert_eq!(is_live(&sessions, &id, Activity::Alive, &clock).await, is_there);
    }
}

#[tokio::test]
async fn a_session_that_made_room_near_is_found_in_the_store() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, Settings { maximum: 2, ..settings() });
    let oldest = begun(&sessions, &clock).await;
    let live = sessions.find(&oldest, Activity::Alive, clock.now()).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(is_live(&sessions, &oldest, Activity::Alive, &clock).await);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        begun(&sessions, &clock).await;
    }
    assert!(sessions.local.get(&oldest.key()).is_none());
    assert!(sessions.is_live(&live, clock.now()).await.unwrap());
    assert!(is_live(&sessions, &oldest, Activity::Alive, &clock).await);
    // The last sign of life was told although it was not due.
    sessions.write_activity(sessions.remote.as_ref().unwrap(), clock.now()).await;
    let record = store.get(oldest.key().record_key(), clock.now()).await.unwrap().unwrap();
    assert!(
        record.alive
            >= later("2031-01-01T00:00:00Z".parse().unwrap(), Duration::from_secs(10))
                .as_millisecond()
    );
}

#[tokio::test]
async fn a_session_that_made_room_in_the_store_ends_near() {
    let clock = clock();
    let store: Arc<dyn RecordStore> = Arc::new(Memory::new(2));
    let sessions =
        Sessions::kept_in(store, Sharing::Replicas, sealer(), settings(), owners(), Arc::default());
    let attending =
        tokio::spawn(Arc::clone(&sessions).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let oldest = begun(&sessions, &clock).await;
    let live = sessions.find(&oldest, Activity::Alive, clock.now()).await.unwrap().unwrap();
    let second = begun(&sessions, &clock).await;
    assert!(sessions.is_live(&live, clock.now()).await.unwrap());
    begun(&sessions, &clock).await;
    let ended = async {
        while !live.held().has_ended() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), ended).await.unwrap();
    assert!(!sessions.is_live(&live, clock.now()).await.unwrap());
    assert!(!is_live(&sessions, &oldest, Activity::Alive, &clock).await);
    assert!(is_live(&sessions, &second, Activity::Alive, &clock).await);
    attending.abort();
}
