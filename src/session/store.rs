//! What every place for sessions can do, and the contract that all of them are held to.

use std::future::Future;
use std::sync::Arc;

use super::held::{Activity, Held, Live};
use super::{Session, SessionKey};
use crate::base::clock::Time;

/// The store cannot be reached. Nobody is signed in or out for it.
#[derive(Debug, thiserror::Error)]
#[error("sessions cannot be reached")]
pub struct Unavailable;

/// A place for sessions.
pub trait Store: Send + Sync + 'static {
    /// Keeps a session under a key that was never used before.
    fn insert(
        &self,
        key: SessionKey,
        session: Session,
        now: Time,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// Finds a session that has not ended.
    fn find(
        &self,
        key: SessionKey,
        activity: Activity,
        now: Time,
    ) -> impl Future<Output = Result<Option<Live>, Unavailable>> + Send;

    /// Ends a session and returns it, to one caller only.
    fn remove(
        &self,
        key: SessionKey,
        now: Time,
    ) -> impl Future<Output = Result<Option<Arc<Held>>, Unavailable>> + Send;
}

/// The contract: every store passes it, with a movable clock.
#[cfg(test)]
pub(crate) mod contract {
    use std::time::Duration;

    use super::*;
    use crate::base::clock::{Clock, ManualClock};
    use crate::session::{SessionId, Settings};

    pub(crate) fn settings() -> Settings {
        Settings {
            idle: Duration::from_secs(900),
            absolute: Duration::from_secs(28_800),
            maximum: 100,
        }
    }

    pub(crate) fn session(key: SessionKey, now: Time) -> Session {
        use crate::identity::person::{Identifier, Person};
        Session {
            person: Person::new(None, None, None, Identifier::parse("44051401359")),
            assurance: crate::identity::assurance::Assurance::High,
            authority: Some("pz.gov.pl".to_owned()),
            authenticated: now,
            end: crate::base::clock::later(now, settings().absolute),
            public_name: key.public_name(),
            name_id: "n".to_owned(),
            session_index: "i".to_owned(),
        }
    }

    /// Runs the whole contract on one store.
    pub(crate) async fn check<S: Store>(store: S) {
        let clock = ManualClock::at("2031-01-01T00:00:00Z".parse().unwrap());
        finds_what_was_inserted_and_nothing_else(&store, &clock).await;
        ends_when_idle_but_not_before(&store, &clock).await;
        background_use_does_not_prolong(&store, &clock).await;
        ends_absolutely_however_alive(&store, &clock).await;
        gives_a_removed_session_to_one_caller(&store, &clock).await;
    }

    async fn begun<S: Store>(store: &S, clock: &ManualClock) -> SessionKey {
        let key = SessionId::generate().key();
        store.insert(key, session(key, clock.now()), clock.now()).await.unwrap();
        key
    }

    async fn is_live<S: Store>(store: &S, key: SessionKey, a: Activity, c: &ManualClock) -> bool {
        store.find(key, a, c.now()).await.unwrap().is_some()
    }

    async fn finds_what_was_inserted_and_nothing_else<S: Store>(store: &S, clock: &ManualClock) {
        let key = begun(store, clock).await;
        let live = store.find(key, Activity::Alive, clock.now()).await.unwrap().unwrap();
        assert_eq!(live.session().public_name(), key.public_name());
        assert_eq!(live.idle_end(), crate::base::clock::later(clock.now(), settings().idle));
        let other = SessionId::generate().key();
        assert!(!is_live(store, other, Activity::Alive, clock).await);
    }

    async fn ends_when_idle_but_not_before<S: Store>(store: &S, clock: &ManualClock) {
        let key = begun(store, clock).await;
        for _ in 0..3 {
            clock.advance(Duration::from_secs(899));
            assert!(is_live(store, key, Activity::Alive, clock).await);
        }
        clock.advance(Duration::from_secs(900));
        assert!(!is_live(store, key, Activity::Alive, clock).await);
        assert!(!is_live(store, key, Activity::Alive, clock).await, "it does not come back");
    }

    async fn background_use_does_not_prolong<S: Store>(store: &S, clock: &ManualClock) {
        let key = begun(store, clock).await;
        clock.advance(Duration::from_secs(600));
        assert!(is_live(store, key, Activity::Background, clock).await);
        clock.advance(Duration::from_secs(300));
        assert!(!is_live(store, key, Activity::Alive, clock).await);
    }

    async fn ends_absolutely_however_alive<S: Store>(store: &S, clock: &ManualClock) {
        let key = begun(store, clock).await;
        for _ in 0..47 {
            clock.advance(Duration::from_secs(600));
            assert!(is_live(store, key, Activity::Alive, clock).await);
        }
        clock.advance(Duration::from_secs(600));
        assert!(!is_live(store, key, Activity::Alive, clock).await);
    }

    async fn gives_a_removed_session_to_one_caller<S: Store>(store: &S, clock: &ManualClock) {
        let key = begun(store, clock).await;
        let now = clock.now();
        let live = store.find(key, Activity::Alive, now).await.unwrap().unwrap();
        let (a, b) = tokio::join!(store.remove(key, now), store.remove(key, now));
        assert_eq!([a.unwrap(), b.unwrap()].iter().flatten().count(), 1);
        assert!(!is_live(store, key, Activity::Alive, clock).await);
        assert!(!live.held().is_live(now, settings().idle), "who still holds it sees the end");
    }
}
