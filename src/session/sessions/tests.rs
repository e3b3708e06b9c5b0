//! The contract of sessions, near alone and with a place behind; and what a place changes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::*;
use crate::base::clock::{Clock, ManualClock};
use crate::base::secret::Secret;
use crate::session::testing::{session, settings};
use crate::store::memory::Memory;
use crate::store::{Event, Page, Work};

fn clock() -> ManualClock {
    ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap())
}

fn owners() -> PairwiseSecret {
    PairwiseSecret::new(vec![7; 32]).unwrap()
}

fn sealer() -> Sealer {
    Sealer::new(vec![Secret::new(b"secret of the servers".to_vec())])
}

fn replica(place: &Arc<Switch>, settings: Settings) -> Arc<Sessions> {
    Sessions::kept_in(Arc::clone(place) as Arc<dyn RecordStore>, sealer(), settings, owners())
}

/// A place that can be away.
struct Switch {
    memory: Memory,
    is_away: AtomicBool,
    /// Nothing can be kept, and what is there can be read.
    is_full: AtomicBool,
    is_deaf: AtomicBool,
    /// What is read takes a turn to arrive.
    is_slow: AtomicBool,
    /// How often something was read.
    reads: AtomicUsize,
}

impl Switch {
    fn new() -> Arc<Self> {
        let [is_away, is_full, is_deaf, is_slow] = [false; 4].map(AtomicBool::new);
        let (memory, reads) = (Memory::new(1000), AtomicUsize::new(0));
        Arc::new(Self { memory, is_away, is_full, is_deaf, is_slow, reads })
    }

    fn away(&self, away: bool) {
        self.is_away.store(away, Ordering::SeqCst);
    }

    fn or<'p, T: Send + 'p>(&self, work: Work<'p, T>) -> Work<'p, T> {
        if self.is_away.load(Ordering::SeqCst) {
            Box::pin(async { Err(Unavailable("it is away".to_owned())) })
        } else {
            work
        }
    }
}

impl RecordStore for Switch {
    fn put(&self, key: Key, record: Record) -> Work<'_, ()> {
        if self.is_full.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unavailable("it is full".to_owned())) });
        }
        self.or(self.memory.put(key, record))
    }
    fn put_new(&self, key: Key, record: Record, now: Time) -> Work<'_, bool> {
        self.or(self.memory.put_new(key, record, now))
    }
    fn swap(&self, key: Key, sealed: Bytes, record: Record, now: Time) -> Work<'_, bool> {
        self.or(self.memory.swap(key, sealed, record, now))
    }
    fn get(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.is_slow.load(Ordering::SeqCst) {
            let read = self.memory.get(key, now);
            return Box::pin(async {
                tokio::task::yield_now().await;
                read.await
            });
        }
        self.or(self.memory.get(key, now))
    }
    fn take(&self, key: Key, now: Time) -> Work<'_, Option<Record>> {
        if self.is_away.load(Ordering::SeqCst) {
            return Box::pin(async { Err(Unavailable("it is away".to_owned())) });
        }
        self.memory.take(key, now)
    }
    fn touch(&self, touches: Vec<Touch>) -> Work<'_, ()> {
        self.or(self.memory.touch(touches))
    }
    fn owned(
        &self,
        kind: Kind,
        owner: [u8; 32],
        limit: usize,
        now: Time,
    ) -> Work<'_, Vec<([u8; 32], Record)>> {
        self.or(self.memory.owned(kind, owner, limit, now))
    }
    fn list(&self, kind: Kind, after: Option<String>, limit: usize, now: Time) -> Work<'_, Page> {
        self.or(self.memory.list(kind, after, limit, now))
    }
    fn watch(&self) -> broadcast::Receiver<Event> {
        if self.is_deaf.load(Ordering::SeqCst) {
            broadcast::Sender::new(1).subscribe()
        } else {
            self.memory.watch()
        }
    }
    fn is_watching(&self) -> bool {
        !self.is_deaf.load(Ordering::SeqCst)
    }
    fn check(&self) -> Work<'_, ()> {
        self.or(self.memory.check())
    }
    fn close(&self) {
        self.memory.close();
    }
}

#[tokio::test]
async fn sessions_in_memory_keep_the_contract() {
    contract(&Sessions::in_memory(settings(), owners())).await;
}

#[tokio::test]
async fn sessions_in_a_place_keep_the_contract() {
    contract(&replica(&Switch::new(), settings())).await;
}

