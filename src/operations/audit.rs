//! What operators find in the audit log of this gateway, where it is written to files.
//!
//! 1. What is looked for is sent in a body, since an address stands in logs and histories. It is not
//!    kept, not repeated, and in no log: there is only by what kinds of things somebody looked. Whoever
//!    can look for a person can try identifiers, so it is for those who may end sessions.
//! 2. An answer is bounded in records, in bytes and in time; `next` is where another one goes on.
//! 3. One search at a time, on a thread that may wait, which rests as long as it reads
//!    ([`AuditLog::find`]). It is told although the operator's connection ends.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tokio::sync::Semaphore;
use tracing::warn;

use super::acts::Acts;
use super::call::{Call, Done, maybe_whole, said};
use super::problem::Problem;
use crate::audit::record::Record;
use crate::audit::search::{Query, time};
use crate::audit::{AuditLog, Bounds, OwnError, Part, Place};
use crate::base::causes::in_one_line;
use crate::base::clock::{SharedClock, Time};
use crate::base::secret::Secret;
use crate::identity::pesel::Pesel;
use crate::observe::event::AdminAction;
use crate::observe::events::Events;
use crate::observe::incident;

/// Finds records for operators.
pub struct AuditDesk {
    log: Arc<AuditLog>,
    acts: Acts,
    turn: Arc<Semaphore>,
}

/// What is looked for: records that fit all of it. Without anything, all are told.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RecordsWanted")]
pub struct Wanted {
    /// A person: a PESEL, or what the node says of somebody from another country. It is not kept and
    /// stands in no log.
    #[serde(default, deserialize_with = "secret")]
    #[schemars(with = "Option<String>", length(min = 1, max = 1024), regex(pattern = r"\S"))]
    identifier: Option<Secret<String>>,
    /// A session, by its public name.
    sid: Option<String>,
    /// The number of a request, as the logs have it.
    request: Option<String>,
    /// The number on a citizen's page, in letters of either size, with or without spaces.
    #[schemars(regex(pattern = "^[2-9A-HJ-NP-Za-hj-np-z]{8}$"))]
    number: Option<String>,
    /// The `ID` of an `AuthnRequest`.
    authn_request: Option<String>,
    /// Not before that time (RFC 3339); a date is the begin of that day (UTC).
    #[schemars(regex(pattern = MOMENT))]
    from: Option<String>,
    /// Before that time.
    #[schemars(regex(pattern = MOMENT))]
    to: Option<String>,
    /// How many records at most; 100 by default.
    #[serde(default, deserialize_with = "maybe_whole")]
    #[schemars(range(min = 1, max = 1000))]
    limit: Option<u32>,
    /// `next` of the answer before, with the rest as it was.
    #[schemars(regex(pattern = r"^[0-9]{1,19}\.[0-9]{1,19}\.[A-Za-z0-9_-]{22}\.[0-9]{1,19}$"))]
    after: Option<String>,
}

/// A part of what was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Records")]
pub struct Found {
    /// Records, as `brama reference --audit-schema` describes them, the oldest first.
    #[schemars(with = "Vec<Record<'static>>")]
    records: Vec<serde_json::Value>,
    /// How many records were read for this part.
    read: u64,
    /// How many lines among them are no records: see `brama audit verify`.
    broken: u64,
    /// Of how many files something could not be read; the log of the gateway names them.
    unreadable: usize,
    /// What to send as `after` for the next part; null when everything was read.
    next: Option<String>,
}

impl AuditDesk {
    /// Makes the desk.
    #[must_use]
    pub fn new(log: Arc<AuditLog>, events: Arc<Events>, clock: SharedClock) -> Self {
        Self { log, acts: Acts::new(events, clock), turn: Arc::new(Semaphore::new(1)) }
    }

    pub(super) async fn find(&self, call: Call) -> Done {
        let admin = call.admin()?;
        let wanted: Wanted = call.take().await?;
        let limit = wanted.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MOST_RECORDS).contains(&limit) {
            return Err(Problem::malformed("limit is 1 to 1000"));
        }
        let (by, after) = (wanted.kinds(), wanted.place()?);
        let query = wanted.query(&self.log)?;
        if !self.log.has_files() {
            return Err(Problem::Conflict(NO_FILES.to_owned()));
        }
        let turn = Arc::clone(&self.turn).try_acquire_owned().map_err(|_| Problem::Busy)?;
        let (log, acts) = (Arc::clone(&self.log), self.acts.clone());
        let bounds = Bounds { records: limit as usize, ..BOUNDS };
        let found = tokio::task::spawn_blocking(move || {
            let found = log.find(&query, after.as_ref(), &bounds);
            let told = found.as_ref().ok().map(|part| part.read.found);
            acts.tell(&admin, AdminAction::SearchedAudit { by: &by, found: told });
            // Held to the end, although the operator may have left.
            drop(turn);
            found
        });
        let found = found.await.map_err(|_| Problem::Failed("the audit log was not read"))?;
        said(&Found::of(found?)?)
    }
}

