//! Logins under way: single use, short-lived, bound to the browser that began them.
//!
//! 1. A login is found by its `RelayState`, an unguessable handle that tells nothing.
//! 2. Only the browser with the binding cookie of the beginning can finish it; another one gets a
//!    refusal and changes nothing.
//! 3. A finished login stays known as used until it expires, so that a second use is told apart
//!    from an unknown one.
//! 4. One binding cookie serves all tabs of a browser.
//! 5. They are kept in a place for records, sealed with the `RelayState` that leads to them, so another
//!    replica can finish what one began.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::return_to::ReturnTo;
use crate::base::clock::{Time, later};
use crate::base::encoding::{hex_lower, sha256};
use crate::base::random;
use crate::base::secret::Secret;
use crate::identity::assurance::Assurance;
use crate::saml::artifact::Artifact;
use crate::store::seal::Sealer;
use crate::store::{Key, Kind, Place, Record, Unavailable};

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
        random::is_handle(text).then(|| Self(Secret::new(text.to_owned())))
    }

    /// Shows the value for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Returns the form in which a record remembers it.
    pub(super) fn digest(&self) -> String {
        hex_lower(&sha256(self.0.expose().as_bytes()))
    }

    /// Tells, in constant time, whether a record remembers this one.
    pub(super) fn is_remembered_as(&self, digest: &str) -> bool {
        verify_slices_are_equal(self.digest().as_bytes(), digest.as_bytes()).is_ok()
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
        random::is_handle(text).then(|| Self(text.to_owned()))
    }

    /// Returns the handle.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Key {
        Key { kind: Kind::Login, digest: sha256(self.0.as_bytes()) }
    }
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
    /// When it began, when the citizen must identify anew after that.
    pub fresh_since: Option<Time>,
}

/// Why a login cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Nothing is known, because the place is away.
    #[error("{0}")]
    Store(#[from] Unavailable),
}

/// All logins under way.
pub struct PendingLogins {
    place: Arc<dyn Place>,
    sealer: Sealer,
    timeout: Duration,
}

/// The form in which a login is kept. Fields are only ever added.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    request_id: String,
    return_to: String,
    acr: String,
    /// Milliseconds since the epoch.
    fresh_since: Option<i64>,
    /// The digest of the binding cookie.
    binding: String,
    /// Milliseconds since the epoch.
    expires: i64,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Waiting,
    Answered(String),
    Used,
}

impl PendingLogins {
    /// Makes logins that are kept in a place.
    #[must_use]
    pub fn new(place: Arc<dyn Place>, sealer: Sealer, timeout: Duration) -> Self {
        Self { place, sealer, timeout }
    }

    /// Remembers a login and returns its handle.
    ///
    /// # Errors
    /// When it cannot be remembered.
    pub async fn begin(
        &self,
        login: PendingLogin,
        binding: &Binding,
        now: Time,
    ) -> Result<RelayState, Unavailable> {
        let relay_state = RelayState::generate();
        let kept = Kept {
            request_id: login.request_id,
            return_to: login.return_to.as_str().to_owned(),
            acr: login.assurance.uri().to_owned(),
            fresh_since: login.fresh_since.map(Time::as_millisecond),
            binding: binding.digest(),
            expires: later(now, self.timeout).as_millisecond(),
            state: State::Waiting,
        };
        let record = self.record(&relay_state, &kept);
        self.place.put(relay_state.key(), record).await?;
        Ok(relay_state)
    }

    /// Keeps the artifact that came for a login: the first one. Whoever brought it has proven
    /// nothing yet; that the browser is the right one is checked in [`Self::take`].
    ///
    /// # Errors
    /// When the login is unknown, expired or was finished.
    pub async fn keep_artifact(
        &self,
        relay_state: &RelayState,
        artifact: Artifact,
        now: Time,
    ) -> Result<(), Refused> {
        for _ in 0..MOST_TRIES {
            let (sealed, kept) = self.find(relay_state, now).await?;
            match &kept.state {
                State::Used => return Err(Refused::Used),
                // The same artifact again is a reload of the page; another is not for this login.
                State::Answered(known) if known == artifact.as_str() => return Ok(()),
                State::Answered(_) => return Err(Refused::Used),
                State::Waiting => {}
            }
            let state = State::Answered(artifact.as_str().to_owned());
            if self.change(relay_state, sealed, Kept { state, ..kept }, now).await? {
                return Ok(());
            }
        }
        Err(Refused::Used)
    }

