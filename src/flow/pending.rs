//! Logins under way: single use, short-lived, bound to the browser that began them.
//!
//! 1. A login is found by its `RelayState`, an unguessable handle that tells nothing.
//! 2. Only the browser with the binding cookie of the beginning can finish it; another one gets a
//!    refusal and changes nothing.
//! 3. A finished login stays known as used until it expires, so that a second use is told apart
//!    from an unknown one.
//! 4. One binding cookie serves all tabs of a browser.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use super::return_to::ReturnTo;
use crate::base::clock::{Time, later};
use crate::base::encoding::sha256;
use crate::base::random;
use crate::base::secret::Secret;
use crate::identity::assurance::Assurance;
use crate::saml::artifact::Artifact;

/// The secret in the binding cookie: says which browser it is.
#[derive(Debug, Clone)]
pub struct Binding(Secret<String>);

impl Binding {
    /// Makes a fresh one.
    #[must_use]
    pub fn generate() -> Self {
        Self(Secret::new(random::handle()))
    }

    /// Takes the value of a cookie, when it could be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_handle(text).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Shows the value for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    fn digest(&self) -> [u8; 32] {
        sha256(self.0.expose().as_bytes())
    }
}

/// The handle by which a login is found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RelayState(String);

impl RelayState {
    fn generate() -> Self {
        Self(random::handle())
    }

    /// Takes what the browser brought back, when it could be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_handle(text).then(|| Self(text.to_owned()))
    }

    /// Returns the handle.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_handle(text: &str) -> bool {
    text.len() == 22
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What was remembered when a login began.
#[derive(Debug, Clone)]
pub struct PendingLogin {
    /// The `ID` of our `AuthnRequest`.
    pub request_id: String,
    /// Where the citizen wanted to go.
    pub return_to: ReturnTo,
    /// The level that was asked for.
    pub assurance: Assurance,
}

/// Why a login cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No login is known under this handle.
    #[error("no login is under way under this relay state")]
    Unknown,
    /// It took too long.
    #[error("login was begun too long ago")]
    Expired,
    /// It was finished before.
    #[error("login was finished before")]
    Used,
    /// Another browser began it.
    #[error("login was begun by another browser")]
    OtherBrowser,
    /// The node has not brought an artifact for it.
    #[error("login has no artifact yet")]
    NoArtifact,
}

/// All logins under way.
pub struct PendingLogins {
    logins: Cache<RelayState, Arc<Entry>>,
    timeout: Duration,
}

struct Entry {
    login: PendingLogin,
    binding: [u8; 32],
    expires: Time,
    state: Mutex<State>,
}

enum State {
    Waiting,
    Answered(Artifact),
    Used,
}

impl PendingLogins {
    /// Makes an empty place. When it is full, the login that was begun longest ago makes room.
    #[must_use]
    pub fn new(timeout: Duration, maximum: u64) -> Self {
        let logins = Cache::builder()
            .max_capacity(maximum)
            .eviction_policy(EvictionPolicy::lru())
            // Expired ones are known as such for a while; our own clock decides.
            .time_to_live(timeout * 2)
            .build();
        Self { logins, timeout }
    }

    /// Remembers a login and returns its handle.
    #[must_use]
    pub fn begin(&self, login: PendingLogin, binding: &Binding, now: Time) -> RelayState {
        let relay_state = RelayState::generate();
        let entry = Entry {
            login,
            binding: binding.digest(),
            expires: later(now, self.timeout),
            state: Mutex::new(State::Waiting),
        };
        self.logins.insert(relay_state.clone(), Arc::new(entry));
        relay_state
    }

