//! The same session at another host: a second cookie that leads to it.
//!
//! A portal on an unrelated domain cannot have the cookie of the registered host, so it gets one of
//! its own, a linked session.
//!
//! 1. There is one session, whatever the host: its limits, its signs of life and its end are those
//!    of all its linked sessions, and a person who is signed in at three hosts has one session, not
//!    three.
//! 2. A linked session is made of a session that lives ([`ActiveSession`]), and of nothing else. It
//!    is made in one place only, [`crate::flow::handoff::steps`].
//! 3. It leads on at the host that it was made for. The cookie of the registered host leads nowhere
//!    at another host and a linked session leads nowhere at the registered one: they are looked for
//!    among records of different kinds.
//! 4. The record is sealed with the id in the cookie. It holds the id of the session, so a thief of
//!    the cookie of one host does not have that of another.
//! 5. It goes away at the absolute end of its session. When the session ends earlier, it leads
//!    nowhere from that moment on.
//!
//! What was read is kept near for a while and then asked for again; while the store is away, what
//! is near goes on, because whether the session lives is decided by [`super::sessions`] with its
//! own grace.

use std::sync::Arc;
use std::time::Duration;

use moka::policy::EvictionPolicy;
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use super::cached::ActiveSession;
use super::{SessionId, Settings};
use crate::base::clock::{Time, later};
use crate::store::mark::Marker;
use crate::store::seal::Sealer;
use crate::store::sealed::{Handle, HandleKind, Handles, JsonContent};
use crate::store::{Digest, Kind, RecordStore, Unavailable};

/// The secret in the cookie of another host.
pub type LinkedSessionId = Handle<LinkedSessions>;

impl HandleKind for LinkedSessions {
    const KIND: Kind = Kind::LinkedSession;
}

/// What is known of a linked session without asking the store.
#[derive(Debug)]
pub enum KnownLink {
    /// Where it leads, if anywhere.
    Leads(Option<SessionId>),
    /// It was found here before, and the store says whether it is still there.
    Doubtful,
    /// Only the store knows.
    Unknown,
}

/// The linked sessions in the store, and those that this process knows.
pub struct LinkedSessions {
    handles: Handles<StoredLink>,
    marks: Marker,
    near: Cache<Digest, Arc<Known>>,
    /// What is not in the store, and until when that is good.
    absent: Cache<Digest, Time>,
}

struct Known {
    host: String,
    session: SessionId,
    /// When the store is asked again.
    until: Time,
}

/// The form in which a linked session is kept. Fields are only ever added.
#[derive(Serialize, Deserialize)]
struct StoredLink {
    host: String,
    session: String,
}

impl JsonContent for StoredLink {
    type Handles = LinkedSessions;
}

impl LinkedSessions {
    /// Makes linked sessions that are kept in a store.
    #[must_use]
    pub fn new(store: Arc<dyn RecordStore>, sealer: Sealer, settings: &Settings) -> Self {
        let near = Cache::builder()
            .max_capacity(settings.maximum)
            .eviction_policy(EvictionPolicy::lru())
            // Only for tidiness.
            .time_to_live(settings.absolute)
            .build();
        // Only for tidiness: how long it is good is decided by our own clock.
        let absent = Cache::builder().max_capacity(ABSENT).time_to_live(10 * NEAR).build();
        let marks = Marker::new(sealer.clone(), Kind::LinkedSession);
        Self { handles: Handles::new(store, sealer), marks, near, absent }
    }

    /// Takes the value of a cookie, when it is an id that we made.
    #[must_use]
    pub fn recognise(&self, cookie: &str) -> Option<LinkedSessionId> {
        self.marks.is_ours(cookie).then(|| LinkedSessionId::of(cookie.to_owned()))
    }

    /// Begins a linked session of a session, which lives, at a host, with an id that was never used
    /// before.
    ///
    /// # Errors
    /// When it cannot be kept: then the citizen is not signed in there.
    pub async fn begin(
        &self,
        session: &SessionId,
        live: &ActiveSession,
        host: &str,
        now: Time,
    ) -> Result<LinkedSessionId, Unavailable> {
        if session.key() != live.key() {
            return Err(Unavailable("session is not the one that lives".to_owned()));
        }
        let linked = LinkedSessionId::of(self.marks.make());
        let kept = StoredLink { host: host.to_owned(), session: session.expose().to_owned() };
        match self.handles.begin(&linked, &kept, live.session().end(), now).await? {
            Some(_) => Ok(linked),
            None => Err(Unavailable("id of a linked session is there already".to_owned())),
        }
    }

