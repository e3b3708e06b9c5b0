use super::*;
use crate::session::SessionId;
use crate::session::cached::{Activity, CachedSession};
use crate::session::testing::{session, settings};
use crate::store::memory::Memory;

const TIMEOUT: Duration = Duration::from_secs(600);
const SKEW: Duration = Duration::from_secs(60);

struct World {
    requests: HandoffRequests,
    home: Binding,
    now: Time,
}

fn world() -> World {
    let bounds = Bounds { entries: 100, bytes: 1 << 20 };
    let requests =
        HandoffRequests::new(Arc::new(Memory::new(1000)), Sealer::default(), TIMEOUT, bounds);
    World { requests, home: Binding::generate(), now: "2031-01-01T00:00:00Z".parse().unwrap() }
}

/// A session of a citizen who identified with a high level at that time.
fn signed_in(at: Time) -> ActiveSession {
    let key = SessionId::generate().key();
    CachedSession::new(key, session(key, at), at)
        .look(Activity::Alive, at, settings().idle)
        .unwrap()
}

fn network(number: u32) -> Network {
    Network::of(std::net::Ipv4Addr::from(number).into(), 32, 56)
}

impl World {
    async fn request(&self, max_age: Option<u64>) -> HandoffHandle {
        self.request_of(network(1), "/tax", max_age).await
    }

    async fn request_of(
        &self,
        network: Network,
        path: &str,
        max_age: Option<u64>,
    ) -> HandoffHandle {
        let max_age = max_age.map(Duration::from_secs);
        let requirement = AuthnRequirement { assurance: Assurance::Substantial, max_age };
        let (host, return_to) = ("b.example".to_owned(), ReturnTo::parse(path));
        let request = HandoffRequest { host, return_to, requirement, origin: Origin::Own };
        self.requests.begin(request, &Binding::generate(), network, self.now).await.unwrap()
    }

    async fn bring(
        &self,
        handle: &HandoffHandle,
        live: Option<&ActiveSession>,
    ) -> Result<Step, HandoffRefusal> {
        self.requests.bring(handle, &self.home, live, SKEW, self.now).await
    }
}

#[tokio::test]
async fn a_session_that_is_there_fulfils_it_once() {
    let w = world();
    let (handle, live) = (w.request(None).await, signed_in(w.now));
    let step = w.bring(&handle, Some(&live)).await.unwrap();
    assert!(matches!(step, Step::Fulfil(request, _) if request.host == "b.example"));
    assert_eq!(w.bring(&handle, Some(&live)).await.unwrap_err(), HandoffRefusal::RequestUsed);
    let unknown = HandoffHandle::generate();
    assert_eq!(w.bring(&unknown, Some(&live)).await.unwrap_err(), HandoffRefusal::UnknownRequest);
}

