//! Histories that are kept and found, with a store that can be away.

use std::sync::Arc;
use std::time::Duration;

use super::{Bounded, Histories, History, MOST_VISITS, Outcome, Pen, Visit, What};
use crate::base::clock::{ManualClock, Time, later};
use crate::base::network::Network;
use crate::flow::losing::{Line, Losing};
use crate::observe::incident;
use crate::store::seal::Sealer;
use crate::store::{Kind, RecordStore as _};

const KEPT: Duration = Duration::from_secs(3600);

struct World {
    store: Arc<Losing>,
    sealer: Sealer,
    clock: Arc<ManualClock>,
    histories: Arc<Histories>,
}

impl World {
    fn begin() -> Self {
        let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
        let (store, sealer) = (Losing::with_room(100_000), Sealer::default());
        let histories = histories(&store, &sealer, &clock);
        Self { store, sealer, clock, histories }
    }

    /// Makes what another replica has.
    fn replica(&self) -> Arc<Histories> {
        histories(&self.store, &self.sealer, &self.clock)
    }

    /// Waits until nothing waits any more to be written.
    async fn written(&self) {
        while self.histories.is_writing() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn find(&self, text: &str) -> Option<History> {
        self.histories.find(text).await.unwrap()
    }
}

fn histories(store: &Arc<Losing>, sealer: &Sealer, clock: &Arc<ManualClock>) -> Arc<Histories> {
    let bounded = Bounded { kept_for: KEPT, bytes: 1 << 20 };
    Arc::new(Histories::new((Arc::clone(store) as _, sealer.clone()), bounded, clock.clone()))
}

fn network(number: u8) -> Network {
    Network::of([192, 0, 2, number].into(), 32, 56)
}

fn at() -> Time {
    "2031-03-04T10:20:30Z".parse().unwrap()
}

fn refused(reason: &str) -> Outcome {
    let (reason, page) = (reason.to_owned(), "AnswerRefused".to_owned());
    Outcome::Refused { reason, status: 502, page, finding: None, detail: String::new() }
}

fn signed_in() -> Outcome {
    Outcome::SignedIn { assurance: "high".to_owned(), again: false }
}

/// A visit of a login by a request.
fn visit(login: Option<&str>, request: &str, outcome: Outcome) -> History {
    let pen = Pen::begin();
    pen.note(|history| history.login = login.map(str::to_owned));
    pen.step(at(), What::Claimed);
    // In the order of the names of their requests.
    let began = later(at(), Duration::from_secs(u64::from(request.as_bytes()[0])));
    pen.end((began, began), (incident::number(request), request.to_owned()), outcome).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_login_is_found_by_everything_that_an_operator_has_of_it_at_every_replica() {
    let world = World::begin();
    let mut history = visit(Some("ID-1"), "request-1", refused("login.expired"));
    history.session = Some("sid-1".to_owned());
    world.histories.keep(history.clone(), network(1));
    world.written().await;
    let number = incident::number("request-1");
    let spoken = format!("{}-{}", &number[..4].to_lowercase(), &number[4..]);
    for histories in [&world.histories, &world.replica()] {
        for text in [&*number, &*spoken, "request-1", "ID-1", "sid-1", " sid-1\n"] {
            assert_eq!(histories.find(text).await.unwrap(), Some(history.clone()), "{text}");
        }
        for text in ["", "request-2", "ID-2", "AAAAAAAA", "login\0ID-1"] {
            assert_eq!(histories.find(text).await.unwrap(), None, "{text}");
        }
    }
    // The store learns none of what leads there, and cannot read it.
    let page = world.store.list(Kind::History, None, 100, at()).await.unwrap();
    assert_eq!(page.records.len(), 3);
    for (_, record) in page.records {
        assert!(memchr::memmem::find(&record.sealed, b"ID-1").is_none());
        assert!(record.label.is_empty() && record.owner.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_that_was_well_is_known_where_it_was_finished_and_costs_the_store_nothing() {
    let world = World::begin();
    let mut history = visit(Some("ID-1"), "request-1", signed_in());
    history.session = Some("sid-1".to_owned());
    world.histories.keep(history, network(1));
    world.written().await;
    for text in ["request-1", "ID-1", "sid-1"] {
        assert!(world.find(text).await.is_some(), "{text}");
        assert!(world.replica().find(text).await.unwrap().is_none(), "{text}");
    }
    let page = world.store.list(Kind::History, None, 100, at()).await.unwrap();
    assert!(page.records.is_empty());
    // It is told together with a visit that was refused, wherever that is kept.
    let refused = visit(Some("ID-1"), "request-0", refused("login.node_busy"));
    world.histories.keep(refused, network(1));
    world.written().await;
    for text in ["request-0", "sid-1"] {
        assert_eq!(world.find(text).await.unwrap().visits.len(), 2, "{text}");
    }
    assert_eq!(world.replica().find("request-0").await.unwrap().unwrap().visits.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn that_a_citizen_began_again_is_known_of_the_refusal_and_of_no_other() {
    let world = World::begin();
    for (login, request) in [(Some("ID-1"), "a"), (None, "b")] {
        world.histories.keep(visit(login, request, refused("login.used")), network(1));
        world.written().await;
        let mut again = visit(None, "c", Outcome::BeganAgain);
        again.follows = Some(incident::number(request));
        world.histories.keep(again, network(1));
        assert_eq!(world.find(request).await.unwrap().visits.len(), 2, "while it waits");
        world.written().await;
        let visits = world.find(request).await.unwrap().visits;
        assert_eq!(visits.last().unwrap().outcome, Outcome::BeganAgain);
        assert_eq!(world.find("c").await, None);
    }
    // Of what is not known nothing is begun.
    let mut again = visit(None, "d", Outcome::BeganAgain);
    again.follows = Some("AAAAAAAA".to_owned());
    world.histories.keep(again, network(1));
    world.written().await;
    assert_eq!(world.find("AAAAAAAA").await, None);
}

/// Whoever knows the number can begin as many logins as the limits let them.
#[tokio::test(start_paused = true)]
async fn beginning_again_keeps_a_history_no_longer_and_writes_no_more_than_is_shown() {
    let world = World::begin();
    world.histories.keep(visit(Some("ID-1"), "a", refused("login.used")), network(1));
    world.written().await;
    let kept = async || {
        let page = world.store.list(Kind::History, None, 100, at()).await.unwrap();
        let records = page.records.into_iter();
        records.map(|(_, record)| (record.sealed, record.expires)).collect::<Vec<_>>()
    };
    let before = kept().await;
    world.clock.advance(KEPT / 2);
    let again = |request: &str| {
        let mut again = visit(None, request, Outcome::BeganAgain);
        again.follows = Some(incident::number("a"));
        world.histories.keep(again, network(2));
    };
    for number in 1..MOST_VISITS {
        again(&format!("c{number}"));
    }
    world.written().await;
    assert_eq!(world.find("a").await.unwrap().visits.len(), MOST_VISITS, "the twin: they are told");
    let full = kept().await;
    assert_ne!(full, before);
    let times = |kept: &[(bytes::Bytes, Time)]| kept.iter().map(|kept| kept.1).collect::<Vec<_>>();
    assert_eq!(times(&full), times(&before));
    again("d");
    world.written().await;
    assert_eq!(kept().await, full, "nothing is written any more");
    world.clock.advance(KEPT / 2 + Duration::from_secs(1));
    assert_eq!(world.find("a").await, None);
}

#[tokio::test(start_paused = true)]
async fn visits_of_one_login_are_one_history_and_each_number_leads_there() {
    let world = World::begin();
    world.histories.keep(visit(Some("ID-1"), "a", refused("login.node_busy")), network(1));
    world.written().await;
    world.histories.keep(visit(Some("ID-1"), "b", signed_in()), network(1));
    world.written().await;
    for text in ["a", "b", "ID-1"] {
        let visits = world.find(text).await.unwrap().visits;
        let requests: Vec<_> = visits.iter().map(|visit| &*visit.request).collect();
        assert_eq!(requests, ["a", "b"], "{text}");
    }
    for number in 0..2 * MOST_VISITS {
        let request = format!("c{number}");
        world.histories.keep(visit(Some("ID-1"), &request, refused("login.used")), network(1));
    }
    world.written().await;
    let all = world.find("a").await.unwrap();
    let more = usize::try_from(all.more_visits).unwrap();
    assert_eq!((all.visits.len(), all.visits.len() + more), (MOST_VISITS, 2 + 2 * MOST_VISITS));
}

#[tokio::test(start_paused = true)]
async fn what_is_of_no_known_login_is_found_by_its_number_alone() {
    let world = World::begin();
    world.histories.keep(visit(None, "a", refused("login.other_browser")), network(1));
    world.histories.keep(visit(None, "b", refused("login.other_browser")), network(1));
    world.written().await;
    for text in ["a", "b"] {
        assert_eq!(world.find(text).await.unwrap().visits.len(), 1, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_history_is_over_when_its_time_is_and_none_is_kept_for_no_time() {
    let world = World::begin();
    world.histories.keep(visit(Some("ID-1"), "a", refused("login.used")), network(1));
    world.written().await;
    world.clock.advance(KEPT - Duration::from_secs(1));
    assert!(world.find("a").await.is_some());
    world.clock.advance(Duration::from_secs(1));
    assert!(world.find("a").await.is_none());
    world.histories.keep_for(Duration::ZERO);
    world.histories.keep(visit(Some("ID-2"), "b", refused("login.used")), network(1));
    assert!(!world.histories.is_writing());
    assert!(world.find("b").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_histories_wait_and_are_found() {
    let world = World::begin();
    world.store.becomes(Line::Cut);
    for request in ["a", "b"] {
        let history = visit(Some("ID-1"), request, refused("session.store_unavailable"));
        world.histories.keep(history, network(1));
    }
    assert_eq!(world.find("a").await.unwrap().visits.len(), 2);
    assert!(world.histories.find("c").await.is_err(), "of the rest nothing is known");
    world.store.becomes(Line::Good);
    world.written().await;
    assert_eq!(world.find("b").await.unwrap().visits.len(), 2);
    assert_eq!(world.replica().find("a").await.unwrap().unwrap().visits.len(), 2);
    assert_eq!(world.histories.lost().value(), 0);
}

#[tokio::test(start_paused = true)]
async fn no_network_pushes_out_what_another_has_and_no_login_that_was_well_one_that_was_not() {
    let world = World::begin();
    let history = |login: &str, outcome| visit(Some(login), login, outcome);
    world.histories.keep(history("ID-1", refused("login.expired")), network(1));
    for number in 0..2000 {
        world.histories.keep(history(&format!("ID-a{number}"), refused("x")), network(2));
        world.histories.keep(history(&format!("ID-b{number}"), signed_in()), network(1));
        if number % 500 == 0 {
            world.written().await;
        }
    }
    world.written().await;
    assert!(world.find("ID-1").await.is_some());
    assert!(world.find("ID-a0").await.is_none(), "what it has itself makes room");
    assert!(world.find("ID-a1999").await.is_some());
    for usage in world.histories.usage() {
        assert!(usage.bytes <= 1 << 20, "{usage:?}");
    }
}

#[test]
fn a_pen_without_paper_writes_nothing_and_one_with_it_no_more_than_some() {
    let none = Pen::none();
    none.step(at(), What::Claimed);
    assert_eq!(none.end((at(), at()), Default::default(), signed_in()), None);
    let pen = Pen::begin();
    for _ in 0..1000 {
        pen.step(later(at(), KEPT), What::Claimed);
    }
    let history = pen.end((at(), at()), Default::default(), signed_in()).unwrap();
    let [Visit { steps, .. }] = &history.visits[..] else { panic!("one visit") };
    assert_eq!(steps.len(), super::MOST_STEPS);
}
