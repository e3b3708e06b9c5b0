//! What operators see of sessions: pages of them, by person or all, and never a name.

use std::sync::Arc;

use super::super::SessionKey;
use super::super::cached::CachedSession;
use super::super::label::Label;
use super::registry::Sessions;
use crate::base::clock::Time;
use crate::base::encoding::{from_hex, hex_lower};
use crate::identity::person::Identifier;
use crate::store::{Kind, Page, Record, Unavailable};

impl Sessions {
    /// Returns the sessions of a person, or a page of all.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn list(
        &self,
        owner: Option<[u8; 32]>,
        after: Option<String>,
        limit: usize,
        now: Time,
    ) -> Result<Listed, Unavailable> {
        let Some(remote) = &self.remote else {
            return Ok(self.list_near(owner, after, limit, now));
        };
        let page = match owner {
            Some(owner) => {
                let records = remote.store.owned(Kind::Session, owner, limit, now).await;
                Page { records: remote.presence.read(records, now)?, next: None }
            }
            None => remote
                .presence
                .read(remote.store.list(Kind::Session, after, limit, now).await, now)?,
        };
        let records = page.records.iter().filter(|(digest, _)| !remote.owes(SessionKey(*digest)));
        let sessions = records.map(|(digest, record)| Seen::of(SessionKey(*digest), record));
        Ok(Listed { sessions: sessions.collect(), next: page.next })
    }

    /// Returns one session as operators see it.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn seen(&self, key: SessionKey, now: Time) -> Result<Option<Seen>, Unavailable> {
        let Some(remote) = &self.remote else {
            let held = self.local.get(&key).filter(|held| held.is_live(now, self.settings.idle));
            return Ok(held.map(|held| self.seen_near(&held)));
        };
        let record = remote.presence.read(remote.store.get(key.record_key(), now).await, now)?;
        Ok(record.filter(|_| !remote.owes(key)).map(|record| Seen::of(key, &record)))
    }

    /// Returns the digest of a person by a kind of identifier.
    #[must_use]
    pub fn owner(&self, kind: &str, identifier: &str) -> Option<[u8; 32]> {
        let identifier = match kind {
            "login_name" => Identifier::login_name(identifier),
            "pesel" | "cross_border" => Identifier::parse(identifier),
            _ => return None,
        };
        (identifier.kind() == kind).then(|| self.owners.owner_of(&identifier))
    }

    fn seen_near(&self, held: &CachedSession) -> Seen {
        Seen {
            key: held.key(),
            label: Some(Label::of(held.session())),
            owner: self.owners.owner(held.session().person()),
            alive: held.alive(),
            expires: self.expires(held.alive(), held.session()),
        }
    }

    fn list_near(
        &self,
        owner: Option<[u8; 32]>,
        after: Option<String>,
        limit: usize,
        now: Time,
    ) -> Listed {
        let after = after.and_then(|text| from_hex(&text));
        let is_behind = |held: &CachedSession| {
            after.as_ref().is_none_or(|after| held.key().0.as_slice() > after.as_slice())
        };
        let is_of = |held: &CachedSession| {
            owner.is_none_or(|owner| self.owners.owner(held.session().person()) == owner)
        };
        let mut keys = self.local.collect(|held| {
            let is_listed = held.is_live(now, self.settings.idle) && is_behind(held) && is_of(held);
            is_listed.then(|| Arc::clone(held))
        });
        keys.sort_unstable_by_key(|held| held.key().0);
        keys.truncate(limit);
        let next = keys.last().filter(|_| keys.len() == limit);
        let next = next.map(|held| hex_lower(&held.key().0));
        Listed { sessions: keys.iter().map(|held| self.seen_near(held)).collect(), next }
    }
}

/// A page of sessions.
#[derive(Debug)]
pub struct Listed {
    /// The sessions of the page, in no order that can be relied on.
    pub sessions: Vec<Seen>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<String>,
}

/// A session as operators see it.
#[derive(Debug)]
pub struct Seen {
    /// What it is stored under.
    pub key: SessionKey,
    /// What was noted for operators.
    pub label: Option<Label>,
    /// The keyed digest of the person; all zeros when the record has none.
    pub owner: [u8; 32],
    /// The last sign of life that is known.
    pub alive: Time,
    /// When it goes away without another.
    pub expires: Time,
}

impl Seen {
    fn of(key: SessionKey, record: &Record) -> Self {
        Self {
            key,
            label: Label::read(&record.label),
            owner: record.owner.unwrap_or_default(),
            alive: Time::from_millisecond(record.alive).unwrap_or(Time::MIN),
            expires: record.expires,
        }
    }
}
