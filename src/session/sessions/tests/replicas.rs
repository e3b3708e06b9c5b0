//! What one replica does and another sees, and what is asked of the store.

use super::*;

#[tokio::test]
async fn another_replica_finds_a_session_and_so_does_this_one_after_a_restart() {
    let (store, clock) = (Switch::new(), clock());
    let id = begun(&replica(&store, settings()), &clock).await;
    let other = replica(&store, settings());
    let live = other.find(&id, Activity::Alive, clock.now()).await.unwrap().unwrap();
    assert_eq!(live.session().person().pesel(), Some("44051401359"));
    // Without the secret of the servers it does not open, and no citizen is signed in.
    let store: Arc<dyn RecordStore> = store;
    let stranger = Sessions::kept_in(
        store,
        Sharing::Replicas,
        Sealer::default(),
        settings(),
        owners(),
        Arc::default(),
    );
    assert!(stranger.find(&id, Activity::Alive, clock.now()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_ends_on_one_replica_ends_on_all() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let attending = tokio::spawn(Arc::clone(&two).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let (id, now) = (begun(&one, &clock).await, clock.now());
    let live = two.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    one.end(id.key(), Why::Operator, now).await.unwrap();
    let ended = async {
        while two.is_live(&live, now).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), ended).await.unwrap();
    assert!(two.find(&id, Activity::Alive, now).await.unwrap().is_none());
    assert_eq!(two.why_ended(&id, now).await, Some(Why::Operator));
    attending.abort();
}

/// Ends the session just after it was read, as another replica may do.
#[tokio::test]
async fn a_session_that_ends_while_it_is_read_is_not_found() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let attending = tokio::spawn(Arc::clone(&two).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let (id, now) = (begun(&one, &clock).await, clock.now());
    let found = two.find(&id, Activity::Alive, now);
    let mut found = std::pin::pin!(found);
    store.is_slow.store(true, Ordering::SeqCst);
    assert!(futures_util::poll!(found.as_mut()).is_pending(), "it was read");
    store.is_slow.store(false, Ordering::SeqCst);
    let remote = two.remote.as_ref().unwrap();
    one.end(id.key(), Why::Operator, now).await.unwrap();
    while remote.ends.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(found.await.unwrap().is_none());
    assert!(two.find(&id, Activity::Alive, now).await.unwrap().is_none());
    attending.abort();
}

/// An end finds only what is near. What is read before it and comes near after it is not relied on.
#[tokio::test]
async fn an_end_heard_of_while_a_session_is_asked_for_again_leaves_nothing_near() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let attending = tokio::spawn(Arc::clone(&two).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let now = clock.now();
    // Whether it is still near when it is asked for, whether an end is heard of, and of which.
    let [its_own, of_another] = [true, false];
    for (is_near, end, stays) in [
        (false, Some(its_own), false),
        (true, Some(its_own), false),
        (false, Some(of_another), false),
        (true, Some(of_another), true),
        (false, None, true),
        (true, None, true),
    ] {
        let (id, other) = (begun(&one, &clock).await, begun(&one, &clock).await);
        let live = two.find(&id, Activity::Alive, now).await.unwrap().unwrap();
        let remote = two.remote.as_ref().unwrap();
        if is_near {
            remote.begin_round(now);
        } else {
            two.local.remove(&id.key());
        }
        let asked = two.is_live(&live, now);
        let mut asked = std::pin::pin!(asked);
        store.is_slow.store(true, Ordering::SeqCst);
        assert!(futures_util::poll!(asked.as_mut()).is_pending(), "it was read");
        store.is_slow.store(false, Ordering::SeqCst);
        let before = remote.ends.load(Ordering::SeqCst);
        if let Some(is_its_own) = end {
            let which = if is_its_own { &id } else { &other };
            one.end(which.key(), Why::Operator, now).await.unwrap();
            while remote.ends.load(Ordering::SeqCst) == before {
                tokio::task::yield_now().await;
            }
        }
        let _ = asked.await.unwrap();
        let row = (is_near, end, stays);
        assert_eq!(two.local.get(&id.key()).is_some(), stays, "{row:?}");
        let is_over = end == Some(its_own);
        assert_eq!(is_live(&two, &id, Activity::Alive, &clock).await, !is_over, "{row:?}");
    }
    attending.abort();
}

#[tokio::test]
async fn who_holds_a_session_that_is_near_no_more_sees_its_end_too() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let (id, now) = (begun(&sessions, &clock).await, clock.now());
    let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    sessions.local.remove(&id.key());
    assert!(sessions.is_live(&live, now).await.unwrap());
    sessions.local.remove(&id.key());
    store.take(id.key().record_key(), now).await.unwrap();
    assert!(!sessions.is_live(&live, now).await.unwrap());
}

/// Two of one session may be held: the one that is near, and one that made room before.
#[tokio::test]
async fn what_the_store_has_no_more_has_ended_for_all_who_hold_it() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let (id, now) = (begun(&sessions, &clock).await, clock.now());
    let first = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    sessions.local.remove(&id.key());
    assert_eq!(sessions.is_live_near(&first, now), None, "the store knows");
    let second = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    for held in [&first, &second] {
        assert_eq!(sessions.is_live_near(held, now), Some(true));
    }
    // It was ended elsewhere, unheard.
    store.take(id.key().record_key(), now).await.unwrap();
    sessions.remote.as_ref().unwrap().begin_round(now);
    assert!(!sessions.is_live(&first, now).await.unwrap());
    assert!(sessions.local.get(&id.key()).is_none());
    // Nobody has to ask again, also when the store is away.
    store.away(true);
    for held in [&first, &second] {
        assert_eq!(sessions.is_live_near(held, now), Some(false));
    }
}