    /// Says what is known of a linked session without asking the store.
    #[must_use]
    pub fn find_near(&self, linked: &LinkedSessionId, host: &str, now: Time) -> KnownLink {
        let digest = linked.key().digest;
        if self.absent.get(&digest).is_some_and(|until| now < until) {
            return KnownLink::Leads(None);
        }
        match self.near.get(&digest) {
            Some(found) if now < found.until => KnownLink::Leads(found.at(host)),
            Some(_) => KnownLink::Doubtful,
            None => KnownLink::Unknown,
        }
    }

    /// Finds the session that a linked session leads to at a host. Whether it still lives is
    /// another question.
    ///
    /// # Errors
    /// When nothing is known of it because the store is away.
    pub async fn find(
        &self,
        linked: &LinkedSessionId,
        host: &str,
        now: Time,
    ) -> Result<Option<SessionId>, Unavailable> {
        let digest = linked.key().digest;
        let near = self.near.get(&digest);
        if let Some(known) = near.as_ref().filter(|known| now < known.until) {
            return Ok(known.at(host));
        }
        let found = self.handles.find(linked, now).await;
        match (found, near) {
            (Ok(Some(found)), _) => {
                let Some(known) = Known::of(found.value, now) else { return Ok(None) };
                let session = known.at(host);
                self.near.insert(digest, Arc::new(known));
                Ok(session)
            }
            (Ok(None), _) => {
                self.near.invalidate(&digest);
                // Ids are ours, so what comes to be later has another one.
                self.absent.insert(digest, later(now, NEAR));
                Ok(None)
            }
            (Err(_), Some(known)) => Ok(known.at(host)),
            (Err(away), None) => Err(away),
        }
    }

    /// Forgets a linked session. Its session goes on.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn forget(&self, linked: &LinkedSessionId, now: Time) -> Result<(), Unavailable> {
        let digest = linked.key().digest;
        self.near.invalidate(&digest);
        self.handles.discard(digest, now).await
    }
}

impl Known {
    fn of(kept: StoredLink, now: Time) -> Option<Self> {
        let session = SessionId::parse(&kept.session)?;
        Some(Self { host: kept.host, session, until: later(now, NEAR) })
    }

    fn at(&self, host: &str) -> Option<SessionId> {
        (self.host == host).then(|| self.session.clone())
    }
}

