//! What holds for sessions in memory and in a store alike.

use super::*;

#[tokio::test]
async fn sessions_in_memory_keep_the_contract() {
    contract(&Sessions::in_memory(settings(), owners(), Arc::default())).await;
}

#[tokio::test]
async fn sessions_in_a_store_keep_the_contract() {
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
    says_how_many_there_are_and_what_is_heard(sessions, &clock).await;
}

async fn says_how_many_there_are_and_what_is_heard(sessions: &Sessions, clock: &ManualClock) {
    let before = sessions.count_near();
    let ids = [begun(sessions, clock).await, begun(sessions, clock).await];
    assert_eq!(sessions.count_near(), before + 2);
    assert_eq!(sessions.maximum(), settings().maximum);
    assert_eq!(sessions.away_for(clock.now()), Duration::ZERO);
    assert!(sessions.hears_of_ends());
    let live = sessions.find(&ids[0], Activity::Alive, clock.now()).await.unwrap().unwrap();
    assert_eq!(live.idle(), settings().idle);
    // By what operators call a person.
    let owner = owners().owner(live.session().person());
    assert_eq!(sessions.owner("pesel", "44051401359"), Some(owner));
    for (kind, identifier) in [
        ("pesel", "DE/PL/1"),
        ("cross_border", "44051401359"),
        ("given_name", "44051401359"),
        ("", ""),
    ] {
        assert_eq!(sessions.owner(kind, identifier), None, "{kind} {identifier}");
    }
    let [login, border] = [("login_name", "44051401359"), ("cross_border", "DE/PL/1")]
        .map(|(kind, identifier)| sessions.owner(kind, identifier).unwrap());
    assert!(login != owner && border != owner && login != border);
    // The one that is seen is the one that is asked for.
    let seen = sessions.seen(ids[1].key(), clock.now()).await.unwrap().unwrap();
    assert_eq!((seen.key, seen.owner), (ids[1].key(), owner));
    assert!(sessions.seen(SessionId::generate().key(), clock.now()).await.unwrap().is_none());
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
    let counted = |why: Why| {
        let all = sessions.events.counts().sessions_ended.all();
        all.iter().find(|(name, _)| *name == why.name()).map_or(0, |(_, count)| *count)
    };
    let before = [counted(Why::Operator), counted(Why::Elsewhere)];
    assert!(sessions.end(id.key(), Why::Operator, now).await.unwrap());
    assert!(!sessions.end(id.key(), Why::Elsewhere, now).await.unwrap(), "it ends once");
    assert_eq!([counted(Why::Operator), counted(Why::Elsewhere)], [before[0] + 1, before[1]]);
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
        assert!(page.sessions.len() <= 1, "no more than was asked for");
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
            false => Sessions::in_memory(settings, owners(), Arc::default()),
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
async fn what_is_over_and_not_swept_out_is_not_listed() {
    let clock = clock();
    let sessions = Sessions::in_memory(settings(), owners(), Arc::default());
    let over = begun(&sessions, &clock).await;
    clock.advance(settings().idle);
    let live = begun(&sessions, &clock).await;
    assert_eq!(sessions.count_near(), 2);
    let listed = sessions.list(None, None, 10, clock.now()).await.unwrap().sessions;
    assert_eq!(listed.iter().map(|seen| seen.key).collect::<Vec<_>>(), [live.key()]);
    assert!(sessions.seen(over.key(), clock.now()).await.unwrap().is_none());
}