impl Wanted {
    /// Returns by what is looked, and nothing of it.
    fn kinds(&self) -> String {
        let all = [
            ("identifier", self.identifier.is_some()),
            ("sid", self.sid.is_some()),
            ("request", self.request.is_some()),
            ("number", self.number.is_some()),
            ("authn_request", self.authn_request.is_some()),
            ("from", self.from.is_some()),
            ("to", self.to.is_some()),
        ];
        let given: Vec<_> = all.into_iter().filter(|(_, is_given)| *is_given).collect();
        match given.is_empty() {
            true => "nothing".to_owned(),
            false => given.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(","),
        }
    }

    fn place(&self) -> Result<Option<Place>, Problem> {
        let place = self.after.as_deref().map(str::parse).transpose();
        place.map_err(|()| Problem::malformed("after is next of another answer"))
    }

    fn query(self, log: &AuditLog) -> Result<Query, Problem> {
        let Self { identifier, sid, request, number, authn_request, from, to, .. } = self;
        let words = [&sid, &request, &number, &authn_request, &from, &to];
        if words.into_iter().flatten().any(|word| Pesel::parse(word).is_some()) {
            return Err(Problem::malformed("the identifier of a person is for identifier alone"));
        }
        let number = number.map(|number| incident::parse(&number).ok_or(NO_NUMBER)).transpose()?;
        let moment = |text: Option<String>| -> Result<Option<Time>, Problem> {
            text.map(|text| time(&text).ok_or(NO_TIME)).transpose()
        };
        let (from, to) = (moment(from)?, moment(to)?);
        let query = Query { sid, request, number, authn_request, from, to, persons: None };
        match identifier.as_ref().map(|identifier| identifier.expose().trim()) {
            None => Ok(query),
            Some("") => Err(Problem::malformed("identifier is empty")),
            Some(identifier) => Ok(query.person(log.person_keys(), identifier)),
        }
    }
}

impl Found {
    fn of(part: Part) -> Result<Self, Problem> {
        for (path, error) in &part.unreadable {
            warn!(file = %path.display(), %error, "a file of the audit log cannot be read");
        }
        let records: Result<_, _> =
            part.lines.iter().map(|line| serde_json::from_slice(line)).collect();
        Ok(Self {
            records: records.map_err(|_| Problem::Failed("the records cannot be told"))?,
            read: part.read.records,
            broken: part.read.broken,
            unreadable: part.unreadable.len(),
            next: part.next.map(|place| place.to_string()),
        })
    }
}

impl From<OwnError> for Problem {
    fn from(error: OwnError) -> Self {
        match error {
            OwnError::Gone => Self::Conflict(format!(
                "{error}: ask again without after, and with from at the time of the last record"
            )),
            OwnError::Folder(_) => Self::Away(in_one_line(&error)),
        }
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

pub(super) const FINDS: &str = "Finds records of the audit log of this gateway: what a person did, what \
                                became of a session, a request or a login.";
const NO_FILES: &str = "the audit log is not written to files: ask where its records go, or give \
                        audit.target = \"file\"";
const NO_NUMBER: Problem = Problem::Malformed(std::borrow::Cow::Borrowed(
    "number has eight letters and digits, as on a citizen's page",
));
const NO_TIME: Problem = Problem::Malformed(std::borrow::Cow::Borrowed(
    "from and to are times such as 2031-05-04T12:00:00Z, or dates",
));
const MOMENT: &str = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\
    (T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2}))?$";
const DEFAULT_LIMIT: u32 = 100;
const MOST_RECORDS: u32 = 1000;
/// What one answer may be at the most.
const BOUNDS: Bounds = Bounds {
    records: MOST_RECORDS as usize,
    bytes: 2 * 1024 * 1024,
    scanned: 1024 * 1024 * 1024,
    time: Duration::from_secs(10),
};