async fn contract(sessions: &Sessions) {
    let clock = clock();
    finds_what_was_inserted_and_nothing_else(sessions, &clock).await;
    ends_when_idle_but_not_before(sessions, &clock).await;
    background_use_does_not_prolong(sessions, &clock).await;
    ends_absolutely_however_alive(sessions, &clock).await;
    gives_a_removed_session_to_one_caller(sessions, &clock).await;
    tells_why_it_was_ended(sessions, &clock).await;
    lists_and_finds_all_of_a_person(sessions, &clock).await;
}

async fn begun(sessions: &Sessions, clock: &ManualClock) -> SessionId {
    let id = SessionId::generate();
    sessions.insert(&id, session(id.key(), clock.now()), clock.now()).await.unwrap();
    id
}

async fn is_live(sessions: &Sessions, id: &SessionId, a: Activity, clock: &ManualClock) -> bool {
    sessions.find(id, a, clock.now()).await.unwrap().is_some()
}

async fn finds_what_was_inserted_and_nothing_else(sessions: &Sessions, clock: &ManualClock) {
    let id = begun(sessions, clock).await;
    let live = sessions.find(&id, Activity::Alive, clock.now()).await.unwrap().unwrap();
    assert_eq!(live.session().public_name(), id.key().public_name());
    assert_eq!(live.idle_end(), later(clock.now(), settings().idle));
    assert!(!is_live(sessions, &SessionId::generate(), Activity::Alive, clock).await);
}

async fn ends_when_idle_but_not_before(sessions: &Sessions, clock: &ManualClock) {
    let id = begun(sessions, clock).await;
    for _ in 0..3 {
        clock.advance(Duration::from_secs(899));
        assert!(is_live(sessions, &id, Activity::Alive, clock).await);
    }
    clock.advance(Duration::from_secs(900));
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await);
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await, "it does not come back");
}

async fn background_use_does_not_prolong(sessions: &Sessions, clock: &ManualClock) {
    let id = begun(sessions, clock).await;
    clock.advance(Duration::from_secs(600));
    assert!(is_live(sessions, &id, Activity::Background, clock).await);
    clock.advance(Duration::from_secs(300));
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await);
}

async fn ends_absolutely_however_alive(sessions: &Sessions, clock: &ManualClock) {
    let id = begun(sessions, clock).await;
    for _ in 0..47 {
        clock.advance(Duration::from_secs(600));
        assert!(is_live(sessions, &id, Activity::Alive, clock).await);
    }
    clock.advance(Duration::from_secs(600));
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await);
}

async fn gives_a_removed_session_to_one_caller(sessions: &Sessions, clock: &ManualClock) {
    let id = begun(sessions, clock).await;
    let now = clock.now();
    let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    let (a, b) = tokio::join!(sessions.remove(&id, now), sessions.remove(&id, now));
    assert_eq!([a.unwrap(), b.unwrap()].iter().flatten().count(), 1);
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await);
    assert!(!sessions.is_live(&live, now).await.unwrap(), "who still holds it sees the end");
    assert_eq!(sessions.why_ended(&id, now).await, None, "the citizen knows why");
}

async fn tells_why_it_was_ended(sessions: &Sessions, clock: &ManualClock) {
    let (id, now) = (begun(sessions, clock).await, clock.now());
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    assert!(!sessions.end(id.key(), Why::Elsewhere, now).await.unwrap(), "it ends once");
    assert!(!is_live(sessions, &id, Activity::Alive, clock).await);
    assert_eq!(sessions.why_ended(&id, now).await, Some(Why::Operator));
}

