//! A session as operators see it.

use super::super::SessionKey;
use super::super::label::Label;
use crate::base::clock::Time;
use crate::store::Record;

/// A page of sessions.
#[derive(Debug)]
pub struct Listed {
    /// The sessions.
    pub sessions: Vec<Seen>,
    /// Where to go on.
    pub next: Option<String>,
}

/// A session as operators see it.
#[derive(Debug)]
pub struct Seen {
    /// What it is stored under.
    pub key: SessionKey,
    /// What was noted for operators.
    pub label: Option<Label>,
    /// Whose it is.
    pub owner: [u8; 32],
    /// The last sign of life that is known.
    pub alive: Time,
    /// When it goes away without another.
    pub expires: Time,
}

impl Seen {
    pub(super) fn of(key: SessionKey, record: &Record) -> Self {
        Self {
            key,
            label: Label::read(&record.label),
            owner: record.owner.unwrap_or_default(),
            alive: Time::from_millisecond(record.alive).unwrap_or(Time::MIN),
            expires: record.expires,
        }
    }
}
