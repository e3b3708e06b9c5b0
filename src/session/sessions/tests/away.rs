//! What goes on while the store is away or is not heard.

use super::*;

#[tokio::test]
async fn who_hears_nothing_asks_again() {
    let store = Switch::new();
    store.is_deaf.store(true, Ordering::SeqCst);
    asks_again(&store).await;
}

#[tokio::test]
async fn who_is_told_nothing_any_more_asks_again() {
    let store = Switch::new();
    store.is_closed.store(true, Ordering::SeqCst);
    asks_again(&store).await;
}

async fn asks_again(store: &Arc<Switch>) {
    let clock = clock();
    let (one, two) = (replica(store, settings()), replica(store, settings()));
    let attending = tokio::spawn(Arc::clone(&two).serve(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let (id, now) = (begun(&one, &clock).await, clock.now());
    assert!(two.find(&id, Activity::Alive, now).await.unwrap().is_some());
    one.end(id.key(), Why::Operator, now).await.unwrap();
    let ended = async {
        while two.find(&id, Activity::Alive, now).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), ended).await.unwrap();
    attending.abort();
}

#[tokio::test]
async fn while_the_store_is_away_what_is_near_goes_on_for_a_grace_and_no_longer() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let id = begun(&one, &clock).await;
    // It was read long ago, and there was no reason to ask again since.
    clock.advance(2 * settings().grace);
    assert!(is_live(&one, &id, Activity::Alive, &clock).await);
    store.away(true);
    one.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&one, &id, Activity::Alive, &clock).await, "it was seen a moment ago");
    assert!(one.is_away());
    two.find(&id, Activity::Alive, clock.now()).await.expect_err("nothing is known of it");
    let unknown = SessionId::generate();
    one.find(&unknown, Activity::Alive, clock.now()).await.expect_err("nor of that");
    one.remove(&id, clock.now()).await.expect_err("it may still be there");
    let other = SessionId::generate();
    let refused = one.insert(&other, session(other.key(), clock.now()), clock.now()).await;
    refused.expect_err("nobody is signed in who cannot be kept");
    clock.advance(settings().grace);
    one.find(&id, Activity::Alive, clock.now()).await.expect_err("the grace is over");
    store.away(false);
    assert!(is_live(&one, &id, Activity::Alive, &clock).await, "it comes back by itself");
    until_it_is_back(&one).await;
}

#[tokio::test]
async fn nobody_who_is_near_waits_for_a_store_that_does_not_answer() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let ids = [begun(&sessions, &clock).await, begun(&sessions, &clock).await];
    store.away(true);
    for _ in 0..10 {
        sessions.remote.as_ref().unwrap().begin_round(clock.now());
        for id in &ids {
            assert!(is_live(&sessions, id, Activity::Alive, &clock).await);
        }
    }
    assert_eq!(store.reads.load(Ordering::SeqCst), 1, "the first found out for all");
    // One of them ends meanwhile; that shows as soon as the store is back.
    store.memory.take(ids[0].key().record_key(), clock.now()).await.unwrap();
    store.away(false);
    until_it_is_back(&sessions).await;
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &ids[0], Activity::Alive, &clock).await);
    assert!(is_live(&sessions, &ids[1], Activity::Alive, &clock).await);
}

#[tokio::test]
async fn a_store_that_takes_nothing_in_is_asked_as_ever() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    store.is_full.store(true, Ordering::SeqCst);
    let (other, now) = (SessionId::generate(), clock.now());
    sessions.insert(&other, session(other.key(), now), now).await.expect_err("it is full");
    assert!(sessions.is_away());
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(sessions.is_away(), "what can be read takes nothing in");
    // What ended elsewhere has ended, full or not.
    store.memory.take(id.key().record_key(), now).await.unwrap();
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
}

#[tokio::test]
async fn what_may_have_been_missed_while_the_store_answers_signs_nobody_out() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let (id, now) = (begun(&sessions, &clock).await, clock.now());
    sessions.remote.as_ref().unwrap().begin_round(now);
    store.is_slow.store(true, Ordering::SeqCst);
    let mut found = std::pin::pin!(sessions.find(&id, Activity::Alive, now));
    assert!(futures_util::poll!(found.as_mut()).is_pending(), "it is asked for again");
    sessions.remote.as_ref().unwrap().begin_round(now);
    assert!(found.await.unwrap().is_some());
}

