use bytes::Bytes;
use futures_util::future::poll_immediate;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};

use super::*;
use crate::base::clock::{Clock as _, ManualClock};
use crate::base::secret::Secret;
use crate::identity::claims::PairwiseSecret;
use crate::observe::event::{Ear, Event, Told};
use crate::observe::events::Events;
use crate::operations::operators::{Operator, Operators, Role, Shown as Shows};
use crate::session::testing::session;
use crate::session::{self, SessionId};
use crate::wire::incoming::Incoming;

const TOKEN: &str = "jan-0123456789abcdef0123456789abcdef";

/// What operators did, as it was told.
#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Ear for Heard {
    fn hear(&self, told: &Told<'_>) {
        if let Event::AdminActed { admin, action } = &told.event {
            self.0.lock().unwrap().push(format!("{admin}: {action:?}"));
        }
    }
}

struct World {
    desk: SessionDesk,
    sessions: Arc<Sessions>,
    operators: Arc<Operators>,
    clock: Arc<ManualClock>,
    heard: Arc<Heard>,
}

impl World {
    fn new() -> Self {
        let heard = Arc::new(Heard::default());
        let clock = Arc::new(ManualClock::at("2031-03-04T10:20:30Z".parse().unwrap()));
        let settings = session::Settings {
            idle: Duration::from_secs(900),
            absolute: Duration::from_secs(28_800),
            maximum: 100,
            maximum_per_person: 0,
            grace: Duration::from_secs(300),
        };
        let owners = PairwiseSecret::new(vec![7; PairwiseSecret::LEAST]).unwrap();
        let events = Events::new(vec![Arc::clone(&heard) as _]);
        let sessions = Sessions::in_memory(settings, owners, events);
        let desk = SessionDesk::new(Arc::clone(&sessions), Arc::clone(&clock) as _);
        let operators = Operators::new(&[Self::jan()], Arc::clone(&clock) as _);
        Self { desk, sessions, operators, clock, heard }
    }

    fn jan() -> Operator {
        let token = Some(Secret::new(TOKEN.as_bytes().to_vec()));
        let (name, role) = ("jan".to_owned(), Role::Write);
        Operator { name, role, token, token_file: None, certificate_name: None }
    }

    /// A request of an operator who is admitted.
    fn call(&self, body: &'static str) -> Call {
        let request = Request::builder()
            .method(Method::POST)
            .uri("/sessions/end")
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, format!("Bearer {TOKEN}"))
            .body(Incoming::whole(Bytes::from_static(body.as_bytes())));
        let (head, body) = request.unwrap().into_parts();
        let shows = Shows { headers: &head.headers, certificate: None, may_be_password: false };
        let admin = Some(self.operators.admit(&shows, Role::Write).unwrap());
        Call { head, body, admin, name: String::new(), from: [127, 0, 0, 1].into() }
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.0.lock().unwrap())
    }
}

const ALL: &str = "{\"all\":true}";
const PERSON: &str = "{\"kind\":\"pesel\",\"identifier\":\"44051401359\"}";

#[tokio::test]
async fn what_was_begun_is_told_although_the_operator_leaves() {
    let world = World::new();
    // Dropped while it waits, as when the connection ends.
    assert!(poll_immediate(Box::pin(world.desk.end_many(world.call(ALL)))).await.is_none());
    assert!(world.heard().is_empty(), "it is under way");
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let heard = world.heard();
    assert!(heard.len() == 1 && heard[0].starts_with("jan: EndedSessions"), "{heard:?}");
    // And so it is with one.
    let (id, now) = (SessionId::generate(), world.clock.now());
    world.sessions.insert(&id, session(id.key(), now), now).await.unwrap();
    let call = Call { name: hex_lower(&id.key().bytes()), ..world.call("") };
    assert!(poll_immediate(Box::pin(world.desk.end(call))).await.is_none());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let heard = world.heard();
    assert!(heard.len() == 1 && heard[0].starts_with("jan: EndedSession "), "{heard:?}");
    let none = world.sessions.list(None, None, 1, now).await.unwrap();
    assert!(none.sessions.is_empty());
}

#[tokio::test]
async fn who_is_no_operator_any_more_once_the_body_is_there_does_nothing() {
    let world = World::new();
    let (call, twin) = (world.call(ALL), world.call(ALL));
    assert!(world.desk.end_many(twin).await.is_ok());
    world.heard();
    world.operators.replace(&[Operator { role: Role::Read, ..World::jan() }]);
    assert_eq!(world.desk.end_many(call).await.unwrap_err(), Problem::Unauthorized);
    assert!(world.heard().is_empty());
}

#[tokio::test]
async fn nobody_acts_without_a_name() {
    let world = World::new();
    for body in [ALL, PERSON] {
        let call = Call { admin: None, ..world.call(body) };
        let done = match body {
            ALL => world.desk.end_many(call).await,
            _ => world.desk.owner(call).await,
        };
        assert_eq!(done.unwrap_err(), Problem::Unauthorized);
    }
    assert!(world.heard().is_empty());
}

#[tokio::test]
async fn who_finds_persons_is_told_of_and_finds_so_many_in_a_minute() {
    let world = World::new();
    let find = || world.desk.owner(world.call(PERSON));
    for _ in 0..MOST_FOUND {
        assert!(find().await.is_ok());
    }
    let heard = world.heard();
    assert_eq!(heard.len(), MOST_FOUND as usize);
    assert!(heard[0].starts_with("jan: FoundOwner") && !heard[0].contains("44051401359"));
    let refused = find().await.unwrap_err();
    assert!(matches!(refused, Problem::TooMany(_)), "{refused:?}");
    assert!(world.heard().is_empty());
    world.clock.advance(MINUTE);
    assert!(find().await.is_ok());
}