#[tokio::test]
async fn whoever_holds_a_session_that_ended_here_sees_it_without_asking() {
    let (store, clock) = (Switch::new(), clock());
    let now = clock.now();
    for sessions in
        [replica(&store, settings()), Sessions::in_memory(settings(), owners(), Arc::default())]
    {
        let id = begun(&sessions, &clock).await;
        let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
        assert_eq!(sessions.is_live_near(&live, now), Some(true));
        sessions.end(id.key(), Why::Operator, now).await.unwrap();
        assert_eq!(sessions.is_live_near(&live, now), Some(false));
    }
}

#[tokio::test]
async fn a_session_used_on_one_replica_is_not_idle_on_the_other() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let id = begun(&one, &clock).await;
    assert!(is_live(&two, &id, Activity::Alive, &clock).await);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(600));
        assert!(is_live(&one, &id, Activity::Alive, &clock).await);
        one.write_activity(one.remote.as_ref().unwrap(), clock.now()).await;
    }
    assert!(is_live(&two, &id, Activity::Alive, &clock).await);
    clock.advance(Duration::from_secs(901 + 60));
    assert!(!is_live(&two, &id, Activity::Alive, &clock).await, "nobody used it");
}

#[tokio::test]
async fn signs_of_life_are_told_seldom_and_at_the_end() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    let remote = sessions.remote.as_ref().unwrap();
    for _ in 0..1000 {
        clock.advance(Duration::from_millis(100));
        assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    }
    let told = remote.touches().len();
    assert!((1..=4).contains(&told), "{told} in 100 seconds");
    sessions.write_all_activity(clock.now()).await;
    let record = store.get(id.key().record_key(), clock.now()).await.unwrap().unwrap();
    assert_eq!(record.alive, clock.now().as_millisecond());
}

/// A user who may write to the store takes a session from its person, so that it is not found to be
/// ended.
#[tokio::test]
async fn a_session_that_was_given_to_another_person_in_the_store_is_good_for_nobody() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let (id, other) = (begun(&sessions, &clock).await, begun(&sessions, &clock).await);
    for (owner, is_good) in [(Some([1; 32]), false), (None, false)] {
        let mut record = store.get(id.key().record_key(), clock.now()).await.unwrap().unwrap();
        record.owner = owner;
        store.put(id.key().record_key(), record).await.unwrap();
        let fresh = replica(&store, settings());
        assert_eq!(is_live(&fresh, &id, Activity::Alive, &clock).await, is_good);
        assert!(is_live(&fresh, &other, Activity::Alive, &clock).await);
    }
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "nobody asked yet");
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(is_live(&sessions, &other, Activity::Alive, &clock).await);
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_once_in_a_moment() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let reads = || store.reads.swap(0, Ordering::SeqCst);
    let invented = SessionId::generate();
    for _ in 0..10 {
        assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
        assert_eq!(sessions.why_ended(&invented, clock.now()).await, None);
    }
    assert_eq!(reads(), 2, "for the session, and for why it ended");
    clock.advance(ABSENT_LIFE);
    assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
    assert_eq!(reads(), 1);
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
    assert_eq!(reads(), 1, "something may have been missed");
    for _ in 0..10 {
        assert!(!is_live(&sessions, &SessionId::generate(), Activity::Alive, &clock).await);
    }
    assert_eq!(reads(), 10, "others are asked for");
}

#[tokio::test]
async fn that_something_was_not_there_hides_nothing_that_is_here() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let id = SessionId::generate();
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
    sessions.insert(&id, session(id.key(), clock.now()), clock.now()).await.unwrap();
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    sessions.local.remove(&id.key());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "nor when it is remote only");
}

#[tokio::test]
async fn only_the_store_knows_of_what_is_not_near() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let (id, now) = (begun(&one, &clock).await, clock.now());
    let near = |sessions: &Sessions, id: &SessionId| sessions.find_near(id, Activity::Alive, now);
    assert!(matches!(near(&one, &id), Known::Live(_)));
    assert!(matches!(near(&two, &id), Known::Unknown));
    one.remote.as_ref().unwrap().begin_round(now);
    assert!(matches!(near(&one, &id), Known::Doubtful(_)));
    let alone = Sessions::in_memory(settings(), owners(), Arc::default());
    assert!(matches!(near(&alone, &id), Known::Nothing), "there is nobody to ask");
}

#[tokio::test]
async fn what_goes_away_of_another_kind_ends_no_session() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let attending =
        tokio::spawn(Arc::clone(&sessions).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let (id, other) = (begun(&sessions, &clock).await, begun(&sessions, &clock).await);
    let now = clock.now();
    // A note under the digest of the session.
    let record = store.get(id.key().record_key(), now).await.unwrap().unwrap();
    store.put(id.key().note(), record).await.unwrap();
    assert!(store.take(id.key().note(), now).await.unwrap().is_some());
    // What is heard of next is the end of the other one.
    store.take(other.key().record_key(), now).await.unwrap();
    let remote = sessions.remote.as_ref().unwrap();
    while sessions.local.get(&other.key()).is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(remote.ends.load(Ordering::SeqCst), 1);
    assert!(!sessions.local.get(&id.key()).unwrap().has_ended());
    attending.abort();
}
