//! What operators do with sessions: list, show and end them, on the operations listener.
//!
//! 1. Nothing that names a person stands in an address or in an answer: a person is a keyed digest
//!    (`owner`), which is found by sending the identifier in the body of a request. Whoever can do
//!    that can find out whose a session is by trying: so it is for those who may end one, is told as
//!    what they do, and can be done so often in a minute ([`MOST_FOUND`]).
//! 2. What was ended is ended on every replica within a second, with its tunnels.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::acts::{Acts, to_the_end};
use super::call::{Call, Done, said};
use super::problem::Problem;
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time, later};
use crate::base::encoding::{from_hex, hex_lower};
use crate::observe::event::AdminAction;
use crate::session::SessionKey;
use crate::session::label::Why;
use crate::session::sessions::{Seen, Sessions};
use crate::store::Unavailable;

/// Answers operators who ask about sessions.
pub struct SessionDesk {
    sessions: Arc<Sessions>,
    clock: SharedClock,
    acts: Acts,
    /// When persons began to be found, and how many were since.
    found: Mutex<Option<(Time, u32)>>,
}

/// Which sessions are listed.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Page {
    /// How many at most; 100 by default.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<u16>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// Only those of this person: `owner` of another answer.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub owner: Option<String>,
}

/// A page of sessions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Sessions")]
pub struct Listed {
    sessions: Vec<Shown>,
    /// What to send as `after` for the next page; null behind the last one.
    next: Option<String>,
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub struct Shown {
    /// What it is found by.
    key: String,
    /// Its public name, as in tokens and logs.
    sid: Option<String>,
    /// The keyed digest of the person.
    owner: String,
    /// The level of the login.
    acr: Option<String>,
    /// When the citizen signed in, in seconds since the epoch.
    auth_time: Option<i64>,
    /// The last sign of life that is known, in seconds since the epoch.
    alive: i64,
    /// When it ends without another, in seconds since the epoch.
    expires: i64,
    /// When it ends at the latest, in seconds since the epoch.
    end: Option<i64>,
}

/// A person, by what names them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    kind: Kind,
    /// The identifier itself. It is not kept and stands in no log.
    #[schemars(length(min = 1, max = 1024))]
    identifier: String,
}

/// What kind of identifier it is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Pesel,
    CrossBorder,
    LoginName,
}

/// The keyed digest of a person.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Owner {
    owner: String,
}

/// Which sessions are to end: those of one person (`owner`), or `all` of them. Exactly one is given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    { "required": ["owner"], "properties": { "owner": { "type": "string" } } },
    { "required": ["all"], "properties": { "all": { "const": true } } },
]))]
pub struct Whose {
    /// The keyed digest of the person.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    owner: Option<String>,
    /// All sessions: `true`.
    all: Option<bool>,
}

/// How many sessions have ended.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ended {
    ended: u64,
}

impl SessionDesk {
    /// Makes the desk.
    #[must_use]
    pub fn new(sessions: Arc<Sessions>, clock: SharedClock) -> Self {
        let acts = Acts::new(Arc::clone(sessions.events()), Arc::clone(&clock));
        Self { sessions, clock, acts, found: Mutex::default() }
    }

    /// Lists a page of them.
    ///
    /// # Errors
    /// A query that is not a [`Page`], and a store that is away.
    pub async fn list(&self, call: Call) -> Done {
        let page = Page::of(call.query())?;
        let owner = page.owner.as_deref().map(digest).transpose()?;
        let limit = page.limit.map_or(DEFAULT_LIMIT, usize::from);
        let listed = self.sessions.list(owner, page.after, limit, self.clock.now()).await?;
        let sessions = listed.sessions.iter().map(Shown::of).collect();
        said(&Listed { sessions, next: listed.next })
    }

    /// Shows one.
    ///
    /// # Errors
    /// No such session, and a store that is away.
    pub async fn show(&self, call: Call) -> Done {
        let key = SessionKey::from_bytes(digest(&call.name)?);
        let seen = self.sessions.seen(key, self.clock.now()).await?;
        said(&seen.as_ref().map(Shown::of).ok_or(NO_SUCH)?)
    }

    /// Ends one.
    ///
    /// # Errors
    /// No such session, and a store that is away.
    pub async fn end(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let key = SessionKey::from_bytes(digest(&call.name)?);
        let (sessions, acts) = (Arc::clone(&self.sessions), self.acts.clone());
        to_the_end(async move {
            if !sessions.end(key, Why::Operator, acts.now()).await? {
                return Err(NO_SUCH);
            }
            let session = key.public_name();
            acts.tell(&admin, AdminAction::EndedSession { session: &session });
            said(&Ended { ended: 1 })
        })
        .await
    }

    /// Tells the digest of a person.
    ///
    /// # Errors
    /// A body that is no [`Person`], and more questions than [`MOST_FOUND`] in a minute.
    pub async fn owner(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let person: Person = call.take().await?;
        if !self.may_find() {
            return Err(Problem::TooMany("persons were found too often in this minute"));
        }
        let owner = self.sessions.owner(person.kind.name(), &person.identifier);
        let owner = owner.ok_or(Problem::malformed("this is no identifier of that kind"))?;
        let owner = hex_lower(&owner);
        self.acts.tell(&admin, AdminAction::FoundOwner { owner: &owner });
        said(&Owner { owner })
    }

