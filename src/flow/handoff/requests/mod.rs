//! Hand-off requests: a citizen at another host wants to be signed in there.
//!
//! 1. A hand-off is found by an unguessable handle that tells nothing; host, return path and what
//!    is wanted stay on our side.
//! 2. It belongs to two browsers, which must be one: that which asked for it at the other host,
//!    whose binding goes on into the code, and the first one that brings it to the registered host.
//!    Another browser that brings it later gets a refusal and changes nothing, so a handle that is
//!    seen afterwards, in a history or a log, is worth nothing.
//! 3. It is fulfilled once.
//! 4. Room for them is shared out by network ([`super::super::room`]), in number and in bytes.
//! 5. It may lead to the node so many times and no more: whatever goes wrong, no browser is sent in
//!    circles.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::binding::{Binding, BindingDigest, Tag};
use super::super::ledger::Bounds;
use super::super::pending::Origin;
use super::super::return_to::ReturnTo;
use super::super::room::{NotKept, SharedRoom};
use super::refusal::HandoffRefusal;
use crate::base::clock::{Time, later};
use crate::base::encoding::{base64url, sha256};
use crate::base::network::Network;
use crate::gate::requirement::AuthnRequirement;
use crate::identity::assurance::Assurance;
use crate::session::SessionKey;
use crate::session::cached::ActiveSession;
use crate::store::seal::Sealer;
use crate::store::sealed::{
    Found, Handle, HandleKind, JsonContent, RandomHandle, Strength, Version,
};
use crate::store::{Kind, RecordStore};

/// The handle by which a hand-off is found.
pub type HandoffHandle = Handle<HandoffRequests>;

impl HandoffHandle {
    /// Returns the handle as text, for the address that leads to the registered host.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.expose()
    }

    /// Returns what the names of its cookies end in.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag::of(self.expose())
    }
}

impl HandleKind for HandoffRequests {
    const KIND: Kind = Kind::HandoffRequest;
}

impl RandomHandle for HandoffRequests {
    const STRENGTH: Strength = Strength::Bits128;
}

/// What is wanted, and where.
#[derive(Debug, Clone)]
pub struct HandoffRequest {
    /// The name of the other host.
    pub host: String,
    /// Where the citizen wanted to go there.
    pub return_to: ReturnTo,
    /// What the session must bring.
    pub requirement: AuthnRequirement,
    /// Whether a page of the portal's own led there, or another site's.
    pub origin: Origin,
}

/// What is to be done about a hand-off that was brought to the registered host.
#[derive(Debug)]
pub enum Step {
    /// The citizen must sign in, for the first time for this hand-off or once more.
    SignIn(AuthnRequirement, Try),
    /// The session that is there will do. The hand-off is spent; the digest remembers the binding
    /// of the browser that made it.
    Fulfil(HandoffRequest, BindingDigest),
}

/// Whether the citizen was sent to the node for a hand-off before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// Not yet; the hand-off itself was counted as the beginning of a login.
    First,
    /// The citizen was sent to the node for it before, and this is one time more.
    Further,
}

/// The hand-off requests that are kept in the store.
pub struct HandoffRequests {
    lifetime: Duration,
    room: SharedRoom<StoredRequest>,
}

/// The form in which a hand-off is kept. Fields are only ever added.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoredRequest {
    host: String,
    return_to: String,
    acr: String,
    /// The most seconds since the citizen identified; `None` is any age.
    max_age: Option<u64>,
    /// Of the browser at the other host.
    binding: BindingDigest,
    /// Whether another site's page led there; what does not say so did.
    #[serde(default = "elsewhere")]
    is_from_elsewhere: bool,
    /// Of the browser at the registered host, as soon as it came.
    home: Option<BindingDigest>,
    /// The session that was there and would not do, when the citizen was first sent to the node.
    earlier: Option<String>,
    /// How many times the citizen was sent to the node.
    tries: u32,
    is_spent: bool,
    /// Milliseconds since the epoch.
    begun: i64,
    expires: i64,
}

impl JsonContent for StoredRequest {
    type Handles = HandoffRequests;
}

impl HandoffRequests {
    /// Makes hand-offs that are kept in a store. They last two times of a login: one to sign in,
    /// one for a citizen who does so a second time.
    #[must_use]
    pub fn new(
        store: Arc<dyn RecordStore>,
        sealer: Sealer,
        login_timeout: Duration,
        bounds: Bounds,
    ) -> Self {
        let room = SharedRoom::new(store, sealer, bounds);
        Self { lifetime: login_timeout.saturating_mul(2), room }
    }

    /// Returns how long a hand-off lasts, and with it the binding of the browser that made it.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Remembers a hand-off of a browser at another host, for the network that it is in, and
    /// returns its handle.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be remembered.
    pub async fn begin(
        &self,
        request: HandoffRequest,
        binding: &Binding,
        network: Network,
        now: Time,
    ) -> Result<HandoffHandle, NotKept> {
        let kept = StoredRequest {
            host: request.host,
            return_to: request.return_to.as_str().to_owned(),
            acr: request.requirement.assurance.uri().to_owned(),
            max_age: request.requirement.max_age.map(|age| age.as_secs()),
            binding: binding.digest(),
            is_from_elsewhere: request.origin == Origin::Elsewhere,
            home: None,
            earlier: None,
            tries: 0,
            is_spent: false,
            begun: now.as_millisecond(),
            expires: later(now, self.lifetime).as_millisecond(),
        };
        self.room.issue(&kept, self.forgotten(&kept), network, now).await
    }