/// How long the store is not asked again. What a linked session leads to never changes, so this
/// only bounds for how long one that was forgotten at another replica still leads to its session,
/// if that lives.
const NEAR: Duration = Duration::from_secs(30);
/// Of how many it is remembered that they are not there.
const ABSENT: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::super::cached::{Activity, CachedSession};
    use super::super::testing::{session, settings};
    use super::*;
    use crate::base::secret::Secret;
    use crate::store::memory::Memory;

    const HOST: &str = "b.example";

    fn invented() -> LinkedSessionId {
        LinkedSessionId::of(crate::base::random::long_handle())
    }

    struct World {
        store: Arc<Memory>,
        sealer: Sealer,
        linked_sessions: LinkedSessions,
        id: SessionId,
        live: ActiveSession,
        now: Time,
    }

    fn world() -> World {
        let store = Arc::new(Memory::new(100));
        let sealer = Sealer::default();
        let linked_sessions = LinkedSessions::new(store.clone(), sealer.clone(), &settings());
        let (id, now) = (SessionId::generate(), "2031-01-01T00:00:00Z".parse().unwrap());
        let held = CachedSession::new(id.key(), session(id.key(), now), now);
        let live = held.look(Activity::Alive, now, settings().idle).unwrap();
        World { store, sealer, linked_sessions, id, live, now }
    }

    #[tokio::test]
    async fn a_linked_session_leads_to_its_session_at_its_host_and_nowhere_else() {
        let w = world();
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        // Asked of the store, and of what is near.
        for _ in 0..2 {
            let found = w.linked_sessions.find(&linked, HOST, w.now).await.unwrap();
            assert_eq!(found.unwrap().key(), w.id.key());
            for other in ["c.example", "", "b.example."] {
                assert!(w.linked_sessions.find(&linked, other, w.now).await.unwrap().is_none());
            }
        }
        assert_ne!(linked.expose(), w.id.expose());
        let unknown = invented();
        assert!(w.linked_sessions.find(&unknown, HOST, w.now).await.unwrap().is_none());
        let session = LinkedSessionId::of(w.id.expose().to_owned());
        assert!(w.linked_sessions.find(&session, HOST, w.now).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_id_of_a_linked_session_is_known_by_its_mark() {
        let secret = || Sealer::new(vec![Secret::new(b"server".to_vec())]);
        let w = World {
            linked_sessions: LinkedSessions::new(world().store, secret(), &settings()),
            ..world()
        };
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        assert!(w.linked_sessions.recognise(linked.expose()).is_some());
        let session = SessionId::make(&Marker::new(secret(), Kind::Session));
        for other in [invented().expose(), session.expose(), ""] {
            assert!(w.linked_sessions.recognise(other).is_none(), "{other}");
        }
    }

    #[tokio::test]
    async fn an_invented_id_costs_the_store_one_look_and_hides_nothing() {
        let w = world();
        let invented = invented();
        let near = |linked, now| w.linked_sessions.find_near(linked, HOST, now);
        assert!(matches!(near(&invented, w.now), KnownLink::Unknown));
        assert!(w.linked_sessions.find(&invented, HOST, w.now).await.unwrap().is_none());
        let after = |by| later(w.now, by);
        let just_before = after(NEAR - Duration::from_millis(1));
        assert!(matches!(near(&invented, just_before), KnownLink::Leads(None)));
        assert!(matches!(near(&invented, after(NEAR)), KnownLink::Unknown), "it is asked again");
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        assert!(w.linked_sessions.find(&linked, HOST, w.now).await.unwrap().is_some());
        assert!(matches!(near(&linked, w.now), KnownLink::Leads(Some(_))));
        assert!(
            matches!(near(&linked, after(NEAR)), KnownLink::Doubtful),
            "and still no invention"
        );
    }

    #[tokio::test]
    async fn a_linked_session_ends_with_its_session_at_the_latest() {
        let w = world();
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        let end = w.live.session().end();
        let just_before = end - jiff::SignedDuration::from_millis(1);
        assert!(w.linked_sessions.find(&linked, HOST, just_before).await.unwrap().is_some());
        let others = LinkedSessions::new(w.store.clone(), w.sealer.clone(), &settings());
        assert!(others.find(&linked, HOST, end).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_linked_session_that_is_forgotten_leads_nowhere_here_at_once_and_elsewhere_soon() {
        let w = world();
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        let others = LinkedSessions::new(w.store.clone(), w.sealer.clone(), &settings());
        // Both have it near, so that the store alone would not do.
        for known in [&w.linked_sessions, &others] {
            assert!(known.find(&linked, HOST, w.now).await.unwrap().is_some());
            let near = known.find_near(&linked, HOST, w.now);
            assert!(matches!(near, KnownLink::Leads(Some(_))));
        }
        w.linked_sessions.forget(&linked, w.now).await.unwrap();
        assert!(!matches!(
            w.linked_sessions.find_near(&linked, HOST, w.now),
            KnownLink::Leads(Some(_))
        ));
        assert!(w.linked_sessions.find(&linked, HOST, w.now).await.unwrap().is_none());
        let soon = later(w.now, NEAR);
        let just_before = soon - jiff::SignedDuration::from_millis(1);
        assert!(others.find(&linked, HOST, just_before).await.unwrap().is_some());
        assert!(others.find(&linked, HOST, soon).await.unwrap().is_none());
        // Nothing of it is left that could be believed when the store is away.
        let after = others.find_near(&linked, HOST, later(soon, NEAR));
        assert!(matches!(after, KnownLink::Unknown), "{after:?}");
    }

    #[tokio::test]
    async fn a_linked_session_is_made_only_of_the_session_that_lives() {
        let w = world();
        let other = SessionId::generate();
        assert!(w.linked_sessions.begin(&other, &w.live, HOST, w.now).await.is_err());
    }

    #[tokio::test]
    async fn the_store_does_not_learn_the_id_of_the_session() {
        let w = world();
        let linked = w.linked_sessions.begin(&w.id, &w.live, HOST, w.now).await.unwrap();
        let record = w.store.get(linked.key(), w.now).await.unwrap().unwrap();
        let id = w.id.expose().as_bytes();
        assert!(!record.sealed.windows(id.len()).any(|window| window == id));
        assert!(record.label.is_empty());
    }
}