async fn lists_and_finds_all_of_a_person(sessions: &Sessions, clock: &ManualClock) {
    let now = clock.now();
    let (one, two) = (begun(sessions, clock).await, begun(sessions, clock).await);
    let owner = owners().owner(session(one.key(), now).person());
    let of_person = sessions.list(Some(owner), None, 100, now).await.unwrap().sessions;
    for id in [&one, &two] {
        let seen = of_person.iter().find(|seen| seen.key == id.key()).unwrap();
        assert_eq!(seen.label.as_ref().unwrap().sid, id.key().public_name());
        assert_eq!((seen.alive, seen.owner), (now, owner));
    }
    let nobody = sessions.list(Some([1; 32]), None, 100, now).await.unwrap();
    assert!(nobody.sessions.is_empty());
    let (mut seen, mut next) = (Vec::new(), None);
    loop {
        let page = sessions.list(None, next, 1, now).await.unwrap();
        seen.extend(page.sessions.into_iter().map(|seen| seen.key));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert!(seen.contains(&one.key()) && seen.contains(&two.key()));
}

#[tokio::test]
async fn the_oldest_sessions_of_a_person_make_room() {
    for with_place in [false, true] {
        let clock = clock();
        let settings = Settings { maximum_per_person: 2, ..settings() };
        let sessions = match with_place {
            true => replica(&Switch::new(), settings),
            false => Sessions::in_memory(settings, owners()),
        };
        let mut ids = Vec::new();
        for _ in 0..3 {
            clock.advance(Duration::from_secs(1));
            ids.push(begun(&sessions, &clock).await);
        }
        let now = clock.now();
        assert!(sessions.find(&ids[0], Activity::Alive, now).await.unwrap().is_none());
        assert_eq!(sessions.why_ended(&ids[0], now).await, Some(Why::Elsewhere));
        for id in &ids[1..] {
            assert!(sessions.find(id, Activity::Alive, now).await.unwrap().is_some());
        }
    }
}

#[tokio::test]
async fn another_replica_finds_a_session_and_so_does_this_one_after_a_restart() {
    let (place, clock) = (Switch::new(), clock());
    let id = begun(&replica(&place, settings()), &clock).await;
    let other = replica(&place, settings());
    let live = other.find(&id, Activity::Alive, clock.now()).await.unwrap().unwrap();
    assert_eq!(live.session().person().pesel(), Some("44051401359"));
    // Without the secret of the servers it does not open, and nobody is signed in.
    let place: Arc<dyn RecordStore> = place;
    let stranger = Sessions::kept_in(place, Sealer::default(), settings(), owners());
    assert!(stranger.find(&id, Activity::Alive, clock.now()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_that_ends_on_one_replica_ends_on_all() {
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let attending =
        tokio::spawn(Arc::clone(&two).attend(Arc::new(crate::base::clock::SystemClock)));
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
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let attending =
        tokio::spawn(Arc::clone(&two).attend(Arc::new(crate::base::clock::SystemClock)));
    tokio::task::yield_now().await;
    let (id, now) = (begun(&one, &clock).await, clock.now());
    let found = two.find(&id, Activity::Alive, now);
    let mut found = std::pin::pin!(found);
    place.is_slow.store(true, Ordering::SeqCst);
    assert!(futures_util::poll!(found.as_mut()).is_pending(), "it was read");
    place.is_slow.store(false, Ordering::SeqCst);
    let far = two.far.as_ref().unwrap();
    one.end(id.key(), Why::Operator, now).await.unwrap();
    while far.ends.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(found.await.unwrap().is_none());
    assert!(two.find(&id, Activity::Alive, now).await.unwrap().is_none());
    attending.abort();
}

#[tokio::test]
async fn who_holds_a_session_that_is_near_no_more_sees_its_end_too() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let (id, now) = (begun(&sessions, &clock).await, clock.now());
    let live = sessions.find(&id, Activity::Alive, now).await.unwrap().unwrap();
    sessions.near.remove(&id.key());
    assert!(sessions.is_live(&live, now).await.unwrap());
    sessions.near.remove(&id.key());
    place.take(id.key().place(), now).await.unwrap();
    assert!(!sessions.is_live(&live, now).await.unwrap());
}

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

/// Attends to sessions until their place is not away any more.
async fn until_it_is_back(sessions: &Arc<Sessions>) {
    let attending =
        tokio::spawn(Arc::clone(sessions).attend(Arc::new(crate::base::clock::SystemClock)));
    let back = async {
        while sessions.is_away() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(2), back).await.unwrap();
    attending.abort();
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
async fn a_session_used_on_one_replica_is_not_idle_on_the_other() {
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let id = begun(&one, &clock).await;
    assert!(is_live(&two, &id, Activity::Alive, &clock).await);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(600));
        assert!(is_live(&one, &id, Activity::Alive, &clock).await);
        one.tell(one.far.as_ref().unwrap(), clock.now()).await;
    }
    assert!(is_live(&two, &id, Activity::Alive, &clock).await);
    clock.advance(Duration::from_secs(901 + 60));
    assert!(!is_live(&two, &id, Activity::Alive, &clock).await, "nobody used it");
}

#[tokio::test]
async fn signs_of_life_are_told_seldom_and_at_the_end() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let id = begun(&sessions, &clock).await;
    let far = sessions.far.as_ref().unwrap();
    for _ in 0..1000 {
        clock.advance(Duration::from_millis(100));
        assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    }
    let told = far.touches().len();
    assert!((1..=4).contains(&told), "{told} in 100 seconds");
    sessions.tell_all(clock.now()).await;
    let record = place.get(id.key().place(), clock.now()).await.unwrap().unwrap();
    assert_eq!(record.alive, clock.now().as_millisecond());
}

#[tokio::test]
async fn a_session_that_made_room_is_over_for_whoever_holds_it() {
    let clock = clock();
    let settings = Settings { maximum: 2, ..settings() };
    let sessions = Sessions::in_memory(settings, owners());
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
async fn a_session_that_made_room_near_is_found_in_its_place() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, Settings { maximum: 2, ..settings() });
    let oldest = begun(&sessions, &clock).await;
    let live = sessions.find(&oldest, Activity::Alive, clock.now()).await.unwrap().unwrap();
    clock.advance(Duration::from_secs(10));
    assert!(is_live(&sessions, &oldest, Activity::Alive, &clock).await);
    for _ in 0..2 {
        clock.advance(Duration::from_secs(1));
        begun(&sessions, &clock).await;
    }
    assert!(sessions.near.get(&oldest.key()).is_none());
    assert!(sessions.is_live(&live, clock.now()).await.unwrap());
    assert!(is_live(&sessions, &oldest, Activity::Alive, &clock).await);
    // The last sign of life was told although it was not due.
    sessions.tell(sessions.far.as_ref().unwrap(), clock.now()).await;
    let record = place.get(oldest.key().place(), clock.now()).await.unwrap().unwrap();
    assert!(
        record.alive
            >= later("2031-01-01T00:00:00Z".parse().unwrap(), Duration::from_secs(10))
                .as_millisecond()
    );
}