    /// Keeps the artifact that came for a login: the first one. Whoever brought it has proven
    /// nothing yet; that the browser is the right one is checked in [`Self::take`].
    ///
    /// # Errors
    /// When the login is unknown, expired or was finished.
    pub fn keep_artifact(
        &self,
        relay_state: &RelayState,
        artifact: Artifact,
        now: Time,
    ) -> Result<(), Refused> {
        let entry = self.find(relay_state, now)?;
        let mut state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Used => Err(Refused::Used),
            State::Waiting => {
                *state = State::Answered(artifact);
                Ok(())
            }
            // The same artifact again is a reload of the page; another one is not for this login.
            State::Answered(kept) if *kept == artifact => Ok(()),
            State::Answered(_) => Err(Refused::Used),
        }
    }

    /// Takes a login with its artifact, once, for the browser that began it.
    ///
    /// # Errors
    /// When there is none to take, or another browser asks.
    pub fn take(
        &self,
        relay_state: &RelayState,
        binding: Option<&Binding>,
        now: Time,
    ) -> Result<(PendingLogin, Artifact), Refused> {
        let entry = self.find(relay_state, now)?;
        let same = binding.is_some_and(|binding| {
            verify_slices_are_equal(&binding.digest(), &entry.binding).is_ok()
        });
        if !same {
            return Err(Refused::OtherBrowser);
        }
        let mut state = entry.state.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Used) {
            State::Answered(artifact) => Ok((entry.login.clone(), artifact)),
            State::Used => Err(Refused::Used),
            State::Waiting => {
                *state = State::Waiting;
                Err(Refused::NoArtifact)
            }
        }
    }

    /// Returns what was remembered, to begin again in the same way: only to the browser that began
    /// the login.
    #[must_use]
    pub fn remembered(
        &self,
        relay_state: &RelayState,
        binding: Option<&Binding>,
    ) -> Option<PendingLogin> {
        let entry = self.logins.get(relay_state)?;
        let digest = binding?.digest();
        verify_slices_are_equal(&digest, &entry.binding).ok()?;
        Some(entry.login.clone())
    }

    /// Returns how many logins are remembered, those included that are over and not yet forgotten.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.logins.run_pending_tasks();
        self.logins.entry_count()
    }

    fn find(&self, relay_state: &RelayState, now: Time) -> Result<Arc<Entry>, Refused> {
        let entry = self.logins.get(relay_state).ok_or(Refused::Unknown)?;
        if now >= entry.expires { Err(Refused::Expired) } else { Ok(entry) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64;

    struct World {
        pending: PendingLogins,
        binding: Binding,
        relay_state: RelayState,
        artifact: Artifact,
        now: Time,
    }

    fn world() -> World {
        let pending = PendingLogins::new(Duration::from_secs(600), 100);
        let binding = Binding::generate();
        let now = "2031-01-01T00:00:00Z".parse().unwrap();
        let login = PendingLogin {
            request_id: "ID-1".to_owned(),
            return_to: ReturnTo::parse("/tax"),
            assurance: Assurance::Low,
        };
        let relay_state = pending.begin(login, &binding, now);
        let artifact = Artifact::parse(&base64(&[4; 44])).unwrap();
        World { pending, binding, relay_state, artifact, now }
    }

    #[test]
    fn the_browser_that_began_takes_it_once() {
        let w = world();
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).unwrap();
        let (login, artifact) = w.pending.take(&w.relay_state, Some(&w.binding), w.now).unwrap();
        assert_eq!((login.request_id.as_str(), artifact), ("ID-1", w.artifact.clone()));
        let again = w.pending.take(&w.relay_state, Some(&w.binding), w.now);
        assert_eq!(again.unwrap_err(), Refused::Used);
        let more = w.pending.keep_artifact(&w.relay_state, w.artifact, w.now);
        assert_eq!(more, Err(Refused::Used));
    }

    #[test]
    fn another_browser_takes_nothing_and_spoils_nothing() {
        let w = world();
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).unwrap();
        for other in [None, Some(Binding::generate())] {
            let taken = w.pending.take(&w.relay_state, other.as_ref(), w.now);
            assert_eq!(taken.unwrap_err(), Refused::OtherBrowser);
            assert!(w.pending.remembered(&w.relay_state, other.as_ref()).is_none());
        }
        assert!(w.pending.take(&w.relay_state, Some(&w.binding), w.now).is_ok());
    }

    #[test]
    fn an_expired_login_is_told_from_an_unknown_one() {
        let w = world();
        let later = later(w.now, Duration::from_secs(600));
        let kept = w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), later);
        assert_eq!(kept, Err(Refused::Expired));
        let unknown = RelayState::generate();
        let kept = w.pending.keep_artifact(&unknown, w.artifact.clone(), w.now);
        assert_eq!(kept, Err(Refused::Unknown));
    }

    #[test]
    fn a_second_artifact_does_not_replace_the_first() {
        let w = world();
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).unwrap();
        let other = Artifact::parse(&base64(&[5; 44])).unwrap();
        assert_eq!(w.pending.keep_artifact(&w.relay_state, other, w.now), Err(Refused::Used));
        assert_eq!(w.pending.keep_artifact(&w.relay_state, w.artifact, w.now), Ok(()));
    }

    #[test]
    fn without_an_artifact_there_is_nothing_to_take_yet() {
        let w = world();
        let taken = w.pending.take(&w.relay_state, Some(&w.binding), w.now);
        assert_eq!(taken.unwrap_err(), Refused::NoArtifact);
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).unwrap();
        assert!(w.pending.take(&w.relay_state, Some(&w.binding), w.now).is_ok());
    }
}
