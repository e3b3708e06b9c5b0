//! Wishes: somebody at another host wants to be signed in there.
//!
//! 1. A wish is found by an unguessable handle that tells nothing; host, return path and what is wanted
//!    stay on our side.
//! 2. It belongs to two browsers, which must be one: that which made it at the other host, whose binding
//!    goes on into the code, and the first one that brings it to the registered host. Whoever brings it
//!    later from elsewhere gets a refusal and changes nothing, so a handle that is seen afterwards, in a
//!    history or a log, is worth nothing.
//! 3. It is fulfilled once.
//! 4. Room for them is shared out by network ([`super::super::room`]), in number and in bytes.
//! 5. It may lead to the node so many times and no more: whatever goes wrong, nobody is sent in circles.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::binding::{Binding, BindingDigest, Tag};
use super::super::ledger::Bounds;
use super::super::pending::Origin;
use super::super::return_to::ReturnTo;
use super::super::room::{NotKept, SharedRoom};
use super::refused::Refused;
use crate::base::clock::{Time, later};
use crate::base::encoding::{base64url, sha256};
use crate::base::network::Network;
use crate::gate::requirement::Demand;
use crate::identity::assurance::Assurance;
use crate::session::SessionKey;
use crate::session::held::Live;
use crate::store::seal::Sealer;
use crate::store::sealed::{
    Found, Handle, HandleKind, JsonContent, RandomHandle, Strength, Version,
};
use crate::store::{Kind, Place};

/// The handle by which a wish is found.
pub type WishHandle = Handle<Wishes>;

impl WishHandle {
    /// Returns the handle.
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

impl HandleKind for Wishes {
    const KIND: Kind = Kind::Wish;
}

impl RandomHandle for Wishes {
    const STRENGTH: Strength = Strength::Bits128;
}

/// What is wanted, and where.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The name of the other host.
    pub host: String,
    /// Where the citizen wanted to go there.
    pub return_to: ReturnTo,
    /// What the session must bring.
    pub demand: Demand,
    /// Whose page led there.
    pub origin: Origin,
}

/// What is to be done about a wish that was brought to the registered host.
#[derive(Debug)]
pub enum Step {
    /// The citizen must sign in, for the first time for this wish or once more.
    SignIn(Demand, Try),
    /// The session that is there will do. The wish is spent; the digest remembers the binding of the
    /// browser that made it.
    Fulfil(Wish, BindingDigest),
}

/// Whether the citizen was sent to the node for a wish before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// Not yet; the wish itself was counted as the beginning of a login.
    First,
    /// It was.
    Further,
}

/// All wishes.
pub struct Wishes {
    lifetime: Duration,
    room: SharedRoom<Kept>,
}

/// The form in which a wish is kept. Fields are only ever added.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    host: String,
    return_to: String,
    acr: String,
    /// Seconds.
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

impl JsonContent for Kept {
    type Handles = Wishes;
}

impl Wishes {
    /// Makes wishes that are kept in a place. They last two times of a login: one to sign in, one for
    /// whoever does so a second time.
    #[must_use]
    pub fn new(
        place: Arc<dyn Place>,
        sealer: Sealer,
        login_timeout: Duration,
        bounds: Bounds,
    ) -> Self {
        let room = SharedRoom::new(place, sealer, bounds);
        Self { lifetime: login_timeout.saturating_mul(2), room }
    }

    /// Returns how long a wish lasts, and with it the binding of the browser that made it.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Remembers a wish of a browser at another host, for the network that it is in, and returns its
    /// handle.
    ///
    /// # Errors
    /// When there is no room for it, or it cannot be remembered.
    pub async fn begin(
        &self,
        wish: Wish,
        binding: &Binding,
        network: Network,
        now: Time,
    ) -> Result<WishHandle, NotKept> {
        let kept = Kept {
            host: wish.host,
            return_to: wish.return_to.as_str().to_owned(),
            acr: wish.demand.assurance.uri().to_owned(),
            max_age: wish.demand.max_age.map(|age| age.as_secs()),
            binding: binding.digest(),
            is_from_elsewhere: wish.origin == Origin::Elsewhere,
            home: None,
            earlier: None,
            tries: 0,
            is_spent: false,
            begun: now.as_millisecond(),
            expires: later(now, self.lifetime).as_millisecond(),
        };
        self.room.issue(&kept, self.forgotten(&kept), network, now).await
    }

