//! What operators may see of a session: nothing that names the person.

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::Session;
use crate::observe::event::EndedBy;
use crate::store::Kind;
use crate::store::sealed::{Unwritable, write_json};

/// Kept beside the sealed session, not sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The public name of the session, as in the `sid` claim and in logs.
    pub sid: String,
    /// The level, as in the `acr` claim.
    pub acr: String,
    /// When the citizen identified, in seconds since the epoch.
    pub auth_time: i64,
    /// When it ends at the latest, in seconds since the epoch.
    pub end: i64,
}

impl Label {
    pub(super) fn of(session: &Session) -> Self {
        Self {
            sid: session.public_name().to_owned(),
            acr: session.assurance().uri().to_owned(),
            auth_time: session.authenticated().as_second(),
            end: session.end().as_second(),
        }
    }

    pub(super) fn write(&self) -> Result<Bytes, Unwritable> {
        write_json(Kind::Session, self).map(|label| Bytes::copy_from_slice(label.expose()))
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// Why a session was ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The person signed in elsewhere, and has no more sessions than are allowed.
    Elsewhere,
    /// An operator ended it.
    Operator,
}

impl Why {
    /// Returns its name, which never changes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Operator => "operator",
        }
    }

    /// Returns the reason of a name that a label has; `None` when none has it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Elsewhere, Self::Operator].into_iter().find(|why| why.name() == name)
    }
}

impl From<Why> for EndedBy {
    fn from(why: Why) -> Self {
        match why {
            Why::Elsewhere => Self::Elsewhere,
            Why::Operator => Self::Operator,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