#[tokio::test]
async fn a_session_that_made_room_in_its_place_ends_near() {
    let clock = clock();
    let place: Arc<dyn RecordStore> = Arc::new(Memory::new(2));
    let sessions = Sessions::kept_in(place, sealer(), settings(), owners());
    let attending =
        tokio::spawn(Arc::clone(&sessions).attend(Arc::new(crate::base::clock::SystemClock)));
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

/// Whoever may write to the place takes a session from its person, so that it is not found to be ended.
#[tokio::test]
async fn a_session_that_was_given_to_another_person_in_the_place_is_good_for_nobody() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let (id, other) = (begun(&sessions, &clock).await, begun(&sessions, &clock).await);
    for (owner, is_good) in [(Some([1; 32]), false), (None, false)] {
        let mut record = place.get(id.key().place(), clock.now()).await.unwrap().unwrap();
        record.owner = owner;
        place.put(id.key().place(), record).await.unwrap();
        let fresh = replica(&place, settings());
        assert_eq!(is_live(&fresh, &id, Activity::Alive, &clock).await, is_good);
        assert!(is_live(&fresh, &other, Activity::Alive, &clock).await);
    }
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "nobody asked yet");
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
    assert!(is_live(&sessions, &other, Activity::Alive, &clock).await);
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_once_in_a_moment() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let reads = || place.reads.swap(0, Ordering::SeqCst);
    let invented = SessionId::generate();
    for _ in 0..10 {
        assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
        assert_eq!(sessions.why_ended(&invented, clock.now()).await, None);
    }
    assert_eq!(reads(), 2, "for the session, and for why it ended");
    clock.advance(ABSENT_LIFE);
    assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
    assert_eq!(reads(), 1);
    sessions.far.as_ref().unwrap().begin_round(clock.now());
    assert!(!is_live(&sessions, &invented, Activity::Alive, &clock).await);
    assert_eq!(reads(), 1, "something may have been missed");
    for _ in 0..10 {
        assert!(!is_live(&sessions, &SessionId::generate(), Activity::Alive, &clock).await);
    }
    assert_eq!(reads(), 10, "others are asked for");
}

#[tokio::test]
async fn that_something_was_not_there_hides_nothing_that_is_here() {
    let (place, clock) = (Switch::new(), clock());
    let sessions = replica(&place, settings());
    let id = SessionId::generate();
    assert!(!is_live(&sessions, &id, Activity::Alive, &clock).await);
    sessions.insert(&id, session(id.key(), clock.now()), clock.now()).await.unwrap();
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await);
    sessions.near.remove(&id.key());
    assert!(is_live(&sessions, &id, Activity::Alive, &clock).await, "nor when it is far only");
}

#[tokio::test]
async fn only_the_place_knows_of_what_is_not_near() {
    let (place, clock) = (Switch::new(), clock());
    let (one, two) = (replica(&place, settings()), replica(&place, settings()));
    let (id, now) = (begun(&one, &clock).await, clock.now());
    let near = |sessions: &Sessions, id: &SessionId| sessions.find_near(id, Activity::Alive, now);
    assert!(matches!(near(&one, &id), Known::Live(_)));
    assert!(matches!(near(&two, &id), Known::Unknown));
    one.far.as_ref().unwrap().begin_round(now);
    assert!(matches!(near(&one, &id), Known::Doubtful(_)));
    let alone = Sessions::in_memory(settings(), owners());
    assert!(matches!(near(&alone, &id), Known::Nothing), "there is nobody to ask");
}