#[tokio::test]
async fn an_absolute_end_needs_no_store() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    let live = sessions.find(&id, Activity::Alive, clock.now()).await.unwrap().unwrap();
    store.away(true);
    clock.advance(settings().absolute);
    assert!(!sessions.is_live(&live, clock.now()).await.unwrap());
}

#[tokio::test]
async fn a_session_that_has_just_begun_needs_no_question_and_has_the_grace() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = replica(&store, settings());
    let id = begun(&sessions, &clock).await;
    store.away(true);
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(!sessions.is_away(), "nobody asked");
    sessions.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "for the grace");
}

#[tokio::test]
async fn with_a_store_of_its_own_what_is_near_goes_on_for_the_grace_and_no_longer_too() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = alone(&store);
    let id = begun(&sessions, &clock).await;
    store.away(true);
    let unknown = SessionId::generate();
    sessions.find(&unknown, Activity::Alive, clock.now()).await.expect_err("it is away");
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "for the grace");
    clock.advance(settings().grace);
    sessions.find(&id, Activity::Alive, clock.now()).await.expect_err("the grace is over");
    store.away(false);
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "it comes back by itself");
}

#[tokio::test]
async fn an_end_holds_in_memory_until_a_store_of_its_own_takes_it() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (alone(&store), clock.now());
    let (ended, other) = (begun(&sessions, &clock).await, begun(&sessions, &clock).await);
    store.away(true);
    assert!(sessions.remove(&ended, now).await.unwrap().is_some());
    assert!(sessions.remove(&ended, now).await.unwrap().is_none(), "it has ended once");
    assert!(sessions.owes(&ended) && !sessions.owes(&other) && sessions.owed() == 1);
    // It takes nothing in, and whether it can be read is not known from that.
    let presence = |sessions: &Sessions| sessions.remote.as_ref().unwrap().presence.is_unread();
    assert!(sessions.is_away() && !presence(&sessions));
    let unknown = SessionId::generate().key();
    sessions.end(unknown, Why::Operator, now).await.expect_err("it may be there");
    store.away(false);
    // It is there still, and opens nothing.
    assert!(store.memory.get(ended.key().record_key(), now).await.unwrap().is_some());
    assert!(!is_live(&sessions, &ended, Activity::Alive, &clock).await);
    let remote = sessions.remote.as_ref().unwrap();
    sessions.settle_owed(remote, now).await;
    assert_eq!(sessions.owed(), 0);
    assert!(store.memory.get(ended.key().record_key(), now).await.unwrap().is_none());
    assert!(is_live(&sessions, &other, Activity::Alive, &clock).await);
    // The twin: where others use the store, it cannot end here alone.
    let shared = replica(&store, settings());
    let id = begun(&shared, &clock).await;
    store.away(true);
    shared.remove(&id, now).await.expect_err("the others would not know");
    assert!(!shared.owes(&id) && presence(&shared));
}

/// Two requests of one session, of which only one was near: the other has read it already, and comes
/// near after the end.
#[tokio::test]
async fn a_session_that_ends_in_memory_while_it_is_read_stays_ended() {
    let (store, clock) = (Switch::new(), clock());
    let now = clock.now();
    let id = begun(&alone(&store), &clock).await;
    // As after a restart: nothing is near.
    let sessions = alone(&store);
    let slow = sessions.find(&id, Activity::Alive, now);
    let mut slow = std::pin::pin!(slow);
    store.is_slow.store(true, Ordering::SeqCst);
    assert!(futures_util::poll!(slow.as_mut()).is_pending(), "it was read");
    store.is_slow.store(false, Ordering::SeqCst);
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    store.away(true);
    assert!(sessions.remove(&id, now).await.unwrap().is_some());
    assert!(slow.await.unwrap().is_none());
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(sessions.seen(id.key(), now).await.is_err(), "it cannot be read");
    store.away(false);
    assert!(sessions.seen(id.key(), now).await.unwrap().is_none(), "operators see it as ended");
}

