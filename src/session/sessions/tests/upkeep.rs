//! What is done beside the requests.

use super::*;
use crate::base::clock::SharedClock;

/// Attends to sessions for so long, by the clock of the runtime, which stands still otherwise.
async fn attended(sessions: &Arc<Sessions>, clock: &Arc<ManualClock>, time: Duration) {
    let shared = Arc::clone(clock) as SharedClock;
    let attending = tokio::spawn(Arc::clone(sessions).serve(shared));
    tokio::time::sleep(time).await;
    attending.abort();
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn what_is_over_is_swept_out() {
    let clock = Arc::new(clock());
    for sessions in [
        Sessions::in_memory(settings(), owners(), Arc::default()),
        replica(&Switch::new(), settings()),
    ] {
        begun(&sessions, &clock).await;
        clock.advance(2 * settings().idle);
        let live = begun(&sessions, &clock).await;
        attended(&sessions, &clock, 5 * MINUTE).await;
        assert_eq!(sessions.count_near(), 1);
        assert!(is_live(&sessions, &live, Activity::Background, &clock).await);
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_is_told_of_signs_of_life() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    clock.advance(settings().idle - Duration::from_secs(1));
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    attended(&sessions, &clock, MINUTE).await;
    let record = store.get(id.key().record_key(), clock.now()).await.unwrap().unwrap();
    assert_eq!(record.alive, clock.now().as_millisecond());
}

#[tokio::test(start_paused = true)]
async fn what_ended_in_memory_only_ends_in_the_store_as_soon_as_it_writes() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    let sessions = alone(&store);
    let id = begun(&sessions, &clock).await;
    store.away(true);
    assert!(sessions.remove(&id, clock.now()).await.unwrap().is_some());
    attended(&sessions, &clock, MINUTE).await;
    assert_eq!(sessions.owed(), 1);
    store.away(false);
    attended(&sessions, &clock, MINUTE).await;
    assert_eq!(sessions.owed(), 0);
    assert!(store.memory.get(id.key().record_key(), clock.now()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_nobody_asks_is_asked_now_and_then_whether_it_is_there() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    let sessions = replica(&store, settings());
    let shared = Arc::clone(&clock) as SharedClock;
    let attending = tokio::spawn(Arc::clone(&sessions).serve(shared));
    let after = |milliseconds| tokio::time::sleep(Duration::from_millis(milliseconds));
    // It was asked a moment ago, and is the next time in five seconds.
    after(5_600).await;
    store.away(true);
    after(3_000).await;
    assert!(!sessions.is_away());
    after(3_000).await;
    assert!(sessions.is_away());
    store.away(false);
    after(1_000).await;
    assert!(!sessions.is_away(), "while it is away it is asked again and again");
    attending.abort();
}

#[tokio::test(start_paused = true)]
async fn what_is_heard_of_is_not_asked_for_again() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    attended(&sessions, &clock, MINUTE).await;
    let before = store.reads.load(Ordering::SeqCst);
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert_eq!(store.reads.load(Ordering::SeqCst), before);
    // The twin: what happens there is not heard.
    store.is_deaf.store(true, Ordering::SeqCst);
    attended(&sessions, &clock, MINUTE).await;
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert_eq!(store.reads.load(Ordering::SeqCst), before + 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_not_heard_is_asked_at_every_look_whether_it_is_there() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    store.is_deaf.store(true, Ordering::SeqCst);
    let sessions = replica(&store, settings());
    store.away(true);
    attended(&sessions, &clock, Duration::from_secs(1)).await;
    assert!(sessions.is_away());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_nothing_in_is_asked_whether_it_can_be_read() {
    let (store, clock) = (Switch::new(), Arc::new(clock()));
    let sessions = replica(&store, settings());
    store.is_full.store(true, Ordering::SeqCst);
    let id = SessionId::generate();
    let refused = sessions.insert(&id, session(id.key(), clock.now()), clock.now()).await;
    refused.expect_err("it is full");
    let is_unread = || sessions.remote.as_ref().unwrap().presence.is_unread();
    assert!(sessions.is_away() && !is_unread());
    store.away(true);
    attended(&sessions, &clock, Duration::from_secs(1)).await;
    assert!(is_unread(), "the grace begins, although no request has asked");
}
