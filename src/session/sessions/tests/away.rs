//! What goes on while the place is away or is not heard.

use super::*;

#[tokio::test]
async fn who_hears_nothing_asks_again() {
    let (place, clock) = (Switch::new(), clock());
    place.is_deaf.store(true, Ordering::SeqCst);
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let attending =
        tokio::spawn(Arc::clone(&two).attend(Arc::new(crate::base::clock::SystemClock)));
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
async fn while_the_place_is_away_what_is_near_goes_on_for_a_grace_and_no_longer() {
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let id = begun(&one, &clock).await;
    // It was read long ago, and nobody had to ask again since.
    clock.advance(2 * settings().grace);
    assert!(is_live(&one, &id, Activity::Alive, &clock).await);
    place.away(true);
    one.far.as_ref().unwrap().begin_round(clock.now());
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
    place.away(false);
    assert!(is_live(&one, &id, Activity::Alive, &clock).await, "it comes back by itself");
    until_it_is_back(&one).await;
}

#[tokio::test]
async fn nobody_who_is_near_waits_for_a_place_that_does_not_answer() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let ids = [begun(&sessions, &clock).await, begun(&sessions, &clock).await];
    place.away(true);
    for _ in 0..10 {
        sessions.far.as_ref().unwrap().begin_round(clock.now());
        for id in &ids {
            assert!(is_live(&sessions, id, Activity::Alive, &clock).await);
        }
    }
    assert_eq!(place.reads.load(Ordering::SeqCst), 1, "the first found out for all");
    // One of them ends meanwhile; that shows as soon as the place is back.
    place.memory.take(ids[0].key().place(), clock.now()).await.unwrap();
    place.away(false);
    until_it_is_back(&sessions).await;
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &ids[0], Activity::Alive, &clock).await);
    assert!(is_live(&sessions, &ids[1], Activity::Alive, &clock).await);
}

#[tokio::test]
async fn a_place_that_takes_nothing_in_is_asked_as_ever() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let id = begun(&sessions, &clock).await;
    place.is_full.store(true, Ordering::SeqCst);
    let (other, now) = (SessionId::generate(), clock.now());
    sessions.insert(&other, session(other.key(), now), now).await.expect_err("it is full");
    assert!(sessions.is_away());
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(sessions.is_away(), "what can be read takes nothing in");
    // What ended elsewhere has ended, full or not.
    place.memory.take(id.key().place(), now).await.unwrap();
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
}

#[tokio::test]
async fn what_may_have_been_missed_while_the_place_answers_signs_nobody_out() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let (id, now) = (begun(&sessions, &clock).await, clock.now());
    sessions.far.as_ref().unwrap().begin_round(now);
    place.is_slow.store(true, Ordering::SeqCst);
    let mut found = std::pin::pin!(sessions.find(&id, Activity::Alive, now));
    assert!(futures_util::poll!(found.as_mut()).is_pending(), "it is asked for again");
    sessions.far.as_ref().unwrap().begin_round(now);
    assert!(found.await.unwrap().is_some());
}

#[tokio::test]
async fn an_absolute_end_needs_no_place() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let id = begun(&sessions, &clock).await;
    let live = sessions.find(&id, Activity::Alive, clock.now()).await.unwrap().unwrap();
    place.away(true);
    clock.advance(settings().absolute);
    assert!(!sessions.is_live(&live, clock.now()).await.unwrap());
}

#[tokio::test]
async fn a_session_that_has_just_begun_needs_no_question_and_has_the_grace() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let id = begun(&sessions, &clock).await;
    place.away(true);
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(!sessions.is_away(), "nobody asked");
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "for the grace");
}

/// It ends while this replica hears nothing, nobody uses it, and then the place goes away.
#[tokio::test]
async fn a_session_that_ended_unheard_is_not_served_for_longer_than_the_grace() {
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let (ended, used) = (begun(&one, &clock).await, begun(&one, &clock).await);
    for id in [&ended, &used] {
        assert!(is_live(&two, id, Activity::Alive, &clock).await);
    }
    // The channel is lost, and back.
    two.far.as_ref().unwrap().begin_round(clock.now());
    one.end(ended.key(), Why::Operator, clock.now()).await.unwrap();
    clock.advance(settings().grace);
    assert!(is_live(&two, &used, Activity::Alive, &clock).await, "it is confirmed");
    place.away(true);
    two.find(&ended, Activity::Alive, clock.now()).await.expect_err("nobody knows");
    two.far.as_ref().unwrap().begin_round(clock.now());
    assert!(is_live(&two, &used, Activity::Alive, &clock).await, "for the grace");
    clock.advance(settings().grace);
    two.find(&used, Activity::Alive, clock.now()).await.expect_err("the grace is over");
}