    /// Takes a login with its artifact, once, for the browser that began it.
    ///
    /// # Errors
    /// When there is none to take, or another browser asks.
    pub async fn take(
        &self,
        relay_state: &RelayState,
        binding: Option<&Binding>,
        now: Time,
    ) -> Result<(PendingLogin, Artifact), Refused> {
        for _ in 0..MOST_TRIES {
            let (sealed, kept) = self.find(relay_state, now).await?;
            if !kept.is_of(binding) {
                return Err(Refused::OtherBrowser);
            }
            let artifact = match &kept.state {
                State::Answered(artifact) => Artifact::parse(artifact),
                State::Used => return Err(Refused::Used),
                State::Waiting => return Err(Refused::NoArtifact),
            };
            let login = kept.login().zip(artifact.ok()).ok_or(Refused::Unknown)?;
            let used = Kept { state: State::Used, ..kept };
            if self.change(relay_state, sealed, used, now).await? {
                return Ok(login);
            }
        }
        Err(Refused::Used)
    }

    /// Returns what was remembered, to begin again in the same way: only to the browser that began
    /// the login.
    pub async fn remembered(
        &self,
        relay_state: &RelayState,
        binding: Option<&Binding>,
        now: Time,
    ) -> Option<PendingLogin> {
        let (_, kept) = self.read(relay_state, now).await.ok()?;
        if kept.is_of(binding) { kept.login() } else { None }
    }

    /// Returns how many logins are remembered, those included that are over and not yet forgotten.
    /// For whoever watches: every one of them is looked at.
    ///
    /// # Errors
    /// When the place is away.
    pub async fn count(&self, now: Time) -> Result<usize, Unavailable> {
        let (mut count, mut next) = (0, None);
        loop {
            let page = self.place.list(Kind::Login, next, 1000, now).await?;
            count += page.records.len();
            next = page.next;
            if next.is_none() {
                return Ok(count);
            }
        }
    }

    async fn find(&self, relay_state: &RelayState, now: Time) -> Result<(Bytes, Kept), Refused> {
        let (sealed, kept) = self.read(relay_state, now).await?;
        if now.as_millisecond() >= kept.expires {
            return Err(Refused::Expired);
        }
        Ok((sealed, kept))
    }

    async fn read(&self, relay_state: &RelayState, now: Time) -> Result<(Bytes, Kept), Refused> {
        let key = relay_state.key();
        let record = self.place.get(key, now).await?.ok_or(Refused::Unknown)?;
        let secret = relay_state.0.as_bytes();
        let plain = self.sealer.open(key, secret, &record.sealed).map_err(|_| Refused::Unknown)?;
        let kept = serde_json::from_slice(plain.expose()).map_err(|_| Refused::Unknown)?;
        Ok((record.sealed, kept))
    }

    /// Writes it anew if nobody else did meanwhile.
    async fn change(
        &self,
        relay_state: &RelayState,
        sealed: Bytes,
        kept: Kept,
        now: Time,
    ) -> Result<bool, Unavailable> {
        let record = self.record(relay_state, &kept);
        self.place.swap(relay_state.key(), sealed, record, now).await
    }

    fn record(&self, relay_state: &RelayState, kept: &Kept) -> Record {
        let plain = Secret::new(serde_json::to_vec(kept).unwrap_or_default());
        let key = relay_state.key();
        let expires = Time::from_millisecond(kept.expires).unwrap_or(Time::MIN);
        Record {
            sealed: self.sealer.seal(key, relay_state.0.as_bytes(), plain.expose()),
            label: Bytes::new(),
            owner: None,
            alive: 0,
            // Expired ones are known as such for a while.
            expires: later(expires, self.timeout),
        }
    }
}

impl Kept {
    fn is_of(&self, binding: Option<&Binding>) -> bool {
        binding.is_some_and(|binding| binding.is_remembered_as(&self.binding))
    }

    fn login(&self) -> Option<PendingLogin> {
        let time = |milliseconds| Time::from_millisecond(milliseconds).ok();
        Some(PendingLogin {
            request_id: self.request_id.clone(),
            return_to: ReturnTo::parse(&self.return_to),
            assurance: Assurance::from_uri(&self.acr)?,
            fresh_since: match self.fresh_since {
                Some(since) => Some(time(since)?),
                None => None,
            },
        })
    }
}