    /// Returns how many wishes this process keeps, and how many bytes they count for.
    #[must_use]
    pub fn kept(&self) -> (usize, usize) {
        let usage = self.room.usage();
        (usage.entries, usage.bytes)
    }

    /// Decides what is to be done about a wish, for the browser that brings it to the registered host
    /// with the session that it has there, if any. The clocks of the node and of us differ by up to
    /// `skew`.
    ///
    /// # Errors
    /// When there is no such wish for this browser, or it led to the node too often.
    pub async fn bring(
        &self,
        handle: &WishHandle,
        home: &Binding,
        live: Option<&Live>,
        skew: Duration,
        now: Time,
    ) -> Result<Step, Refused> {
        for _ in 0..MOST_RACES {
            let (kept, version) = self.read(handle, now).await?;
            let is_ours = kept.home.as_ref().is_none_or(|known| home.is_remembered_as(known));
            if !is_ours {
                return Err(Refused::WishOfOtherBrowser);
            }
            if kept.is_spent {
                return Err(Refused::WishUsed);
            }
            if now.as_millisecond() >= kept.expires {
                return Err(Refused::WishExpired);
            }
            let wish = kept.wish().ok_or(Refused::UnknownWish)?;
            let will_do = live.is_some_and(|live| kept.will_do(&wish, live, skew, now));
            if !will_do && kept.tries >= MOST_TRIES {
                return Err(Refused::TooManyTries);
            }
            let mut next = Kept { home: Some(home.digest()), ..kept.clone() };
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
                    Step::Fulfil(wish, kept.binding)
                } else {
                    Step::SignIn(wish.demand, first)
                });
            }
        }
        Err(Refused::WishUsed)
    }

    /// Returns what was wanted, to show the way back: only to the browser that brought it.
    pub async fn remembered(
        &self,
        handle: &WishHandle,
        home: Option<&Binding>,
        now: Time,
    ) -> Option<Wish> {
        let (kept, _) = self.read(handle, now).await.ok()?;
        let is_ours =
            home.zip(kept.home.as_ref()).is_some_and(|(home, known)| home.is_remembered_as(known));
        if is_ours { kept.wish() } else { None }
    }

    async fn read(&self, handle: &WishHandle, now: Time) -> Result<(Kept, Version), Refused> {
        let Found { value, version } =
            self.room.find(handle, now).await?.ok_or(Refused::UnknownWish)?;
        Ok((value, version))
    }

    /// Returns until when a wish is known: for a while also as one that has expired.
    fn forgotten(&self, kept: &Kept) -> Time {
        let expires = Time::from_millisecond(kept.expires).unwrap_or(Time::MIN);
        later(expires, self.lifetime)
    }
}

impl Kept {
    fn wish(&self) -> Option<Wish> {
        Some(Wish {
            host: self.host.clone(),
            return_to: ReturnTo::parse(&self.return_to),
            demand: Demand {
                assurance: Assurance::from_uri(&self.acr)?,
                max_age: self.max_age.map(Duration::from_secs),
            },
            origin: Origin::kept(self.is_from_elsewhere),
        })
    }

    /// Tells whether a session fulfils the wish: it is sure and recent enough, or it was begun for this
    /// wish, where no session can be recent enough that was there before.
    fn will_do(&self, wish: &Wish, live: &Live, skew: Duration, now: Time) -> bool {
        let (session, demand) = (live.session(), wish.demand);
        if demand.is_met(session.assurance(), session.authenticated(), now) {
            return true;
        }
        let begun = Time::from_millisecond(self.begun).unwrap_or(Time::MAX);
        self.tries > 0
            && self.earlier.as_ref() != Some(&name_of(live.key()))
            && session.assurance() >= demand.assurance
            && later(session.authenticated(), skew) >= begun
    }
}

fn elsewhere() -> bool {
    true
}

fn name_of(key: SessionKey) -> String {
    base64url(&sha256(&key.bytes()))
}

/// How many times a wish may lead to the node.
const MOST_TRIES: u32 = 10;
/// Two tabs may bring the same wish at once; who loses looks again.
const MOST_RACES: usize = 4;

#[cfg(test)]
mod tests;