    /// Returns how many hand-offs this process keeps, and how many bytes they count for.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let usage = self.room.usage();
        (usage.entries, usage.bytes)
    }

    /// Decides what is to be done about a hand-off, for the browser that brings it to the
    /// registered host with the session that it has there, if any. The clocks of the node and of us
    /// differ by up to `skew`.
    ///
    /// # Errors
    /// When there is no such hand-off for this browser, or it led to the node too often.
    pub async fn bring(
        &self,
        handle: &HandoffHandle,
        home: &Binding,
        live: Option<&ActiveSession>,
        skew: Duration,
        now: Time,
    ) -> Result<Step, HandoffRefusal> {
        for _ in 0..MOST_RACES {
            let (kept, version) = self.read(handle, now).await?;
            let is_ours = kept.home.as_ref().is_none_or(|known| home.is_remembered_as(known));
            if !is_ours {
                return Err(HandoffRefusal::RequestOfOtherBrowser);
            }
            if kept.is_spent {
                return Err(HandoffRefusal::RequestUsed);
            }
            if now.as_millisecond() >= kept.expires {
                return Err(HandoffRefusal::RequestExpired);
            }
            let request = kept.request().ok_or(HandoffRefusal::UnknownRequest)?;
            let will_do = live.is_some_and(|live| kept.will_do(&request, live, skew, now));
            if !will_do && kept.tries >= MOST_TRIES {
                return Err(HandoffRefusal::TooManyTries);
            }
            let mut next = StoredRequest { home: Some(home.digest()), ..kept.clone() };
            if will_do {
                next.is_spent = true;
            } else {
                next.tries += 1;
            }
            if kept.tries == 0 {
                next.earlier = live.map(|live| name_of(live.key()));
            }
            let forgotten = self.forgotten(&next);
            if self.room.swap(handle, version, &next, forgotten, now).await? {
                let first = if kept.tries == 0 { Try::First } else { Try::Further };
                return Ok(if will_do {
                    Step::Fulfil(request, kept.binding)
                } else {
                    Step::SignIn(request.requirement, first)
                });
            }
        }
        Err(HandoffRefusal::RequestUsed)
    }

    /// Returns what was wanted, to show the way back: only to the browser that brought it.
    pub async fn remembered(
        &self,
        handle: &HandoffHandle,
        home: Option<&Binding>,
        now: Time,
    ) -> Option<HandoffRequest> {
        let (kept, _) = self.read(handle, now).await.ok()?;
        let is_ours =
            home.zip(kept.home.as_ref()).is_some_and(|(home, known)| home.is_remembered_as(known));
        if is_ours { kept.request() } else { None }
    }

    async fn read(
        &self,
        handle: &HandoffHandle,
        now: Time,
    ) -> Result<(StoredRequest, Version), HandoffRefusal> {
        let Found { value, version, .. } =
            self.room.find(handle, now).await?.ok_or(HandoffRefusal::UnknownRequest)?;
        Ok((value, version))
    }

    /// Returns until when a hand-off is known: for a while also as one that has expired.
    fn forgotten(&self, kept: &StoredRequest) -> Time {
        let expires = Time::from_millisecond(kept.expires).unwrap_or(Time::MIN);
        later(expires, self.lifetime)
    }
}

impl StoredRequest {
    fn request(&self) -> Option<HandoffRequest> {
        Some(HandoffRequest {
            host: self.host.clone(),
            return_to: ReturnTo::parse(&self.return_to),
            requirement: AuthnRequirement {
                assurance: Assurance::from_uri(&self.acr)?,
                max_age: self.max_age.map(Duration::from_secs),
            },
            origin: Origin::kept(self.is_from_elsewhere),
        })
    }

    /// Tells whether a session fulfils the hand-off: it is sure and recent enough, or it was begun
    /// for this hand-off, where no session can be recent enough that was there before.
    fn will_do(
        &self,
        request: &HandoffRequest,
        live: &ActiveSession,
        skew: Duration,
        now: Time,
    ) -> bool {
        let (session, requirement) = (live.session(), request.requirement);
        if requirement.is_met(session.assurance(), session.authenticated(), now) {
            return true;
        }
        let begun = Time::from_millisecond(self.begun).unwrap_or(Time::MAX);
        self.tries > 0
            && self.earlier.as_ref() != Some(&name_of(live.key()))
            && session.assurance() >= requirement.assurance
            && later(session.authenticated(), skew) >= begun
    }
}

fn elsewhere() -> bool {
    true
}

fn name_of(key: SessionKey) -> String {
    base64url(&sha256(&key.bytes()))
}

/// How many times a hand-off may lead to the node.
const MOST_TRIES: u32 = 10;
/// Two tabs may bring the same hand-off at once; the one that loses looks again.
const MOST_RACES: usize = 4;

#[cfg(test)]
mod tests;