/// Two tabs may want the same login at once; who loses looks again.
const MOST_TRIES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::encoding::base64;
    use crate::store::memory::Memory;

    struct World {
        pending: PendingLogins,
        binding: Binding,
        relay_state: RelayState,
        artifact: Artifact,
        now: Time,
    }

    async fn world() -> World {
        let place = Arc::new(Memory::new(100));
        let sealer = Sealer::default();
        let pending = PendingLogins::new(place, sealer, Duration::from_secs(600));
        let binding = Binding::generate();
        let now = "2031-01-01T00:00:00Z".parse().unwrap();
        let login = PendingLogin {
            request_id: "ID-1".to_owned(),
            return_to: ReturnTo::parse("/tax"),
            assurance: Assurance::Low,
            fresh_since: None,
        };
        let relay_state = pending.begin(login, &binding, now).await.unwrap();
        let artifact = Artifact::parse(&base64(&[4; 44])).unwrap();
        World { pending, binding, relay_state, artifact, now }
    }

    #[tokio::test]
    async fn the_browser_that_began_takes_it_once() {
        let w = world().await;
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).await.unwrap();
        let (login, artifact) =
            w.pending.take(&w.relay_state, Some(&w.binding), w.now).await.unwrap();
        assert_eq!((login.request_id.as_str(), artifact), ("ID-1", w.artifact.clone()));
        let again = w.pending.take(&w.relay_state, Some(&w.binding), w.now).await;
        assert_eq!(again.unwrap_err(), Refused::Used);
        let more = w.pending.keep_artifact(&w.relay_state, w.artifact, w.now).await;
        assert_eq!(more, Err(Refused::Used));
    }

    #[tokio::test]
    async fn another_browser_takes_nothing_and_spoils_nothing() {
        let w = world().await;
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).await.unwrap();
        for other in [None, Some(Binding::generate())] {
            let taken = w.pending.take(&w.relay_state, other.as_ref(), w.now).await;
            assert_eq!(taken.unwrap_err(), Refused::OtherBrowser);
            assert!(w.pending.remembered(&w.relay_state, other.as_ref(), w.now).await.is_none());
        }
        assert!(w.pending.take(&w.relay_state, Some(&w.binding), w.now).await.is_ok());
    }

    #[tokio::test]
    async fn an_expired_login_is_told_from_an_unknown_one() {
        let w = world().await;
        let later = later(w.now, Duration::from_secs(600));
        let kept = w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), later).await;
        assert_eq!(kept, Err(Refused::Expired));
        let unknown = RelayState::generate();
        let kept = w.pending.keep_artifact(&unknown, w.artifact.clone(), w.now).await;
        assert_eq!(kept, Err(Refused::Unknown));
    }

    #[tokio::test]
    async fn a_second_artifact_does_not_replace_the_first() {
        let w = world().await;
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).await.unwrap();
        let other = Artifact::parse(&base64(&[5; 44])).unwrap();
        assert_eq!(w.pending.keep_artifact(&w.relay_state, other, w.now).await, Err(Refused::Used));
        assert_eq!(w.pending.keep_artifact(&w.relay_state, w.artifact, w.now).await, Ok(()));
    }

    #[tokio::test]
    async fn without_an_artifact_there_is_nothing_to_take_yet() {
        let w = world().await;
        let taken = w.pending.take(&w.relay_state, Some(&w.binding), w.now).await;
        assert_eq!(taken.unwrap_err(), Refused::NoArtifact);
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).await.unwrap();
        assert!(w.pending.take(&w.relay_state, Some(&w.binding), w.now).await.is_ok());
    }

    #[tokio::test]
    async fn two_tabs_that_finish_at_once_finish_once() {
        let w = world().await;
        w.pending.keep_artifact(&w.relay_state, w.artifact.clone(), w.now).await.unwrap();
        let take = || w.pending.take(&w.relay_state, Some(&w.binding), w.now);
        let (a, b) = tokio::join!(take(), take());
        assert_eq!(u8::from(a.is_ok()) + u8::from(b.is_ok()), 1);
        assert_eq!(a.err().or(b.err()), Some(Refused::Used));
    }
}
