//! Finds records: what a person did, what became of a request, a session or a login.
//!
//! A person is looked for by the pseudonyms that each key makes of an identifier. Files are read
//! line by line; lines that are no records are passed over, and counted.

use std::path::PathBuf;

use super::keys::PersonKey;
use super::record::Record;
use super::verify::{Lines, Unreadable, files};
use crate::base::clock::Time;
use crate::identity::person::Identifier;

/// What is looked for. A record fits when all that is given does.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Pseudonyms with the names of their keys; any of them.
    pub persons: Option<Vec<(String, String)>>,
    /// The public name of the session.
    pub sid: Option<String>,
    /// The number of the request.
    pub request: Option<String>,
    /// The number on the page of a citizen, in capitals and without spaces.
    pub number: Option<String>,
    /// The `ID` of the `AuthnRequest`.
    pub authn_request: Option<String>,
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
}

/// How much was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// Records that were read.
    pub records: u64,
    /// Records that fit.
    pub found: u64,
    /// Lines that are no records.
    pub broken: u64,
}

impl Query {
    /// Looks for a person by every key, and by every kind of identifier that the text may be: who
    /// asks need not know which.
    #[must_use]
    pub fn person(mut self, keys: &[PersonKey], text: &str) -> Self {
        let kinds = [Identifier::parse(text), Identifier::login_name(text)];
        let of = |key: &PersonKey| {
            let id = key.id().to_owned();
            kinds.clone().map(|identifier| (id.clone(), key.pseudonym(&identifier)))
        };
        self.persons = Some(keys.iter().flat_map(of).collect());
        self
    }

    /// Tells whether a record fits.
    #[must_use]
    pub fn fits(&self, record: &Record<'_>) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        let is_person = self.persons.as_ref().is_none_or(|persons| {
            persons.iter().any(|(key, person)| {
                record.person_key.as_deref() == Some(key)
                    && record.person.as_deref() == Some(person)
            })
        });
        is_person
            && is(&self.sid, record.sid.as_deref())
            && is(&self.request, record.request.as_deref())
            && is(&self.number, record.name.as_deref())
            && is(&self.authn_request, record.authn_request.as_deref())
            && self.is_in_time(record)
    }

    fn is_in_time(&self, record: &Record<'_>) -> bool {
        if self.from.is_none() && self.to.is_none() {
            return true;
        }
        let Ok(time) = record.time.parse::<Time>() else { return false };
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time < to)
    }
}

/// Reads a time (RFC 3339), or a date, with which a day begins (UTC).
#[must_use]
pub fn time(text: &str) -> Option<Time> {
    let day = (text.len() == "2031-05-04".len()).then(|| format!("{text}T00:00:00Z"));
    day.as_deref().unwrap_or(text).parse().ok()
}

/// Hands on the lines of all records that fit, in the order in which they are in the files.
///
/// # Errors
/// When a file cannot be read.
pub fn find(
    paths: &[PathBuf],
    query: &Query,
    mut found: impl FnMut(&[u8], &Record<'_>),
) -> Result<Read, Unreadable> {
    let mut read = Read::default();
    let meant = files(paths)?;
    for path in meant.files {
        let failed = |source| Unreadable { file: path.clone(), source };
        let mut lines = Lines::open(&path).map_err(failed)?;
        while let Some(line) = lines.next().map_err(failed)? {
            let Some(record) = Record::parse(line.bytes) else {
                read.broken += 1;
                continue;
            };
            read.records += 1;
            if query.fits(&record) {
                read.found += 1;
                found(line.bytes, &record);
            }
        }
    }
    Ok(read)
}