    /// Ends those of one person, or all. Goes on although the operator's connection ends.
    ///
    /// # Errors
    /// A body that is not [`Whose`], and a store that is away.
    pub async fn end_many(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let owner = match call.take::<Whose>().await? {
            Whose { owner: Some(owner), all: None | Some(false) } => Some(digest(&owner)?),
            Whose { owner: None, all: Some(true) } => None,
            _ => return Err(Problem::malformed("give owner, or all as true")),
        };
        let (sessions, clock) = (Arc::clone(&self.sessions), Arc::clone(&self.clock));
        let acts = self.acts.clone();
        to_the_end(async move {
            let (ended, done) = end_all(&sessions, &clock, owner).await;
            let error = done.as_ref().err().map(|error| in_one_line(error));
            let is_of_one_person = owner.is_some();
            let error = error.as_deref();
            acts.tell(&admin, AdminAction::EndedSessions { ended, is_of_one_person, error });
            done?;
            said(&Ended { ended })
        })
        .await
    }

    /// Counts that a person is found, unless that was too often.
    fn may_find(&self) -> bool {
        let now = self.clock.now();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let (begun, before) = found.unwrap_or((now, 0));
        let is_over = now < begun || now >= later(begun, MINUTE);
        let (begun, before) = if is_over { (now, 0) } else { (begun, before) };
        *found = Some((begun, before.saturating_add(1)));
        before < MOST_FOUND
    }
}

impl Page {
    fn of(query: &str) -> Result<Self, Problem> {
        let mut page = Self { limit: None, after: None, owner: None };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let is_first = match &*name {
                "owner" => page.owner.replace(value.into_owned()).is_none(),
                "after" => page.after.replace(value.into_owned()).is_none(),
                "limit" => {
                    let limit =
                        value.parse().ok().filter(|limit| (1..=MOST as u16).contains(limit));
                    let limit = limit.ok_or(Problem::malformed("limit is 1 to 1000"))?;
                    page.limit.replace(limit).is_none()
                }
                _ => false,
            };
            if !is_first {
                let what = "parameters are owner, after and limit, each once";
                return Err(Problem::malformed(what));
            }
        }
        Ok(page)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Pesel => "pesel",
            Self::CrossBorder => "cross_border",
            Self::LoginName => "login_name",
        }
    }
}

impl Shown {
    fn of(seen: &Seen) -> Self {
        let label = seen.label.as_ref();
        Self {
            key: hex_lower(&seen.key.bytes()),
            sid: label.map(|label| label.sid.clone()),
            owner: hex_lower(&seen.owner),
            acr: label.map(|label| label.acr.clone()),
            auth_time: label.map(|label| label.auth_time),
            alive: seen.alive.as_second(),
            expires: seen.expires.as_second(),
            end: label.map(|label| label.end),
        }
    }
}

/// Ends page after page, from the beginning, until there is nothing more to end. Returns how many have
/// ended, and why not all have.
pub(super) async fn end_all(
    sessions: &Sessions,
    clock: &SharedClock,
    owner: Option<[u8; 32]>,
) -> (u64, Result<(), Unavailable>) {
    let mut ended = 0;
    let done = end_pages(sessions, clock, owner, &mut ended).await;
    (ended, done)
}

async fn end_pages(
    sessions: &Sessions,
    clock: &SharedClock,
    owner: Option<[u8; 32]>,
    ended: &mut u64,
) -> Result<(), Unavailable> {
    let mut next = None;
    loop {
        let listed = sessions.list(owner, next, MOST, clock.now()).await?;
        let some = listed.sessions.len();
        let end = |seen: Seen| sessions.end(seen.key, Why::Operator, clock.now());
        let mut ends = stream::iter(listed.sessions).map(end).buffer_unordered(AT_ONCE);
        let (mut now_ended, mut failed) = (0_u64, None);
        // What was begun is counted, although another one failed.
        while let Some(done) = ends.next().await {
            match done {
                Ok(has_ended) => now_ended += u64::from(has_ended),
                Err(error) => failed = Some(error),
            }
        }
        *ended += now_ended;
        if let Some(error) = failed {
            return Err(error);
        }
        next = listed.next;
        // Of one person there is one page at a time.
        let may_be_more = next.is_some() || (owner.is_some() && some > 0 && now_ended > 0);
        if !may_be_more {
            return Ok(());
        }
    }
}

fn digest(text: &str) -> Result<[u8; 32], Problem> {
    let bytes = from_hex(text).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or(Problem::malformed("a key or an owner is 64 hexadecimal digits"))
}

/// What a key and an owner look like.
pub(super) const DIGEST: &str = "^[0-9a-f]{64}$";
/// What it is that tells the digest of a person.
pub(super) const FINDS_OWNER: &str =
    "Tells the digest by which the sessions of a person are found.";
const NO_SUCH: Problem = Problem::NoSuch("there is no session with this key");
/// How often the digest of a person is told in a minute, to all operators together.
pub const MOST_FOUND: u32 = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// How many are ended at once.
const AT_ONCE: usize = 64;
const DEFAULT_LIMIT: usize = 100;
const MOST: usize = 1000;

#[cfg(test)]
mod tests;