#[tokio::test]
async fn of_two_who_end_a_session_in_memory_and_in_the_store_one_is_the_first() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (alone(&store), clock.now());
    let id = begun(&sessions, &clock).await;
    store.away(true);
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    store.away(false);
    // The store has it still, and gives it away once; the one who ended it was the first.
    assert!(!sessions.end(id.key(), Why::Operator, now).await.unwrap());
    assert_eq!(sessions.owed(), 0);
}

#[tokio::test]
async fn a_store_that_is_left_to_another_process_is_told_of_all_ends_and_of_none_later() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (alone(&store), clock.now());
    let mut ids = Vec::new();
    for _ in 0..70 {
        ids.push(begun(&sessions, &clock).await);
    }
    let late = begun(&sessions, &clock).await;
    store.away(true);
    for id in &ids {
        assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    }
    store.away(false);
    sessions.leave_store(now).await;
    assert_eq!(sessions.owed(), 0);
    for id in &ids {
        assert!(store.memory.get(id.key().record_key(), now).await.unwrap().is_none());
    }
    // Here it would hold, and not where the citizen comes next.
    store.away(true);
    sessions.remove(&late, now).await.expect_err("nobody would write it any more");
    assert!(!sessions.owes(&late));
}

/// It ends while this replica hears nothing and has no request for it, and then the store goes
/// away.
#[tokio::test]
async fn a_session_that_ended_unheard_is_not_served_for_longer_than_the_grace() {
    let (store, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&store, settings()), replica(&store, settings()));
    let (ended, used) = (begun(&one, &clock).await, begun(&one, &clock).await);
    for id in [&ended, &used] {
        assert!(is_live(&two, id, Activity::Alive, &clock).await);
    }
    // The channel is lost, and back.
    two.remote.as_ref().unwrap().begin_round(clock.now());
    one.end(ended.key(), Why::Operator, clock.now()).await.unwrap();
    clock.advance(settings().grace);
    assert!(is_live(&two, &used, Activity::Alive, &clock).await, "it is confirmed");
    store.away(true);
    two.find(&ended, Activity::Alive, clock.now()).await.expect_err("nobody knows");
    two.remote.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&two, &used, Activity::Alive, &clock).await, "for the grace");
    clock.advance(settings().grace);
    two.find(&used, Activity::Alive, clock.now()).await.expect_err("the grace is over");
}

#[tokio::test]
async fn it_is_said_how_long_the_store_is_away_and_whether_it_is_heard() {
    let (clock, store) = (clock(), Switch::new());
    let sessions = replica(&store, settings());
    begun(&sessions, &clock).await;
    assert!(sessions.hears_of_ends());
    store.is_deaf.store(true, Ordering::SeqCst);
    assert!(!sessions.hears_of_ends());
    store.away(true);
    let id = SessionId::generate();
    assert!(sessions.find(&id, Activity::Alive, clock.now()).await.is_err());
    assert_eq!(sessions.away_for(clock.now()), Duration::ZERO);
    clock.advance(Duration::from_secs(30));
    assert_eq!(sessions.away_for(clock.now()), Duration::from_secs(30));
}

#[tokio::test]
async fn what_is_over_anyway_does_not_end_in_memory_once_more() {
    let (store, clock) = (Switch::new(), clock());
    let sessions = alone(&store);
    let id = begun(&sessions, &clock).await;
    store.away(true);
    clock.advance(settings().idle);
    assert!(!sessions.end(id.key(), Why::Operator, clock.now()).await.unwrap());
    assert_eq!(sessions.owed(), 0);
}

#[tokio::test]
async fn a_store_that_is_left_while_it_takes_nothing_in_keeps_nobody_waiting() {
    let (store, clock) = (Switch::new(), clock());
    let (sessions, now) = (alone(&store), clock.now());
    let ids = [begun(&sessions, &clock).await, begun(&sessions, &clock).await];
    store.away(true);
    for id in &ids {
        assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    }
    let left = sessions.leave_store(now);
    tokio::time::timeout(Duration::from_secs(5), left).await.unwrap();
    assert_eq!(sessions.owed(), 2, "a restart would bring them back");
}
