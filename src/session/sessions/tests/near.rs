//! What is near and over, and what the store is asked for.

use super::super::registry::TOUCHES;
use super::*;

fn near(sessions: &Sessions, id: &SessionId) -> Option<Arc<CachedSession>> {
    sessions.local.get(&id.key())
}

#[tokio::test]
async fn what_has_ended_and_is_found_near_needs_no_store_and_is_near_no_more() {
    let (store, clock) = (Switch::new(), clock());
    for sessions in
        [replica(&store, settings()), Sessions::in_memory(settings(), owners(), Arc::default())]
    {
        store.away(false);
        let id = begun(&sessions, &clock).await;
        near(&sessions, &id).unwrap().end();
        store.away(true);
        let found = sessions.find(&id, Activity::Alive, clock.now()).await.unwrap();
        assert!(found.is_none() && near(&sessions, &id).is_none());
    }
}

#[tokio::test]
async fn an_end_counts_for_whoever_holds_the_session_of_before() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (replica(&store, settings()), clock.now());
    let id = begun(&sessions, &clock).await;
    let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    // It made room, and came near again as another one.
    sessions.local.remove(&id.key());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert_eq!(sessions.is_live_near(&live, now), Some(true));
    near(&sessions, &id).unwrap().end();
    assert!(!live.held().has_ended());
    assert_eq!(sessions.is_live_near(&live, now), Some(false));
}

#[tokio::test]
async fn what_is_over_is_near_no_more_when_it_was_asked_for() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    // Idle, as the store says too.
    let idle = begun(&sessions, &clock).await;
    clock.advance(settings().idle);
    assert!(!is_live(&sessions, &idle, Activity::Alive, &clock).await);
    assert!(near(&sessions, &idle).is_none());
    // Over in any case, which need not be asked.
    let over = begun(&sessions, &clock).await;
    clock.advance(settings().absolute);
    store.away(true);
    assert!(!is_live(&sessions, &over, Activity::Alive, &clock).await);
    assert!(near(&sessions, &over).is_none());
}

#[tokio::test]
async fn a_session_that_comes_near_is_read_once() {
    let (store, clock) = (Switch::new(), clock());
    let id = begun(&replica(&store, settings()), &clock).await;
    let sessions = replica(&store, settings());
    for _ in 0..3 {
        assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), 1);
    // The twin: an end was heard of while it was read, and it may have been this one's.
    sessions.local.remove(&id.key());
    let found = sessions.find(&id, Activity::Alive, clock.now());
    let mut found = std::pin::pin!(found);
    store.is_slow.store(true, Ordering::SeqCst);
    assert!(futures_util::poll!(found.as_mut()).is_pending());
    sessions.remote.as_ref().unwrap().ends.fetch_add(1, Ordering::SeqCst);
    assert!(found.await.unwrap().is_some());
    assert_eq!(store.reads.load(Ordering::SeqCst), 3);
}

/// It is near and has to be asked for; its end comes while the store is asked.
#[tokio::test]
async fn a_session_that_ends_in_memory_while_it_is_asked_for_again_stays_ended() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (alone(&store), clock.now());
    let id = begun(&sessions, &clock).await;
    let held = near(&sessions, &id).unwrap();
    sessions.remote.as_ref().unwrap().begin_round(now);
    let asked = sessions.find(&id, Activity::Alive, now);
    let mut asked = std::pin::pin!(asked);
    store.is_slow.store(true, Ordering::SeqCst);
    assert!(futures_util::poll!(asked.as_mut()).is_pending());
    store.is_slow.store(false, Ordering::SeqCst);
    // Of this one it was noted, and it was not near to be told so.
    let owed = sessions.remote.as_ref().unwrap().owed.as_ref().unwrap();
    owed.note(id.key(), held.session().end());
    assert!(asked.await.unwrap().is_none());
    assert!(held.has_ended() && near(&sessions, &id).is_none());
}

#[tokio::test]
async fn signs_of_life_wait_to_be_told_up_to_a_number() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let remote = sessions.remote.as_ref().unwrap();
    for (waiting, then) in [(TOUCHES - 1, TOUCHES), (TOUCHES, TOUCHES)] {
        let id = begun(&sessions, &clock).await;
        let touch = sessions.touch(&near(&sessions, &id).unwrap());
        *remote.touches() = vec![touch; waiting];
        clock.advance(settings().tell_after());
        assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
        assert_eq!(remote.touches().len(), then);
    }
}

#[tokio::test]
async fn nobody_is_signed_in_before_it_is_known_whose_a_session_is() {
    let (store, clock) = (Switch::new(), clock());
    let id = begun(&replica(&store, settings()), &clock).await;
    let behind = |owners| {
        let store = Arc::clone(&store) as Arc<dyn RecordStore>;
        Sessions::kept_in(store, Sharing::Replicas, sealer(), settings(), owners, Arc::default())
    };
    let find = async |sessions: &Sessions| sessions.find(&id, Activity::Alive, clock.now()).await;
    let pending = behind(PairwiseSecret::pending());
    assert!(find(&pending).await.is_err(), "it cannot be told");
    for sessions in
        [pending, Sessions::in_memory(settings(), PairwiseSecret::pending(), Arc::default())]
    {
        let new = SessionId::generate();
        let kept = sessions.insert(&new, session(new.key(), clock.now()), clock.now()).await;
        assert!(kept.is_err());
        assert!(near(&sessions, &new).is_none());
    }
    // The twin: it is known.
    assert!(find(&behind(owners())).await.unwrap().is_some());
}

#[tokio::test]
async fn pages_of_sessions_in_memory_have_each_of_them_once_and_none_that_is_over() {
    let (sessions, clock) = (Sessions::in_memory(settings(), owners(), Arc::default()), clock());
    let mut ids = Vec::new();
    for _ in 0..15 {
        ids.push(begun(&sessions, &clock).await.key());
    }
    ids.sort_unstable_by_key(|key| key.0);
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = sessions.list(None, next, 4, clock.now()).await.unwrap();
        seen.extend(page.sessions.iter().map(|session| session.key));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(seen == ids);
    clock.advance(settings().idle);
    let over = sessions.list(None, None, 4, clock.now()).await.unwrap();
    assert!(over.sessions.is_empty() && over.next.is_none());
}