#[tokio::test]
async fn without_a_session_the_citizen_signs_in_first() {
    let w = world();
    let handle = w.request(None).await;
    assert!(matches!(w.bring(&handle, None).await.unwrap(), Step::SignIn(_, Try::First)));
    assert!(matches!(w.bring(&handle, None).await.unwrap(), Step::SignIn(_, Try::Further)));
    let live = signed_in(w.now);
    assert!(matches!(w.bring(&handle, Some(&live)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn it_belongs_to_the_first_browser_that_brings_it() {
    let w = world();
    let (handle, live) = (w.request(None).await, signed_in(w.now));
    w.bring(&handle, None).await.unwrap();
    let other = Binding::generate();
    let brought = w.requests.bring(&handle, &other, Some(&live), SKEW, w.now).await;
    assert_eq!(brought.unwrap_err(), HandoffRefusal::RequestOfOtherBrowser);
    assert!(w.requests.remembered(&handle, Some(&other), w.now).await.is_none());
    assert!(w.requests.remembered(&handle, None, w.now).await.is_none());
    assert!(w.requests.remembered(&handle, Some(&w.home), w.now).await.is_some());
    // It took nothing away.
    assert!(matches!(w.bring(&handle, Some(&live)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn an_expired_one_is_told_from_an_unknown_one() {
    let w = world();
    let handle = w.request(None).await;
    let end = later(w.now, TIMEOUT * 2);
    let brought = w.requests.bring(&handle, &w.home, None, SKEW, end).await;
    assert_eq!(brought.unwrap_err(), HandoffRefusal::RequestExpired);
    let just_before = later(w.now, TIMEOUT * 2 - Duration::from_millis(1));
    assert!(w.requests.bring(&handle, &w.home, None, SKEW, just_before).await.is_ok());
}

#[tokio::test]
async fn a_session_that_is_too_old_does_not_fulfil_it_and_a_newer_one_does() {
    let w = world();
    let old = signed_in(w.now - jiff::SignedDuration::from_secs(301));
    let recent = signed_in(w.now - jiff::SignedDuration::from_secs(299));
    let handle = w.request(Some(300)).await;
    assert!(matches!(w.bring(&handle, Some(&old)).await.unwrap(), Step::SignIn(..)));
    assert!(matches!(w.bring(&handle, Some(&recent)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn where_everybody_must_identify_anew_only_a_session_begun_for_the_wish_fulfils_it() {
    let w = world();
    let handle = w.request(Some(0)).await;
    // The one that is there is a moment old, and was there before.
    let before = signed_in(w.now);
    for expected in [Try::First, Try::Further] {
        let step = w.bring(&handle, Some(&before)).await.unwrap();
        assert!(matches!(step, Step::SignIn(_, which) if which == expected), "{step:?}");
    }
    // Another one, from before the hand-off, will not do either.
    let stale = signed_in(w.now - jiff::SignedDuration::from_secs(61));
    assert!(matches!(w.bring(&handle, Some(&stale)).await.unwrap(), Step::SignIn(..)));
    // The clock of the node may be behind ours.
    let anew = signed_in(w.now - jiff::SignedDuration::from_secs(59));
    assert!(matches!(w.bring(&handle, Some(&anew)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn nobody_is_sent_to_the_node_for_ever() {
    let w = world();
    let handle = w.request(None).await;
    for _ in 0..MOST_TRIES {
        w.bring(&handle, None).await.unwrap();
    }
    assert_eq!(w.bring(&handle, None).await.unwrap_err(), HandoffRefusal::TooManyTries);
    // A browser that is signed in by now goes on.
    let live = signed_in(w.now);
    assert!(matches!(w.bring(&handle, Some(&live)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn of_two_tabs_that_bring_it_at_once_one_fulfils_it() {
    let w = world();
    let (handle, live) = (w.request(None).await, signed_in(w.now));
    let (a, b) = tokio::join!(w.bring(&handle, Some(&live)), w.bring(&handle, Some(&live)));
    assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1);
    assert_eq!(a.err().or(b.err()), Some(HandoffRefusal::RequestUsed));
}

#[tokio::test]
async fn whoever_wishes_without_end_pushes_out_its_own_wishes_only() {
    let w = world();
    let (before, live) = (w.request_of(network(2), "/tax", None).await, signed_in(w.now));
    let first = w.request(None).await;
    for _ in 0..500 {
        w.request(None).await;
    }
    let after = w.request_of(network(3), "/tax", None).await;
    assert_eq!(w.requests.kept().0, 100);
    for handle in [before, after] {
        assert!(matches!(w.bring(&handle, Some(&live)).await.unwrap(), Step::Fulfil(..)));
    }
    let gone = w.bring(&first, Some(&live)).await;
    assert_eq!(gone.unwrap_err(), HandoffRefusal::UnknownRequest, "the twin: its oldest went");
}

#[tokio::test]
async fn long_addresses_are_bounded_by_their_bytes() {
    let bounds = Bounds { entries: 100_000, bytes: 1 << 20 };
    let requests =
        HandoffRequests::new(Arc::new(Memory::new(100_000)), Sealer::default(), TIMEOUT, bounds);
    let w = World { requests, ..world() };
    let longest = format!("/tax?q={}", "x".repeat(2000));
    let (honest, live) = (w.request_of(network(2), "/tax", None).await, signed_in(w.now));
    for _ in 0..1000 {
        w.request_of(network(1), &longest, None).await;
    }
    let (requests, bytes) = w.requests.kept();
    assert!(bytes <= 1 << 20 && (200..400).contains(&requests), "{requests} with {bytes} bytes");
    assert!(matches!(w.bring(&honest, Some(&live)).await.unwrap(), Step::Fulfil(..)));
}

#[tokio::test]
async fn a_new_session_fulfils_it_when_it_is_as_sure_and_as_new_as_was_asked_for_and_no_less() {
    use crate::session::testing::session_of;

    let w = world();
    let anew = |assurance, before: i64| {
        let key = SessionId::generate().key();
        let at = w.now - jiff::SignedDuration::from_millis(before);
        let held = CachedSession::new(key, session_of(assurance, key, at), at);
        held.look(Activity::Alive, at, settings().idle).unwrap()
    };
    let skew = 60_000;
    for (assurance, before, fulfils) in [
        (Assurance::High, 0, true),
        (Assurance::Substantial, 0, true),
        (Assurance::Low, 0, false),
        (Assurance::Substantial, skew, true),
        (Assurance::Substantial, skew + 1, false),
    ] {
        let handle = w.request(Some(0)).await;
        // Before the citizen was sent to sign in, no session will do.
        let step = w.bring(&handle, Some(&anew(assurance, before))).await.unwrap();
        assert!(matches!(step, Step::SignIn(_, Try::First)), "{step:?}");
        let step = w.bring(&handle, Some(&anew(assurance, before))).await.unwrap();
        let row = (assurance, before);
        assert_eq!(matches!(step, Step::Fulfil(..)), fulfils, "{row:?}: {step:?}");
    }
}

#[tokio::test]
async fn it_is_known_whether_the_wish_came_from_elsewhere_and_which_session_was_there_first() {
    let w = world();
    for origin in [Origin::Own, Origin::Elsewhere] {
        let requirement = AuthnRequirement { assurance: Assurance::Low, max_age: None };
        let (host, return_to) = ("b.example".to_owned(), ReturnTo::parse("/"));
        let request = HandoffRequest { host, return_to, requirement, origin };
        let begun = w.requests.begin(request, &Binding::generate(), network(1), w.now).await;
        let step = w.bring(&begun.unwrap(), Some(&signed_in(w.now))).await.unwrap();
        assert!(matches!(step, Step::Fulfil(request, _) if request.origin == origin));
    }
    // Whatever comes between, the first one is not taken for a new one.
    let handle = w.request(Some(0)).await;
    let (before, stale) = (signed_in(w.now), signed_in(later(Time::UNIX_EPOCH, TIMEOUT)));
    for live in [&before, &stale, &before] {
        let step = w.bring(&handle, Some(live)).await.unwrap();
        assert!(matches!(step, Step::SignIn(..)), "{step:?}");
    }
}

#[test]
fn a_wish_that_does_not_say_where_it_came_from_came_from_elsewhere() {
    assert_eq!(world().requests.lifetime(), 2 * TIMEOUT);
    let mut kept = serde_json::json!({
        "host": "b.example", "return_to": "/", "acr": Assurance::Low.uri(), "max_age": null,
        "binding": "x", "is_from_elsewhere": false, "home": null, "earlier": null,
        "tries": 0, "is_spent": false, "begun": 0, "expires": 0,
    });
    let is_from_elsewhere = |kept: &serde_json::Value| {
        serde_json::from_value::<StoredRequest>(kept.clone()).unwrap().is_from_elsewhere
    };
    assert!(!is_from_elsewhere(&kept));
    kept.as_object_mut().unwrap().remove("is_from_elsewhere");
    assert!(is_from_elsewhere(&kept));
}
